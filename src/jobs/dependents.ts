import type { Fragment } from "../backends/backend.ts";
import type { Sql } from "../db/client.ts";
import { type FinalState, finalStates } from "../domain/lifecycle.ts";

/** What becomes of a job that has waited for one that has ended. */
export interface Consequence {
  id: string;
  attempt: number;
  transition: "promote" | "schedule" | "cancel";
  /** cancel: the parent that has not ended as it should. */
  parentId: string | null;
  parentState: FinalState | null;
}

/** Whether a parent has ended in the way that a dependency waits for. `state` and `runWhen` are expressions. */
export function isMet(sql: Sql, state: Fragment, runWhen: Fragment): Fragment {
  return sql`(${state}::text in ${sql([...finalStates])} and (${runWhen} = 'ended' or ${runWhen} = ${state}::text))`;
}

/**
 * Counts down the jobs that wait for these, which have ended in this transaction, and tells which of them wait for nothing any
 * more and which are to be cancelled: those with all below them, so that a chain of any length is one statement. The parents'
 * rows are locked by the caller and the children's are here, in the order of their ids; so of two parents that end at once the
 * second one sees what the first one has counted, and a job that is made meanwhile is seen or sees the end.
 *
 * It is a statement of its own, after the one that has moved the parents: that one's snapshot may be older than their children.
 */
export async function releaseDependents(
  sql: Sql,
  parents: readonly { id: string; state: string }[],
): Promise<Consequence[]> {
  return await sql<Consequence[]>`
    with recursive parents as materialized (
      select * from unnest(
        ${parents.map(({ id }) => id)}::uuid[], ${parents.map(({ state }) => state)}::text[]
      ) as p (id, state)
    ), touched as materialized (
      select d.job_id, d.parent_id, d.otherwise, p.state, ${isMet(sql, sql`p.state`, sql`d.run_when`)} as met
      from parents p join job_dependencies d on d.parent_id = p.id
      where d.resolved_at is null
    ), doomed (job_id, parent_id, parent_state) as (
      select t.job_id, t.parent_id, t.state from touched t
      join jobs j on j.id = t.job_id and j.state = 'blocked'
      where not t.met and t.otherwise = 'cancel'
      union
      -- And what waits for those: they are cancelled, which is no success and no failure.
      select d.job_id, d.parent_id, 'cancelled' from doomed x
      join job_dependencies d on d.parent_id = x.job_id
      join jobs j on j.id = d.job_id and j.state = 'blocked'
      where d.resolved_at is null and d.run_when <> 'ended' and d.otherwise = 'cancel'
    ), locked as materialized (
      select j.id, j.attempt from jobs j
      where j.id in (select job_id from touched where met union select job_id from doomed) and j.state = 'blocked'
      order by j.id for no key update of j
    ), counted as (
      update jobs j set waiting_for = j.waiting_for - t.met
      from locked l, (select job_id, count(*) as met from touched where met group by 1) t
      where j.id = l.id and t.job_id = l.id
      returning j.id, j.attempt, j.waiting_for, j.run_at
    ), resolved as (
      update job_dependencies d set resolved_at = queue_now() from touched t
      where t.met and d.job_id = t.job_id and d.parent_id = t.parent_id
    )
    select c.id, c.attempt, case when c.run_at > queue_now() then 'schedule' else 'promote' end as transition,
      null::uuid as "parentId", null as "parentState"
    from counted c where c.waiting_for = 0 and c.id not in (select job_id from doomed)
    union all
    select distinct on (l.id) l.id, l.attempt, 'cancel', d.parent_id, d.parent_state
    from locked l join doomed d on d.job_id = l.id`;
}
