import type { AttemptEnd } from "./lifecycle.ts";
import { askedDelayMs, type RetryPolicy, retries, retryDelayMs } from "./retry.ts";

/**
 * Why an attempt did not succeed. PIPELINE: the user's code. TIMEOUT: longer than its timeout. WORKER_LOST: the worker or its
 * Python process died. CANCELLED: on request. INVALID: the run no longer fits the pipeline.
 */
export const errorKinds = ["PIPELINE", "TIMEOUT", "WORKER_LOST", "CANCELLED", "INVALID"] as const;
export type ErrorKind = (typeof errorKinds)[number];

/** How an attempt ended, as the worker saw it. */
export type Ended =
  | { outcome: "succeeded" }
  | { outcome: "failed"; kind: ErrorKind; classes: readonly string[]; retryAfterMs?: number | undefined }
  /** The worker stopped before the run did. */
  | { outcome: "released"; nodeStarted: boolean };

export interface Counters {
  failures: number;
  losses: number;
  maxLosses: number;
  onWorkerLost: "retry" | "fail";
}

export interface Outcome {
  transition: AttemptEnd;
  failures: number;
  losses: number;
  /** Until the next attempt is due; 0 when it is due at once or never. */
  delayMs: number;
}

/** What becomes of a job whose attempt has ended. The only place where retries are decided. */
export function outcomeOf(ended: Ended, job: Counters, policy: RetryPolicy, random = Math.random): Outcome {
  const { failures, losses } = job;
  const same = { failures, losses, delayMs: 0 };
  if (ended.outcome === "succeeded") return { transition: "succeed", ...same };
  if (ended.outcome === "released") {
    // The user has written that nothing may run twice, and a node may have had its effect.
    if (job.onWorkerLost === "fail" && ended.nodeStarted) return { transition: "fail", ...same };
    return { transition: "release", ...same };
  }
  if (ended.kind === "CANCELLED") return { transition: "stop", ...same };
  if (ended.kind === "WORKER_LOST") {
    const lost = { failures, losses: losses + 1, delayMs: 0 };
    if (job.onWorkerLost === "fail" || lost.losses >= job.maxLosses) return { transition: "fail", ...lost };
    return { transition: "rescue", ...lost };
  }
  const failed = { failures: failures + 1, losses, delayMs: 0 };
  if (failed.failures >= policy.maxAttempts || !retries(policy, ended)) return { transition: "fail", ...failed };
  const { retryAfterMs } = ended;
  const delayMs =
    retryAfterMs === undefined ? retryDelayMs(failed.failures, policy, random) : askedDelayMs(retryAfterMs);
  return { transition: "retry", ...failed, delayMs };
}
