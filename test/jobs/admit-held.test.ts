import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { graphileWorker as backend } from "../../src/backends/graphile-worker/backend.ts";
import { connect, type Database } from "../../src/db/client.ts";
import type { QueueLimits } from "../../src/domain/queue-limits.ts";
import { admit, nextAdmissionMs } from "../../src/jobs/admit.ts";
import { createQueue } from "../../src/jobs/create-queue.ts";
import { pauseQueue, resumeQueue } from "../../src/jobs/pause-queue.ts";
import { setQueueLimits } from "../../src/jobs/set-queue-limits.ts";
import { openWrites, type Started } from "../../src/worker/writes.ts";
import { testDatabase } from "../support/database.ts";
import { jobsContext, silentWakeups, tester } from "../support/jobs.ts";
import { queuedJob, startJob } from "../support/running.ts";
import { ticketsOf } from "../support/tickets.ts";

let db: Database;
beforeAll(async () => {
  db = await testDatabase();
});
afterAll(async () => await db?.[Symbol.asyncDispose]());

let made = 0;
const none: QueueLimits = { concurrencyLimit: null, rateLimit: null, backlogLimit: null };

/** A queue of its own for a test. */
async function queue(limits: Partial<QueueLimits> = {}): Promise<string> {
  const name = `q${++made}`;
  await createQueue(jobsContext(db), tester, { name, ...none, ...limits });
  return name;
}

async function jobsIn(queue: string, count: number, given: Parameters<typeof queuedJob>[1] = {}): Promise<string[]> {
  const ids: string[] = [];
  for (let i = 0; i < count; i += 1) ids.push(await queuedJob(db, { queue, ...given }));
  return ids;
}

/** Those that are with workers, or have a ticket to get there, in the order of their ids. */
async function admitted(ids: readonly string[]): Promise<string[]> {
  const rows = await db.sql<{ id: string; state: string }[]>`
    select id, state from jobs where id = any(${ids as string[]}::uuid[]) and ticketed_at is not null order by id`;
  for (const { id } of rows.filter(({ state }) => state === "queued"))
    expect(await ticketsOf(db.sql, id)).toHaveLength(1);
  return rows.map(({ id }) => id);
}

async function end(started: Started): Promise<void> {
  await openWrites(db, backend, silentWakeups()).end({
    name: "succeed",
    runToken: started.runToken,
    artifacts: [],
    storedMs: null,
    move: { id: started.jobId, attempt: started.attempt, data: {} },
  });
}

/** The time that a new limit gives to those who do not know of it yet is over. */
async function settled(name: string): Promise<void> {
  await db.sql`update queues set tickets_since = queue_now() where name = ${name}`;
}

