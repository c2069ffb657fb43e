import { withRetries } from "../db/retry.ts";
import { outcomeOf } from "../domain/batch.ts";
import { finalStates, isFinal, type JobState } from "../domain/lifecycle.ts";
import { type Rounds, startRounds } from "../events/rounds.ts";
import { appendBatchEvent } from "./batch-event.ts";
import type { JobsContext } from "./context.ts";
import { type Moved, releaseFromBatch } from "./transition.ts";

/** Between two looks while batches are open, and while none is. */
const openMs = 500;
const idleMs = 2_000;
/** Batches that one look completes. */
const mostAtOnce = 100;

/** Completes batches whose jobs have all ended. Every server and worker looks; each batch is completed once. */
export function startCompletingBatches(context: JobsContext, onError: (error: Error) => void): Rounds {
  return startRounds(async () => await completeBatches(context), onError);
}

/** One look; returns when to look again, in milliseconds. */
export async function completeBatches(context: JobsContext): Promise<number> {
  // A subquery of its own for each, so that the partial index of open jobs is asked and never read as a whole.
  const open = await context.db.sql<{ id: string; done: boolean }[]>`
    select b.id, not (select exists (
      select from jobs j where j.batch_id = b.id and j.finished_at is null
    )) as done
    from batches b where b.completed_at is null order by b.id`;
  const done = open.filter((batch) => batch.done).slice(0, mostAtOnce);
  for (const { id } of done) await completeBatch(context, id);
  return open.length > done.length ? openMs : idleMs;
}

/**
 * Completes one batch if it is still open and all its jobs have ended, with its event, and moves the job that waits for it. False:
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
      const counts = Object.fromEntries(finalStates.map((state) => [state, 0]));
      for (const { state, counted } of rows) counts[state] = counted;
      const outcome = outcomeOf(counts);
      await tx`update batches set completed_at = queue_now(), outcome = ${outcome} where id = ${batchId}`;
      await appendBatchEvent(tx, batchId, "batch.completed", { outcome, counts });
      return await releaseFromBatch(tx, backend, batchId, outcome);
    }),
  );
  if (released === null) return false;
  if (released.length > 0) {
    wakeups.ring(
      "events",
      released.map(({ id }) => id),
    );
    wakeups.ring("admit");
  }
  return true;
}
