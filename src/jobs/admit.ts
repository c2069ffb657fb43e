import type { Backend } from "../backends/backend.ts";
import type { Database, Sql } from "../db/client.ts";
import { withRetries } from "../db/retry.ts";
import { isAdmissible } from "./admissible.ts";
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
 * One pass of admission: what was not started in time expires, what has become due is queued, and what is queued without a
 * ticket gets one when its queue is open and its project is not disabled. Any number of processes may do this at once: each takes what no other has locked.
 */
export async function admit(db: Database, backend: Backend): Promise<Admitted> {
  const passes = [expireDue, promoteDue, ticketHeld];
  const moved: string[] = [];
  let more = false;
  for (const pass of passes) {
    const ids = await withRetries(() => db.sql.begin((tx) => pass(tx, backend)));
    moved.push(...ids);
    more ||= ids.length >= most;
  }
  return { jobIds: moved, more };
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

async function ticketHeld(sql: Sql, backend: Backend): Promise<string[]> {
  const ticketed = await sql<{ id: string }[]>`
    with held as materialized (
      select j.id from jobs j
      where j.id in (
        select h.id from jobs h
        where h.state = 'queued' and h.ticketed_at is null and ${isAdmissible(sql, "h")}
        order by h.run_at limit ${most}
      )
      order by j.id for no key update skip locked
    ), admitted as (
      update jobs j set ticketed_at = queue_now() from held h
      where j.id = h.id and j.state = 'queued' and j.ticketed_at is null
      returning j.*
    ), ticket_changes as materialized (${backend.tickets(sql, sql`admitted`)})
    select a.id, (select count(*) from ticket_changes)::int as tickets from admitted a`;
  return ticketed.map(({ id }) => id);
}

/** When the next job becomes due or expires, in milliseconds from now; null when none will by itself. */
export async function nextAdmissionMs(sql: Sql): Promise<number | null> {
  const [next] = await sql<{ ms: number | null }[]>`
    select extract(epoch from least(
      (select min(run_at) from jobs where state in ('scheduled', 'retryable')),
      (select min(expires_at) from jobs
        where expires_at is not null and state in ('scheduled', 'blocked', 'queued') and started_at is null)
    ) - queue_now())::float8 * 1000 as ms`;
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
