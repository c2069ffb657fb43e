/** Two jobs beside each other: what was asked for, what ran, and what came of it. Only what differs. */
import { type Difference, differences } from "./differences.ts";
import type { Json, JsonObject } from "./json.ts";

/** What became of a node in a run; never_ran: it was on the way and did not begin. */
export const comparedStates = ["never_ran", "running", "succeeded", "failed", "reused", "stopped"] as const;
export type ComparedState = (typeof comparedStates)[number];

/** A node of a job's last attempt, its branches together. */
export interface ComparedNode {
  node: string;
  state: ComparedState;
  /** How often it ran: more than once in branches. */
  runs: number;
  /** Of all its branches together; null while it runs, and when it never ran. */
  durationMs: number | null;
  /** Null when the graph of that code is not known. */
  codeHash: string | null;
  dependsOn: string[] | null;
}

/** ValueSummary of the runtime protocol, as far as it is compared. */
interface Summary {
  type: string;
  shape: number[] | null;
  length: number | null;
  columns: { name: string; type: string }[] | null;
  preview: string | null;
}

export interface ComparedResult {
  name: string;
  summary: Summary | null;
  /** Equal for equal values; null when the value is not kept. */
  digest: string | null;
  /** Whether `value` is the value: kept, and small enough to be shown. */
  hasValue: boolean;
  value: Json;
}

interface ComparedError {
  kind: string;
  type: string;
  message: string;
  node?: string | null;
}

/** All that is compared of a job. */
export interface ComparedJob<E extends ComparedError = ComparedError> {
  inputs: JsonObject;
  config: JsonObject;
  finalVars: string[] | null;
  /** Options and settings by name. */
  settings: JsonObject;
  /** State and counters by name. */
  outcome: JsonObject;
  error: E | null;
  /** Of the last attempt; null before its graph was resolved. */
  codeHash: string | null;
  context: JsonObject | null;
  durationMs: number | null;
  /** In the order of the path. */
  nodes: ComparedNode[];
  results: ComparedResult[];
}

export interface DurationDifference {
  aMs: number;
  bMs: number;
  differenceMs: number;
  /** Of `b` to `a`; null when `a` took no time. */
  ratio: number | null;
}

export interface NodeDifference {
  node: string;
  /** Null when the node is not part of that run. */
  a: ComparedNode | null;
  b: ComparedNode | null;
  /** Null when it is not known. */
  codeChanged: boolean | null;
  dependenciesChanged: boolean | null;
  duration: DurationDifference | null;
}

export const resultAspects = ["presence", "type", "shape", "columns", "value", "preview"] as const;
export type ResultAspect = (typeof resultAspects)[number];

export interface ResultDifference {
  name: string;
  aspects: ResultAspect[];
  a: ComparedResult | null;
  b: ComparedResult | null;
}

export interface Comparison<E extends ComparedError = ComparedError> {
  /** Nothing differs but the time that things took. */
  isSame: boolean;
  request: Difference[];
  resolved: Difference[];
  settings: Difference[];
  code: { a: string | null; b: string | null; files: Difference[] } | null;
  packages: Difference[];
  nodes: NodeDifference[];
  results: ResultDifference[];
  outcome: Difference[];
  error: { a: E | null; b: E | null } | null;
  duration: DurationDifference | null;
}

export function compare<E extends ComparedError>(a: ComparedJob<E>, b: ComparedJob<E>): Comparison<E> {
  const differ = (part: (job: ComparedJob<E>) => JsonObject) => differences(part(a), part(b));
  const sameCode = a.codeHash !== null && a.codeHash === b.codeHash;
  const nodes = compareNodes(a.nodes, b.nodes, sameCode);
  const found = {
    request: differ(({ inputs, config, finalVars }) => ({ inputs, config, ...whenSet({ finalVars }) })),
    resolved: differ((job) => resolvedOf(job, hashKeyOf(a) === hashKeyOf(b))),
    settings: differ(({ settings }) => settings),
    code: a.codeHash === b.codeHash ? null : { a: a.codeHash, b: b.codeHash, files: differ(filesOf) },
    packages: differ(packagesOf),
    results: compareResults(a.results, b.results),
    outcome: differ(({ outcome }) => outcome),
    error: compareErrors(a.error, b.error),
  };
  const isSame =
    Object.values(found).every((part) => part === null || (Array.isArray(part) && part.length === 0)) &&
    nodes.every(isOnlySlower);
  return { isSame, ...found, nodes, duration: durationOf(a.durationMs, b.durationMs) };
}

