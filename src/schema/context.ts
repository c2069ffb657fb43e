import type { Database } from "../db/client.ts";
import type { Retention } from "../domain/retention.ts";
import type { Actor } from "../domain/run-request.ts";
import type { Tail } from "../events/tail.ts";
import type { JobsContext } from "../jobs/context.ts";

/**
 * What an actor may do. read: see jobs, pipelines, workers; enqueue: add jobs; manage: cancel and change them; admin: keys,
 * audit; payloads: see inputs, results and log lines.
 */
export const scopes = ["read", "enqueue", "manage", "admin", "payloads"] as const;
export type Scope = (typeof scopes)[number];

/** Facts about the process that answers. */
export interface ServerInfo {
  version: string;
  startedAt: Date;
  /** Why it cannot hand out artifacts that workers keep; null when it can. */
  artifactProblem(): Promise<string | null>;
  /** How long jobs that have ended are kept. */
  retention: Retention;
}

/** What every resolver is given. A subscription gets a fresh one for each event, so that rights and loads are fresh too. */
export interface Context {
  actor: Actor;
  scopes: ReadonlySet<Scope>;
  db: Database;
  jobs: JobsContext;
  tail: Tail;
  server: ServerInfo;
  /** Where a reconnecting stream goes on, as the transport tells it (`Last-Event-ID`); it is newer than the argument `after`. */
  resumeAfter: string | null;
}
