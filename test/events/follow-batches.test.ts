import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Database } from "../../src/db/client.ts";
import { BadCursorError, NotFoundError } from "../../src/domain/errors.ts";
import type { BatchEventRow } from "../../src/events/read-batches.ts";
import { openTail, type Tail } from "../../src/events/tail.ts";
import { openWakeups, type Wakeups } from "../../src/events/wakeups.ts";
import { appendBatchEvent } from "../../src/jobs/batch-event.ts";
import { collect } from "../support/collect.ts";
import { testDatabase } from "../support/database.ts";
import { insertEvents, insertJob } from "../support/factories.ts";

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

/** A batch with its first event, and so many jobs. */
async function batchOf(jobs = 0): Promise<{ id: string; jobs: string[] }> {
  const id = db.ids.next();
  await db.sql`
    insert into batches (id, total, actor, fingerprint, created_at, opened_at, last_seq)
    values (${id}, 1, 'test', 'f', queue_now(), queue_now(), 0)`;
  await appendBatchEvent(db.sql, id, "batch.enqueued", { total: 1, actor: "test" });
  const made: string[] = [];
  for (let n = 0; n < jobs; n += 1) made.push(await insertJob(db));
  await db.sql`update jobs set batch_id = ${id} where id = any(${made}::uuid[])`;
  return { id, jobs: made };
}

async function complete(id: string): Promise<void> {
  await db.sql.begin(async (tx) => {
    await tx`update batches set completed_at = queue_now(), outcome = 'succeeded' where id = ${id}`;
    await appendBatchEvent(tx, id, "batch.completed", { outcome: "succeeded", counts: {} });
  });
}

const cancelRequested = (id: string) =>
  appendBatchEvent(db.sql, id, "batch.cancel_requested", { actor: "test", reason: null, jobs: 1 });
const told = (events: readonly BatchEventRow[]) => events.map(({ seq, type }) => `${seq} ${type}`);

describe("followBatch", () => {
  it("gives what is there, then each new event, and ends after the completion", async () => {
    const { id } = await batchOf();
    const events = tail.followBatch(id, 0);
    expect(told(await collect(events, 1))).toEqual(["1 batch.enqueued"]);
    await cancelRequested(id);
    wakeups.ring("batch", [id]);
    expect(told(await collect(events, 1))).toEqual(["2 batch.cancel_requested"]);
    await complete(id);
    wakeups.ring("batch", [id]);
    expect(told(await collect(events))).toEqual(["3 batch.completed"]);
  });

  it("goes on after a number, on another tail, also when a notice was lost", async () => {
    const { id } = await batchOf();
    await cancelRequested(id);
    await using other = openTail(db, wakeups, { pollMs: 100 });
    const events = other.followBatch(id, 1);
    expect(told(await collect(events, 1))).toEqual(["2 batch.cancel_requested"]);
    await complete(id); // and nobody rings
    expect(told(await collect(events))).toEqual(["3 batch.completed"]);
  });

  it("gives a log that is longer than one read in its order, to followers at different places", async () => {
    const { id } = await batchOf();
    for (let n = 0; n < 250; n += 1) await cancelRequested(id);
    await complete(id);
    const streams = [0, 100, 251, 252].map((after) => collect(tail.followBatch(id, after)));
    const counts = (await Promise.all(streams)).map((events) => [events.length, events[0]?.seq, events.at(-1)?.seq]);
    expect(counts).toEqual([
      [252, 1, 252],
      [152, 101, 252],
      [1, 252, 252],
      [0, undefined, undefined],
    ]);
  });

  it("can be left while it waits", async () => {
    const { id } = await batchOf();
    const events = tail.followBatch(id, 1);
    const next = events.next();
    await events.return?.();
    expect(await next).toEqual({ done: true, value: undefined });
    expect(await tail.health()).toMatchObject({ batchFollowers: 0 });
  });

  it("refuses a batch that is not there, and a number that it has not reached", async () => {
    await expect(tail.followBatch(db.ids.next(), 0).next()).rejects.toThrow(NotFoundError);
    await expect(tail.followBatch((await batchOf()).id, 2).next()).rejects.toThrow(BadCursorError);
  });
});

describe("batchChanges", () => {
  it("names the batches at once, then when they or one of their jobs change, and no others", async () => {
    const [a, b, other] = [await batchOf(1), await batchOf(1), await batchOf(1)];
    await using changes = await tail.batchChanges([a.id, b.id]);
    expect((await collect(changes, 2)).toSorted()).toEqual([a.id, b.id].toSorted());
    await insertEvents(db.sql, other.jobs[0] ?? "", [{}]);
    await insertEvents(db.sql, a.jobs[0] ?? "", [{}]);
    wakeups.ring("events", [...other.jobs, ...a.jobs]);
    expect(await collect(changes, 1)).toEqual([a.id]);
    await complete(b.id);
    wakeups.ring("batch", [b.id]);
    expect(await collect(changes, 1)).toEqual([b.id]);
  });

  it("tells once of a batch that changes all the time, and tells the last change", async () => {
    const { id, jobs } = await batchOf(1);
    await using changes = await tail.batchChanges([id]);
    await collect(changes, 1);
    const startedAt = performance.now();
    for (let n = 0; n < 50; n += 1) {
      await insertEvents(db.sql, jobs[0] ?? "", [{}]);
      wakeups.ring("events", jobs);
    }
    const changedMs = performance.now() - startedAt;
    let names = 0;
    const [last] = await db.sql<{ seq: number }[]>`select last_seq as seq from jobs where id = ${jobs[0] ?? ""}`;
    for (let seen = 0; seen < (last?.seq ?? 0); names += 1) {
      expect(await collect(changes, 1)).toEqual([id]);
      // Whoever hears of it reads it then.
      const [row] = await db.sql<{ seq: number }[]>`select last_seq as seq from jobs where id = ${jobs[0] ?? ""}`;
      seen = row?.seq ?? 0;
    }
    expect(names).toBeLessThanOrEqual(2 + changedMs / 250);
  });

  it("names a batch that has changed without a notice", async () => {
    await using patient = openTail(db, wakeups, { pollMs: 100 });
    const { id } = await batchOf();
    await using changes = await patient.batchChanges([id]);
    await collect(changes, 1);
    await complete(id); // and nobody rings
    expect(await collect(changes, 1)).toEqual([id]);
  });
});

describe("changes and the feed", () => {
  it("let through only jobs of the batch that the filter names", async () => {
    const [a, b] = [await batchOf(1), await batchOf(1)];
    await using changes = await tail.changes({ batchId: a.id });
    await using feed = await tail.feed(null, { batchId: a.id });
    await collect(feed, 1);
    for (const jobId of [...b.jobs, ...a.jobs]) await insertEvents(db.sql, jobId, [{}]);
    wakeups.ring("events", [...b.jobs, ...a.jobs]);
    expect(await collect(changes, 1)).toEqual(a.jobs);
    expect((await collect(feed, 1)).map(({ event }) => event?.jobId)).toEqual(a.jobs);
  });
});
