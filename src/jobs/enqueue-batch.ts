import { setImmediate } from "node:timers/promises";
import type { Sql } from "../db/client.ts";
import { withRetries } from "../db/retry.ts";
import type { DependencyCondition, DependencyPolicy } from "../domain/dependency.ts";
import {
  BadInputError,
  type DomainError,
  IdempotencyConflictError,
  JobsRefusedError,
  NotFoundError,
  ProjectDisabledError,
  placedAt,
  QueueFullError,
} from "../domain/errors.ts";
import { idText } from "../domain/ids.ts";
import { type JsonObject, jsonProblems } from "../domain/json.ts";
import type { Actor, RunRequest } from "../domain/run-request.ts";
import { auditBatch } from "./batch-event.ts";
import type { JobsContext } from "./context.ts";
import { expires, fingerprintOf, newJob } from "./enqueue.ts";
import { askedOnce, isOfOne } from "./enqueue-many.ts";
import { type Inserted, insertJobs, isRefused, type NewJob } from "./insert.ts";
import { goneParents } from "./parents.ts";

/** A run that is made with a batch and waits for it. */
export interface OnComplete {
  request: RunRequest;
  /** succeeded: all its jobs have; failed: some have not; ended: either. */
  when: DependencyCondition;
  otherwise: DependencyPolicy;
}

export interface BatchRequest {
  name: string | null;
  /** What each job is asked for with; its inputs are the base of all. */
  request: RunRequest;
  /** Merged over the base, one job each. */
  inputSets: readonly JsonObject[];
  idempotencyKey: string | null;
  onComplete: OnComplete | null;
}

export interface EnqueuedBatch {
  /** Null in a dry run. */
  batchId: string | null;
  /** The key was used before: this is the batch of then. */
  replayed: boolean;
}

/** Checked before others get their turn on this thread. */
const checkedAtOnce = 50;
/** Made by one statement. */
const madeAtOnce = 1000;
/** Input sets that are told to be wrong; after so many the rest is not looked at. */
const mostProblems = 100;

/**
 * Makes a job for each input set, and the job that waits for them all, in one transaction: all or none. Each is checked as
 * `enqueueJob` checks it. Answers after the commit; in a dry run nothing is stored.
 *
 * @throws JobsRefusedError when some input sets do not fit the pipeline; NotFoundError, ProjectDisabledError, QueueFullError when
 *   none can be made; IdempotencyConflictError when the key belongs to another request
 */
export async function enqueueBatch(
  context: JobsContext,
  actor: Actor,
  batch: BatchRequest,
  dryRun: boolean,
): Promise<EnqueuedBatch> {
  const fingerprint = fingerprintOf(batch as BatchRequest & { onReplay: "return" });
  const { sql } = context.db;
  // Before any check: the pipeline may have changed since, and the answer must not.
  const earlier = dryRun ? null : await heldBy(sql, actor, batch, fingerprint);
  if (earlier !== null) return { batchId: earlier, replayed: true };

  const batchId = context.db.ids.next();
  const shared = askedOnce(context);
  const jobs = await checkedJobs(shared, actor, batch, batchId);
  const last = await lastJob(shared, actor, batch, batchId);
  await refuseUnknown(sql, last === null ? jobs.slice(0, 1) : [...jobs.slice(0, 1), last]);
  if (dryRun) return { batchId: null, replayed: false };

  const inserted = await withRetries(() =>
    sql.begin(async (tx) => {
      const made = await insertBatch(tx, actor, { id: batchId, batch, fingerprint, job: jobs[0] as NewJob });
      if (!made) return null;
      const all: Inserted[] = [];
      for (let at = 0; at < jobs.length; at += madeAtOnce) {
        all.push(...(await insertAll(tx, context, jobs.slice(at, at + madeAtOnce))));
        await setImmediate();
      }
      if (last !== null) await insertAll(tx, context, [last]);
      return all;
    }),
  );
  if (inserted === null) {
    // An equal call was faster, or this one was and its answer was lost.
    const held = await heldBy(sql, actor, batch, fingerprint);
    return { batchId: held ?? batchId, replayed: held !== null && held !== batchId };
  }
  context.wakeups.ring("events");
  const waits = inserted.some(({ held, state }) => held || state === "scheduled");
  if (waits || expires(jobs[0] as NewJob)) context.wakeups.ring("admit");
  return { batchId, replayed: false };
}

async function heldBy(
  sql: Sql,
  actor: Actor,
  { idempotencyKey: key }: BatchRequest,
  fingerprint: string,
): Promise<string | null> {
  if (key === null) return null;
  const [held] = await sql<{ id: string; fingerprint: string }[]>`
    select id, fingerprint from batches where actor = ${actor.name} and idempotency_key = ${key}`;
  if (held === undefined) return null;
  if (held.fingerprint !== fingerprint) throw new IdempotencyConflictError(key, idText("batch", held.id));
  return held.id;
}

