/** The parts of a run request that an enqueue takes and a job shows: enums, the executor, the retry. */

import type { FollowUpMode } from "../domain/follow-up.ts";
import type { ReuseMode as ReuseModeShape } from "../domain/reuse.ts";
import type { RetryRequest, RunOptions as RunOptionsShape } from "../domain/run-request.ts";
import { builder } from "./builder.ts";

export const ExecutorType = builder.enumType("ExecutorType", {
  description: "How the nodes of one run are spread within the worker's Python process.",
  values: {
    SYNCHRONOUS: { value: "synchronous", description: "One node after the other." },
    THREADPOOL: { value: "threadpool", description: "The branches of a `Parallelizable` node on threads." },
    PROCESSPOOL: { value: "processpool", description: "The branches of a `Parallelizable` node in processes." },
    RAY: { value: "ray", description: "The branches on Ray, where the project's environment has it." },
    DASK: { value: "dask", description: "The branches on Dask, where the project's environment has it." },
  },
});

export const LogLevel = builder.enumType("LogLevel", {
  description: "The lowest level of log lines that a run records.",
  values: {
    DEBUG: { description: "Everything." },
    INFO: { description: "What happens." },
    WARNING: { description: "What may be wrong." },
    ERROR: { description: "What is wrong." },
    CRITICAL: { description: "What ends the run." },
  } as const,
});

export const RuntimeMode = builder.enumType("RuntimeMode", {
  description: "In which Python process a run takes place.",
  values: {
    WARM: { value: "warm", description: "In one that has run the project before: modules are imported already." },
    FRESH: { value: "fresh", description: "In a new one, for pipelines that leave things behind in their process." },
  } as const,
});

export const ResultMode = builder.enumType("ResultMode", {
  description: "What is kept of the final variables.",
  values: {
    FULL: { value: "full", description: "Values up to the size limits, and summaries." },
    SUMMARY: { value: "summary", description: "Summaries only: type, shape, size." },
    NONE: { value: "none", description: "Nothing." },
  } as const,
});

export const FollowUps = builder.enumType("FollowUps", {
  description: "Whether anything follows a job: what the YAML of other pipelines makes when it has ended.",
  values: {
    ALL: { value: "all", description: "Whatever follows its pipeline." },
    NONE: { value: "none", description: "Nothing." },
  } as const satisfies { [M in FollowUpMode as Uppercase<M>]: { value: M; description: string } },
});

export const ReuseMode = builder.enumType("ReuseMode", {
  description: "How much a run may take from what nodes have computed before.",
  values: {
    NONE: { value: "none", description: "Nothing: every node runs, and nothing is stored." },
    RESUME: {
      value: "resume",
      description: "What the job's own earlier attempts have stored, and the jobs that it was rerun from.",
    },
    FULL: {
      value: "full",
      description:
        "What any job of the project has stored. Nodes without upstream nodes, and such as load or save data, run all the same.",
    },
  } as const satisfies { [K in ReuseModeShape as Uppercase<K>]: { value: K; description: string } },
});

export const OnWorkerLost = builder.enumType("OnWorkerLost", {
  description: "What becomes of a job whose worker dies while it runs.",
  values: {
    RETRY: { value: "retry", description: "It runs again, a bounded number of times." },
    FAIL: { value: "fail", description: "It fails: it may have run partly, and must not run twice." },
  } as const,
});

const Executor = builder.objectRef<NonNullable<RunOptionsShape["executor"]>>("Executor").implement({
  description: "How the nodes of one run are spread within the worker's Python process, as asked for.",
  fields: (t) => ({
    type: t.field({
      type: ExecutorType,
      nullable: true,
      description: "Null: the pipeline's own.",
      resolve: ({ type }) => type as "synchronous" | null,
    }),
    maxWorkers: t.exposeInt("maxWorkers", {
      nullable: true,
      description: "Threads or processes; null: the pipeline's own.",
    }),
    numCpus: t.exposeInt("numCpus", { nullable: true, description: "Processors; null: the pipeline's own." }),
  }),
});

