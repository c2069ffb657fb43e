import { withRetries } from "../db/retry.ts";
import { NotFoundError, OperationStateError } from "../domain/errors.ts";
import { idText } from "../domain/ids.ts";
import type { OperationState } from "../domain/operation.ts";
import type { Actor } from "../domain/run-request.ts";
import type { JobsContext } from "./context.ts";

/**
 * Ends an operation. The chunk that is being done holds its row and is waited for: when this has resolved, nothing more is
 * touched. What was done stays done. One that was stopped already stays as it was stopped.
 *
 * @throws NotFoundError, OperationStateError when it has ended by itself
 */
export async function stopOperation(
  { db, wakeups }: Pick<JobsContext, "db" | "wakeups">,
  actor: Actor,
  id: string,
  reason: string | null,
): Promise<void> {
  const shown = idText("operation", id);
  const [stopped] = await withRetries(
    () => db.sql`
      with made as (
        update operations set state = 'stopped', stopped_by = ${actor.name}, stop_reason = ${reason}, finished_at = queue_now(),
          holder = null, lease_until = null
        where id = ${id} and state = 'running' returning done, failed
      )
      insert into audit (at, actor, action, target, request_id, data)
      select queue_now(), ${actor.name}, 'operation.stop', ${shown}, ${actor.requestId},
        jsonb_build_object('reason', ${reason}::text, 'done', done, 'failed', failed)
      from made returning 1`,
  );
  if (stopped !== undefined) return wakeups.ring("operation", [id]);
  const [found] = await db.sql<{ state: OperationState }[]>`select state from operations where id = ${id}`;
  if (found === undefined) throw new NotFoundError("operation", shown, "input.id");
  if (found.state !== "stopped") throw new OperationStateError(shown, found.state);
}
