import type { Sql } from "../db/client.ts";
import { QueueFullError } from "../domain/errors.ts";
import { type JobState, waitingStates } from "../domain/lifecycle.ts";
import type { Actor, Unique } from "../domain/run-request.ts";
import { auditJobs } from "./audit.ts";
import type { JobsContext } from "./context.ts";
import type { Enqueued } from "./enqueue.ts";
import { type Inserted, insertJobs, isRefused, type NewJob } from "./insert.ts";
import { goneParents } from "./parents.ts";
import { transition } from "./transition.ts";
import { requireQueue } from "./unknown-queues.ts";

/** What became of a job with a unique key. Null: its idempotency key was taken in the meantime; nothing may be kept. */
export interface StoredUnique {
  enqueued: Enqueued;
  /** Null when there was one already. */
  inserted: Inserted | null;
}

/**
 * Makes a job whose unique key no other job of its project has in the states that count, or finds the one that has it, or
 * takes its place. In the caller's transaction: of several who come at once with one key, one after the other is served.
 *
 * @throws NotFoundError, QueueFullError: nothing of it may be kept then
 */
export async function storeUnique(
  { backend }: Pick<JobsContext, "backend">,
  sql: Sql,
  actor: Actor,
  job: NewJob,
  unique: Unique,
): Promise<StoredUnique | null> {
  // Before the look, and in a statement of its own: who has waited here sees what the one before has made.
  await sql`select pg_advisory_xact_lock(hashtextextended(${`unique ${job.project}/${unique.key}`}, 0))`;
  const counted: JobState[] = whileRunning(unique) ? [...waitingStates, "running"] : [...waitingStates];
  const holders = await sql<{ id: string; state: JobState; attempt: number }[]>`
    select id, state, attempt from jobs
    where project = ${job.project} and unique_key = ${unique.key} and finished_at is null and state in ${sql(counted)}
    order by id for no key update`;
  const [holder] = holders;
  const stays = unique.policy === "return_existing" ? holder : holders.find(({ state }) => state === "running");
  if (stays !== undefined) return { enqueued: { jobId: stays.id, replayed: true }, inserted: null };

  await giveWay({ backend }, sql, actor, holders, job);
  const [inserted] = await insertJobs(sql, backend, [dueAfterQuiet(job, unique)]);
  if (inserted === undefined) {
    await requireQueue(sql, job.queue);
    for (const error of (await goneParents(sql, [job])).values()) throw error;
    return null;
  }
  if (isRefused(inserted)) throw new QueueFullError(job.queue, inserted.backlogLimit, "input.queue");
  const replaced = holder === undefined ? {} : { replaced: holder.id };
  return { enqueued: { jobId: inserted.id, replayed: false, ...replaced }, inserted };
}

/** What counts where nobody says: to find the one there is, also a running one; to take its place, those that can be replaced. */
function whileRunning({ policy, while: asked }: Unique): boolean {
  return (asked ?? (policy === "return_existing" ? "waiting_or_running" : "waiting")) === "waiting_or_running";
}

/** Each call puts it off: it is due when there was none for so long. */
function dueAfterQuiet(job: NewJob, { policy, debounceMs }: Unique): NewJob {
  return policy === "debounce" ? { ...job, runAt: null, runInMs: debounceMs ?? 0 } : job;
}

/** Cancels the waiting jobs whose place another one takes. */
async function giveWay(
  { backend }: Pick<JobsContext, "backend">,
  sql: Sql,
  actor: Actor,
  holders: readonly { id: string; attempt: number }[],
  { shownId }: NewJob,
): Promise<void> {
  if (holders.length === 0) return;
  const reason = `replaced by ${shownId}`;
  await transition(
    sql,
    backend,
    "cancel",
    holders.map(({ id, attempt }) => ({ id, attempt, data: { actor: actor.name, reason } })),
  );
  await auditJobs(
    sql,
    actor,
    "job.cancel",
    holders.map(({ id }) => id),
    { reason },
  );
}
