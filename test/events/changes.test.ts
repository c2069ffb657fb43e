import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connect, type Database } from "../../src/db/client.ts";
import { LimitExceededError } from "../../src/domain/errors.ts";
import { mostChangesWaiting } from "../../src/events/changes.ts";
import { openTail, type Tail } from "../../src/events/tail.ts";
import { openWakeups, type Wakeups } from "../../src/events/wakeups.ts";
import { collect } from "../support/collect.ts";
import { testDatabase } from "../support/database.ts";
import { eventually } from "../support/eventually.ts";
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

async function change(jobId: string): Promise<void> {
  await insertEvents(db.sql, jobId, [{}]);
  wakeups.ring("events", [jobId]);
}

describe("changes", () => {
  it("names each changed job once, however often it changed and whether or not it was rung for", async () => {
    const [a, b, end] = [await insertJob(db), await insertJob(db), await insertJob(db)];
    const changes = await tail.changes();
    await using witness = await tail.feed(null, { jobIds: [end] });
    for (let i = 0; i < 20; i += 1) await change(a);
    await insertEvents(db.sql, b, [{}]); // and nobody rings
    await change(end);
    await collect(witness, 2); // the mark, and the last event: now all of them are announced
    const names = await collect(changes, 3);
    expect(names.toSorted()).toEqual([a, b, end].toSorted());
    const next = changes.next();
    await change(b);
    expect(await next).toEqual({ done: false, value: b });
    await changes.return?.();
  });

  it("names a job again when it changes again", async () => {
    const jobId = await insertJob(db);
    await using changes = await tail.changes({ jobIds: [jobId] });
    for (let i = 0; i < 5; i += 1) {
      await change(jobId);
      expect(await collect(changes, 1)).toEqual([jobId]);
    }
  });

  it("does not wait for other transactions", async () => {
    const jobId = await insertJob(db);
    await using changes = await tail.changes({ jobIds: [jobId] });
    const other = await connect(db.url, { max: 1, maxReads: 1 });
    await other.sql.begin(async (open) => {
      await open`select pg_current_xact_id()`;
      await change(jobId);
      expect(await collect(changes, 1)).toEqual([jobId]);
    });
    await other[Symbol.asyncDispose]();
  });

  it("names what others have changed, also when their notice was lost", async () => {
    await using patient = openTail(db, wakeups, { pollMs: 100 });
    await using changes = await patient.changes();
    const jobId = await insertJob(db); // and nobody rings
    expect(await collect(changes, 1)).toEqual([jobId]);
  });

  it("names only jobs that the filter lets through", async () => {
    await using changes = await tail.changes({ project: "weather", queue: "default" });
    const others = [await insertJob(db, { project: "bikes" }), await insertJob(db, { project: "flights" })];
    const wanted = await insertJob(db, { project: "weather" });
    wakeups.ring("events", [...others, wanted]);
    expect(await collect(changes, 1)).toEqual([wanted]);
  });

  it("lets go while it waits", async () => {
    await using own = openTail(db, wakeups);
    const changes = await own.changes();
    const waiting = changes.next();
    expect((await own.health()).changeSubscribers).toBe(1);
    await changes.return?.();
    expect(await waiting).toEqual({ done: true, value: undefined });
    expect((await own.health()).changeSubscribers).toBe(0);
  });

  it("ends with an error for a subscriber that never takes anything", async () => {
    const changes = await tail.changes({ project: "many" });
    await db.sql`
      with made as (
        insert into jobs (
          id, project, pipeline, queue, state, priority, max_attempts, max_losses, on_worker_lost, last_seq, created_at, run_at
        )
        select gen_random_uuid(), 'many', 'p', 'default', 'queued', 50, 1, 1, 'retry', 1, queue_now(), queue_now()
        from generate_series(1, ${mostChangesWaiting + 1}) returning id
      )
      insert into events (job_id, seq, life, type, version, recorded_at, occurred_at, data)
      select id, 1, 1, 'job.enqueued', 1, queue_now(), queue_now(), '{}' from made`;
    wakeups.ring("events");
    // It has gone before it takes anything, and what waited for it has gone too.
    await eventually(async () => expect((await tail.health()).changeSubscribers).toBe(0));
    await expect(changes.next()).rejects.toBeInstanceOf(LimitExceededError);
    expect(await changes.next()).toEqual({ done: true, value: undefined });
  });
});
