import type { Database } from "../db/client.ts";
import type { DependencyCondition } from "../domain/dependency.ts";
import { DomainError, InvalidRunError, ProjectDisabledError, QueueFullError } from "../domain/errors.ts";
import { terminalEventTypes } from "../domain/event-types.ts";
import { type FollowUpProblem, followUpDelayMs, followUpPatienceMs, longestChain } from "../domain/follow-up.ts";
import { idText } from "../domain/ids.ts";
import type { JsonObject } from "../domain/json.ts";
import type { Actor, RunRequest } from "../domain/run-request.ts";
import { type FeedReader, readOn } from "../events/feed-reader.ts";
import type { JobsContext } from "./context.ts";
import { isMet } from "./dependents.ts";
import { enqueueJob } from "./enqueue.ts";

/** Who enqueues what follows, in the audit and as the job's actor. */
const system: Actor = { name: "system", requestId: null };

/** Ends of lives, from when the rules were first looked at. */
const reader: FeedReader = { name: "follow-ups", types: terminalEventTypes, batchSize: 500, from: "now" };

/** Enqueued at once; a process that dies over them leaves them to others after the lease. */
const batchSize = 50;
const leaseMs = 15_000;

/**
 * Puts down what follows the lives that have ended since the last time, by the rules as they are published now: each once for a
 * life and a pipeline, in one transaction with the reader's place. True when more is left to be read.
 */
export async function recordFollowUps(db: Database): Promise<boolean> {
  return await readOn(db, reader, async (tx, events) => {
    await tx`
      with ended as materialized (
        select e.job_id, e.life, replace(e.type, 'job.', '') as state from ${events} e
      ), following as (
        select e.job_id, e.life, f.pipeline, f.run_when, f.inputs, array(
          select jsonb_array_elements_text(coalesce(r.options -> 'follows', '[]'))
        ) || j.pipeline as chain
        from ended e
        -- Each by its key. A job that is deleted meanwhile is waited for, and is no more.
        cross join lateral (select * from jobs j where j.id = e.job_id for key share) j
        join job_requests r on r.job_id = j.id
        join follow_rules f on f.project = j.project and f.leader = j.pipeline
        where f.problem is null and ${isMet(tx, tx`e.state`, tx`f.run_when`)}
          and coalesce(r.options ->> 'followUps', 'all') <> 'none'
      ), judged as (
        select f.*, case
          when f.pipeline = any(f.chain) then jsonb_build_object('code', 'CIRCLE', 'message',
            'It would go round in a circle: ' || array_to_string(f.chain || f.pipeline, ' → ') || '.')
          when cardinality(f.chain) >= ${longestChain}::int then jsonb_build_object('code', 'CHAIN_TOO_LONG', 'message',
            'So many pipelines have followed each other already: ' || cardinality(f.chain) || '.')
        end as problem
        from following f
      )
      insert into follow_ups (job_id, life, pipeline, run_when, inputs, chain, state, problem, created_at, due_at, decided_at)
      select job_id, life, pipeline, run_when, inputs, chain, case when problem is null then 'open' else 'refused' end, problem,
        queue_now(), queue_now(), case when problem is not null then queue_now() end
      from judged on conflict do nothing`;
  });
}

interface Due {
  jobId: string;
  life: number;
  project: string;
  pipeline: string;
  when: DependencyCondition;
  inputs: Record<string, string>;
  chain: string[];
  tries: number;
  waitedMs: number;
}

/**
 * Enqueues what follows and is due, by the way that every job is enqueued, under a key of its own: whoever dies in between,
 * the next one finds the job that was made. True when a whole batch was due.
 */
