/** What a request says of a run, whether it is enqueued or only planned. */
import { z } from "zod";
import { mostParents } from "../domain/dependency.ts";
import { BadInputError } from "../domain/errors.ts";
import { jsonProblems } from "../domain/json.ts";
import { labelPattern, labelRule, mostLabels, namePattern, nameRule, priorities } from "../domain/lanes.ts";
import type { PlanRequest, RetryRequest, RunOptions } from "../domain/run-request.ts";
import { builder } from "./builder.ts";
import type { Context } from "./context.ts";
import { ShapeError } from "./edge-errors.ts";
import { requireUuid } from "./node-ids.ts";
import {
  Backoff,
  ExecutorType,
  FollowUps,
  LogLevel,
  OnWorkerLost,
  ResultMode,
  ReuseMode,
  RuntimeMode,
} from "./run-options.ts";

const dayMs = 86_400_000;
export const name = z.string().min(1).max(257);
export const queueName = z.string().regex(namePattern, `The name cannot be used: ${nameRule}`);

export const ExecutorInput = builder.inputType("ExecutorInput", {
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

const classNames = z
  .array(
    z
      .string()
      .max(200)
      .regex(/^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$/),
  )
  .max(50)
  .nullish();

export const RetryInput = builder.inputType("RetryInput", {
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
      validate: classNames,
    }),
    backoff: t.field({ type: Backoff, description: "How the delay grows; it doubles when absent." }),
    delaysMs: t.intList({
      description:
        "Instead of a delay that grows: before the second try, the third …, the last one for all further ones. At most 100.",
      validate: z.array(z.int().min(0).max(dayMs)).min(1).max(100).nullish(),
    }),
    maxDelayMs: t.int({
      description: "No delay is longer, jitter included, up to a day. An hour before the jitter when absent.",
      validate: z.int().min(0).max(dayMs).nullish(),
    }),
    nonRetryableExceptions: t.stringList({
      description: "Class names of the errors that are never tried again, at most 50, whatever `retryExceptions` says.",
      validate: classNames,
    }),
  }),
});

export const ConcurrencyInput = builder.inputType("ConcurrencyInput", {
  description: "A limit on jobs that have the same key, over all queues and workers.",
  fields: (t) => ({
    limit: t.int({
      required: true,
      description: "So many of them at most, 1 to 100000.",
      validate: z.int().min(1).max(100_000),
    }),
    key: t.string({
      description: "The key; the pipeline, and what its YAML's `concurrency_key` names, when absent.",
      validate: z.string().min(1).max(255).nullish(),
    }),
  }),
});

export const InputFromInput = builder.inputType("InputFromInput", {
  description:
    "An input that is a result of another job. The run waits for that job, and takes the value when it starts.",
  fields: (t) => ({
    input: t.string({ required: true, description: "The input.", validate: name }),
    job: t.id({ required: true, description: "The job whose result it is: `job_…`." }),
    variable: t.string({ required: true, description: "The final variable of that job.", validate: name }),
  }),
});

type InputFields = Parameters<Parameters<typeof builder.inputType>[1]["fields"]>[0];

