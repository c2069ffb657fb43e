import type { Database, Sql } from "../db/client.ts";
import { withRetries } from "../db/retry.ts";
import { idText } from "../domain/ids.ts";
import { type FinalState, finalStates } from "../domain/lifecycle.ts";
import type { Retention } from "../domain/retention.ts";
import type { Actor } from "../domain/run-request.ts";
import { isAwaited, removal } from "./remove.ts";

/** Jobs of one transaction: some 50 ms, in which nobody waits. */
export const pruneBatch = 200;
/** "fpjp": one process prunes at a time. */
const pruneLock = 0x66_70_6a_70;

/** What of a pipeline is too old, in one state. */
export interface PruneTarget {
  project: string;
  pipeline: string;
  state: FinalState;
  /** Jobs that ended before. */
  endedBefore: Date;
  /** Jobs with ids below: younger ones did not exist then, or are among the last of their pipeline. */
  below: string;
}

export type PruneCounts = Record<FinalState, number>;

export interface PruneOptions {
  /** Who asked for it, for the audit; null: it is time. Who asked waits for another process that prunes. */
  actor: Actor | null;
  /** Not more jobs, and no batch is begun after this time. */
  most?: number;
  untilMs?: number;
  /** Between two batches, as a part of the time that a batch took: the disk is there for others too. */
  restFactor?: number;
  signal?: AbortSignal;
}

/** Jobs that were removed, by state, and whether more are left. Null: another process is pruning. */
export async function pruneJobs(
  db: Database,
  retention: Retention,
  { actor, most = Number.POSITIVE_INFINITY, untilMs = Number.POSITIVE_INFINITY, restFactor = 0, signal }: PruneOptions,
): Promise<{ pruned: PruneCounts; more: boolean } | null> {
  const pruned = noCounts();
  let left = most;
  for (const target of await pruneTargets(db.sql, retention)) {
    let after = firstId;
    for (;;) {
      if (left <= 0 || performance.now() > untilMs || signal?.aborted) return { pruned, more: true };
      const startedAt = performance.now();
      const limit = Math.min(pruneBatch, left);
      const batch = await withRetries(() => pruneSome(db, target, after, limit, actor));
      if (batch === null) return null;
      pruned[target.state] += batch.count;
      left -= batch.count;
      if (batch.last === null || batch.count < limit) break;
      after = batch.last;
      await new Promise((resolve) => setTimeout(resolve, (performance.now() - startedAt) * restFactor));
    }
  }
  return { pruned, more: false };
}

/** How many jobs would be removed, by state, counted up to a bound for each. */
export async function countPrunable(sql: Sql, retention: Retention, bound: number): Promise<PruneCounts> {
  const counts = noCounts();
  for (const target of await pruneTargets(sql, retention)) {
    const limit = bound - counts[target.state];
    if (limit <= 0) continue;
    const [row] = await sql<{ count: number }[]>`
      select count(*)::int from (select from jobs j where ${isTooOld(sql, target, firstId)} limit ${limit}) old`;
    counts[target.state] += row?.count ?? 0;
  }
  return counts;
}

function noCounts(): PruneCounts {
  return { succeeded: 0, failed: 0, cancelled: 0, expired: 0 };
}

const firstId = "00000000-0000-0000-0000-000000000000";
/** An id's time may be off from the database's clock by so much. */
const idSlackMs = 60_000;

/**
 * Each pipeline and state in which some job is too old. Ids hold the time at which a job was made, so that the
 * index by pipeline, state and id ends the search where jobs are too young to have ended long ago.
 */
