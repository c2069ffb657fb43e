import type { FinalState, JobState } from "./lifecycle.ts";

/** How the jobs of a batch have ended together. */
export const batchOutcomes = ["succeeded", "failed", "cancelled"] as const;
export type BatchOutcome = (typeof batchOutcomes)[number];

/** A batch is running until its last job has ended, whether any has started or not. */
export const batchStates = ["running", ...batchOutcomes] as const;
export type BatchState = (typeof batchStates)[number];

export const batchEventTypes = [
  "batch.enqueued",
  "batch.completed",
  "batch.reopened",
  "batch.cancel_requested",
  "batch.requeued",
] as const;
export type BatchEventType = (typeof batchEventTypes)[number];

/** So many jobs a batch has at the most. */
export const mostBatchJobs = 10_000;

/** Succeeded when all jobs have; failed when one has failed or expired; else some were cancelled, and so is the batch. */
export function outcomeOf(counts: Partial<Record<FinalState, number>>): BatchOutcome {
  if ((counts.failed ?? 0) + (counts.expired ?? 0) > 0) return "failed";
  return (counts.cancelled ?? 0) > 0 ? "cancelled" : "succeeded";
}

export interface BatchProgress {
  counts: Partial<Record<JobState, number>>;
  /** Jobs that have ended, those that were deleted since included. */
  done: number;
  total: number;
}

/**
 * Milliseconds until the last job will have ended, were the others to go on ending as they have since the batch was made. Null
 * when none has ended yet, when nothing is left, or when it was opened again: then the time until now tells nothing.
 */
export function batchTimeLeftMs({ done, total }: BatchProgress, elapsedMs: number, reopened: boolean): number | null {
  if (reopened || done === 0 || done >= total) return null;
  return Math.round((elapsedMs / done) * (total - done));
}
