import type { Sql } from "../../src/db/client.ts";
import { ticketSchema } from "../../src/db/migrate.ts";
import { isTerminalEvent } from "../../src/domain/event-types.ts";
import type { JobState } from "../../src/domain/lifecycle.ts";

interface JobRow {
  id: string;
  state: JobState;
  attempt: number;
  life: number;
  lastSeq: number;
  failures: number;
  losses: number;
  maxAttempts: number;
  maxLosses: number;
  onWorkerLost: "retry" | "fail";
}

interface EventRow {
  seq: number;
  type: string;
  attempt: number | null;
  life: number;
  sourceSeq: number | null;
  /** Of job.enqueued: the state in which the job began. */
  began: JobState | null;
}

/** What the clients and workers of a schedule know to be so. */
export interface Known {
  /** Jobs that an enqueue has answered with. */
  accepted: ReadonlySet<string>;
  /** Runs that a worker has begun. */
  ran: readonly { jobId: string; attempt: number }[];
  /** Runs whose end, as it was written, the worker has been told. */
  ended: readonly { jobId: string; attempt: number; state: JobState }[];
}

/** What holds at every moment. Returns what does not. */
export async function violationsNow(sql: Sql, since: string): Promise<string[]> {
  const rows = await sql<{ job: string; wrong: string }[]>`
    with live as (
      select split_part(key, '/', 1)::uuid as job, split_part(key, '/', 2)::int as attempt, locked_by
      from ${sql(ticketSchema)}.jobs where key is not null
    )
    select j.id as job, 'is queued with a ticket and has none' as wrong from jobs j
    where j.id > ${since} and j.state = 'queued' and j.ticketed_at is not null
      and (j.expires_at is null or j.started_at is not null or j.expires_at > queue_now())
      and not exists (select 1 from live t where t.job = j.id and t.attempt = j.attempt + 1)
    union all
    select j.id, 'has a ticket that any worker may take, in state ' || j.state from jobs j
    join live t on t.job = j.id and t.locked_by is null
    where j.id > ${since} and not (j.state = 'queued' and t.attempt = j.attempt + 1 and j.ticketed_at is not null)
    union all
    select j.id, 'runs without an open attempt of its worker' from jobs j
    where j.id > ${since} and j.state = 'running' and not exists (
      select 1 from attempts a where a.job_id = j.id and a.attempt = j.attempt and a.ended_at is null
        and a.run_token = j.run_token and a.worker_id = j.worker_id)
    union all
    select j.id, 'has an open attempt that does not run' from jobs j join attempts a on a.job_id = j.id and a.ended_at is null
    where j.id > ${since} and not (j.state = 'running' and a.attempt = j.attempt)
    union all
    select j.id, 'waits for ' || j.waiting_for || ' jobs, of which ' || count(p.id) || ' have not ended' from jobs j
    left join job_dependencies d on d.job_id = j.id and d.resolved_at is null
    left join (
      select id from jobs where state not in ('succeeded', 'failed', 'cancelled', 'expired')
      union all select id from batches where completed_at is null
    ) p on p.id = d.parent_id
    where j.id > ${since} and j.state = 'blocked'
    group by j.id, j.waiting_for having j.waiting_for = 0 or j.waiting_for <> count(p.id)
    union all
    select b.id, 'is complete and has jobs that have not ended' from batches b
    where b.id > ${since} and b.completed_at is not null
      and exists (select from jobs j where j.batch_id = b.id and j.finished_at is null)
    union all
    select b.id, 'has not all its jobs' from batches b
    where b.id > ${since} and b.total <> (select count(*) from jobs j where j.batch_id = b.id)`;
  return rows.map(({ job, wrong }) => `${job} ${wrong}`);
}

/** What holds when all is over. Returns what does not. */
export async function violationsAtTheEnd(sql: Sql, since: string, known: Known): Promise<string[]> {
  const jobs = await sql<JobRow[]>`
    select id, state, attempt, life, last_seq as "lastSeq", failures, losses, max_attempts as "maxAttempts",
      max_losses as "maxLosses", on_worker_lost as "onWorkerLost"
    from jobs where id > ${since} order by id`;
  const log = await sql<(EventRow & { jobId: string })[]>`
    select job_id as "jobId", seq, type, attempt, life, source_seq as "sourceSeq", data ->> 'state' as began from events
    where job_id > ${since} order by job_id, seq`;
  const events = Map.groupBy(log, ({ jobId }) => jobId);
  const found: string[] = [];
  for (const job of jobs) {
    for (const wrong of wrongWith(job, events.get(job.id) ?? [])) found.push(`${job.id} ${wrong}`);
  }
  const byId = new Map(jobs.map((job) => [job.id, job]));
  for (const id of known.accepted) if (!byId.has(id)) found.push(`${id} was accepted and is not there`);
  const runs = known.ran.map(({ jobId, attempt }) => `${jobId}/${attempt}`);
  if (new Set(runs).size < runs.length) found.push(`an attempt was run twice: ${runs.toSorted().join(" ")}`);
  for (const { jobId, attempt, state } of known.ended) {
    const ends = (events.get(jobId) ?? []).filter((event) => event.attempt === attempt).map(({ type }) => type);
    if (state === "succeeded" && !ends.includes("job.succeeded")) found.push(`${jobId} was told to have succeeded`);
  }
  const [left] = await sql<{ tickets: number; results: number; failures: number; grouped: number }[]>`
    select (select count(*) from ${sql(ticketSchema)}.jobs)::int as tickets,
      (select count(*) from jobs j where j.id > ${since} and (j.state = 'succeeded') <> exists (
        select 1 from artifacts a where a.job_id = j.id and a.attempt = j.attempt))::int as results,
      -- Of all schedules before, too.
      (select count(*) from events where type in ('job.failed', 'job.retry_planned', 'job.rescued'))::int as failures,
      (select coalesce(sum(count), 0) from failure_groups)::int as grouped`;
  found.push(...(await wrongBatches(sql, since)));
  if (left?.tickets !== 0) found.push(`${left?.tickets} tickets are left`);
  if (left?.results !== 0) found.push(`${left?.results} jobs have results and no success, or the reverse`);
  if (left?.grouped !== left?.failures) found.push(`${left?.failures} attempts failed, ${left?.grouped} are grouped`);
  return found;
}

