/** Input sets of a batch as people give them: values in a flag, lines of a file. */
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { text } from "node:stream/consumers";
import { UsageError } from "./failure.ts";
import { type Schema, splitPair, typedValue } from "./typed-text.ts";

export interface Axis {
  input: string;
  values: unknown[];
}

type Schemas = ReadonlyMap<string, Schema>;

/** `day=2024-06-01,2024-06-02`, `min_trips=1..5`, `day=2024-06-01..2024-06-30`, `stations=["Alexanderplatz, south"]`. */
export function axisOf(pair: string, schemas: Schemas): Axis {
  const [input, given] = splitPair(pair, "--sweep");
  const texts = listed(given) ?? ranged(given) ?? given.split(",").map((value) => value.trim());
  const values = texts.map((value) => (typeof value === "string" ? typedValue(value, schemas.get(input)) : value));
  if (values.length === 0 || values.includes("")) throw new UsageError(`--sweep ${pair}: one of its values is empty.`);
  return { input, values };
}

function listed(given: string): unknown[] | null {
  if (!given.trimStart().startsWith("[")) return null;
  try {
    return JSON.parse(given) as unknown[];
  } catch (error) {
    throw new UsageError(`--sweep …=${given}: it is no JSON list: ${(error as Error).message}`);
  }
}

const mostInRange = 10_000;
const dayMs = 86_400_000;

/** From the first to the last, both included: whole numbers, or days. */
function ranged(given: string): string[] | null {
  const [, from, to] = /^(.+?)\.\.(.+)$/.exec(given) ?? [];
  if (from === undefined || to === undefined) return null;
  const [first, last, step, show] = isDay(from) && isDay(to) ? daysOf(from, to) : numbersOf(from, to);
  if (![first, last].every(Number.isSafeInteger)) return null;
  const count = (last - first) / step + 1;
  if (count < 1) throw new UsageError(`--sweep …=${given}: it ends before it begins.`);
  if (count > mostInRange) throw new UsageError(`--sweep …=${given}: a batch has at most ${mostInRange} jobs.`);
  return Array.from({ length: count }, (_, index) => show(first + index * step));
}

type Range = [first: number, last: number, step: number, show: (value: number) => string];

function numbersOf(from: string, to: string): Range {
  const whole = (value: string) => (/^-?\d+$/.test(value) ? Number(value) : Number.NaN);
  return [whole(from), whole(to), 1, String];
}

function daysOf(from: string, to: string): Range {
  return [Date.parse(from), Date.parse(to), dayMs, (at) => new Date(at).toISOString().slice(0, 10)];
}

function isDay(value: string): boolean {
  return /^\d{4}-\d{2}-\d{2}$/.test(value) && new Date(Date.parse(value) || 0).toISOString().startsWith(value);
}

/** The sets of a file: JSON objects, one a line, or CSV whose first line names the inputs (`.csv`). `-` is standard input. */
export async function setsOf(file: string, cwd: string, schemas: Schemas): Promise<Record<string, unknown>[]> {
  const whole = await read(file, cwd);
  const sets = isCsv(file, whole) ? csvSets(whole, file, schemas) : jsonSets(whole, file);
  if (sets.length === 0) throw new UsageError(`--file ${file} has no input sets.`);
  return sets;
}

async function read(file: string, cwd: string): Promise<string> {
  try {
    return file === "-" ? await text(process.stdin) : await readFile(resolve(cwd, file), "utf8");
  } catch (error) {
    throw new UsageError(`--file ${file} cannot be read: ${(error as Error).message}`);
  }
}

function isCsv(file: string, whole: string): boolean {
  return file === "-" ? !whole.trimStart().startsWith("{") : /\.csv$/i.test(file);
}

function jsonSets(whole: string, file: string): Record<string, unknown>[] {
  return whole.split(/\r?\n/).flatMap((line, index): Record<string, unknown>[] => {
    if (line.trim() === "") return [];
    const set = jsonOf(line, `--file ${file}, line ${index + 1}`);
    if (typeof set === "object" && set !== null && !Array.isArray(set)) return [set as Record<string, unknown>];
    throw new UsageError(`--file ${file}, line ${index + 1}: it is no JSON object like {"day": "2024-06-01"}.`);
  });
}

function jsonOf(line: string, where: string): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    throw new UsageError(`${where}: it is no JSON: ${(error as Error).message}`);
  }
}

/** What is empty is left out: the pipeline's own value counts. */
function csvSets(whole: string, file: string, schemas: Schemas): Record<string, unknown>[] {
  const [names = [], ...rows] = csvRows(whole.replace(/^\uFEFF/, ""));
  if (names.some((name) => name.trim() === "")) throw new UsageError(`--file ${file}: a column has no name.`);
  return rows.map((row, index) => {
    if (row.length > names.length)
      throw new UsageError(`--file ${file}, row ${index + 2}: it has more values than names.`);
    const given = row.flatMap((value, column): [string, unknown][] => {
      const name = names[column]?.trim() ?? "";
      return value === "" ? [] : [[name, typedValue(value, schemas.get(name))]];
    });
    return Object.fromEntries(given);
  });
}

/** Rows of CSV as RFC 4180 has it: values in quotes may hold commas, line ends and doubled quotes. Empty lines are no rows. */
function csvRows(whole: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  for (const [, quoted, plain = "", end] of whole.matchAll(/(?:"((?:[^"]|"")*)"|([^,\r\n]*))(,|\r?\n|$)/g)) {
    row.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end === ",") continue;
    if (row.length > 1 || row[0] !== "") rows.push(row);
    row = [];
  }
  return rows;
}
