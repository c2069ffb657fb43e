import { randomUUID } from "node:crypto";
import postgres from "postgres";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { connect, type Database } from "../../src/db/client.ts";
import { BadCursorError, CursorExpiredError, UnavailableError } from "../../src/domain/errors.ts";
import { feedCursor, jobCursor, parseFeedCursor } from "../../src/events/cursor.ts";
import type { FeedItem } from "../../src/events/feed.ts";
import { type EventStream, openTail, type Tail } from "../../src/events/tail.ts";
import { openWakeups, type Wakeups } from "../../src/events/wakeups.ts";
import { collect } from "../support/collect.ts";
import { testDatabase } from "../support/database.ts";
import { eventually } from "../support/eventually.ts";
import { insertEvents, insertJob } from "../support/factories.ts";
import { openProxy } from "../support/proxy.ts";

let db: Database;
let wakeups: Wakeups;
let tail: Tail;

beforeAll(async () => {
  db = await testDatabase({ max: 20 });
  wakeups = await openWakeups(db);
  tail = openTail(db, wakeups);
});

afterAll(async () => {
  await tail?.close();
  await wakeups?.close();
  await db?.[Symbol.asyncDispose]();
});

const idsOf = (items: FeedItem[]) => items.flatMap(({ event }) => (event === null ? [] : [event.id]));

/** Ids of the events after the cursor, as the table has them when all writers are done. */
async function recordedAfter(cursor: string): Promise<bigint[]> {
  const { xid, id } = parseFeedCursor(cursor);
  const rows = await db.sql<{ id: string }[]>`
    select id from events where (xid, id) > (${String(xid)}::xid8, ${String(id)}::bigint) order by xid, id`;
  return rows.map((row) => BigInt(row.id));
}

/** A feed from now on, and the cursor at which it begins. */
async function fromNowOn(from: Tail = tail): Promise<{ items: EventStream<FeedItem>; start: string }> {
  const items = await from.feed(null);
  const [mark] = await collect(items, 1);
  expect(mark?.event).toBeNull();
  return { items, start: mark!.cursor };
}

async function record(jobId: string, count = 1): Promise<void> {
  await insertEvents(
    db.sql,
    jobId,
    Array.from({ length: count }, () => ({})),
  );
  wakeups.ring("events", [jobId]);
}

