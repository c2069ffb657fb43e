import type { Sql } from "../../src/db/client.ts";
import { ticketSchema } from "../../src/db/migrate.ts";
import type { Ticket } from "../../src/worker/tickets.ts";

/** What graphile-worker does with tickets, statement by statement: its own loop goes by timers and would follow no seed. */
export async function takeTicket(sql: Sql, poolId: string): Promise<{ id: string; payload: Ticket } | null> {
  const [taken] = await sql<{ id: string; payload: Ticket }[]>`
    update ${sql(ticketSchema)}._private_jobs t
    set attempts = t.attempts + 1, locked_by = ${poolId}, locked_at = now()
    from (
      select id from ${sql(ticketSchema)}._private_jobs where is_available and run_at <= now()
      order by priority, run_at, id limit 1 for update skip locked
    ) next
    where t.id = next.id
    returning t.id, t.payload`;
  return taken ?? null;
}

export async function completeTicket(sql: Sql, id: string): Promise<void> {
  await sql`delete from ${sql(ticketSchema)}._private_jobs where id = ${id}`;
}

/** Gives a ticket back; the time that graphile-worker would wait is taken as passed. */
export async function failTicket(sql: Sql, id: string, poolId: string): Promise<void> {
  await sql`
    update ${sql(ticketSchema)}._private_jobs set locked_by = null, locked_at = null, last_error = 'failed'
    where id = ${id} and locked_by = ${poolId}`;
}
