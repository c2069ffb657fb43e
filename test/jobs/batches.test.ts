/** Batches: made as one, completed once, opened again by a requeue. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { graphileWorker as backend } from "../../src/backends/graphile-worker/backend.ts";
import type { Database } from "../../src/db/client.ts";
import { IdempotencyConflictError, JobsRefusedError, NotFoundError } from "../../src/domain/errors.ts";
import type { JsonObject } from "../../src/domain/json.ts";
import type { RunRequest } from "../../src/domain/run-request.ts";
import { actOnBatch } from "../../src/jobs/act-on-batch.ts";
import { readBatchTimes } from "../../src/jobs/batch-pace.ts";
import { readBatchProgress } from "../../src/jobs/batch-progress.ts";
import { completeBatch, completeBatches } from "../../src/jobs/complete-batch.ts";
import type { JobsContext } from "../../src/jobs/context.ts";
import { fingerprintOf } from "../../src/jobs/enqueue.ts";
import { type BatchRequest, enqueueBatch } from "../../src/jobs/enqueue-batch.ts";
import { pruneBatches, pruneBatchesAtOnce } from "../../src/jobs/prune-batches.ts";
import { requeueJob } from "../../src/jobs/requeue.ts";
import { transition } from "../../src/jobs/transition.ts";
import { input } from "../pipelines/descriptions.ts";
import { testDatabase } from "../support/database.ts";
import { jobsContext, runRequest, tester } from "../support/jobs.ts";
import { startJob, waitingForLock } from "../support/running.ts";

let db: Database;
let context: ReturnType<typeof jobsContext>;
beforeAll(async () => {
  db = await testDatabase();
  const known = jobsContext(db);
  const inputs = ["city", "day"].map((name) =>
    input(name, { type: "str", schema: { type: "string" }, required: false }),
  );
  const catalogue: typeof known.catalogue = {
    ...known.catalogue,
    async pipeline(project, name) {
      const found = await known.catalogue.pipeline(project, name);
      const description = { ...found.description, inputs };
      return { ...found, description, lastGood: description } as typeof found;
    },
  };
  context = { ...known, catalogue };
});
afterAll(async () => await db[Symbol.asyncDispose]());

const days = (count: number): JsonObject[] => Array.from({ length: count }, (_, day) => ({ day: `${day}` }));

interface Sweep {
  request: RunRequest;
  inputSets: JsonObject[];
  key: string | null;
  onComplete: BatchRequest["onComplete"];
}

async function enqueue(count: number, given: Partial<Sweep> = {}, asked: JobsContext = context) {
  const { request = runRequest({ inputs: { city: "Bern", day: "none" } }), key = null, onComplete = null } = given;
  const { inputSets = days(count) } = given;
  const sent = { inputSets };
  const fingerprint = fingerprintOf({ ...sent, idempotencyKey: key, onReplay: "return" });
  const batch: BatchRequest = {
    name: null,
    runs: inputSets.map((set) => ({ ...request, inputs: { ...request.inputs, ...set } })),
    placeOf: (index) => `input.sweep.sets.${index}`,
    commonPlace: "input.sweep",
    idempotencyKey: key,
    fingerprint,
    onComplete,
  };
  return await enqueueBatch(asked, tester, batch, false);
}

/** A batch, its jobs in order, and the job that waits for it. */
async function made(count: number, given: Partial<Sweep> = {}, asked: JobsContext = context) {
  const { batchId } = await enqueue(count, given, asked);
  if (batchId === null) throw new Error("it was a dry run");
  const jobs = await db.sql<{ id: string }[]>`select id from jobs where batch_id = ${batchId} order by id`;
  const [last] = await db.sql<{ id: string }[]>`
    select job_id as id from job_dependencies where parent_id = ${batchId}`;
  return { batchId, jobs: jobs.map(({ id }) => id), last: last?.id ?? "" };
}

const waiting = { request: runRequest({ inputs: { city: "all" } }), when: "succeeded", otherwise: "cancel" } as const;

/** Runs jobs and ends them: the first attempt is the last. */
async function end(ids: readonly string[], name: "succeed" | "fail") {
  for (const id of ids) {
    const started = await startJob(db, id);
    const error = { kind: "PIPELINE", type: "ValueError", message: "no", node: null } as const;
    await db.sql.begin((tx) =>
      name === "succeed"
        ? transition(tx, backend, "succeed", [{ id, attempt: started?.attempt ?? 0, data: {} }])
        : transition(tx, backend, "fail", [
            { id, attempt: started?.attempt ?? 0, errorKind: "PIPELINE", data: { error } },
          ]),
    );
  }
}

