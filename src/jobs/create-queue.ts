import { QueueExistsError } from "../domain/errors.ts";
import type { JsonObject } from "../domain/json.ts";
import type { QueueDefaults } from "../domain/queue-defaults.ts";
import type { QueueLimits } from "../domain/queue-limits.ts";
import type { Actor } from "../domain/run-request.ts";
import { auditedQueue } from "./audit.ts";
import type { JobsContext } from "./context.ts";
import { tellOfDefaults } from "./set-queue-defaults.ts";

/**
 * Makes a queue, open, with these limits and defaults for its jobs.
 *
 * @throws QueueExistsError when there is one of that name
 */
export async function createQueue(
  context: JobsContext,
  actor: Actor,
  { name, jobDefaults = {}, ...limits }: QueueLimits & { name: string; jobDefaults?: QueueDefaults },
): Promise<void> {
  const { db } = context;
  const defaults = Object.keys(jobDefaults).length === 0 ? null : (jobDefaults as JsonObject);
  const { concurrencyLimit, rateLimit, backlogLimit } = limits;
  const [made] = await db.sql`
    with made as (
      insert into queues (name, created_at, concurrency_limit, rate_limit, rate_period_ms, backlog_limit, job_defaults)
      values (${name}, queue_now(), ${concurrencyLimit}, ${rateLimit?.jobs ?? null}, ${rateLimit?.periodMs ?? null},
        ${backlogLimit}, ${defaults === null ? null : db.sql.json(defaults)})
      on conflict do nothing
      returning name
    )
    ${auditedQueue(db.sql, actor, "queue.create", { ...limits, jobDefaults: defaults })} from made returning 1`;
  if (made === undefined) throw new QueueExistsError(name, "input.name");
  if (defaults !== null) tellOfDefaults(context);
}