describe("feed", () => {
  it("begins with a mark, from which another process goes on even when nothing has come", async () => {
    const { items, start } = await fromNowOn();
    await items.return?.();
    const jobId = await insertJob(db);
    await using other = openTail(db, wakeups);
    await using resumed = await other.feed(start);
    const [item] = await collect(resumed, 1);
    expect(item?.event).toMatchObject({ jobId, seq: 1, type: "job.enqueued" });
  });

  it("loses nothing of two transactions that commit in the other order", async () => {
    await using still = openTail(db, wakeups, { pollMs: 600_000 });
    const [first, second] = [await insertJob(db), await insertJob(db)];
    const { items, start } = await fromNowOn(still);
    const arrived: string[] = [];
    const both = (async () => {
      for (const _ of [1, 2]) for (const { event } of await collect(items, 1)) arrived.push(event?.jobId ?? "");
    })();
    await db.sql.begin(async (early) => {
      await insertEvents(early, first, [{}]);
      await db.sql.begin((late) => insertEvents(late, second, [{}]));
      wakeups.ring("events", [second]);
      const [{ pid } = { pid: 0 }] = await early<{ pid: number }[]>`select pg_backend_pid() as pid`;
      await eventually(async () => {
        const health = await still.health();
        expect(health.feedHeldMs).toBeGreaterThan(0);
        expect(health.horizonHolder).toMatchObject({
          pid,
          application: expect.stringMatching(/^flowerpower-queue /),
          state: "idle in transaction",
        });
        expect(health.horizonHolder?.heldMs).toBeGreaterThan(0);
      });
      expect(arrived).toEqual([]);
    });
    // Nobody rings: held-back events are looked for all the time.
    await both;
    expect(arrived).toEqual([first, second]);
    await items.return?.();
    await using again = await tail.feed(start);
    expect((await collect(again, 2)).map(({ event }) => event?.jobId)).toEqual([first, second]);
    await eventually(async () =>
      expect(await still.health()).toMatchObject({ feedHeldMs: 0, feedLagMs: 0, horizonHolder: null }),
    );
  });

  it("is not held up by a long transaction in another database", async () => {
    const jobId = await insertJob(db);
    const { items } = await fromNowOn();
    const elsewhere = postgres(`${inject("postgresUrl")}/postgres`, { max: 1 });
    await elsewhere.begin(async (long) => {
      await long`select pg_current_xact_id()`;
      await record(jobId);
      const [item] = await collect(items, 1);
      expect(item?.event?.jobId).toBe(jobId);
    });
    await elsewhere.end();
    await items.return?.();
  });

  it("has every committed event once and in order, whoever writes and however often a reader resumes", async () => {
    const jobIds = await Promise.all(Array.from({ length: 16 }, () => insertJob(db)));
    await using still = openTail(db, wakeups, { pollMs: 600_000 });
    await using elsewhere = openTail(db, wakeups, { pollMs: 600_000 });
    const { items, start } = await fromNowOn(still);
    let writing = true;

    async function write(jobId: string, writer: number): Promise<void> {
      for (let turn = 0; turn < 50; turn += 1) {
        const rolledBack = (writer + turn) % 7 === 0;
        await db.sql
          .begin(async (sql) => {
            await insertEvents(sql, jobId, [{}]);
            if (turn % 3 === 0) await sql.savepoint((inner) => insertEvents(inner, jobId, [{}, {}]));
            if (turn % 5 === 0) {
              await sql
                .savepoint(async (inner) => {
                  await insertEvents(inner, jobId, [{}]);
                  throw new Error("undone");
                })
                .catch(() => {});
            }
            if (turn % 11 === writer % 11) await sql`select pg_sleep(0.02)`;
            if (rolledBack) throw new Error("undone");
          })
          .catch((error: Error) => expect(error.message).toBe("undone"));
        wakeups.ring("events", [jobId]);
      }
    }
    /** Reads a few, leaves, and goes on from the cursor on the other tail. */
    async function resumeOften(): Promise<bigint[]> {
      const seen: bigint[] = [];
      let cursor = start;
      for (let turn = 0; ; turn += 1) {
        const goesOn = writing; // read before the subscription: after the last one, nothing comes any more
        const part = await (turn % 2 === 0 ? still : elsewhere).feed(cursor);
        const count = goesOn ? 1 + (turn % 40) : (await recordedAfter(cursor)).length;
        const read = await collect(part, count);
        await part.return?.();
        seen.push(...idsOf(read));
        cursor = read.at(-1)?.cursor ?? cursor;
        if (!goesOn) return seen;
      }
    }
    const resuming = resumeOften();
    const live: bigint[] = [];
    const reading = (async () => {
      for await (const { event } of items) if (event !== null) live.push(event.id);
    })();
    await Promise.all(jobIds.map(write));
    writing = false;
    await record(jobIds[0]!, 50); // so that nobody waits for what never comes
    const recorded = await recordedAfter(start);
    expect(recorded.length).toBeGreaterThan(1_000);
    await eventually(() => expect(live.length).toBeGreaterThanOrEqual(recorded.length));
    await items.return?.();
    await reading;
    expect(live).toEqual(recorded);
    expect(await resuming).toEqual(recorded);
  });

  it("shows only what the filter lets through, and marks how far it has come when that is nothing", async () => {
    await using quick = openTail(db, wakeups, { pollMs: 50, quietMs: 100 });
    const { start } = await fromNowOn();
    const wanted = await insertJob(db, { project: "weather", state: "failed" });
    await insertJob(db, { project: "bikes", state: "failed" });
    await using byProject = await quick.feed(start, { project: "weather" });
    await using byType = await quick.feed(start, { types: ["job.failed"] });
    await using byJob = await quick.feed(start, { jobIds: [wanted], types: ["job.failed"] });
    await using nothing = await quick.feed(start, { pipeline: "none such" });
    expect((await collect(byProject, 2)).map(({ event }) => event?.jobId)).toEqual([wanted, wanted]);
    expect((await collect(byType, 2)).map(({ event }) => event?.type)).toEqual(["job.failed", "job.failed"]);
    expect((await collect(byJob, 1)).map(({ event }) => event?.jobId)).toEqual([wanted]);
    const [mark] = await collect(nothing, 1);
    expect(mark?.event).toBeNull();
    expect(await recordedAfter(mark!.cursor)).toEqual([]);
  });

  it("reads each batch once for all who keep up", async () => {
    await using still = openTail(db, wakeups, { pollMs: 600_000 });
    const jobId = await insertJob(db);
    const streams = await Promise.all(Array.from({ length: 500 }, () => still.feed(null)));
    await Promise.all(streams.map((items) => collect(items, 1)));
    for (let batch = 0; batch < 5; batch += 1) {
      const before = (await still.health()).reads;
      const delivered = streams.map((items) => collect(items, 20));
      await record(jobId, 20);
      await Promise.all(delivered);
      // One for the batch and one for health; the own notice of the ring may hold the horizon for another one.
      expect((await still.health()).reads - before).toBeLessThanOrEqual(3);
    }
  });

  it("lets go while it waits", async () => {
    await using own = openTail(db, wakeups);
    const { items } = await fromNowOn(own);
    const waiting = items.next();
    expect((await own.health()).feedSubscribers).toBe(1);
    await items.return?.();
    expect(await waiting).toEqual({ done: true, value: undefined });
    expect((await own.health()).feedSubscribers).toBe(0);
  });
});

