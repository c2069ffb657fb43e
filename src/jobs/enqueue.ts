import { createHash } from "node:crypto";
import stringify from "safe-stable-stringify";
import type { Sql } from "../db/client.ts";
import { withRetries } from "../db/retry.ts";
import {
  IdempotencyConflictError,
  InvalidRunError,
  NotFoundError,
  ProjectDisabledError,
  QueueFullError,
} from "../domain/errors.ts";
import { idText } from "../domain/ids.ts";
import type { JsonObject } from "../domain/json.ts";
import { labelSet } from "../domain/lanes.ts";
import { isFinal, type JobState } from "../domain/lifecycle.ts";
import type { Actor, PlanRequest, RunRequest, Unique } from "../domain/run-request.ts";
import { concurrencyOf } from "../pipelines/concurrency.ts";
import type { JobsContext } from "./context.ts";
import { isRefused, type NewJob } from "./insert.ts";
import { goneParents, parentsOf } from "./parents.ts";
import { type CheckedRun, checkRun } from "./plan.ts";
import { planReuse } from "./plan-reuse.ts";
import { storeUnique } from "./unique.ts";

export interface Enqueued {
  jobId: string;
  /** The key was used before: this is the job of then, in whatever state it is now. */
  replayed: boolean;
  /** The waiting job whose place it has taken. */
  replaced?: string;
}

/**
 * Accepts a run and makes its job, after the pipeline's graph has said that it can run. Answers after the commit.
 *
 * @throws NotFoundError when the project, the pipeline, the queue or a job that it is to wait for does not exist
 * @throws ProjectDisabledError when nothing of the project is to be run
 * @throws InvalidRunError when the run does not fit the pipeline: nothing was stored
 * @throws QueueFullError when as many jobs wait in the queue as it may hold
 * @throws IdempotencyConflictError when the key belongs to another request
 */
export async function enqueueJob(context: JobsContext, actor: Actor, request: RunRequest): Promise<Enqueued> {
  const fingerprint = fingerprintOf(request);
  const make = () => newJob(context, actor, request, fingerprint);
  const { unique } = request;
  if (unique !== undefined) return await makeUnique(context, actor, { ...request, unique }, fingerprint, make);
  return await makeOnce(context, actor, request, fingerprint, make);
}

/** The same for a job with a unique key: not with those of other callers, but in a transaction of its own. */
async function makeUnique(
  context: JobsContext,
  actor: Actor,
  request: RunRequest & { unique: Unique },
  fingerprint: string,
  make: () => Promise<NewJob>,
): Promise<Enqueued> {
  const { db, wakeups } = context;
  let job: NewJob | null = null;
  for (;;) {
    const holder = await holderOf(context, actor, request, fingerprint);
    if (holder !== null && !holder.replaceable) return { jobId: holder.jobId, replayed: true };
    job ??= await make();
    const made = job;
    const stored = await withRetries(() =>
      db.sql.begin(async (tx) => {
        if (holder !== null) await setAside({ db: { sql: tx } }, actor, request, holder);
        const unique = await storeUnique(context, tx, actor, made, request.unique);
        if (unique === null) throw new KeyTaken();
        return unique;
      }),
    ).catch((error: unknown) => {
      if (error instanceof KeyTaken) return null;
      throw error;
    });
    if (stored === null) continue;
    const { enqueued, inserted } = stored;
    if (inserted !== null) {
      wakeups.ring("events", [inserted.id, ...(enqueued.replaced === undefined ? [] : [enqueued.replaced])]);
      wakeups.ring("admit");
    }
    return enqueued;
  }
}

/** An equal call was a moment faster: what this one has begun is undone. */
class KeyTaken extends Error {}

/** Whether a job has a time to live: admission ends it. */
export function expires({
  expiresAt,
  expiresInMs,
  ttlMs,
}: Pick<NewJob, "expiresAt" | "expiresInMs" | "ttlMs">): boolean {
  return expiresAt !== null || expiresInMs != null || ttlMs != null;
}

/** What makes equal calls one. */
export type Key = Pick<RunRequest, "idempotencyKey" | "onReplay">;

/** Makes a job, or finds the one that an equal call has made under its key. Answers after the commit. */
export async function makeOnce(
  context: JobsContext,
  actor: Actor,
  key: Key,
  fingerprint: string,
  make: () => Promise<NewJob>,
): Promise<Enqueued> {
  // A replay is answered before validation: the pipeline may have changed since, and the answer must not.
  let holder = await holderOf(context, actor, key, fingerprint);
  if (holder !== null && !holder.replaceable) return { jobId: holder.jobId, replayed: true };

  const job = await make();
  for (;;) {
    if (holder !== null) {
      // Not before it is certain that the new job can be made: until then the key is the old one's.
      await refuseUnknownQueue(context, job.queue);
      await setAside(context, actor, key, holder);
    }
    const inserted = await context.insert(job);
    if (inserted !== null) {
      if (isRefused(inserted)) throw new QueueFullError(job.queue, inserted.backlogLimit, "input.queue");
      context.wakeups.ring("events", [inserted.id]);
      if (inserted.held || inserted.state === "scheduled" || expires(job)) context.wakeups.ring("admit");
      return { jobId: inserted.id, replayed: false };
    }
    for (const error of (await goneParents(context.db.sql, [job])).values()) throw error;
    if (key.idempotencyKey === null) throw new NotFoundError("queue", job.queue, "input.queue");
    holder = await holderOf(context, actor, key, fingerprint);
    if (holder !== null && !holder.replaceable) return { jobId: holder.jobId, replayed: true };
    await refuseUnknownQueue(context, job.queue);
  }
}

