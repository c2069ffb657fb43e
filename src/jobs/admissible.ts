import type { Fragment } from "../backends/backend.ts";
import type { Sql } from "../db/client.ts";

/** Whether a project is disabled: its jobs are neither given tickets nor started. */
export function isDisabled(sql: Sql, job: string): Fragment {
  return sql`exists (select from projects p where p.name = ${sql(job)}.project and p.disabled_at is not null)`;
}

/**
 * Whether a job may have a ticket, as far as that is not its own matter: its queue is open and its project not disabled. The
 * one place for it: every statement that gives a ticket asks this. `job` names the row that has `queue` and `project`.
 */
export function isAdmissible(sql: Sql, job: string): Fragment {
  return sql`(
    exists (select from queues q where q.name = ${sql(job)}.queue and q.paused_at is null) and not ${isDisabled(sql, job)}
  )`;
}
