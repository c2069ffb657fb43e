import { queryFromInfo } from "@pothos/plugin-drizzle";
import { and, eq, gt, lt, sql } from "drizzle-orm";
import type { operations as operationsTable } from "../db/tables.ts";
import { builder } from "./builder.ts";
import { uuids } from "./nested-list.ts";
import { requireUuid } from "./node-ids.ts";
import { Operation } from "./operation.ts";
import { OperationStateEnum } from "./operation-state.ts";
import { type Keyset, pageComplexity, readPage } from "./page.ts";
import { pageNodes } from "./page-nodes.ts";

builder.queryField("operation", (t) =>
  t.drizzleField({
    type: Operation,
    nullable: true,
    description: "An operation by its id; null when there is none.",
    authScopes: { read: true },
    args: { id: t.arg.id({ required: true, description: "Its id: `op_…`." }) },
    resolve: (query, _root, { id }, { db }) =>
      db.reads.query.operations.findFirst(query({ where: { id: requireUuid("operation", id, "id") } })),
  }),
);

const keyset: Keyset<{ id: string }, string> = {
  name: "operations",
  keyOf: ({ id }) => [id],
  parse: ([id = "", ...rest]) => (rest.length === 0 ? uuids.parse(id) : null),
};

builder.queryField("operations", (t) =>
  t.connection(
    {
      type: Operation,
      description: "Operations, the newest first.",
      authScopes: { read: true },
      complexity: pageComplexity,
      args: { state: t.arg({ type: OperationStateEnum, description: "Only those in this state." }) },
      resolve: (_root, { state, ...page }, context, info) =>
        readPage(page, keyset, ({ limit, backwards, after, before }) =>
          context.db.reads.query.operations.findMany(
            queryFromInfo({
              ...pageNodes("Operation", context, info),
              columns: { id: true },
              where: {
                RAW: (row: typeof operationsTable) =>
                  and(
                    state == null ? undefined : eq(row.state, state),
                    after === null ? undefined : lt(row.id, after),
                    before === null ? undefined : gt(row.id, before),
                  ) ?? sql`true`,
              },
              orderBy: { id: backwards ? "asc" : "desc" },
              limit,
            }),
          ),
        ),
    },
    { name: "OperationsConnection", description: "A page of operations." },
    { name: "OperationsConnectionEdge", description: "An operation in its list." },
  ),
);
