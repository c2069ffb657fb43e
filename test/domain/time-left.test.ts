import { describe, expect, it } from "vitest";
import { expanderOfBranch } from "../../src/domain/branch.ts";
import { type NodeProgress, type NodeTime, timeLeftMs } from "../../src/domain/time-left.ts";

const time = (p50Ms: number, expander: string | null = null, branches: number | null = null): NodeTime => ({
  p50Ms,
  expander,
  branches,
});
const state = (given: Partial<NodeProgress>): NodeProgress => ({
  ended: 0,
  startedAt: null,
  expander: null,
  branches: null,
  ...given,
});
/** `read`, then for each of 10 `city`s `fetched` and `parsed`, then `total`. */
const times = new Map([
  ["read", time(100)],
  ["city", time(5, null, 10)],
  ["fetched", time(40, "city")],
  ["parsed", time(10, "city")],
  ["total", time(20)],
]);
const path = ["read", "city", "fetched", "parsed", "total"];
const left = (progress: Record<string, Partial<NodeProgress>>, concurrency: number | null = 4) =>
  timeLeftMs(
    path,
    { times, concurrency },
    { progress: new Map(Object.entries(progress).map(([node, given]) => [node, state(given)])), now: 1_000_000 },
  );
const inBlock = (ended: number) => ({ ended, expander: "city" });

describe("timeLeftMs", () => {
  it("adds up nodes, and the rounds in which branches run", () => {
    // Ten branches on four threads are three rounds, of 50 ms each.
    expect(timeLeftMs(path, { times, concurrency: 4 })).toBe(100 + 5 + 3 * 50 + 20);
    expect(timeLeftMs(path, { times, concurrency: 1 })).toBe(100 + 5 + 10 * 50 + 20);
    expect(timeLeftMs(path, { times, concurrency: 1024 })).toBe(100 + 5 + 50 + 20);
  });

  it.each([
    ["nothing has begun", {}, 275],
    ["a node runs", { read: { startedAt: 999_970 } }, 245],
    ["a node runs for longer than usual", { read: { startedAt: 900_000 } }, 175],
    ["a clock is ahead of ours", { read: { startedAt: 1_000_500 } }, 275],
    ["a node is done", { read: { ended: 1 } }, 175],
    ["there are fewer branches than usual", { read: { ended: 1 }, city: { ended: 1, branches: 4 } }, 70],
    ["there are no branches", { read: { ended: 1 }, city: { ended: 1, branches: 0 } }, 20],
    [
      "branches are under way",
      { read: { ended: 1 }, city: { ended: 1, branches: 10 }, fetched: inBlock(7), parsed: inBlock(6) },
      40 + 10 + 20,
    ],
    [
      "the block is done",
      { read: { ended: 1 }, city: { ended: 1, branches: 10 }, fetched: inBlock(10), parsed: inBlock(10) },
      20,
    ],
    [
      "all is done",
      {
        read: { ended: 1 },
        city: { ended: 1, branches: 1 },
        fetched: inBlock(1),
        parsed: inBlock(1),
        total: { ended: 1 },
      },
      0,
    ],
  ])("when %s", (_when, progress, expected) => {
    expect(left(progress)).toBe(expected);
  });

  it("is not known when nobody knows how many branches run at once, until they have", () => {
    expect(left({}, null)).toBeNull();
    const done = { city: { ended: 1, branches: 2 }, fetched: inBlock(2), parsed: inBlock(2) };
    expect(left(done, null)).toBe(120);
  });

  it("is not known while a node is to run that has never run, and is once it has", () => {
    const withNew = [...path, "new"];
    expect(timeLeftMs(withNew, { times, concurrency: 4 })).toBeNull();
    const progress = new Map([["new", state({ ended: 1 })]]);
    expect(timeLeftMs(withNew, { times, concurrency: 4 }, { progress, now: 0 })).toBe(275);
    expect(timeLeftMs([], { times, concurrency: 4 })).toBe(0);
  });
});

describe("expanderOfBranch", () => {
  it.each([
    ["expand-city.3.block-city", "city"],
    ["expand-a.b.12.block-a.b", "a.b"],
    ["something else", null],
    [null, null],
  ])("of %s is %s", (branch, expander) => {
    expect(expanderOfBranch(branch)).toBe(expander);
  });
});
