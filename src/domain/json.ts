import type { Problem } from "./errors.ts";

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

/** Limits for what a run is given. */
export const jsonLimits = { bytes: 256 * 1024, depth: 64, keys: 10_000 } as const;

/** A number that JavaScript would round: the text says more than a double can hold. */
export class InexactNumberError extends SyntaxError {
  readonly source: string;

  constructor(source: string) {
    super(`The number ${source.slice(0, 40)} cannot be held exactly. Send it as a string.`);
    this.source = source;
  }
}

/** True when a number written as `source` would be changed by becoming a double. */
export function isInexact(value: number, source: string): boolean {
  if (!Number.isFinite(value)) return true;
  if (/^-?\d+$/.test(source)) return !Number.isSafeInteger(value);
  // Too small to be told from 0.
  if (value === 0) return /^-?[0.]*[1-9]/.test(source);
  // 0.1 is not exact either, but it is what every JSON reader makes of it; an integer in disguise must stay one.
  return Number.isInteger(value) && !Number.isSafeInteger(value);
}

/** JSON.parse that refuses what it would have to round, and keys that JavaScript objects treat in a way of their own. */
export function parseExactJson(text: string): unknown {
  return JSON.parse(text, ((key: string, value: unknown, context?: { source?: string }) => {
    if (key === "__proto__") throw new SyntaxError('The key "__proto__" is not allowed.');
    if (typeof value === "number" && context?.source !== undefined && isInexact(value, context.source)) {
      throw new InexactNumberError(context.source);
    }
    return value;
  }) as (this: unknown, key: string, value: unknown) => unknown);
}

/** What is wrong with a JSON value that is to be stored and to read back equal; empty when nothing is. */
export function jsonProblems(value: unknown, path: string): Problem[] {
  const problems: Problem[] = [];
  let keys = 0;
  const report = (at: string, message: string) => {
    if (problems.length < 10) problems.push({ path: at, message, suggestion: null });
  };

  function visit(item: unknown, at: string, depth: number): void {
    if (depth > jsonLimits.depth) {
      report(path, `${path} is nested deeper than ${jsonLimits.depth} levels.`);
    } else if (typeof item === "string") {
      visitText(item, at);
    } else if (typeof item === "number" && !Number.isFinite(item)) {
      report(at, `${at} is not a finite number.`);
    } else if (typeof item === "number" && Number.isInteger(item) && !Number.isSafeInteger(item)) {
      report(at, `${at} is larger than 2^53 and would be rounded. Send it as a string.`);
    } else if (typeof item === "object" && item !== null) {
      visitEntries(item, at, depth);
    }
  }

  function visitEntries(item: object, at: string, depth: number): void {
    for (const [key, child] of Array.isArray(item) ? item.entries() : Object.entries(item)) {
      keys += 1;
      if (keys > jsonLimits.keys) return;
      if (typeof key === "string") visitText(key, `${at} (a key)`);
      if (key === "__proto__") report(at, `${at} has a key "__proto__", which is not allowed.`);
      visit(child, `${at}.${key}`, depth + 1);
    }
  }

  function visitText(text: string, at: string): void {
    if (text.includes("\u0000")) report(at, `${at} contains the character U+0000, which Postgres cannot store.`);
    else if (!text.isWellFormed()) report(at, `${at} contains half of a surrogate pair, which is not valid Unicode.`);
  }

  visit(value, path, 0);
  if (keys > jsonLimits.keys) report(path, `${path} has more than ${jsonLimits.keys} keys and items.`);
  if (problems.length === 0) {
    const bytes = Buffer.byteLength(JSON.stringify(value) ?? "");
    if (bytes > jsonLimits.bytes) {
      report(path, `${path} is ${Math.ceil(bytes / 1024)} KiB; at most ${jsonLimits.bytes / 1024} KiB are allowed.`);
    }
  }
  return problems;
}
