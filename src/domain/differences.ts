import { isDeepStrictEqual } from "node:util";
import type { Json, JsonObject } from "./json.ts";
import { hidden, isSecretName, redacted } from "./secrets.ts";

/** One thing that is not the same on both sides, as it may be shown. */
export interface Difference {
  /** Keys joined by dots: `inputs.oven.heat`. */
  path: string;
  kind: "added" | "removed" | "changed";
  /** Null beside `added`: there is none. */
  a: Json;
  b: Json;
  /** Where the value comes from, where that is known: a file, an environment variable, `request`. */
  aSource: string | null;
  bSource: string | null;
}

/** More than anybody reads. */
const most = 1000;

/**
 * What differs between two JSON objects, key by key; lists are compared as a whole. An object with a `source` beside its
 * `value` or `reference` is one value with its source, and differs when either does. Compared is what is there; what is shown
 * is without secrets, so that a changed one is seen to differ and not what it is.
 */
export function differences(a: JsonObject, b: JsonObject): Difference[] {
  const found: Difference[] = [];
  compare([], a, b, found);
  return found.slice(0, most);
}

function compare(keys: readonly string[], a: Json | undefined, b: Json | undefined, found: Difference[]): void {
  if (found.length > most) return;
  const [sourcedA, sourcedB] = [sourced(a), sourced(b)];
  if (sourcedA !== null || sourcedB !== null) {
    const [left, right] = [sourcedA ?? { value: a, source: null }, sourcedB ?? { value: b, source: null }];
    if (isDeepStrictEqual(left, right)) return;
    found.push(difference(keys, left.value, right.value, left.source, right.source));
  } else if (isObject(a) && isObject(b)) {
    for (const key of [...new Set([...Object.keys(a), ...Object.keys(b)])].toSorted()) {
      compare([...keys, key], own(a, key), own(b, key), found);
    }
  } else if (!isDeepStrictEqual(a, b)) {
    found.push(difference(keys, a, b, null, null));
  }
}

function difference(
  keys: readonly string[],
  a: Json | undefined,
  b: Json | undefined,
  aSource: string | null,
  bSource: string | null,
): Difference {
  return {
    path: keys.join("."),
    kind: a === undefined ? "added" : b === undefined ? "removed" : "changed",
    a: shown(keys, a),
    b: shown(keys, b),
    aSource,
    bSource,
  };
}

function shown(keys: readonly string[], value: Json | undefined): Json {
  if (value === undefined || value === null) return null;
  return keys.some(isSecretName) ? hidden : redacted(value);
}

/** A value that tells where it comes from. */
function sourced(value: Json | undefined): { value: Json | undefined; source: string | null } | null {
  if (!isObject(value) || typeof value.source !== "string") return null;
  if (!Object.hasOwn(value, "value") && !Object.hasOwn(value, "reference")) return null;
  const { source, ...rest } = value;
  return { value: rest.reference ?? rest.value, source };
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function own(object: JsonObject, key: string): Json | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}
