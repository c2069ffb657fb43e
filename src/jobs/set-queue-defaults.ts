import { NotFoundError } from "../domain/errors.ts";
import type { JsonObject } from "../domain/json.ts";
import type { QueueDefaults } from "../domain/queue-defaults.ts";
import type { Actor } from "../domain/run-request.ts";
import { auditedQueue } from "./audit.ts";
import type { JobsContext } from "./context.ts";

/** What is to be different: null takes a value away, what is absent stays. */
export type QueueDefaultsChanges = { [Key in keyof QueueDefaults]: QueueDefaults[Key] | null };

/**
 * Changes what a queue's jobs are run with where nobody nearer to them says otherwise. Priority, time to live and labels hold for
 * jobs that are made from now on; timeout and retry also for those that wait, as all that is read when an attempt starts.
 *
 * @throws NotFoundError when there is no such queue
 */
export async function setQueueDefaults(
  context: JobsContext,
  actor: Actor,
  name: string,
  changes: QueueDefaultsChanges,
): Promise<void> {
  const { sql } = context.db;
  const removed = Object.entries(changes).flatMap(([key, value]) => (value === null ? key : []));
  const given = Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== null)) as JsonObject;
  const [set] = await sql`
    with made as (
      update queues q set job_defaults = nullif(
        (coalesce(q.job_defaults, '{}') || ${sql.json(given)}::jsonb) - ${removed}::text[], '{}'
      )
      where q.name = ${name}
      returning q.name
    )
    ${auditedQueue(sql, actor, "queue.defaults", { ...changes })} from made returning 1`;
  if (set === undefined) throw new NotFoundError("queue", name, "input.name");
  tellOfDefaults(context);
}

/** What is known of queues is read anew with what is known of pipelines. */
export function tellOfDefaults({ catalogue, wakeups }: Pick<JobsContext, "catalogue" | "wakeups">): void {
  catalogue.invalidate();
  wakeups.ring("describe");
}
