import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { graphileWorker } from "../../src/backends/graphile-worker/backend.ts";
import type { Database } from "../../src/db/client.ts";
import { CursorExpiredError, NotFoundError } from "../../src/domain/errors.ts";
import { idText } from "../../src/domain/ids.ts";
import { parseRetention, type Retention, retentionDefaults } from "../../src/domain/retention.ts";
import { openTail } from "../../src/events/tail.ts";
import { openWakeups } from "../../src/events/wakeups.ts";
import { enqueueJob } from "../../src/jobs/enqueue.ts";
import { insertJobs } from "../../src/jobs/insert.ts";
import { countPrunable, pruneFailureGroups, pruneJobs } from "../../src/jobs/prune.ts";
import { startRetention } from "../../src/jobs/retention.ts";
import { transition } from "../../src/jobs/transition.ts";
import { collect } from "../support/collect.ts";
import { testDatabase } from "../support/database.ts";
import { endedJob, idOf } from "../support/ended.ts";
import { eventually } from "../support/eventually.ts";
import { insertEvents, insertJob, insertWorker } from "../support/factories.ts";
import { jobsContext, newJob, runRequest, tester } from "../support/jobs.ts";

const dayMs = 86_400_000;
let db: Database;
beforeAll(async () => {
  db = await testDatabase();
});
beforeEach(async () => {
  await db.sql`delete from jobs`;
  await db.sql`delete from idempotency_keys`;
});
afterAll(() => db[Symbol.asyncDispose]());

function keep(days: number, keepLast = 0): Retention {
  const ageMs = days * dayMs;
  return { ageMs: { succeeded: ageMs, failed: ageMs, cancelled: ageMs, expired: ageMs }, keepLast };
}
const asked = { actor: tester } as const;

async function there(): Promise<string[]> {
  return (await db.sql<{ id: string }[]>`select id from jobs order by id`).map(({ id }) => id);
}

