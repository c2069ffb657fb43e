import type { Backend, Fragment } from "../backends/backend.ts";
import type { Sql } from "../db/client.ts";
import { type Dependency, howEnded, type InputFrom } from "../domain/dependency.ts";
import type { JsonObject } from "../domain/json.ts";
import { finalStates, type JobState, waitingStates } from "../domain/lifecycle.ts";
import type { Metadata } from "../domain/run-request.ts";
import { isAdmittedAtOnce } from "./admissible.ts";
import { isMet } from "./dependents.ts";

/** A job that is to be made, all questions answered. */
export interface NewJob {
  id: string;
  /** The id that people see, for the audit trail. */
  shownId: string;
  project: string;
  pipeline: string;
  queue: string;
  priority: number;
  /** ISO 8601; null: now. */
  runAt: string | null;
  expiresAt: string | null;
  /** Instead of the two: from when it is made, by the database's clock. */
  runInMs?: number | null;
  expiresInMs?: number | null;
  /** Where neither says when it expires: so long after it is due. */
  ttlMs?: number | null;
  maxAttempts: number;
  maxLosses: number;
  onWorkerLost: "retry" | "fail";
  inputs: JsonObject;
  finalVars: string[] | null;
  config: JsonObject;
  options: JsonObject;
  retry: JsonObject | null;
  timeoutMs: number | null;
  tags: string[];
  metadata?: Metadata | null;
  /** Whoever gives one has seen to it that no other job has it (`unique.ts`). */
  uniqueKey?: string | null;
  /** At most so many jobs with this key at the same time; null: no such limit. */
  concurrency: { key: string; limit: number } | null;
  /** Labels that a worker must have, each once, in order; null: any worker. */
  needs: string[] | null;
  actor: string;
  requestId: string | null;
  requestedBy: string | null;
  plan: { codeHash: string; path: string[]; reused?: string[] } | null;
  /** The job that it is made from, with the id that people see. */
  rerunOf: { id: string; shownId: string } | null;
  /** The jobs that it waits for, with the ids that people see. */
  dependsOn: (Dependency & { shownId: string })[];
  inputsFrom: InputFrom[] | null;
  idempotencyKey: string | null;
  fingerprint: string;
}

/** A job that is there now. One that is not among them has a key that another job holds, or names a queue or a parent that does not exist. */
export interface Inserted {
  id: string;
  state: JobState;
  /** It is due and has no ticket: admission decides when it gets one. */
  held: boolean;
}

/** A job that was not made, because as many wait in its queue as that may hold. */
export interface Refused {
  id: string;
  backlogLimit: number;
}

export function isRefused(job: Inserted | Refused): job is Refused {
  return "backlogLimit" in job;
}

/**
 * Makes jobs in one statement: row, request, tags, key, first event, audit entry and, when it is due and its queue open,
 * ticket. One round trip, all or nothing. Sent again after a lost answer, it finds what it has made.
 *
 * A job whose parents have not ended is blocked; one that would be cancelled by how they have ended is cancelled from the start.
 */
