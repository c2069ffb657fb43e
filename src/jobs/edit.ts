import type { Backend } from "../backends/backend.ts";
import type { Sql } from "../db/client.ts";
import type { EventData } from "../domain/event-types.ts";
import type { JsonObject } from "../domain/json.ts";
import type { Actor } from "../domain/run-request.ts";
import { isAdmittedAtOnce } from "./admissible.ts";
import { transition } from "./transition.ts";

/** What is to be different about jobs that wait. What is absent stays as it is. */
export interface Edit {
  priority?: number;
  queue?: string;
  /** Null: now. */
  runAt?: Date | null;
  /** Null: never. */
  expiresAt?: Date | null;
  tags?: string[];
  /** Of a single job, checked against its pipeline. */
  inputs?: { inputs: JsonObject; plan: JsonObject | null; changes: EventData<"job.updated">["changes"] };
  /** Of a single job: the key under which it is counted with what is different. */
  concurrency?: { key: string; limit: number } | null;
}

/**
 * Changes jobs that wait, which the caller has locked in this transaction, and records it. A queued job's ticket is taken back
 * and made anew: in another queue it stands in another lane, with another priority elsewhere in it, and under a limit it waits
 * for admission. One that is due later now is scheduled, one that has become due is queued. Returns those that are different.
 */
export async function editJobs(
  sql: Sql,
  backend: Backend,
  actor: Actor,
  ids: readonly string[],
  edit: Edit,
  reason: string | null,
): Promise<string[]> {
  const edited = await changeRows(sql, backend, actor, ids, edit, reason);
  if (edited.length === 0) return [];
  const move = (name: "postpone" | "promote", isTo: (job: Edited) => boolean) =>
    transition(
      sql,
      backend,
      name,
      edited.filter(isTo).map(({ id, attempt }) => ({ id, attempt, data: {} })),
    );
  await addTickets(
    sql,
    backend,
    edited.map(({ id }) => id),
  );
  await move("postpone", ({ state, isLater }) => state === "queued" && isLater);
  await move("promote", ({ state, isLater }) => (state === "scheduled" || state === "retryable") && !isLater);
  return edited.map(({ id }) => id);
}

interface Edited {
  id: string;
  attempt: number;
  state: string;
  isLater: boolean;
}

async function changeRows(
  sql: Sql,
  backend: Backend,
  actor: Actor,
  ids: readonly string[],
  { priority, queue, runAt, expiresAt, tags, inputs, concurrency }: Edit,
  reason: string | null,
): Promise<Edited[]> {
  const given = (value: unknown) => value !== undefined;
  const utc = (column: string) => sql`to_char(${sql(column)} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
  return await sql<Edited[]>`
    with before as materialized (
      select j.*, r.tags from jobs j join job_requests r on r.job_id = j.id where j.id = any(${ids as string[]}::uuid[])
    ), next as materialized (
      select b.id, b.state, b.attempt, b.project, b.ticketed_at,
        coalesce(${priority ?? null}::smallint, b.priority) as priority,
        coalesce(${queue ?? null}::text, b.queue) as queue,
        case when ${given(runAt)} then coalesce(${runAt?.toISOString() ?? null}::timestamptz, queue_now()) else b.run_at
          end as run_at,
        case when ${given(expiresAt)} then ${expiresAt?.toISOString() ?? null}::timestamptz else b.expires_at
          end as expires_at,
        case when ${given(tags)} then ${sql.json(tags ?? [])}::jsonb else b.tags end as tags,
        case when ${given(concurrency)} then ${concurrency?.key ?? null}::text else b.concurrency_key
          end as concurrency_key,
        case when ${given(concurrency)} then ${concurrency?.limit ?? null}::int else b.concurrency_limit
          end as concurrency_limit
      from before b
    ), changed as materialized (
      select n.*, c.changes
      from next n join before b using (id) cross join lateral (
        select coalesce(jsonb_agg(jsonb_build_object('field', f.field, 'from', f.old, 'to', f.new)), '[]')
          || ${sql.json((inputs?.changes ?? []) as never)}::jsonb as changes
        from (values
          ('priority', to_jsonb(b.priority), to_jsonb(n.priority)),
          ('queue', to_jsonb(b.queue), to_jsonb(n.queue)),
          ('runAt', to_jsonb(${utc("b.run_at")}), to_jsonb(${utc("n.run_at")})),
          ('expiresAt', to_jsonb(${utc("b.expires_at")}), to_jsonb(${utc("n.expires_at")})),
          ('tags', b.tags, n.tags)
        ) as f (field, old, new)
        where f.old is distinct from f.new
      ) c
      where c.changes <> '[]'
    ), withdrawn as materialized (
      ${backend.withdraw(sql, sql`(select id, attempt from changed where state = 'queued' and ticketed_at is not null)`)}
    ), edited as (
      update jobs j set priority = n.priority, queue = n.queue, run_at = n.run_at, expires_at = n.expires_at,
        concurrency_key = n.concurrency_key, concurrency_limit = n.concurrency_limit, last_seq = j.last_seq + 1,
        ticketed_at = case
          when n.state = 'queued' and n.run_at <= queue_now() and ${isAdmittedAtOnce(sql, "n")} then queue_now()
        end
      from changed n where n.id = j.id
      returning j.id, j.attempt, j.state, j.life, j.last_seq, j.run_at, n.changes
    ), asked as (
      update job_requests r set tags = n.tags,
        inputs = case when ${given(inputs)} then ${sql.json(inputs?.inputs ?? {})}::jsonb else r.inputs end,
        plan = case when ${given(inputs)} then ${sql.json(inputs?.plan ?? null)}::jsonb else r.plan end
      from changed n where n.id = r.job_id and (${given(inputs)} or n.tags <> r.tags)
    ), untagged as (
      delete from job_tags t using changed n
      where ${given(tags)} and t.job_id = n.id and not n.tags ? t.tag
    ), tagged as (
      insert into job_tags (tag, job_id)
      select distinct t.tag, n.id from changed n cross join jsonb_array_elements_text(n.tags) as t (tag)
      where ${given(tags)}
      on conflict do nothing
    ), recorded as (
      insert into events (job_id, seq, life, attempt, type, version, recorded_at, occurred_at, data)
      select id, last_seq, life, nullif(attempt, 0), 'job.updated', 1, queue_now(), queue_now(),
        jsonb_build_object('actor', ${actor.name}::text, 'reason', ${reason}::text, 'changes', changes)
      from edited
    )
    select id, attempt, state, run_at > queue_now() as "isLater", (select count(*) from withdrawn)::int as withdrawn
    from edited order by id`;
}

/** In a statement of its own: a ticket is not added before the one of the same name is gone. */
async function addTickets(sql: Sql, backend: Backend, ids: readonly string[]): Promise<void> {
  await sql`${backend.tickets(
    sql,
    sql`(
      select * from jobs where id = any(${ids as string[]}::uuid[]) and state = 'queued' and ticketed_at is not null
    )`,
  )}`;
}
