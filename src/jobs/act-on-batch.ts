import { withRetries } from "../db/retry.ts";
import { NotFoundError } from "../domain/errors.ts";
import { idText } from "../domain/ids.ts";
import { type JobState, transitions, waitingStates } from "../domain/lifecycle.ts";
import type { Actor } from "../domain/run-request.ts";
import { appendBatchEvent, auditBatch } from "./batch-event.ts";
import { type BulkDone, bulk } from "./bulk.ts";
import type { JobsContext } from "./context.ts";

/** What is done to a batch as a whole. */
export interface BatchAct {
  verb: "cancel" | "requeue";
  reason: string | null;
}

const acts = {
  cancel: { from: [...waitingStates, "running"], event: "batch.cancel_requested", action: "batch.cancel" },
  requeue: { from: transitions.requeue.from, event: "batch.requeued", action: "batch.requeue" },
} as const;

/**
 * Stops what of a batch has not ended, or gives its jobs that did not succeed another life: in transactions of some hundred jobs,
 * each job as by itself. The event and the audit entry come first, so that they tell of it even when it is interrupted; asked again,
 * it goes on where it was.
 *
 * @throws NotFoundError when there is no such batch
 */
export async function actOnBatch(
  context: JobsContext,
  actor: Actor,
  batchId: string,
  { verb, reason }: BatchAct,
): Promise<BulkDone> {
  const { from, event, action } = acts[verb];
  const jobIds = await withRetries(() =>
    context.db.sql.begin(async (tx) => {
      const jobs = await tx<{ id: string }[]>`
        select id from jobs where batch_id = ${batchId} and state in ${tx([...from] as JobState[])}
          ${verb === "cancel" ? tx`and cancel_requested_at is null` : tx``}
        order by id`;
      const asked = verb === "cancel" && jobs.length > 0;
      const [batch] = await tx`
        update batches set cancel_requested_at = case when ${asked} then queue_now() else cancel_requested_at end
        where id = ${batchId} returning id`;
      if (batch === undefined) throw new NotFoundError("batch", idText("batch", batchId), "input.id");
      if (jobs.length > 0) {
        await appendBatchEvent(tx, batchId, event, { actor: actor.name, reason, jobs: jobs.length });
        await auditBatch(tx, actor, action, batchId, { reason, jobs: jobs.length });
      }
      return jobs.map(({ id }) => id);
    }),
  );
  if (jobIds.length === 0) return { done: [], problems: [] };
  context.wakeups.ring("batch", [batchId]);
  const done = await bulk(context, actor, { verb, reason }, jobIds);
  context.wakeups.ring("batch", [batchId]);
  return done;
}
