import type { Database, Sql } from "../db/client.ts";
import { terminalEventTypes } from "../domain/event-types.ts";
import { type Histogram, lastSlot, slotsPerDoubling } from "../domain/histogram.ts";
import type { FinalState } from "../domain/lifecycle.ts";
import { type FeedReader, readOn } from "../events/feed-reader.ts";

export const resolutions = ["minute", "hour", "day"] as const;
export type Resolution = (typeof resolutions)[number];

const hourMs = 3_600_000;
export const resolutionMs: Record<Resolution, number> = { minute: 60_000, hour: hourMs, day: 24 * hourMs };
/** How long the counts of each are kept. */
export const metricsKeptMs: Record<Resolution, number> = {
  minute: 48 * hourMs,
  hour: 60 * 24 * hourMs,
  day: 3 * 365 * 24 * hourMs,
};

/** What has ended, 2,000 lives at a time. */
const reader: FeedReader = { name: "metrics", types: terminalEventTypes, batchSize: 2_000, from: "oldest" };

/**
 * Counts the lives that have ended since the last time, each once. True when more is left to be counted. The job is read as it
 * is by then, a moment later: of one that was requeued in between the attempts are asked.
 */
export async function countEnded(db: Database): Promise<boolean> {
  return await readOn(db, reader, async (tx, events) => {
    await tx`
      with ended as materialized (
        select e.job_id, e.life, e.attempt, e.recorded_at, replace(e.type, 'job.', '')::job_state as state from ${events} e
      ), timed as (
        select e.recorded_at, e.state, j.project, j.pipeline, j.queue,
          case when f.started_at is not null then greatest(f.started_at - d.at, interval '0') end as wait,
          l.ended_at - l.started_at as run
        from ended e
        -- Each by its key, whatever Postgres expects: joined, all jobs were read for a few that have ended.
        cross join lateral (select * from jobs j where j.id = e.job_id limit 1) j
        left join lateral (
          select * from attempts l where l.job_id = e.job_id and l.attempt = e.attempt and l.life = e.life limit 1
        ) l on true
        cross join lateral (
          select min(a.started_at) as started_at, count(*) as attempts from attempts a
          where a.job_id = e.job_id and a.life = e.life
        ) f
        left join lateral (select * from events m where m.job_id = e.job_id and m.seq = 1 limit 1) m on true
        cross join lateral (
          select case
            -- A retry writes when the job is due again over when it was due first.
            when j.life = e.life and f.attempts = 1 then greatest(j.created_at, j.run_at)
            when e.life = 1 then greatest(m.recorded_at, (m.data ->> 'runAt')::timestamptz)
          end as at
        ) d
      ), facts as (
        select recorded_at, project, pipeline, queue, state, 'ended' as measure, 0 as slot from timed
        union all
        select recorded_at, project, pipeline, queue, state, 'wait', ${slot(tx, tx`wait`)} from timed where wait is not null
        union all
        select recorded_at, project, pipeline, queue, state, 'run', ${slot(tx, tx`run`)} from timed where run is not null
      )
      insert into metrics as m (resolution, at, project, pipeline, queue, state, measure, slot, count)
      select r.name, date_trunc(r.name, recorded_at, 'UTC'), project, pipeline, queue, state, measure, slot, count(*)
      from facts cross join unnest(${[...resolutions]}::text[]) as r (name)
      group by 1, 2, 3, 4, 5, 6, 7, 8
      on conflict (resolution, at, project, pipeline, queue, state, measure, slot)
        do update set count = m.count + excluded.count`;
  });
}

/** As `slotStartMs` in domain/histogram.ts has it. */
function slot(sql: Sql, length: ReturnType<Sql>) {
  return sql`least(${lastSlot}::int,
    floor(${slotsPerDoubling} * ln(1 + greatest(extract(epoch from ${length})::float8, 0) * 1000) / ln(2::float8))::int)`;
}

/** Forgets counts whose time is over. */
export async function pruneMetrics(sql: Sql): Promise<void> {
  for (const resolution of resolutions) {
    await sql`
      delete from metrics where resolution = ${resolution}
        and at < queue_now() - make_interval(secs => ${metricsKeptMs[resolution] / 1000}::float8)`;
  }
}

export interface MetricsQuestion {
  from: Date;
  to: Date;
  resolution: Resolution;
  project: string | null;
  pipeline: string | null;
  queue: string | null;
}

/** What has ended within a bucket of time, or in all of them. */
export interface Measured {
  ended: ReadonlyMap<FinalState, number>;
  wait: Histogram;
  run: Histogram;
}

/** By the start of each bucket in which anything has ended. */
export async function readMetrics(sql: Sql, question: MetricsQuestion): Promise<Map<number, Measured>> {
  const { from, to, resolution, project, pipeline, queue } = question;
  const rows = await sql<{ at: string; state: FinalState | null; measure: string; slot: number; count: number }[]>`
    select extract(epoch from at)::float8 * 1000 as at, case when measure = 'ended' then state end as state, measure, slot,
      sum(count)::float8 as count
    from metrics
    where resolution = ${resolution} and at >= ${from.toISOString()}::timestamptz and at < ${to.toISOString()}::timestamptz
      and (${project}::text is null or project = ${project}) and (${pipeline}::text is null or pipeline = ${pipeline})
      and (${queue}::text is null or queue = ${queue})
    group by 1, 2, 3, 4 order by 1`;
  const buckets = new Map<number, ReturnType<typeof nothingMeasured>>();
  for (const { at, state, measure, slot, count } of rows) {
    const start = Math.round(Number(at));
    const bucket = buckets.get(start) ?? nothingMeasured();
    buckets.set(start, bucket);
    if (state !== null) bucket.ended.set(state, count);
    else bucket[measure as "wait" | "run"].set(slot, count);
  }
  return buckets;
}

export function nothingMeasured() {
  return { ended: new Map<FinalState, number>(), wait: new Map<number, number>(), run: new Map<number, number>() };
}

/** All of them as one. */
export function together(parts: Iterable<Measured>): Measured {
  const sum = nothingMeasured();
  const add = <Key>(to: Map<Key, number>, from: ReadonlyMap<Key, number>) => {
    for (const [key, count] of from) to.set(key, (to.get(key) ?? 0) + count);
  };
  for (const { ended, wait, run } of parts) {
    add(sum.ended, ended);
    add(sum.wait, wait);
    add(sum.run, run);
  }
  return sum;
}
