/** Bulk actions that are too many jobs for one call: objects of their own, done chunk by chunk. */
import type { JobState } from "./lifecycle.ts";

/** What can be done to many jobs. */
export const bulkVerbNames = ["cancel", "requeue", "delete", "update"] as const;
export type BulkVerb = (typeof bulkVerbNames)[number];

export const operationStates = ["running", "succeeded", "stopped", "failed"] as const;
export type OperationState = (typeof operationStates)[number];

export const operationLimits = {
  /** What fits no more jobs than this is done within the call. */
  jobsOfACall: 1_000,
  /** Jobs of one transaction: its locks are held for some 100 ms. */
  chunk: 500,
  /** A process that has not been heard of for so long does it no more: another one goes on. */
  leaseMs: 15_000,
  /** A job that somebody else has locked is waited for so long, then the chunk is tried again. */
  lockTimeoutMs: 5_000,
  /** A chunk that fails so often ends the operation. */
  tries: 8,
  /** Between two tries: doubled from the first to the last. */
  firstPauseMs: 500,
  longestPauseMs: 10_000,
  /** Of the jobs to which it was not done so many are kept with their reasons. */
  problems: 20,
  /** Up to here it is counted how many jobs there are, within this time. */
  counted: 1_000_000,
  countWithinMs: 5_000,
  /** So long after its end it is forgotten: 30 days. */
  keptMs: 2_592_000_000,
} as const;

/** A job to which it was not done, as it is kept. */
export interface StoredProblem {
  id: string;
  code: string;
  message: string;
  /** The state that was why; null when it was something else. */
  state: JobState | null;
}
