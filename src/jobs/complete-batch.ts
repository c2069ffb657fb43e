import type { Sql } from "../db/client.ts";
import { withRetries } from "../db/retry.ts";
import { outcomeOf } from "../domain/batch.ts";
import { type FinalState, isFinal, type JobState } from "../domain/lifecycle.ts";
import { appendBatchEvent } from "./batch-event.ts";
import type { JobsContext } from "./context.ts";
import { type Moved, releaseFromBatch } from "./transition.ts";

/** Batches that one look completes. */
const mostAtOnce = 100;

/** Completes open batches whose jobs have all ended: those of these jobs, or any. True when there may be more. */
export async function completeBatches(context: JobsContext, jobIds: readonly string[] | null): Promise<boolean> {
  const ended = await endedBatches(context.db.sql, jobIds);
  for (const id of ended) await completeBatch(context, id);
  return ended.length === mostAtOnce;
}

/** Asked of each open batch by itself, so that the index of its open jobs is probed and never read as a whole. */
async function endedBatches(sql: Sql, jobIds: readonly string[] | null): Promise<string[]> {
  const those =
    jobIds === null
      ? sql``
      : sql`and b.id in (select j.batch_id from jobs j where j.id = any(${jobIds as string[]}::uuid[]) and j.finished_at is not null)`;
  const rows = await sql<{ id: string }[]>`
    select b.id from batches b
    where b.completed_at is null ${those}
      and not (select exists (select from jobs j where j.batch_id = b.id and j.finished_at is null))
    order by b.id limit ${mostAtOnce}`;
  return rows.map(({ id }) => id);
}

/**
 * Completes one batch if it is still open and all its jobs have ended, with its event, and moves the jobs that wait for it. False:
 * somebody else has, or is at it, or one of its jobs has another life by now.
 */
export async function completeBatch({ db, backend, wakeups }: JobsContext, batchId: string): Promise<boolean> {
  const released = await withRetries(() =>
    db.sql.begin(async (tx): Promise<Moved[] | null> => {
      // What waits for it first: jobs are locked before batches.
      await tx`
        select from jobs where id in (
          select job_id from job_dependencies where parent_id = ${batchId} and resolved_at is null
        ) order by id for no key update`;
      const [locked] = await tx`
        select from batches where id = ${batchId} and completed_at is null for no key update skip locked`;
      if (locked === undefined) return null;
      // In a statement after the lock: a job that got another life before it is seen as open.
      const rows = await tx<{ state: JobState; counted: number }[]>`
        select state, count(*)::int as counted from jobs where batch_id = ${batchId} group by state`;
      if (rows.some(({ state }) => !isFinal(state))) return null;
      const counts: Partial<Record<FinalState, number>> = {};
      for (const { state, counted } of rows) counts[state as FinalState] = counted;
      const outcome = outcomeOf(counts);
      await tx`update batches set completed_at = queue_now(), outcome = ${outcome} where id = ${batchId}`;
      await appendBatchEvent(tx, batchId, "batch.completed", { outcome, counts });
      return await releaseFromBatch(tx, backend, batchId, outcome);
    }),
  );
  if (released === null) return false;
  wakeups.ring("batch", [batchId]);
  wakeups.ring(
    "events",
    released.map(({ id }) => id),
  );
  if (released.length > 0) wakeups.ring("admit");
  return true;
}
