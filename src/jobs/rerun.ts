import type { Sql } from "../db/client.ts";
import type { InputFrom } from "../domain/dependency.ts";
import { CodeChangedError, InvalidRunError, JobStateError, NotFoundError, type Problem } from "../domain/errors.ts";
import { idText } from "../domain/ids.ts";
import { type JsonObject, jsonProblems } from "../domain/json.ts";
import { isFinal, type JobState } from "../domain/lifecycle.ts";
import type { Actor, Metadata, RetryRequest, RunOptions, RunRequest } from "../domain/run-request.ts";
import { nearest } from "../pipelines/nearest.ts";
import type { JobsContext } from "./context.ts";
import { type Enqueued, fingerprintOf, makeOnce, newJob } from "./enqueue.ts";
import { type JobPlan, planJob } from "./plan.ts";

/** What a new job has of its own. What is absent is as with the old one; null is what a request without it means. */
export interface RerunChanges {
  finalVars?: string[] | null;
  options?: { [Name in keyof RunOptions]?: RunOptions[Name] | null };
  queue?: string | null;
  priority?: number | null;
  tags?: string[];
  metadata?: Metadata;
  timeoutMs?: number | null;
  retry?: RetryRequest | null;
  onWorkerLost?: "retry" | "fail" | null;
}

export interface RerunRequest
  extends Pick<
    RunRequest,
    "runAt" | "runInMs" | "expiresAt" | "expiresInMs" | "idempotencyKey" | "onReplay" | "requestedBy"
  > {
  jobId: string;
  /** Merged by key over the old job's. */
  inputs: JsonObject;
  config: JsonObject;
  /** Keys that the old job gave and the new one does not: the pipeline's own values count again. */
  unset: string[];
  unsetConfig: string[];
  changes: RerunChanges;
  /** `same`: refused when the old job's code is no longer what is published, and when it is not what is there at the start. */
  code: "current" | "same";
}

/** Jobs before it whose stored values a rerun may take: a chain of reruns may be long. */
const mostAncestors = 20;

/** A job with what was asked for. */
export interface RequestedJob {
  state: JobState;
  attempt: number;
  /** The number of its last event: whatever somebody does to it meanwhile raises it. */
  lastSeq: number;
  project: string;
  pipeline: string;
  queue: string;
  priority: number;
  onWorkerLost: "retry" | "fail";
  inputs: JsonObject;
  finalVars: string[] | null;
  config: JsonObject;
  options: RunOptions;
  retry: RetryRequest | null;
  timeoutMs: number | null;
  tags: string[];
  inputsFrom: InputFrom[];
  metadata: Metadata | null;
  /** Of the code that the last attempt ran; before its graph was resolved: that it was checked against. */
  codeHash: string | null;
}

/**
 * Makes a new job from one that has ended, with what the caller changes, and checks it as any other request. The new job
 * runs the code that is there when it starts, or none: old code is not kept.
 *
 * @throws NotFoundError when the job, its pipeline or the queue does not exist
 * @throws JobStateError when the job has not ended
 * @throws CodeChangedError when the same code is asked for and is gone
 * @throws InvalidRunError when the run does not fit the pipeline as it is now: nothing was stored
 * @throws IdempotencyConflictError when the key belongs to another request
 */
export async function rerunJob(context: JobsContext, actor: Actor, rerun: RerunRequest): Promise<Enqueued> {
  const fingerprint = fingerprintOf(rerun);
  return await makeOnce(context, actor, rerun, fingerprint, async () => {
    const request = await rerunRequest(context, rerun);
    return await newJob(context, actor, request, fingerprint, rerun.jobId);
  });
}

/**
 * Says what `rerunJob` would do, without storing or running anything.
 *
 * @throws NotFoundError, JobStateError, CodeChangedError, InvalidRunError as `rerunJob` does for the old job and what is unset
 */
export async function planRerun(context: JobsContext, rerun: RerunRequest): Promise<JobPlan> {
  return await planJob(context, await rerunRequest(context, rerun));
}

/** What the new job is asked for. */
async function rerunRequest(context: JobsContext, rerun: RerunRequest): Promise<RunRequest> {
  const { job: old, published } = await endedJob(context, rerun.jobId);
  if (rerun.code === "same") refuseOtherCode(rerun.jobId, old.codeHash, published);
  return requestOf(old, rerun);
}

/** A job that has ended, and the hash of its pipeline's code as it is published now. */
export async function endedJob(
  { db: { sql }, catalogue }: JobsContext,
  jobId: string,
): Promise<{ job: RequestedJob; published: string | null }> {
  const job = await requestedJob(sql, jobId);
  const shownId = idText("job", jobId);
  if (job === undefined) throw new NotFoundError("job", shownId, "input.id");
  if (!isFinal(job.state))
    throw new JobStateError(shownId, job.state, "can be rerun or requeued only when it has ended");
  const found = await catalogue.find(job.project, job.pipeline);
  if (found === null) throw new NotFoundError("pipeline", `${job.project}/${job.pipeline}`, "input.id");
  return { job, published: found.description.codeHash };
}

