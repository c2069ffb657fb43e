import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { attemptFolder } from "../artifacts/paths.ts";
import { type ArtifactLimits, artifactLimits } from "../domain/artifact-limits.ts";
import { NotFoundError } from "../domain/errors.ts";
import { idText } from "../domain/ids.ts";
import type { JsonObject } from "../domain/json.ts";
import { noRetry, type RetryPolicy } from "../domain/retry.ts";
import type { RetryRequest, RunOptions } from "../domain/run-request.ts";
import { traceparentOf } from "../domain/trace.ts";
import type { Catalogue } from "../pipelines/catalogue.ts";
import type { GitStates } from "../pipelines/git.ts";
import { type JobSettings, limitsOf, resolveSettings } from "../pipelines/policy.ts";
import type { NumberedEvent } from "../runtime/event-queue.ts";
import type { Runtimes } from "../runtime/pool.ts";
import { protocolVersion, type RetrySetting, type RunRequest } from "../runtime/protocol.ts";
import type { RunEnded } from "../runtime/run.ts";
import type { Grace } from "../runtime/stop.ts";
import { type Execute, isPermanent, type PolicyOf } from "./attempts.ts";
import { contextOf } from "./context.ts";
import type { ServedProject } from "./projects.ts";
import { reuseFolder, reuseLimits } from "./reuse-store.ts";
import type { WorkerStore } from "./shared-store.ts";
import type { Started } from "./writes.ts";

export interface ExecuteOptions {
  runtimes: Runtimes;
  catalogue: Catalogue;
  /** Private folders of runs and spooled events. */
  workDir: string;
  /** The projects by name, with the git state of their folders. */
  projects: readonly ServedProject[];
  git: GitStates;
  /** For hashing what comes from the environment; null: it is not hashed. */
  hashKey: string | null;
  grace?: Grace;
  /** Where results are kept that are no small JSON; null: nowhere. */
  store?: WorkerStore | null;
  limits?: Partial<ArtifactLimits>;
  /** How often is looked whether a run uses processor time. */
  cpuLookMs?: number;
  /** The time by the database's clock. */
  now?: () => number;
}

const againMs = 250;

/** Runs attempts in the runtimes of their projects. */
export function executeIn(options: ExecuteOptions): Execute {
  const { runtimes, catalogue, workDir, grace, store = null, now = Date.now } = options;
  const limits = { ...artifactLimits, ...options.limits };
  return async (started, { signal, onEvents, onProgress }) => {
    const settings = await asked(() => settingsOf(catalogue, started, null), signal);
    if (settings === null) throw new NotFoundError("pipeline", `${started.project}/${started.pipeline}`, null);
    const completed = completedBy(started, settings, options);
    await mkdir(workDir, { recursive: true, mode: 0o700 });
    // Beside the run's own folder one for files that are being made: what lies in the first is the run's.
    const [runDir, scratchDir] = await Promise.all([
      mkdtemp(join(workDir, "run-")),
      store === null ? null : mkdtemp(join(workDir, "kept-")),
    ]);
    try {
      const artifacts =
        store === null || scratchDir === null
          ? null
          : {
              url: store.url,
              folder: attemptFolder(started, { epoch: store.epoch, nowMs: now() }),
              scratchDir,
              ...protocolLimits(limits),
            };
      const request = requestOf(started, settings, runDir, limits.inlineBytes, options.hashKey);
      const reuse = reuseOf(started, settings, workDir);
      const ended = await runtimes.run(
        started.project,
        { ...request, artifacts, reuse },
        {
          fresh: settings.runtime === "fresh",
          onEvents: async (batch) => onEvents(await Promise.all(batch.map(completed))),
          timeoutMs: settings.timeoutMs,
          limits: limitsOf(settings),
          signal,
          ...(onProgress === undefined ? {} : { onCpu: onProgress }),
          ...(options.cpuLookMs === undefined ? {} : { cpuLookMs: options.cpuLookMs }),
          ...(grace === undefined ? {} : { grace }),
          queue: { spoolDir: join(workDir, "spool") },
        },
      );
      const { resultTtlMs, logTtlMs } = settings;
      return { ...explained(started, ended), keeping: { store: store?.id ?? null, resultTtlMs, logTtlMs } };
    } finally {
      const made = scratchDir === null ? [runDir] : [runDir, scratchDir];
      await Promise.all(made.map((dir) => rm(dir, { recursive: true, force: true })));
    }
  };
}