describe("a concurrency limit", () => {
  it("lets so many jobs have tickets, in their turn, and the next when one has ended", async () => {
    const name = await queue({ concurrencyLimit: 2 });
    const ids = await jobsIn(name, 3);
    const urgent = await queuedJob(db, { queue: name, priority: 100 });
    expect(await admitted([...ids, urgent])).toEqual([]);
    await admit(db, backend);
    expect(await admitted([...ids, urgent])).toEqual([ids[0], urgent].toSorted());
    await admit(db, backend);
    expect(await admitted([...ids, urgent])).toHaveLength(2);
    const started = await startJob(db, urgent);
    await admit(db, backend);
    expect(await admitted(ids)).toEqual([ids[0]]);
    await end(started as Started);
    await admit(db, backend);
    expect(await admitted(ids)).toEqual(ids.slice(0, 2));
  });

  it("holds however many processes admit at once", async () => {
    await using other = await connect(db.url, { max: 4, maxReads: 1 });
    const name = await queue({ concurrencyLimit: 3 });
    const ids = await jobsIn(name, 20);
    for (let left = ids.length; left > 0; ) {
      await Promise.all([db, other, db, other, db].map((each) => admit(each, backend)));
      const [row] = await db.sql<{ ids: string[] }[]>`
        select array_agg(id) as ids from jobs where queue = ${name} and ticketed_at is not null`;
      expect(row?.ids).toHaveLength(Math.min(3, left));
      const started = await Promise.all((row?.ids ?? []).map((id) => startJob(db, id)));
      for (const one of started) await end(one as Started);
      left -= started.length;
    }
    expect(await db.sql`select 1 from jobs where queue = ${name} and state <> 'succeeded'`).toHaveLength(0);
  });

  it("holds for jobs that already had tickets when it was set: those are taken back, and none of them starts", async () => {
    const name = await queue();
    const ids = await jobsIn(name, 5);
    expect(await admitted(ids)).toHaveLength(5);
    await setQueueLimits(jobsContext(db), tester, { name, concurrencyLimit: 1 });
    expect(await startJob(db, ids[4] as string)).toBeNull();
    expect(await nextAdmissionMs(db.sql)).toBeLessThanOrEqual(200);
    await settled(name);
    await admit(db, backend);
    expect(await admitted(ids)).toEqual([ids[0]]);
    expect(await startJob(db, ids[4] as string)).toBeNull();
    expect(await startJob(db, ids[0] as string)).not.toBeNull();
  });

  it("counts what ran when it was set, and lets all pass when it is lifted", async () => {
    const name = await queue();
    const ids = await jobsIn(name, 4);
    const running = await startJob(db, ids[3] as string);
    await setQueueLimits(jobsContext(db), tester, { name, concurrencyLimit: 1 });
    await settled(name);
    await admit(db, backend);
    expect(await admitted(ids)).toEqual([ids[3]]);
    await end(running as Started);
    await admit(db, backend);
    expect(await admitted(ids)).toEqual([ids[0]]);
    await setQueueLimits(jobsContext(db), tester, { name, concurrencyLimit: null });
    await admit(db, backend);
    expect(await admitted(ids)).toEqual(ids.slice(0, 3));
  });

  it("costs nobody a place when a ticketed job is cancelled or handed back", async () => {
    const name = await queue({ concurrencyLimit: 1 });
    const [first, second] = (await jobsIn(name, 2)) as [string, string];
    await admit(db, backend);
    const started = (await startJob(db, first)) as Started;
    await openWrites(db, backend, silentWakeups()).end({
      name: "release",
      runToken: started.runToken,
      artifacts: [],
      storedMs: null,
      move: { id: first, attempt: 1, data: { reason: "the worker stopped" } },
    });
    expect(await admitted([first, second])).toEqual([]);
    await admit(db, backend);
    expect(await admitted([first, second])).toEqual([first]);
  });
});

describe("a concurrency key", () => {
  it("holds over queues, and does not hold up jobs with other keys", async () => {
    const [one, other] = [await queue(), await queue({ concurrencyLimit: 5 })];
    const key = { concurrency: { key: `k${made}`, limit: 1 } };
    const ids = [
      ...(await jobsIn(one, 3, key)),
      ...(await jobsIn(other, 2, key)),
      ...(await jobsIn(other, 1, { concurrency: { key: `other ${made}`, limit: 1 } })),
      ...(await jobsIn(other, 1)),
    ];
    await admit(db, backend);
    expect(await admitted(ids)).toEqual([ids[0], ids[5], ids[6]]);
    await end((await startJob(db, ids[0] as string)) as Started);
    await admit(db, backend);
    expect((await admitted(ids.slice(1, 5))).length).toBe(1);
  });

  it("lets a job by its own limit: the lower waits where the higher may go", async () => {
    const name = await queue();
    const key = `k${made}`;
    const first = await queuedJob(db, { queue: name, concurrency: { key, limit: 2 } });
    const low = await queuedJob(db, { queue: name, concurrency: { key, limit: 1 } });
    const high = await queuedJob(db, { queue: name, concurrency: { key, limit: 2 } });
    await admit(db, backend);
    await admit(db, backend);
    expect(await admitted([first, low, high])).toEqual([first, high]);
  });

  it("lets 600 jobs of one key not hide those behind them", async () => {
    const name = await queue();
    const key = { concurrency: { key: `k${made}`, limit: 1 } };
    const [first] = await jobsIn(name, 600, key);
    const behind = await queuedJob(db, { queue: name, concurrency: { key: `b${made}`, limit: 1 } });
    for (let more = true; more; ) ({ more } = await admit(db, backend));
    expect(await admitted([first as string, behind])).toEqual([first, behind]);
  });
});

