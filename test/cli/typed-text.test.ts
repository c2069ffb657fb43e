import { describe, expect, it } from "vitest";
import { parseDict, parseList, typedValue } from "../../src/cli/typed-text.ts";
import { bytes, duration, grouped, parseDurationMs } from "../../src/cli/units.ts";

describe("typedValue", () => {
  it.each([
    ["5", { type: "integer" }, 5],
    ["5", { type: "string" }, "5"],
    ["5.50", { type: "number" }, 5.5],
    ["2013-07-10", { type: "string", format: "date" }, "2013-07-10"],
    ["true", { type: "boolean" }, true],
    ["True", { type: "boolean" }, true],
    ["yes", { type: "boolean" }, "yes"],
    ["[1, 2]", { type: "array" }, [1, 2]],
    ['{"a": 1}', { type: "object" }, { a: 1 }],
    ["[1", { type: "array" }, "[1"],
    ["null", { anyOf: [{ type: "integer" }, { type: "null" }] }, null],
    ["7", { anyOf: [{ type: "integer" }, { type: "null" }] }, 7],
    ["7", { type: ["integer", "null"] }, 7],
    ["1", { enum: ["1", "2"] }, "1"],
    ["1", { enum: [1, 2] }, 1],
    ["9007199254740993", { type: "integer" }, "9007199254740993"],
    ["1e400", { type: "number" }, "1e400"],
    ["nan", { type: "number" }, "nan"],
    ["", { type: "integer" }, ""],
    ["5", {}, 5],
    ["five", {}, "five"],
    ["5", undefined, "5"],
  ])("reads %s by %j", (text, schema, value) => {
    expect(typedValue(text, schema)).toEqual(value);
  });
});

describe("parseDict", () => {
  const text = (_name: string, value: string) => `${value}!`;

  it.each([
    ['{"path": "a.csv", "limit": 100}', { path: "a.csv", limit: 100 }],
    ["{'path': 'a.csv', 'dry': True, 'none': None}", { path: "a.csv", dry: true, none: null }],
    ["path=a.csv, limit=100", { path: "a.csv!", limit: "100!" }],
    ["url=http://x/?a=b", { url: "http://x/?a=b!" }],
  ])("reads %s as FlowerPower does", (given, value) => {
    expect(parseDict(given, "--inputs", text)).toEqual(value);
  });

  it.each(["[1]", "5", "limit", "{bad", "=1"])("refuses %s", (given) => {
    expect(() => parseDict(given, "--inputs", text)).toThrow("--inputs");
  });
});

describe("parseList", () => {
  it.each([
    ['["a", "b"]', ["a", "b"]],
    ["['a', 'b']", ["a", "b"]],
    ["a, b", ["a", "b"]],
    ["a", ["a"]],
  ])("reads %s as FlowerPower does", (given, value) => {
    expect(parseList(given, "--final-vars")).toEqual(value);
  });

  it.each(['{"a": 1}', "[1]"])("refuses %s", (given) => {
    expect(() => parseList(given, "--final-vars")).toThrow("--final-vars");
  });
});

describe("units", () => {
  it.each([
    [0.3, "<1 ms"],
    [412.4, "412 ms"],
    [999.6, "1.0 s"],
    [3412, "3.4 s"],
    [59_960, "1 min 00 s"],
    [125_000, "2 min 05 s"],
    [11_520_000, "3 h 12 min"],
  ])("say %d ms as %s", (ms, text) => expect(duration(ms)).toBe(text));

  it.each([
    [812, "812 B"],
    [3_400_000, "3.4 MB"],
    [167_000, "167 kB"],
    [999_600, "1.0 MB"],
  ])("say %d bytes as %s", (count, text) => expect(bytes(count)).toBe(text));

  it.each([
    ["30m", 1_800_000],
    ["1h30m", 5_400_000],
    ["1h 30m", 5_400_000],
    ["1.5s", 1500],
    ["250ms", 250],
    ["30", null],
    ["m30", null],
    ["30m later", null],
    ["", null],
  ])("read %s as %s ms", (text, ms) => expect(parseDurationMs(text)).toBe(ms));

  it("group thousands", () => {
    expect([7, 1234, 48_213_000].map((count) => grouped(count, " "))).toEqual(["7", "1 234", "48 213 000"]);
  });
});
