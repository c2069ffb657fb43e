import { QueueExistsError } from "../domain/errors.ts";
import type { QueueLimits } from "../domain/queue-limits.ts";
import type { Actor } from "../domain/run-request.ts";
import { auditedQueue } from "./audit.ts";
import type { JobsContext } from "./context.ts";

/**
 * Makes a queue, open, with these limits.
 *
 * @throws QueueExistsError when there is one of that name
 */
export async function createQueue(
  { db }: JobsContext,
  actor: Actor,
  { name, ...limits }: QueueLimits & { name: string },
): Promise<void> {
  const { concurrencyLimit, rateLimit, backlogLimit } = limits;
  const [made] = await db.sql`
    with made as (
      insert into queues (name, created_at, concurrency_limit, rate_limit, rate_period_ms, backlog_limit)
      values (${name}, queue_now(), ${concurrencyLimit}, ${rateLimit?.jobs ?? null}, ${rateLimit?.periodMs ?? null},
        ${backlogLimit})
      on conflict do nothing
      returning name
    )
    ${auditedQueue(db.sql, actor, "queue.create", { ...limits })} from made returning 1`;
  if (made === undefined) throw new QueueExistsError(name, "input.name");
}
