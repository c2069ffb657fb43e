/** Bulk actions on more jobs than one call takes: chunk by chunk, by whatever process is there. */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { graphileWorker as backend } from "../../src/backends/graphile-worker/backend.ts";
import type { Database } from "../../src/db/client.ts";
import { BadInputError, NotFoundError, OperationStateError } from "../../src/domain/errors.ts";
import { idText } from "../../src/domain/ids.ts";
import type { JsonObject } from "../../src/domain/json.ts";
import { operationLimits } from "../../src/domain/operation.ts";
import { beginOperation } from "../../src/jobs/begin-operation.ts";
import { bulk } from "../../src/jobs/bulk.ts";
import type { BulkAct } from "../../src/jobs/bulk-act.ts";
import { type JobFilter, readStoredFilter, storedFilterOf } from "../../src/jobs/filter.ts";
import { insertJobs, type NewJob } from "../../src/jobs/insert.ts";
import { goOn, startOperations } from "../../src/jobs/operations.ts";
import { pruneOperations } from "../../src/jobs/prune-operations.ts";
import { stopOperation } from "../../src/jobs/stop-operation.ts";
import { watchOperation } from "../../src/jobs/watch-operation.ts";
import { testDatabase } from "../support/database.ts";
import { eventually } from "../support/eventually.ts";
import { jobsContext, newJob, tester } from "../support/jobs.ts";

let db: Database;
let context: ReturnType<typeof jobsContext>;
beforeAll(async () => {
  db = await testDatabase();
  context = jobsContext(db);
});
beforeEach(async () => {
  await db.sql`delete from operations`;
});
afterAll(() => db[Symbol.asyncDispose]());

let made = 0;
/** A pipeline of its own for a test, as a filter has it. */
const fresh = () => ({ project: "bikes", pipeline: `op${++made}` });
const cancel: BulkAct = { verb: "cancel", reason: "wrong day" };

async function enqueued(count: number, given: Partial<NewJob>): Promise<string[]> {
  const jobs = Array.from({ length: count }, () => newJob({ id: db.ids.next(), ...given }));
  for (let start = 0; start < count; start += 500) await insertJobs(db.sql, backend, jobs.slice(start, start + 500));
  return jobs.map(({ id }) => id);
}

async function operation(id: string) {
  const [row] = await db.sql`select * from operations where id = ${id}`;
  if (row === undefined) throw new Error("The operation is gone");
  return row;
}

async function counted(where: { pipeline: string }): Promise<Record<string, number>> {
  const rows = await db.sql<{ state: string; count: number }[]>`
    select state, count(*)::int as count from jobs where pipeline = ${where.pipeline} group by state`;
  return Object.fromEntries(rows.map(({ state, count }) => [state, count]));
}

/** Round after round, as a process does it, until nothing is left for it. */
async function goOnAll(holder: string = randomUUID()): Promise<number> {
  let rounds = 0;
  while (await goOn(context, holder)) rounds += 1;
  return rounds;
}

/** As if the process that holds it had died long ago. */
const loseLease = (id: string) =>
  db.sql`update operations set lease_until = queue_now() - interval '1 second' where id = ${id} and holder is not null`;

async function eventsOf(where: { pipeline: string }, type: string): Promise<number> {
  const [row] = await db.sql<{ count: number }[]>`
    select count(*)::int as count from events e join jobs j on j.id = e.job_id where j.pipeline = ${where.pipeline} and e.type = ${type}`;
  return row?.count ?? 0;
}

