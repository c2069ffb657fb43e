import type { Sql } from "../db/client.ts";
import { withRetries } from "../db/retry.ts";
import { DomainError, JobStateError, NotFoundError } from "../domain/errors.ts";
import { idText } from "../domain/ids.ts";
import type { JsonObject } from "../domain/json.ts";
import { finalStates, type JobState, transitions, waitingStates } from "../domain/lifecycle.ts";
import type { Actor } from "../domain/run-request.ts";
import { auditJobs } from "./audit.ts";
import { requestCancel } from "./cancel.ts";
import type { JobsContext } from "./context.ts";
import { type Edit, editJobs } from "./edit.ts";
import { removal } from "./remove.ts";
import { whyNotRequeued } from "./requeue.ts";
import { transition } from "./transition.ts";
import { fieldsOf, queueRefusal, updateJob } from "./update.ts";

/** What is done to many jobs. */
export type BulkAct = { reason: string | null } & (
  | { verb: "cancel" | "requeue" | "delete" }
  | { verb: "update"; edit: Omit<Edit, "inputs" | "concurrency" | "expiresAt"> }
);

/** A job to which it was not done, and why. */
export interface BulkProblem {
  id: string;
  error: DomainError;
}

export interface BulkDone {
  done: string[];
  problems: BulkProblem[];
  /** Jobs that were moved because they waited for some of these. */
  following?: string[];
}

/** Jobs that one transaction takes: its locks are held for some 100 ms. */
const batchSize = 500;

/** The states in which each can be done, and what to say of a job in another one. */
export const bulkVerbs = {
  cancel: { from: [...waitingStates, "running"], refusal: () => "can no longer be cancelled" },
  requeue: { from: transitions.requeue.from, refusal: whyNotRequeued },
  delete: { from: finalStates, refusal: () => "can be deleted only when it has ended" },
  update: { from: waitingStates, refusal: () => "can no longer be changed" },
} as const satisfies Record<BulkAct["verb"], { from: readonly JobState[]; refusal: (state: JobState) => string }>;

/**
 * Does one thing to many jobs, in transactions of some hundred: in each the jobs, their events, their audit entries and their
 * tickets change together. A job to which it cannot be done is told with its reason, and keeps none of the others from it.
 *
 * @throws NotFoundError when the queue that they are to be moved to does not exist
 */
export async function bulk(
  context: JobsContext,
  actor: Actor,
  act: BulkAct,
  jobIds: readonly string[],
): Promise<BulkDone> {
  const whole: BulkDone = { done: [], problems: [] };
  const { together, oneByOne } = await apart(context, act, [...new Set(jobIds)].toSorted());
  const missing = act.verb === "update" ? await queueRefusal(context.db.sql, act.edit.queue, 1) : null;
  if (missing instanceof NotFoundError) throw missing;
  for (let start = 0; start < together.length; start += batchSize) {
    const ids = together.slice(start, start + batchSize);
    const {
      done,
      problems,
      following = [],
    } = await withRetries(() => context.db.sql.begin((tx) => batch(tx, context, actor, act, ids)));
    whole.done.push(...done);
    whole.problems.push(...problems);
    ring(context, act, [...done, ...following]);
  }
  for (const jobId of oneByOne) {
    const error = await singly(context, actor, act, jobId);
    if (error === null) whole.done.push(jobId);
    else whole.problems.push({ id: jobId, error });
  }
  return whole;
}

/** What `bulk` would do, as the jobs are now. */
export async function bulkDryRun({ db }: JobsContext, { verb }: BulkAct, jobIds: readonly string[]): Promise<BulkDone> {
  const ids = [...new Set(jobIds)];
  const jobs = await db.sql<Job[]>`select id, state, attempt from jobs where id = any(${ids}::uuid[]) order by id`;
  return sorted(verb, ids, jobs);
}

interface Job {
  id: string;
  state: JobState;
  attempt: number;
  requested: boolean;
}

