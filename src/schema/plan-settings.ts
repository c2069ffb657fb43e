/** How a planned job would be run: each value with the place that says so. */
import type { RetryPolicy as Policy } from "../domain/retry.ts";
import type { JobPlan } from "../jobs/plan.ts";
import type { JobSettings } from "../pipelines/policy.ts";
import { builder } from "./builder.ts";
import { Backoff, OnWorkerLost, ResultMode, ReuseMode, RuntimeMode } from "./run-options.ts";

const sourceIs = "Who says so: `request`, a file with its key, `queue NAME`, or `default`.";

const PlannedText = builder.objectRef<{ value: string; source: string }>("PlannedText").implement({
  description: "A setting that is a name.",
  fields: (t) => ({
    value: t.exposeString("value", { description: "The name." }),
    source: t.exposeString("source", { description: sourceIs }),
  }),
});

const PlannedNumber = builder.objectRef<{ value: number | null; source: string }>("PlannedNumber").implement({
  description: "A setting that is a number.",
  fields: (t) => ({
    value: t.exposeFloat("value", { nullable: true, description: "The number; null: none is set." }),
    source: t.exposeString("source", { description: sourceIs }),
  }),
});

const PlannedOnWorkerLost = builder
  .objectRef<{ value: JobSettings["onWorkerLost"]; source: string }>("PlannedOnWorkerLost")
  .implement({
    description: "What becomes of the job when its worker dies.",
    fields: (t) => ({
      value: t.expose("value", { type: OnWorkerLost, description: "What becomes of it." }),
      source: t.exposeString("source", { description: sourceIs }),
    }),
  });

const PlannedLabels = builder.objectRef<{ value: string[]; source: string }>("PlannedLabels").implement({
  description: "Labels that a worker must have.",
  fields: (t) => ({
    value: t.exposeStringList("value", { description: "The labels; none: any worker." }),
    source: t.exposeString("source", { description: sourceIs }),
  }),
});

const PlannedRuntime = builder
  .objectRef<{ value: JobSettings["runtime"]; source: string }>("PlannedRuntime")
  .implement({
    description: "In which Python process the run takes place.",
    fields: (t) => ({
      value: t.expose("value", { type: RuntimeMode, description: "The kind of process." }),
      source: t.exposeString("source", { description: sourceIs }),
    }),
  });

const PlannedResults = builder
  .objectRef<{ value: JobSettings["results"]; source: string }>("PlannedResults")
  .implement({
    description: "What is kept of the final variables.",
    fields: (t) => ({
      value: t.expose("value", { type: ResultMode, description: "How much of them." }),
      source: t.exposeString("source", { description: sourceIs }),
    }),
  });

const PlannedReuse = builder.objectRef<{ value: JobSettings["reuse"]; source: string }>("PlannedReuse").implement({
  description: "How much the run may take from what nodes have computed before.",
  fields: (t) => ({
    value: t.expose("value", { type: ReuseMode, description: "How much of it." }),
    source: t.exposeString("source", { description: sourceIs }),
  }),
});

/** FlowerPower's own default, which nobody has asked for. */
const impliedRetry = "No retry is written: FlowerPower's implied three do not count.";

const PlannedRetry = builder.objectRef<Policy & { source: string }>("PlannedRetry").implement({
  description: "When a failed attempt would be tried again.",
  fields: (t) => ({
    maxRetries: t.int({
      description: "Further tries after the first.",
      resolve: ({ maxAttempts }) => maxAttempts - 1,
    }),
    retryDelayMs: t.exposeFloat("delayMs", {
      description: "Before the second try; doubles for each further one unless `backoff` or `delaysMs` say otherwise.",
    }),
    jitterFactor: t.exposeFloat("jitter", {
      description: "The part of the delay by which it is lengthened at random.",
    }),
    backoff: t.field({
      type: Backoff,
      description: "How the delay grows.",
      resolve: (policy) => policy.backoff ?? "exponential",
    }),
    delaysMs: t.intList({
      nullable: true,
      description: "The delay before each further try, the last one for all that follow; null: it is not listed.",
      resolve: ({ delaysMs }) => (delaysMs === undefined ? null : [...delaysMs]),
    }),
    maxDelayMs: t.exposeInt("maxDelayMs", { nullable: true, description: "No delay is longer; null: an hour." }),
    nonRetryableExceptions: t.stringList({
      description: "Class names of the errors that are never tried again.",
      resolve: ({ never }) => [...(never ?? [])],
    }),
    retryExceptions: t.stringList({
      nullable: true,
      description: "Class names of the errors that are tried again; null: any but those that another try cannot mend.",
      resolve: ({ exceptions }) => (exceptions === null ? null : [...exceptions]),
    }),
    source: t.exposeString("source", { description: sourceIs }),
    note: t.string({
      nullable: true,
      description: "Why there is no retry although FlowerPower by itself would have one; null where one is written.",
      resolve: ({ source }) => (source === "default" ? impliedRetry : null),
    }),
  }),
});