export async function insertJobs(sql: Sql, backend: Backend, jobs: readonly NewJob[]): Promise<(Inserted | Refused)[]> {
  const rows = await sql<{ id: string; state: JobState | null; held: boolean; backlogLimit: number }[]>`
    with sent as materialized (
      select i.*, i.concurrency ->> 'key' as concurrency_key, (i.concurrency ->> 'limit')::int as concurrency_limit,
        coalesce(i."runAt", queue_now() + make_interval(secs => i."runInMs" / 1000)) as due_at,
        coalesce(
          i."expiresAt", queue_now() + make_interval(secs => i."expiresInMs" / 1000),
          greatest(queue_now(), i."runAt", queue_now() + make_interval(secs => i."runInMs" / 1000))
            + make_interval(secs => i."ttlMs" / 1000)
        ) as expires_at
      from jsonb_to_recordset(${sql.json(jobs as never)}) as i (
        id uuid, "shownId" text, project text, pipeline text, queue text, priority smallint, "runAt" timestamptz,
        "expiresAt" timestamptz, "runInMs" float8, "expiresInMs" float8, "ttlMs" float8, metadata jsonb, "uniqueKey" text, "maxAttempts" int, "maxLosses" int, "onWorkerLost" text, inputs jsonb, "finalVars" jsonb,
        config jsonb, options jsonb, retry jsonb, "timeoutMs" int, tags jsonb, concurrency jsonb, needs text[], actor text, "requestId" text,
        "requestedBy" text, plan jsonb, "rerunOf" jsonb, "dependsOn" jsonb, "inputsFrom" jsonb, "idempotencyKey" text, fingerprint text
      )
    ), room as materialized (
      -- Of queues with a backlog limit. Several servers that take jobs at once may exceed it by what they take at once.
      select q.name, q.backlog_limit, q.backlog_limit - (
        select count(*) from (
          select from jobs j where j.queue = q.name and j.state in ${sql([...waitingStates])} limit q.backlog_limit
        ) waiting
      ) as free
      from queues q where q.backlog_limit is not null and q.name in (select queue from sent)
    ), ranked as materialized (
      select s.*, r.backlog_limit, row_number() over (partition by s.queue order by s.id) > r.free as refused
      from sent s left join room r on r.name = s.queue
    ), ${acceptedJobs(sql, jobs)}, earlier as materialized (
      select j.id, j.state, j.state = 'queued' and j.ticketed_at is null as held from jobs j join sent i on i.id = j.id
    ), claimed as (
      insert into idempotency_keys (owner, key, fingerprint, job_id, created_at)
      select i.actor, i."idempotencyKey", i.fingerprint, i.id, queue_now()
      from input i join queues q on q.name = i.queue
      where i."idempotencyKey" is not null
      -- So that two flushes with the same keys wait for each other and never in a circle.
      order by i.actor, i."idempotencyKey"
      on conflict do nothing
      returning job_id
    ), made as (
      insert into jobs (
        id, project, pipeline, queue, state, priority, max_attempts, max_losses, on_worker_lost, last_seq,
        created_at, run_at, expires_at, ticketed_at, concurrency_key, concurrency_limit, unique_key, needs, waiting_for,
        finished_at
      )
      select i.id, i.project, i.pipeline, i.queue,
        (case when i.refused_by is not null then 'cancelled' when i.parents > 0 then 'blocked'
          when i.due_at > queue_now() then 'scheduled' else 'queued' end)::job_state,
        i.priority, i."maxAttempts", i."maxLosses", i."onWorkerLost", case when i.refused_by is null then 1 else 2 end,
        queue_now(), coalesce(i.due_at, queue_now()), i.expires_at,
        case when i.parents = 0 and coalesce(i.due_at <= queue_now(), true) and ${isAdmittedAtOnce(sql, "i")}
          then queue_now() end,
        i.concurrency_key, i.concurrency_limit, i."uniqueKey", i.needs, i.parents,
        case when i.refused_by is not null then queue_now() end
      from input i join queues q on q.name = i.queue
      where (i."idempotencyKey" is null or i.id in (select job_id from claimed))
        and i.id not in (select id from earlier)
      returning *
    ), labelled as (
      insert into label_sets (labels) select distinct needs from made where needs is not null order by needs
      on conflict do nothing
    ), requested as (
      insert into job_requests (
        job_id, inputs, final_vars, config, options, retry, timeout_ms, tags, metadata, actor, requested_by, plan,
        rerun_of, inputs_from
      )
      select i.id, i.inputs, i."finalVars", i.config, i.options, i.retry, i."timeoutMs", i.tags, i.metadata, i.actor,
        i."requestedBy", i.plan, (i."rerunOf" ->> 'id')::uuid, i."inputsFrom"
      from input i join made m using (id)
    ), tagged as (
      insert into job_tags (tag, job_id)
      select distinct t.tag, i.id from input i join made m using (id) cross join jsonb_array_elements_text(i.tags) as t (tag)
    ), described as (
      insert into job_metadata (key, value, job_id)
      select d.key, d.value, i.id from input i join made m using (id) cross join jsonb_each_text(i.metadata) as d (key, value)
    ), recorded as (
      insert into events (job_id, seq, life, type, version, recorded_at, occurred_at, data)
      select m.id, 1, 1, 'job.enqueued', 1, queue_now(), queue_now(), jsonb_build_object(
        'state', case when i.refused_by is null then m.state else 'blocked' end, 'priority', m.priority, 'queue', m.queue, 'actor', i.actor,
        'runAt', to_char(m.run_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
      )
      from made m join input i using (id)
      union all
      select m.id, 2, 1, 'job.cancelled', 1, queue_now(), queue_now(),
        jsonb_build_object('actor', null, 'reason', i.refused_by)
      from made m join input i using (id) where i.refused_by is not null
    ), audited as (
      insert into audit (at, actor, action, target, request_id, data)
      select queue_now(), i.actor, case when i."rerunOf" is null then 'job.enqueue' else 'job.rerun' end, i."shownId",
        i."requestId", jsonb_build_object(
          'project', m.project, 'pipeline', m.pipeline, 'requestedBy', i."requestedBy"
        ) || case when i."rerunOf" is null then '{}' else jsonb_build_object('rerunOf', i."rerunOf" ->> 'shownId') end
      from made m join input i using (id)
    ), ${linked(sql, jobs)} ticket_changes as materialized (
      ${backend.tickets(sql, sql`(select * from made m where m.ticketed_at is not null)`)}
    )
    select m.id, m.state, m.state = 'queued' and m.ticketed_at is null as held, null::int as "backlogLimit", (select count(*) from ticket_changes)::int as tickets from made m
    union all select id, state, held, null, 0 from earlier
    union all select id, null, null, backlog_limit, 0 from ranked where refused and id not in (select id from earlier)`;
  return rows.map(({ id, state, held, backlogLimit }) => (state === null ? { id, backlogLimit } : { id, state, held }));
}

