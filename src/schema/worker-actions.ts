/** What can be asked of a worker. */
import { z } from "zod";
import { NotFoundError, WorkerStateError } from "../domain/errors.ts";
import { askWorker } from "../jobs/ask-worker.ts";
import { builder } from "./builder.ts";
import { requireUuid } from "./node-ids.ts";
import { Worker } from "./worker.ts";

const dayMs = 86_400_000;

type InputFields = Parameters<Parameters<typeof builder.inputType>[1]["fields"]>[0];

const idField = (t: InputFields) => t.id({ required: true, description: "The worker's id: `wkr_…`." });
const reasonField = (t: InputFields) =>
  t.string({
    description: "Why, for whoever asks later; at most 1000 characters.",
    validate: z.string().max(1000).nullish(),
  });

const DrainWorkerInput = builder.inputType("DrainWorkerInput", {
  description: "Which worker is to take nothing more, and why.",
  fields: (t) => ({ id: idField(t), reason: reasonField(t) }),
});

const ResumeWorkerInput = builder.inputType("ResumeWorkerInput", {
  description: "Which worker is to take jobs again.",
  fields: (t) => ({ id: idField(t) }),
});

const StopWorkerInput = builder.inputType("StopWorkerInput", {
  description: "Which worker is to end, within which time, and why.",
  fields: (t) => ({
    id: idField(t),
    graceMs: t.int({
      description: `How long its runs may go on, 0 to ${dayMs}: a day. Absent: as long as it was started with (\`--grace\`).`,
      validate: z.int().min(0).max(dayMs).nullish(),
    }),
    reason: reasonField(t),
  }),
});

const success = (name: string, description: string) =>
  builder.objectRef<{ id: string }>(name).implement({
    description,
    fields: (t) => ({
      worker: t.field({ type: Worker, description: "The worker.", resolve: ({ id }) => ({ id }) as never }),
    }),
  });
const DrainWorkerSuccess = success("DrainWorkerSuccess", "The worker was asked to take nothing more.");
const ResumeWorkerSuccess = success("ResumeWorkerSuccess", "The worker was asked to take jobs again.");
const StopWorkerSuccess = success("StopWorkerSuccess", "The worker was asked to end.");

const errors = {
  types: [NotFoundError, WorkerStateError],
  union: { description: "The worker, or why that cannot be asked of it." },
};

builder.mutationField("drainWorker", (t) =>
  t.field({
    type: DrainWorkerSuccess,
    description:
      "Asks a worker to take no more jobs. What it runs goes on, and it stays until it is resumed or stopped. Done again, it changes the reason.",
    authScopes: { manage: true },
    errors,
    args: { input: t.arg({ type: DrainWorkerInput, required: true, description: "Which worker, and why." }) },
    resolve: async (_root, { input }, { jobs, actor }) => {
      const id = requireUuid("worker", input.id, "input.id");
      await askWorker(jobs, actor, id, { action: "drain", reason: input.reason ?? null });
      return { id };
    },
  }),
);

builder.mutationField("resumeWorker", (t) =>
  t.field({
    type: ResumeWorkerSuccess,
    description: "Asks a worker that drains to take jobs again.",
    authScopes: { manage: true },
    errors,
    args: { input: t.arg({ type: ResumeWorkerInput, required: true, description: "Which worker." }) },
    resolve: async (_root, { input }, { jobs, actor }) => {
      const id = requireUuid("worker", input.id, "input.id");
      await askWorker(jobs, actor, id, { action: "resume" });
      return { id };
    },
  }),
);

builder.mutationField("stopWorker", (t) =>
  t.field({
    type: StopWorkerSuccess,
    description:
      "Asks a worker to end as SIGTERM does: it takes nothing more, its runs may finish within the grace, the rest is handed back uncounted. Asked again with `graceMs: 0` it ends now. Of an all-in-one (`up`) only the worker ends: its API goes on.",
    authScopes: { manage: true },
    errors,
    args: {
      input: t.arg({ type: StopWorkerInput, required: true, description: "Which worker, within which time, and why." }),
    },
    resolve: async (_root, { input }, { jobs, actor }) => {
      const id = requireUuid("worker", input.id, "input.id");
      const { graceMs = null, reason = null } = input;
      await askWorker(jobs, actor, id, { action: "stop", reason, graceMs });
      return { id };
    },
  }),
);