describe("a rate limit", () => {
  it("lets a bucket pass at once, then one for each part of its period", async () => {
    const name = await queue({ rateLimit: { jobs: 2, periodMs: 60_000 } });
    const ids = await jobsIn(name, 4);
    await admit(db, backend);
    expect(await admitted(ids)).toEqual(ids.slice(0, 2));
    await admit(db, backend);
    expect(await admitted(ids)).toHaveLength(2);
    expect(await nextAdmissionMs(db.sql)).toBeGreaterThan(25_000);
    expect(await nextAdmissionMs(db.sql)).toBeLessThanOrEqual(30_000);
    await db.sql`update queues set rate_filled_at = rate_filled_at - interval '31 s' where name = ${name}`;
    await admit(db, backend);
    expect(await admitted(ids)).toEqual(ids.slice(0, 3));
    // However long nothing came, it holds no more than a bucket.
    await db.sql`update queues set rate_filled_at = rate_filled_at - interval '1 day' where name = ${name}`;
    const more = await jobsIn(name, 4);
    await admit(db, backend);
    expect(await admitted([...ids, ...more])).toHaveLength(5);
  });
});

describe("a pause", () => {
  it("lets nothing start, what had a ticket included, and ends by itself", async () => {
    const name = await queue();
    const ids = await jobsIn(name, 2);
    await pauseQueue(jobsContext(db), tester, { name, until: new Date(Date.now() + 60_000), reason: "the moon" });
    expect(await startJob(db, ids[0] as string)).toBeNull();
    await admit(db, backend);
    expect(await admitted(ids)).toEqual([]);
    const late = await queuedJob(db, { queue: name });
    expect(await admitted([late])).toEqual([]);
    await db.sql`update queues set paused_until = queue_now() where name = ${name}`;
    expect(await nextAdmissionMs(db.sql)).toBeLessThanOrEqual(0);
    await admit(db, backend);
    expect(await admitted([...ids, late])).toHaveLength(3);
    const [row] = await db.sql`select paused_at, paused_until, pause_reason from queues where name = ${name}`;
    expect(row).toEqual({ paused_at: null, paused_until: null, pause_reason: null });
  });

  it("ends when the queue is resumed, and each is in the audit trail", async () => {
    const name = await queue({ concurrencyLimit: 1 });
    const ids = await jobsIn(name, 2);
    await pauseQueue(jobsContext(db), tester, { name, until: null, reason: null });
    await admit(db, backend);
    expect(await admitted(ids)).toEqual([]);
    await resumeQueue(jobsContext(db), tester, name);
    await admit(db, backend);
    expect(await admitted(ids)).toHaveLength(1);
    const trail = await db.sql<
      { action: string }[]
    >`select action from audit where target = ${`que_${name}`} order by id`;
    expect(trail.map(({ action }) => action)).toEqual(["queue.create", "queue.pause", "queue.resume"]);
  });

  it("of a queue that is not there is refused, as is another of its name", async () => {
    await expect(pauseQueue(jobsContext(db), tester, { name: "nowhere", until: null, reason: null })).rejects.toThrow(
      "There is no queue nowhere",
    );
    await expect(createQueue(jobsContext(db), tester, { name: "default", ...none })).rejects.toThrow("already");
  });
});
