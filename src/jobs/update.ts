import type { Sql } from "../db/client.ts";
import { withRetries } from "../db/retry.ts";
import { InvalidRunError, JobStateError, NotFoundError, type Problem, QueueFullError } from "../domain/errors.ts";
import type { EventData } from "../domain/event-types.ts";
import { idText } from "../domain/ids.ts";
import type { JsonObject } from "../domain/json.ts";
import { isWaiting, waitingStates } from "../domain/lifecycle.ts";
import type { Actor } from "../domain/run-request.ts";
import { redacted } from "../domain/secrets.ts";
import { concurrencyOf } from "../pipelines/concurrency.ts";
import { auditJobs } from "./audit.ts";
import type { JobsContext } from "./context.ts";
import { type Edit, editJobs } from "./edit.ts";
import { acceptedPlan } from "./enqueue.ts";
import { checkRun } from "./plan.ts";
import { merged, type RequestedJob, requestedJob } from "./rerun.ts";
import { unknownQueues } from "./unknown-queues.ts";

export interface UpdateRequest extends Omit<Edit, "inputs" | "concurrency"> {
  jobId: string;
  reason: string | null;
  /** Merged by key over the job's. */
  inputs: JsonObject;
  /** Inputs that the job gave and does not give any more. */
  unset: string[];
}

/**
 * Changes a job that waits. Its inputs are checked as those of a new one. A job that a worker has started meanwhile is left as
 * it is, with the request that the worker has read.
 *
 * @throws NotFoundError when there is no such job, or no such queue
 * @throws JobStateError when it runs or has ended
 * @throws InvalidRunError when the inputs do not fit the pipeline: nothing was changed
 * @throws QueueFullError when as many jobs wait in the new queue as it may hold
 */
export async function updateJob(context: JobsContext, actor: Actor, update: UpdateRequest): Promise<void> {
  const { db, wakeups } = context;
  const { jobId, reason } = update;
  const shownId = idText("job", jobId);
  for (;;) {
    const job = await requestedJob(db.sql, jobId);
    if (job === undefined) throw new NotFoundError("job", shownId, "input.id");
    if (!isWaiting(job.state)) throw new JobStateError(shownId, job.state, "can no longer be changed");
    const edit = await checkedEdit(context, job, update);
    const done = await withRetries(() =>
      db.sql.begin(async (tx) => {
        // What was checked is what is there: everything that anybody does to a job raises the number of its last event.
        const [same] = await tx`select from jobs where id = ${jobId} and last_seq = ${job.lastSeq} for no key update`;
        if (same === undefined) return null;
        const refusal = await queueRefusal(tx, edit.queue, edit.queue === job.queue ? 0 : 1);
        if (refusal !== null) throw refusal;
        const edited = await editJobs(tx, context.backend, actor, [jobId], edit, reason);
        await auditJobs(tx, actor, "job.update", edited, { fields: fieldsOf(update), reason });
        return edited;
      }),
    );
    if (done === null) continue;
    wakeups.ring("events", done);
    wakeups.ring("admit");
    return;
  }
}

/** What an update names, without values. */
export function fieldsOf({
  inputs,
  unset,
  ...update
}: Omit<Edit, "inputs"> & Partial<Pick<UpdateRequest, "inputs" | "unset">>): string[] {
  const named = (["priority", "queue", "runAt", "expiresAt", "tags"] as const).filter(
    (name) => update[name] !== undefined,
  );
  return [...named, ...[...Object.keys(inputs ?? {}), ...(unset ?? [])].map((name) => `inputs.${name}`)];
}

async function checkedEdit(context: JobsContext, job: RequestedJob, update: UpdateRequest): Promise<Edit> {
  const { jobId: _jobId, reason: _reason, inputs: changes, unset, ...edit } = update;
  const hasInputs = Object.keys(changes).length > 0 || unset.length > 0;
  if (!hasInputs && update.tags === undefined) return edit;

  const problems: Problem[] = [];
  const inputs = merged("inputs", job.inputs, changes, unset, problems);
  for (const { input, jobId } of job.inputsFrom) {
    if (!Object.hasOwn(changes, input)) continue;
    const message = `The input ${input} is a result of ${idText("job", jobId)} and cannot be given.`;
    problems.push({ path: `input.inputs.${input}`, message, suggestion: null });
  }
  if (problems.length > 0) throw new InvalidRunError(problems);
  const request = { ...job, inputs, tags: update.tags ?? job.tags };
  const run = await checkRun(context, request);
  if (hasInputs && run.checked !== null && run.checked.plan.problems.length > 0) {
    throw new InvalidRunError(run.checked.plan.problems);
  }
  const concurrency = concurrencyOf(request, run.settings, run.pipeline);
  if (!hasInputs) return { ...edit, concurrency };
  const plan = (await acceptedPlan(context, request, run)) as JsonObject | null;
  return { ...edit, concurrency, inputs: { inputs, plan, changes: inputChanges(job.inputs, inputs) } };
}

/** As they may be shown: what stands under the name of a secret is hidden, also that it has changed to what. */
function inputChanges(old: JsonObject, now: JsonObject): EventData<"job.updated">["changes"] {
  const [before, after] = [redacted(old), redacted(now)];
  const names = new Set([...Object.keys(old), ...Object.keys(now)]);
  return [...names]
    .filter((name) => JSON.stringify(old[name]) !== JSON.stringify(now[name]))
    .map((name) => ({ field: `inputs.${name}`, from: before[name] ?? null, to: after[name] ?? null }));
}

/** Why jobs cannot come into a queue: it does not exist, or has no room for so many more. Null: they can. */
export async function queueRefusal(
  sql: Sql,
  queue: string | undefined,
  count: number,
): Promise<NotFoundError | QueueFullError | null> {
  if (queue === undefined || count === 0) return null;
  const [found] = await sql<{ backlogLimit: number | null; waiting: number }[]>`
    select q.backlog_limit as "backlogLimit", (
      select count(*) from (
        select from jobs j where j.queue = q.name and j.state in ${sql([...waitingStates])} limit q.backlog_limit
      ) waiting
    )::int as waiting
    from queues q where q.name = ${queue}`;
  if (found === undefined) return (await unknownQueues(sql, [queue])).get(queue) ?? null;
  const { backlogLimit, waiting } = found;
  const isFull = backlogLimit !== null && waiting + count > backlogLimit;
  return isFull ? new QueueFullError(queue, backlogLimit, "input.queue") : null;
}
