import type postgres from "postgres";
import type { events } from "../db/tables.ts";
import type { Json } from "../domain/json.ts";
import { isFinal, type JobState } from "../domain/lifecycle.ts";
import type { FeedPosition } from "./cursor.ts";

/** An event as it stands in the table, as Drizzle would give it. */
export type EventRow = typeof events.$inferSelect;

/** What belongs to an event in the tail: the row is shared by all who get it and must not be changed. */
export interface ReadEvent {
  event: EventRow;
  /** About what it takes in memory. */
  bytes: number;
}

/** Asks for what follows `after` in one job. */
export interface JobQuestion {
  jobId: string;
  after: number;
}

export interface JobAnswer {
  events: ReadEvent[];
  /** More is there than the limit allowed. */
  more: boolean;
  /** Null: there is no such job (any more). */
  job: { lastSeq: number; final: boolean } | null;
}

/** Answers all questions in one statement, in their order; events and states are of one snapshot. */
export async function readJobs(
  sql: postgres.Sql,
  questions: readonly JobQuestion[],
  limit: number,
): Promise<JobAnswer[]> {
  const rows = await sql<(RawEvent & { question: number; lastSeq: number | null; state: JobState | null })[]>`
    select q.question::int, j.last_seq as "lastSeq", j.state, ${eventColumns(sql)}
    from unnest(
      ${questions.map(({ jobId }) => jobId)}::uuid[], ${questions.map(({ after }) => after)}::int[]
    ) with ordinality as q (job_id, after, question)
    left join flowerpower_queue.jobs j on j.id = q.job_id
    left join lateral (
      select * from flowerpower_queue.events
      where job_id = q.job_id and seq > q.after order by seq limit ${limit}
    ) e on true
    order by q.question, e.seq`;
  const answers = questions.map((): JobAnswer => ({ events: [], more: false, job: null }));
  for (const row of rows) {
    const answer = answers[row.question - 1];
    if (answer === undefined) throw new Error("An answer without a question");
    if (row.state !== null && row.lastSeq !== null) answer.job = { lastSeq: row.lastSeq, final: isFinal(row.state) };
    if (row.jobId !== null) answer.events.push(readEvent(row));
  }
  for (const answer of answers) answer.more = answer.events.length >= limit;
  return answers;
}

/** By what jobs are chosen in the feed and among the changes. */
export interface JobFacts {
  jobId: string;
  project: string;
  pipeline: string;
  queue: string;
  batchId: string | null;
}

export interface FeedEvent extends ReadEvent, JobFacts {
  position: FeedPosition;
}

export interface FeedAnswer {
  epoch: string;
  events: FeedEvent[];
  more: boolean;
  /** No event below this transaction can appear any more. */
  horizon: bigint;
  /** No transaction has begun yet that has this id or a larger one. */
  next: bigint;
  /** Events were recorded above the horizon and have to wait. */
  heldBack: boolean;
  /** Where the log begins: what came before was pruned. */
  floor: FeedPosition;
}

/**
 * What follows a position in the feed: up to `until` when it is given, which must be below a horizon, else up to the present
 * horizon. Without a position, only the horizon. The horizon is that of the very snapshot in which the events are read: it
 * comes from a STABLE function in the same statement. A later horizon would skip what commits in between.
 */
