import type { ErrorKind } from "./outcome.ts";

/** When and how often a failed attempt is tried again. */
export interface RetryPolicy {
  /** Tries in all, from 1. */
  maxAttempts: number;
  /** Before the second try; doubles for each further one. */
  delayMs: number;
  /** A part of the delay, from 0 to 1, by which it is lengthened at random. */
  jitter: number;
  /** Class names; null: any exception but those that a further try cannot mend. */
  exceptions: readonly string[] | null;
  /** Absent: exponential, the delay doubles each time. */
  backoff?: "exponential" | "fixed";
  /** Instead of both: before the second try, the third …; the last one holds for all further ones. */
  delaysMs?: readonly number[];
  /** No delay is longer, jitter included. Absent: an hour before the jitter, or the policy's own delay where that is longer. */
  maxDelayMs?: number;
  /** Class names that are never tried again, whatever `exceptions` says. */
  never?: readonly string[];
}

const hourMs = 3_600_000;

/** Nothing is tried again unless somebody has asked for it (a pipeline may write to the outside). */
export const noRetry: RetryPolicy = { maxAttempts: 1, delayMs: 1000, jitter: 0.1, exceptions: null };

/** A further try meets the same code and the same request: only who names one of these means it. */
const hopeless = ["ImportError", "SyntaxError", "MemoryError"];

/**
 * Milliseconds before the next attempt: doubles each time, up to an hour (or the policy's own delay where that is longer),
 * lengthened at random so that failures do not march in step. FlowerPower's formula, outside the process.
 */
export function retryDelayMs(failures: number, policy: RetryPolicy, random = Math.random): number {
  const { backoff, delaysMs = [], maxDelayMs } = policy;
  const listed = delaysMs[Math.min(failures, delaysMs.length) - 1];
  const doubled = Math.min(policy.delayMs * 2 ** (failures - 1), Math.max(hourMs, policy.delayMs));
  const delayMs = listed ?? (backoff === "fixed" ? policy.delayMs : doubled);
  const lengthened = Math.round(delayMs * (1 + policy.jitter * random()));
  return maxDelayMs === undefined ? lengthened : Math.min(lengthened, maxDelayMs);
}

/** Nobody waits longer for what an exception says of itself. */
const longestAskedMs = 24 * hourMs;

/** The delay that an exception asks for by its `retry_after`: as it says, without jitter, up to a day. */
export function askedDelayMs(retryAfterMs: number): number {
  return Math.round(Math.min(Math.max(retryAfterMs, 0), longestAskedMs));
}

/**
 * Whether the policy covers this error. `classes` are qualified names of the class and its bases. A name without a dot
 * matches the builtin of that name and any class so called; a dotted name matches only itself.
 */
export function retries(policy: RetryPolicy, error: { kind: ErrorKind; classes: readonly string[] }): boolean {
  if (error.kind === "INVALID" || error.kind === "CANCELLED") return false;
  const is = (name: string) =>
    error.classes.some((full) => full === name || (!name.includes(".") && full.split(".").at(-1) === name));
  if (policy.never?.some(is)) return false;
  const named = policy.exceptions?.filter((name) => name !== "Exception" && name !== "BaseException") ?? [];
  if (named.some(is)) return true;
  if (hopeless.some(is)) return false;
  // A timeout has no Python class: it is tried again when any exception is.
  return policy.exceptions === null || named.length < policy.exceptions.length;
}
