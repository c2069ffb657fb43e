import { withRetries } from "../db/retry.ts";
import { NotFoundError } from "../domain/errors.ts";
import type { Actor } from "../domain/run-request.ts";
import { auditedQueue } from "./audit.ts";
import type { JobsContext } from "./context.ts";

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
      ${auditedQueue(sql, actor, "queue.pause", { until: untilText, reason })} from made returning 1`,
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
      ${auditedQueue(sql, actor, "queue.resume", {})} from made returning 1`,
  );
  if (opened === undefined) throw new NotFoundError("queue", name, "input.name");
  context.wakeups.ring("admit");
}
