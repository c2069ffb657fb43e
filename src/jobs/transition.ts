import type { Backend, Fragment } from "../backends/backend.ts";
import type { Sql } from "../db/client.ts";
import type { BatchOutcome } from "../domain/batch.ts";
import { whyCancelled } from "../domain/dependency.ts";
import type { EventData } from "../domain/event-types.ts";
import { idText } from "../domain/ids.ts";
import type { JsonObject } from "../domain/json.ts";
import {
  attemptEnds,
  finalStates,
  isFinal,
  type JobState,
  type TransitionName,
  transitions,
  yieldsToCancel,
} from "../domain/lifecycle.ts";
import type { ErrorKind } from "../domain/outcome.ts";
import { hasVoidTicket, isAdmittedAtOnce, isDisabled, isLimited } from "./admissible.ts";
import { type Consequence, releaseDependents } from "./dependents.ts";

/** One job that is to move: the fence, and what the move changes besides the state. */
export interface Move<N extends TransitionName = TransitionName> {
  id: string;
  /** The job's last attempt as the caller knows it: with another one it does not move. */
  attempt: number;
  /** Data of the event. */
  data: EventData<(typeof transitions)[N]["event"]>;
  /** start: who runs it, and the token of this very start. */
  workerId?: string;
  runToken?: string;
  attemptId?: string;
  /** The end of an attempt: what the counters become, and why it failed. */
  failures?: number;
  losses?: number;
  maxAttempts?: number;
  errorKind?: ErrorKind;
  error?: JsonObject;
  /** Milliseconds from now until it is due again. */
  delayMs?: number;
  /** requeue: not started by then, it expires. ISO 8601. */
  expiresAt?: string | null;
}

/** A job that has moved. One that is not among them was no longer where the transition starts from. */
export interface Moved {
  id: string;
  state: JobState;
  attempt: number;
  life: number;
  /** The number of the event. */
  seq: number;
  /** It has made room under a limit, or waits for room: whoever has moved it wakes admission. */
  wakesAdmission: boolean;
  /** It was not asked for: the job has waited for one that has ended. */
  follows: boolean;
}

/**
 * The one door through which jobs change their state: locks the rows in the order of their ids, moves those that are still
 * where `name` starts from and whose attempt is the caller's, records an event each, opens or closes the attempt, and adds
 * the ticket of each that is queued again. One statement, so all of it happens or nothing.
 *
 * What waits for a job that ends is moved with it, in further statements and only where there is such a job: hence the caller
 * has a transaction open. Those moves follow the ones that were asked for in what is returned.
 *
 * Losing the race is normal (a worker that stalled wakes up after its job was given to another): such a job is not among
 * those returned, and the caller says what that means.
 */
export async function transition<N extends TransitionName>(
  sql: Sql,
  backend: Backend,
  name: N,
  moves: readonly Move<N>[],
): Promise<Moved[]> {
  const moved = await move(sql, backend, name, moves);
  return [...moved.map(shown), ...(await moveDependents(sql, backend, moved.filter(endsForOthers)))];
}

/** Moves what waits for a batch whose jobs have all ended. One that was not a success has failed for whoever waits for it. */
export async function releaseFromBatch(
  sql: Sql,
  backend: Backend,
  batchId: string,
  outcome: BatchOutcome,
): Promise<Moved[]> {
  const ended = { id: batchId, state: outcome === "succeeded" ? outcome : ("failed" as const) };
  return await moveDependents(sql, backend, [ended], (id) => idText(id === batchId ? "batch" : "job", id));
}

type MovedRow = Moved & { hasDependents: boolean };

function shown({ hasDependents: _hasDependents, ...moved }: MovedRow): Moved {
  return moved;
}

async function move<N extends TransitionName>(
  sql: Sql,
  backend: Backend,
  name: N,
  moves: readonly Move<N>[],
): Promise<MovedRow[]> {
  if (moves.length === 0) return [];
  return await sql<MovedRow[]>`
    with input as materialized (
      select * from jsonb_to_recordset(${sql.json(moves as never)}) as i (
        id uuid, attempt int, data jsonb, "workerId" uuid, "runToken" uuid, "attemptId" uuid, failures int, losses int,
        "maxAttempts" int, "errorKind" text, error jsonb, "delayMs" bigint, "expiresAt" timestamptz
      )
    ), ${movedJobs(sql, backend, name)}
    select m.id, m.state, m.attempt, m.life, m.seq, m.state <> 'running' and ${isLimited(sql, "m")} as "wakesAdmission",
      false as follows, m.has_dependents as "hasDependents", (select count(*) from ticket_changes)::int as tickets
    from moved m`;
}

