import type { Json, JsonObject } from "../domain/json.ts";
import { traceparentOf } from "../domain/trace.ts";
import type { GitState } from "../pipelines/git.ts";
import type { JobSettings } from "../pipelines/policy.ts";
import type { Started } from "./writes.ts";

/** What the worker knows of an attempt's surroundings. */
export interface Surroundings {
  host: string;
  /** The project's folder on that host. */
  folder: string;
  git: GitState | null;
}

/**
 * The execution context as it is stored: what the runtime has resolved, what the queue has decided, and where it runs. With the
 * job's request it is all that is needed to run the attempt again.
 */
export function contextOf(
  started: Started,
  told: JsonObject,
  settings: JobSettings,
  { host, folder, git }: Surroundings,
): JsonObject {
  const resolved = Array.isArray(told.resolved) ? told.resolved : [];
  return {
    ...told,
    resolved: [...resolved, ...decided(settings)],
    host,
    folder,
    git: git as JsonObject | null,
    traceparent: traceparentOf(started.jobId, started.runToken),
    scheduledAt: started.runAt,
  };
}

/**
 * What the queue applies to the run, in the form of the resolved run config: below `job`, since none of it is FlowerPower's. What
 * was decided when the job was accepted (queue, priority, lost workers) is the job's own.
 */
function decided({ policy, sources, ...settings }: JobSettings): JsonObject[] {
  const entry = (path: string, value: Json, source: string) => ({
    path: `job.${path}`,
    value,
    reference: null,
    source: source === "default" ? "queue default" : source,
    keyedHash: null,
  });
  return [
    entry("timeout_ms", settings.timeoutMs, sources.timeoutMs),
    entry("max_memory_bytes", settings.maxMemoryBytes, sources.maxMemoryBytes),
    entry("max_cpu_ms", settings.maxCpuMs, sources.maxCpuMs),
    entry("runtime", settings.runtime, sources.runtime),
    entry("results", settings.results, sources.results),
    entry("result_ttl_ms", settings.resultTtlMs, sources.resultTtlMs),
    entry("log_ttl_ms", settings.logTtlMs, sources.logTtlMs),
    entry("reuse", settings.reuse, sources.reuse),
    entry("retry.max_attempts", policy.maxAttempts, sources.retry),
    entry("retry.delay_ms", policy.delayMs, sources.retry),
    entry("retry.jitter", policy.jitter, sources.retry),
    entry("retry.exceptions", policy.exceptions === null ? null : [...policy.exceptions], sources.retry),
    // Only where somebody has said so: the others would be empty in nearly every context.
    ...(policy.backoff === undefined ? [] : [entry("retry.backoff", policy.backoff, sources.retry)]),
    ...(policy.delaysMs === undefined ? [] : [entry("retry.delays_ms", [...policy.delaysMs], sources.retry)]),
    ...(policy.maxDelayMs === undefined ? [] : [entry("retry.max_delay_ms", policy.maxDelayMs, sources.retry)]),
    ...(policy.never === undefined ? [] : [entry("retry.never", [...policy.never], sources.retry)]),
  ];
}
