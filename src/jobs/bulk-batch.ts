import type { Sql } from "../db/client.ts";
import { JobAwaitedError, JobStateError, NotFoundError } from "../domain/errors.ts";
import { idText } from "../domain/ids.ts";
import type { JsonObject } from "../domain/json.ts";
import type { JobState } from "../domain/lifecycle.ts";
import type { BulkVerb } from "../domain/operation.ts";
import type { Actor } from "../domain/run-request.ts";
import { auditJobs } from "./audit.ts";
import { type BulkAct, type BulkDone, bulkVerbs } from "./bulk-act.ts";
import { requestCancel } from "./cancel.ts";
import type { JobsContext } from "./context.ts";
import { editJobs } from "./edit.ts";
import { awaitedAmong, removal } from "./remove.ts";
import { transition } from "./transition.ts";
import { fieldsOf, queueRefusal } from "./update.ts";

/** A job as it decides whether something can be done to it. */
export interface BulkJob {
  id: string;
  state: JobState;
}

export interface BulkBatch extends BulkDone {
  /** Jobs that were moved because they waited for some of these, and of them those that were cancelled. */
  following: string[];
  cancelled: string[];
}

/**
 * Does one thing to some jobs, within the caller's transaction: they, their events, their audit entries and their tickets change
 * together. `note` goes into each audit entry.
 */
export async function bulkBatch(
  tx: Sql,
  { backend }: Pick<JobsContext, "backend">,
  actor: Actor,
  act: BulkAct,
  ids: readonly string[],
  note: JsonObject = {},
): Promise<BulkBatch> {
  const jobs = await tx<(BulkJob & { attempt: number; requested: boolean })[]>`
    select id, state, attempt, cancel_requested_at is not null as requested from jobs
    where id = any(${ids as string[]}::uuid[]) order by id ${act.verb === "delete" ? tx`for update` : tx`for no key update`}`;
  const { done, problems } = await possible(tx, act.verb, ids, jobs);
  const fit = new Set(done);
  const chosen = jobs.filter(({ id }) => fit.has(id));
  const data = { actor: actor.name, reason: act.reason };
  const audited: JsonObject = { reason: act.reason, bulk: true, ...note };
  const whole: BulkBatch = { done, problems, following: [], cancelled: [] };
  switch (act.verb) {
    case "cancel": {
      const fresh = chosen.filter(({ requested }) => !requested);
      const waiting = fresh.filter(({ state }) => state !== "running");
      const running = fresh.filter(({ state }) => state === "running").map(({ id }) => id);
      const moves = waiting.map(({ id, attempt }) => ({ id, attempt, data }));
      const moved = await transition(tx, backend, "cancel", moves);
      if (running.length > 0) await requestCancel(tx, running, data);
      const freshIds = fresh.map(({ id }) => id);
      await auditJobs(tx, actor, "job.cancel", freshIds, audited);
      const following = moved.filter(({ follows }) => follows);
      whole.following = following.map(({ id }) => id);
      whole.cancelled = following.flatMap(({ id, state }) => (state === "cancelled" ? id : []));
      return whole;
    }
    case "requeue": {
      const moves = chosen.map(({ id, attempt }) => ({ id, attempt, data, expiresAt: null }));
      await transition(tx, backend, "requeue", moves);
      await auditJobs(tx, actor, "job.requeue", done, audited);
      return whole;
    }
    case "delete":
      await deleteJobs(tx, done);
      await auditJobs(tx, actor, "job.delete", done, audited);
      return whole;
    case "update": {
      const refusal = await queueRefusal(tx, act.edit.queue, await newIn(tx, act.edit.queue, done));
      if (refusal !== null) {
        const refused = done.map((id) => ({ id, error: refusal }));
        return { ...whole, done: [], problems: [...problems, ...refused] };
      }
      const edited = await editJobs(tx, backend, actor, done, act.edit, act.reason);
      await auditJobs(tx, actor, "job.update", edited, { ...audited, fields: fieldsOf(act.edit) });
      return whole;
    }
  }
}

/** Of some jobs, of which those that are there are given: to which it can be done, and why not to the others. */
export async function possible(
  sql: Sql,
  verb: BulkVerb,
  ids: readonly string[],
  jobs: readonly BulkJob[],
): Promise<BulkDone> {
  const states = new Map(jobs.map(({ id, state }) => [id, state]));
  const from: readonly JobState[] = bulkVerbs[verb].from;
  const inState = ids.filter((id) => from.includes(states.get(id) as JobState));
  const awaited = verb === "delete" ? await awaitedAmong(sql, inState) : new Map<string, string>();
  const result: BulkDone = { done: [], problems: [] };
  for (const id of ids) {
    const [state, childId, shownId] = [states.get(id), awaited.get(id), idText("job", id)];
    if (state === undefined) result.problems.push({ id, error: new NotFoundError("job", shownId, "input.ids") });
    else if (!from.includes(state)) {
      result.problems.push({ id, error: new JobStateError(shownId, state, bulkVerbs[verb].refusal(state)) });
    } else if (childId !== undefined) {
      result.problems.push({ id, error: new JobAwaitedError(shownId, idText("job", childId)) });
    } else result.done.push(id);
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
