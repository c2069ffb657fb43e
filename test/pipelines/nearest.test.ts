import { expect, it } from "vitest";
import { listNames, nearest } from "../../src/pipelines/nearest.ts";

it.each([
  ["daly_report", ["daily_report", "bread"], "daily_report"],
  ["Daily_Report", ["daily_report"], "daily_report"],
  ["temp", ["humidity", "temperature"], "temperature"],
  ["loafs", ["flour", "loaves"], "loaves"],
  ["fam", ["deck", "fan"], "fan"],
  ["dya", ["limit", "day"], "day"],
  ["abc", ["cba"], null],
  ["a", ["b"], null],
  ["xylophone", ["loaves", "flour_per_loaf"], null],
  ["constructor", [], null],
  ["x".repeat(1_000_000), ["x"], null],
])("%s of %j: %s", (name, candidates, expected) => {
  expect(nearest(name.slice(0, 300_000), candidates)).toBe(expected);
});

it.each([
  [[], "none"],
  [["a"], "a"],
  [["a", "b"], "a and b"],
  [["a", "b", "c"], "a, b and c"],
  [["a", "b", "c", "d"], "a, b, c and d"],
  [["a", "b", "c", "d", "e"], "a, b, c, d and 1 more"],
])("lists %j as %s", (names, expected) => {
  expect(listNames(names, { limit: 4 })).toBe(expected);
});