/** Moves what waits for jobs that have ended, and what waits for those that are cancelled with them. Mostly one round. */
async function moveDependents(
  sql: Sql,
  backend: Backend,
  parents: readonly { id: string; state: JobState }[],
  shownParent = (id: string) => idText("job", id),
): Promise<Moved[]> {
  const all: Moved[] = [];
  let ended = parents;
  while (ended.length > 0) {
    const consequences = await releaseDependents(sql, ended);
    const of = (name: Consequence["transition"]) => consequences.filter(({ transition }) => transition === name);
    const waits = ({ id, attempt }: Consequence) => ({ id, attempt, data: {} });
    const [cancelled, scheduled, queued] = await Promise.all([
      move(
        sql,
        backend,
        "cancel",
        of("cancel").map((consequence) => cancelMove(consequence, shownParent)),
      ),
      move(sql, backend, "schedule", of("schedule").map(waits)),
      move(sql, backend, "promote", of("promote").map(waits)),
    ]);
    // Their time or their queue's turn has still to come: admission has not reckoned with them.
    const waiting = [...scheduled, ...queued].map((job) => ({ ...job, wakesAdmission: true }));
    all.push(...[...cancelled, ...waiting].map((job) => ({ ...shown(job), follows: true })));
    ended = cancelled.filter(endsForOthers);
  }
  return all;
}

function endsForOthers({ state, hasDependents }: MovedRow): boolean {
  return hasDependents && isFinal(state);
}

function cancelMove(
  { id, attempt, parentId, parentState }: Consequence,
  shownParent: (id: string) => string,
): Move<"cancel"> {
  const reason = parentId === null || parentState === null ? null : whyCancelled(shownParent(parentId), parentState);
  return { id, attempt, data: { actor: null, reason } };
}

/**
 * The CTEs from the locked rows to the event, over a CTE `input` with the columns of Move. The caller's last
 * SELECT reads `moved` and, so that tickets are added or taken back, `ticket_changes`.
 */
export function movedJobs(sql: Sql, backend: Backend, name: TransitionName): Fragment {
  const { from, to, event } = transitions[name];
  const next = yieldsToCancel(name)
    ? sql`(case when j.cancel_requested_at is not null then 'cancelled' else ${to} end)::job_state`
    : sql`${to}::job_state`;
  // A cancel that was requested while the attempt ran: the event names who asked.
  const cancelledMeanwhile = yieldsToCancel(name) ? sql`m.state = 'cancelled'` : sql`false`;
  return sql`
    locked as materialized (
      select j.id from jobs j where j.id in (select id from input) order by j.id for no key update of j
    ), moved as (
      update jobs j set
        state = ${next},
        last_seq = j.last_seq + 1,
        stalled_at = null,
        run_token = ${to === "running" ? sql`i."runToken"` : sql`null`},
        finished_at = case when ${next} in ${sql([...finalStates])} then queue_now() end,
        ticketed_at = ${ticketedAt(sql, to, next)}
        ${changes(sql, name)}
      from input i, locked l
      where j.id = i.id and l.id = j.id and j.attempt = i.attempt and j.state in ${sql([...from])} ${guard(sql, name)}
      returning j.id, j.state, j.attempt, j.life, j.last_seq as seq, j.project, j.queue, j.priority, j.run_at,
        j.ticketed_at, j.concurrency_key, j.needs, j.has_dependents, j.batch_id, i.data, i."workerId" as worker_id, i."runToken" as run_token, i."attemptId" as attempt_id,
        i."errorKind" as error_kind, i.error
    ), recorded as (
      insert into events (job_id, seq, life, attempt, type, version, recorded_at, occurred_at, data)
      select m.id, m.seq, m.life, nullif(m.attempt, 0),
        case when ${cancelledMeanwhile} then 'job.cancelled' else ${event} end, 1, queue_now(), queue_now(),
        case when ${cancelledMeanwhile} then coalesce(
          (select e.data from events e where e.job_id = m.id and e.type = 'job.cancel_requested' order by e.seq desc limit 1),
          '{"actor": null, "reason": null}'::jsonb
        ) else m.data end
      from moved m
    ) ${attempt(sql, name)} ${reopenedBatches(sql, name)}, ticket_changes as materialized (${ticketChanges(sql, backend, name)})`;
}

/** What a transition changes on the job besides what all of them do. */
function changes(sql: Sql, name: TransitionName): Fragment {
  switch (name) {
    case "promote":
      // What has waited for others is due when it waits no longer.
      return sql`, run_at = case when j.state = 'blocked' then greatest(j.run_at, queue_now()) else j.run_at end`;
    case "start":
      return sql`, attempt = j.attempt + 1, worker_id = i."workerId", started_at = coalesce(j.started_at, queue_now()),
        source_seq = 0, nodes_done = 0, nodes_total = null`;
    case "retry":
      return sql`${counted(sql)}, run_at = queue_now() + make_interval(secs => coalesce(i."delayMs", 0) / 1000.0)`;
    case "requeue":
      return sql`, life = j.life + 1, failures = 0, losses = 0, started_at = null, cancel_requested_at = null,
        error_kind = null, run_at = queue_now(), expires_at = i."expiresAt"`;
    default:
      return (attemptEnds as readonly string[]).includes(name) ? counted(sql) : sql``;
  }
}

