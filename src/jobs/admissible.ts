import type { Fragment } from "../backends/backend.ts";
import type { Sql } from "../db/client.ts";

/** Whether a project is disabled: its jobs are neither given tickets nor started. */
export function isDisabled(sql: Sql, job: string): Fragment {
  return sql`exists (select from projects p where p.name = ${sql(job)}.project and p.disabled_at is not null)`;
}

/**
 * Whether a job gets its ticket with the move that queues it: nothing limits it, its queue is open and its project not disabled.
 * Any other one waits for admission, which alone gives tickets under a limit. `job` names a row with `queue`, `project` and
 * `concurrency_key`.
 */
export function isAdmittedAtOnce(sql: Sql, job: string): Fragment {
  return sql`(
    ${sql(job)}.concurrency_key is null and exists (
      select from queues q
      where q.name = ${sql(job)}.queue and q.paused_at is null and q.concurrency_limit is null and q.rate_limit is null
    ) and not ${isDisabled(sql, job)}
  )`;
}

/**
 * Whether a job's ticket is void: its queue is paused, or the ticket is older than its queue's limit, or was taken back under
 * one. Such a job is not started; admission gives it a new ticket when it may.
 */
export function hasVoidTicket(sql: Sql, job: string): Fragment {
  return sql`exists (
    select from queues q
    where q.name = ${sql(job)}.queue and (
      q.paused_at is not null or ${sql(job)}.ticketed_at < q.tickets_since or (${sql(job)}.ticketed_at is null and (
        q.concurrency_limit is not null or q.rate_limit is not null or ${sql(job)}.concurrency_key is not null
      ))
    )
  )`;
}

/** Whether a job is under a limit: a move of it makes room for another one, or makes it wait for room. */
export function isLimited(sql: Sql, job: string): Fragment {
  return sql`(
    ${sql(job)}.concurrency_key is not null
    or exists (select from queues q where q.name = ${sql(job)}.queue and q.concurrency_limit is not null)
  )`;
}
