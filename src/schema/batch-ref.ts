import { BadInputError, NotFoundError } from "../domain/errors.ts";
import { uuidOf } from "../domain/ids.ts";
import { Batch } from "./batch.ts";
import { builder } from "./builder.ts";
import type { Context } from "./context.ts";
import { AmbiguousRefError, findByEnd, searched, shortestEnd } from "./short-id.ts";

builder.queryField("batchByRef", (t) =>
  t.drizzleField({
    type: Batch,
    description: "A batch by what a person types for it.",
    authScopes: { read: true },
    errors: {
      types: [NotFoundError, AmbiguousRefError, BadInputError],
      union: { description: "The batch, or why it was not found." },
    },
    args: {
      ref: t.arg.string({
        required: true,
        description: `\`@last\`, \`project/pipeline@last\`, an id, or the last ${shortestEnd} or more characters of one (of the newest ${searched.toLocaleString("en")} batches).`,
      }),
    },
    resolve: async (query, _root, { ref }, context) => {
      const id = await findBatch(ref, context);
      const batch = await context.db.reads.query.batches.findFirst(query({ where: { id } }));
      if (batch === undefined) throw new NotFoundError("batch", ref, "ref");
      return batch;
    },
  }),
);

async function findBatch(ref: string, context: Context): Promise<string> {
  const exact = uuidOf("batch", ref);
  if (exact !== null) return exact;
  if (ref.endsWith("@last")) return await lastBatch(ref.slice(0, -"@last".length), context);
  return await findByEnd(context.db.sql, ref, {
    kind: "batch",
    newest: (sql) => sql`select id from batches order by id desc`,
    taken: "@last or PIPELINE@last",
  });
}

async function lastBatch(pipeline: string, { db, jobs }: Context): Promise<string> {
  const found = pipeline === "" ? null : await jobs.catalogue.pipeline(null, pipeline, "ref");
  const those = found === null ? db.sql`` : db.sql`where project = ${found.projectName} and pipeline = ${found.name}`;
  const [last] = await db.sql<{ id: string }[]>`select id from batches ${those} order by id desc limit 1`;
  if (last === undefined) throw new NotFoundError("batch", `${pipeline}@last`, "ref");
  return last.id;
}
