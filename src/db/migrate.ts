import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { drizzle } from "drizzle-orm/postgres-js";
import { migrate as migrateTables } from "drizzle-orm/postgres-js/migrator";
import { Logger, runMigrations } from "graphile-worker";
import postgres from "postgres";
import { DomainError } from "../domain/errors.ts";

/** Where graphile-worker keeps its tables: a user may run one of their own beside it. */
export const ticketSchema = "flowerpower_tickets";

const oldestPostgres = 14;
/** "fpjq": one lock for everybody who wants to migrate this database. */
const migrationLock = 0x66_70_6a_71;

export class UnsupportedDatabaseError extends DomainError {
  readonly code = "UNSUPPORTED_DATABASE";
}

/** Brings a database to the present schema. Safe to be called by many processes at once, and again. */
export async function migrate(url: string): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => {}, connect_timeout: 5 });
  try {
    await refuseUnsupported(sql);
    // A session lock on the migrating connection itself: it falls when this process dies in the middle.
    await sql`select pg_advisory_lock(${migrationLock})`;
    await migrateTables(drizzle({ client: sql }), {
      migrationsFolder: join(import.meta.dirname, "../../drizzle"),
      migrationsSchema: "flowerpower_queue",
    });
    await runMigrations({ connectionString: url, schema: ticketSchema, logger: quiet });
    await renewFeedAfterRestore(sql);
  } finally {
    await sql.end({ timeout: 5 });
  }
}

async function refuseUnsupported(sql: postgres.Sql): Promise<void> {
  const [server] = await sql<{ version: number; shown: string; encoding: string }[]>`
    select current_setting('server_version_num')::int as version, current_setting('server_version') as shown,
      current_setting('server_encoding') as encoding`;
  if (server === undefined) throw new Error("Postgres did not answer a select");
  if (server.version < oldestPostgres * 10_000) {
    throw new UnsupportedDatabaseError(
      `Postgres ${server.shown} is too old: at least ${oldestPostgres} is needed. Point DATABASE_URL at a newer one.`,
    );
  }
  if (server.encoding !== "UTF8") {
    throw new UnsupportedDatabaseError(`The database's encoding is ${server.encoding}; it has to be UTF8.`);
  }
}

/**
 * Cursors of the feed hold transaction ids, which a dump does not carry to another cluster. A feed that finds itself on
 * another cluster gets a new epoch, which makes old cursors void, and old events the smallest id, which keeps their order.
 */
async function renewFeedAfterRestore(sql: postgres.Sql): Promise<void> {
  const systemId = await systemIdOf(sql);
  await sql.begin(async (tx) => {
    const [feed] = await tx<{ system_id: string }[]>`select system_id from flowerpower_queue.feeds for update`;
    if (feed?.system_id === systemId) return;
    if (feed !== undefined) {
      await tx`update flowerpower_queue.events set xid = '3'::xid8`;
      // What readers have not read in the last seconds before the dump they never read: better than read twice.
      await tx`
        update flowerpower_queue.feed_readers
        set xid = '3'::xid8, id = coalesce((select max(id) from flowerpower_queue.events), 0)`;
    }
    await tx`
      insert into flowerpower_queue.feeds (epoch, floor_xid, floor_id, system_id)
      values (${randomUUID()}, '0'::xid8, 0, ${systemId})
      on conflict (singleton) do update set epoch = excluded.epoch, floor_xid = excluded.floor_xid,
        floor_id = excluded.floor_id, system_id = excluded.system_id`;
  });
}

/** The cluster's identifier; some hosted databases hide it, and then a restore is noticed by the database's own oid. */
async function systemIdOf(sql: postgres.Sql): Promise<string> {
  const [may] = await sql<{ allowed: boolean }[]>`
    select has_function_privilege('pg_control_system()', 'execute') as allowed`;
  const [database] = await sql<{ oid: string }[]>`
    select oid::text as oid from pg_database where datname = current_database()`;
  if (may?.allowed !== true) return `database ${database?.oid}`;
  const [system] = await sql<{ id: string }[]>`select system_identifier::text as id from pg_control_system()`;
  return `${system?.id}/${database?.oid}`;
}

// graphile-worker tells each of its migrations; ours are silent too.
const quiet = new Logger(() => () => {});
