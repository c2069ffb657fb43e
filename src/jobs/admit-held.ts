import type { Backend, Fragment } from "../backends/backend.ts";
import type { Database, Sql } from "../db/client.ts";
import { withRetries } from "../db/retry.ts";
import { isDisabled } from "./admissible.ts";

/** Jobs of one queue that one pass looks at. */
const most = 500;
/** Admissions that count jobs by key take turns over all queues: a key may have jobs in several. */
const keyedLock = 0x666c6f77;

export interface AdmittedHeld {
  jobIds: string[];
  more: boolean;
}

/** Gives tickets to jobs that wait without one, queue by queue: as many as are free under the queue's limits, in their turn. */
export async function admitHeld(db: Database, backend: Backend): Promise<AdmittedHeld> {
  const queues = await db.sql<{ name: string }[]>`
    select q.name from queues q
    where q.paused_at is null and (q.tickets_since is null or q.tickets_since <= queue_now())
      and exists (select from jobs j where j.queue = q.name and j.state = 'queued' and j.ticketed_at is null)
    order by q.name`;
  const admitted: AdmittedHeld = { jobIds: [], more: false };
  for (const { name } of queues) {
    const ids = await withRetries(() => admitQueue(db, backend, name));
    admitted.jobIds.push(...ids.admitted);
    admitted.more ||= ids.admitted.length > 0 && ids.seen === most;
  }
  return admitted;
}

/**
 * Under the lock of the queue's row, so that of several processes one counts and admits at a time; what comes after the lock in
 * a statement of its own sees all that the one before has admitted. Jobs that somebody else has locked are left out: nobody
 * waits for a job while holding a queue.
 */
async function admitQueue(
  db: Database,
  backend: Backend,
  queue: string,
): Promise<{ admitted: string[]; seen: number }> {
  return await db.sql.begin(async (tx) => {
    const [, , [row]] = await Promise.all([
      lockQueue(tx, queue),
      lockKeys(tx, queue),
      tx<{ admitted: string[]; seen: number }[]>`
        with q as materialized (
          select q.*, queue_now() as now, ${tokensNow(tx)} as tokens from queues q where q.name = ${queue}
            and q.paused_at is null and (q.tickets_since is null or q.tickets_since <= queue_now())
        ), keys as materialized (
          select concurrency_key as key, count(*)::int as admitted from jobs
          where ticketed_at is not null and concurrency_key is not null
            and exists (${keyedHeld(tx, queue)})
          group by 1
        ), seen as materialized (
          select j.id, j.turn, j.concurrency_key as key, j.concurrency_limit, coalesce(k.admitted, 0) as admitted
          from jobs j left join keys k on k.key = j.concurrency_key
          where j.queue = ${queue} and j.state = 'queued' and j.ticketed_at is null and not ${isDisabled(tx, "j")}
            and (j.concurrency_key is null or coalesce(k.admitted, 0) < j.concurrency_limit)
          order by j.turn, j.id limit ${most} for no key update of j skip locked
        ), fitting as (
          select s.id, row_number() over (order by s.turn, s.id) as place
          from (
            select s.*, row_number() over (partition by s.key order by s.turn, s.id) as place_of_key from seen s
          ) s
          where s.key is null or s.admitted + s.place_of_key <= s.concurrency_limit
        ), chosen as materialized (
          select f.id, q.now from fitting f cross join q
          where f.place <= coalesce(floor(q.tokens), ${most}) and f.place <= case
            when q.concurrency_limit is null then ${most}
            else q.concurrency_limit - (select count(*) from jobs where queue = ${queue} and ticketed_at is not null)
          end
        ), admitted as (
          update jobs j set ticketed_at = c.now from chosen c where j.id = c.id returning j.*
        ), spent as (
          update queues u set rate_tokens = q.tokens - (select count(*) from chosen), rate_filled_at = q.now
          from q where u.name = q.name and q.rate_limit is not null and exists (select from chosen)
        ), ticket_changes as materialized (${backend.tickets(tx, tx`admitted`)})
        select coalesce((select array_agg(a.id) from admitted a), '{}') as admitted,
          (select count(*) from seen)::int as seen, (select count(*) from ticket_changes)::int as tickets`,
    ]);
    return row ?? { admitted: [], seen: 0 };
  });
}

async function lockQueue(tx: Sql, queue: string): Promise<void> {
  await tx`select from queues where name = ${queue} for no key update`;
}

/** After the queue's row, in every admission: a lock of all keys, where one of the queue's waiting jobs has one. */
async function lockKeys(tx: Sql, queue: string): Promise<void> {
  await tx`select pg_advisory_xact_lock(${keyedLock}) where exists (${keyedHeld(tx, queue)})`;
}

function keyedHeld(tx: Sql, queue: string) {
  return tx`select from jobs
    where queue = ${queue} and state = 'queued' and ticketed_at is null and concurrency_key is not null`;
}

/** What is in a queue's bucket: it fills evenly, a whole limit in a period, and holds one limit at the most. Null without a limit. */
export function tokensNow(sql: Sql) {
  return sql`least(
    q.rate_limit::float8,
    coalesce(q.rate_tokens, q.rate_limit)
      + extract(epoch from queue_now() - coalesce(q.rate_filled_at, queue_now()))::float8 * 1000 / q.rate_period_ms * q.rate_limit
  )`;
}

/** Opens queues whose pause has ended, and tells how many. */
export async function resumeDue(sql: Sql): Promise<number> {
  const opened = await sql`
    update queues set paused_at = null, paused_until = null, pause_reason = null where paused_until <= queue_now()`;
  return opened.count;
}

/** Whether some job that waits has a void ticket. */
export function hasVoidTickets(sql: Sql): Fragment {
  return sql`exists (
    select from queues q
    where (q.paused_at is not null or q.tickets_since is not null) and exists (
      select from jobs a
      where a.queue = q.name and a.ticketed_at is not null and a.state = 'queued'
        and (q.paused_at is not null or a.ticketed_at < q.tickets_since)
    )
  )`;
}

/** Takes back void tickets, so that their jobs take their turns with the others. One batch. */
export async function takeBackVoid(sql: Sql, backend: Backend): Promise<string[]> {
  const held = await sql<{ id: string }[]>`
    with void as materialized (
      select j.id, j.attempt from queues q
      cross join lateral (
        select a.id from jobs a
        where a.queue = q.name and a.ticketed_at is not null and a.state = 'queued'
          and (q.paused_at is not null or a.ticketed_at < q.tickets_since)
        order by a.ticketed_at limit ${most}
      ) a
      join jobs j on j.id = a.id
      where (q.paused_at is not null or q.tickets_since is not null) and j.state = 'queued' and j.ticketed_at is not null
      order by j.id limit ${most} for no key update of j skip locked
    ), withdrawn as materialized (${backend.withdraw(sql, sql`void`)}), unticketed as (
      update jobs j set ticketed_at = null from void v where j.id = v.id returning j.id
    )
    select id, (select count(*) from withdrawn)::int as withdrawn from unticketed`;
  return held.map(({ id }) => id);
}