describe("pruneJobs", () => {
  it("removes what ended longer ago than its state is kept, and nothing that has not ended", async () => {
    const old = await Promise.all(
      (["succeeded", "failed", "cancelled", "expired"] as const).map((state) => endedJob(db, 8 * dayMs, state)),
    );
    const young = await endedJob(db, 6 * dayMs);
    const waiting = await insertJob(db, { id: idOf(new Date(Date.now() - 90 * dayMs)) });
    const running = await insertJob(db, { id: idOf(new Date(Date.now() - 90 * dayMs)), state: "running" });
    const rules = { ...keep(7), ageMs: { ...keep(7).ageMs, failed: null, cancelled: 9 * dayMs } };
    const expected = { succeeded: 1, failed: 0, cancelled: 0, expired: 1 };
    expect(await countPrunable(db.sql, rules, 100)).toEqual(expected);
    expect(await pruneJobs(db, rules, asked)).toEqual({ pruned: expected, more: false });
    expect(await there()).toEqual([old[1], old[2], young, waiting, running].toSorted());
  });

  it("keeps a job that was made long ago and has just ended", async () => {
    const id = await endedJob(db, 90 * dayMs);
    await db.sql`update jobs set finished_at = queue_now() where id = ${id}`;
    expect(await pruneJobs(db, keep(7), asked)).toMatchObject({ pruned: { succeeded: 0 } });
    expect(await there()).toEqual([id]);
  });

  it("keeps the last of each pipeline whatever their age, over all final states", async () => {
    const made: Record<string, string[]> = { a: [], b: [] };
    for (const pipeline of ["a", "b"]) {
      for (let n = 0; n < 5; n += 1) {
        const state = n % 2 === 0 ? "succeeded" : "failed";
        made[pipeline]?.push(await endedJob(db, (90 - n) * dayMs, state, { pipeline }));
      }
    }
    const only = await endedJob(db, 90 * dayMs, "failed", { pipeline: "c" });
    expect((await pruneJobs(db, keep(7, 2), asked))?.pruned).toEqual({
      succeeded: 4,
      failed: 2,
      cancelled: 0,
      expired: 0,
    });
    expect(await there()).toEqual([...made.a!.slice(-2), ...made.b!.slice(-2), only].toSorted());
  });

  it("keeps what another job still waits for, and removes it when that waits no longer", async () => {
    const parent = newJob({ id: idOf(new Date(Date.now() - 90 * dayMs)) });
    await insertJobs(db.sql, graphileWorker, [parent]);
    const dependsOn = [
      { jobId: parent.id, shownId: idText("job", parent.id), when: "succeeded" as const, otherwise: "block" as const },
    ];
    const child = newJob({ id: db.ids.next(), dependsOn });
    await insertJobs(db.sql, graphileWorker, [child]);
    const data = { actor: "tester", reason: null };
    await transition(db.sql, graphileWorker, "cancel", [{ id: parent.id, attempt: 0, data }]);
    await db.sql`update jobs set finished_at = queue_now() - interval '89 days' where id = ${parent.id}`;
    expect((await countPrunable(db.sql, keep(7), 100)).cancelled).toBe(0);
    expect((await pruneJobs(db, keep(7), { actor: null }))?.pruned.cancelled).toBe(0);
    expect(await there()).toEqual([parent.id, child.id].toSorted());
    await transition(db.sql, graphileWorker, "cancel", [{ id: child.id, attempt: 0, data }]);
    expect((await pruneJobs(db, keep(7), { actor: null }))?.pruned.cancelled).toBe(1);
    expect(await there()).toEqual([child.id]);
  });

  it("follows failure_ttl of the pipeline's YAML, else of the project's", async () => {
    const settings = (failureTtlMs: number | null) => db.sql.json({ jobQueue: { failureTtlMs } });
    await db.sql`
      insert into projects (name, id, description, environment, published_at)
      values ('shop', ${randomUUID()}, ${settings(2 * dayMs)}, '{}', queue_now())`;
    await db.sql`
      insert into pipelines (project, name, status, description, published_at)
      values ('shop', 'short', 'ok', ${settings(3_600_000)}, queue_now()),
        ('shop', 'plain', 'ok', ${settings(null)}, queue_now())`;
    const job = (pipeline: string, agoMs: number, state: "failed" | "succeeded" = "failed") =>
      endedJob(db, agoMs, state, { project: "shop", pipeline });
    await job("short", dayMs);
    await job("plain", 3 * dayMs);
    const kept = [await job("plain", dayMs), await job("short", dayMs, "succeeded"), await job("short", 1000)];
    const never = { ...keep(30), ageMs: { ...keep(30).ageMs, failed: null } };
    expect((await pruneJobs(db, never, asked))?.pruned.failed).toBe(2);
    expect(await there()).toEqual(kept.toSorted());
  });

  it("takes with a job all that belongs to it, and leaves the audit", async () => {
    const worker = await insertWorker(db.sql);
    const old = newJob({ id: idOf(new Date(Date.now() - 40 * dayMs)), tags: ["x"], idempotencyKey: "k" });
    await insertJobs(db.sql, graphileWorker, [old]);
    const child = await endedJob(db, 1000);
    await db.sql`
      insert into job_requests (job_id, inputs, config, options, tags, actor, rerun_of)
      values (${child}, '{}', '{}', '{}', '[]', 'x', ${old.id})`;
    const start = {
      id: old.id,
      attempt: 0,
      workerId: worker,
      runToken: randomUUID(),
      attemptId: randomUUID(),
      data: {},
    };
    await transition(db.sql, graphileWorker, "start", [start as never]);
    await db.sql`insert into node_runs (job_id, attempt, node, first_seq, state) values (${old.id}, 1, 'n', 1, 'succeeded')`;
    await db.sql`
      insert into artifacts (id, job_id, attempt, name, kind, has_value) values (${randomUUID()}, ${old.id}, 1, 'r', 'result', false)`;
    await transition(db.sql, graphileWorker, "succeed", [{ id: old.id, attempt: 1, data: { results: [] } as never }]);
    await db.sql`update jobs set finished_at = queue_now() - interval '39 days' where id = ${old.id}`;
    // Its key is younger than a day.
    expect((await pruneJobs(db, keep(30), asked))?.pruned.succeeded).toBe(0);
    await db.sql`update idempotency_keys set created_at = created_at - interval '25 hours'`;
    expect((await pruneJobs(db, keep(30), asked))?.pruned.succeeded).toBe(1);
    for (const table of [
      "job_requests",
      "job_tags",
      "attempts",
      "node_runs",
      "events",
      "artifacts",
      "idempotency_keys",
    ]) {
      const rows = await db.sql`select 1 from ${db.sql(table)} where job_id = ${old.id}`;
      expect(rows, table).toHaveLength(0);
    }
    const [rerun] = await db.sql`select rerun_of from job_requests where job_id = ${child}`;
    expect(rerun).toEqual({ rerun_of: null });
    const entries =
      await db.sql`select action, data from audit where target in (${old.shownId}, 'pip_bikes/daily') order by id`;
    expect(entries).toMatchObject([
      { action: "job.enqueue" },
      { action: "jobs.prune", data: { state: "succeeded", jobs: 1, upTo: idText("job", old.id) } },
    ]);
  });

  it("has no table that would hold a job back", async () => {
    const held = await db.sql`
      select conrelid::regclass::text as from_table, conname from pg_constraint
      where contype = 'f' and confrelid = 'flowerpower_queue.jobs'::regclass and confdeltype not in ('c', 'n')`;
    expect([...held]).toEqual([]);
  });

  it("goes in batches, stops where it was told to, and leaves what somebody has locked", async () => {
    for (let n = 0; n < 450; n += 1) await endedJob(db, 40 * dayMs + n);
    const [locked] = await there();
    await db.sql.begin(async (other) => {
      await other`select 1 from jobs where id = ${locked!} for no key update`;
      expect(await pruneJobs(db, keep(30), { ...asked, most: 210 })).toMatchObject({
        pruned: { succeeded: 210 },
        more: true,
      });
      expect(await pruneJobs(db, keep(30), asked)).toMatchObject({ pruned: { succeeded: 239 }, more: false });
    });
    expect(await there()).toEqual([locked]);
    expect(await pruneJobs(db, keep(30), { ...asked, untilMs: 0 })).toMatchObject({
      pruned: { succeeded: 0 },
      more: true,
    });
  });

  it("is one process' work at a time: the others leave it to that one", async () => {
    await endedJob(db, 40 * dayMs);
    await db.sql.begin(async (other) => {
      await other`select pg_advisory_xact_lock(${0x66_70_6a_70})`;
      expect(await pruneJobs(db, keep(30), { actor: null })).toBeNull();
    });
    expect(await pruneJobs(db, keep(30), { actor: null })).toMatchObject({ pruned: { succeeded: 1 } });
  });

  it("replays no key of a pruned job: it makes a new one", async () => {
    const context = jobsContext(db);
    const request = runRequest({ idempotencyKey: "once" });
    const first = await enqueueJob(context, tester, request);
    await db.sql`
      update jobs set state = 'cancelled', ticketed_at = null, finished_at = queue_now() - interval '40 days'
      where id = ${first.jobId}`;
    // Its id says when it was made.
    await db.sql`update idempotency_keys set created_at = created_at - interval '40 days'`;
    const prune = () => pruneJobs(db, { ...keep(30), ageMs: { ...keep(30).ageMs, cancelled: 60_000 } }, asked);
    expect((await prune())?.pruned.cancelled).toBe(1);
    const again = await enqueueJob(context, tester, request);
    expect(again).toMatchObject({ replayed: false });
    expect(again.jobId).not.toBe(first.jobId);
  });
});

