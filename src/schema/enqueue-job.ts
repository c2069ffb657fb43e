import { z } from "zod";
import { BadInputError, IdempotencyConflictError, InvalidRunError, NotFoundError } from "../domain/errors.ts";
import { jsonProblems } from "../domain/json.ts";
import { namePattern, priorities } from "../domain/lanes.ts";
import type { RetryRequest, RunOptions, RunRequest } from "../domain/run-request.ts";
import { enqueueJob } from "../jobs/enqueue.ts";
import { builder } from "./builder.ts";
import type { Context } from "./context.ts";
import { ShapeError } from "./edge-errors.ts";
import { jobRef, RunPlan } from "./job.ts";
import { ExecutorType, LogLevel, OnWorkerLost, ResultMode, RuntimeMode } from "./run-options.ts";

const dayMs = 86_400_000;
const name = z.string().min(1).max(257);
const label = z.string().min(1).max(255);

const ExecutorInput = builder.inputType("ExecutorInput", {
  description:
    "How the nodes of one run are spread within the worker's Python process. What is absent is the pipeline's own.",
  fields: (t) => ({
    type: t.field({ type: ExecutorType, description: "The kind of executor." }),
    maxWorkers: t.int({
      description: "Threads or processes, 1 to 1024.",
      validate: z.int().min(1).max(1024).nullish(),
    }),
    numCpus: t.int({ description: "Processors, 1 to 1024.", validate: z.int().min(1).max(1024).nullish() }),
  }),
});

const RetryInput = builder.inputType("RetryInput", {
  description: "When a failed attempt is tried again. What is absent is the pipeline's own.",
  fields: (t) => ({
    maxRetries: t.int({
      required: true,
      description: "Further tries after the first, 0 to 100.",
      validate: z.int().min(0).max(100),
    }),
    retryDelayMs: t.int({
      description: "Before the second try, up to a day; doubles for each further one.",
      validate: z.int().min(0).max(dayMs).nullish(),
    }),
    jitterFactor: t.float({
      description: "The part of the delay by which it is lengthened at random, 0 to 1.",
      validate: z.number().min(0).max(1).nullish(),
    }),
    retryExceptions: t.stringList({
      description:
        "Class names of the errors that are tried again, at most 50: `ConnectionError`, `requests.exceptions.Timeout`.",
      validate: z
        .array(
          z
            .string()
            .max(200)
            .regex(/^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$/),
        )
        .max(50)
        .nullish(),
    }),
  }),
});

const OnReplay = builder.enumType("OnReplay", {
  description: "What becomes of a request whose idempotency key was used before.",
  values: {
    RETURN: { value: "return", description: "The job of then is the answer, in whatever state it is." },
    NEW_IF_FAILED: { value: "new_if_failed", description: "A new job when that one failed, was cancelled or expired." },
  } as const satisfies { [K in RunRequest["onReplay"] as Uppercase<K>]: { value: K; description: string } },
});

