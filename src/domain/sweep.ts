import type { Json, JsonObject } from "./json.ts";

/** One input with the values that it takes in a grid. */
export interface Axis {
  input: string;
  values: readonly Json[];
}

/** How many input sets a grid has. */
export function gridSize(axes: readonly Axis[]): number {
  return axes.reduce((size, { values }) => size * values.length, 1);
}

/** Every combination of the values, the last axis changing fastest. Its size is to be looked at first. */
export function gridSets(axes: readonly Axis[]): JsonObject[] {
  return axes.reduce<JsonObject[]>(
    (sets, { input, values }) => sets.flatMap((set) => values.map((value) => ({ ...set, [input]: value }))),
    [{}],
  );
}
