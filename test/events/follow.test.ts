import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connect, type Database } from "../../src/db/client.ts";
import { BadCursorError, NotFoundError, UnavailableError } from "../../src/domain/errors.ts";
import { openTail, type Tail } from "../../src/events/tail.ts";
import { openWakeups, type Wakeups } from "../../src/events/wakeups.ts";
import { collect } from "../support/collect.ts";
import { testDatabase } from "../support/database.ts";
import { eventually } from "../support/eventually.ts";
import { finishJob, insertEvents, insertJob, requeueJob } from "../support/factories.ts";
import { openProxy } from "../support/proxy.ts";

let db: Database;
let wakeups: Wakeups;
let tail: Tail;

beforeAll(async () => {
  db = await testDatabase();
  wakeups = await openWakeups(db);
  tail = openTail(db, wakeups);
});

afterAll(async () => {
  await tail?.close();
  await wakeups?.close();
  await db?.[Symbol.asyncDispose]();
});

const lines = (count: number, data = {}) => Array.from({ length: count }, () => ({ data }));
const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1);
const seqs = (events: { seq: number }[]) => events.map(({ seq }) => seq);

async function record(jobId: string, count = 1): Promise<void> {
  await insertEvents(db.sql, jobId, lines(count));
  wakeups.ring("events", [jobId]);
}

async function finish(jobId: string): Promise<void> {
  await db.sql.begin((sql) => finishJob(sql, jobId));
  wakeups.ring("events", [jobId]);
}

