import { drizzle } from "drizzle-orm/postgres-js";
import type postgres from "postgres";
import { IdSource } from "../domain/ids.ts";
import { Pool, type PoolTimes } from "./pool.ts";
import { relations } from "./relations.ts";

/** SQL on a connection of the pool, or inside a transaction. */
export type Sql = postgres.ISql<Record<never, never>>;

/** Rows read for the API, as Drizzle maps them. */
export type Reads = ReturnType<typeof readsOf>;

/** One database with its two pools and its clock. */
export interface Database extends AsyncDisposable {
  /** Statements that change state, written out in SQL. Asked for each time: a pool that does not answer is made anew. */
  readonly sql: postgres.Sql;
  /** Reads of the API through Drizzle: a slow page never takes a connection from a job. */
  readonly reads: Reads;
  /** The same pool for reads written out in SQL. Drizzle has changed how it speaks: times come, and JSON goes, as text. */
  readonly readSql: postgres.Sql;
  /** Ids whose time is the database's. */
  ids: IdSource;
  /** Milliseconds since 1970 by the database's clock, as far as this process knows. */
  now(): number;
  /** How far this process's clock is behind the database's, in milliseconds. */
  clockSkewMs(): number;
  /** A statement that changes state has had no answer for long: is anybody there? */
  suspect(): Promise<void>;
  /** Measures the skew anew, as is done every five seconds. */
  measureClock(): Promise<void>;
  url: string;
}

export interface ConnectOptions {
  /** Connections for statements that change state. */
  max?: number;
  maxReads?: number;
  /** When connections are given up. */
  times?: PoolTimes;
  /** Shown in pg_stat_activity. */
  name?: string;
}

const schema = "flowerpower_queue";
/** A read of the API that takes longer has been given up by who asked. */
const readTimeoutMs = 8_000;

/** Opens the pools and measures the clock. Fails when the database cannot be reached within 5 seconds. */
export async function connect(url: string, options: ConnectOptions = {}): Promise<Database> {
  const settings = (max: number, connection = {}): postgres.Options<Record<string, never>> => ({
    max,
    onnotice: () => {},
    connect_timeout: 5,
    idle_timeout: 0,
    max_lifetime: null,
    // The default grows to 20 s, during which statements would wait without an answer; after an outage we are back sooner.
    backoff: (failures: number) => Math.min(0.05 * 2 ** failures, 1),
    connection: {
      application_name: options.name ?? "flowerpower-queue",
      search_path: `${schema}, public`,
      ...connection,
    },
  });
  let skewMs = 0;
  const measure = async (sql: postgres.Sql) => {
    const before = Date.now();
    const [row] = await sql<{ ms: number }[]>`select extract(epoch from clock_timestamp())::float8 * 1000 as ms`;
    const after = Date.now();
    // An answer that had to wait says nothing of the time.
    if (row !== undefined && (after - before < 1000 || skewMs === 0)) skewMs = row.ms - (before + after) / 2;
  };
  const writes = new Pool(url, settings(options.max ?? 8), measure, options.times);
  const reads = new Pool(
    url,
    settings(options.maxReads ?? 4, { statement_timeout: readTimeoutMs }),
    async (sql) => void (await sql`select 1`),
    options.times,
  );
  // Drizzle belongs to a client: it is made anew with it.
  let drizzled = { client: reads.sql, orm: readsOf(reads.sql) };

  const db: Database = {
    get sql() {
      return writes.sql;
    },
    get reads() {
      if (drizzled.client !== reads.sql) drizzled = { client: reads.sql, orm: readsOf(reads.sql) };
      return drizzled.orm;
    },
    get readSql() {
      return reads.sql;
    },
    now: () => Date.now() + skewMs,
    ids: new IdSource(() => Date.now() + skewMs),
    clockSkewMs: () => skewMs,
    url,
    suspect: () => writes.suspect(),
    measureClock: () => measure(writes.sql),
    async [Symbol.asyncDispose]() {
      await Promise.all([writes[Symbol.asyncDispose](), reads[Symbol.asyncDispose]()]);
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
