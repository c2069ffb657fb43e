/** What is done to a batch as a whole. */
import { z } from "zod";
import { NotFoundError } from "../domain/errors.ts";
import { actOnBatch } from "../jobs/act-on-batch.ts";
import { Batch } from "./batch.ts";
import { builder } from "./builder.ts";
import { requireUuid } from "./node-ids.ts";

interface Result {
  batchId: string;
  done: number;
  failed: number;
}

const verbs = {
  cancelBatch: {
    verb: "cancel",
    description: "Stops what of a batch has not ended: jobs that wait at once, those that run by their workers.",
  },
  requeueBatch: {
    verb: "requeue",
    description:
      "Gives the jobs of a batch that failed, were cancelled or have expired another life, each as `requeueJob` does; the batch is open again.",
  },
} as const;

for (const field of ["cancelBatch", "requeueBatch"] as const) {
  const { verb, description } = verbs[field];
  const name = `${field[0]?.toUpperCase()}${field.slice(1)}`;
  const Input = builder.inputType(`${name}Input`, {
    description: "Which batch, and why.",
    fields: (t) => ({
      id: t.id({ required: true, description: "The batch's id: `bat_…`." }),
      reason: t.string({
        description: "Why, for whoever asks later; at most 1000 characters.",
        validate: z.string().max(1000).nullish(),
      }),
    }),
  });
  const Success = builder.objectRef<Result>(`${name}Success`).implement({
    description: "What became of the batch.",
    fields: (t) => ({
      batch: t.field({
        type: Batch,
        description: "The batch.",
        resolve: ({ batchId }) => ({ id: batchId }) as never,
      }),
      done: t.exposeInt("done", { description: "To how many of its jobs it was done." }),
      failed: t.exposeInt("failed", { description: "To how many not: they have moved on meanwhile." }),
    }),
  });
  builder.mutationField(field, (t) =>
    t.field({
      type: Success,
      description,
      authScopes: { manage: true },
      complexity: { field: 20 },
      errors: { types: [NotFoundError], union: { description: "What became of the batch, or why nothing did." } },
      args: { input: t.arg({ type: Input, required: true, description: "Which batch." }) },
      resolve: async (_root, { input }, { jobs, actor }) => {
        const batchId = requireUuid("batch", String(input.id), "input.id");
        const { done, problems } = await actOnBatch(jobs, actor, batchId, { verb, reason: input.reason ?? null });
        return { batchId, done: done.length, failed: problems.length };
      },
    }),
  );
}
