import type { Database } from "../db/client.ts";
import type { DatabaseProbe } from "./database-probe.ts";
import type { StoreProbe } from "./store-probe.ts";

/** Whether this server can do its work, and what is in the way. */
export interface Readiness {
  ready: boolean;
  database: boolean;
  /** Workers that have been heard of lately; null when the database cannot tell. */
  workers: number | null;
  /** Why workers keep no artifacts at present; runs go on all the same. Empty when they do. */
  artifacts: string[];
  /** Why this server cannot hand out artifacts that workers keep; null when it can. */
  downloads: string | null;
  clockSkewMs: number;
  stopping: boolean;
}

/** Ready: the database answers, a worker lives, and this server is not about to stop. Answers within two seconds. */
export async function readiness(
  db: Database,
  probe: DatabaseProbe,
  store: StoreProbe,
  stopping: boolean,
): Promise<Readiness> {
  const database = await probe.answers();
  const [{ workers, artifacts }, downloads] = database
    ? await Promise.all([livingWorkers(db), store.problem()])
    : [nobodyKnows, null];
  return {
    ready: database && (workers ?? 0) > 0 && !stopping,
    database,
    workers,
    artifacts,
    downloads,
    clockSkewMs: db.clockSkewMs(),
    stopping,
  };
}

const nobodyKnows = { workers: null, artifacts: [] };

async function livingWorkers(db: Database): Promise<Pick<Readiness, "workers" | "artifacts">> {
  try {
    const [row] = await db.sql<{ workers: number; artifacts: string[] }[]>`
      select count(*)::int as workers,
        array(
          select distinct host || ': ' || store_problem from workers
          where store_problem is not null and ended_at is null and heartbeat_at > queue_now() - interval '30 seconds'
        ) as artifacts
      from workers where ended_at is null and heartbeat_at > queue_now() - interval '30 seconds'`;
    return row ?? { workers: 0, artifacts: [] };
  } catch {
    return nobodyKnows;
  }
}
