import type { Fragment } from "../backends/backend.ts";
import type { Sql } from "../db/client.ts";

/**
 * The CTEs that delete the jobs of a CTE `doomed (id)`, whose rows are locked, with all that belongs to them: by foreign keys
 * requests, tags, attempts, node runs and artifacts; their files the workers sweep. The audit stays. With the events goes what
 * lies before the last of them in the feed: its floor rises, and older cursors have expired. `removed` has what was deleted.
 */
export function removal(sql: Sql): Fragment {
  return sql`
    freed as (
      delete from idempotency_keys k using doomed d where k.job_id = d.id
    ), forgotten as (
      delete from events e using doomed d where e.job_id = d.id returning e.xid, e.id
    ), risen as (
      update feeds f set floor_xid = e.xid, floor_id = e.id
      from (select xid, id from forgotten order by xid desc, id desc limit 1) e
      where (e.xid, e.id) > (f.floor_xid, f.floor_id)
    ), removed as (
      delete from jobs j using doomed d where j.id = d.id returning j.id
    )`;
}

/**
 * Whether some job still waits for this one: it was to stay blocked when this one did not end as it should, and would do so for
 * ever without it. `job` is the name that the statement gives to a row of `jobs`.
 */
export function isAwaited(sql: Sql, job: string): Fragment {
  return sql`(${sql(job)}.has_dependents and exists (
    select from job_dependencies d join jobs child on child.id = d.job_id and child.state = 'blocked'
    where d.parent_id = ${sql(job)}.id and d.resolved_at is null
  ))`;
}

/** Of some jobs, which the caller has locked: those that others wait for, each with one that does. */
export async function awaitedAmong(sql: Sql, ids: readonly string[]): Promise<Map<string, string>> {
  const rows = await sql<{ parentId: string; jobId: string }[]>`
    select distinct on (d.parent_id) d.parent_id as "parentId", d.job_id as "jobId"
    from jobs p
    join job_dependencies d on d.parent_id = p.id and d.resolved_at is null
    join jobs child on child.id = d.job_id and child.state = 'blocked'
    where p.id = any(${ids as string[]}::uuid[]) and p.has_dependents
    order by d.parent_id, d.job_id`;
  return new Map(rows.map(({ parentId, jobId }) => [parentId, jobId]));
}
