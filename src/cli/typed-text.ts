import { parse } from "yaml";
import { UsageError } from "./failure.ts";

/** JSON Schema as the API gives it for an input. */
export type Schema = Readonly<Record<string, unknown>>;

/**
 * What somebody typed as the value that the input takes: text stays text where a text is taken, else it is read as JSON.
 * What fits nothing is passed on as text: the server says what is wrong, and it knows best.
 */
export function typedValue(text: string, schema: Schema | undefined): unknown {
  if (schema === undefined) return text;
  if (listed(schema, text)) return text;
  const types = typesOf(schema);
  if (types.has("null") && (text === "null" || text === "None")) return null;
  if (types.has("boolean") && /^(true|false)$/i.test(text)) return text.toLowerCase() === "true";
  if ((types.has("number") || types.has("integer")) && isExactNumber(text)) return Number(text);
  if (types.has("object") || types.has("array")) {
    const value = jsonOrNothing(text);
    if (
      Array.isArray(value) ? types.has("array") : typeof value === "object" && value !== null && types.has("object")
    ) {
      return value;
    }
  }
  if (types.size === 0) return jsonOrNothing(text) ?? text; // anything is taken
  return text;
}

/** One of the texts that an enumeration allows. */
function listed(schema: Schema, text: string): boolean {
  return schema.const === text || (Array.isArray(schema.enum) && schema.enum.includes(text));
}

/** All JSON types that a schema allows. Empty: any. */
function typesOf(schema: Schema): Set<string> {
  const own = [schema.type].flat().filter((type) => typeof type === "string");
  const choices = [schema.anyOf, schema.oneOf].flatMap((list) => (Array.isArray(list) ? (list as Schema[]) : []));
  const listedTypes = Array.isArray(schema.enum) ? schema.enum.map(jsonType) : [];
  return new Set([...own, ...listedTypes, ...choices.flatMap((choice) => [...typesOf(choice)])]);
}

function jsonType(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}

/** A number that JavaScript keeps as it is written; others go as text, which the server takes exactly. */
function isExactNumber(text: string): boolean {
  if (!/^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i.test(text)) return false;
  return Number.isFinite(Number(text)) && (!/^[+-]?\d+$/.test(text) || Number.isSafeInteger(Number(text)));
}

function jsonOrNothing(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** `NAME=VALUE` of a flag. */
export function splitPair(pair: string, flag: string): [name: string, value: string] {
  const at = pair.indexOf("=");
  if (at <= 0) throw new UsageError(`${flag} ${pair}: write NAME=VALUE.`);
  return [pair.slice(0, at).trim(), pair.slice(at + 1)];
}

/**
 * A dict as FlowerPower's own command line takes it: JSON, a Python literal (`{'limit': 5, 'dry': True}`), or `a=1,b=2`.
 * `typed` reads the values of the last form.
 */
export function parseDict(
  text: string,
  flag: string,
  typed: (name: string, value: string) => unknown,
): Record<string, unknown> {
  const literal = parseLiteral(text);
  if (typeof literal === "object" && literal !== null && !Array.isArray(literal)) {
    return literal as Record<string, unknown>;
  }
  if (literal !== undefined || !text.includes("=")) {
    throw new UsageError(`${flag} ${text}: write JSON, like '{"limit": 5}', or limit=5,other=text.`);
  }
  const pairs = text.split(",").filter((pair) => pair.trim() !== "");
  return Object.fromEntries(
    pairs.map((pair) => {
      const [name, value] = splitPair(pair.trim(), flag);
      return [name, typed(name, value.trim())];
    }),
  );
}

/** A list as FlowerPower's own command line takes it: JSON, a Python literal, or `a,b`. */
export function parseList(text: string, flag: string): string[] {
  const literal = parseLiteral(text);
  const items = literal === undefined ? text.split(",").map((item) => item.trim()) : literal;
  if (!Array.isArray(items) || !items.every((item) => typeof item === "string")) {
    throw new UsageError(`${flag} ${text}: write a list of names: a,b or '["a", "b"]'.`);
  }
  return items.filter((item) => item !== "");
}

/** JSON or a Python literal; undefined when it is neither. YAML's flow style reads both, but for None. */
function parseLiteral(text: string): unknown {
  const json = jsonOrNothing(text);
  if (json !== undefined || !/^\s*[[{]/.test(text)) return json;
  try {
    const none = { tag: "tag:yaml.org,2002:null", default: true, test: /^None$/, resolve: () => null } as const;
    return parse(text, { customTags: [none], logLevel: "error" });
  } catch {
    return undefined;
  }
}
