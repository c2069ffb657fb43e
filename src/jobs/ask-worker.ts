import { withRetries } from "../db/retry.ts";
import { NotFoundError, WorkerStateError } from "../domain/errors.ts";
import { idText } from "../domain/ids.ts";
import type { Actor } from "../domain/run-request.ts";
import type { JobsContext } from "./context.ts";

/** What is asked of a worker: to take nothing more, to take jobs again, to end. */
export type Asked =
  | { action: "drain"; reason: string | null }
  | { action: "resume" }
  | { action: "stop"; reason: string | null; graceMs: number | null };

/**
 * Writes on a worker's row what is wanted of it, and wakes it. Asked again, the newest time, reason and grace hold. One that
 * was asked to stop can only be asked so again.
 *
 * @throws NotFoundError when there is no such worker
 * @throws WorkerStateError when it has ended, or was asked to stop
 */
export async function askWorker(
  { db, wakeups }: JobsContext,
  actor: Actor,
  workerId: string,
  asked: Asked,
): Promise<void> {
  const shownId = idText("worker", workerId);
  const { action, reason = null, graceMs = null } = { reason: null, graceMs: null, ...asked };
  const wanted = action === "resume" ? null : action;
  const data = action === "stop" ? { reason, graceMs } : action === "drain" ? { reason } : {};
  const { sql } = db;
  const [found] = await withRetries(
    () => sql<{ state: string; asked: boolean }[]>`
      with found as materialized (
        select id, state, ended_at, wanted from workers where id = ${workerId} for no key update
      ), asked as (
        update workers w set wanted = ${wanted}, wanted_reason = ${reason}, stop_grace_ms = ${graceMs},
          wanted_by = ${wanted === null ? null : actor.name},
          wanted_at = ${wanted === null ? sql`null` : sql`queue_now()`}
        from found f
        where w.id = f.id and f.ended_at is null and (f.wanted is distinct from 'stop' or ${wanted}::text = 'stop')
        returning w.id
      ), audited as (
        insert into audit (at, actor, action, target, request_id, data)
        select queue_now(), ${actor.name}, ${`worker.${action}`}, ${shownId}, ${actor.requestId}, ${sql.json(data)}
        from asked
      )
      select state, exists (select from asked) as asked from found`,
  );
  if (found === undefined) throw new NotFoundError("worker", shownId, "input.id");
  if (!found.asked) throw new WorkerStateError(shownId, found.state);
  wakeups.ring("worker", [workerId]);
}