export const EnqueueJobInput = builder.inputType("EnqueueJobInput", {
  description: "A run that is asked for. What is absent is the pipeline's own.",
  fields: (t) => ({
    pipeline: t.string({
      required: true,
      description: "`project/pipeline`, or its name beside `project`.",
      validate: name,
    }),
    project: t.string({
      description: "The project; not needed when one project alone has such a pipeline.",
      validate: name.nullish(),
    }),
    inputs: t.field({ type: "JSONObject", description: "Inputs, merged over the pipeline's own. At most 256 KiB." }),
    finalVars: t.stringList({ description: "Nodes to compute.", validate: z.array(name).max(1000).nullish() }),
    config: t.field({
      type: "JSONObject",
      description: "Hamilton config, merged over the pipeline's own. At most 256 KiB.",
    }),
    executor: t.field({ type: ExecutorInput, description: "How the nodes of the run are spread." }),
    logLevel: t.field({ type: LogLevel, description: "The lowest level of log lines that is recorded." }),
    runtime: t.field({ type: RuntimeMode, description: "In which Python process it runs." }),
    results: t.field({ type: ResultMode, description: "What is kept of the final variables." }),
    queue: t.string({ description: "The queue in which it waits.", validate: z.string().regex(namePattern).nullish() }),
    priority: t.int({
      description: "From 0 to 100, higher is taken first; 50 when absent.",
      validate: z.int().min(priorities.lowest).max(priorities.highest).nullish(),
    }),
    tags: t.stringList({
      description: "Words to find it by, at most 20.",
      validate: z.array(z.string().min(1).max(100)).max(20).nullish(),
    }),
    runAt: t.field({ type: "DateTime", description: "When it is due; now when absent." }),
    expiresAt: t.field({ type: "DateTime", description: "Not started by then, it expires." }),
    timeoutMs: t.int({
      description: "After so long an attempt is stopped, up to 24 days.",
      validate: z.int().min(1).nullish(),
    }),
    retry: t.field({ type: RetryInput, description: "When a failed attempt is tried again." }),
    onWorkerLost: t.field({
      type: OnWorkerLost,
      description: "What becomes of it when its worker dies; RETRY unless a retry of 0 is written.",
    }),
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

const EnqueueJobSuccess = builder.objectRef<{ jobId: string; replayed: boolean }>("EnqueueJobSuccess").implement({
  description: "The job is kept.",
  fields: (t) => ({
    job: t.drizzleField({
      type: jobRef,
      description: "The job.",
      resolve: async (query, { jobId }, _args, { db }) => {
        const job = await db.reads.query.jobs.findFirst(query({ where: { id: jobId } }));
        if (job === undefined) throw new NotFoundError("job", jobId, null);
        return job;
      },
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

builder.mutationField("enqueueJob", (t) =>
  t.field({
    type: EnqueueJobSuccess,
    description: "Asks for a run. Answers when the job is stored; a job that was answered is never lost.",
    authScopes: { enqueue: true },
    errors: {
      types: [InvalidRunError, NotFoundError, IdempotencyConflictError, BadInputError],
      union: { description: "The job, or why there is none." },
    },
    args: { input: t.arg({ type: EnqueueJobInput, required: true, description: "The run." }) },
    resolve: async (_root, { input }, context) => {
      const request = await requestOf(input, context);
      return await enqueueJob(context.jobs, context.actor, request);
    },
  }),
);

type Input = typeof EnqueueJobInput.$inferInput;

async function requestOf(input: Input, { jobs }: Context): Promise<RunRequest> {
  const { inputs = null, config = null } = input;
  const problems = [...jsonProblems(inputs, "input.inputs"), ...jsonProblems(config, "input.config")];
  if (problems.length > 0) throw new ShapeError(problems);
  return {
    ...((await nameOf(input, jobs)) satisfies Pick<RunRequest, "project" | "pipeline">),
    inputs: inputs ?? {},
    finalVars: input.finalVars ?? null,
    config: config ?? {},
    options: optionsOf(input),
    queue: input.queue ?? null,
    priority: input.priority ?? null,
    tags: input.tags ?? [],
    runAt: input.runAt ?? null,
    expiresAt: input.expiresAt ?? null,
    timeoutMs: input.timeoutMs ?? null,
    retry: input.retry == null ? null : given<RetryRequest>(input.retry),
    onWorkerLost: input.onWorkerLost ?? null,
    idempotencyKey: input.idempotencyKey ?? null,
    onReplay: input.onReplay,
    requestedBy: input.requestedBy ?? null,
  };
}

/**
 * Project and pipeline: only for a bare name is the catalogue asked, because a replay is answered even when the pipeline is
 * gone. `project/pipeline` beside an equal `project` is no contradiction.
 */
async function nameOf({ project = null, pipeline }: Input, { catalogue }: Context["jobs"]) {
  const slash = pipeline.indexOf("/");
  const named = slash < 0 ? project : pipeline.slice(0, slash);
  if (named === null) {
    const found = await catalogue.pipeline(null, pipeline);
    return { project: found.projectName, pipeline: found.name };
  }
  if (project !== null && project !== named) {
    throw new BadInputError(`The pipeline ${pipeline} is not one of project ${project}.`, "input.pipeline");
  }
  return { project: named, pipeline: pipeline.slice(slash + 1) };
}

function optionsOf({ executor, logLevel, runtime, results }: Input): RunOptions {
  const asked =
    executor == null
      ? null
      : { type: executor.type ?? null, maxWorkers: executor.maxWorkers ?? null, numCpus: executor.numCpus ?? null };
  return given<RunOptions>({ executor: asked, logLevel, runtime, results });
}

/** Without what is absent: a request says only what it says. */
function given<T extends object>(values: { [K in keyof T]: T[K] | null | undefined }): T {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value != null)) as T;
}