describe("the feed after a prune", () => {
  it("begins behind what was pruned: older cursors have expired, younger ones go on without a gap", async () => {
    await using own = await testDatabase();
    await using wakeups = await openWakeups(own);
    await using tail = openTail(own, wakeups);
    const read = async (after: string | null, count: number) => {
      await using items = await tail.feed(after);
      return await collect(items, count);
    };
    const [start] = await read(null, 1);
    await endedJob(own, 40 * dayMs);
    const [first, last] = await read(start!.cursor, 2);
    const young = await endedJob(own, 1000);
    expect((await pruneJobs(own, keep(30), asked))?.pruned.succeeded).toBe(1);
    await expect(tail.feed(start!.cursor)).rejects.toBeInstanceOf(CursorExpiredError);
    await expect(tail.feed(first!.cursor)).rejects.toThrow(/pruned by retention/);
    const rest = await read(last!.cursor, 2);
    expect(rest.map(({ event }) => [event?.jobId, event?.seq])).toEqual([
      [young, 1],
      [young, 2],
    ]);
  });

  it("ends a follower that had not read all with NOT_FOUND", async () => {
    await using own = await testDatabase();
    await using wakeups = await openWakeups(own);
    await using tail = openTail(own, wakeups, { pollMs: 600_000, limits: { items: 10, bytes: 1_000_000 } });
    const id = await endedJob(own, 40 * dayMs);
    await insertEvents(
      own.sql,
      id,
      Array.from({ length: 30 }, () => ({})),
    );
    await using stream = tail.follow(id, 0);
    await collect(stream, 1);
    await pruneJobs(own, keep(30), asked);
    const reading = collect(stream);
    await expect(reading).rejects.toBeInstanceOf(NotFoundError);
  });
});

