import { queryFromInfo } from "@pothos/plugin-drizzle";
import { and, gt, isNull, lt, sql } from "drizzle-orm";
import type { workers as workersTable } from "../db/tables.ts";
import { builder } from "./builder.ts";
import { uuids } from "./nested-list.ts";
import { requireUuid } from "./node-ids.ts";
import { type Keyset, pageComplexity, readPage } from "./page.ts";
import { pageNodes } from "./page-nodes.ts";
import { Worker } from "./worker.ts";

builder.queryField("worker", (t) =>
  t.drizzleField({
    type: Worker,
    nullable: true,
    description: "A worker by its id; null when there is none.",
    authScopes: { read: true },
    args: { id: t.arg.id({ required: true, description: "Its id: `wkr_…`." }) },
    resolve: (query, _root, { id }, { db }) =>
      db.reads.query.workers.findFirst(query({ where: { id: requireUuid("worker", id, "id") } })),
  }),
);

const keyset: Keyset<{ id: string }, string> = {
  name: "workers",
  keyOf: ({ id }) => [id],
  parse: ([id = "", ...rest]) => (rest.length === 0 ? uuids.parse(id) : null),
};

builder.queryField("workers", (t) =>
  t.connection(
    {
      type: Worker,
      description: "Workers, those that started first at the beginning.",
      authScopes: { read: true },
      complexity: pageComplexity,
      args: {
        includeEnded: t.arg.boolean({
          required: true,
          defaultValue: false,
          description: "Also those that have stopped or died.",
        }),
      },
      resolve: (_root, { includeEnded, ...page }, context, info) =>
        readPage(page, keyset, ({ limit, backwards, after, before }) =>
          context.db.reads.query.workers.findMany(
            queryFromInfo({
              ...pageNodes("Worker", context, info),
              columns: { id: true },
              where: {
                RAW: (row: typeof workersTable) =>
                  and(
                    includeEnded ? undefined : isNull(row.endedAt),
                    after === null ? undefined : gt(row.id, after),
                    before === null ? undefined : lt(row.id, before),
                  ) ?? sql`true`,
              },
              orderBy: { id: backwards ? "desc" : "asc" },
              limit,
            }),
          ),
        ),
    },
    { name: "WorkersConnection", description: "A page of workers." },
    { name: "WorkersConnectionEdge", description: "A worker in its list." },
  ),
);
