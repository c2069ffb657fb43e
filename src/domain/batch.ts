import type { FinalState } from "./lifecycle.ts";

/** How the jobs of a batch have ended together. */
export const batchOutcomes = ["succeeded", "failed", "cancelled"] as const;
export type BatchOutcome = (typeof batchOutcomes)[number];

/** A batch is running until its last job has ended, whether any has started or not. */
export const batchStates = ["running", ...batchOutcomes] as const;
export type BatchState = (typeof batchStates)[number];

/** So many jobs a batch has at the most. */
export const mostBatchJobs = 10_000;

/** Succeeded when all jobs have; failed when one has failed or expired; else some were cancelled, and so is the batch. */
export function outcomeOf(counts: Partial<Record<FinalState, number>>): BatchOutcome {
  if ((counts.failed ?? 0) + (counts.expired ?? 0) > 0) return "failed";
  return (counts.cancelled ?? 0) > 0 ? "cancelled" : "succeeded";
}

/** How the jobs of a batch are getting on, since it was made or last opened again. */
export interface BatchPace {
  /** Jobs that have not ended, and those of them that run. */
  open: number;
  running: number;
  /** Jobs that have run and ended since then. */
  ended: number;
  /** Since the first of those that run or have ended was started, and since the last one ended; null: none. */
  sinceFirstStartMs: number | null;
  sinceLastEndMs: number | null;
}

/** A batch in which nothing runs and nothing has ended for so long, beyond what its jobs usually leave between two ends, is not getting on. */
const restMs = 10_000;
const longestGap = 5;

/**
 * Milliseconds until the last job will have ended. When some have: as fast as they did. Before: as many at a time as run now, each as
 * long as a run of its pipeline usually takes. Null when nothing is left and when nobody knows: nothing runs, the first runs take
 * longer than ever, or nothing is known of the pipeline.
 */
export function batchTimeLeftMs(pace: BatchPace, usualRunMs: number | null): number | null {
  const { open, running, ended, sinceFirstStartMs, sinceLastEndMs } = pace;
  if (open === 0 || sinceFirstStartMs === null) return null;
  if (ended > 0) {
    const gapMs = sinceFirstStartMs / ended;
    const rests = running === 0 && (sinceLastEndMs ?? 0) > longestGap * gapMs + restMs;
    return rests ? null : Math.round(gapMs * open);
  }
  if (running === 0 || usualRunMs === null || sinceFirstStartMs > usualRunMs) return null;
  return Math.round(usualRunMs * Math.ceil(open / running) - sinceFirstStartMs);
}
