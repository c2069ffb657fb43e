/**
 * The life of a job: every state, every way from one to the next, and nothing else.
 *
 *     blocked ─► scheduled
 *     scheduled ─┐                ┌─► succeeded
 *     blocked  ──┼─► queued ─► running ─► failed ───(requeue)──► queued
 *     retryable ─┘     ▲          ├─► retryable (backoff) ─► queued
 *                      └──────────┤  (released by a drain, rescued from a dead worker)
 *                                 └─► cancelled ──(requeue)──► queued
 *     queued ──(postpone)──► scheduled
 *     waiting states ─► cancelled | expired
 */
export const jobStates = [
  "scheduled", // due later
  "blocked", // waits for other jobs
  "queued", // due, waits for a worker
  "running", // an attempt is under way
  "retryable", // the last attempt failed, the next is due later
  "succeeded",
  "failed",
  "cancelled",
  "expired", // was not started before its time to live ended
] as const;
export type JobState = (typeof jobStates)[number];

export const finalStates = ["succeeded", "failed", "cancelled", "expired"] as const satisfies JobState[];
export type FinalState = (typeof finalStates)[number];

/** Before its first attempt, or between two. */
export const waitingStates = ["scheduled", "blocked", "queued", "retryable"] as const satisfies JobState[];

export function isWaiting(state: JobState): boolean {
  return (waitingStates as readonly JobState[]).includes(state);
}

export function isFinal(state: JobState): state is FinalState {
  return (finalStates as readonly JobState[]).includes(state);
}

interface Transition {
  from: readonly JobState[];
  to: JobState;
  event: `job.${string}`;
  /** When a cancel has been requested in the meantime, the job ends as cancelled instead. Decided inside the UPDATE. */
  yieldsToCancel?: true;
}

export const transitions = {
  promote: { from: ["scheduled", "blocked", "retryable"], to: "queued", event: "job.queued" },
  /** Of a job that waits no longer for others, and is due later. */
  schedule: { from: ["blocked"], to: "scheduled", event: "job.scheduled" },
  /** Somebody wants it later. */
  postpone: { from: ["queued"], to: "scheduled", event: "job.postponed" },
  start: { from: ["queued"], to: "running", event: "job.started" },
  succeed: { from: ["running"], to: "succeeded", event: "job.succeeded" },
  retry: { from: ["running"], to: "retryable", event: "job.retry_planned", yieldsToCancel: true },
  fail: { from: ["running"], to: "failed", event: "job.failed", yieldsToCancel: true },
  /** A worker that stops hands a job back: it counts neither as a failure nor as a loss. */
  release: { from: ["running"], to: "queued", event: "job.released", yieldsToCancel: true },
  /** A dead worker's job goes back to the queue at once and is counted as a loss. */
  rescue: { from: ["running"], to: "queued", event: "job.rescued", yieldsToCancel: true },
  /** Of a job that no worker has. */
  cancel: { from: ["scheduled", "blocked", "queued", "retryable"], to: "cancelled", event: "job.cancelled" },
  /** By the owner of the running attempt, who has stopped it. */
  stop: { from: ["running"], to: "cancelled", event: "job.cancelled" },
  expire: { from: ["scheduled", "blocked", "queued"], to: "expired", event: "job.expired" },
  requeue: { from: ["failed", "cancelled", "expired"], to: "queued", event: "job.requeued" },
} as const satisfies Record<string, Transition>;
export type TransitionName = keyof typeof transitions;

/** The transitions that end an attempt. */
export const attemptEnds = [
  "succeed",
  "retry",
  "fail",
  "release",
  "rescue",
  "stop",
] as const satisfies TransitionName[];
export type AttemptEnd = (typeof attemptEnds)[number];

export function yieldsToCancel(name: TransitionName): boolean {
  return (transitions[name] as Transition).yieldsToCancel === true;
}