export async function enqueueFollowUps(
  context: JobsContext,
  log: (message: string, data: JsonObject) => void,
): Promise<boolean> {
  const due = await context.db.sql<Due[]>`
    with due as materialized (
      select u.job_id, u.life, u.pipeline from follow_ups u where u.state = 'open' and u.due_at <= queue_now()
      order by u.due_at limit ${batchSize} for update skip locked
    )
    update follow_ups u set tries = u.tries + 1, due_at = queue_now() + make_interval(secs => ${leaseMs / 1000}::float8)
    from due d join jobs j on j.id = d.job_id
    where u.job_id = d.job_id and u.life = d.life and u.pipeline = d.pipeline
    returning u.job_id as "jobId", u.life, j.project, u.pipeline, u.run_when as "when", u.inputs, u.chain, u.tries,
      extract(epoch from queue_now() - u.created_at)::float8 * 1000 as "waitedMs"`;
  await Promise.all(due.map((one) => enqueueOne(context, one, log)));
  return due.length === batchSize;
}

async function enqueueOne(
  context: JobsContext,
  due: Due,
  log: (message: string, data: JsonObject) => void,
): Promise<void> {
  try {
    const { jobId } = await enqueueJob(context, system, requestOf(due));
    await context.db.sql`
      update follow_ups set state = 'enqueued', made_id = ${jobId}, problem = null, decided_at = queue_now()
      where ${keyOf(context, due)} and state = 'open'`;
  } catch (error) {
    const { jobId, pipeline, waitedMs } = due;
    // What is no refusal may be over in a moment: the database was away, say.
    const mayPass =
      !(error instanceof DomainError) || error instanceof ProjectDisabledError || error instanceof QueueFullError;
    const isRefused = error instanceof DomainError && (!mayPass || waitedMs > followUpPatienceMs);
    const problem = problemOf(error);
    await context.db.sql`
      update follow_ups set problem = ${context.db.sql.json(problem as never)}, ${
        isRefused
          ? context.db.sql`state = 'refused', decided_at = queue_now()`
          : context.db.sql`due_at = queue_now() + make_interval(secs => ${followUpDelayMs(due.tries) / 1000}::float8)`
      } where ${keyOf(context, due)} and state = 'open'`;
    log(isRefused ? "a job was not followed" : "a job is not followed yet", {
      job: idText("job", jobId),
      pipeline: `${due.project}/${pipeline}`,
      code: problem.code,
      error: error instanceof DomainError ? error.message : String(error),
    });
  }
}

/** The same each time: it is found again by its key. */
function requestOf({ jobId, life, project, pipeline, when, inputs, chain }: Due): RunRequest {
  const inputsFrom = Object.entries(inputs).map(([input, variable]) => ({ input, jobId, variable }));
  return {
    project,
    pipeline,
    inputs: {},
    finalVars: null,
    config: {},
    options: { follows: chain },
    queue: null,
    priority: null,
    tags: [],
    runAt: null,
    expiresAt: null,
    timeoutMs: null,
    retry: null,
    onWorkerLost: null,
    dependsOn: [{ jobId, when, otherwise: "cancel" }],
    ...(inputsFrom.length > 0 && { inputsFrom }),
    idempotencyKey: `follow-up ${idText("job", jobId)} ${life} ${pipeline}`,
    onReplay: "return",
    requestedBy: null,
  };
}

function keyOf({ db: { sql } }: JobsContext, { jobId, life, pipeline }: Due) {
  return sql`job_id = ${jobId} and life = ${life} and pipeline = ${pipeline}`;
}

function problemOf(error: unknown): FollowUpProblem {
  if (!(error instanceof DomainError)) return { code: "INTERNAL", message: "It could not be tried; the log says why." };
  const { code, message } = error;
  return { code, message, ...(error instanceof InvalidRunError && { problems: error.problems }) };
}

/** Forgotten by nobody: how long until the next one is due; null when none is open. */
export async function nextFollowUpMs({ sql }: Database): Promise<number | null> {
  const [next] = await sql<{ ms: number }[]>`
    select greatest(extract(epoch from due_at - queue_now())::float8 * 1000, 0) as ms from follow_ups
    where state = 'open' order by due_at limit 1`;
  return next?.ms ?? null;
}

/** Whether any pipeline follows another: else ends of jobs are looked at now and then only. */
export async function hasFollowRules({ sql }: Database): Promise<boolean> {
  const [found] = await sql<{ any: boolean }[]>`select exists (select from follow_rules where problem is null) as any`;
  return found?.any === true;
}