describe("a slow subscriber", () => {
  it("takes little memory, holds back nobody and misses nothing", async () => {
    await using small = openTail(db, wakeups, { limits: { items: 50, bytes: 1_000_000 } });
    const jobId = await insertJob(db);
    const { items: slow, start } = await fromNowOn(small);
    const { items: fast } = await fromNowOn(small);
    const keepingUp = collect(fast, 3_000);
    for (let batch = 0; batch < 30; batch += 1) await record(jobId, 100);
    expect(idsOf(await keepingUp)).toEqual(await recordedAfter(start));
    expect((await small.health()).waitingEvents).toBeLessThanOrEqual(50);
    expect(idsOf(await collect(slow, 3_000))).toEqual(await recordedAfter(start));
    // And it keeps up again.
    await record(jobId);
    expect(await collect(slow, 1)).toHaveLength(1);
  });

  it("is told when what it has not read yet is pruned", async () => {
    const own = await testDatabase();
    const bells = await openWakeups(own);
    const small = openTail(own, bells, { pollMs: 600_000, limits: { items: 10, bytes: 1_000_000 } });
    const jobId = await insertJob(own);
    const items = await small.feed(null);
    await insertEvents(
      own.sql,
      jobId,
      Array.from({ length: 100 }, () => ({})),
    );
    bells.ring("events", [jobId]);
    await eventually(async () => expect((await small.health()).waitingEvents).toBe(10));
    await own.sql`update feeds set (floor_xid, floor_id) = (select xid, id from events order by xid desc, id desc limit 1)`;
    await collect(items, 11); // the mark and what is in its buffer; this makes room
    // While it does not listen, nothing is read for it any more: what follows are health's own reads.
    const reads = (await small.health()).reads;
    for (let i = 0; i < 20; i += 1) await small.health();
    expect((await small.health()).reads - reads).toBeLessThanOrEqual(22);
    await expect(collect(items)).rejects.toBeInstanceOf(CursorExpiredError);
    await small.close();
    await bells.close();
    await own[Symbol.asyncDispose]();
  });
});