/** What the end of an attempt is held against. */
function counted(sql: Sql): Fragment {
  return sql`, failures = coalesce(i.failures, j.failures), losses = coalesce(i.losses, j.losses),
    max_attempts = coalesce(i."maxAttempts", j.max_attempts), error_kind = coalesce(i."errorKind", j.error_kind)`;
}

/** What has to be true besides the state and the attempt. */
function guard(sql: Sql, name: TransitionName): Fragment {
  // A worker that was declared dead starts nothing; not started is a job whose time to live has ended, whose project is disabled,
  // or whose ticket is void.
  if (name === "start") {
    return sql`and (j.expires_at is null or j.started_at is not null or j.expires_at > queue_now())
      and exists (select 1 from workers w where w.id = i."workerId" and w.ended_at is null)
      and not ${isDisabled(sql, "j")} and not ${hasVoidTicket(sql, "j")}
      -- Changed by somebody while this statement waited for the row, it has a new ticket: its request as seen here is the old one.
      and exists (select from jobs seen where seen.id = j.id and seen.last_seq = j.last_seq)`;
  }
  // Started once in this life, a job can no longer expire.
  if (name === "expire") return sql`and j.started_at is null`;
  if (name === "promote" || name === "schedule") return sql`and (j.state <> 'blocked' or j.waiting_for = 0)`;
  return sql``;
}

function ticketedAt(sql: Sql, to: JobState, next: Fragment): Fragment {
  // Also of one whose ticket was thought lost: what runs is counted.
  if (to === "running") return sql`coalesce(j.ticketed_at, queue_now())`;
  if (to !== "queued") return sql`null`;
  return sql`case when ${next} = 'queued' and ${isAdmittedAtOnce(sql, "j")} then queue_now() end`;
}

/** Opens the attempt that has started, or closes the one that has ended. */
function attempt(sql: Sql, name: TransitionName): Fragment {
  if (name === "start") {
    return sql`, opened as (
      insert into attempts (job_id, attempt, id, life, run_token, worker_id, started_at)
      select m.id, m.attempt, m.attempt_id, m.life, m.run_token, m.worker_id, queue_now() from moved m
    )`;
  }
  if (!(attemptEnds as readonly string[]).includes(name)) return sql``;
  return sql`, closed as (
    update attempts a
    set ended_at = queue_now(), outcome = case when m.state = 'cancelled' then 'stop' else ${name} end,
      error_kind = m.error_kind, error = m.error
    from moved m
    where a.job_id = m.id and a.attempt = m.attempt
  ), stopped as (
    update node_runs n set state = 'stopped', ended_at = queue_now()
    from moved m
    where n.job_id = m.id and n.attempt = m.attempt and n.state = 'running'
  )`;
}

/**
 * A job with another life opens its batch again. The batch's row is locked whether it is completed or not: who is about to
 * complete it sees the open job then, or has been a moment faster and is undone.
 */
function reopenedBatches(sql: Sql, name: TransitionName): Fragment {
  if (name !== "requeue") return sql``;
  return sql`, locked_batches as materialized (
    select b.id, b.completed_at from batches b where b.id in (select batch_id from moved)
    order by b.id for no key update of b
  ), reopened as (
    update batches b set completed_at = null, outcome = null, cancel_requested_at = null, opened_at = queue_now(),
      last_seq = b.last_seq + 1
    from locked_batches l where b.id = l.id and l.completed_at is not null
    returning b.id, b.last_seq
  ), reopening as (
    insert into batch_events (batch_id, seq, type, version, recorded_at, data)
    select r.id, r.last_seq, 'batch.reopened', 1, queue_now(),
      (select jsonb_build_object('actor', m.data -> 'actor', 'reason', m.data -> 'reason') from moved m where m.batch_id = r.id limit 1)
    from reopened r
  )`;
}

/** The tickets that a move adds or takes back. The caller's last SELECT has to read this CTE, else it is not executed. */
function ticketChanges(sql: Sql, backend: Backend, name: TransitionName): Fragment {
  const { from, to } = transitions[name];
  if (to === "queued") return backend.tickets(sql, sql`(select * from moved m where m.ticketed_at is not null)`);
  if (to !== "running" && (from as readonly JobState[]).includes("queued")) return backend.withdraw(sql, sql`moved`);
  return sql`select null::bigint as id where false`;
}
