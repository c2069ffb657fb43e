import { afterAll, beforeAll, expect, it } from "vitest";
import { enqueueJob } from "../../src/jobs/enqueue.ts";
import { type Ground, openGround, requestOf } from "../support/ground.ts";

/** One worker with one slot: what waits, waits for it. */
let ground: Ground;

beforeAll(async () => {
  ground = await openGround();
  await ground.worker({ slots: 1 }).said("ready");
});

afterAll(() => ground[Symbol.asyncDispose]());

it("takes the job with the highest priority first, and expires what was not started in time", async () => {
  const busy = await ground.enqueue("sleeps", { seconds: 0.5 });
  await busy.event("node.started", { node: "morning" });
  const late = await ground.enqueue("sleeps", { seconds: 0 }, { expiresAt: new Date(ground.db.now() + 400) });
  const low = await ground.enqueue("sleeps", { seconds: 0 }, { priority: 10 });
  const usual = await ground.enqueue("sleeps", { seconds: 0 });
  const high = await ground.enqueue("sleeps", { seconds: 0 }, { priority: 90 });
  expect(await late.ended()).toMatchObject({ state: "expired", attempt: 0 });
  for (const job of [busy, high, usual, low]) expect(await job.ended()).toMatchObject({ state: "succeeded" });
  const started = await Promise.all([high, usual, low].map(async (job) => (await job.event("job.started")).id));
  expect(started).toEqual(started.toSorted((a, b) => Number(a - b)));
}, 60_000);

it("queues a job when it is due, not earlier and not much later", async () => {
  const runAt = new Date(Math.ceil(ground.db.now()) + 1500);
  const job = await ground.enqueue("sleeps", { seconds: 0 }, { runAt });
  expect(await job.row()).toMatchObject({ state: "scheduled", attempt: 0 });
  expect(await job.ended()).toMatchObject({ state: "succeeded", attempt: 1 });
  const queued = await job.event("job.queued");
  const lateMs = queued.recordedAt.getTime() - runAt.getTime();
  console.log(`a job was queued ${lateMs} ms after it was due`);
  expect(lateMs).toBeGreaterThanOrEqual(0);
  expect(lateMs).toBeLessThan(2000);
}, 60_000);

it("makes one job of fifty equal requests at once, and runs it once", async () => {
  const request = requestOf("sleeps", { seconds: 0 }, { idempotencyKey: "only once" });
  const answers = await Promise.all(
    Array.from({ length: 50 }, () => enqueueJob(ground.jobs, { name: "test", requestId: null }, request)),
  );
  expect(new Set(answers.map(({ jobId }) => jobId)).size).toBe(1);
  expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1);
  const job = ground.follow(answers[0]?.jobId ?? "");
  expect(await job.ended()).toMatchObject({ state: "succeeded", attempt: 1 });
  const again = await enqueueJob(ground.jobs, { name: "test", requestId: null }, request);
  expect(again).toEqual({ jobId: job.id, replayed: true });
  expect(await job.row()).toMatchObject({ state: "succeeded", attempt: 1 });
}, 60_000);