describe("a cursor", () => {
  it("is refused when it is garbage or belongs to a job", async () => {
    await expect(tail.feed("garbage")).rejects.toBeInstanceOf(BadCursorError);
    const jobId = await insertJob(db);
    await expect(tail.feed(jobCursor({ jobId, seq: 1 }))).rejects.toThrow(/events of one job/);
  });

  it("has expired when the database was restored since", async () => {
    const { items, start } = await fromNowOn();
    await items.return?.();
    const { xid, id, epoch } = parseFeedCursor(start);
    const before = tail.feed(feedCursor(randomUUID(), { xid, id }));
    await expect(before).rejects.toBeInstanceOf(CursorExpiredError);
    await expect(before).rejects.toThrow(/restored/);
    await expect(tail.feed(feedCursor(epoch, { xid: xid + 1_000_000n, id }))).rejects.toThrow(/restored/);
  });

  it("has expired below the floor, and is good at the floor", async () => {
    const own = await testDatabase();
    const bells = await openWakeups(own);
    const short = openTail(own, bells);
    await insertJob(own);
    const [last] = await own.sql<{ xid: string; id: string; epoch: string }[]>`
      update feeds set floor_xid = e.xid, floor_id = e.id
      from (select xid, id from events order by xid desc, id desc limit 1) e
      returning e.xid, e.id, epoch`;
    const floor = { xid: BigInt(last!.xid), id: BigInt(last!.id) };
    const below = short.feed(feedCursor(last!.epoch, { ...floor, id: floor.id - 1n }));
    await expect(below).rejects.toBeInstanceOf(CursorExpiredError);
    await expect(below).rejects.toThrow(/pruned/);
    const jobId = await insertJob(own);
    const [item] = await collect(await short.feed(feedCursor(last!.epoch, floor)), 1);
    expect(item?.event?.jobId).toBe(jobId);
    await short.close();
    await bells.close();
    await own[Symbol.asyncDispose]();
  });
});

describe("when things go wrong", () => {
  it("a lost wake-up delays an event and loses none", async () => {
    await using patient = openTail(db, wakeups, { pollMs: 100 });
    const { items } = await fromNowOn(patient);
    const jobId = await insertJob(db); // and nobody rings
    const [item] = await collect(items, 1);
    expect(item?.event?.jobId).toBe(jobId);
  });

  it("a lost connection for wake-ups delays nothing for long", async () => {
    const here = await connect(db.url, { max: 1, maxReads: 1 });
    const bells = await openWakeups(here);
    const reading = openTail(here, bells);
    const { items } = await fromNowOn(reading);
    await db.sql`
      select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and application_name = 'flowerpower-queue wake-ups'`;
    const jobId = await insertJob(db);
    wakeups.ring("events", [jobId]);
    const [item] = await collect(items, 1);
    expect(item?.event?.jobId).toBe(jobId);
    await eventually(() => expect(bells.health().reconnects).toBe(1));
    await reading.close();
    await bells.close();
    await here[Symbol.asyncDispose]();
  });

  it("streams wait while the database is away and go on; new ones are refused within seconds", async () => {
    await using proxy = await openProxy(db.url);
    await using patient = openTail({ url: proxy.url }, wakeups);
    const { items, start } = await fromNowOn(patient);
    proxy.cut();
    const jobId = await insertJob(db);
    wakeups.ring("events", [jobId]);
    const coming = collect(items, 1);
    await expect(patient.feed(start)).rejects.toBeInstanceOf(UnavailableError);
    await expect(patient.feed(null)).rejects.toBeInstanceOf(UnavailableError);
    await expect(patient.changes()).resolves.toBeDefined(); // the feed has a place to go on from
    const health = await patient.health();
    expect(health).toMatchObject({ feedSubscribers: 1, horizonHolder: null });
    expect(health.feedLagMs).toBeGreaterThan(0);
    proxy.restore();
    expect((await coming)[0]?.event?.jobId).toBe(jobId);
  });

  it("a tail that closes ends its streams with an error", async () => {
    const closing = openTail(db, wakeups);
    const { items } = await fromNowOn(closing);
    const refused = expect(items.next()).rejects.toBeInstanceOf(UnavailableError);
    await closing.close();
    await refused;
    await expect(closing.feed(null)).rejects.toBeInstanceOf(UnavailableError);
    await expect(closing.changes()).rejects.toBeInstanceOf(UnavailableError);
  });
});
