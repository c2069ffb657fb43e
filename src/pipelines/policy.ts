import { priorities } from "../domain/lanes.ts";
import { noRetry, type RetryPolicy } from "../domain/retry.ts";
import type { ReuseMode } from "../domain/reuse.ts";
import type { RunLimits } from "../domain/run-limits.ts";
import type { RetryRequest, RunRequest } from "../domain/run-request.ts";
import type { PipelineDescription, ProjectDescription } from "../runtime/protocol.ts";

/** How a job is run, decided when it is accepted. */
export interface JobSettings {
  policy: RetryPolicy;
  maxLosses: number;
  onWorkerLost: "retry" | "fail";
  /** Null: no limit. */
  timeoutMs: number | null;
  /** What a run may hold, and its processor time, over all its processes. Null: no limit. */
  maxMemoryBytes: number | null;
  maxCpuMs: number | null;
  queue: string;
  priority: number;
  /** How many jobs with the same key may be with workers at the same time; null: any number. */
  concurrency: number | null;
  /** What tells the jobs of a pipeline apart by key: `inputs.NAME`, `tags.PREFIX`. Empty: all have one key. */
  concurrencyKey: string[];
  /** Labels that a worker must have to take it. */
  needs: string[];
  runtime: "warm" | "fresh";
  results: "full" | "summary" | "none";
  /** How long results and files are kept, and a log that was cut. */
  resultTtlMs: number;
  logTtlMs: number;
  /** Of earlier runs. */
  reuse: ReuseMode;
  /** Where each value comes from: `request`, a file with its key, or `default`. */
  sources: { [Key in Setting | "retry"]: string };
}

/** The settings that have one value with one source. */
type Setting = Exclude<keyof JobSettings, "policy" | "sources">;

/** What a job is run with where nobody says anything else. */
export const jobDefaults: Pick<JobSettings, Setting> = {
  maxLosses: 3,
  onWorkerLost: "retry",
  timeoutMs: null,
  maxMemoryBytes: null,
  maxCpuMs: null,
  queue: "default",
  priority: priorities.default,
  concurrency: null,
  concurrencyKey: [],
  needs: [],
  runtime: "warm",
  results: "full",
  resultTtlMs: 7 * 86_400_000,
  logTtlMs: 7 * 86_400_000,
  reuse: "none",
};

/** FlowerPower's own defaults for a retry that is asked for without saying more. */
const retryDefaults = { retryDelay: 1, jitterFactor: 0.1 } as const;

/** Requests of a job's settings. */
export type SettingsRequest = Pick<
  RunRequest,
  "queue" | "priority" | "timeoutMs" | "retry" | "onWorkerLost" | "options"
>;

const asked = "request";
const byDefault = "default";

/** The settings of a job: the request's, else the pipeline's, else the project's, else our defaults. */
export function resolveSettings(
  request: SettingsRequest,
  project: ProjectDescription,
  pipeline: PipelineDescription,
): JobSettings {
  const ofPipeline = `conf/pipelines/${pipeline.name}.yml: job_queue.job_defaults`;
  const ofRun = `conf/pipelines/${pipeline.name}.yml: run.retry`;
  const ofProject = "conf/project.yml: job_queue.job_defaults";
  /** The first value that somebody has given, with its place. */
  const first = <
    Key extends
      | "queue"
      | "timeoutMs"
      | "maxMemoryBytes"
      | "maxCpuMs"
      | "runtime"
      | "results"
      | "reuse"
      | "resultTtlMs"
      | "logTtlMs"
      | "concurrency"
      | "concurrencyKey"
      | "needs",
  >(
    key: Key,
    requested?: JobSettings[Key] | null,
  ) =>
    firstGiven<JobSettings[Key]>(
      [
        [requested, asked],
        [pipeline.jobQueue[key] as JobSettings[Key] | null | undefined, ofPipeline],
        [project.jobQueue[key] as JobSettings[Key] | null | undefined, ofProject],
      ],
      jobDefaults[key] as JobSettings[Key],
    );

  const retry = retryOf(request.retry, [
    [asRetrySetting(request.retry), asked],
    [pipeline.jobQueue.retry, ofPipeline],
    [pipeline.retry, ofRun],
    [project.jobQueue.retry, ofProject],
  ]);
  // Whoever writes that nothing is tried again means lost workers too, unless a place as near to the job says otherwise.
  const forbiddenIn = (...places: string[]) => (retry.forbidden && places.includes(retry.source) ? "fail" : null);
  const onWorkerLost = firstGiven<"retry" | "fail">(
    [
      [request.onWorkerLost, asked],
      [forbiddenIn(asked), retry.source],
      [pipeline.jobQueue.onWorkerLost, ofPipeline],
      [forbiddenIn(ofPipeline, ofRun), retry.source],
      [project.jobQueue.onWorkerLost, ofProject],
      [forbiddenIn(ofProject), retry.source],
    ],
    jobDefaults.onWorkerLost,
  );
  const queue = first("queue", request.queue);
  const priority = firstGiven<number>([[request.priority, asked]], jobDefaults.priority);
  const concurrency = first("concurrency", request.options.concurrency?.limit);
  const concurrencyKey = first("concurrencyKey");
  const needs = first("needs", request.options.needs);
  const timeout = first("timeoutMs", request.timeoutMs);
  // Who runs a pipeline does not raise what its project allows it.
  const maxMemory = first("maxMemoryBytes");
  const maxCpu = first("maxCpuMs");
  const runtime = first("runtime", request.options.runtime);
  const results = first("results", request.options.results);
  const resultTtl = first("resultTtlMs");
  const logTtl = first("logTtlMs");
  const reuse = first("reuse", request.options.reuse);
  return {
    policy: retry.policy,
    maxLosses: jobDefaults.maxLosses,
    onWorkerLost: onWorkerLost.value,
    timeoutMs: timeout.value,
    maxMemoryBytes: maxMemory.value,
    maxCpuMs: maxCpu.value,
    queue: queue.value,
    priority: priority.value,
    concurrency: concurrency.value,
    concurrencyKey: concurrencyKey.value,
    needs: needs.value,
    runtime: runtime.value,
    results: results.value,
    resultTtlMs: resultTtl.value,
    logTtlMs: logTtl.value,
    reuse: reuse.value,
    sources: {
      retry: retry.source,
      maxLosses: byDefault,
      onWorkerLost: onWorkerLost.source,
      timeoutMs: timeout.source,
      maxMemoryBytes: maxMemory.source,
      maxCpuMs: maxCpu.source,
      queue: queue.source,
      priority: priority.source,
      concurrency: concurrency.source,
      concurrencyKey: concurrencyKey.source,
      needs: needs.source,
      runtime: runtime.source,
      results: results.source,
      resultTtlMs: resultTtl.source,
      logTtlMs: logTtl.source,
      reuse: reuse.source,
    },
  };
}