const PlannedExecutor = builder.objectRef<JobPlan["executor"]>("PlannedExecutor").implement({
  description: "How the branches of a `Parallelizable` block would be spread within the worker's Python process.",
  fields: (t) => ({
    type: t.exposeString("type", {
      nullable: true,
      description: "The kind of executor; null when it is decided where the run takes place.",
    }),
    maxWorkers: t.exposeInt("maxWorkers", {
      nullable: true,
      description: "Branches at once; null when it is decided where the run takes place.",
    }),
    source: t.exposeString("source", { description: sourceIs }),
  }),
});

export const PlannedSettings = builder.objectRef<JobPlan>("PlannedSettings").implement({
  description: "How the job would be run, each value with the place that says so.",
  fields: (t) => ({
    queue: t.field({
      type: PlannedText,
      description: "The queue in which it would wait.",
      resolve: ({ settings: { queue: value, sources } }) => ({ value, source: sources.queue }),
    }),
    priority: t.field({
      type: PlannedNumber,
      description: "From 0 to 100; higher is taken first.",
      resolve: ({ settings: { priority: value, sources } }) => ({ value, source: sources.priority }),
    }),
    ttlMs: t.field({
      type: PlannedNumber,
      description: "Not started so long after it is due, it would expire, unless the request says when it expires.",
      resolve: ({ settings: { ttlMs: value, sources } }) => ({ value, source: sources.ttlMs }),
    }),
    concurrency: t.field({
      type: PlannedNumber,
      description: "So many jobs with its concurrency key might be with workers at the same time.",
      resolve: ({ settings: { concurrency: value, sources } }) => ({ value, source: sources.concurrency }),
    }),
    needs: t.field({
      type: PlannedLabels,
      description: "Labels that a worker must have to take it.",
      resolve: ({ settings: { needs: value, sources } }) => ({ value, source: sources.needs }),
    }),
    timeoutMs: t.field({
      type: PlannedNumber,
      description: "After so long an attempt would be stopped.",
      resolve: ({ settings: { timeoutMs: value, sources } }) => ({ value, source: sources.timeoutMs }),
    }),
    maxMemoryBytes: t.field({
      type: PlannedNumber,
      description: "So much memory the run may hold; beyond it is killed.",
      resolve: ({ settings: { maxMemoryBytes: value, sources } }) => ({ value, source: sources.maxMemoryBytes }),
    }),
    maxCpuMs: t.field({
      type: PlannedNumber,
      description: "So much processor time the run may use; beyond it is killed.",
      resolve: ({ settings: { maxCpuMs: value, sources } }) => ({ value, source: sources.maxCpuMs }),
    }),
    retry: t.field({
      type: PlannedRetry,
      description: "When a failed attempt would be tried again.",
      resolve: ({ settings: { policy, sources } }) => ({ ...policy, source: sources.retry }),
    }),
    onWorkerLost: t.field({
      type: PlannedOnWorkerLost,
      description: "What would become of it when its worker dies.",
      resolve: ({ settings: { onWorkerLost: value, sources } }) => ({ value, source: sources.onWorkerLost }),
    }),
    maxLosses: t.field({
      type: PlannedNumber,
      description: "With so many lost workers it would fail.",
      resolve: ({ settings: { maxLosses: value, sources } }) => ({ value, source: sources.maxLosses }),
    }),
    runtime: t.field({
      type: PlannedRuntime,
      description: "In which Python process it would run.",
      resolve: ({ settings: { runtime: value, sources } }) => ({ value, source: sources.runtime }),
    }),
    results: t.field({
      type: PlannedResults,
      description: "What would be kept of the final variables.",
      resolve: ({ settings: { results: value, sources } }) => ({ value, source: sources.results }),
    }),
    resultTtlMs: t.field({
      type: PlannedNumber,
      description: "How long its results and files would be kept.",
      resolve: ({ settings: { resultTtlMs: value, sources } }) => ({ value, source: sources.resultTtlMs }),
    }),
    logTtlMs: t.field({
      type: PlannedNumber,
      description: "How long a log that was cut would be kept as a whole.",
      resolve: ({ settings: { logTtlMs: value, sources } }) => ({ value, source: sources.logTtlMs }),
    }),
    failureTtlMs: t.field({
      type: PlannedNumber,
      description:
        "How long the job would be kept when it has failed; without a number as the server's retention says.",
      resolve: ({ settings: { failureTtlMs: value, sources } }) => ({ value, source: sources.failureTtlMs }),
    }),
    reuse: t.field({
      type: PlannedReuse,
      description: "How much it might take from what nodes have computed before.",
      resolve: ({ settings: { reuse: value, sources } }) => ({ value, source: sources.reuse }),
    }),
    executor: t.field({
      type: PlannedExecutor,
      description: "How the branches of a block would be spread.",
      resolve: ({ executor }) => executor,
    }),
  }),
});
