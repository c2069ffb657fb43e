import type { Backend, Fragment } from "../backends/backend.ts";
import type { Database, Sql } from "../db/client.ts";
import { coalesce } from "../db/coalesce.ts";
import { withRetries } from "../db/retry.ts";
import type { JsonObject } from "../domain/json.ts";
import type { JobState } from "../domain/lifecycle.ts";
import type { Outcome } from "../domain/outcome.ts";
import { appendRunEvents, type RunBatch } from "../events/append.ts";
import type { Wakeups } from "../events/wakeups.ts";
import { keepFailureGroups } from "../jobs/failure-groups.ts";
import { type Move, type Moved, movedJobs, transition } from "../jobs/transition.ts";
import type { GivenResult } from "./given-results.ts";
import type { ArtifactRow } from "./kept.ts";
import { joined } from "./record.ts";
import { recordArtifacts } from "./record-artifacts.ts";

/** A start that is wanted. */
export type Start = Required<Pick<Move<"start">, "id" | "attempt" | "data" | "workerId" | "runToken" | "attemptId">>;

/** An attempt that has begun, with all that the run needs. */
export interface Started {
  jobId: string;
  attempt: number;
  runToken: string;
  project: string;
  pipeline: string;
  queue: string;
  runAt: string;
  inputs: JsonObject;
  finalVars: string[] | null;
  config: JsonObject;
  options: JsonObject;
  retry: JsonObject | null;
  timeoutMs: number | null;
  plan: { codeHash: string; path: string[] } | null;
  failures: number;
  losses: number;
  maxLosses: number;
  onWorkerLost: "retry" | "fail";
  /** Inputs that are results of other jobs; null when there are none. */
  given: GivenResult[] | null;
}

/** The end of an attempt, decided. */
export interface End {
  name: Outcome["transition"];
  move: Move;
  runToken: string;
  artifacts: ArtifactRow[];
  /** How long they took to be kept. */
  storedMs: number | null;
}

/** What a worker writes. Each waits for its commit; those of many attempts share their statements. */
export interface Writes {
  /** Null: the job was not there to be started (cancelled, expired, or in other hands). */
  start(start: Start): Promise<Started | null>;
  append(batch: RunBatch): Promise<void>;
  /** The state that the job is in now; null when the attempt was no longer this worker's to end. */
  end(end: End): Promise<JobState | null>;
}

export function openWrites(db: Database, backend: Backend, wakeups: Wakeups): Writes {
  const options = { onSlow: () => void db.suspect() };
  return {
    start: coalesce(async (starts: Start[]) => {
      const started = new Map(
        (await withRetries(() => startAttempts(db, backend, starts))).map((one) => [one.runToken, one]),
      );
      wakeups.ring(
        "events",
        [...started.values()].map(({ jobId }) => jobId),
      );
      return starts.map(({ runToken }) => started.get(runToken) ?? null);
    }, options),
    append: coalesce(async (batches: RunBatch[]) => {
      const appended = await withRetries(() => appendRunEvents(db.sql, joined(batches)));
      wakeups.ring(
        "events",
        appended.map(({ jobId }) => jobId),
      );
      return batches.map(() => undefined);
    }, options),
    end: coalesce(async (ends: End[]) => {
      const ended = new Map((await withRetries(() => endAttempts(db, backend, ends))).map((one) => [one.id, one]));
      wakeups.ring("events", [...ended.keys()]);
      if (ends.some(({ name }) => name === "retry" || name === "release")) wakeups.ring("admit");
      // Here only: who frees a place fills it, and another process would only find the same.
      else if (ended.values().some(({ wakesAdmission }) => wakesAdmission)) wakeups.ringHere("admit");
      return ends.map(({ move }) => ended.get(move.id)?.state ?? null);
    }, options),
  };
}

/**
 * Starts attempts and reads their requests in one statement. Sent again after a lost answer it finds those that it has
 * started already by their tokens.
 */
async function startAttempts({ sql }: Database, backend: Backend, starts: readonly Start[]): Promise<Started[]> {
  return await sql<Started[]>`
    with input as materialized (
      select *, null::text as "errorKind", null::jsonb as error
      from jsonb_to_recordset(${sql.json(starts as never)}) as i (
        id uuid, attempt int, data jsonb, "workerId" uuid, "runToken" uuid, "attemptId" uuid
      )
    ), earlier as (
      select j.id, j.attempt, j.run_token from jobs j join input i on i.id = j.id and i."runToken" = j.run_token
    ), ${movedJobs(sql, backend, "start")}, started as (
      select id, attempt, run_token from moved union all select id, attempt, run_token from earlier
    )
    select s.id as "jobId", s.attempt, s.run_token as "runToken", j.project, j.pipeline, j.queue, j.failures, j.losses,
      j.max_losses as "maxLosses", j.on_worker_lost as "onWorkerLost",
      to_char(j.run_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "runAt",
      r.inputs, r.final_vars as "finalVars", r.config, r.options, r.retry, r.timeout_ms as "timeoutMs", r.plan,
      case when r.inputs_from is not null then ${givenResults(sql)} end as given,
      (select count(*) from ticket_changes)::int as tickets
    from started s
    join jobs j on j.id = s.id
    join job_requests r on r.job_id = s.id`;
}

/** What a request `r` takes of other jobs: of each the result of the last attempt that has left it. */
function givenResults(sql: Sql): Fragment {
  return sql`(
    select jsonb_agg(jsonb_build_object(
      'input', f.input, 'jobId', f."jobId", 'variable', f.variable, 'isThere', p.id is not null,
      'hasValue', coalesce(a.has_value, false), 'value', a.value, 'isFile', a.uri is not null, 'omitted', a.omitted
    ))
    from jsonb_to_recordset(r.inputs_from) as f (input text, "jobId" uuid, variable text)
    left join jobs p on p.id = f."jobId"
    left join lateral (
      select * from artifacts a where a.job_id = f."jobId" and a.kind = 'result' and a.name = f.variable
      order by a.attempt desc limit 1
    ) a on true
  )`;
}

/** Ends attempts, records what they leave and groups their failures in one transaction, its statements sent together. */
async function endAttempts({ sql, ids }: Database, backend: Backend, ends: readonly End[]): Promise<Moved[]> {
  const byName = Map.groupBy(ends, ({ name }) => name);
  return await sql.begin(async (tx) => {
    const jobIds = ends.map(({ move }) => move.id);
    const locked = lockJobs(tx, jobIds);
    // Before the moves: what has an event is told before the event that ends the attempt.
    const recorded = recordArtifacts(tx, ids, ends);
    const moved = [...byName].map(([name, group]) =>
      transition(
        tx,
        backend,
        name,
        group.map(({ move }) => move),
      ),
    );
    await Promise.all([locked, recorded, ...moved, keepFailureGroups(tx, jobIds)]);
    return (await Promise.all(moved)).flat();
  });
}

/**
 * Locks jobs in the order of their ids, whatever becomes of each: who locks several jobs locks them in one order. What is sent
 * after it sees all that was committed before the locks were had, such as who has requested a cancel.
 */
async function lockJobs(sql: Sql, ids: readonly string[]): Promise<void> {
  // Awaited here: a query that is only made is not sent, and would come after those that follow.
  await sql`select from jobs where id = any(${ids}::uuid[]) order by id for no key update`;
}
