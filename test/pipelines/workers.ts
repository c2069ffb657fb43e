import { randomUUID } from "node:crypto";
import type { Sql } from "../../src/db/client.ts";

interface Given {
  id?: string;
  host?: string;
  projects: { name: string; root: string }[];
  ended?: boolean;
  /** How long ago it was last heard of. */
  heartbeat?: string;
}

/** The row of a worker, alive unless it is said otherwise. */
export async function liveWorker(db: { sql: Sql }, given: Given): Promise<void> {
  const { id = randomUUID(), host = "here", projects, ended = false, heartbeat = "0 seconds" } = given;
  await db.sql`
    insert into workers (id, host, pid, process, version, slots, projects, state, started_at, heartbeat_at, ended_at)
    values (${id}, ${host}, 1, ${id}, '0.1.0', 1, ${db.sql.json(projects)}, ${ended ? "stopped" : "running"},
      queue_now(), queue_now() - ${heartbeat}::interval, case when ${ended} then queue_now() end)`;
}
