import { watchOperation } from "../jobs/watch-operation.ts";
import { builder } from "./builder.ts";
import { requireUuid } from "./node-ids.ts";
import { Operation } from "./operation.ts";

builder.subscriptionField("operationChanged", (t) =>
  t.field({
    type: Operation,
    description:
      "An operation at once, then as it goes on: what changes faster than it can be told is told once, as it is then. Completes with the operation, and at once when there is none.",
    authScopes: { read: true },
    args: { id: t.arg.id({ required: true, description: "Its id: `op_…`." }) },
    subscribe: (_root, { id }, { jobs }) => watchOperation(jobs, requireUuid("operation", id, "id")),
    // The plugin loads what is selected of it.
    resolve: (id) => ({ id }) as never,
  }),
);