async function read(batchId: string) {
  const [batch] = await db.sql<{ outcome: string | null; completed: boolean }[]>`
    select outcome, completed_at is not null as completed from batches where id = ${batchId}`;
  return batch;
}

async function eventsOf(batchId: string) {
  return await db.sql`select seq, type, data from batch_events where batch_id = ${batchId} order by seq`;
}

async function stateOf(id: string) {
  const [job] = await db.sql<{ state: string }[]>`select state from jobs where id = ${id}`;
  return job?.state;
}

describe("enqueueBatch", () => {
  it("makes a job for each input set over the base, with one event and audit entry of the batch", async () => {
    const { batchId, jobs } = await made(3);
    const inputs = await db.sql<{ inputs: JsonObject }[]>`
      select inputs from job_requests where job_id = any(${jobs}::uuid[]) order by job_id`;
    expect(inputs.map((row) => row.inputs).toSorted((a, b) => Number(a.day) - Number(b.day))).toEqual([
      { city: "Bern", day: "0" },
      { city: "Bern", day: "1" },
      { city: "Bern", day: "2" },
    ]);
    expect(await eventsOf(batchId)).toEqual([{ seq: 1, type: "batch.enqueued", data: { total: 3, actor: "tester" } }]);
    expect(await db.sql`select actor from audit where action = 'batch.enqueue' and data ->> 'total' = '3'`).toEqual([
      { actor: "tester" },
    ]);
  });

  it("makes 10,000 jobs, which are counted and cancelled as one", async () => {
    const { batchId } = await enqueue(10_000, { request: runRequest({ queue: "default" }) });
    const [progress] = await readBatchProgress(db.sql, [batchId ?? ""]);
    expect(progress).toEqual({ counts: { queued: 10_000 }, done: 0, total: 10_000 });
    const { done } = await actOnBatch(context, tester, batchId ?? "", { verb: "cancel", reason: null });
    expect(done).toHaveLength(10_000);
    expect(await completeBatch(context, batchId ?? "")).toBe(true);
  }, 60_000);

  it("stores nothing when some do not fit, and tells which, of many only the first hundred", async () => {
    const [before] =
      await db.sql`select count(*)::int as jobs, (select count(*)::int from batches) as batches from jobs`;
    const inputSets = days(300).map((set, index) => (index % 2 === 0 ? set : { unknown: 1 }));
    const error = await enqueue(300, { inputSets }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(JobsRefusedError);
    const { refused } = error as JobsRefusedError;
    expect(refused.map(({ index }) => index)).toEqual(Array.from({ length: 100 }, (_, n) => 2 * n + 1));
    const [after] =
      await db.sql`select count(*)::int as jobs, (select count(*)::int from batches) as batches from jobs`;
    expect(after).toEqual(before);
  });

  it("reads what is equal for all its jobs once", async () => {
    const [parent] = (await made(1)).jobs;
    let reads = 0;
    const counting: JobsContext = {
      ...context,
      async parents(ids) {
        reads += 1;
        return await context.parents(ids);
      },
    };
    const dependsOn = [{ jobId: parent ?? "", when: "ended", otherwise: "cancel" } as const];
    const { jobs } = await made(200, { request: runRequest({ dependsOn }) }, counting);
    expect(jobs).toHaveLength(200);
    expect(reads).toBe(1);
    const [row] = await db.sql`select count(*)::int as n from job_dependencies where parent_id = ${parent ?? ""}`;
    expect(row?.n).toBe(200);
  });

  it("tells once of a queue that is not there", async () => {
    await expect(enqueue(3, { request: runRequest({ queue: "nowhere" }) })).rejects.toThrow(NotFoundError);
  });

  it("gives the same batch for the same key and request, of calls at once too, and refuses another request", async () => {
    const calls = await Promise.all([1, 2, 3].map(() => enqueue(2, { key: "sweep-1" })));
    expect(new Set(calls.map(({ batchId }) => batchId)).size).toBe(1);
    expect(calls.filter(({ replayed }) => !replayed)).toHaveLength(1);
    await expect(enqueue(3, { key: "sweep-1" })).rejects.toThrow(IdempotencyConflictError);
    const [row] = await db.sql`select count(*)::int as jobs from jobs where batch_id = ${calls[0]?.batchId ?? ""}`;
    expect(row).toEqual({ jobs: 2 });
  });
});

describe("completion", () => {
  it("completes a batch once when its last jobs end at once and several processes look", async () => {
    const { batchId, jobs } = await made(2);
    const attempts = [];
    for (const id of jobs) attempts.push({ id, attempt: (await startJob(db, id))?.attempt ?? 0, data: {} });
    await completeBatches(context, null);
    expect(await read(batchId)).toEqual({ outcome: null, completed: false });
    await Promise.all(attempts.map((move) => db.sql.begin((tx) => transition(tx, backend, "succeed", [move]))));
    await Promise.all(Array.from({ length: 4 }, () => completeBatches(context, null)));
    expect(await read(batchId)).toEqual({ outcome: "succeeded", completed: true });
    const counts = { succeeded: 2 };
    expect((await eventsOf(batchId)).map(({ type }) => type)).toEqual(["batch.enqueued", "batch.completed"]);
    expect((await eventsOf(batchId))[1]).toEqual({
      seq: 2,
      type: "batch.completed",
      data: { outcome: "succeeded", counts },
    });
  });

  it("leaves a batch open whose job gets another life at that very moment", async () => {
    const { batchId, jobs } = await made(1);
    await end(jobs, "fail");
    const held = Promise.withResolvers<void>();
    const requeued = Promise.withResolvers<void>();
    const requeue = db.sql.begin(async (tx) => {
      const move = { id: jobs[0] ?? "", attempt: 1, data: { actor: "tester", reason: null }, expiresAt: null };
      await transition(tx, backend, "requeue", [move]);
      requeued.resolve();
      await held.promise;
    });
    await requeued.promise;
    // The batch is locked by the requeue, which nobody sees yet: whoever looks leaves it for the next look.
    expect(await completeBatch(context, batchId)).toBe(false);
    held.resolve();
    await requeue;
    expect(await completeBatch(context, batchId)).toBe(false);
    expect(await read(batchId)).toEqual({ outcome: null, completed: false });
  });

  it("is undone by a requeue that had to wait for it", async () => {
    const { batchId, jobs, last } = await made(1, { onComplete: { ...waiting, when: "ended" } });
    await end(jobs, "fail");
    // Holds the job that waits, and with it the completion, until both wait: completion for it, the requeue for the batch.
    const held = Promise.withResolvers<void>();
    const locked = Promise.withResolvers<void>();
    const holder = db.sql.begin(async (tx) => {
      await tx`select from batches where id = ${batchId} for no key update`;
      await tx`update batches set completed_at = queue_now(), outcome = 'failed' where id = ${batchId}`;
      locked.resolve();
      await held.promise;
    });
    await locked.promise;
    const requeue = requeueJob(context, tester, { jobId: jobs[0] ?? "", reason: null, expiresAt: null });
    await waitingForLock(db);
    held.resolve();
    await Promise.all([holder, requeue]);
    expect(await read(batchId)).toEqual({ outcome: null, completed: false });
    expect((await eventsOf(batchId)).map(({ type }) => type)).toEqual(["batch.enqueued", "batch.reopened"]);
    expect(await stateOf(last)).toBe("blocked");
  });

  it("runs the job that waits when all have succeeded, and cancels it with the batch's name when some have not", async () => {
    const good = await made(2, { onComplete: waiting });
    const bad = await made(2, { onComplete: waiting });
    const cleanup = await made(1, { onComplete: { ...waiting, when: "failed" } });
    expect(await stateOf(good.last)).toBe("blocked");
    await end(good.jobs, "succeed");
    await end(bad.jobs.slice(0, 1), "succeed");
    await end(bad.jobs.slice(1), "fail");
    await end(cleanup.jobs, "fail");
    for (const { batchId } of [good, bad, cleanup]) expect(await completeBatch(context, batchId)).toBe(true);
    expect(await stateOf(good.last)).toBe("queued");
    expect(await stateOf(cleanup.last)).toBe("queued");
    expect(await stateOf(bad.last)).toBe("cancelled");
    const [event] = await db.sql<{ data: { reason: string } }[]>`
      select data from events where job_id = ${bad.last} and type = 'job.cancelled'`;
    expect(event?.data.reason).toMatch(/^bat_\w{26}, which it waited for, has failed$/);
  });
});

describe("cancel and requeue", () => {
  it("cancels what has not ended, requeues what did not succeed, and is complete again", async () => {
    const { batchId, jobs } = await made(3);
    await end(jobs.slice(0, 1), "succeed");
    const reason = "wrong city";
    const cancelled = await actOnBatch(context, tester, batchId, { verb: "cancel", reason });
    expect(cancelled.done).toEqual(jobs.slice(1));
    expect(await completeBatch(context, batchId)).toBe(true);
    expect(await read(batchId)).toEqual({ outcome: "cancelled", completed: true });

    const requeued = await actOnBatch(context, tester, batchId, { verb: "requeue", reason: null });
    expect(requeued.done).toEqual(jobs.slice(1));
    expect(await read(batchId)).toEqual({ outcome: null, completed: false });
    const [progress] = await readBatchProgress(db.sql, [batchId]);
    expect(progress).toEqual({ counts: { succeeded: 1, queued: 2 }, done: 1, total: 3 });
    await end(jobs.slice(1), "succeed");
    expect(await completeBatch(context, batchId)).toBe(true);
    expect((await eventsOf(batchId)).map(({ seq, type }) => `${seq} ${type}`)).toEqual([
      "1 batch.enqueued",
      "2 batch.cancel_requested",
      "3 batch.completed",
      "4 batch.requeued",
      "5 batch.reopened",
      "6 batch.completed",
    ]);
  });

  it("does nothing and records nothing when there is nothing to do", async () => {
    const { batchId, jobs } = await made(1);
    await end(jobs, "succeed");
    expect(await actOnBatch(context, tester, batchId, { verb: "requeue", reason: null })).toEqual({
      done: [],
      problems: [],
    });
    expect(await eventsOf(batchId)).toHaveLength(1);
    await expect(actOnBatch(context, tester, db.ids.next(), { verb: "cancel", reason: null })).rejects.toThrow(
      NotFoundError,
    );
  });
});

describe("progress", () => {
  it("tells since when it runs, and the time that is left by how fast the others have ended", async () => {
    const { batchId, jobs } = await made(4);
    expect(await readBatchTimes(context, [batchId])).toEqual([{ startedAt: null, leftMs: null }]);
    await end(jobs.slice(0, 2), "succeed");
    await db.sql`update jobs set started_at = queue_now() - interval '10 seconds' where id = any(${jobs.slice(0, 2)}::uuid[])`;
    const [times] = await readBatchTimes(context, [batchId]);
    expect(times?.startedAt).toEqual(expect.any(Date));
    expect(times?.leftMs).toBeGreaterThanOrEqual(9_990);
    expect(times?.leftMs).toBeLessThan(12_000);
    await end(jobs.slice(2), "succeed");
    expect((await readBatchTimes(context, [batchId]))[0]?.leftMs).toBeNull();
  });

  it("counts jobs that were deleted as done, and forgets the batch when none is left and it is complete", async () => {
    const { batchId, jobs } = await made(2);
    await end(jobs, "succeed");
    await db.sql`delete from jobs where id = ${jobs[0] ?? ""}`;
    expect(await readBatchProgress(db.sql, [batchId])).toMatchObject([{ counts: { succeeded: 1 }, done: 2, total: 2 }]);
    await completeBatch(context, batchId);
    await pruneBatches(db.sql);
    expect(await read(batchId)).toEqual({ outcome: "succeeded", completed: true });
    await db.sql`delete from jobs where id = ${jobs[1] ?? ""}`;
    await pruneBatches(db.sql);
    expect(await read(batchId)).toBeUndefined();
  });

  it("keeps a batch as long as its key is good, and forgets a bounded number at a time", async () => {
    const { batchId, jobs } = await made(1, { key: "for a day" });
    await end(jobs, "succeed");
    await completeBatch(context, batchId);
    await db.sql`delete from jobs where id = ${jobs[0] ?? ""}`;
    await pruneAll();
    expect(await read(batchId)).toBeDefined();
    await db.sql`update batches set created_at = queue_now() - interval '25 hours' where id = ${batchId}`;
    await db.sql`
      insert into batches (id, total, actor, fingerprint, created_at, opened_at, completed_at, outcome, last_seq)
      select gen_random_uuid(), 1, 'many', 'f', queue_now(), queue_now(), queue_now(), 'succeeded', 0
      from generate_series(1, ${2 * pruneBatchesAtOnce}::int)`;
    expect(await pruneBatches(db.sql)).not.toBeNull();
    const [left] = await db.sql`select count(*)::int as n from batches where actor = 'many'`;
    expect(left?.n).toBeGreaterThanOrEqual(pruneBatchesAtOnce);
    await pruneAll();
    expect(await read(batchId)).toBeUndefined();
    expect(await db.sql`select from batches where actor = 'many'`).toHaveLength(0);
  });
});

async function pruneAll(): Promise<void> {
  for (let after = await pruneBatches(db.sql); after !== null; ) after = await pruneBatches(db.sql, after);
}
