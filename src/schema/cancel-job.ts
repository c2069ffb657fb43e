import { z } from "zod";
import { JobStateError, NotFoundError } from "../domain/errors.ts";
import { cancelJob } from "../jobs/cancel.ts";
import { builder } from "./builder.ts";
import { jobRef } from "./job.ts";
import { requireUuid } from "./node-ids.ts";

const CancelJobInput = builder.inputType("CancelJobInput", {
  description: "Which job is to be stopped, and why.",
  fields: (t) => ({
    id: t.id({ required: true, description: "The job's id: `job_…`." }),
    reason: t.string({
      description: "Why, for whoever asks later; at most 1000 characters.",
      validate: z.string().max(1000).nullish(),
    }),
  }),
});

const CancelJobSuccess = builder.objectRef<{ jobId: string }>("CancelJobSuccess").implement({
  description: "The job is cancelled, or its worker was told to stop it.",
  fields: (t) => ({
    job: t.field({
      type: jobRef,
      description: "The job. One that was running is cancelled when its worker has stopped it.",
      resolve: ({ jobId }) => ({ id: jobId }) as never,
    }),
  }),
});

builder.mutationField("cancelJob", (t) =>
  t.field({
    type: CancelJobSuccess,
    description: "Stops a job. One that waits is cancelled at once; a running one when its worker has stopped it.",
    authScopes: { manage: true },
    errors: {
      types: [NotFoundError, JobStateError],
      union: { description: "The job, or why it cannot be stopped." },
    },
    args: { input: t.arg({ type: CancelJobInput, required: true, description: "Which job." }) },
    resolve: async (_root, { input }, { jobs, actor }) => {
      const jobId = requireUuid("job", input.id, "input.id");
      await cancelJob(jobs, actor, { jobId, reason: input.reason ?? null });
      return { jobId };
    },
  }),
);