/** What of a context has its place elsewhere in a comparison. */
const elsewhere = ["path", "finalVars", "packages", "modules", "python", "executable", "inputSources"];

/** A value of a context's `resolved`. */
interface Resolved {
  path: string;
  value: Json;
  reference: string | null;
  source: string;
  keyedHash: string | null;
}

function resolvedValues({ context }: ComparedJob): Resolved[] | null {
  return Array.isArray(context?.resolved) ? (context.resolved as unknown as Resolved[]) : null;
}

/** The name of the key of a job's hashes; of two with different keys no hashes can be compared. */
function hashKeyOf(job: ComparedJob): string | null {
  const hash = resolvedValues(job)?.find(({ keyedHash }) => keyedHash !== null)?.keyedHash;
  return hash?.split(":")[0] ?? null;
}

/** The run config as the last attempt resolved it, each value with its source; what is not told by its reference and hash. */
function resolvedOf(job: ComparedJob, withHashes: boolean): JsonObject {
  const values = resolvedValues(job);
  if (values === null) return toldOf(job);
  return Object.fromEntries(
    values.map(({ path, value, reference, keyedHash, source }) => {
      const hash = withHashes && keyedHash !== null ? [`hash ${keyedHash}`] : [];
      const stands = [reference ?? [], hash].flat().join(", ");
      return [path, { value: reference === null && keyedHash === null ? value : stands, source }];
    }),
  );
}

/** The same of an attempt of before each value had its source: the inputs with theirs, and whatever else the context tells. */
function toldOf({ context, inputs }: ComparedJob): JsonObject {
  if (context === null) return {};
  const { run, ...rest } = context;
  const { inputs: written, ...settings } = objectOf(run);
  const sources = Object.entries(objectOf(context.inputSources)).map(([name, source]): [string, Json] => [
    name,
    // What comes from the environment is known by its source alone.
    { value: { ...objectOf(written), ...inputs }[name] ?? null, source: source as string },
  ]);
  const others = Object.entries(rest).filter(([key]) => !elsewhere.includes(key));
  return {
    inputs: Object.fromEntries(sources),
    ...whenSet({ finalVars: context.finalVars as string[] | undefined }),
    run: settings,
    ...Object.fromEntries(others),
  };
}

function packagesOf({ context }: ComparedJob): JsonObject {
  const { python, executable, packages } = context ?? {};
  return { ...objectOf(packages), ...whenSet({ python, executable }) };
}

/** Hashes of the files of the code. */
function filesOf({ context }: ComparedJob): JsonObject {
  const modules = Array.isArray(context?.modules) ? context.modules : [];
  const hashes = modules.map(objectOf).map(({ file, sha256 }): [string, Json] => [String(file), sha256 ?? null]);
  return Object.fromEntries(hashes);
}

function objectOf(value: Json | undefined): JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? value : {};
}

/** Without what is not there. */
function whenSet(values: { [key: string]: Json | undefined }): JsonObject {
  const there = Object.entries(values).filter(([, value]) => value !== undefined && value !== null);
  return Object.fromEntries(there) as JsonObject;
}

