import type { Problem } from "./errors.ts";

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

/** Limits for what a run is given. */
export const jsonLimits = { bytes: 256 * 1024, depth: 64, keys: 10_000 } as const;

/** JSON that JavaScript would read otherwise than it is written. */
export abstract class RefusedJsonError extends SyntaxError {
  /** Where: the keys and places that lead there. */
  abstract readonly path: readonly string[];
}

/** A number that JavaScript would round: the text says more than a double can hold. */
export class InexactNumberError extends RefusedJsonError {
  readonly source: string;
  readonly path: readonly string[];

  constructor(source: string, path: readonly string[] = []) {
    super(`The number ${source.slice(0, 40)} cannot be held exactly. Send it as a string.`);
    this.source = source;
    this.path = path;
  }
}

/** A key that JavaScript objects treat in a way of their own. */
export class RefusedKeyError extends RefusedJsonError {
  readonly path: readonly string[];

  constructor(path: readonly string[] = []) {
    super('The key "__proto__" is not allowed.');
    this.path = path;
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

/**
 * JSON.parse that refuses what it would have to round, and keys that JavaScript objects treat in a way of their own.
 *
 * @throws RefusedJsonError for the first of these; SyntaxError for what is no JSON
 */
export function parseExactJson(text: string): unknown {
  let refused: { holder: object; key: string; source: string | null } | null = null;
  const root = JSON.parse(text, function (this: object, key: string, value: unknown, context?: { source?: string }) {
    const source = context?.source;
    const inexact = typeof value === "number" && source !== undefined && isInexact(value, source);
    if (inexact || key === "__proto__") refused ??= { holder: this, key, source: inexact ? source : null };
    return value;
  } as (this: unknown, key: string, value: unknown) => unknown);
  if (refused !== null) throw refusalOf(refused, root);
  return root;
}

function refusalOf({ holder, key, source }: { holder: object; key: string; source: string | null }, root: unknown) {
  // What stands alone has a holder that is no part of it.
  const leading = pathTo(holder, root);
  const path = leading === null ? [] : [...leading, key];
  return source === null ? new RefusedKeyError(path) : new InexactNumberError(source, path);
}

function pathTo(target: object, value: unknown): string[] | null {
  if (value === target) return [];
  if (typeof value !== "object" || value === null) return null;
  for (const [key, child] of Object.entries(value)) {
    const rest = pathTo(target, child);
    if (rest !== null) return [key, ...rest];
  }
  return null;
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
