import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { graphileWorker as backend } from "../../src/backends/graphile-worker/backend.ts";
import { connect, type Database } from "../../src/db/client.ts";
import { JobStateError, NotFoundError } from "../../src/domain/errors.ts";
import { idText } from "../../src/domain/ids.ts";
import { finalStates, type JobState } from "../../src/domain/lifecycle.ts";
import { cancelJob } from "../../src/jobs/cancel.ts";
import { endLostAttempts } from "../../src/worker/rescue.ts";
import { type End, openWrites, type Started } from "../../src/worker/writes.ts";
import { testDatabase } from "../support/database.ts";
import { insertJob, insertWorker } from "../support/factories.ts";
import { jobsContext, silentWakeups, tester } from "../support/jobs.ts";
import { queuedJob, runningJob, startJob, waitingForLock } from "../support/running.ts";
import { ticketsOf } from "../support/tickets.ts";

let db: Database;
/** Another process. */
let other: Database;

beforeAll(async () => {
  db = await testDatabase();
  other = await connect(db.url, { max: 2, maxReads: 1 });
});

afterAll(async () => {
  await other?.[Symbol.asyncDispose]();
  await db?.[Symbol.asyncDispose]();
});

const cancel = (jobId: string, reason: string | null = "wrong day") =>
  cancelJob(jobsContext(db), tester, { jobId, reason });

async function read(jobId: string) {
  const [job] = await db.sql<{ state: JobState; requested: boolean; attempt: number }[]>`
    select state, cancel_requested_at is not null as requested, attempt from jobs where id = ${jobId}`;
  const events = await db.sql<{ seq: number; type: string; data: unknown }[]>`
    select seq, type, data from events where job_id = ${jobId} order by seq`;
  const audited = await db.sql`
    select actor, action, request_id, data from audit where target = ${idText("job", jobId)} and action = 'job.cancel'`;
  return { ...job, events, types: events.map(({ type }) => type), audited };
}