/** A job with what was asked for, whatever its state. */
export async function requestedJob(sql: Sql, jobId: string): Promise<RequestedJob | undefined> {
  const [job] = await sql<RequestedJob[]>`
    select j.state, j.attempt, j.last_seq as "lastSeq", j.project, j.pipeline, j.queue, j.priority, j.on_worker_lost as "onWorkerLost", r.inputs,
      r.final_vars as "finalVars", r.config, r.options, r.retry, r.timeout_ms as "timeoutMs", r.tags, r.metadata,
      coalesce(r.inputs_from, '[]') as "inputsFrom",
      coalesce(a.code_hash, r.plan ->> 'codeHash') as "codeHash"
    from jobs j
    join job_requests r on r.job_id = j.id
    left join attempts a on a.job_id = j.id and a.attempt = j.attempt
    where j.id = ${jobId}`;
  return job;
}

export function refuseOtherCode(jobId: string, ran: string | null, published: string | null): void {
  if (ran === null || ran !== published) throw new CodeChangedError(idText("job", jobId), ran, published);
}

function requestOf(old: RequestedJob, rerun: RerunRequest): RunRequest {
  const problems: Problem[] = [];
  // A value that is given now takes the place of another job's result.
  const awaited = Object.fromEntries(old.inputsFrom.map(({ input }) => [input, null]));
  const whole = merged("inputs", { ...awaited, ...old.inputs }, rerun.inputs, rerun.unset, problems);
  const inputsFrom = old.inputsFrom.filter(
    ({ input }) => Object.hasOwn(whole, input) && !Object.hasOwn(rerun.inputs, input),
  );
  const inputs = Object.fromEntries(
    Object.entries(whole).filter(([name]) => !inputsFrom.some(({ input }) => input === name)),
  );
  const config = merged("config", old.config, rerun.config, rerun.unsetConfig, problems);
  if (problems.length > 0) throw new InvalidRunError(problems);
  const { changes, code, runAt, runInMs, expiresAt, expiresInMs, idempotencyKey, onReplay, requestedBy } = rerun;
  const { project, pipeline } = old;
  const metadata = changes.metadata ?? old.metadata;
  return {
    project,
    pipeline,
    inputs,
    inputsFrom,
    config,
    finalVars: changed(changes.finalVars, old.finalVars),
    options: given<RunOptions>({
      ...old.options,
      ...changes.options,
      codeHash: code === "same" ? old.codeHash : null,
      // What these have stored may be taken, where values are reused at all.
      reuseFrom: [rerun.jobId, ...(old.options.reuseFrom ?? [])].slice(0, mostAncestors),
    }),
    queue: changed(changes.queue, old.queue),
    priority: changed(changes.priority, old.priority),
    tags: changes.tags ?? old.tags,
    timeoutMs: changed(changes.timeoutMs, old.timeoutMs),
    retry: changed(changes.retry, old.retry),
    // What the old job had may have followed from its retry.
    onWorkerLost: changed(changes.onWorkerLost, changes.retry === undefined ? old.onWorkerLost : null),
    runAt,
    expiresAt,
    ...(runInMs !== undefined && { runInMs }),
    ...(expiresInMs !== undefined && { expiresInMs }),
    ...(metadata !== null && { metadata }),
    idempotencyKey,
    onReplay,
    requestedBy,
  };
}

export function merged(
  part: "inputs" | "config",
  old: JsonObject,
  changes: JsonObject,
  unset: readonly string[],
  problems: Problem[],
): JsonObject {
  const whole = { ...old, ...changes };
  for (const [index, name] of unset.entries()) {
    const path = `input.${part === "inputs" ? "unset" : "unsetConfig"}.${index}`;
    if (Object.hasOwn(changes, name)) {
      problems.push({ path, message: `${name} is given in ${part} and taken away.`, suggestion: null });
    } else if (!Object.hasOwn(old, name)) {
      const suggestion = nearest(name, Object.keys(old));
      problems.push({ path, message: `The job gave no ${name} in its ${part}.`, suggestion });
    }
    delete whole[name];
  }
  // Each was within its limits; together they may not be.
  problems.push(...jsonProblems(whole, `input.${part}`));
  return whole;
}

function changed<T>(change: T | undefined, old: T): T {
  return change === undefined ? old : change;
}

/** Without what is null: a request says only what it says. */
function given<T extends object>(values: { [K in keyof T]?: T[K] | null | undefined }): T {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value != null)) as T;
}