function compareNodes(a: readonly ComparedNode[], b: readonly ComparedNode[], sameCode: boolean): NodeDifference[] {
  const [inA, inB] = [a, b].map((nodes) => new Map(nodes.map((one) => [one.node, one]))) as [
    Map<string, ComparedNode>,
    Map<string, ComparedNode>,
  ];
  const names = [...new Set([...b, ...a].map(({ node }) => node))];
  return names.flatMap((node) => {
    const [left, right] = [inA.get(node) ?? null, inB.get(node) ?? null];
    const found = compareNode(node, left, right, sameCode);
    const isDifferent = !isOnlySlower(found) || isNoticeable(found.duration);
    return isDifferent ? [found] : [];
  });
}

function compareNode(node: string, a: ComparedNode | null, b: ComparedNode | null, sameCode: boolean): NodeDifference {
  const changed = (part: (one: ComparedNode) => Json) => {
    if (sameCode) return false;
    const [left, right] = [a === null ? null : part(a), b === null ? null : part(b)];
    return left === null || right === null ? null : JSON.stringify(left) !== JSON.stringify(right);
  };
  return {
    node,
    a,
    b,
    codeChanged: changed(({ codeHash }) => codeHash),
    dependenciesChanged: changed(({ dependsOn }) => dependsOn?.toSorted() ?? null),
    duration: durationOf(a?.durationMs, b?.durationMs),
  };
}

/** Nothing but its time differs. */
function isOnlySlower({ a, b, codeChanged, dependenciesChanged }: NodeDifference): boolean {
  return a?.state === b?.state && a?.runs === b?.runs && codeChanged !== true && dependenciesChanged !== true;
}

/** A run is never as fast as the one before: by less than 10 ms or a quarter nobody is told. */
function isNoticeable(duration: DurationDifference | null): boolean {
  if (duration === null || Math.abs(duration.differenceMs) < 10) return false;
  return duration.ratio === null || duration.ratio >= 1.25 || duration.ratio <= 0.8;
}

function durationOf(aMs: number | null | undefined, bMs: number | null | undefined): DurationDifference | null {
  if (aMs == null || bMs == null) return null;
  return { aMs, bMs, differenceMs: bMs - aMs, ratio: aMs === 0 ? null : bMs / aMs };
}

function compareResults(a: readonly ComparedResult[], b: readonly ComparedResult[]): ResultDifference[] {
  const names = [...new Set([...a, ...b].map(({ name }) => name))].toSorted();
  return names.flatMap((name) => {
    const [left, right] = [a, b].map((results) => results.find((one) => one.name === name) ?? null) as [
      ComparedResult | null,
      ComparedResult | null,
    ];
    const aspects = aspectsOf(left, right);
    return aspects.length === 0 ? [] : [{ name, aspects, a: left, b: right }];
  });
}

function aspectsOf(a: ComparedResult | null, b: ComparedResult | null): ResultAspect[] {
  if (a === null || b === null) return ["presence"];
  const differs = (part: (summary: Summary) => unknown) =>
    a.summary !== null && b.summary !== null && JSON.stringify(part(a.summary)) !== JSON.stringify(part(b.summary));
  const valuesAreKnown = a.digest !== null && b.digest !== null;
  const aspects: [ResultAspect, boolean][] = [
    ["type", differs(({ type }) => type)],
    ["shape", differs(({ shape, length }) => [shape, length])],
    ["columns", differs(({ columns }) => columns)],
    ["value", valuesAreKnown && a.digest !== b.digest],
    // Of values that are not kept it is all there is to tell them apart by.
    ["preview", !valuesAreKnown && differs(({ preview }) => preview?.replaceAll(/\b0x[0-9a-f]+/g, "0x") ?? null)],
  ];
  return aspects.flatMap(([aspect, isDifferent]) => (isDifferent ? [aspect] : []));
}

function compareErrors<E extends ComparedError>(a: E | null, b: E | null): { a: E | null; b: E | null } | null {
  const facts = (error: E | null) => error && [error.kind, error.type, error.message, error.node ?? null];
  return JSON.stringify(facts(a)) === JSON.stringify(facts(b)) ? null : { a, b };
}
