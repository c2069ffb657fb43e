import { z } from "zod";
import {
  CodeChangedError,
  IdempotencyConflictError,
  InvalidRunError,
  JobStateError,
  NotFoundError,
  ProjectDisabledError,
  QueueFullError,
} from "../domain/errors.ts";
import { jsonProblems } from "../domain/json.ts";
import { priorities } from "../domain/lanes.ts";
import type { RetryRequest } from "../domain/run-request.ts";
import { planRerun, type RerunChanges, type RerunRequest, rerunJob } from "../jobs/rerun.ts";
import { builder } from "./builder.ts";
import { dueFields, dueOf } from "./due.ts";
import { ShapeError } from "./edge-errors.ts";
import { label, OnReplay } from "./enqueue-job.ts";
import { jobRef, RunPlan } from "./job.ts";
import { metadataDescription, metadataOf } from "./metadata.ts";
import { requireUuid } from "./node-ids.ts";
import { JobPlan } from "./plan-job.ts";
import { ExecutorInput, executorOf, given, name, queueName, RetryInput } from "./run-input.ts";
import { FollowUps, LogLevel, OnWorkerLost, ResultMode, ReuseMode, RuntimeMode } from "./run-options.ts";

const RerunCode = builder.enumType("RerunCode", {
  description: "With which code a job is run again.",
  values: {
    CURRENT: { value: "current", description: "With what is in the project's folder when the new job starts." },
    SAME: {
      value: "same",
      description:
        "With what the old job ran. Refused when that is no longer what is published: old code is not kept. When it has changed by the time the new job starts, that fails as `INVALID`.",
    },
  } as const satisfies { [C in RerunRequest["code"] as Uppercase<C>]: { value: C; description: string } },
});

const RerunJobInput = builder.inputType("RerunJobInput", {
  description:
    "Which job is made anew, and what is different. What is absent is as with the old job; what is null is as if the old job had not said it.",
  fields: (t) => ({
    id: t.id({ required: true, description: "The old job's id: `job_…`. It has ended, in whatever way." }),
    code: t.field({
      type: RerunCode,
      required: true,
      defaultValue: "current",
      description: "With which code.",
    }),
    inputs: t.field({ type: "JSONObject", description: "Inputs, merged by key over the old job's. At most 256 KiB." }),
    unset: t.stringList({
      description: "Inputs that the old job gave and this one does not.",
      validate: z.array(name).max(1000).nullish(),
    }),
    config: t.field({
      type: "JSONObject",
      description: "Hamilton config, merged by key over the old job's. At most 256 KiB.",
    }),
    unsetConfig: t.stringList({
      description: "Keys of the config that the old job gave and this one does not.",
      validate: z.array(name).max(1000).nullish(),
    }),
    finalVars: t.stringList({ description: "Nodes to compute.", validate: z.array(name).max(1000).nullish() }),
    reuse: t.field({ type: ReuseMode, description: "Which values of earlier runs may be taken." }),
    followUps: t.field({
      type: FollowUps,
      description: "Whether anything follows it by the YAML of other pipelines.",
    }),
    recompute: t.stringList({
      description: "Nodes that run whatever is stored of them, in the place of the old job's.",
      validate: z.array(name).max(1000).nullish(),
    }),
    executor: t.field({ type: ExecutorInput, description: "How the nodes of the run are spread." }),
    logLevel: t.field({ type: LogLevel, description: "The lowest level of log lines that is recorded." }),
    runtime: t.field({ type: RuntimeMode, description: "In which Python process it runs." }),
    results: t.field({ type: ResultMode, description: "What is kept of the final variables." }),
    queue: t.string({ description: "The queue in which it waits.", validate: queueName.nullish() }),
    priority: t.int({
      description: "From 0 to 100, higher is taken first.",
      validate: z.int().min(priorities.lowest).max(priorities.highest).nullish(),
    }),
    tags: t.stringList({
      description: "Words to find it by, at most 20, in the place of the old job's.",
      validate: z.array(z.string().min(1).max(100)).max(20).nullish(),
    }),
    timeoutMs: t.int({
      description: "After so long an attempt is stopped, up to 24 days.",
      validate: z.int().min(1).nullish(),
    }),
    retry: t.field({ type: RetryInput, description: "When a failed attempt is tried again." }),
    onWorkerLost: t.field({ type: OnWorkerLost, description: "What becomes of it when its worker dies." }),
    ...dueFields(t),
    metadata: t.field({ type: "JSONObject", description: `${metadataDescription} As it was when absent.` }),
    idempotencyKey: t.string({ description: "Equal calls with one key make one job.", validate: label.nullish() }),
    onReplay: t.field({
      type: OnReplay,
      required: true,
      defaultValue: "return",
      description: "What becomes of a key that was used before.",
    }),
    requestedBy: t.string({ description: "The person behind an application: a label.", validate: label.nullish() }),
  }),
});

