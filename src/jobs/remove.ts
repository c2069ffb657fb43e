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