describe("follow", () => {
  it("gives what is in the table, then what comes, and ends with the job", async () => {
    const jobId = await insertJob(db, { state: "running" });
    await record(jobId, 2);
    const seen: number[] = [];
    for await (const event of tail.follow(jobId, 0)) {
      seen.push(event.seq);
      if (event.seq === 3) await record(jobId, 2);
      if (event.seq === 5) await finish(jobId);
    }
    expect(seen).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it("goes on after the number it is given, and ends at once when nothing can follow", async () => {
    const jobId = await insertJob(db, { state: "succeeded" });
    expect(seqs(await collect(tail.follow(jobId, 1)))).toEqual([2]);
    expect(await collect(tail.follow(jobId, 2))).toEqual([]);
  });

  it("gives the row as it is in the table", async () => {
    const jobId = await insertJob(db, { state: "running" });
    const data = { summary: { type: "DataFrame", rows: 48_213 }, text: 'ä\n"', ratio: 0.1 };
    await insertEvents(db.sql, jobId, [{ type: "node.succeeded", node: "raw_trips", data }]);
    await using events = tail.follow(jobId, 1);
    const [event] = await collect(events, 1);
    const [row] = await db.reads.query.events.findMany({ where: { jobId, seq: 2 } });
    expect(event).toEqual(row);
    expect(event?.data).toEqual(data);
  });

  it("goes on into the next life, and ends with the last", async () => {
    const jobId = await insertJob(db, { state: "failed" });
    await db.sql.begin((sql) => requeueJob(sql, jobId));
    const events = tail.follow(jobId, 0);
    const begun = (await collect(events, 3)).map(({ type }) => type);
    expect(begun).toEqual(["job.enqueued", "job.failed", "job.requeued"]);
    await finish(jobId);
    expect((await collect(events)).map(({ type }) => type)).toEqual(["job.succeeded"]);
  });

  it("keeps to the end that it has seen, when the job is requeued before the reader has taken all", async () => {
    const jobId = await insertJob(db, { state: "failed" });
    await using quick = openTail(db, wakeups, { pollMs: 20 });
    const events = quick.follow(jobId, 0);
    await eventually(async () => expect((await quick.health()).waitingEvents).toBe(2));
    await db.sql.begin((sql) => requeueJob(sql, jobId));
    const others = quick.follow(jobId, 2);
    expect(seqs(await collect(others, 1))).toEqual([3]); // it was read again, for somebody else
    expect(seqs(await collect(events))).toEqual([1, 2]);
    await others.return?.();
  });

  it("does not wait for other transactions", async () => {
    const jobId = await insertJob(db, { state: "running" });
    const other = await connect(db.url, { max: 1, maxReads: 1 });
    await other.sql.begin(async (open) => {
      await open`select pg_current_xact_id()`;
      await finish(jobId);
      expect(seqs(await collect(tail.follow(jobId, 0)))).toEqual([1, 2]);
    });
    await other[Symbol.asyncDispose]();
  });

  it("fails for a job that is not there, and for a number that the job has not reached", async () => {
    await expect(tail.follow(randomUUID(), 0).next()).rejects.toBeInstanceOf(NotFoundError);
    const jobId = await insertJob(db);
    await expect(tail.follow(jobId, 2).next()).rejects.toBeInstanceOf(BadCursorError);
  });

  it("lets go while it waits", async () => {
    const jobId = await insertJob(db);
    const events = tail.follow(jobId, 1);
    const waiting = events.next();
    await eventually(async () => expect(await tail.health()).toMatchObject({ followers: 1, followedJobs: 1 }));
    expect(await events.return?.()).toEqual({ done: true, value: undefined });
    expect(await waiting).toEqual({ done: true, value: undefined });
    expect(await events.next()).toEqual({ done: true, value: undefined });
    expect(await tail.health()).toMatchObject({ followers: 0, followedJobs: 0, waitingEvents: 0 });
  });

  it("loses nothing, whenever it begins while the job is written to", async () => {
    await using still = openTail(db, wakeups, { pollMs: 600_000 }); // which would put right what a ring got wrong
    const jobId = await insertJob(db, { state: "running" });
    const following: Promise<number[]>[] = [];
    for (let batch = 0; batch < 60; batch += 1) {
      // One from the beginning and one from the middle, each at another moment of the writing and the reading.
      following.push(collect(still.follow(jobId, 0)).then(seqs));
      const after = batch;
      following.push(collect(still.follow(jobId, after)).then((events) => [...upTo(after), ...seqs(events)]));
      const recording = record(jobId, (batch % 7) + 1);
      if (batch % 3 === 0) await recording;
      else await Promise.all([recording, record(jobId)]);
    }
    await finish(jobId);
    const [job] = await db.sql<{ last: number }[]>`select last_seq as last from jobs where id = ${jobId}`;
    for (const seen of await Promise.all(following)) expect(seen).toEqual(upTo(job!.last));
  });

  it("looks again for what was recorded while it was reading", async () => {
    await using proxy = await openProxy(db.url);
    await using still = openTail({ url: proxy.url }, wakeups, { pollMs: 600_000 });
    const jobId = await insertJob(db, { state: "running" });
    const events = still.follow(jobId, 0);
    await events.next();
    // The next read has found nothing, and its answer is on the way, when an event is recorded.
    proxy.holdAnswers();
    const [{ now } = { now: "" }] = await db.sql<{ now: string }[]>`select clock_timestamp()::text as now`;
    wakeups.ring("events", [jobId]);
    await eventually(async () => {
      const read = await db.sql`
        select from pg_stat_activity
        where datname = current_database() and application_name = 'flowerpower-queue tail'
          and state = 'idle' and query_start > ${now}::text::timestamptz and query like '%unnest%'`;
      expect(read).toHaveLength(1);
    });
    await finish(jobId);
    proxy.restore();
    expect(seqs(await collect(events))).toEqual([2]);
  });

  it("reads each batch once for thousands of followers", async () => {
    await using still = openTail(db, wakeups, { pollMs: 600_000 });
    const jobId = await insertJob(db, { state: "running" });
    const streams = Array.from({ length: 3_000 }, () => still.follow(jobId, 0));
    await Promise.all(streams.map((events) => collect(events, 1)));
    expect((await still.health()).reads).toBeLessThanOrEqual(2); // all at once, and the one for health itself

    for (let batch = 0; batch < 5; batch += 1) {
      const before = (await still.health()).reads;
      const delivered = streams.map((events) => collect(events, 10));
      await record(jobId, 10);
      await Promise.all(delivered);
      expect((await still.health()).reads - before).toBe(2); // one for the batch, one for health
    }
  });

  it("follows many jobs with few reads", async () => {
    await using still = openTail(db, wakeups, { pollMs: 600_000 });
    const jobIds = await Promise.all(Array.from({ length: 300 }, () => insertJob(db, { state: "succeeded" })));
    const all = await Promise.all(jobIds.map((jobId) => collect(still.follow(jobId, 0))));
    expect(all.every((events) => events.length === 2)).toBe(true);
    expect((await still.health()).reads).toBeLessThanOrEqual(4);
  });
});

describe("a slow follower", () => {
  it("holds back nobody, takes little memory and misses nothing", async () => {
    await using small = openTail(db, wakeups, { limits: { items: 50, bytes: 1_000_000 } });
    const jobId = await insertJob(db, { state: "running" });
    const slow = small.follow(jobId, 0);
    await slow.next();
    const fast = collect(small.follow(jobId, 0));
    for (let batch = 0; batch < 30; batch += 1) await record(jobId, 100);
    await finish(jobId);
    expect(seqs(await fast)).toEqual(upTo(3_002));
    expect((await small.health()).waitingEvents).toBeLessThanOrEqual(50);
    expect(seqs(await collect(slow))).toEqual(upTo(3_002).slice(1));
  });

  it("is bounded by the size of the events, too", async () => {
    await using small = openTail(db, wakeups, { limits: { items: 1_000, bytes: 100_000 } });
    const jobId = await insertJob(db, { state: "running" });
    const slow = small.follow(jobId, 0);
    await insertEvents(db.sql, jobId, lines(50, { text: "x".repeat(20_000) }));
    await finish(jobId);
    await slow.next();
    await eventually(async () => expect((await small.health()).waitingEvents).toBeGreaterThan(0));
    expect((await small.health()).waitingEvents).toBeLessThanOrEqual(5);
    expect(await collect(slow)).toHaveLength(51);
  });
});

describe("when things go wrong", () => {
  it("a lost wake-up delays an event and loses none", async () => {
    await using patient = openTail(db, wakeups, { pollMs: 100 });
    const jobId = await insertJob(db, { state: "running" });
    const events = patient.follow(jobId, 0);
    await events.next();
    await db.sql.begin((sql) => finishJob(sql, jobId)); // and nobody rings
    expect(seqs(await collect(events))).toEqual([2]);
  });

  it("a poll finds one job's events while another's wake-ups never pause", async () => {
    await using patient = openTail(db, wakeups, { pollMs: 100 });
    const [loud, quiet] = [await insertJob(db), await insertJob(db, { state: "running" })];
    await using noise = patient.follow(loud, 1);
    const ringing = setInterval(() => wakeups.ring("events", [loud]), 2);
    const events = patient.follow(quiet, 1);
    await db.sql.begin((sql) => finishJob(sql, quiet));
    expect(seqs(await collect(events))).toEqual([2]);
    clearInterval(ringing);
    await noise.return?.();
  });

  it("streams wait while the database is away, and go on", async () => {
    await using proxy = await openProxy(db.url);
    await using patient = openTail({ url: proxy.url }, wakeups);
    const jobId = await insertJob(db, { state: "running" });
    const events = patient.follow(jobId, 0);
    await events.next();
    proxy.cut();
    const rest = collect(events);
    await record(jobId);
    await eventually(async () => expect((await patient.health()).failedReads).toBeGreaterThan(0));
    await finish(jobId);
    proxy.restore();
    expect(seqs(await rest)).toEqual([2, 3]);
  });

  it("a terminated connection is replaced", async () => {
    const jobId = await insertJob(db, { state: "running" });
    const events = tail.follow(jobId, 0);
    await events.next();
    const killed = await db.sql`
      select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and application_name = 'flowerpower-queue tail'`;
    expect(killed.length).toBeGreaterThan(0);
    await finish(jobId);
    expect(seqs(await collect(events))).toEqual([2]);
  });

  it("a tail that closes ends its streams with an error, never as if the job were over", async () => {
    const closing = openTail(db, wakeups);
    const jobId = await insertJob(db);
    const events = closing.follow(jobId, 1);
    const refused = expect(events.next()).rejects.toBeInstanceOf(UnavailableError);
    await closing.close();
    await refused;
    expect(() => closing.follow(jobId, 1)).toThrow(UnavailableError);
  });
});
