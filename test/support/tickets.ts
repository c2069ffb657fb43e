import type { Sql } from "../../src/db/client.ts";
import { ticketSchema } from "../../src/db/migrate.ts";

export interface TicketRow {
  id: string;
  /** The attempt that it is for. */
  attempt: number;
  lane: string;
  holder: string | null;
  /** How much earlier it counts as due, in seconds before now. */
  earlierSeconds: number;
}

/** The tickets of a job that a worker may get or has, oldest first. */
export async function ticketsOf(sql: Sql, jobId: string): Promise<TicketRow[]> {
  return await sql<TicketRow[]>`
    select id, split_part(key, '/', 2)::int as attempt, task_identifier as lane, locked_by as holder,
      extract(epoch from created_at - run_at)::float8 as "earlierSeconds"
    from ${sql(ticketSchema)}.jobs where key like ${`${jobId}/%`} order by id`;
}

/** Puts the tickets of a job into a worker's hands, as graphile-worker does it. */
export async function holdTickets(sql: Sql, jobId: string, poolId: string): Promise<void> {
  await sql`
    update ${sql(ticketSchema)}._private_jobs set locked_at = now(), locked_by = ${poolId}, attempts = attempts + 1
    where key like ${`${jobId}/%`}`;
}