/**
 * The jobs that are made, with the parents that they wait for. The parents' rows are locked in the order of their ids and read as
 * they are then: one that ends meanwhile has ended here, or sees what waits for it.
 */
function acceptedJobs(sql: Sql, jobs: readonly NewJob[]): Fragment {
  const parents = [...new Set(jobs.flatMap(({ dependsOn }) => dependsOn.map(({ jobId }) => jobId)))];
  if (parents.length === 0) {
    return sql`input as materialized (
      select r.*, 0 as parents, null::text as refused_by from ranked r where r.refused is not true
    )`;
  }
  const told = Object.entries(howEnded).map(([state, how]) => sql`when ${state} then ${how}::text`);
  return sql`
    locked as materialized (
      select j.id, j.state from jobs j where j.id = any(${parents}::uuid[]) order by j.id for no key update
    ), awaited as materialized (
      select r.id as job_id, d."jobId" as parent_id, d."when", d.otherwise, d."shownId", l.state,
        coalesce(${isMet(sql, sql`l.state`, sql`d."when"`)}, false) as met, l.state in ${sql([...finalStates])} as ended
      from ranked r
      cross join jsonb_to_recordset(r."dependsOn") as d ("jobId" uuid, "shownId" text, "when" text, otherwise text)
      left join locked l on l.id = d."jobId"
    ), input as materialized (
      select r.*, coalesce(a.parents, 0) as parents, a.refused_by
      from ranked r
      left join (
        select job_id, count(*) filter (where not met) as parents, min(
          "shownId" || ', which it waited for, ' || case state::text ${joined(sql, told)} end
        ) filter (where ended and not met and otherwise = 'cancel') as refused_by
        from awaited group by 1
      ) a on a.job_id = r.id
      where r.refused is not true and not exists (select from awaited m where m.job_id = r.id and m.state is null)
    )`;
}

function joined(sql: Sql, parts: readonly Fragment[]): Fragment {
  return parts.reduce((all, part) => sql`${all} ${part}`, sql``);
}

/** The rows that link new jobs with their parents, and the mark on a parent that somebody waits for it. */
function linked(sql: Sql, jobs: readonly NewJob[]): Fragment {
  if (jobs.every(({ dependsOn }) => dependsOn.length === 0)) return sql``;
  return sql`depending as (
    insert into job_dependencies (job_id, parent_id, run_when, otherwise, resolved_at)
    select m.id, a.parent_id, a."when", a.otherwise, case when a.met then queue_now() end
    from made m join awaited a on a.job_id = m.id
  ), marked as (
    update jobs j set has_dependents = true
    where not j.has_dependents and j.id in (select a.parent_id from made m join awaited a on a.job_id = m.id where not a.met)
  ),`;
}
