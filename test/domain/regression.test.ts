import { describe, expect, it } from "vitest";
import { canBeRegression, regressionOf } from "../../src/domain/regression.ts";

describe("regressionOf", () => {
  it.each([
    // durationMs, runs, p95Ms, factor
    [1000, 10, 400, 2.5],
    [1000, 20, 499, 2],
    [1000, 20, 500, null], // just twice
    [1000, 9, 400, null], // too few to know
    [200, 20, 90, 2.22],
    [190, 20, 90, null], // 100 ms more, and no more than that
    [191, 20, 90, 2.12],
    [150, 20, 10, 15],
    [30_000, 20, 29_000, null],
    [101, 10, 0, 101_000], // a baseline of nothing
    [50, 10, 1, null],
  ])("%d ms after %d runs with a p95 of %d ms: %s", (durationMs, runs, p95Ms, factor) => {
    const expected = factor === null ? null : { factor, baselineP95Ms: p95Ms };
    expect(regressionOf(durationMs, { runs, p95Ms })).toEqual(expected);
  });

  it("knows nothing without a baseline", () => {
    expect(regressionOf(60_000, null)).toBeNull();
  });

  it("is ruled out for whatever is short, without asking for a baseline", () => {
    for (const durationMs of [null, 0, 99.9, 100]) {
      expect(canBeRegression(durationMs)).toBe(false);
      if (durationMs !== null) expect(regressionOf(durationMs, { runs: 20, p95Ms: 0 })).toBeNull();
    }
    expect(canBeRegression(100.1)).toBe(true);
  });
});
