import { describe, expect, it } from "vitest";
import type { Json, JsonObject } from "../../src/domain/json.ts";
import { valueProblems } from "../../src/pipelines/input-value.ts";
import { input } from "./descriptions.ts";

const whole = { type: "integer" };
/** As Python publishes a float. */
const float = { anyOf: [{ type: "number" }, { enum: ["NaN", "Infinity", "-Infinity"] }] };
const optional = (schema: JsonObject) => ({ anyOf: [schema, { type: "null" }] });
const list = (items: JsonObject) => ({ type: "array", items });
const station: JsonObject = {
  type: "object",
  properties: { name: { type: "string" }, lines: list({ type: "string" }) },
  required: ["name"],
  additionalProperties: false,
};

const problems = (schema: JsonObject, value: Json) => valueProblems(input("x", { type: "T", schema }), value);

describe("valueProblems", () => {
  it.each<[schema: JsonObject, value: Json]>([
    [whole, 5],
    [float, 5],
    [float, 0.5],
    [float, "NaN"],
    [optional(list(whole)), null],
    [optional(list(whole)), [1, 2]],
    [{ type: "string", format: "date" }, "2024-02-29"],
    [{ type: "string", format: "date-time" }, "2024-02-29T12:00:00"],
    [{ type: "string", format: "date-time" }, "2024-02-29T12:00:00+01:00"],
    [{ type: ["string", "number"] }, "12.50"],
    [station, { name: "Alexanderplatz" }],
    [{}, null],
    [{ type: "string", format: "a-format-of-somebody" }, "x"],
    [{ type: "string", "x-unknown": true }, "x"],
    // Python reads this pattern and JavaScript does not: Python will check it.
    [{ type: "string", pattern: "(?P<year>[0-9]+)" }, "x"],
  ])("%j takes %j", (schema, value) => {
    expect(problems(schema, value)).toEqual([]);
  });

  it.each<[schema: JsonObject, value: Json, path: string, message: string, suggestion?: string]>([
    [whole, "5", "x", "x takes a whole number (T), not a text."],
    [whole, 5.5, "x", "x takes a whole number (T), not a number with a fraction."],
    [float, "much", "x", "x takes a number (T), not a text."],
    [float, null, "x", "x takes a number (T), not null."],
    [optional(whole), "five", "x", "x takes a whole number or null (T), not a text."],
    [list(whole), [1, 2, 3, "4"], "x.3", "x.3 takes a whole number, not a text."],
    [optional(list(whole)), [1, "2"], "x.1", "x.1 takes a whole number, not a text."],
    [list(optional(float)), [1, true], "x.1", "x.1 takes a number or null, not true or false."],
    [list(station), [{ name: "Ost", lines: [5] }], "x.0.lines.0", "x.0.lines.0 takes a text, not a whole number."],
    [station, {}, "x.name", "x lacks name."],
    [station, { name: "Ost", line: [] }, "x.line", "x has no field line.", "lines"],
    [
      { type: "object", additionalProperties: whole },
      { "a/b": "c" },
      "x.a/b",
      "x.a/b takes a whole number, not a text.",
    ],
    [{ enum: ["deck", "fan"] }, "fam", "x", 'x takes one of "deck" or "fan" (T).', "fan"],
    [optional({ enum: ["deck", "fan"] }), "fam", "x", 'x takes one of "deck" or "fan" or null (T).', "fan"],
    [{ type: "string", format: "date" }, "2023-02-29", "x", "x takes a date such as 2024-06-01 (T)."],
    [{ type: "string", format: "date-time" }, "noon", "x", "x takes a date and time such as 2024-06-01T08:00:00Z (T)."],
    [{ type: "string", pattern: "^P", examples: ["PT5M"] }, "5 min", "x", "x takes a text such as PT5M (T)."],
    [{ type: "integer", minimum: 5 }, 3, "x", "x must be >= 5 (T)."],
  ])("%j refuses %j at %s", (schema, value, path, message, suggestion) => {
    expect(problems(schema, value)).toEqual([
      { path: `input.inputs.${path}`, message, suggestion: suggestion ?? null },
    ]);
  });

  it("tells the first ten of many", () => {
    expect(problems(list(whole), Array(9000).fill("x"))).toHaveLength(10);
  });

  it("never repeats a value: it may be a secret", () => {
    for (const schema of [whole, float, station, { enum: ["a"] }, { type: "string", pattern: "^P" }]) {
      expect(JSON.stringify(problems(schema, "hunter2"))).not.toContain("hunter2");
    }
  });
});
