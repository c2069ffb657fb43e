import { withRetries } from "../db/retry.ts";
import { NotFoundError } from "../domain/errors.ts";
import type { QueueLimits } from "../domain/queue-limits.ts";
import type { Actor } from "../domain/run-request.ts";
import { auditedQueue } from "./audit.ts";
import type { JobsContext } from "./context.ts";

/** A ticket that is just being given knows nothing of a limit that is just being set: for so long the queue gives none. */
const settlingMs = 200;

/**
 * Changes a queue's limits; what is absent stays as it is. Jobs that are with workers go on, those that wait are under the new
 * limits at once: what was on its way to a worker takes its turn again.
 *
 * @throws NotFoundError when there is no such queue
 */
export async function setQueueLimits(
  context: JobsContext,
  actor: Actor,
  { name, ...changes }: Partial<QueueLimits> & { name: string },
): Promise<void> {
  const { concurrencyLimit, rateLimit, backlogLimit } = changes;
  const given = (value: unknown) => value !== undefined;
  const { sql } = context.db;
  const [set] = await withRetries(
    () => sql`
      with made as (
        update queues q set
          concurrency_limit = case when ${given(concurrencyLimit)} then n.concurrency_limit else q.concurrency_limit end,
          rate_limit = case when ${given(rateLimit)} then n.rate_limit else q.rate_limit end,
          rate_period_ms = case when ${given(rateLimit)} then n.rate_period_ms else q.rate_period_ms end,
          rate_tokens = case when ${given(rateLimit)} then null else q.rate_tokens end,
          rate_filled_at = case when ${given(rateLimit)} then null else q.rate_filled_at end,
          backlog_limit = case when ${given(backlogLimit)} then n.backlog_limit else q.backlog_limit end,
          tickets_since = case
            when n.concurrency_limit < coalesce(q.concurrency_limit, n.concurrency_limit + 1) or n.rate_limit is not null
            then queue_now() + make_interval(secs => ${settlingMs / 1000}::float8) else q.tickets_since
          end
        from (select ${concurrencyLimit ?? null}::int as concurrency_limit, ${rateLimit?.jobs ?? null}::int as rate_limit,
          ${rateLimit?.periodMs ?? null}::int as rate_period_ms, ${backlogLimit ?? null}::int as backlog_limit) n
        where q.name = ${name}
        returning q.name
      )
      ${auditedQueue(sql, actor, "queue.set", { ...changes })} from made returning 1`,
  );
  if (set === undefined) throw new NotFoundError("queue", name, "input.name");
  context.wakeups.ring("admit");
}
