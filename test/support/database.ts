import { randomUUID } from "node:crypto";
import postgres from "postgres";
import { inject } from "vitest";
import { type ConnectOptions, connect, type Database } from "../../src/db/client.ts";
import { templateDatabase } from "./postgres.ts";

/** A migrated database of its own, dropped when it is disposed of. */
export async function testDatabase(options: ConnectOptions = {}): Promise<Database> {
  const server = inject("postgresUrl");
  const name = `test_${randomUUID().slice(0, 8)}`;
  await asAdmin((sql) => sql`create database ${sql(name)} template ${sql(templateDatabase)}`);
  const db = await connect(`${server}/${name}`, options);
  // The clone stands in the same cluster under another oid, which is what a restore looks like.
  await db.sql`
    update flowerpower_queue.feeds set system_id = (
      select split_part(system_id, '/', 1) || '/' || d.oid from pg_database d where d.datname = current_database())`;
  const disconnect = db[Symbol.asyncDispose].bind(db);
  return Object.assign(db, {
    async [Symbol.asyncDispose]() {
      await disconnect();
      // Whoever is still connected (a test that failed half way) must not keep the database alive.
      await asAdmin((sql) => sql`drop database ${sql(name)} with (force)`);
    },
  });
}

async function asAdmin(run: (sql: postgres.Sql) => PromiseLike<unknown>): Promise<void> {
  const sql = postgres(`${inject("postgresUrl")}/postgres`, { max: 1, onnotice: () => {} });
  try {
    await run(sql);
  } finally {
    await sql.end({ timeout: 5 });
  }
}
