import type { Json } from "./json.ts";

/** What stands in the place of a secret. Python masks with the same text (`text.py`). */
export const hidden = "*****";

const words = new Set([
  "password",
  "passwd",
  "pwd",
  "secret",
  "token",
  "apikey",
  "authorization",
  "credential",
  "credentials",
  "dsn",
]);
const pairs = new Set(["api key", "access key", "private key", "secret key", "connection string"]);
const passwordInUrl = /(:\/\/[^/\s:@]*:)[^/\s@]+@/g;

/** By whole words, as Python's `is_secret_name`: `db_password` and `apiToken` are secrets, `max_tokens` is none. */
export function isSecretName(name: string): boolean {
  const parts = name
    .replaceAll(/([a-z])([A-Z])/g, "$1_$2")
    .toLowerCase()
    .split(/[^a-z]+/)
    .filter((part) => part !== "");
  return parts.some((part, at) => words.has(part) || pairs.has(`${part} ${parts[at + 1]}`));
}

/**
 * A value as it may be shown: what stands under the name of a secret is hidden, and so are passwords in URLs. What is stored,
 * and what runs, stays as it is.
 */
export function redacted<Value extends Json>(value: Value): Value {
  return hide(value) as Value;
}

function hide(value: Json): Json {
  if (typeof value === "string") return value.replaceAll(passwordInUrl, `$1${hidden}@`);
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(hide);
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, item !== null && isSecretName(key) ? hidden : hide(item)]),
  );
}
