import type { Json } from "../domain/json.ts";

/**
 * The same value as Postgres can store it: a docstring or an error message may hold U+0000 or half a surrogate pair.
 * They become U+FFFD, here only: what a request says is refused instead, never changed.
 */
export function storable<Value>(value: Value): Value {
  return clean(value as Json) as Value;
}

function clean(value: Json): Json {
  if (typeof value === "string") return cleanText(value);
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(clean);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [cleanText(key), clean(item)]));
}

function cleanText(text: string): string {
  return text.toWellFormed().replaceAll("\u0000", "\uFFFD");
}
