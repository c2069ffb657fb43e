import { priorities } from "../domain/lanes.ts";
import type { QueueDefaults } from "../domain/queue-defaults.ts";
import type { RetryPolicy } from "../domain/retry.ts";
import type { ReuseMode } from "../domain/reuse.ts";
import type { RunLimits } from "../domain/run-limits.ts";
import type { RunRequest } from "../domain/run-request.ts";
import type { JobQueueSettings, PipelineDescription, ProjectDescription } from "../runtime/protocol.ts";
import { asRetrySetting, retryOf } from "./retry-setting.ts";

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
  /** Not started so long after it was due, it expires; null: never by itself. */
  ttlMs: number | null;
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
  /** How long the job is kept when it has failed; null: as whoever runs the server says. */
  failureTtlMs: number | null;
  /** Of earlier runs. */
  reuse: ReuseMode;
  /** Where each value comes from: `request`, a file with its key, `queue NAME`, or `default`. */
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
  ttlMs: null,
  concurrency: null,
  concurrencyKey: [],
  needs: [],
  runtime: "warm",
  results: "full",
  resultTtlMs: 7 * 86_400_000,
  logTtlMs: 7 * 86_400_000,
  failureTtlMs: null,
  reuse: "none",
};

/** Requests of a job's settings. */
export type SettingsRequest = Pick<
  RunRequest,
  "queue" | "priority" | "timeoutMs" | "retry" | "onWorkerLost" | "options"
>;

const asked = "request";
const byDefault = "default";

type Said = { [Key in keyof JobQueueSettings]?: JobQueueSettings[Key] | undefined };

/** What somebody says of a job's settings, and where. */
interface Place {
  says: Said;
  source: string;
}

/**
 * The settings of a job: the request's, else the pipeline's, else its queue's (what the project's YAML says of the queue before
 * what the queue says itself), else the project's, else our defaults. `queues` has what queues say themselves, by their names.
 */
export function resolveSettings(
  request: SettingsRequest,
  project: ProjectDescription,
  pipeline: PipelineDescription,
  queues: Readonly<Record<string, QueueDefaults>> = {},
): JobSettings {
  const ofRequest = { says: saidBy(request), source: asked };
  const ofPipeline = { says: pipeline.jobQueue, source: `conf/pipelines/${pipeline.name}.yml: job_queue.job_defaults` };
  const ofRun = `conf/pipelines/${pipeline.name}.yml: run.retry`;
  const ofProject = { says: project.jobQueue, source: "conf/project.yml: job_queue.job_defaults" };
  const queue = firstSaid([ofRequest, ofPipeline, ofProject], "queue");
  const ofQueue = queuePlaces(queue.value, project, queues);
  const places = [ofRequest, ofPipeline, ...ofQueue, ofProject];

  const retry = retryOf([
    [ofRequest.says.retry, asked],
    [ofPipeline.says.retry, ofPipeline.source],
    [pipeline.retry, ofRun],
    ...[...ofQueue, ofProject].map(({ says, source }) => [says.retry, source] as const),
  ]);
  // Whoever writes that nothing is tried again means lost workers too, unless a place as near to the job says otherwise.
  const onWorkerLost = firstGiven<"retry" | "fail">(
    places.flatMap((place) => {
      const isHere = [place.source, ...(place === ofPipeline ? [ofRun] : [])].includes(retry.source);
      return [
        [place.says.onWorkerLost, place.source],
        [retry.forbidden && isHere ? "fail" : null, retry.source],
      ] as const;
    }),
    jobDefaults.onWorkerLost,
  );
  const settings = {
    onWorkerLost,
    queue,
    priority: firstSaid(places, "priority"),
    ttlMs: firstSaid(places, "ttlMs"),
    timeoutMs: firstSaid(places, "timeoutMs"),
    maxMemoryBytes: firstSaid(places, "maxMemoryBytes"),
    maxCpuMs: firstSaid(places, "maxCpuMs"),
    concurrency: firstSaid(places, "concurrency"),
    concurrencyKey: firstSaid(places, "concurrencyKey"),
    needs: firstSaid(places, "needs"),
    runtime: firstSaid(places, "runtime"),
    results: firstSaid(places, "results"),
    resultTtlMs: firstSaid(places, "resultTtlMs"),
    logTtlMs: firstSaid(places, "logTtlMs"),
    failureTtlMs: firstSaid(places, "failureTtlMs"),
    reuse: firstSaid(places, "reuse"),
    maxLosses: { value: jobDefaults.maxLosses, source: byDefault },
  } satisfies { [Key in Setting]: Sourced<JobSettings[Key]> };
  const each = <Part extends "value" | "source">(part: Part) =>
    Object.fromEntries(Object.entries(settings).map(([key, sourced]) => [key, sourced[part]]));
  return {
    policy: retry.policy,
    ...(each("value") as Pick<JobSettings, Setting>),
    sources: { retry: retry.source, ...(each("source") as Record<Setting, string>) },
  };
}

/** In the words of a YAML. Who runs a pipeline does not raise what its project allows it: of that a request says nothing. */
function saidBy({ options, retry, ...request }: SettingsRequest): Said {
  return {
    queue: request.queue,
    priority: request.priority,
    timeoutMs: request.timeoutMs,
    retry: asRetrySetting(retry),
    onWorkerLost: request.onWorkerLost,
    runtime: options.runtime ?? null,
    results: options.results ?? null,
    reuse: options.reuse ?? null,
    concurrency: options.concurrency?.limit ?? null,
    needs: options.needs ?? null,
  };
}

function queuePlaces(
  queue: string,
  project: ProjectDescription,
  queues: Readonly<Record<string, QueueDefaults>>,
): Place[] {
  const named = <Value>(all: Readonly<Record<string, Value>> | undefined) =>
    all !== undefined && Object.hasOwn(all, queue) ? all[queue] : undefined;
  const { retry = null, ...own } = named(queues) ?? {};
  return [
    { says: named(project.queueDefaults) ?? {}, source: `conf/project.yml: job_queue.queues.${queue}` },
    { says: { ...own, retry: asRetrySetting(retry) }, source: `queue ${queue}` },
  ];
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

interface Sourced<Value> {
  value: Value;
  source: string;
}

/** The first value that somebody has given, with its place. */
function firstSaid<Key extends keyof JobQueueSettings & Setting>(
  places: readonly Place[],
  key: Key,
): Sourced<JobSettings[Key]> {
  return firstGiven<JobSettings[Key]>(
    places.map(({ says, source }) => [says[key] as JobSettings[Key] | null | undefined, source]),
    jobDefaults[key] as JobSettings[Key],
  );
}

function firstGiven<Value>(
  candidates: readonly (readonly [value: Value | null | undefined, source: string])[],
  otherwise: Value,
): Sourced<Value> {
  for (const [value, source] of candidates) if (value !== null && value !== undefined) return { value, source };
  return { value: otherwise, source: byDefault };
}