async function checkedJobs(
  context: JobsContext,
  actor: Actor,
  { request, inputSets }: BatchRequest,
  batchId: string,
): Promise<NewJob[]> {
  const jobs: NewJob[] = [];
  const problems: { index: number; error: DomainError }[] = [];
  const check = async (set: JsonObject, index: number): Promise<NewJob | null> => {
    try {
      const inputs = { ...request.inputs, ...set };
      const [problem] = jsonProblems(inputs, "input.inputs");
      if (problem !== undefined) throw new BadInputError(problem.message, problem.path);
      const run = { ...request, inputs };
      return { ...(await newJob(context, actor, run, fingerprintOf(run))), batchId };
    } catch (error) {
      // The same for all of them: told once, as of one job.
      if (error instanceof NotFoundError || error instanceof ProjectDisabledError) throw error;
      if (!isOfOne(error)) throw error;
      problems.push({ index, error: placedAt(error, `input.sweep.${index}`) });
      return null;
    }
  };
  for (let at = 0; at < inputSets.length && problems.length < mostProblems; at += checkedAtOnce) {
    const some = inputSets.slice(at, at + checkedAtOnce);
    const checked = await Promise.all(some.map((set, offset) => check(set, at + offset)));
    jobs.push(...checked.filter((job) => job !== null));
    await setImmediate();
  }
  if (problems.length === 0) return jobs;
  const told = problems.toSorted((one, other) => one.index - other.index).slice(0, mostProblems);
  throw new JobsRefusedError(told, inputSets.length);
}

async function lastJob(
  context: JobsContext,
  actor: Actor,
  { onComplete }: BatchRequest,
  batchId: string,
): Promise<NewJob | null> {
  if (onComplete === null) return null;
  const { request, when, otherwise } = onComplete;
  try {
    const job = await newJob(context, actor, request, fingerprintOf(request));
    const parent = { jobId: batchId, shownId: idText("batch", batchId), when, otherwise };
    return { ...job, dependsOn: [...job.dependsOn, parent] };
  } catch (error) {
    if (isOfOne(error)) throw placedAt(error, "input.onComplete.run");
    throw error;
  }
}

/** The queue and the parents, which are those of all. */
async function refuseUnknown(sql: Sql, jobs: readonly NewJob[]): Promise<void> {
  const rows = await sql<
    { name: string }[]
  >`select name from queues where name = any(${jobs.map(({ queue }) => queue)})`;
  const missing = jobs.find(({ queue }) => !rows.some(({ name }) => name === queue));
  if (missing !== undefined) throw new NotFoundError("queue", missing.queue, "input.queue");
  const named = jobs.map((job) => ({
    ...job,
    dependsOn: job.dependsOn.filter(({ shownId }) => shownId.startsWith("job_")),
  }));
  for (const error of (await goneParents(sql, named)).values()) throw error;
}

interface NewBatch {
  id: string;
  batch: BatchRequest;
  fingerprint: string;
  /** One of its jobs, which names the pipeline. */
  job: NewJob;
}

/** The row with its first event and audit entry. False: another batch has the key. */
async function insertBatch(tx: Sql, actor: Actor, { id, batch, fingerprint, job }: NewBatch): Promise<boolean> {
  const { name, idempotencyKey, inputSets } = batch;
  const { project, pipeline } = job;
  const total = inputSets.length;
  const rows = await tx`
    insert into batches (id, name, project, pipeline, total, actor, idempotency_key, fingerprint, created_at, last_seq)
    values (${id}, ${name}, ${project}, ${pipeline}, ${total}, ${actor.name}, ${idempotencyKey}, ${fingerprint}, queue_now(), 1)
    on conflict do nothing returning id`;
  if (rows.length === 0) return false;
  await tx`
    insert into batch_events (batch_id, seq, type, recorded_at, data)
    values (${id}, 1, 'batch.enqueued', queue_now(), ${tx.json({ total, actor: actor.name })})`;
  await auditBatch(tx, actor, "batch.enqueue", id, { project, pipeline, total, name });
  return true;
}

async function insertAll(tx: Sql, { backend }: JobsContext, jobs: readonly NewJob[]): Promise<Inserted[]> {
  const made = await insertJobs(tx, backend, jobs);
  const inserted: Inserted[] = [];
  for (const job of made) {
    if (isRefused(job)) throw new QueueFullError(jobs[0]?.queue ?? "", job.backlogLimit, "input.queue");
    inserted.push(job);
  }
  // The queue and the parents were there a moment ago.
  if (inserted.length < jobs.length)
    throw new NotFoundError("queue or job it waits for", jobs[0]?.queue ?? "", "input");
  return inserted;
}
