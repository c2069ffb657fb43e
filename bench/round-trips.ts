/** How often a job waits for Postgres: round trips from the request to its end, counted on the wire. */
import { setTimeout as delay } from "node:timers/promises";
import { openTail } from "../src/events/tail.ts";
import { insertJobs } from "../src/jobs/insert.ts";
import { startServer } from "../src/server/start.ts";
import { startWorker } from "../src/worker/worker.ts";
import { type Counter, openCounter } from "./counter.ts";
import { enqueueDocument, openServed, poster } from "./served.ts";
import { type Ground, type Line, newJob, rateOf } from "./support.ts";
import { nothing, untilEnded } from "./throughput.ts";

const count = 300;
const idleMs = 3000;

export async function roundTrips(ground: Ground): Promise<Line[]> {
  return [
    { what: "enqueueJob over HTTP, one at a time", value: await ofEnqueues(ground, 1), unit: "trips" },
    { what: "enqueueJob over HTTP, 64 in flight", value: await ofEnqueues(ground, 64), unit: "trips" },
    { what: "from ticket to end, 1 slot", value: await ofRuns(ground, 1), unit: "trips" },
    { what: "from ticket to end, 50 slots, prefetch 100", value: await ofRuns(ground, 50, 100), unit: "trips" },
  ];
}

async function ofEnqueues(ground: Ground, inFlight: number): Promise<number> {
  await using counter = await openCounter(ground.url);
  await using database = await ground.database(counter.url);
  {
    await using _served = await openServed(database, 1); // publishes the pipeline
  }
  await using tail = openTail(database.db, database.jobs.wakeups);
  await using server = await startServer({ db: database.db, jobs: database.jobs, tail, version: "bench" });
  const post = poster(server.url);
  const one = () => post(enqueueDocument, { input: { project: "bench", pipeline: "six", inputs: { n: 4 } } });
  await rateOf(100, inFlight, one);
  return await perJob(counter, () => rateOf(count, inFlight, one));
}

async function ofRuns(ground: Ground, slots: number, prefetch?: number): Promise<number> {
  await using counter = await openCounter(ground.url);
  await using database = await ground.database(counter.url);
  const { db, jobs } = database;
  const worker = await startWorker(jobs, {
    slots,
    ...(prefetch === undefined ? {} : { prefetch }),
    version: "bench",
    projects: [],
    workDir: "/nonexistent",
    instead: { lanes: ["run/bench/default"], execute: nothing },
    log: () => {},
  });
  try {
    return await perJob(counter, async () => {
      const made = Array.from({ length: count }, () => newJob(db));
      await insertJobs(db.sql, jobs.backend, made);
      await untilEnded(db.sql);
    });
  } finally {
    await worker.stop({ graceMs: 1000 });
  }
}

/** Round trips of the work for each job; what the same processes do when idle in as long a time is taken off. */
async function perJob(counter: Counter, work: () => Promise<unknown>): Promise<number> {
  const before = counter.trips();
  await delay(idleMs);
  const idlePerMs = (counter.trips() - before) / idleMs;
  const [begun, startedAt] = [counter.trips(), performance.now()];
  await work();
  return (counter.trips() - begun - idlePerMs * (performance.now() - startedAt)) / count;
}
