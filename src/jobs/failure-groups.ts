import type { Fragment } from "../backends/backend.ts";
import type { Sql } from "../db/client.ts";

/** Letters of a name in a group's key: an index entry has to fit into a third of a page, whatever the alphabet. */
const longest = { node: 300, errorClass: 150, message: 2000 } as const;

/** The key of the group to which an attempt `a` of a job `j` belongs, in the order in which groups are locked. */
export function groupKey(sql: Sql): Fragment {
  return sql`
    j.project, j.pipeline, coalesce(left(a.error ->> 'node', ${longest.node}::int), '') as node,
    left(a.error ->> 'type', ${longest.errorClass}::int) as error_class,
    coalesce(a.code_hash, '') as code_hash`;
}

/**
 * Counts the attempts of these jobs that this very transaction has ended in a failure, each in the group of its equals, and
 * closes the groups of pipelines of which an attempt has succeeded that began after they were last seen. To be sent last,
 * when the jobs are locked and moved; sent again for a move that is older, it does nothing. Groups are locked in the order of
 * their keys, after the jobs.
 *
 * Where nothing has failed and no group is open it costs a look at each job's last event and one into the open groups.
 */
export async function keepFailureGroups(sql: Sql, jobIds: readonly string[]): Promise<void> {
  if (jobIds.length === 0) return;
  await sql`
    with ended as materialized (
      select ${groupKey(sql)}, j.id, e.type, a.error_kind, a.error ->> 'message' as message, a.started_at, a.ended_at
      from jobs j
      -- What has moved a job is its last event as long as the job is locked.
      join events e on e.job_id = j.id and e.seq = j.last_seq and e.xid = pg_current_xact_id()
        and e.type in ('job.succeeded', 'job.retry_planned', 'job.failed', 'job.rescued')
      join attempts a on a.job_id = j.id and a.attempt = j.attempt
      where j.id = any(${jobIds as string[]}::uuid[])
    ), failed as materialized (
      select project, pipeline, node, error_class, code_hash, count(*) as count, min(ended_at) as first_seen_at,
        max(ended_at) as last_seen_at, (array_agg(id order by ended_at desc, id desc))[1] as job_id,
        (array_agg(error_kind order by ended_at desc, id desc))[1] as error_kind,
        (array_agg(coalesce(message, '') order by ended_at desc, id desc))[1] as message
      -- Nothing here may keep an attempt from ending: one that says no reason is not grouped.
      from ended where type <> 'job.succeeded' and error_class is not null and error_kind is not null
      group by project, pipeline, node, error_class, code_hash
    ), succeeded as materialized (
      -- The last one to begin closes the most.
      select distinct on (project, pipeline) project, pipeline, id, started_at
      from ended where type = 'job.succeeded'
      order by project, pipeline, started_at desc, id desc
    ), closing as materialized (
      select g.id, s.id as job_id, s.started_at
      from succeeded s
      join failure_groups g on g.project = s.project and g.pipeline = s.pipeline and g.closed_at is null
      where g.last_seen_at <= s.started_at and not exists (
        select 1 from failed f
        where f.project = g.project and f.pipeline = g.pipeline and f.node = g.node and f.error_class = g.error_class
          and f.code_hash = g.code_hash
      )
    ), touched as (
      select id from closing
      union all
      select g.id from failed f
      join failure_groups g on g.project = f.project and g.pipeline = f.pipeline and g.node = f.node
        and g.error_class = f.error_class and g.code_hash = f.code_hash
    ), locked as materialized (
      select g.id from failure_groups g where g.id in (select id from touched)
      order by g.project, g.pipeline, g.node, g.error_class, g.code_hash
      for no key update
    ), closed as (
      update failure_groups g set closed_at = queue_now(), closed_by = c.job_id
      from closing c join locked l on l.id = c.id
      -- Once more, of the row as it is now that it is locked: it may have been seen again.
      where g.id = c.id and g.closed_at is null and g.last_seen_at <= c.started_at
    )
    insert into failure_groups as g (
      project, pipeline, node, error_class, code_hash, error_kind, count, first_seen_at, last_seen_at, last_job_id,
      last_message
    )
    select project, pipeline, node, error_class, code_hash, error_kind, count, first_seen_at, last_seen_at, job_id,
      left(message, ${longest.message}::int)
    from failed
    where (select count(*) from locked) >= 0 -- not before all of them are locked
    order by project, pipeline, node, error_class, code_hash
    on conflict (project, pipeline, node, error_class, code_hash) do update set
      count = g.count + excluded.count, last_seen_at = greatest(g.last_seen_at, excluded.last_seen_at),
      error_kind = excluded.error_kind, last_job_id = excluded.last_job_id, last_message = excluded.last_message,
      closed_at = null, closed_by = null`;
}
