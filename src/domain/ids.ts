import { TypeID } from "typeid-js";
import { v7 } from "uuid";

/** What an id names, as its prefix says. Queues and pipelines are named by their names (`que_default`, `pip_bikes/daily_report`). */
export const idPrefixes = {
  job: "job",
  attempt: "att",
  node: "node",
  schedule: "sch",
  tick: "tick",
  batch: "bat",
  project: "prj",
  version: "ver",
  worker: "wkr",
  key: "key",
  artifact: "art",
  failure: "fail",
  operation: "op",
} as const;
export type IdKind = keyof typeof idPrefixes;

/** The id that people see: `job_` and 26 characters (the TypeID specification 0.3 over a UUIDv7). */
export function idText(kind: IdKind, uuid: string): string {
  return TypeID.fromUUID(idPrefixes[kind], uuid).toString();
}

/** The UUID inside an id, or null when the text is no id of this kind. */
export function uuidOf(kind: IdKind, text: string): string | null {
  const prefix = idPrefixes[kind];
  if (!text.startsWith(`${prefix}_`) || text.length !== prefix.length + 27) return null;
  try {
    return TypeID.fromString(text, prefix).toUUID();
  } catch {
    return null;
  }
}

/**
 * Makes UUIDv7s that grow: within a process each is larger than the one before, whatever the clock does.
 * Their time is the database's, so that jobs made by several machines sort by when they were made.
 */
export class IdSource {
  #lastMs = 0;
  #sequence = 0;
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  next(): string {
    const nowMs = Math.floor(this.#now());
    if (nowMs > this.#lastMs) {
      this.#lastMs = nowMs;
      this.#sequence = 0;
    } else {
      this.#sequence += 1;
    }
    return v7({ msecs: this.#lastMs, seq: this.#sequence });
  }
}