export async function pruneTargets(sql: Sql, { ageMs, keepLast }: Retention): Promise<PruneTarget[]> {
  const states = finalStates.filter((state) => ageMs[state] !== null);
  // `failure_ttl` in a YAML that is published may name a pipeline's failed jobs although those of others are kept for ever.
  const asked = [...new Set<FinalState>([...states, "failed"])];
  return await sql<PruneTarget[]>`
    with recursive named as (
      (select project, pipeline from jobs order by project, pipeline limit 1)
      union all
      select n.project, n.pipeline from named c cross join lateral (
        select project, pipeline from jobs where (project, pipeline) > (c.project, c.pipeline)
        order by project, pipeline limit 1
      ) n
    ), aged as (
      select n.project, n.pipeline, s.state, queue_now() - make_interval(secs => coalesce(
        case when s.state = 'failed' then coalesce(
          p.description #>> '{jobQueue,failureTtlMs}', p.last_good #>> '{jobQueue,failureTtlMs}',
          r.description #>> '{jobQueue,failureTtlMs}'
        )::float8 end, s.age_ms
      ) / 1000) as ended_before
      from named n
      cross join unnest(
        ${asked as string[]}::job_state[], ${asked.map((state) => ageMs[state])}::float8[]
      ) as s (state, age_ms)
      left join pipelines p on p.project = n.project and p.name = n.pipeline
      left join projects r on r.name = n.project
    ), kept as materialized (
      select n.project, n.pipeline, (
        select l.id from unnest(${[...finalStates]}::job_state[]) as s (state)
        cross join lateral (
          select id from jobs j where j.project = n.project and j.pipeline = n.pipeline and j.state = s.state
          order by id desc limit ${keepLast}
        ) l
        order by l.id desc offset ${Math.max(keepLast - 1, 0)} limit 1
      ) as first
      from named n
    ), targets as materialized (
      select a.*, least(
        (lpad(to_hex((extract(epoch from a.ended_before) * 1000)::bigint + ${idSlackMs}), 12, '0')
          || '70008000000000000000')::uuid,
        k.first
      ) as below
      from aged a join kept k using (project, pipeline)
      -- With fewer jobs than are kept in any case, none is too old.
      where a.ended_before > '1970-01-02' and (k.first is not null or ${keepLast === 0})
    )
    select t.project, t.pipeline, t.state, t.ended_before as "endedBefore", t.below from targets t
    cross join lateral (
      select from jobs j
      where j.project = t.project and j.pipeline = t.pipeline and j.state = t.state and j.id < t.below
        and j.finished_at < t.ended_before
      order by j.id limit 1
    ) oldest
    order by t.project, t.pipeline, t.state`;
}

/** A key is good for 24 hours, and so is its job; what others wait for stays. By the index for each row: joined, the order would be lost. */
function isTooOld(sql: Sql, { project, pipeline, state, endedBefore, below }: PruneTarget, after: string) {
  return sql`j.project = ${project} and j.pipeline = ${pipeline} and j.state = ${state}::job_state
    and j.id > ${after}::uuid and j.id < ${below}::uuid and j.finished_at < ${endedBefore}
    and (
      select true from idempotency_keys k where k.job_id = j.id and k.created_at > queue_now() - interval '24 hours' limit 1
    ) is null
    and not ${isAwaited(sql, "j")}`;
}

/** One transaction. Jobs that somebody has locked are left for later. Null: another process is pruning. */
async function pruneSome(
  db: Database,
  target: PruneTarget,
  after: string,
  limit: number,
  actor: Actor | null,
): Promise<{ count: number; last: string | null } | null> {
  return await db.sql.begin(async (tx) => {
    // In the order of the index, which ends after the batch: left to choose, Postgres would read and sort all that is too old.
    const [lock] = await tx<{ locked: boolean }[]>`
      select ${actor === null ? tx`pg_try_advisory_xact_lock(${pruneLock})` : tx`pg_advisory_xact_lock(${pruneLock}) is not null`} as locked,
        set_config('enable_bitmapscan', 'off', true), set_config('enable_sort', 'off', true)`;
    if (lock?.locked !== true) return null;
    const [batch] = await tx<{ count: number; last: string | null }[]>`
      with doomed as materialized (
        select j.id from jobs j where ${isTooOld(tx, target, after)}
        order by j.id limit ${limit} for update of j skip locked
      ), ${removal(tx)}
      select (select count(*) from removed)::int as count, (select id from doomed order by id desc limit 1) as last`;
    if (batch === undefined) throw new Error("A select without from answered nothing");
    if (actor !== null && batch.count > 0) await audit(tx, actor, target, batch);
    return batch;
  });
}

async function audit(
  tx: Sql,
  actor: Actor,
  { project, pipeline, state }: PruneTarget,
  { count, last }: { count: number; last: string | null },
): Promise<void> {
  const data = { state, jobs: count, upTo: last === null ? null : idText("job", last) };
  await tx`
    insert into audit (at, actor, action, target, request_id, data)
    values (queue_now(), ${actor.name}, 'jobs.prune', ${`pip_${project}/${pipeline}`}, ${actor.requestId}, ${tx.json(data)})`;
}

/** Groups of failures that nothing is left of: not seen for longer than failed jobs are kept, and the last one's job is gone. */
export async function pruneFailureGroups(sql: Sql, { ageMs: { failed } }: Retention): Promise<number> {
  if (failed === null) return 0;
  let count = 0;
  // One statement for each of the two kinds of indexes.
  for (const is of [sql`g.closed_at is null`, sql`g.closed_at is not null`]) {
    const removed = await sql`
      delete from failure_groups where id = any (array(
        select g.id from failure_groups g
        where ${is} and g.last_seen_at < queue_now() - make_interval(secs => ${failed / 1000}::float8)
          and not exists (select from jobs j where j.id = g.last_job_id)
        order by g.last_seen_at, g.id limit ${pruneBatch} for update skip locked
      ))`;
    count += removed.count;
  }
  return count;
}