export async function readFeed(
  sql: postgres.Sql,
  after: FeedPosition | null,
  until: FeedPosition | null,
  limit: number,
): Promise<FeedAnswer> {
  const from = after ?? { xid: 0n, id: 0n };
  const bound =
    until === null ? sql`xid < f.horizon` : sql`(xid, id) <= (${String(until.xid)}::xid8, ${String(until.id)}::bigint)`;
  const rows = await sql<(RawEvent & RawFeed & JobFacts)[]>`
    with feed as materialized (
      select epoch, floor_xid, floor_id, flowerpower_queue.feed_horizon() as horizon,
        pg_snapshot_xmax(pg_current_snapshot()) as next
      from flowerpower_queue.feeds
    ), held as materialized (
      select exists (select from flowerpower_queue.events where xid >= f.horizon) as back from feed f
    )
    select f.epoch::text as epoch, f.floor_xid::text as "floorXid", f.floor_id::text as "floorId",
      f.horizon::text as horizon, f.next::text as next, held.back as "heldBack", j.project, j.pipeline, j.queue, j.batch_id as "batchId", ${eventColumns(sql)}
    from feed f
    cross join held
    left join lateral (
      select * from flowerpower_queue.events
      where (xid, id) > (${String(from.xid)}::xid8, ${String(from.id)}::bigint) and ${bound}
      order by xid, id limit ${after === null ? 0 : limit}
    ) e on true
    left join flowerpower_queue.jobs j on j.id = e.job_id
    order by e.xid, e.id`;
  const [feed] = rows;
  if (feed === undefined) throw new Error("The table feeds is empty: the database is not migrated");
  const events = rows.flatMap((row): FeedEvent[] => {
    if (row.jobId === null) return [];
    const { jobId, project, pipeline, queue, batchId } = row;
    const read = readEvent(row);
    const position = { xid: BigInt(read.event.xid), id: read.event.id };
    return [{ ...read, jobId, project, pipeline, queue, batchId, position }];
  });
  return {
    epoch: feed.epoch,
    events,
    more: after !== null && events.length >= limit,
    horizon: BigInt(feed.horizon),
    next: BigInt(feed.next),
    heldBack: feed.heldBack,
    floor: { xid: BigInt(feed.floorXid), id: BigInt(feed.floorId) },
  };
}

/** A job as the subscribers of changes have to know it. */
export interface ChangedJob extends JobFacts {
  lastSeq: number;
}

/** The jobs that are there of those that were rung for. */
export async function readChangedJobs(sql: postgres.Sql, jobIds: readonly string[]): Promise<ChangedJob[]> {
  return await sql<ChangedJob[]>`
    select id as "jobId", last_seq as "lastSeq", project, pipeline, queue, batch_id as "batchId"
    from flowerpower_queue.jobs where id = any(${jobIds as string[]}::uuid[])`;
}

/** The transaction that keeps the horizon where it is. */
export interface HorizonHolder {
  /** Null for a prepared transaction, or one that this role may not see. */
  pid: number | null;
  application: string | null;
  user: string | null;
  state: string | null;
  /** Since it has begun. */
  heldMs: number | null;
}

/** Who holds the horizon: null when no transaction that could still write is open. */
export async function readHorizonHolder(sql: postgres.Sql): Promise<HorizonHolder | null> {
  const [holder] = await sql<HorizonHolder[]>`
    with horizon as materialized (
      select flowerpower_queue.feed_horizon() as xid, pg_snapshot_xmax(pg_current_snapshot()) as next
    )
    select a.pid, a.application_name as application, coalesce(a.usename, p.owner) as user, a.state,
      (extract(epoch from clock_timestamp() - coalesce(a.xact_start, p.prepared)) * 1000)::float8 as "heldMs"
    from horizon h
    left join pg_stat_activity a on a.backend_xid = h.xid::xid
    left join pg_prepared_xacts p on p.transaction = h.xid::xid
    where h.xid < h.next`;
  return holder ?? null;
}

interface RawFeed {
  epoch: string;
  floorXid: string;
  floorId: string;
  horizon: string;
  next: string;
  heldBack: boolean;
}

/** Columns of an event, all null where the join found none. */
type RawEvent = { [K in keyof Omit<EventRow, "id" | "data">]: EventRow[K] } & { id: string; data: string };

function eventColumns(sql: postgres.Sql) {
  // The data as text: its length is known without counting, and it is parsed once for all subscribers.
  return sql`e.job_id as "jobId", e.seq, e.id, e.xid::text as xid, e.life, e.attempt, e.type, e.version, e.node, e.branch,
    e.recorded_at as "recordedAt", e.occurred_at as "occurredAt", e.source_seq as "sourceSeq", e.data::text as data`;
}

/** What a row takes besides its data. */
const rowBytes = 500;

function readEvent(row: RawEvent): ReadEvent {
  const { jobId, seq, life, attempt, type, version, node, branch, recordedAt, occurredAt, sourceSeq, xid } = row;
  const event: EventRow = {
    jobId,
    seq,
    id: BigInt(row.id),
    xid,
    life,
    attempt,
    type,
    version,
    node,
    branch,
    recordedAt,
    occurredAt,
    sourceSeq,
    data: JSON.parse(row.data) as Json,
  };
  return { event, bytes: rowBytes + row.data.length };
}