const RerunJobSuccess = builder.objectRef<{ jobId: string; replayed: boolean }>("RerunJobSuccess").implement({
  description: "The new job is kept.",
  fields: (t) => ({
    job: t.field({
      type: jobRef,
      description: "The new job.",
      resolve: ({ jobId }) => ({ id: jobId }) as never,
    }),
    replayed: t.exposeBoolean("replayed", { description: "The key was used before: this is the job of then." }),
    plan: t.field({
      type: RunPlan,
      nullable: true,
      description: "What will run; null: not yet validated, it is checked when the job starts.",
      resolve: async ({ jobId }, _args, { db }) => {
        const request = await db.reads.query.jobRequests.findFirst({ where: { jobId }, columns: { plan: true } });
        return request?.plan ?? null;
      },
    }),
  }),
});

builder.mutationField("rerunJob", (t) =>
  t.field({
    type: RerunJobSuccess,
    description: "Makes a new job from one that has ended, with changes. Checked like any other before it is stored.",
    authScopes: { enqueue: true },
    errors: {
      types: [
        InvalidRunError,
        NotFoundError,
        ProjectDisabledError,
        QueueFullError,
        JobStateError,
        CodeChangedError,
        IdempotencyConflictError,
      ],
      union: { description: "The new job, or why there is none." },
    },
    args: { input: t.arg({ type: RerunJobInput, required: true, description: "Which job, and what is different." }) },
    resolve: async (_root, { input }, { jobs, actor }) => await rerunJob(jobs, actor, rerunOf(input)),
  }),
);

builder.queryField("planRerun", (t) =>
  t.field({
    type: JobPlan,
    description:
      "What `rerunJob` would do, how long it would take and what is wrong with it, without storing or running anything.",
    authScopes: { read: true },
    // A worker may have to import code for it.
    complexity: { field: 20 },
    errors: {
      types: [InvalidRunError, NotFoundError, JobStateError, CodeChangedError],
      union: { description: "The plan, or why there is none." },
    },
    args: { input: t.arg({ type: RerunJobInput, required: true, description: "Which job, and what is different." }) },
    resolve: async (_root, { input }, { jobs }) => await planRerun(jobs, rerunOf(input)),
  }),
);

type Input = typeof RerunJobInput.$inferInput;

function rerunOf(input: Input): RerunRequest {
  const { inputs, config } = input;
  const problems = [...jsonProblems(inputs ?? {}, "input.inputs"), ...jsonProblems(config ?? {}, "input.config")];
  if (problems.length > 0) throw new ShapeError(problems);
  return {
    jobId: requireUuid("job", input.id, "input.id"),
    code: input.code,
    inputs: inputs ?? {},
    unset: input.unset ?? [],
    config: config ?? {},
    unsetConfig: input.unsetConfig ?? [],
    changes: changesOf(input),
    ...dueOf(input),
    idempotencyKey: input.idempotencyKey ?? null,
    onReplay: input.onReplay,
    requestedBy: input.requestedBy ?? null,
  };
}

/** What the input says, absent and null told apart. */
function changesOf({
  executor,
  logLevel,
  runtime,
  results,
  reuse,
  recompute,
  followUps,
  ...input
}: Input): RerunChanges {
  const asked = executor === undefined ? undefined : executorOf(executor);
  return said<RerunChanges>({
    finalVars: input.finalVars,
    options: said<NonNullable<RerunChanges["options"]>>({
      executor: asked,
      logLevel,
      runtime,
      results,
      reuse,
      recompute,
      followUps,
    }),
    queue: input.queue,
    priority: input.priority,
    tags: input.tags === null ? [] : input.tags,
    metadata: input.metadata === undefined ? undefined : (metadataOf(input.metadata) ?? {}),
    timeoutMs: input.timeoutMs,
    retry: input.retry == null ? input.retry : given<RetryRequest>(input.retry),
    onWorkerLost: input.onWorkerLost,
  });
}

/** Without what is absent. */
function said<T extends object>(values: { [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as T;
}