const Concurrency = builder.objectRef<NonNullable<RunOptionsShape["concurrency"]>>("Concurrency").implement({
  description: "A limit on jobs that have the same key, as asked for.",
  fields: (t) => ({
    limit: t.exposeInt("limit", { description: "So many of them at most may be with workers at the same time." }),
    key: t.exposeString("key", {
      nullable: true,
      description: "Null: the pipeline, and what its YAML's `concurrency_key` names.",
    }),
  }),
});

export const RunOptions = builder.objectRef<RunOptionsShape>("RunOptions").implement({
  description: "Options of the run as asked for. Each that is null is the pipeline's own.",
  fields: (t) => ({
    executor: t.field({
      type: Executor,
      nullable: true,
      description: "Null: the pipeline's own.",
      resolve: (o) => o.executor,
    }),
    logLevel: t.field({
      type: LogLevel,
      nullable: true,
      description: "Null: the pipeline's own.",
      resolve: (o) => o.logLevel,
    }),
    runtime: t.field({
      type: RuntimeMode,
      nullable: true,
      description: "Null: the pipeline's own.",
      resolve: (o) => o.runtime,
    }),
    results: t.field({
      type: ResultMode,
      nullable: true,
      description: "Null: the pipeline's own.",
      resolve: (o) => o.results,
    }),
    reuse: t.field({
      type: ReuseMode,
      nullable: true,
      description: "Null: the pipeline's own.",
      resolve: (o) => o.reuse,
    }),
    recompute: t.stringList({
      description: "Nodes that run whatever is stored of them.",
      resolve: (o) => o.recompute ?? [],
    }),
    followUps: t.field({
      type: FollowUps,
      description: "Whether anything follows it by the YAML of other pipelines.",
      resolve: (o) => o.followUps ?? "all",
    }),
    concurrency: t.field({
      type: Concurrency,
      nullable: true,
      description: "Null: the pipeline's own.",
      resolve: (o) => o.concurrency,
    }),
  }),
});

export const Backoff = builder.enumType("Backoff", {
  description: "How the delay before a further try grows.",
  values: {
    EXPONENTIAL: { value: "exponential", description: "It doubles each time." },
    FIXED: { value: "fixed", description: "It stays as it is." },
  } as const satisfies {
    [K in NonNullable<RetryRequest["backoff"]> as Uppercase<K>]: { value: K; description: string };
  },
});

export const RetryPolicy = builder.objectRef<RetryRequest>("RetryPolicy").implement({
  description: "When a failed attempt is tried again, as asked for.",
  fields: (t) => ({
    maxRetries: t.exposeInt("maxRetries", { description: "Further tries after the first." }),
    retryDelayMs: t.exposeInt("retryDelayMs", {
      nullable: true,
      description: "Before the second try; doubles for each further one. Null: the pipeline's own, else one second.",
    }),
    jitterFactor: t.exposeFloat("jitterFactor", {
      nullable: true,
      description: "The part of the delay by which it is lengthened at random. Null: the pipeline's own, else 0.1.",
    }),
    retryExceptions: t.exposeStringList("retryExceptions", {
      nullable: true,
      description:
        "Class names of the errors that are tried again. Null: the pipeline's own, else any but those that another try cannot mend.",
    }),
    backoff: t.field({
      type: Backoff,
      nullable: true,
      description: "How the delay grows. Null: it doubles.",
      resolve: ({ backoff }) => backoff,
    }),
    delaysMs: t.intList({
      nullable: true,
      description: "The delay before each further try, the last one for all that follow. Null: it is not listed.",
      resolve: ({ delaysMs }) => delaysMs,
    }),
    maxDelayMs: t.exposeInt("maxDelayMs", { nullable: true, description: "No delay is longer. Null: an hour." }),
    nonRetryableExceptions: t.exposeStringList("nonRetryableExceptions", {
      nullable: true,
      description: "Class names of the errors that are never tried again.",
    }),
  }),
});
