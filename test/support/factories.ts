import { randomUUID } from "node:crypto";
import type { Database, Sql } from "../../src/db/client.ts";
import { isTerminalEvent } from "../../src/domain/event-types.ts";
import type { JsonObject } from "../../src/domain/json.ts";
import { type FinalState, isFinal, type JobState } from "../../src/domain/lifecycle.ts";

export interface JobOptions {
  id: string;
  state: JobState;
  project: string;
  pipeline: string;
  queue: string;
  priority: number;
  attempt: number;
  life: number;
}

/** A job in the given state with all that the state implies (worker, attempt, times), and its events. Returns its id. */
export async function insertJob(db: Database, options: Partial<JobOptions> = {}): Promise<string> {
  const { id = db.ids.next(), state = "queued", project = "bikes", pipeline = "daily_report" } = options;
  const { queue = "default", priority = 50, life = 1 } = options;
  const hasRun = state === "running" || state === "retryable" || state === "succeeded" || state === "failed";
  const attempt = options.attempt ?? (hasRun ? 1 : 0);
  await db.sql.begin(async (sql) => {
    const workerId = state === "running" ? await insertWorker(sql) : null;
    await sql`
      insert into jobs (
        id, project, pipeline, queue, state, priority, attempt, life, max_attempts, max_losses, on_worker_lost, last_seq,
        run_token, worker_id, created_at, run_at, ticketed_at, started_at, finished_at, error_kind
      ) values (
        ${id}, ${project}, ${pipeline}, ${queue}, ${state}, ${priority}, ${attempt}, ${life}, 3, 3, 'retry', 0,
        ${state === "running" ? randomUUID() : null}, ${workerId}, queue_now(),
        queue_now() + ${state === "scheduled" || state === "retryable" ? "1 hour" : "0 s"}::text::interval,
        ${state === "running" ? sql`queue_now()` : null}, ${hasRun ? sql`queue_now()` : null},
        ${isFinal(state) ? sql`queue_now()` : null}, ${state === "failed" || state === "retryable" ? "PIPELINE" : null}
      )`;
    const data = { state, priority, queue, runAt: new Date().toISOString(), actor: "test" };
    await insertEvents(sql, id, [{ type: "job.enqueued", data }]);
    if (isFinal(state)) await insertEvents(sql, id, [{ type: `job.${state}` }]);
  });
  return id;
}

export interface EventOptions {
  type?: string;
  node?: string | null;
  data?: JsonObject;
}

/** Appends events to a job in the caller's transaction: numbered under the job's row lock, as the product does it. */
export async function insertEvents(sql: Sql, jobId: string, events: readonly EventOptions[]): Promise<void> {
  const rows = events.map(({ type = "log.line", node = null, data = {} }) => ({ type, node, data }));
  await sql`
    with numbered as (
      update jobs set last_seq = last_seq + ${rows.length} where id = ${jobId} returning life, last_seq - ${rows.length} as before
    )
    insert into events (job_id, seq, life, attempt, type, version, node, recorded_at, occurred_at, data)
    select ${jobId}, n.before + e.number, n.life, null, e.type, 1, e.node, queue_now(), queue_now(), e.data
    from numbered n, rows from (
      jsonb_to_recordset(${sql.json(rows)}) as (type text, node text, data jsonb)
    ) with ordinality as e (type, node, data, number)`;
}

/** Ends the life of a job, with its terminal event, in the caller's transaction. */
export async function finishJob(sql: Sql, jobId: string, state: FinalState = "succeeded"): Promise<void> {
  await sql`
    update jobs set state = ${state}, finished_at = queue_now(), ticketed_at = null, run_token = null where id = ${jobId}`;
  const type = `job.${state}`;
  if (!isTerminalEvent(type)) throw new Error(`${type} ends nothing`);
  await insertEvents(sql, jobId, [{ type }]);
}

/** Opens the next life of a job that has ended, in the caller's transaction. */
export async function requeueJob(sql: Sql, jobId: string): Promise<void> {
  await sql`
    update jobs set state = 'queued', life = life + 1, finished_at = null, started_at = null, error_kind = null
    where id = ${jobId}`;
  await insertEvents(sql, jobId, [{ type: "job.requeued", data: { actor: "test" } }]);
}

/** A worker that is alive. Returns its id. */
export async function insertWorker(sql: Sql): Promise<string> {
  const id = randomUUID();
  await sql`
    insert into workers (id, process, host, pid, version, slots, projects, state, started_at, heartbeat_at)
    values (${id}, ${id}, 'localhost', ${process.pid}, '0.0.0', 1, '[]', 'running', queue_now(), queue_now())`;
  return id;
}
