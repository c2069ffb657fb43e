/**
 * When a node, or a whole run, is slower than it used to be: more than twice the p95 of the last 20 that succeeded before
 * it, and more than 100 ms above it. With fewer than 10 of them nobody knows what is usual.
 */
export const regressionRule = { factor: 2, leastMs: 100, runs: 20, leastRuns: 10 } as const;

/** What was usual before: how many runs tell so, and the time that one in twenty of them exceeded. */
export interface Baseline {
  runs: number;
  p95Ms: number;
}

export interface Regression {
  /** How many times the baseline it took. */
  factor: number;
  baselineP95Ms: number;
}

/** By how much something that succeeded was slower than usual; null when it was not, and when nobody knows. */
export function regressionOf(durationMs: number, baseline: Baseline | null): Regression | null {
  if (baseline === null || baseline.runs < regressionRule.leastRuns) return null;
  const { p95Ms } = baseline;
  if (durationMs <= p95Ms * regressionRule.factor || durationMs - p95Ms <= regressionRule.leastMs) return null;
  // Times have microseconds, so a baseline of nothing is less than one.
  return { factor: Math.round((durationMs / Math.max(p95Ms, 0.001)) * 100) / 100, baselineP95Ms: p95Ms };
}

/** Whether something so short can be a regression at all: most nodes are not worth asking for. */
export function canBeRegression(durationMs: number | null): durationMs is number {
  return durationMs !== null && durationMs > regressionRule.leastMs;
}