/** The fields of an input that asks for a run. */
export const runFields = (t: InputFields) => ({
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
  inputsFrom: t.field({
    type: [InputFromInput],
    description: "Inputs that are results of other jobs, at most 100.",
    validate: z.array(z.unknown()).max(mostParents).nullish() as never,
  }),
  finalVars: t.stringList({ description: "Nodes to compute.", validate: z.array(name).max(1000).nullish() }),
  config: t.field({
    type: "JSONObject",
    description: "Hamilton config, merged over the pipeline's own. At most 256 KiB.",
  }),
  executor: t.field({ type: ExecutorInput, description: "How the nodes of the run are spread." }),
  logLevel: t.field({ type: LogLevel, description: "The lowest level of log lines that is recorded." }),
  runtime: t.field({ type: RuntimeMode, description: "In which Python process it runs." }),
  results: t.field({ type: ResultMode, description: "What is kept of the final variables." }),
  reuse: t.field({ type: ReuseMode, description: "How much it may take from what nodes have computed before." }),
  followUps: t.field({
    type: FollowUps,
    description: "Whether anything follows it by the YAML of other pipelines; ALL when absent.",
  }),
  recompute: t.stringList({
    description: "Nodes that run whatever is stored of them, at most 1000.",
    validate: z.array(name).max(1000).nullish(),
  }),
  queue: t.string({ description: "The queue in which it waits.", validate: queueName.nullish() }),
  priority: t.int({
    description: "From 0 to 100, higher is taken first; 50 when absent.",
    validate: z.int().min(priorities.lowest).max(priorities.highest).nullish(),
  }),
  timeoutMs: t.int({
    description: "After so long an attempt is stopped, up to 24 days.",
    validate: z.int().min(1).nullish(),
  }),
  retry: t.field({ type: RetryInput, description: "When a failed attempt is tried again." }),
  onWorkerLost: t.field({
    type: OnWorkerLost,
    description: "What becomes of it when its worker dies; RETRY unless a retry of 0 is written.",
  }),
  concurrency: t.field({
    type: ConcurrencyInput,
    description: "How many jobs like it may be with workers at the same time; as the pipeline's YAML says when absent.",
  }),
  needs: t.stringList({
    description: `Labels that a worker must have to take it, at most ${mostLabels}: \`gpu\`, \`region=eu\`; as the YAML says when absent, none when empty.`,
    validate: z
      .array(z.string().regex(labelPattern, `The label cannot be used: ${labelRule}`))
      .max(mostLabels)
      .nullish(),
  }),
});

export const PlanJobInput = builder.inputType("PlanJobInput", {
  description: "A run that is only to be looked at. What is absent is the pipeline's own.",
  fields: runFields,
});
type RunInput = typeof PlanJobInput.$inferInput;

/** What an input says of the run. */
export async function runOf(input: RunInput, { jobs }: Context): Promise<PlanRequest> {
  const { inputs = null, config = null } = input;
  const problems = [...jsonProblems(inputs, "input.inputs"), ...jsonProblems(config, "input.config")];
  if (problems.length > 0) throw new ShapeError(problems);
  return {
    ...((await nameOf(input, jobs)) satisfies Pick<PlanRequest, "project" | "pipeline">),
    inputs: inputs ?? {},
    finalVars: input.finalVars ?? null,
    config: config ?? {},
    options: optionsOf(input),
    queue: input.queue ?? null,
    priority: input.priority ?? null,
    timeoutMs: input.timeoutMs ?? null,
    retry: input.retry == null ? null : given<RetryRequest>(input.retry),
    onWorkerLost: input.onWorkerLost ?? null,
    ...(input.inputsFrom != null && {
      inputsFrom: input.inputsFrom.map(({ job, ...from }, index) => ({
        ...from,
        jobId: requireUuid("job", job, `input.inputsFrom.${index}.job`),
      })),
    }),
  };
}

/**
 * Project and pipeline: only for a bare name is the catalogue asked, because a replay is answered even when the pipeline is
 * gone. `project/pipeline` beside an equal `project` is no contradiction.
 */
async function nameOf({ project = null, pipeline }: RunInput, { catalogue }: Context["jobs"]) {
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

function optionsOf({ executor, concurrency: limit, ...input }: RunInput): RunOptions {
  const { logLevel, runtime, results, reuse, recompute, needs, followUps } = input;
  const concurrency = limit == null ? null : { limit: limit.limit, key: limit.key ?? null };
  return given<RunOptions>({
    executor: executorOf(executor),
    logLevel,
    runtime,
    results,
    reuse,
    recompute,
    concurrency,
    needs,
    followUps,
  });
}

export function executorOf(executor: typeof ExecutorInput.$inferInput | null | undefined) {
  if (executor == null) return null;
  return { type: executor.type ?? null, maxWorkers: executor.maxWorkers ?? null, numCpus: executor.numCpus ?? null };
}

/** Without what is absent: a request says only what it says. */
export function given<T extends object>(values: { [K in keyof T]: T[K] | null | undefined }): T {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value != null)) as T;
}
