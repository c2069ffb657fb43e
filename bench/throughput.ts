/** No-op jobs through the whole state machine (null runtime, events on), against graphile-worker alone with the same settings. */
import { Logger, runTaskList } from "graphile-worker";
import pg from "pg";
import { ticketSchema } from "../src/db/migrate.ts";
import { startAdmission } from "../src/jobs/admission.ts";
import { insertJobs } from "../src/jobs/insert.ts";
import type { Execute } from "../src/worker/attempts.ts";
import { startWorker } from "../src/worker/worker.ts";
import { type Ground, type Line, newJob } from "./support.ts";

const count = 2000;

export async function throughput(ground: Ground): Promise<Line[]> {
  const lines: Line[] = [];
  for (const { slots, prefetch } of [
    { slots: 10, prefetch: undefined },
    { slots: 10, prefetch: 20 },
    { slots: 50, prefetch: 100 },
  ]) {
    const settings = `${slots} slots${prefetch === undefined ? "" : `, prefetch ${prefetch}`}`;
    const raw = await rawRate(ground, slots, prefetch);
    const { rate, walBytes, commits } = await ourRate(ground, slots, prefetch);
    lines.push(
      { what: `graphile-worker alone, ${settings}`, value: raw, unit: "jobs/s" },
      { what: `whole state machine, ${settings}`, value: rate, unit: "jobs/s" },
      { what: `  ratio`, value: rate / raw, unit: "×" },
      { what: `  WAL per job`, value: walBytes, unit: "bytes" },
      { what: `  commits per job (with polling)`, value: commits, unit: "" },
    );
  }
  return lines;
}

async function rawRate(ground: Ground, slots: number, prefetch: number | undefined): Promise<number> {
  await using database = await ground.database();
  const { url, db } = database;
  await db.sql`
    select count(*) from ${db.sql(ticketSchema)}.add_jobs(array(
      select row('noop', '{}', null, null, null, null, null, null)::${db.sql(ticketSchema)}.job_spec
      from generate_series(1, ${count})
    ))`;
  const pool = new pg.Pool({ connectionString: url, max: Math.min(slots + 2, 8) });
  pool.on("error", () => {});
  pool.on("connect", (client) => client.on("error", () => {}));
  let done = 0;
  const finished = Promise.withResolvers<void>();
  const startedAt = performance.now();
  const workers = runTaskList(
    {
      concurrency: slots,
      schema: ticketSchema,
      noHandleSignals: true,
      pollInterval: 500,
      logger: new Logger(() => () => {}),
      preset: { worker: { completeJobBatchDelay: 0, ...(prefetch ? { localQueue: { size: prefetch } } : {}) } },
    },
    {
      noop: async () => {
        done += 1;
        if (done === count) finished.resolve();
      },
    },
    pool,
  );
  await finished.promise;
  const rate = count / ((performance.now() - startedAt) / 1000);
  await workers.gracefulShutdown();
  await pool.end();
  return rate;
}

/**
 * The same with a concurrency limit on the queue, as many jobs at once as the worker holds anyway: what is left of the
 * throughput is what the limit costs. Admission runs in both, since with a limit it alone gives tickets.
 */
export async function limited(ground: Ground): Promise<Line[]> {
  const lines: Line[] = [];
  for (const { slots, prefetch } of [
    { slots: 10, prefetch: undefined },
    { slots: 10, prefetch: 20 },
  ]) {
    const limit = slots + (prefetch ?? slots);
    const settings = `${slots} slots${prefetch === undefined ? "" : `, prefetch ${prefetch}`}`;
    const free = await ourRate(ground, slots, prefetch, { limit: null });
    const under = await ourRate(ground, slots, prefetch, { limit });
    lines.push(
      { what: `no limit, ${settings}`, value: free.rate, unit: "jobs/s" },
      { what: `concurrency limit ${limit}, ${settings}`, value: under.rate, unit: "jobs/s" },
      { what: `  ratio`, value: under.rate / free.rate, unit: "×" },
    );
  }
  return lines;
}

async function ourRate(
  ground: Ground,
  slots: number,
  prefetch: number | undefined,
  admitting: { limit: number | null } | null = null,
) {
  await using database = await ground.database();
  const { db, jobs } = database;
  if (admitting !== null) await db.sql`update queues set concurrency_limit = ${admitting.limit}`;
  for (let made = 0; made < count; made += 500) {
    await insertJobs(
      db.sql,
      jobs.backend,
      Array.from({ length: 500 }, () => newJob(db)),
    );
  }
  await db.sql`analyze`;
  const before = await readCounters(db.sql);
  const startedAt = performance.now();
  await using _admission = admitting === null ? null : startAdmission(jobs, (error) => console.error(error));
  const worker = await startWorker(jobs, {
    slots,
    ...(prefetch === undefined ? {} : { prefetch }),
    version: "bench",
    projects: [],
    workDir: "/nonexistent",
    instead: { lanes: ["run/bench/default"], execute: nothing },
    log: () => {},
  });
  await untilEnded(db.sql);
  const seconds = (performance.now() - startedAt) / 1000;
  const after = await readCounters(db.sql);
  await worker.stop({ graceMs: 1000 });
  return {
    rate: count / seconds,
    walBytes: (after.wal - before.wal) / count,
    commits: (after.commits - before.commits) / count,
  };
}

/** A run of one node that takes no time: four events, as a real one tells them. */
export const nothing: Execute = async (_started, { onEvents }) => {
  const at = new Date().toISOString();
  const summary = { type: "int", shape: null, length: null, bytes: 28, columns: null, preview: "1" };
  await onEvents([
    {
      seq: 1,
      at,
      body: { event: "run.resolved", data: { codeHash: "c", path: ["a"], finalVars: ["a"], context: {} } },
    },
    { seq: 2, at, body: { event: "node.started", node: "a", branch: null, data: {} } },
    {
      seq: 3,
      at,
      body: { event: "node.succeeded", node: "a", branch: null, data: { durationMs: 0, cpuMs: 0, summary } },
    },
  ]);
  const results = { a: { summary, value: 1, omitted: null } };
  return {
    outcome: "succeeded",
    error: null,
    results,
    retry: null,
    events: 3,
    nodeStarted: true,
    process: null,
    reusable: true,
  };
};

type Sql = Awaited<ReturnType<Ground["database"]>>["db"]["sql"];

/** Asks every 20 ms, which is little beside what the jobs themselves ask. */
export async function untilEnded(sql: Sql): Promise<void> {
  for (;;) {
    const [left] = await sql`select 1 from jobs where state not in ('succeeded', 'failed') limit 1`;
    if (left === undefined) break;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const [row] = await sql<{ failed: number }[]>`select count(*)::int as failed from jobs where state = 'failed'`;
  if (row?.failed !== 0) throw new Error(`${row?.failed} jobs failed`);
}

async function readCounters(sql: Sql): Promise<{ wal: number; commits: number }> {
  const [row] = await sql<{ wal: number; commits: number }[]>`
    select (pg_current_wal_lsn() - '0/0')::float8 as wal,
      (select xact_commit::float8 from pg_stat_database where datname = current_database()) as commits`;
  if (row === undefined) throw new Error("no counters");
  return row;
}
