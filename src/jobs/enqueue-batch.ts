import { setImmediate } from "node:timers/promises";
import type { Sql } from "../db/client.ts";
import { withRetries } from "../db/retry.ts";
import type { DependencyCondition, DependencyPolicy } from "../domain/dependency.ts";
import {
  type DomainError,
  IdempotencyConflictError,
  JobsRefusedError,
  NotFoundError,
  ProjectDisabledError,
  placedAt,
  QueueFullError,
} from "../domain/errors.ts";
import { idText } from "../domain/ids.ts";
import type { Actor, RunRequest } from "../domain/run-request.ts";
import { nearest } from "../pipelines/nearest.ts";
import { auditBatch } from "./batch-event.ts";
import type { JobsContext } from "./context.ts";
import { expires, newJob } from "./enqueue.ts";
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
  /** One job each, at least one, without keys of their own. */
  runs: readonly RunRequest[];
  /** Where each stands in what was sent, for whoever is told what is wrong with it. */
  placeOf(index: number): string;
  /** Where that stands which they have in common, where they are one request for many inputs; null: each says all of it. */
  commonPlace: string | null;
  idempotencyKey: string | null;
  /** Of the request as it was sent (`fingerprintOf`). */
  fingerprint: string;
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
/** Runs that are told to be wrong; after so many the rest is not looked at. */
const mostProblems = 100;

/**
 * Makes the jobs of a batch, and the job that waits for them all, in one transaction: all or none. Each is checked as `enqueueJob`
 * checks it. Answers after the commit; in a dry run nothing is stored.
 *
 * @throws JobsRefusedError when some runs do not fit their pipelines
 * @throws NotFoundError, ProjectDisabledError, QueueFullError when none can be made
 * @throws IdempotencyConflictError when the key belongs to another request
 */
export async function enqueueBatch(
  context: JobsContext,
  actor: Actor,
  batch: BatchRequest,
  dryRun: boolean,
): Promise<EnqueuedBatch> {
  const { sql } = context.db;
  // Before any check: the pipeline may have changed since, and the answer must not.
  const earlier = dryRun ? null : await heldBy(sql, actor, batch);
  if (earlier !== null) return { batchId: earlier, replayed: true };

  const batchId = context.db.ids.next();
  const shared = askedOnce(context);
  const jobs = await checkedJobs(shared, actor, batch, batchId);
  const last = await lastJob(shared, actor, batch, batchId);
  await refuseUnknown(sql, jobs, batch.commonPlace ?? "input.jobs");
  if (last !== null) await refuseUnknown(sql, [last], "input.onComplete.run");
  if (dryRun) return { batchId: null, replayed: false };

  const inserted = await withRetries(() =>
    sql.begin(async (tx) => {
      if (!(await insertBatch(tx, actor, { id: batchId, batch, jobs }))) return null;
      const all: Inserted[] = [];
      for (let at = 0; at < jobs.length; at += madeAtOnce) {
        all.push(...(await insertAll(tx, context, jobs.slice(at, at + madeAtOnce))));
        await setImmediate();
      }
      if (last !== null) all.push(...(await insertAll(tx, context, [last])));
      return all;
    }),
  );
  if (inserted === null) {
    // An equal call was faster, or this one was and its answer was lost.
    const held = await heldBy(sql, actor, batch);
    return { batchId: held ?? batchId, replayed: held !== null && held !== batchId };
  }
  wake(context, batchId, jobs, inserted);
  return { batchId, replayed: false };
}

async function heldBy(
  sql: Sql,
  actor: Actor,
  { idempotencyKey: key, fingerprint }: BatchRequest,
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
  { runs, placeOf, commonPlace }: BatchRequest,
  batchId: string,
): Promise<NewJob[]> {
  const jobs: NewJob[] = [];
  const problems: { index: number; error: DomainError }[] = [];
  const check = async (run: RunRequest, index: number): Promise<NewJob | null> => {
    try {
      // Without a key of its own it needs no fingerprint.
      return { ...(await newJob(context, actor, run, "")), batchId };
    } catch (error) {
      if (!isOfOne(error)) throw error;
      if (commonPlace !== null && isOfAll(error)) throw placedAt(error, commonPlace);
      problems.push({ index, error: placedAt(error, placeOf(index)) });
      return null;
    }
  };
  for (let at = 0; at < runs.length && problems.length < mostProblems; at += checkedAtOnce) {
    const some = runs.slice(at, at + checkedAtOnce);
    const checked = await Promise.all(some.map((run, offset) => check(run, at + offset)));
    jobs.push(...checked.filter((job) => job !== null));
    await setImmediate();
  }
  if (problems.length === 0) return jobs;
  const told = problems.toSorted((one, other) => one.index - other.index).slice(0, mostProblems);
  throw new JobsRefusedError(told, runs.length, problems.length >= mostProblems);
}

