import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import postgres from "postgres";
import { graphileWorker } from "../src/backends/graphile-worker/backend.ts";
import { connect, type Database } from "../src/db/client.ts";
import { startEmbeddedPostgres } from "../src/db/embedded/start.ts";
import { migrate } from "../src/db/migrate.ts";
import { openWakeups } from "../src/events/wakeups.ts";
import { type JobsContext, openJobs } from "../src/jobs/context.ts";
import type { NewJob } from "../src/jobs/insert.ts";
import { openCatalogue } from "../src/pipelines/catalogue.ts";

/** A Postgres of its own with its durable defaults, for all benchmarks of a run. */
export interface Ground extends AsyncDisposable {
  /** Of its server, with the name of any database. */
  url: string;
  /** A migrated, empty database, reached through `way` when it is given: a URL like `url`. */
  database(way?: string): Promise<{ url: string; db: Database; jobs: JobsContext } & AsyncDisposable>;
}

export async function openGround(): Promise<Ground> {
  const folder = await mkdtemp(join(tmpdir(), "fpq-bench-"));
  const server = await startEmbeddedPostgres({ folder });
  const baseOf = (url: string) => url.slice(0, url.lastIndexOf("/"));
  const base = baseOf(server.url);
  let count = 0;
  return {
    url: server.url,
    async database(way) {
      count += 1;
      const name = `bench_${count}`;
      const admin = postgres(`${base}/postgres`, { max: 1 });
      await admin`create database ${admin(name)}`;
      await admin.end();
      await migrate(`${base}/${name}`);
      const url = `${way === undefined ? base : baseOf(way)}/${name}`;
      const db = await connect(url);
      const wakeups = await openWakeups(db);
      const jobs = openJobs({ db, backend: graphileWorker, wakeups, catalogue: openCatalogue(db) });
      return {
        url,
        db,
        jobs,
        async [Symbol.asyncDispose]() {
          await wakeups.close();
          await db[Symbol.asyncDispose]();
        },
      };
    },
    async [Symbol.asyncDispose]() {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A job of no pipeline, for what is measured below the catalogue. */
export function newJob(db: Database): NewJob {
  const id = db.ids.next();
  return {
    id,
    shownId: id,
    project: "bench",
    pipeline: "nothing",
    queue: "default",
    priority: 50,
    runAt: null,
    expiresAt: null,
    maxAttempts: 1,
    maxLosses: 3,
    onWorkerLost: "retry",
    inputs: { n: 1 },
    finalVars: null,
    config: {},
    options: {},
    retry: null,
    timeoutMs: null,
    needs: null,
    concurrency: null,
    tags: [],
    actor: "bench",
    requestId: null,
    requestedBy: null,
    plan: null,
    rerunOf: null,
    dependsOn: [],
    inputsFrom: null,
    idempotencyKey: null,
    fingerprint: "",
  };
}

/** Runs `work` `count` times with `inFlight` at once, and returns how many were done per second. */
export async function rateOf(count: number, inFlight: number, work: () => Promise<unknown>): Promise<number> {
  let begun = 0;
  const startedAt = performance.now();
  await Promise.all(
    Array.from({ length: inFlight }, async () => {
      while (begun < count) {
        begun += 1;
        await work();
      }
    }),
  );
  return count / ((performance.now() - startedAt) / 1000);
}

export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
}

/** A line of the report: what was measured, in which unit, and what it is to be compared with. */
export interface Line {
  what: string;
  value: number;
  unit: string;
}
