import { randomUUID } from "node:crypto";
import { graphileWorker as backend } from "../../src/backends/graphile-worker/backend.ts";
import type { Database } from "../../src/db/client.ts";
import { ticketSchema } from "../../src/db/migrate.ts";
import { insertJobs, type NewJob } from "../../src/jobs/insert.ts";
import { openWrites, type Started } from "../../src/worker/writes.ts";
import { insertWorker } from "./factories.ts";
import { newJob, silentWakeups } from "./jobs.ts";

/** A job that was enqueued. Returns its id. */
export async function queuedJob(db: Database, given: Partial<NewJob> = {}): Promise<string> {
  const job = newJob({ id: db.ids.next(), ...given });
  await insertJobs(db.sql, backend, [job]);
  return job.id;
}

/** Starts the next attempt of a job and uses up its ticket; null when it is refused. */
export async function startJob(db: Database, id: string, workerId?: string): Promise<Started | null> {
  const [job] = await db.sql<{ attempt: number }[]>`select attempt from jobs where id = ${id}`;
  const started = await openWrites(db, backend, silentWakeups()).start({
    id,
    attempt: job?.attempt as number,
    runToken: randomUUID(),
    attemptId: db.ids.next(),
    workerId: workerId ?? (await insertWorker(db.sql)),
    data: { worker: "wkr_x" },
  });
  if (started !== null)
    await db.sql`delete from ${db.sql(ticketSchema)}._private_jobs where key = ${`${id}/${started.attempt}`}`;
  return started;
}

/** A job that was enqueued and started. */
export async function runningJob(db: Database, given: Partial<NewJob> = {}, workerId?: string): Promise<Started> {
  const started = await startJob(db, await queuedJob(db, given), workerId);
  if (started === null) throw new Error("the job was not started");
  return started;
}

/** Resolves when some statement of this database waits for a lock; tells how many do. */
export async function waitingForLock(db: Database, count = 1): Promise<void> {
  for (const end = Date.now() + 5000; ; ) {
    const [row] = await db.sql<{ waiting: number }[]>`
      select count(*)::int as waiting from pg_locks l join pg_stat_activity a using (pid)
      where not l.granted and a.datname = current_database()`;
    if ((row?.waiting ?? 0) >= count) return;
    if (Date.now() > end) throw new Error("nothing waits for a lock");
  }
}
