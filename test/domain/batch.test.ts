import { describe, expect, it } from "vitest";
import { type BatchPace, batchTimeLeftMs, outcomeOf } from "../../src/domain/batch.ts";
import { gridSets, gridSize } from "../../src/domain/sweep.ts";

describe("outcomeOf", () => {
  it.each([
    [{ succeeded: 3 }, "succeeded"],
    [{ succeeded: 3, failed: 1, cancelled: 1 }, "failed"],
    [{ succeeded: 3, expired: 1 }, "failed"],
    [{ succeeded: 3, cancelled: 1 }, "cancelled"],
    [{ cancelled: 3 }, "cancelled"],
    [{}, "succeeded"],
  ] as const)("of %o is %s", (counts, outcome) => expect(outcomeOf(counts)).toBe(outcome));
});

describe("batchTimeLeftMs", () => {
  const pace = (given: Partial<BatchPace>): BatchPace => ({
    open: 10,
    running: 2,
    ended: 0,
    sinceFirstStartMs: 1000,
    sinceLastEndMs: null,
    ...given,
  });

  it("goes by the jobs that have ended, as fast as they did", () => {
    expect(batchTimeLeftMs(pace({ ended: 5, sinceLastEndMs: 100 }), null)).toBe(2000);
  });

  it("goes by the pipeline's runs before any has ended, as many at a time as run now", () => {
    expect(batchTimeLeftMs(pace({}), 4000)).toBe(4000 * 5 - 1000);
    expect(batchTimeLeftMs(pace({ open: 11 }), 4000)).toBe(4000 * 6 - 1000);
  });

  it.each([
    ["nothing has started", { running: 0, sinceFirstStartMs: null }, 4000],
    ["nothing is known of the pipeline", {}, null],
    ["the first runs take longer than ever", { sinceFirstStartMs: 5000 }, 4000],
    ["all have ended", { open: 0, ended: 10, running: 0 }, 4000],
    ["nothing runs any more", { running: 0, ended: 5, sinceFirstStartMs: 1000, sinceLastEndMs: 60_000 }, 4000],
  ])("is unknown when %s", (_when, given, usual) => expect(batchTimeLeftMs(pace(given), usual)).toBeNull());

  it("is not unknown between two jobs, or while slow ones leave gaps", () => {
    const slow = { running: 0, ended: 5, sinceFirstStartMs: 300_000, sinceLastEndMs: 90_000 };
    expect(batchTimeLeftMs(pace(slow), null)).toBe(600_000);
    expect(batchTimeLeftMs(pace({ running: 0, ended: 5, sinceLastEndMs: 500 }), null)).toBe(2000);
  });
});

describe("a grid", () => {
  const axes = [
    { input: "day", values: ["mon", "tue"] },
    { input: "trips", values: [1, 2, 3] },
  ];

  it("is every combination, the last input changing fastest", () => {
    expect(gridSize(axes)).toBe(6);
    expect(gridSets(axes)).toEqual([
      { day: "mon", trips: 1 },
      { day: "mon", trips: 2 },
      { day: "mon", trips: 3 },
      { day: "tue", trips: 1 },
      { day: "tue", trips: 2 },
      { day: "tue", trips: 3 },
    ]);
  });
});
