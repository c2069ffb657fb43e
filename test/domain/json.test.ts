import { describe, expect, it } from "vitest";
import { InexactNumberError, jsonLimits, jsonProblems, parseExactJson } from "../../src/domain/json.ts";

describe("parseExactJson", () => {
  it.each([
    "9007199254740993",
    "-9007199254740993",
    "9007199254740993.0",
    "9007199254740992",
    "1e400",
    "-1e400",
    "1e22",
  ])("refuses %s, which a double would change", (text) => {
    expect(() => parseExactJson(text)).toThrow(InexactNumberError);
    expect(() => parseExactJson(`{"a":[1,{"b":${text}}]}`)).toThrow(InexactNumberError);
  });

  it.each(["1e-400", "-0.00001e-999"])("refuses %s, which would become 0", (text) => {
    expect(() => parseExactJson(text)).toThrow(InexactNumberError);
  });

  it.each([
    ["9007199254740991", 2 ** 53 - 1],
    ["-9007199254740991", -(2 ** 53) + 1],
    ["1.0", 1],
    ["1e3", 1000],
    ["-0", -0],
    ["0.0e5", 0],
    ["0.1", 0.1],
    ["5e-324", 5e-324],
    ['"9007199254740993"', "9007199254740993"],
  ])("reads %s", (text, value) => {
    expect(parseExactJson(text)).toBe(value);
  });

  it("refuses the key __proto__ at any depth, however it is written", () => {
    expect(() => parseExactJson('{"__proto__":{"polluted":true}}')).toThrow(SyntaxError);
    expect(() => parseExactJson('[{"a":{"\\u005f_proto__":1}}]')).toThrow(SyntaxError);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  it("leaves everything else as JSON.parse does", () => {
    const text = '{"a":[null,true,false,"\\u00e4",{"constructor":1,"toString":"x"}],"":{}}';
    expect(parseExactJson(text)).toEqual(JSON.parse(text));
    expect(() => parseExactJson("{")).toThrow(SyntaxError);
  });

  it("tells only the beginning of an endless number", () => {
    expect(() => parseExactJson("9".repeat(10_000))).toThrow(new InexactNumberError("9".repeat(10_000)));
    expect(new InexactNumberError("9".repeat(10_000)).message.length).toBeLessThan(120);
  });
});

describe("jsonProblems", () => {
  const messages = (value: unknown) => jsonProblems(value, "input.inputs").map(({ message }) => message);
  const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)]);

  it("finds nothing wrong with what can be stored", () => {
    expect(messages({ a: [1, 0.1, -0, "ä\n\u{1F600}", null, true, {}], b: { c: 2 ** 53 - 1 } })).toEqual([]);
    expect(messages(nested(jsonLimits.depth))).toEqual([]);
  });

  it("names the place of each thing that Postgres cannot store", () => {
    expect(jsonProblems({ a: { "b\u0000": 1 }, c: ["x", "\ud800"] }, "input.inputs")).toEqual([
      expect.objectContaining({ path: "input.inputs.a (a key)", message: expect.stringContaining("U+0000") }),
      expect.objectContaining({ path: "input.inputs.c.1", message: expect.stringContaining("surrogate") }),
    ]);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, -(2 ** 53)])("refuses the number %s", (number) => {
    expect(messages({ a: number })).toHaveLength(1);
  });

  it("refuses a key __proto__ that a parser has made an own property", () => {
    expect(messages(JSON.parse('{"__proto__":{"x":1}}'))).toHaveLength(1);
  });

  it("refuses what is too deep, too long or too large, once, without overflowing the stack", () => {
    expect(messages(nested(jsonLimits.depth + 1))).toHaveLength(1);
    expect(messages(nested(8_000))).toHaveLength(1);
    expect(messages(Array.from({ length: jsonLimits.keys + 1 }, () => 1))).toHaveLength(1);
    expect(messages(Array.from({ length: jsonLimits.keys }, () => 1))).toEqual([]);
    expect(messages("ä".repeat(jsonLimits.bytes / 2))).toHaveLength(1); // with its quotes two bytes too many
    expect(messages("ä".repeat(jsonLimits.bytes / 2 - 1))).toEqual([]);
  });

  it("tells at most ten problems", () => {
    expect(messages(Array.from({ length: 100 }, () => "\u0000"))).toHaveLength(10);
  });
});
