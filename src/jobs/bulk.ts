import { withRetries } from "../db/retry.ts";
import { DomainError, NotFoundError } from "../domain/errors.ts";
import { operationLimits } from "../domain/operation.ts";
import type { Actor } from "../domain/run-request.ts";
import type { BulkAct, BulkDone, BulkProblem } from "./bulk-act.ts";
import { type BulkJob, bulkBatch, possible } from "./bulk-batch.ts";
import type { JobsContext } from "./context.ts";
import type { JobFilter } from "./filter.ts";
import { lockFitting } from "./matching.ts";
import { queueRefusal, updateJob } from "./update.ts";

/**
 * Does one thing to many jobs, in transactions of some hundred: in each the jobs, their events, their audit entries and their
 * tickets change together. A job to which it cannot be done is told with its reason, and keeps none of the others from it.
 * Those that a filter has found are left out without a word when they no longer fit it.
 *
 * @throws NotFoundError when the queue that they are to be moved to does not exist
 */
export async function bulk(
  context: JobsContext,
  actor: Actor,
  act: BulkAct,
  jobIds: readonly string[],
  filter: JobFilter | null = null,
): Promise<BulkDone> {
  await requireQueue(context, act);
  const whole: BulkDone = { done: [], problems: [] };
  /** Jobs that were cancelled because they waited for others of this call. */
  const cancelled = new Set<string>();
  const { together, oneByOne } = await apart(context, act, [...new Set(jobIds)].toSorted());
  for (let start = 0; start < together.length; start += operationLimits.chunk) {
    const ids = together.slice(start, start + operationLimits.chunk);
    const one = await withRetries(() =>
      context.db.sql.begin(async (tx) => {
        const chosen = filter === null ? ids : await lockFitting(tx, { verb: act.verb, filter }, ids);
        return await bulkBatch(tx, context, actor, act, chosen);
      }),
    );
    whole.done.push(...one.done);
    whole.problems.push(...one.problems);
    for (const id of one.cancelled) cancelled.add(id);
    ringChanged(context, act, [...one.done, ...one.following]);
  }
  const { done, problems } = await changeSingly(context, actor, act, oneByOne);
  whole.done.push(...done);
  whole.problems.push(...problems);
  return cancelled.size === 0 ? whole : withCancelled(whole, together, cancelled);
}

/** What was asked for has happened to a job that was cancelled together with the one that it waited for. */
function withCancelled(
  { done, problems }: BulkDone,
  asked: readonly string[],
  cancelled: ReadonlySet<string>,
): BulkDone {
  const told = new Set(done);
  return {
    done: [...done, ...asked.filter((id) => cancelled.has(id) && !told.has(id))],
    problems: problems.filter(({ id }) => !cancelled.has(id)),
  };
}

/** What `bulk` would do, as the jobs are now. */
export async function bulkDryRun({ db }: JobsContext, { verb }: BulkAct, jobIds: readonly string[]): Promise<BulkDone> {
  const ids = [...new Set(jobIds)];
  const jobs = await db.sql<BulkJob[]>`select id, state from jobs where id = any(${ids}::uuid[]) order by id`;
  return await possible(db.sql, verb, ids, jobs);
}

/** @throws NotFoundError when jobs are to be moved to a queue that does not exist */
export async function requireQueue({ db }: Pick<JobsContext, "db">, act: BulkAct): Promise<void> {
  const missing = act.verb === "update" ? await queueRefusal(db.sql, act.edit.queue, 1) : null;
  if (missing instanceof NotFoundError) throw missing;
}

/** Tags may be part of the key under which a job is counted, which its pipeline says: such jobs are changed singly. */
export async function apart(
  { db }: Pick<JobsContext, "db">,
  act: BulkAct,
  ids: string[],
): Promise<{ together: string[]; oneByOne: string[] }> {
  if (act.verb !== "update" || act.edit.tags === undefined) return { together: ids, oneByOne: [] };
  const keyed = await db.sql<{ id: string }[]>`
    select id from jobs where id = any(${ids}::uuid[]) and concurrency_key is not null`;
  const oneByOne = new Set(keyed.map(({ id }) => id));
  return { together: ids.filter((id) => !oneByOne.has(id)), oneByOne: [...oneByOne] };
}

/** Changes jobs one after the other, each in a transaction of its own. Done again, it changes and records nothing. */
export async function changeSingly(
  context: JobsContext,
  actor: Actor,
  act: BulkAct,
  ids: readonly string[],
): Promise<BulkDone> {
  const result: { done: string[]; problems: BulkProblem[] } = { done: [], problems: [] };
  if (act.verb !== "update") return result;
  for (const id of ids) {
    try {
      await updateJob(context, actor, { ...act.edit, jobId: id, reason: act.reason, inputs: {}, unset: [] });
      result.done.push(id);
    } catch (error) {
      // Data of the answer: one job's refusal is not that of all.
      if (!(error instanceof DomainError)) throw error;
      result.problems.push({ id, error });
    }
  }
  return result;
}

/** Tells of jobs that were changed, after the commit. */
export function ringChanged({ wakeups }: Pick<JobsContext, "wakeups">, { verb }: BulkAct, ids: string[]): void {
  if (ids.length === 0) return;
  wakeups.ring("events", ids);
  if (verb === "cancel") wakeups.ring("cancel", ids);
  if (verb !== "delete") wakeups.ring("admit");
}