describe("an operation", () => {
  it("is done in chunks, each recorded with how far it is, and audited with who asked", async () => {
    const where = fresh();
    const ids = await enqueued(1100, where);
    const id = await beginOperation(context, tester, cancel, where);
    expect(await operation(id)).toMatchObject({ state: "running", matched: 1100, matched_is_exact: true, done: 0 });
    const holder = randomUUID();
    expect(await goOn(context, holder)).toBe(true);
    expect(await operation(id)).toMatchObject({ state: "running", done: 500, failed: 0, holder, cursor: ids[499] });
    expect(await counted(where)).toEqual({ cancelled: 500, queued: 600 });
    await goOnAll(holder);
    expect(await operation(id)).toMatchObject({ state: "succeeded", done: 1100, holder: null, lease_until: null });
    expect((await operation(id)).finished_at).not.toBeNull();
    expect(await counted(where)).toEqual({ cancelled: 1100 });
    expect(await eventsOf(where, "job.cancelled")).toBe(1100);
    const shown = idText("operation", id);
    expect(await db.sql`select action, actor, data->>'verb' as verb from audit where target = ${shown}`).toEqual([
      { action: "operation.start", actor: "tester", verb: "cancel" },
    ]);
    const [own] = await db.sql`select data from audit where target = ${idText("job", ids[1099] as string)}`;
    expect(own).toEqual({ data: { reason: "wrong day", bulk: true, operation: shown } });
  });

  it("does not touch jobs that were made after it was asked for", async () => {
    const where = fresh();
    await enqueued(3, where);
    const id = await beginOperation(context, tester, cancel, where);
    await db.sql`update operations set created_at = created_at - interval '1 ms' where id = ${id}`;
    await db.sql`update jobs set created_at = created_at - interval '1 hour' where pipeline = ${where.pipeline}`;
    await enqueued(2, where);
    await goOnAll();
    expect(await operation(id)).toMatchObject({ state: "succeeded", done: 3 });
    expect(await counted(where)).toEqual({ cancelled: 3, queued: 2 });
  });

  it("is gone on with by another process when the lease of the first is over, and not before", async () => {
    const where = fresh();
    await enqueued(1200, where);
    const id = await beginOperation(context, tester, cancel, where);
    const [first, second] = [randomUUID(), randomUUID()];
    await goOn(context, first);
    expect(await goOn(context, second)).toBe(false);
    await loseLease(id);
    expect(await goOn(context, second)).toBe(true);
    expect(await goOn(context, first)).toBe(false);
    await goOnAll(second);
    expect(await operation(id)).toMatchObject({ state: "succeeded", done: 1200 });
    expect(await eventsOf(where, "job.cancelled")).toBe(1200);
  });

  it("is given back by a process that stops in the middle of it, so that another one need not wait", async () => {
    const where = fresh();
    await enqueued(3000, where);
    const id = await beginOperation(context, tester, cancel, where);
    const first = startOperations(context, () => {});
    await eventually(async () => expect((await operation(id)).done).toBeGreaterThan(0));
    await first[Symbol.asyncDispose]();
    const { done, state, holder, lease_until } = await operation(id);
    expect({ state, holder, lease_until }).toEqual({ state: "running", holder: null, lease_until: null });
    expect(done).toBeLessThan(3000);
    expect(await goOn(context, randomUUID())).toBe(true);
    expect((await operation(id)).done).toBe(Math.min(done + operationLimits.chunk, 3000));
  });

  it("is done once by many processes, whatever leases they lose", async () => {
    const where = fresh();
    await enqueued(3000, where);
    const id = await beginOperation(context, tester, { verb: "update", reason: null, edit: { priority: 90 } }, where);
    const isRunning = async () => (await operation(id)).state === "running";
    await Promise.all([
      ...Array.from({ length: 3 }, async () => {
        const holder = randomUUID();
        while (await isRunning()) if (!(await goOn(context, holder))) await loseLease(id);
      }),
    ]);
    expect(await operation(id)).toMatchObject({ state: "succeeded", done: 3000, failed: 0 });
    expect(await eventsOf(where, "job.updated")).toBe(3000);
  });

  it("is stopped between two chunks, and stays so", async () => {
    const where = fresh();
    await enqueued(1200, where);
    const id = await beginOperation(context, tester, cancel, where);
    const holder = randomUUID();
    await goOn(context, holder);
    await stopOperation(context, { name: "boss", requestId: null }, id, "enough");
    await stopOperation(context, tester, id, "again");
    expect(await operation(id)).toMatchObject({
      state: "stopped",
      stopped_by: "boss",
      stop_reason: "enough",
      done: 500,
    });
    expect(await goOn(context, holder)).toBe(false);
    expect(await counted(where)).toEqual({ cancelled: 500, queued: 700 });
    const audited = await db.sql`
      select actor, data from audit where target = ${idText("operation", id)} and action = 'operation.stop'`;
    expect(audited).toEqual([{ actor: "boss", data: { reason: "enough", done: 500, failed: 0 } }]);
    await expect(stopOperation(context, tester, db.ids.next(), null)).rejects.toThrow(NotFoundError);
    const over = await beginOperation(context, tester, cancel, fresh());
    await goOnAll();
    await expect(stopOperation(context, tester, over, null)).rejects.toThrow(OperationStateError);
  });

  it("leaves out what has changed in between, and requeues no job twice", async () => {
    const where = fresh();
    const ids = await enqueued(1100, where);
    await bulk(context, tester, cancel, ids);
    const requeue: BulkAct = { verb: "requeue", reason: null };
    const id = await beginOperation(context, tester, requeue, where);
    const holder = randomUUID();
    await goOn(context, holder);
    // The first fits again at once, the last was requeued by somebody.
    await bulk(context, tester, cancel, ids.slice(0, 1));
    await bulk(context, tester, requeue, ids.slice(-1));
    await goOnAll(holder);
    expect(await operation(id)).toMatchObject({ state: "succeeded", done: 1099, failed: 0, problems: [] });
    expect(await counted(where)).toEqual({ cancelled: 1, queued: 1099 });
    expect(await eventsOf(where, "job.requeued")).toBe(1100);
  });

  it("keeps the first jobs to which it could not be done, with their reasons", async () => {
    const where = fresh();
    await enqueued(30, where);
    await db.sql`insert into queues (name, created_at, backlog_limit) values ('narrow', queue_now(), 1)`;
    const edit = { queue: "narrow" };
    const id = await beginOperation(context, tester, { verb: "update", reason: null, edit }, where);
    await goOnAll();
    const { failed, problems, state } = await operation(id);
    expect([state, failed, problems.length]).toEqual(["succeeded", 30, operationLimits.problems]);
    expect(problems[0]).toMatchObject({ code: "QUEUE_FULL", state: null });
  });

  it("changes jobs whose tags are part of their key one by one, once", async () => {
    const where = { project: "bikes", pipeline: "daily", queue: "keyed" };
    await db.sql`insert into queues (name, created_at) values ('keyed', queue_now())`;
    await enqueued(4, { ...where, concurrency: { key: "k", limit: 1 } });
    const act: BulkAct = { verb: "update", reason: null, edit: { tags: ["night"] } };
    const id = await beginOperation(context, tester, act, { queue: "keyed" });
    await goOnAll();
    expect(await operation(id)).toMatchObject({ state: "succeeded", done: 4, failed: 0 });
    expect(await db.sql`select from job_tags where tag = 'night'`).toHaveLength(4);
  });

  it("ends as failed when what was stored is not understood: never are all jobs meant", async () => {
    const where = fresh();
    await enqueued(2, where);
    const id = await beginOperation(context, tester, cancel, where);
    await db.sql`update operations set filter = filter || '{"colour": "red"}' where id = ${id}`;
    expect(await goOnAll()).toBe(1);
    const { state, error, holder } = await operation(id);
    expect([state, error, holder]).toEqual(["failed", expect.stringContaining("not understood"), null]);
    expect(await counted(where)).toEqual({ queued: 2 });
  });

  it("tries a chunk that fails again after a pause, and ends as failed when it goes on failing", async () => {
    const where = fresh();
    const ids = await enqueued(2, where);
    const id = await beginOperation(context, tester, cancel, where);
    await db.sql`
      create function refuse() returns trigger language plpgsql as $$ begin raise 'the disk is full'; end $$`;
    await db.sql.unsafe(
      `create trigger refuse before update on jobs for each row when (old.id = '${ids[1]}') execute function refuse()`,
    );
    const holder = randomUUID();
    expect(await goOn(context, holder)).toBe(true);
    expect(await operation(id)).toMatchObject({ state: "running", failures: 1, holder: null, done: 0 });
    expect((await operation(id)).error).toContain("the disk is full");
    expect(await goOn(context, holder)).toBe(false);
    for (let tries = 1; tries < operationLimits.tries; tries += 1) {
      await db.sql`update operations set lease_until = queue_now() where id = ${id}`;
      await goOn(context, holder);
    }
    expect(await operation(id)).toMatchObject({ state: "failed", failures: operationLimits.tries, lease_until: null });
    await db.sql`drop trigger refuse on jobs`;
    expect(await counted(where)).toEqual({ queued: 2 });
  });

  it("counts a job that is cancelled with the one it waits for, and reports no problem", async () => {
    const where = fresh();
    const [parent = ""] = await enqueued(1, where);
    await enqueued(700, where);
    const dependsOn = [
      { jobId: parent, shownId: idText("job", parent), when: "succeeded" as const, otherwise: "cancel" as const },
    ];
    const [child = ""] = await enqueued(1, { ...where, dependsOn });
    expect((await db.sql`select state from jobs where id = ${child}`)[0]?.state).toBe("blocked");
    const id = await beginOperation(context, tester, cancel, where);
    await goOnAll();
    expect(await operation(id)).toMatchObject({ state: "succeeded", done: 702, failed: 0, problems: [] });
    expect(await counted(where)).toEqual({ cancelled: 702 });
  });

  it("refuses a queue that does not exist before anything is stored", async () => {
    const act: BulkAct = { verb: "update", reason: null, edit: { queue: "nowhere" } };
    await expect(beginOperation(context, tester, act, fresh())).rejects.toThrow(NotFoundError);
    expect(await db.sql`select from operations`).toHaveLength(0);
  });

  it("is done by a process that looks by itself, and watched until its end", async () => {
    const where = fresh();
    await enqueued(1100, where);
    const id = await beginOperation(context, tester, cancel, where);
    const changes = watchOperation(context, id);
    expect((await changes.next()).value).toBe(id);
    await using _rounds = startOperations(context, () => {});
    let last = "";
    for await (const changed of changes) last = (await operation(changed)).state;
    expect(last).toBe("succeeded");
    await using nothing = watchOperation(context, db.ids.next());
    expect(await nothing.next()).toEqual({ done: true, value: undefined });
  });

  it("is forgotten long after its end", async () => {
    const id = await beginOperation(context, tester, cancel, fresh());
    await goOnAll();
    expect(await pruneOperations(db.sql)).toBe(0);
    await db.sql`update operations set finished_at = queue_now() - interval '31 days'`;
    expect(await pruneOperations(db.sql)).toBe(1);
    await eventually(async () => expect(await db.sql`select from operations where id = ${id}`).toHaveLength(0));
  });
});

describe("a stored filter", () => {
  const time = new Date("2026-11-24T10:00:00.123Z");
  const fields: Required<JobFilter> = {
    ids: [randomUUID()],
    states: ["queued", "failed"],
    project: "bikes",
    pipeline: "daily",
    queue: "default",
    tag: "night",
    stalled: false,
    metadata: [{ key: "customer", value: "acme" }],
    createdAfter: time,
    createdBefore: time,
  };

  it.each(Object.entries(fields))("keeps %s", (name, value) => {
    const filter = { [name]: value };
    expect(readStoredFilter(JSON.parse(JSON.stringify(storedFilterOf(filter))) as JsonObject)).toEqual(filter);
  });

  it.each([{}, { ids: [] }, { queue: 1 }, { queue: "a", more: true }, { states: ["gone"] }])("refuses %j", (stored) => {
    expect(() => readStoredFilter(stored as JsonObject)).toThrow(BadInputError);
  });
});