/** Completes the context that a run tells by what the worker knows; other events are as they are. */
function completedBy(
  started: Started,
  settings: JobSettings,
  { catalogue, projects, git }: Pick<ExecuteOptions, "catalogue" | "projects" | "git">,
) {
  const served = projects.find(({ name }) => name === started.project);
  return async (told: NumberedEvent): Promise<NumberedEvent> => {
    const { body } = told;
    if (body.event !== "run.resolved" || served === undefined) return told;
    const retry = (body.data.context.retry ?? null) as RetrySetting | null;
    // Should Postgres be away: what was known at the start.
    const [current, state] = await Promise.all([
      settingsOf(catalogue, started, retry).catch(() => null),
      git.of(served, body.data.codeHash),
    ]);
    const around = { host: hostname(), folder: served.dir, git: state };
    const context = contextOf(started, body.data.context as JsonObject, current ?? settings, around);
    return { ...told, body: { ...body, data: { ...body.data, context } } };
  };
}

/** The retry policy of a started attempt, with the retry that its run has read. */
export function policyFrom(catalogue: Catalogue): PolicyOf {
  return async (started, written): Promise<RetryPolicy> =>
    (await settingsOf(catalogue, started, written))?.policy ?? noRetry;
}

/**
 * Postgres may go away right behind the start. That is no reason to lose an attempt of which nothing has run: it is asked
 * again until it answers, or until the run is no longer wanted.
 */
async function asked<T>(ask: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (signal.aborted || isPermanent(error)) throw error;
      await delay(againMs, undefined, { signal }).catch(() => {}); // asked once more, then given up
    }
  }
}

/** Null when the pipeline is gone. */
async function settingsOf(
  catalogue: Catalogue,
  started: Started,
  written: RetrySetting | null,
): Promise<JobSettings | null> {
  const found = await catalogue.find(started.project, started.pipeline);
  if (found === null) return null;
  // One whose module could not even be imported says nothing of its limits: what it last said still holds.
  const description = found.description.status === "broken" ? (found.lastGood ?? found.description) : found.description;
  return resolveSettings(
    {
      queue: started.queue,
      priority: null,
      timeoutMs: started.timeoutMs,
      retry: started.retry as RetryRequest | null,
      onWorkerLost: started.onWorkerLost,
      options: started.options as RunOptions,
    },
    found.project,
    written === null ? description : { ...description, retry: written },
    found.queues ?? {},
  );
}

/** Limits as the protocol names them. */
function protocolLimits({ bytes, totalBytes, files, freeBytes, storingMs }: ArtifactLimits) {
  return {
    maxBytes: bytes,
    maxTotalBytes: totalBytes,
    maxFiles: files,
    minFreeBytes: freeBytes,
    timeoutMs: storingMs,
  };
}

function requestOf(
  started: Started,
  settings: JobSettings,
  runDir: string,
  maxInlineBytes: number,
  hashKey: string | null,
): RunRequest {
  const { executor, logLevel, codeHash } = started.options as RunOptions;
  return {
    v: protocolVersion,
    type: "run",
    id: started.runToken,
    job: {
      id: idText("job", started.jobId),
      attempt: started.attempt,
      project: started.project,
      scheduledAt: started.runAt,
      runDir,
      traceparent: traceparentOf(started.jobId, started.runToken),
    },
    pipeline: started.pipeline,
    inputs: started.inputs,
    finalVars: started.finalVars,
    config: started.config,
    executor: executor ?? null,
    logLevel: logLevel ?? null,
    results: settings.results,
    maxInlineBytes,
    hashKey,
    codeHash: codeHash ?? null,
  };
}

function reuseOf({ project, options }: Started, { reuse }: JobSettings, workDir: string): RunRequest["reuse"] {
  if (reuse === "none") return null;
  const { recompute = [], reuseFrom = [] } = options as RunOptions;
  return {
    mode: reuse,
    folder: reuseFolder(workDir, project),
    scopes: reuseFrom.map((id) => idText("job", id)),
    recompute,
    maxEntryBytes: reuseLimits.maxEntryBytes,
    minFreeBytes: reuseLimits.minFreeBytes,
  };
}

/** A run that was valid when it was accepted and is not now: mostly because the pipeline has changed in between. */
function explained(started: Started, ended: RunEnded): RunEnded {
  if (ended.error?.kind !== "INVALID" || started.plan === null) return ended;
  const message = `Accepted, but it does not fit the pipeline as it is now: ${ended.error.message}`;
  return { ...ended, error: { ...ended.error, message } };
}