async function batch(
  tx: Sql,
  { backend }: JobsContext,
  actor: Actor,
  act: BulkAct,
  ids: readonly string[],
): Promise<BulkDone> {
  const jobs = await tx<Job[]>`
    select id, state, attempt, cancel_requested_at is not null as requested from jobs
    where id = any(${ids as string[]}::uuid[]) order by id ${act.verb === "delete" ? tx`for update` : tx`for no key update`}`;
  const { done, problems } = sorted(act.verb, ids, jobs);
  const fit = new Set(done);
  const chosen = jobs.filter(({ id }) => fit.has(id));
  const data = { actor: actor.name, reason: act.reason };
  const audited: JsonObject = { reason: act.reason, bulk: true };
  switch (act.verb) {
    case "cancel": {
      const fresh = chosen.filter(({ requested }) => !requested);
      const waiting = fresh.filter(({ state }) => state !== "running");
      const running = fresh.filter(({ state }) => state === "running").map(({ id }) => id);
      const moved = await transition(
        tx,
        backend,
        "cancel",
        waiting.map(({ id, attempt }) => ({ id, attempt, data })),
      );
      if (running.length > 0) await requestCancel(tx, running, data);
      await auditJobs(
        tx,
        actor,
        "job.cancel",
        fresh.map(({ id }) => id),
        audited,
      );
      return { done, problems, following: moved.flatMap(({ id, follows }) => (follows ? id : [])) };
    }
    case "requeue":
      await transition(
        tx,
        backend,
        "requeue",
        chosen.map(({ id, attempt }) => ({ id, attempt, data, expiresAt: null })),
      );
      await auditJobs(tx, actor, "job.requeue", done, audited);
      break;
    case "delete":
      await deleteJobs(tx, done);
      await auditJobs(tx, actor, "job.delete", done, audited);
      break;
    case "update": {
      const refusal = await queueRefusal(tx, act.edit.queue, await newIn(tx, act.edit.queue, done));
      if (refusal !== null) return { done: [], problems: [...problems, ...done.map((id) => ({ id, error: refusal }))] };
      const edited = await editJobs(tx, backend, actor, done, act.edit, act.reason);
      await auditJobs(tx, actor, "job.update", edited, { ...audited, fields: fieldsOf(act.edit) });
    }
  }
  return { done, problems };
}

/** Which of the jobs are in a state in which it can be done. */
function sorted(verb: BulkAct["verb"], ids: readonly string[], jobs: readonly Job[]): BulkDone {
  const states = new Map(jobs.map(({ id, state }) => [id, state]));
  const from: readonly JobState[] = bulkVerbs[verb].from;
  const result: BulkDone = { done: [], problems: [] };
  for (const id of ids) {
    const [state, shownId] = [states.get(id), idText("job", id)];
    if (state === undefined) result.problems.push({ id, error: new NotFoundError("job", shownId, "input.ids") });
    else if (from.includes(state)) result.done.push(id);
    else result.problems.push({ id, error: new JobStateError(shownId, state, bulkVerbs[verb].refusal(state)) });
  }
  return result;
}

/** As a prune does it: with all that belongs to them, and the floor of the feed rises. */
async function deleteJobs(tx: Sql, ids: readonly string[]): Promise<void> {
  await tx`
    with doomed as materialized (select id from jobs where id = any(${ids as string[]}::uuid[]) order by id for update), ${removal(tx)}
    select count(*) from removed`;
}

async function newIn(tx: Sql, queue: string | undefined, ids: readonly string[]): Promise<number> {
  if (queue === undefined) return 0;
  const [row] = await tx<{ count: number }[]>`
    select count(*)::int as count from jobs where id = any(${ids as string[]}::uuid[]) and queue <> ${queue}`;
  return row?.count ?? 0;
}

/** Tags may be part of the key under which a job is counted, which its pipeline says: such jobs are changed singly. */
async function apart(
  { db }: JobsContext,
  act: BulkAct,
  ids: string[],
): Promise<{ together: string[]; oneByOne: string[] }> {
  if (act.verb !== "update" || act.edit.tags === undefined) return { together: ids, oneByOne: [] };
  const keyed = await db.sql<{ id: string }[]>`
    select id from jobs where id = any(${ids}::uuid[]) and concurrency_key is not null`;
  const oneByOne = new Set(keyed.map(({ id }) => id));
  return { together: ids.filter((id) => !oneByOne.has(id)), oneByOne: [...oneByOne] };
}

async function singly(context: JobsContext, actor: Actor, act: BulkAct, jobId: string): Promise<DomainError | null> {
  if (act.verb !== "update") throw new Error(`${act.verb} is done to jobs together`);
  try {
    await updateJob(context, actor, { ...act.edit, jobId, reason: act.reason, inputs: {}, unset: [] });
    return null;
  } catch (error) {
    // Data of the answer: one job's refusal is not that of all.
    if (error instanceof DomainError) return error;
    throw error;
  }
}

function ring({ wakeups }: JobsContext, { verb }: BulkAct, ids: string[]): void {
  if (ids.length === 0) return;
  wakeups.ring("events", ids);
  if (verb === "cancel") wakeups.ring("cancel", ids);
  if (verb !== "delete") wakeups.ring("admit");
}
