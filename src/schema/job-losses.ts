import { createContextCache } from "@pothos/core";
import { builder } from "./builder.ts";
import type { Context } from "./context.ts";
import { Gathered } from "./gathered.ts";
import { jobRef } from "./job.ts";

builder.drizzleObjectField(
  jobRef,
  "lastLossAt",
  (t) =>
    t.field({
      type: "DateTime",
      nullable: true,
      description:
        "When an attempt of it was last lost, with its worker or its Python process; null when none was. `losses` counts those of this life.",
      complexity: 5,
      select: { columns: { id: true } },
      resolve: async ({ id }, _args, context) => await lastLosses(context).ask(id),
    }) as never, // the field types of the drizzle and the validation plugin do not know each other
);

/** Of all jobs that ask together. */
const lastLosses = createContextCache(
  ({ db }: Context) =>
    new Gathered<string, Date | null>(async (ids) => {
      const rows = await db.sql<{ id: string; at: Date | null }[]>`
        select job_id as id, max(ended_at) as at from attempts
        where job_id = any(${ids}::uuid[]) and error_kind = 'WORKER_LOST' group by 1`;
      const byId = new Map(rows.map(({ id, at }) => [id, at]));
      return ids.map((id) => byId.get(id) ?? null);
    }),
);
