import { drizzle } from "drizzle-orm/postgres-js";
import postgres from "postgres";
import { IdSource } from "../domain/ids.ts";
import { relations } from "./relations.ts";

/** SQL on a connection of the pool, or inside a transaction. */
export type Sql = postgres.ISql<Record<never, never>>;

/** Rows read for the API, as Drizzle maps them. */
export type Reads = ReturnType<typeof readsOf>;

/** One database with its two pools and its clock. */
export interface Database extends AsyncDisposable {
  /** Statements that change state, written out in SQL. */
  sql: postgres.Sql;
  /** Reads of the API through Drizzle: a slow page never takes a connection from a job. */
  reads: Reads;
  /** Ids whose time is the database's. */
  ids: IdSource;
  /** Milliseconds since 1970 by the database's clock, as far as this process knows. */
  now(): number;
  /** How far this process's clock is behind the database's, in milliseconds. */
  clockSkewMs(): number;
  /** Measures the skew anew. */
  measureClock(): Promise<void>;
  url: string;
}

export interface ConnectOptions {
  /** Connections for statements that change state. */
  max?: number;
  maxReads?: number;
  /** Shown in pg_stat_activity. */
  name?: string;
}

const schema = "flowerpower_queue";

/** Opens the pools and measures the clock. Fails when the database cannot be reached within 5 seconds. */
export async function connect(url: string, options: ConnectOptions = {}): Promise<Database> {
  const settings = (max: number): postgres.Options<Record<string, never>> => ({
    max,
    onnotice: () => {},
    connect_timeout: 5,
    idle_timeout: 0,
    max_lifetime: null,
    // The default grows to 20 s, during which statements would wait without an answer; after an outage we are back sooner.
    backoff: (failures: number) => Math.min(0.05 * 2 ** failures, 1),
    connection: { application_name: options.name ?? "flowerpower-queue", search_path: `${schema}, public` },
  });
  const sql = postgres(url, settings(options.max ?? 8));
  const readsClient = postgres(url, settings(options.maxReads ?? 4));
  let skewMs = 0;

  const db: Database = {
    sql,
    reads: readsOf(readsClient),
    now: () => Date.now() + skewMs,
    ids: new IdSource(() => Date.now() + skewMs),
    clockSkewMs: () => skewMs,
    url,
    async measureClock() {
      const before = Date.now();
      const [row] = await sql<{ ms: number }[]>`select extract(epoch from clock_timestamp())::float8 * 1000 as ms`;
      const after = Date.now();
      if (row !== undefined) skewMs = row.ms - (before + after) / 2;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([sql.end({ timeout: 5 }), readsClient.end({ timeout: 5 })]);
    },
  };
  try {
    await db.measureClock();
  } catch (error) {
    await db[Symbol.asyncDispose]();
    throw error;
  }
  return db;
}

function readsOf(client: postgres.Sql) {
  return drizzle({ client, relations });
}
