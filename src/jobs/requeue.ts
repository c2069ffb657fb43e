import { withRetries } from "../db/retry.ts";
import { JobStateError, NotFoundError } from "../domain/errors.ts";
import { idText } from "../domain/ids.ts";
import { isFinal, type JobState, transitions } from "../domain/lifecycle.ts";
import type { Actor } from "../domain/run-request.ts";
import { auditJobs } from "./audit.ts";
import type { JobsContext } from "./context.ts";
import { transition } from "./transition.ts";

export interface RequeueRequest {
  jobId: string;
  reason: string | null;
  /** Not started by then, it expires; null: never. That of the life before has no meaning any more. */
  expiresAt: Date | null;
}

/**
 * Gives a job that did not succeed another life: the same request, due now, with the code as it is then. Its attempts go on
 * counting, its failures and lost workers begin again. Tells the number of the event with which the next life begins.
 *
 * @throws NotFoundError when there is no such job
 * @throws JobStateError when it has succeeded, or has not ended
 */
export async function requeueJob(
  { db, backend, wakeups }: JobsContext,
  actor: Actor,
  { jobId, reason, expiresAt }: RequeueRequest,
): Promise<{ seq: number }> {
  const shownId = idText("job", jobId);
  const requeued = await withRetries(() =>
    db.sql.begin(async (tx) => {
      // Of several who ask at once the first one has its way: the others find it queued.
      const [job] = await tx<{ state: JobState; attempt: number }[]>`
        select state, attempt from jobs where id = ${jobId} for no key update`;
      if (job === undefined) throw new NotFoundError("job", shownId, "input.id");
      const from: readonly JobState[] = transitions.requeue.from;
      if (!from.includes(job.state)) throw new JobStateError(shownId, job.state, whyNotRequeued(job.state));
      const move = { id: jobId, attempt: job.attempt, expiresAt: expiresAt?.toISOString() ?? null };
      const [[moved]] = await Promise.all([
        transition(tx, backend, "requeue", [{ ...move, data: { actor: actor.name, reason } }]),
        auditJobs(tx, actor, "job.requeue", [jobId], { reason }),
      ]);
      if (moved === undefined) throw new Error(`${shownId} was locked and has moved`);
      return moved;
    }),
  );
  wakeups.ring("events", [jobId]);
  if (expiresAt !== null || requeued.wakesAdmission) wakeups.ring("admit");
  return { seq: requeued.seq };
}

export function whyNotRequeued(state: JobState): string {
  return isFinal(state)
    ? "is not requeued: rerun it, which makes a new job from it"
    : "can be requeued only when it has ended";
}