/** A batch is completed once for each of its lives: its log is a completion, then nothing, or an opening before the next. */
async function wrongBatches(sql: Sql, since: string): Promise<string[]> {
  const batches = await sql<{ id: string; lastSeq: number; outcome: string | null; types: string[]; seqs: number[] }[]>`
    select b.id, b.last_seq as "lastSeq", b.outcome, array_agg(e.type order by e.seq) as types, array_agg(e.seq order by e.seq) as seqs
    from batches b join batch_events e on e.batch_id = b.id where b.id > ${since} group by b.id`;
  return batches.flatMap(({ id, lastSeq, outcome, types, seqs }) => {
    const lives = types.filter((type) => ["batch.completed", "batch.reopened"].includes(type));
    const isTurnByTurn = lives.every((type, index) => (type === "batch.completed") === (index % 2 === 0));
    const wrong = [
      ...(types[0] === "batch.enqueued" && lives.at(-1) === "batch.completed" && isTurnByTurn
        ? []
        : [types.join(", ")]),
      ...(seqs.every((seq, index) => seq === index + 1) && seqs.length === lastSeq ? [] : [`numbers ${seqs}`]),
      ...(outcome === null ? ["no outcome"] : []),
    ];
    return wrong.map((what) => `batch ${id} has ${what}`);
  });
}

/** Reads the log of a job as its life went, and tells where it left the table of transitions. */
function* wrongWith(job: JobRow, events: readonly EventRow[]): Generator<string> {
  let state: JobState | null = null;
  let cancelRequested = false;
  let [attempt, life, startedInLife, failures, losses] = [0, 1, false, 0, 0];
  const starts: Record<string, readonly (JobState | null)[]> = {
    "job.enqueued": [null],
    "job.scheduled": ["blocked"],
    "job.queued": ["scheduled", "blocked", "retryable"],
    "job.postponed": ["queued"],
    "job.updated": ["scheduled", "blocked", "queued", "retryable"],
    "job.started": ["queued"],
    "job.succeeded": ["running"],
    "job.retry_planned": ["running"],
    "job.failed": ["running"],
    "job.released": ["running"],
    "job.rescued": ["running"],
    "job.cancel_requested": ["running"],
    "job.cancelled": ["scheduled", "blocked", "queued", "retryable", "running"],
    "job.expired": ["scheduled", "blocked", "queued"],
    "job.requeued": ["failed", "cancelled", "expired"],
  };
  for (const [index, event] of events.entries()) {
    const at = `event ${event.seq} (${event.type})`;
    if (event.seq !== index + 1) yield `has a gap before ${at}`;
    if (event.life !== life + (event.type === "job.requeued" ? 1 : 0))
      yield `has ${at} of life ${event.life} in ${life}`;
    const from = starts[event.type] ?? ["running"];
    if (!from.includes(state)) yield `has ${at} while it was ${state}`;
    if (event.sourceSeq !== null && event.attempt !== attempt)
      yield `has ${at} of attempt ${event.attempt} in ${attempt}`;
    switch (event.type) {
      case "job.enqueued":
        state = event.began;
        break;
      case "job.scheduled":
        state = "scheduled";
        break;
      case "job.queued":
        state = "queued";
        break;
      case "job.started":
        if (event.attempt !== attempt + 1) yield `has ${at} of attempt ${event.attempt} after ${attempt}`;
        if (cancelRequested) yield `has ${at} after a cancel was requested`;
        attempt = event.attempt as number;
        [state, startedInLife] = ["running", true];
        break;
      case "job.retry_planned":
        [state, failures] = ["retryable", failures + 1];
        break;
      case "job.released":
        state = "queued";
        break;
      case "job.rescued":
        [state, losses] = ["queued", losses + 1];
        break;
      case "job.cancel_requested":
        cancelRequested = true;
        break;
      case "job.requeued":
        cancelRequested = false;
        [state, life, startedInLife, failures, losses] = ["queued", life + 1, false, 0, 0];
        break;
      case "job.expired":
        if (startedInLife) yield `has ${at} after a start`;
        state = "expired";
        break;
      case "job.succeeded":
      case "job.failed":
      case "job.cancelled":
        state = event.type.slice("job.".length) as JobState;
        break;
    }
  }
  const last = events.at(-1);
  if (last === undefined || !isTerminalEvent(last.type)) yield `ends with ${last?.type}`;
  if (state !== job.state) yield `is ${job.state}, and ${state} by its log`;
  if (events.length !== job.lastSeq) yield `has ${events.length} events and counts ${job.lastSeq}`;
  if (attempt !== job.attempt || life !== job.life) yield `counts attempt ${job.attempt}, life ${job.life}`;
  // The failure or loss that ended it is counted on the row only.
  if (failures >= job.maxAttempts && failures > 0) yield `was tried again after ${failures} failures`;
  if (job.failures > job.maxAttempts) yield `failed ${job.failures} times of ${job.maxAttempts}`;
  if (losses >= job.maxLosses) yield `was rescued ${losses} times of ${job.maxLosses}`;
  if (losses > 0 && job.onWorkerLost === "fail") yield "was rescued though nothing may run twice";
}