describe("failure groups", () => {
  it("go when nothing is left of them and they have not been seen for as long as failed jobs are kept", async () => {
    const kept = await insertJob(db, { state: "failed" });
    const group = (node: string, jobId: string, days: number) => db.sql`
      insert into failure_groups (project, pipeline, node, error_class, code_hash, error_kind, count, first_seen_at, last_seen_at,
        last_job_id, last_message)
      values ('bikes', 'daily', ${node}, 'E', '', 'PIPELINE', 1, queue_now(), queue_now() - make_interval(days => ${days}::int),
        ${jobId}, '')`;
    await group("old", randomUUID(), 40);
    await group("old and kept", kept, 40);
    await group("young", randomUUID(), 20);
    expect(await pruneFailureGroups(db.sql, keep(30))).toBe(1);
    const left = await db.sql`select node from failure_groups order by node`;
    expect(left.map(({ node }) => node)).toEqual(["old and kept", "young"]);
    expect(await pruneFailureGroups(db.sql, { ...keep(30), ageMs: { ...keep(30).ageMs, failed: null } })).toBe(0);
  });
});

describe("startRetention", () => {
  it("prunes by itself, by the defaults after thirty days and never the last twenty", async () => {
    for (let n = 0; n < 25; n += 1) await endedJob(db, 31 * dayMs + n);
    const log: unknown[] = [];
    await using _retention = startRetention(db, retentionDefaults, (message, data) => log.push([message, data]));
    await eventually(async () => expect(await there()).toHaveLength(20));
    await eventually(() =>
      expect(log).toEqual([["jobs pruned", { succeeded: 5, failed: 0, cancelled: 0, expired: 0 }]]),
    );
  });
});

describe("parseRetention", () => {
  const lengthOf = (text: string) => (/^\d+d$/.test(text) ? Number.parseInt(text, 10) * dayMs : null);
  it.each([
    ["14d", { succeeded: 14 * dayMs, failed: 14 * dayMs, cancelled: 14 * dayMs, expired: 14 * dayMs }, 20],
    ["never", { succeeded: null, failed: null, cancelled: null, expired: null }, 20],
    ["failed=never, last=5", { ...retentionDefaults.ageMs, failed: null }, 5],
    ["7d,failed=90d", { succeeded: 7 * dayMs, failed: 90 * dayMs, cancelled: 7 * dayMs, expired: 7 * dayMs }, 20],
  ])("reads %s", (text, ageMs, keepLast) => expect(parseRetention(text, lengthOf)).toEqual({ ageMs, keepLast }));
  it.each(["", "x", "running=1d", "failed=", "0d", "last=-1", "last=10001", "7d,"])("refuses %j", (text) =>
    expect(parseRetention(text, lengthOf)).toBeNull(),
  );
});
