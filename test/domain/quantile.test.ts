import { expect, it } from "vitest";
import { quantile } from "../../src/domain/quantile.ts";

const upTo = (count: number) => Array.from({ length: count }, (_, index) => count - index);

it.each([
  [[], 0.5, null],
  [[7], 0.95, 7],
  [[3, 1, 2], 0.5, 2],
  [[4, 3, 2, 1], 0.5, 2],
  [upTo(20), 0.95, 19],
  [upTo(10), 0.95, 10],
  [upTo(100), 0.95, 95],
  [upTo(10), 0, 1],
  [upTo(10), 1, 10],
  [[9, 10, 100], 0.5, 10], // numbers, not texts
])("of %j at %d is %s", (values, q, expected) => {
  expect(quantile(values, q)).toBe(expected);
});
