import type { Database } from "../db/client.ts";
import type { DatabaseProbe } from "./database-probe.ts";

/** Whether this server can do its work, and what is in the way. */
export interface Readiness {
  ready: boolean;
  database: boolean;
  /** Workers that have been heard of lately; null when the database cannot tell. */
  workers: number | null;
  clockSkewMs: number;
  stopping: boolean;
}

/** Ready: the database answers, a worker lives, and this server is not about to stop. Answers within two seconds. */
export async function readiness(db: Database, probe: DatabaseProbe, stopping: boolean): Promise<Readiness> {
  const database = await probe.answers();
  const workers = database ? await livingWorkers(db) : null;
  return {
    ready: database && (workers ?? 0) > 0 && !stopping,
    database,
    workers,
    clockSkewMs: db.clockSkewMs(),
    stopping,
  };
}

async function livingWorkers(db: Database): Promise<number | null> {
  try {
    const [row] = await db.sql<{ workers: number }[]>`
      select count(*)::int as workers from workers where ended_at is null and heartbeat_at > queue_now() - interval '30 seconds'`;
    return row?.workers ?? 0;
  } catch {
    return null;
  }
}
