import { z } from "zod";
import { BadInputError, InvalidRunError, JobStateError, NotFoundError, QueueFullError } from "../domain/errors.ts";
import { jsonProblems } from "../domain/json.ts";
import { priorities } from "../domain/lanes.ts";
import { updateJob } from "../jobs/update.ts";
import { builder } from "./builder.ts";
import { ShapeError } from "./edge-errors.ts";
import { jobRef } from "./job.ts";
import { requireUuid } from "./node-ids.ts";
import { name, queueName } from "./run-input.ts";

type InputFields = Parameters<Parameters<typeof builder.inputType>[1]["fields"]>[0];

/** What can be changed about any job that waits. */
export const editFields = (t: InputFields) => ({
  priority: t.int({
    description: "From 0 to 100, higher is taken first.",
    validate: z.int().min(priorities.lowest).max(priorities.highest).nullish(),
  }),
  queue: t.string({ description: "The queue in which it waits from now on.", validate: queueName.nullish() }),
  runAt: t.field({
    type: "DateTime",
    description: "When it is due; null: now. A queued job that is due later is scheduled again.",
  }),
  tags: t.stringList({
    description: "The tags it has from now on, at most 20, instead of those it had.",
    validate: z.array(z.string().min(1).max(100)).max(20).nullish(),
  }),
  reason: t.string({
    description: "Why, for whoever asks later; at most 1000 characters.",
    validate: z.string().max(1000).nullish(),
  }),
});

const UpdateJobInput = builder.inputType("UpdateJobInput", {
  description: "Which job that waits is to be changed, and what is to be different. What is absent stays as it is.",
  fields: (t) => ({
    id: t.id({ required: true, description: "The job's id: `job_…`." }),
    ...editFields(t),
    expiresAt: t.field({ type: "DateTime", description: "Not started by then, it expires; null: never." }),
    inputs: t.field({ type: "JSONObject", description: "Inputs, merged by key over the job's. At most 256 KiB." }),
    unset: t.stringList({
      description: "Inputs that the job gave and does not give any more.",
      validate: z.array(name).max(1000).nullish(),
    }),
  }),
});

const UpdateJobSuccess = builder.objectRef<{ jobId: string }>("UpdateJobSuccess").implement({
  description: "The job is as it was asked for.",
  fields: (t) => ({
    job: t.field({
      type: jobRef,
      description: "The job, as it is now.",
      resolve: ({ jobId }) => ({ id: jobId }) as never,
    }),
  }),
});

builder.mutationField("updateJob", (t) =>
  t.field({
    type: UpdateJobSuccess,
    description:
      "Changes a job that waits. Inputs are checked against the pipeline's graph as at `enqueueJob`. A job that a worker has started meanwhile is refused, and left as it was.",
    authScopes: { manage: true },
    errors: {
      types: [NotFoundError, JobStateError, InvalidRunError, QueueFullError, BadInputError],
      union: { description: "The job, or why it cannot be changed so." },
    },
    args: { input: t.arg({ type: UpdateJobInput, required: true, description: "Which job, and what is different." }) },
    resolve: async (_root, { input }, { jobs, actor }) => {
      const jobId = requireUuid("job", input.id, "input.id");
      const problems = jsonProblems(input.inputs ?? null, "input.inputs");
      if (problems.length > 0) throw new ShapeError(problems);
      await updateJob(jobs, actor, {
        ...editOf(input),
        ...(input.expiresAt !== undefined && { expiresAt: input.expiresAt }),
        jobId,
        reason: input.reason ?? null,
        inputs: input.inputs ?? {},
        unset: input.unset ?? [],
      });
      return { jobId };
    },
  }),
);

interface EditInput {
  priority?: number | null | undefined;
  queue?: string | null | undefined;
  runAt?: Date | null | undefined;
  tags?: string[] | null | undefined;
}

/** Null says "now" of the time, and nothing of the others. */
export function editOf({ priority, queue, runAt, tags }: EditInput) {
  return {
    ...(priority != null && { priority }),
    ...(queue != null && { queue }),
    ...(runAt !== undefined && { runAt }),
    ...(tags != null && { tags }),
  };
}
