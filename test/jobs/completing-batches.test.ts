/** Whoever ends the last job, whatever dies: a batch is completed once for each of its lives. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { graphileWorker as backend } from "../../src/backends/graphile-worker/backend.ts";
import type { Database, Sql } from "../../src/db/client.ts";
import { openWakeups, type Wakeups } from "../../src/events/wakeups.ts";
import { completeBatch } from "../../src/jobs/complete-batch.ts";
import { startCompletingBatches } from "../../src/jobs/completing-batches.ts";
import type { JobsContext } from "../../src/jobs/context.ts";
import { insertJobs } from "../../src/jobs/insert.ts";
import { requeueJob } from "../../src/jobs/requeue.ts";
import { transition } from "../../src/jobs/transition.ts";
import { testDatabase } from "../support/database.ts";
import { jobsContext, newJob, tester } from "../support/jobs.ts";
import { queuedJob, startJob } from "../support/running.ts";

let db: Database;
let wakeups: Wakeups;
let context: JobsContext;
beforeAll(async () => {
  db = await testDatabase();
  wakeups = await openWakeups(db);
  context = { ...jobsContext(db), wakeups };
});
afterAll(async () => {
  await wakeups?.close();
  await db?.[Symbol.asyncDispose]();
});

async function batchOf(count: number): Promise<{ batchId: string; jobs: string[] }> {
  const batchId = db.ids.next();
  await db.sql`
    insert into batches (id, total, actor, fingerprint, created_at, opened_at, last_seq)
    values (${batchId}, ${count}, 'test', 'f', queue_now(), queue_now(), 0)`;
  const jobs: string[] = [];
  for (let n = 0; n < count; n += 1) jobs.push(await queuedJob(db, { batchId }));
  return { batchId, jobs };
}

/** The job that waits for a batch, as it is made with one. */
async function jobAfter(batchId: string): Promise<string> {
  const parent = { jobId: batchId, shownId: "bat_x", when: "succeeded", otherwise: "block" } as const;
  const job = newJob({ id: db.ids.next(), dependsOn: [parent] });
  await insertJobs(db.sql, backend, [job]);
  return job.id;
}

async function succeed(id: string): Promise<void> {
  const attempt = (await startJob(db, id))?.attempt ?? 0;
  await db.sql.begin((tx) => transition(tx, backend, "succeed", [{ id, attempt, data: {} }]));
}

async function cancel(id: string): Promise<void> {
  await db.sql.begin((tx) =>
    transition(tx, backend, "cancel", [{ id, attempt: 0, data: { actor: "test", reason: null } }]),
  );
}

async function typesOf(batchId: string): Promise<string[]> {
  const rows = await db.sql<{ type: string }[]>`select type from batch_events where batch_id = ${batchId} order by seq`;
  return rows.map(({ type }) => type);
}

async function stateOf(id: string) {
  const [job] = await db.sql<{ state: string }[]>`select state from jobs where id = ${id}`;
  return job?.state;
}

describe("startCompletingBatches", () => {
  const fail = (error: Error) => {
    throw error;
  };

  it("completes a batch when it hears of its last job", async () => {
    const { batchId, jobs } = await batchOf(2);
    await using _rounds = startCompletingBatches(context, fail);
    for (const id of jobs) await succeed(id);
    wakeups.ring("events", jobs);
    await expect.poll(() => typesOf(batchId), { timeout: 5000 }).toEqual(["batch.completed"]);
  });

  it("completes a batch of which it hears nothing, one that was made while none was open too", async () => {
    await using _rounds = startCompletingBatches(context, fail);
    const { batchId, jobs } = await batchOf(1);
    for (const id of jobs) await succeed(id); // and nobody rings
    await expect.poll(() => typesOf(batchId), { timeout: 10_000 }).toEqual(["batch.completed"]);
  });

  it("completes a batch once, in several processes at once", async () => {
    const batches = await Promise.all(Array.from({ length: 5 }, () => batchOf(2)));
    const all = await Promise.all([1, 2, 3].map(async () => startCompletingBatches(context, fail)));
    await Promise.all(
      batches
        .flatMap(({ jobs }) => jobs)
        .map(async (id) => {
          await succeed(id);
          wakeups.ring("events", [id]);
        }),
    );
    for (const { batchId } of batches) {
      await expect.poll(() => typesOf(batchId), { timeout: 10_000 }).toEqual(["batch.completed"]);
    }
    await Promise.all(all.map((rounds) => rounds[Symbol.asyncDispose]()));
    for (const { batchId } of batches) expect(await typesOf(batchId)).toEqual(["batch.completed"]);
  });
});

describe("completeBatch", () => {
  it("leaves nothing half done when it dies before its commit", async () => {
    const { batchId, jobs } = await batchOf(1);
    const last = await jobAfter(batchId);
    for (const id of jobs) await succeed(id);
    const died = new Error("killed");
    const begin = (use: (tx: Sql) => Promise<unknown>) =>
      db.sql.begin(async (tx) => {
        await use(tx);
        throw died;
      });
    const dying = { ...db, sql: { begin } } as unknown as Database;
    await expect(completeBatch({ ...context, db: dying }, batchId)).rejects.toBe(died);
    expect(await typesOf(batchId)).toEqual([]);
    expect(await stateOf(last)).toBe("blocked");
    expect(await completeBatch(context, batchId)).toBe(true);
    expect(await completeBatch(context, batchId)).toBe(false);
    expect(await typesOf(batchId)).toEqual(["batch.completed"]);
    expect(await stateOf(last)).toBe("queued");
  });

  it("lets a job that may go on waiting wait for the next life of the batch", async () => {
    const { batchId, jobs } = await batchOf(2);
    const last = await jobAfter(batchId);
    await succeed(jobs[0] ?? "");
    await cancel(jobs[1] ?? "");
    expect(await completeBatch(context, batchId)).toBe(true);
    expect(await stateOf(last)).toBe("blocked");
    await requeueJob(context, tester, { jobId: jobs[1] ?? "", reason: "again", expiresAt: null });
    expect(await completeBatch(context, batchId)).toBe(false);
    await succeed(jobs[1] ?? "");
    expect(await completeBatch(context, batchId)).toBe(true);
    expect(await stateOf(last)).toBe("queued");
    expect(await typesOf(batchId)).toEqual(["batch.completed", "batch.reopened", "batch.completed"]);
    const [reopened] =
      await db.sql`select data from batch_events where batch_id = ${batchId} and type = 'batch.reopened'`;
    expect(reopened?.data).toEqual({ actor: "tester", reason: "again" });
  });

  it("does not take back the job that it has let go when one of its jobs is requeued", async () => {
    const { batchId, jobs } = await batchOf(1);
    const parent = { jobId: batchId, shownId: "bat_x", when: "ended", otherwise: "cancel" } as const;
    const last = newJob({ id: db.ids.next(), dependsOn: [parent] });
    await insertJobs(db.sql, backend, [last]);
    await cancel(jobs[0] ?? "");
    expect(await completeBatch(context, batchId)).toBe(true);
    await requeueJob(context, tester, { jobId: jobs[0] ?? "", reason: null, expiresAt: null });
    expect(await stateOf(last.id)).toBe("queued");
    await succeed(jobs[0] ?? "");
    expect(await completeBatch(context, batchId)).toBe(true);
    expect(await stateOf(last.id)).toBe("queued");
  });
});