/** A pipeline or a job that is not there, a project that is disabled: told once where the runs differ in their inputs alone. */
function isOfAll(error: DomainError): boolean {
  return error instanceof NotFoundError || error instanceof ProjectDisabledError;
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
    const job = await newJob(context, actor, request, "");
    const parent = { jobId: batchId, shownId: idText("batch", batchId), when, otherwise };
    return { ...job, dependsOn: [...job.dependsOn, parent] };
  } catch (error) {
    if (isOfOne(error)) throw placedAt(error, "input.onComplete.run");
    throw error;
  }
}

async function refuseUnknown(sql: Sql, jobs: readonly NewJob[], place: string): Promise<void> {
  const rows = await sql<{ name: string }[]>`select name from queues order by name`;
  const names = new Set(rows.map(({ name }) => name));
  const missing = jobs.find(({ queue }) => !names.has(queue));
  if (missing !== undefined) {
    throw new NotFoundError("queue", missing.queue, `${place}.queue`, nearest(missing.queue, [...names]));
  }
  for (const error of (await goneParents(sql, jobs.map(withoutBatch))).values()) throw placedAt(error, place);
}

/** Without the batch that it is to wait for, which is not there before it. */
function withoutBatch(job: NewJob): Pick<NewJob, "id" | "dependsOn"> {
  return { id: job.id, dependsOn: job.dependsOn.filter(({ shownId }) => shownId.startsWith("job_")) };
}

interface NewBatch {
  id: string;
  batch: BatchRequest;
  jobs: readonly NewJob[];
}

/** The row with its first event and audit entry. False: another batch has the key. */
async function insertBatch(tx: Sql, actor: Actor, { id, batch, jobs }: NewBatch): Promise<boolean> {
  const { name, idempotencyKey, fingerprint } = batch;
  const [project, pipeline] = [onlyOne(jobs, ({ project }) => project), onlyOne(jobs, ({ pipeline }) => pipeline)];
  const total = jobs.length;
  const rows = await tx`
    insert into batches (id, name, project, pipeline, total, actor, idempotency_key, fingerprint, created_at, opened_at, last_seq)
    values (
      ${id}, ${name}, ${project}, ${project === null ? null : pipeline}, ${total}, ${actor.name}, ${idempotencyKey}, ${fingerprint},
      queue_now(), queue_now(), 1
    )
    on conflict do nothing returning id`;
  if (rows.length === 0) return false;
  await tx`
    insert into batch_events (batch_id, seq, type, version, recorded_at, data)
    values (${id}, 1, 'batch.enqueued', 1, queue_now(), ${tx.json({ total, actor: actor.name })})`;
  await auditBatch(tx, actor, "batch.enqueue", id, { project, pipeline, total, name });
  return true;
}

/** What all of them have; null when they have several. */
function onlyOne(jobs: readonly NewJob[], of: (job: NewJob) => string): string | null {
  const values = new Set(jobs.map(of));
  const [value = null] = values;
  return values.size === 1 ? value : null;
}

async function insertAll(tx: Sql, { backend }: JobsContext, jobs: readonly NewJob[]): Promise<Inserted[]> {
  const made = await insertJobs(tx, backend, jobs);
  const inserted: Inserted[] = [];
  for (const job of made) {
    if (isRefused(job)) {
      const queue = jobs.find(({ id }) => id === job.id)?.queue ?? "";
      throw new QueueFullError(queue, job.backlogLimit, "input.queue");
    }
    inserted.push(job);
  }
  // They were there a moment ago.
  if (inserted.length < jobs.length) throw new NotFoundError("queue or job that it waits for", "any more", "input");
  return inserted;
}

function wake({ wakeups }: JobsContext, batchId: string, jobs: readonly NewJob[], inserted: readonly Inserted[]): void {
  wakeups.ring("batch", [batchId]);
  wakeups.ring("events");
  if (jobs.some(expires) || inserted.some(({ held, state }) => held || state === "scheduled")) wakeups.ring("admit");
}
