import { z } from "zod";
import { NotFoundError, OperationStateError } from "../domain/errors.ts";
import { stopOperation } from "../jobs/stop-operation.ts";
import { builder } from "./builder.ts";
import { requireUuid } from "./node-ids.ts";
import { Operation } from "./operation.ts";

const StopOperationInput = builder.inputType("StopOperationInput", {
  description: "Which operation is to end, and why.",
  fields: (t) => ({
    id: t.id({ required: true, description: "The operation's id: `op_…`." }),
    reason: t.string({
      description: "Why, for whoever asks later; at most 1000 characters.",
      validate: z.string().max(1000).nullish(),
    }),
  }),
});

const StopOperationSuccess = builder.objectRef<{ id: string }>("StopOperationSuccess").implement({
  description: "The operation is stopped.",
  fields: (t) => ({
    operation: t.field({ type: Operation, description: "The operation.", resolve: ({ id }) => ({ id }) as never }),
  }),
});

builder.mutationField("stopOperation", (t) =>
  t.field({
    type: StopOperationSuccess,
    description:
      "Ends an operation after the chunk that is being done: after the answer no more jobs are touched. What was done stays done. Stopped again, it stays as it is.",
    authScopes: { manage: true },
    errors: {
      types: [NotFoundError, OperationStateError],
      union: { description: "The operation, or why it cannot be stopped." },
    },
    args: { input: t.arg({ type: StopOperationInput, required: true, description: "Which operation, and why." }) },
    resolve: async (_root, { input }, { jobs, actor }) => {
      const id = requireUuid("operation", input.id, "input.id");
      await stopOperation(jobs, actor, id, input.reason ?? null);
      return { id };
    },
  }),
);
