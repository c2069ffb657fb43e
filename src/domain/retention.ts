import { type FinalState, finalStates } from "./lifecycle.ts";

/** How long jobs that have ended are kept. */
export interface Retention {
  /** From the end of the job, by its final state; null: for ever. */
  ageMs: Record<FinalState, number | null>;
  /** So many of the last jobs of each pipeline that have ended are kept, whatever their age. */
  keepLast: number;
}

const dayMs = 86_400_000;

export const retentionDefaults: Retention = {
  ageMs: { succeeded: 30 * dayMs, failed: 30 * dayMs, cancelled: 30 * dayMs, expired: 30 * dayMs },
  keepLast: 20,
};

/** Shorter than this, jobs would be gone before anybody has looked at them. */
export const leastRetentionMs = 60_000;
export const mostKeptLast = 10_000;

/**
 * Reads `14d`, `never`, or parts of it: `succeeded=7d,failed=never,last=100`. What is not said is as by default. Null: it cannot
 * be read.
 */
export function parseRetention(text: string, lengthOf: (text: string) => number | null): Retention | null {
  const retention: Retention = { ...retentionDefaults, ageMs: { ...retentionDefaults.ageMs } };
  for (const part of text.split(",").map((one) => one.trim())) {
    const [, name, value = part] = /^(\w+)=(.+)$/.exec(part) ?? [];
    if (name === "last") {
      if (!/^\d{1,5}$/.test(value) || Number(value) > mostKeptLast) return null;
      retention.keepLast = Number(value);
      continue;
    }
    const states = name === undefined ? finalStates : finalStates.filter((state) => state === name);
    const ageMs = value === "never" ? null : lengthOf(value);
    if (states.length === 0 || (value !== "never" && (ageMs === null || ageMs < leastRetentionMs))) return null;
    for (const state of states) retention.ageMs[state] = ageMs;
  }
  return retention;
}
