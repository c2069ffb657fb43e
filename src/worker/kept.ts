import type { ArtifactKind } from "../domain/event-types.ts";
import type { Json } from "../domain/json.ts";
import { storable } from "../pipelines/storable.ts";
import type { RunArtifact, RunResult } from "../runtime/protocol.ts";
import type { RunEnded } from "../runtime/run.ts";

/** Where the files of a run are, and for how long what it leaves is kept. */
export interface Keeping {
  /** The store's id; null when none is used. */
  store: string | null;
  resultTtlMs: number;
  logTtlMs: number;
}

/** How a run has ended, with what was kept of it where. */
export type Executed = RunEnded & { keeping?: Keeping };

/** A row of `artifacts`, but for its id and whose it is. */
export interface ArtifactRow {
  name: string;
  kind: ArtifactKind;
  position: number;
  summary: Json;
  hasValue: boolean;
  value: Json;
  omitted: string | null;
  mediaType: string | null;
  uri: string | null;
  store: string | null;
  bytes: number | null;
  sha256: string | null;
  schema: Json;
  preview: Json;
  /** From its end; null: as long as its job. */
  ttlMs: number | null;
}

/** The rows of what an attempt leaves: results, then files, then the log. */
export function artifactRows({ results, left, keeping }: Executed): ArtifactRow[] {
  const { store = null, resultTtlMs = null, logTtlMs = null } = keeping ?? {};
  const ofResults = Object.entries(results).map(([name, result]) => ({
    ...fileOf(result.artifact ?? null, store),
    ...inlineOf(result),
    name,
    kind: "result" as const,
    summary: result.summary as Json,
    omitted: result.omitted,
    ttlMs: resultTtlMs,
  }));
  const files = left?.files ?? [];
  const ofFiles = [
    ...files.map((file) => ({ kind: "file" as const, file, ttlMs: resultTtlMs })),
    ...logOf(left, logTtlMs),
  ];
  const rows = [
    ...ofResults,
    ...ofFiles.map(({ kind, file, ttlMs }) => ({
      ...fileOf(file.artifact, store),
      name: file.name,
      kind,
      summary: null,
      hasValue: false,
      value: null,
      omitted: file.omitted,
      ttlMs,
    })),
  ];
  const names = uniqueNames(rows);
  return rows.map((row, index) => {
    return { ...row, name: names[index] ?? row.name, position: index + 1, ttlMs: boundedTtl(row.ttlMs) };
  });
}

/** The rows of an attempt of which the database has refused something: that they were there, and nothing of what they were. */
export function withheld(rows: readonly ArtifactRow[]): ArtifactRow[] {
  const omitted = "not kept: the database did not take it";
  return rows.map(({ name, kind, position }) => {
    const empty = { summary: null, hasValue: false, value: null, omitted, ttlMs: null };
    return { name: storable(name), kind, position, ...fileOf(null, null), ...empty };
  });
}

/** Two files whose names differ in bytes that are no UTF-8 are told by the same name. */
function uniqueNames(rows: readonly Pick<ArtifactRow, "name" | "kind">[]): string[] {
  const taken = new Set<string>();
  return rows.map(({ name, kind }) => {
    let unique = name;
    for (let n = 2; taken.has(`${kind} ${unique}`); n += 1) unique = `${name} (${n})`;
    taken.add(`${kind} ${unique}`);
    return unique;
  });
}

function logOf(left: Executed["left"], ttlMs: number | null) {
  const log = left?.log ?? null;
  return log === null ? [] : [{ kind: "log" as const, file: log, ttlMs }];
}

function inlineOf({ value }: RunResult): Pick<ArtifactRow, "hasValue" | "value"> {
  return { hasValue: value !== undefined, value: (value ?? null) as Json };
}

function fileOf(artifact: RunArtifact | null, store: string | null) {
  const { path, mediaType, bytes, sha256, schema, preview } = artifact ?? noFile;
  return { uri: path, store: artifact && store, mediaType, bytes, sha256, schema, preview: preview as Json };
}

const noFile = { path: null, mediaType: null, bytes: null, sha256: null, schema: null, preview: null };

/** Postgres has no times without end; a century is as good. */
const longestTtlMs = 100 * 365 * 86_400_000;

function boundedTtl(ttlMs: number | null): number | null {
  return ttlMs === null ? null : Math.min(ttlMs, longestTtlMs);
}
