import { z } from "zod";
import { CodeChangedError, JobStateError, NotFoundError } from "../domain/errors.ts";
import { jobCursor } from "../events/cursor.ts";
import { planRequeue } from "../jobs/plan-requeue.ts";
import { requeueJob } from "../jobs/requeue.ts";
import { builder } from "./builder.ts";
import { jobRef } from "./job.ts";
import { requireUuid } from "./node-ids.ts";
import { JobPlan } from "./plan-job.ts";

const RequeueJobInput = builder.inputType("RequeueJobInput", {
  description: "Which job gets another life, and why.",
  fields: (t) => ({
    id: t.id({ required: true, description: "The job's id: `job_…`." }),
    reason: t.string({
      description: "Why, for whoever asks later; at most 1000 characters.",
      validate: z.string().max(1000).nullish(),
    }),
    expiresAt: t.field({
      type: "DateTime",
      description: "Not started by then, it expires; never when absent, whatever held for the life before.",
    }),
  }),
});

const RequeueJobSuccess = builder.objectRef<{ jobId: string; seq: number }>("RequeueJobSuccess").implement({
  description: "The job is queued again.",
  fields: (t) => ({
    job: t.field({
      type: jobRef,
      description: "The job, in its next life.",
      resolve: ({ jobId }) => ({ id: jobId }) as never,
    }),
    cursor: t.string({
      description:
        "Cursor of the event with which the next life begins: `jobEvents` after it tells of that life alone.",
      resolve: ({ jobId, seq }) => jobCursor({ jobId, seq }),
    }),
  }),
});

builder.mutationField("requeueJob", (t) =>
  t.field({
    type: RequeueJobSuccess,
    description:
      "Gives a job that failed, was cancelled or has expired another life: the same request, due now, with the code as it is when it starts. Not safe to send twice: the second time it is queued.",
    authScopes: { manage: true },
    errors: {
      types: [NotFoundError, JobStateError],
      union: { description: "The job, or why it cannot be requeued." },
    },
    args: { input: t.arg({ type: RequeueJobInput, required: true, description: "Which job." }) },
    resolve: async (_root, { input }, { jobs, actor }) => {
      const jobId = requireUuid("job", input.id, "input.id");
      const { reason = null, expiresAt = null } = input;
      const { seq } = await requeueJob(jobs, actor, { jobId, reason, expiresAt });
      return { jobId, seq };
    },
  }),
);

builder.queryField("planRequeue", (t) =>
  t.field({
    type: JobPlan,
    description:
      "What the job would do after `requeueJob`, and what of its earlier attempts it would reuse, without storing or running anything.",
    authScopes: { read: true },
    // A worker may have to import code for it.
    complexity: { field: 20 },
    errors: {
      types: [NotFoundError, JobStateError, CodeChangedError],
      union: { description: "The plan, or why there is none." },
    },
    args: { input: t.arg({ type: RequeueJobInput, required: true, description: "Which job." }) },
    resolve: async (_root, { input }, { jobs }) => await planRequeue(jobs, requireUuid("job", input.id, "input.id")),
  }),
);
