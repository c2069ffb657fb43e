import type { Backend } from "../backends/backend.ts";
import type { Database, Sql } from "../db/client.ts";
import { withRetries } from "../db/retry.ts";
import { admitHeld, hasVoidTickets, resumeDue, takeBackVoid, tokensNow } from "./admit-held.ts";
import { transition } from "./transition.ts";

/** Rows that one pass moves at the most: a pass that finds as many is followed by another at once. */
const most = 500;

export interface Admitted {
  /** Jobs that were promoted, expired or given a ticket. */
  jobIds: string[];
  /** There was more than one pass could take. */
  more: boolean;
}

/**
 * One pass of admission: queues whose pause is over are opened, what was not started in time expires, what has become due is
 * queued, tickets that a pause or a limit has made void are taken back, and what is queued without a ticket gets one when its
 * queue, its key and its project let it. Any number of processes may do this at once: each takes what no other has locked.
 */
export async function admit(db: Database, backend: Backend): Promise<Admitted> {
  const found = await withRetries(() => look(db.sql));
  if (found.opens) await withRetries(() => resumeDue(db.sql));
  const moved: string[] = [];
  let more = false;
  for (const { needed, pass } of [
    { needed: found.expires, pass: expireDue },
    { needed: found.due, pass: promoteDue },
  ]) {
    if (!needed) continue;
    const ids = await withRetries(() => db.sql.begin((tx) => pass(tx, backend)));
    moved.push(...ids);
    more ||= ids.length >= most;
  }
  // Nothing that followers of these jobs hear of.
  const takenBack = found.void ? await withRetries(() => takeBackVoid(db.sql, backend)) : [];
  more ||= takenBack.length >= most;
  const held = await admitHeld(db, backend);
  return { jobIds: [...moved, ...held.jobIds], more: more || held.more };
}

interface Found {
  opens: boolean;
  expires: boolean;
  due: boolean;
  void: boolean;
}

/**
 * What a pass has to do before it gives tickets, in one round trip: under a limit it follows each end of a job, and mostly there
 * is nothing else.
 */
async function look(sql: Sql): Promise<Found> {
  const [found] = await sql<Found[]>`
    select exists (select from queues where paused_until <= queue_now()) as opens,
      exists (
        select from jobs where expires_at <= queue_now() and state in ('scheduled', 'blocked', 'queued') and started_at is null
      ) as expires,
      exists (select from jobs where state in ('scheduled', 'retryable') and run_at <= queue_now()) as due,
      ${hasVoidTickets(sql)} as void`;
  if (found === undefined) throw new Error("A select without from answered nothing");
  return found;
}

async function expireDue(sql: Sql, backend: Backend): Promise<string[]> {
  const due = await sql<{ id: string; attempt: number }[]>`
    select id, attempt from jobs
    where expires_at <= queue_now() and state in ('scheduled', 'blocked', 'queued') and started_at is null
    order by id limit ${most} for no key update skip locked`;
  const moved = await transition(
    sql,
    backend,
    "expire",
    due.map((job) => ({ ...job, data: {} })),
  );
  return moved.map(({ id }) => id);
}

async function promoteDue(sql: Sql, backend: Backend): Promise<string[]> {
  const due = await sql<{ id: string; attempt: number }[]>`
    select id, attempt from jobs
    where id in (
      select id from jobs where state in ('scheduled', 'retryable') and run_at <= queue_now() order by run_at limit ${most}
    )
    -- Once more, of the row as it is when it is locked: it may have been run meanwhile, and be due later again.
    and state in ('scheduled', 'retryable') and run_at <= queue_now()
    order by id for no key update skip locked`;
  const moved = await transition(
    sql,
    backend,
    "promote",
    due.map((job) => ({ ...job, data: {} })),
  );
  return moved.map(({ id }) => id);
}

/** When there is something to do by itself, in milliseconds from now; null when there is not: a job becomes due or expires, a pause ends, a rate limit lets one more pass. */
export async function nextAdmissionMs(sql: Sql): Promise<number | null> {
  const [next] = await sql<{ ms: number | null }[]>`
    select least(
      extract(epoch from least(
        (select min(run_at) from jobs where state in ('scheduled', 'retryable')),
        (select min(expires_at) from jobs
          where expires_at is not null and state in ('scheduled', 'blocked', 'queued') and started_at is null),
        (select min(paused_until) from queues),
        (select min(tickets_since) from queues where tickets_since > queue_now())
      ) - queue_now())::float8 * 1000,
      (select min((1 - t.tokens) * t.rate_period_ms / t.rate_limit)
        from (select q.*, ${tokensNow(sql)} as tokens from queues q where q.rate_limit is not null and q.paused_at is null) t
        where t.tokens < 1
          and exists (select from jobs j where j.queue = t.name and j.state = 'queued' and j.ticketed_at is null))
    ) as ms`;
  return next?.ms ?? null;
}

/**
 * Finds jobs that should have a ticket and have none (their backend lost it, a hand deleted it, or a worker took it and never
 * heard of that) and lets admission give them a new one. Should the old one turn up, the attempt's fence refuses the second.
 * `olderThanMs` spares those whose ticket is only just being written, or has only just been taken.
 */
export async function findLostTickets(sql: Sql, backend: Backend, olderThanMs = 60_000): Promise<string[]> {
  const lost = await sql<{ id: string }[]>`
    update jobs j set ticketed_at = null
    where j.id in (
      select j.id from jobs j
      where j.state = 'queued' and j.ticketed_at < queue_now() - make_interval(secs => ${olderThanMs / 1000}::float8)
        and not ${backend.hasTicket(sql, olderThanMs)}
      order by j.id limit ${most} for no key update skip locked
    )
    returning j.id`;
  return lost.map(({ id }) => id);
}
