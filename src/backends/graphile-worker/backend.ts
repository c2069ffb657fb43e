import type { Sql } from "../../db/client.ts";
import { ticketSchema } from "../../db/migrate.ts";
import { priorityStepSeconds } from "../../domain/lanes.ts";
import type { Backend, Fragment } from "../backend.ts";

/** Never reached: a ticket is delivered once, a second delivery is refused by the attempt's fence. */
const deliveries = 32_000;

/** Tickets are rows of graphile-worker in the same Postgres, written in the statement that makes them necessary. */
export const graphileWorker: Backend = {
  name: "graphile-worker",
  capabilities: { transactional: true, withdraw: true },

  tickets(sql: Sql, rows: Fragment): Fragment {
    return sql`
      select added.id
      from (
        select array_agg(
          row(
            -- As laneOf has it.
            case when r.needs is null then 'run/' || r.project || '/' || r.queue
              else 'needs/' || md5(r.project || '/' || r.queue || '/' || array_to_string(r.needs, ',')) end,
            json_build_object('job', r.id, 'attempt', r.attempt + 1),
            null,
            least(r.run_at, now()) - make_interval(secs => r.priority * ${priorityStepSeconds}::int),
            ${deliveries}::smallint,
            ${ticketKey(sql, "r")},
            0::smallint,
            null
          )::${sql(ticketSchema)}.job_spec order by r.id
        ) as specs
        from ${rows} r
        having count(*) > 0
      ) due
      cross join lateral ${sql(ticketSchema)}.add_jobs(due.specs) added`;
  },

  withdraw(sql: Sql, rows: Fragment): Fragment {
    return sql`
      select removed.id
      from ${rows} r
      cross join lateral ${sql(ticketSchema)}.remove_job(${ticketKey(sql, "r")}) removed`;
  },

  hasTicket(sql: Sql, heldMs: number): Fragment {
    return sql`exists (
      select 1 from ${sql(ticketSchema)}.jobs t
      where t.key = ${ticketKey(sql, "j")}
        and (t.locked_at is null or t.locked_at > now() - make_interval(secs => ${heldMs / 1000}::float8))
        -- Ours are always due: one that is due later was refused by a worker, and graphile-worker waits up to hours.
        and t.run_at < now() + interval '1 minute'
    )`;
  },

  async reclaim(sql: Sql, holders: readonly string[]) {
    const held = await sql<{ ticket: string; key: string | null }[]>`
      select id as ticket, key from ${sql(ticketSchema)}.jobs where locked_by = any(${sql.array([...holders])}::text[]) order by id`;
    if (held.length === 0) return [];
    const tickets = held.map(({ ticket }) => ticket);
    await sql`select ${sql(ticketSchema)}.force_unlock_workers(${sql.array([...holders])}::text[])`;
    await sql`select from ${sql(ticketSchema)}.complete_jobs(${sql.array(tickets)}::bigint[])`;
    return held.flatMap(({ key }) => {
      const [id, next] = key?.split("/") ?? [];
      return id === undefined || next === undefined ? [] : [{ id, attempt: Number(next) - 1 }];
    });
  },

  async sweep(sql: Sql) {
    // Taken back while a worker had it, a ticket loses its key and its last delivery; given back then, it stays for ever.
    await sql`
      delete from ${sql(ticketSchema)}._private_jobs where key is null and locked_at is null and attempts >= max_attempts`;
  },

  async holders(sql: Sql, forMs: number) {
    const rows = await sql<{ holder: string }[]>`
      select distinct locked_by as holder from ${sql(ticketSchema)}.jobs
      where locked_at < now() - make_interval(secs => ${forMs / 1000}::float8)`;
    return rows.map(({ holder }) => holder);
  },

  async depths(sql: Sql) {
    return await sql<{ lane: string; waiting: number; taken: number }[]>`
      select task_identifier as lane,
        count(*) filter (where locked_at is null)::int as waiting,
        count(*) filter (where locked_at is not null)::int as taken
      from ${sql(ticketSchema)}.jobs group by 1 order by 1`;
  },
};

/** One ticket per job and attempt: the key names both, so that a ticket can be found and is never doubled. */
function ticketKey(sql: Sql, row: "r" | "j"): Fragment {
  return sql`${sql(row)}.id || '/' || (${sql(row)}.attempt + 1)`;
}
