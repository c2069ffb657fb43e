import type { Problem } from "./errors.ts";

/** What has become of a follow-up: it is to be enqueued, there is a job, or there will be none. */
export const followUpStates = ["open", "enqueued", "refused"] as const;
export type FollowUpState = (typeof followUpStates)[number];

/** Whether anything follows a job. */
export const followUpModes = ["all", "none"] as const;
export type FollowUpMode = (typeof followUpModes)[number];

/** Why a follow-up was not enqueued. */
export interface FollowUpProblem {
  code: string;
  message: string;
  problems?: Problem[];
}

/** So many pipelines may have led to a job. Rules cannot go round in circles; a project may change between two ends. */
export const longestChain = 20;

/** So many follow-ups of one job are shown. */
export const mostFollowUps = 100;

/** How long it is tried to enqueue a follow-up whose project is disabled or whose queue is full. */
export const followUpPatienceMs = 24 * 3_600_000;

/** Before the next try: doubles each time, from a second up to a minute. */
export function followUpDelayMs(tries: number): number {
  return Math.min(1000 * 2 ** Math.max(tries - 1, 0), 60_000);
}