const nothingAsked: SettingsRequest = {
  queue: null,
  priority: null,
  timeoutMs: null,
  retry: null,
  onWorkerLost: null,
  options: {},
};

/** What a run of the pipeline may use, whoever asks for it. */
export function runLimitsOf(project: ProjectDescription, pipeline: PipelineDescription): RunLimits {
  return limitsOf(resolveSettings(nothingAsked, project, pipeline));
}

/** What a run may use, with the place to change that. */
export function limitsOf({
  maxMemoryBytes,
  maxCpuMs,
  sources,
}: Pick<JobSettings, "maxMemoryBytes" | "maxCpuMs" | "sources">): RunLimits {
  return {
    memory: maxMemoryBytes === null ? null : { most: maxMemoryBytes, source: sources.maxMemoryBytes },
    cpu: maxCpuMs === null ? null : { most: maxCpuMs, source: sources.maxCpuMs },
  };
}

function firstGiven<Value>(
  candidates: readonly (readonly [value: Value | null | undefined, source: string])[],
  otherwise: Value,
): { value: Value; source: string } {
  for (const [value, source] of candidates) if (value !== null && value !== undefined) return { value, source };
  return { value: otherwise, source: byDefault };
}

type WrittenRetry = NonNullable<ProjectDescription["jobQueue"]["retry"]>;

/**
 * The policy of the nearest place that says how often, its other values filled from the places around it.
 * Only what is written counts: FlowerPower would try any failure three times more, which nobody has asked for (B12).
 */
function retryOf(
  request: RetryRequest | null,
  places: readonly (readonly [retry: WrittenRetry | null, source: string])[],
) {
  const [, source] = places.find(([retry]) => retry?.maxRetries !== undefined) ?? [];
  if (source === undefined) return { policy: noRetry, source: byDefault, forbidden: false };
  // A request stands for itself; what it leaves out is FlowerPower's default.
  const written = places.filter((place) => source !== asked || place[1] === asked).map(([retry]) => retry);
  const nearestOf = <Key extends keyof WrittenRetry>(key: Key) =>
    written.map((retry) => retry?.[key]).find((value) => value !== undefined);
  const maxRetries = nearestOf("maxRetries") ?? 0;
  const policy: RetryPolicy = {
    maxAttempts: Math.min(maxRetries + 1, largestInt),
    delayMs: Math.round((nearestOf("retryDelay") ?? retryDefaults.retryDelay) * 1000),
    jitter: nearestOf("jitterFactor") ?? retryDefaults.jitterFactor,
    exceptions: nearestOf("retryExceptions") ?? null,
    ...(source === asked && onlyOfRequests(request)),
  };
  return { policy, source, forbidden: maxRetries === 0 };
}

/** What FlowerPower's files have no words for. */
function onlyOfRequests(request: RetryRequest | null): Partial<RetryPolicy> {
  const { backoff, delaysMs, maxDelayMs, nonRetryableExceptions: never } = request ?? {};
  return {
    ...(backoff !== undefined && { backoff }),
    ...(delaysMs !== undefined && { delaysMs }),
    ...(maxDelayMs !== undefined && { maxDelayMs }),
    ...(never !== undefined && { never }),
  };
}

/** The database counts attempts in 32 bits. */
const largestInt = 2 ** 31 - 1;

/** A request's retry in FlowerPower's words. */
function asRetrySetting(retry: RetryRequest | null): WrittenRetry | null {
  if (retry === null) return null;
  const { maxRetries, retryDelayMs, jitterFactor, retryExceptions } = retry;
  const retryDelay = retryDelayMs === undefined ? undefined : retryDelayMs / 1000;
  return { maxRetries, retryDelay, jitterFactor, retryExceptions };
}