describe("cancelJob", () => {
  it.each(["scheduled", "blocked", "queued", "retryable"] as const)("ends a job that is %s at once", async (state) => {
    const id = await insertJob(db, { state });
    await cancel(id);
    const job = await read(id);
    expect(job).toMatchObject({ state: "cancelled", requested: false });
    expect(job.events.at(-1)).toMatchObject({
      type: "job.cancelled",
      data: { actor: "tester", reason: "wrong day" },
    });
    expect(job.audited).toEqual([
      { actor: "tester", action: "job.cancel", request_id: "req-1", data: { reason: "wrong day" } },
    ]);
  });

  it("takes the ticket of a queued job back", async () => {
    const id = await queuedJob(db);
    await cancel(id);
    expect(await ticketsOf(db.sql, id)).toEqual([]);
    expect(await startJob(db, id)).toBeNull();
  });

  it("asks the worker of a running job to stop it, once however often it is asked", async () => {
    const { jobId } = await runningJob(db);
    const context = jobsContext(db);
    for (const reason of ["first", "second", null]) await cancelJob(context, tester, { jobId, reason });
    const job = await read(jobId);
    expect(job).toMatchObject({ state: "running", requested: true });
    expect(job.types).toEqual(["job.enqueued", "job.started", "job.cancel_requested"]);
    expect(job.events.at(-1)?.data).toEqual({ actor: "tester", reason: "first" });
    expect(job.audited).toHaveLength(1);
    expect(context.wakeups.rung).toEqual(["events", "cancel"]);
  });

  it.each(finalStates)("refuses a job that is %s, and writes nothing", async (state) => {
    const id = await insertJob(db, { state });
    const before = await read(id);
    await expect(cancel(id)).rejects.toBeInstanceOf(JobStateError);
    await expect(cancel(id)).rejects.toMatchObject({ code: "CONFLICT", state });
    expect(await read(id)).toEqual(before);
  });

  it("refuses a job that does not exist", async () => {
    await expect(cancel(db.ids.next())).rejects.toBeInstanceOf(NotFoundError);
  });

  it("is done once by many who ask at once", async () => {
    const id = await queuedJob(db);
    const answers = await Promise.allSettled(Array.from({ length: 10 }, () => cancel(id)));
    expect(answers.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    expect((await read(id)).types).toEqual(["job.enqueued", "job.cancelled"]);
  });
});

const error = { kind: "PIPELINE" as const, type: "KeyError", message: "'x'", node: null };

/** How an attempt may end, and what the job is then: without a cancel, and with one before it. */
const ends: [End["name"], End["move"]["data"], JobState, JobState][] = [
  ["succeed", {}, "succeeded", "succeeded"],
  ["fail", { error }, "failed", "cancelled"],
  ["retry", { error, failures: 1, maxAttempts: 3, runAt: new Date().toISOString() }, "retryable", "cancelled"],
  ["release", { reason: "the worker stopped" }, "queued", "cancelled"],
  ["rescue", { error, losses: 1 }, "queued", "cancelled"],
  ["stop", { actor: "tester", reason: null }, "cancelled", "cancelled"],
];

function end(on: Database, { jobId, attempt, runToken }: Started, name: End["name"], data: End["move"]["data"]) {
  return openWrites(on, backend, silentWakeups()).end({
    name,
    move: { id: jobId, attempt, data },
    runToken,
    artifacts: [],
    storedMs: null,
  });
}

/** Holds the job's row, lets both begin in this order, and lets go: they get the row in the order in which they came. */
async function inOrder<A, B>(jobId: string, first: () => Promise<A>, second: () => Promise<B>) {
  let both: Promise<[PromiseSettledResult<A>, PromiseSettledResult<B>]> | undefined;
  await other.sql.begin(async (tx) => {
    await tx`select 1 from jobs where id = ${jobId} for update`;
    const one = first();
    one.catch(() => {});
    await waitingForLock(db, 1);
    both = Promise.allSettled([one, second()]);
    await waitingForLock(db, 2);
  });
  return await (both as NonNullable<typeof both>);
}

describe.each(ends)("a cancel and an attempt's end by %s", (name, data, alone, cancelled) => {
  it("the cancel first: the end obeys it, and tells who asked", async () => {
    const started = await runningJob(db);
    const [asked, ended] = await inOrder(
      started.jobId,
      () => cancel(started.jobId, "first"),
      () => end(db, started, name, data),
    );
    expect(asked.status).toBe("fulfilled");
    expect(ended).toEqual({ status: "fulfilled", value: cancelled });
    const job = await read(started.jobId);
    expect(job).toMatchObject({ state: cancelled, attempt: 1 });
    if (cancelled === "cancelled" && name !== "stop") {
      expect(job.events.at(-1)).toMatchObject({ type: "job.cancelled", data: { actor: "tester", reason: "first" } });
    }
    expect(await ticketsOf(db.sql, started.jobId)).toEqual([]);
    expect(await startJob(db, started.jobId)).toBeNull();
  });

  it("the end first: what is left to cancel is cancelled, the rest is told", async () => {
    const started = await runningJob(db);
    const [ended, asked] = await inOrder(
      started.jobId,
      () => end(db, started, name, data),
      () => cancel(started.jobId, "second"),
    );
    expect(ended).toEqual({ status: "fulfilled", value: alone });
    const isOver = (finalStates as readonly JobState[]).includes(alone);
    expect(asked.status).toBe(isOver ? "rejected" : "fulfilled");
    const job = await read(started.jobId);
    expect(job.state).toBe(isOver ? alone : "cancelled");
    expect(job.events.map(({ seq }) => seq)).toEqual(job.events.map((_, i) => i + 1));
    expect(job.types.filter((type) => ["job.succeeded", "job.failed", "job.cancelled"].includes(type))).toHaveLength(1);
    expect(await ticketsOf(db.sql, started.jobId)).toEqual([]);
    expect(await startJob(db, started.jobId)).toBeNull();
  });
});

describe("a cancel and a start", () => {
  const start = async (id: string, workerId: string) => (await startJob(db, id, workerId)) !== null;

  it("the cancel first: the job never runs", async () => {
    const [id, worker] = [await queuedJob(db), await insertWorker(db.sql)];
    const [asked, started] = await inOrder(
      id,
      () => cancel(id),
      () => start(id, worker),
    );
    expect([asked.status, started]).toEqual(["fulfilled", { status: "fulfilled", value: false }]);
    expect((await read(id)).types).toEqual(["job.enqueued", "job.cancelled"]);
  });

  it("the start first: its worker is asked to stop", async () => {
    const [id, worker] = [await queuedJob(db), await insertWorker(db.sql)];
    const [started, asked] = await inOrder(
      id,
      () => start(id, worker),
      () => cancel(id),
    );
    expect([asked.status, started]).toEqual(["fulfilled", { status: "fulfilled", value: true }]);
    expect((await read(id)).types).toEqual(["job.enqueued", "job.started", "job.cancel_requested"]);
  });
});

describe("a cancel and a rescue", () => {
  const rescue = (workerId: string) =>
    db.sql.begin((tx) => endLostAttempts(tx, backend, workerId, "its process has ended"));

  it("the cancel first: the lost attempt ends as cancelled", async () => {
    const worker = await insertWorker(db.sql);
    const { jobId } = await runningJob(db, {}, worker);
    await inOrder(
      jobId,
      () => cancel(jobId),
      () => rescue(worker),
    );
    expect(await read(jobId)).toMatchObject({ state: "cancelled", attempt: 1 });
  });

  it("the rescue first: the job that waits again is cancelled", async () => {
    const worker = await insertWorker(db.sql);
    const { jobId } = await runningJob(db, {}, worker);
    await inOrder(
      jobId,
      () => rescue(worker),
      () => cancel(jobId),
    );
    const job = await read(jobId);
    expect(job).toMatchObject({ state: "cancelled", attempt: 1 });
    expect(job.types).toEqual(["job.enqueued", "job.started", "job.rescued", "job.cancelled"]);
    expect(await ticketsOf(db.sql, jobId)).toEqual([]);
  });
});
