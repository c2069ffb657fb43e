import type { Sql } from "../db/client.ts";
import { withRetries } from "../db/retry.ts";
import { NotFoundError, QueueExistsError } from "../domain/errors.ts";
import type { JsonObject } from "../domain/json.ts";
import type { Actor } from "../domain/run-request.ts";
import type { JobsContext } from "./context.ts";

/** What a queue lets pass; null: as much as comes. */
export interface QueueLimits {
  /** Jobs that are with workers at the same time, over all of them. */
  concurrencyLimit: number | null;
  /** Jobs that are given to workers within a time. */
  rateLimit: RateLimit | null;
  /** Jobs that wait in it. */
  backlogLimit: number | null;
}

export interface RateLimit {
  jobs: number;
  periodMs: number;
}

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
    ${audit(db.sql, actor, "queue.create", { ...limits })} from made returning 1`;
  if (made === undefined) throw new QueueExistsError(name, "input.name");
}

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
      ${audit(sql, actor, "queue.set", { ...changes })} from made returning 1`,
  );
  if (set === undefined) throw new NotFoundError("queue", name, "input.name");
  context.wakeups.ring("admit");
}

/**
 * Lets nothing of a queue start any more, until it is resumed or until a time. What runs goes on, jobs are accepted. Done again,
 * it changes the reason and the time.
 *
 * @throws NotFoundError when there is no such queue
 */
export async function pauseQueue(
  context: JobsContext,
  actor: Actor,
  { name, until, reason }: { name: string; until: Date | null; reason: string | null },
): Promise<void> {
  const { sql } = context.db;
  const untilText = until?.toISOString() ?? null;
  const [paused] = await withRetries(
    () => sql`
      with made as (
        update queues set paused_at = coalesce(paused_at, queue_now()), paused_until = ${untilText}, pause_reason = ${reason}
        where name = ${name} returning name
      )
      ${audit(sql, actor, "queue.pause", { until: untilText, reason })} from made returning 1`,
  );
  if (paused === undefined) throw new NotFoundError("queue", name, "input.name");
  context.wakeups.ring("admit");
}

/** Opens a queue again. One that is open stays so. */
export async function resumeQueue(context: JobsContext, actor: Actor, name: string): Promise<void> {
  const { sql } = context.db;
  const [opened] = await withRetries(
    () => sql`
      with made as (
        update queues set paused_at = null, paused_until = null, pause_reason = null where name = ${name} returning name
      )
      ${audit(sql, actor, "queue.resume", {})} from made returning 1`,
  );
  if (opened === undefined) throw new NotFoundError("queue", name, "input.name");
  context.wakeups.ring("admit");
}

/** The entry about the queue that a CTE `made` names. */
function audit(sql: Sql, { name: actor, requestId }: Actor, action: string, data: object) {
  return sql`
    insert into audit (at, actor, action, target, request_id, data)
    select queue_now(), ${actor}, ${action}, 'que_' || name, ${requestId}, ${sql.json(data as JsonObject)}`;
}
