import type { Sql } from "../db/client.ts";
import { withRetries } from "../db/retry.ts";
import { JobStateError, NotFoundError } from "../domain/errors.ts";
import { idText } from "../domain/ids.ts";
import { isFinal, type JobState } from "../domain/lifecycle.ts";
import type { Actor } from "../domain/run-request.ts";
import { auditJobs } from "./audit.ts";
import type { JobsContext } from "./context.ts";
import { type Moved, transition } from "./transition.ts";

/**
 * Stops a job. One that no worker has is cancelled at once; of a running one the cancel is recorded, and the worker stops it:
 * at the next node, or by force after the grace. Asked again, it changes nothing.
 *
 * @throws NotFoundError when there is no such job
 * @throws JobStateError when it has ended already
 */
export async function cancelJob(
  { db, backend, wakeups }: JobsContext,
  actor: Actor,
  { jobId, reason }: { jobId: string; reason: string | null },
): Promise<void> {
  const shownId = idText("job", jobId);
  const data = { actor: actor.name, reason };
  const changed = await withRetries(() =>
    db.sql.begin(async (tx): Promise<Changed> => {
      // The lock makes what follows one step: the job can neither start nor end in between.
      const [job] = await tx<{ state: JobState; attempt: number; requested: boolean }[]>`
        select state, attempt, cancel_requested_at is not null as requested
        from jobs where id = ${jobId} for no key update`;
      if (job === undefined) throw new NotFoundError("job", shownId, "input.id");
      if (isFinal(job.state)) throw new JobStateError(shownId, job.state, "can no longer be cancelled");
      if (job.requested) return { what: "nothing" };
      await auditJobs(tx, actor, "job.cancel", [jobId], { reason });
      if (job.state === "running") {
        await requestCancel(tx, [jobId], data);
        return { what: "requested" };
      }
      return {
        what: "ended",
        moved: await transition(tx, backend, "cancel", [{ id: jobId, attempt: job.attempt, data }]),
      };
    }),
  );
  if (changed.what === "nothing") return;
  const { moved = [] } = changed;
  // With what has waited for it.
  wakeups.ring("events", changed.what === "ended" ? moved.map(({ id }) => id) : [jobId]);
  if (moved.some(({ wakesAdmission }) => wakesAdmission)) wakeups.ring("admit");
  if (changed.what === "requested") wakeups.ring("cancel", [jobId]);
}

interface Changed {
  what: "ended" | "requested" | "nothing";
  moved?: Moved[];
}

/** Records that running jobs, which the caller has locked, are to be stopped. */
export async function requestCancel(
  sql: Sql,
  jobIds: readonly string[],
  data: { actor: string; reason: string | null },
): Promise<void> {
  await sql`
    with asked as (
      update jobs set cancel_requested_at = queue_now(), last_seq = last_seq + 1
      where id = any(${jobIds as string[]}::uuid[])
      returning id, last_seq, life, attempt
    )
    insert into events (job_id, seq, life, attempt, type, version, recorded_at, occurred_at, data)
    select id, last_seq, life, attempt, 'job.cancel_requested', 1, queue_now(), queue_now(), ${sql.json(data)}
    from asked`;
}