/**
 * The job of a request, checked against the pipeline's graph.
 *
 * @throws NotFoundError, InvalidRunError
 */
export async function newJob(
  context: JobsContext,
  actor: Actor,
  request: RunRequest,
  fingerprint: string,
  rerunOf: string | null = null,
): Promise<NewJob> {
  const [run, parents] = await Promise.all([checkRun(context, request), parentsOf(context.db.sql, request)]);
  const { pipeline, checked, settings } = run;
  if (pipeline.disabled != null) {
    // A rerun names its project by the job that it is made from.
    const path = rerunOf !== null ? "input.id" : request.project === null ? "input.pipeline" : "input.project";
    throw new ProjectDisabledError(pipeline.projectName, pipeline.disabled.reason, path);
  }
  if (checked !== null && checked.plan.problems.length > 0) throw new InvalidRunError(checked.plan.problems);

  const id = context.db.ids.next();
  return {
    id,
    shownId: idText("job", id),
    project: pipeline.projectName,
    pipeline: pipeline.name,
    queue: settings.queue,
    priority: settings.priority,
    runAt: request.runAt?.toISOString() ?? null,
    expiresAt: request.expiresAt?.toISOString() ?? null,
    runInMs: request.runInMs ?? null,
    expiresInMs: request.expiresInMs ?? null,
    ttlMs: settings.ttlMs,
    maxAttempts: settings.policy.maxAttempts,
    maxLosses: settings.maxLosses,
    onWorkerLost: settings.onWorkerLost,
    inputs: request.inputs,
    finalVars: request.finalVars,
    config: request.config,
    options: request.options as JsonObject,
    retry: request.retry as JsonObject | null,
    timeoutMs: request.timeoutMs,
    tags: request.tags,
    metadata: request.metadata ?? null,
    uniqueKey: request.unique?.key ?? null,
    concurrency: concurrencyOf(request, settings, pipeline),
    needs: labelSet(settings.needs),
    actor: actor.name,
    requestId: actor.requestId,
    requestedBy: request.requestedBy,
    plan: await acceptedPlan(context, request, run),
    rerunOf: rerunOf === null ? null : { id: rerunOf, shownId: idText("job", rerunOf) },
    ...parents,
    idempotencyKey: request.idempotencyKey,
    fingerprint,
  };
}

/** What is kept of the plan with the job. */
export async function acceptedPlan(
  { db }: JobsContext,
  request: PlanRequest,
  { pipeline, checked, settings }: CheckedRun,
): Promise<NewJob["plan"]> {
  if (checked === null || checked.plan.codeHash === null) return null;
  const reuse = await planReuse(db, { pipeline, ...checked, request, settings, sameJob: null });
  const reused = (reuse?.forecasts ?? []).flatMap(({ node, action }) => (action === "reuse" ? node : []));
  const { codeHash, path } = checked.plan;
  return { codeHash, path, ...(reused.length > 0 && { reused }) };
}

/** SHA-256 of the request as sent: the key itself and what to do on a replay are not part of it. */
export function fingerprintOf({ idempotencyKey: _key, onReplay: _onReplay, ...request }: Key & object): string {
  return createHash("sha256")
    .update(stringify(request) ?? "")
    .digest("hex");
}

/** The job that has made this key its own. */
interface Holder {
  jobId: string;
  /** It did not succeed, and the caller wants another one then. */
  replaceable: boolean;
}

async function holderOf(
  { db }: JobsContext,
  actor: Actor,
  { idempotencyKey: key, onReplay }: Key,
  fingerprint: string,
): Promise<Holder | null> {
  if (key === null) return null;
  const [held] = await db.sql<{ jobId: string; fingerprint: string; state: JobState | null }[]>`
    select k.job_id as "jobId", k.fingerprint, j.state
    from idempotency_keys k left join jobs j on j.id = k.job_id
    where k.owner = ${actor.name} and k.key = ${key}`;
  if (held === undefined) return null;
  const { jobId, state } = held;
  if (held.fingerprint !== fingerprint) throw new IdempotencyConflictError(key, idText("job", jobId));
  return { jobId, replaceable: isReplaceable(onReplay, state) };
}

/** Whether a job that holds a key makes room for another one. */
export function isReplaceable(onReplay: Key["onReplay"], state: JobState | null): boolean {
  return onReplay === "new_if_failed" && state !== null && isFinal(state) && state !== "succeeded";
}

/** Frees the key of the holder that was seen, and of no other: of several callers one makes the new job, the others find it. */
async function setAside(
  { db }: { db: { sql: Sql } },
  actor: Actor,
  { idempotencyKey }: Key,
  { jobId }: Holder,
): Promise<void> {
  await db.sql`
    delete from idempotency_keys
    where owner = ${actor.name} and key = ${idempotencyKey} and job_id = ${jobId}`;
}

async function refuseUnknownQueue({ db }: JobsContext, queue: string): Promise<void> {
  const [row] = await db.sql`select 1 from queues where name = ${queue}`;
  if (row === undefined) throw new NotFoundError("queue", queue, "input.queue");
}
