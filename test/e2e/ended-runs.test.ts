import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { cancelJob } from "../../src/jobs/cancel.ts";
import { type Ground, openGround } from "../support/ground.ts";

/** One worker for all of them: none of these hurts it. */
let ground: Ground;

beforeAll(async () => {
  ground = await openGround();
  await ground.worker({ slots: 1, grace: { softMs: 1000, interruptMs: 500 } }).said("ready");
});

afterAll(() => ground[Symbol.asyncDispose]());

const byAda = { name: "ada", requestId: null };

it("ends a call into C that holds Python's lock when its time is over", async () => {
  const job = await ground.enqueue("gil", { numbers: 100_000_000_000 }, { timeoutMs: 700 });
  const started = await job.event("job.started");
  expect(await job.ended()).toMatchObject({ state: "failed", attempt: 1, failures: 1, errorKind: "TIMEOUT" });
  const [attempt] = await job.attempts();
  expect(attempt?.error).toMatchObject({ node: "total", message: expect.stringContaining("killed") });
  const tookMs = (attempt?.endedAt?.getTime() ?? 0) - started.recordedAt.getTime();
  expect(tookMs).toBeGreaterThanOrEqual(700);
  expect(tookMs).toBeLessThan(15_000);
}, 60_000);

it("kills a run that does not stop by itself soon after its cancel, with reason and actor", async () => {
  const job = await ground.enqueue("gil", { numbers: 100_000_000_000 });
  await job.event("node.started", { node: "total" });
  const askedAt = performance.now();
  await cancelJob(ground.jobs, byAda, { jobId: job.id, reason: "wrong day" });
  expect(await job.ended()).toMatchObject({ state: "cancelled", attempt: 1 });
  expect(performance.now() - askedAt).toBeLessThan(10_000);
  expect(job.events.at(-1)?.data).toEqual({ actor: "ada", reason: "wrong day" });
  const [attempt] = await job.attempts();
  expect(attempt).toMatchObject({ outcome: "stop", errorKind: "CANCELLED" });
}, 60_000);

it("stops at the next node where the run lets it", async () => {
  const job = await ground.enqueue("sleeps", { seconds: 0.6 });
  await job.event("node.started", { node: "noon" });
  await cancelJob(ground.jobs, byAda, { jobId: job.id, reason: null });
  expect(await job.ended()).toMatchObject({ state: "cancelled", attempt: 1 });
  expect(job.types()).toContain("node.succeeded noon");
  expect(job.types()).not.toContain("node.started evening");
  expect(job.events.at(-1)?.data).toEqual({ actor: "ada", reason: null });
  // The runtime was not interrupted: it runs the next one.
  const next = await ground.enqueue("sleeps", { seconds: 0.01 });
  expect(await next.ended()).toMatchObject({ state: "succeeded" });
}, 60_000);

it("tries again with a growing delay, as often as the pipeline says, and keeps the job's id", async () => {
  const counter = join(ground.folder, "tries");
  const job = await ground.enqueue("flaky", { counter });
  expect(await job.ended()).toMatchObject({ state: "succeeded", attempt: 3, failures: 2, losses: 0 });
  expect(await readFile(counter, "utf8")).toBe("3");
  expect(await job.results()).toEqual({ succeeded_at: 3 });
  const attempts = await job.attempts();
  expect(attempts.map(({ outcome }) => outcome)).toEqual(["retry", "retry", "succeed"]);
  const delays = [0, 1].map(
    (i) => (attempts[i + 1]?.startedAt.getTime() ?? 0) - (attempts[i]?.endedAt?.getTime() ?? 0),
  );
  expect(delays[0]).toBeGreaterThanOrEqual(100);
  expect(delays[1]).toBeGreaterThanOrEqual(200);
  for (const delayMs of delays) expect(delayMs).toBeLessThan(5000);
  const planned = job.events.filter(({ type }) => type === "job.retry_planned");
  expect(planned.map(({ data }) => data)).toMatchObject([
    { failures: 1, maxAttempts: 6, error: { kind: "PIPELINE", node: "succeeded_at" } },
    { failures: 2, maxAttempts: 6 },
  ]);
}, 60_000);

it("does not try again what the retry's exceptions do not name", async () => {
  const counter = join(ground.folder, "no-tries");
  const retry = { maxRetries: 5, retryDelayMs: 10, retryExceptions: ["ValueError"] };
  const job = await ground.enqueue("flaky", { counter }, { retry });
  expect(await job.ended()).toMatchObject({ state: "failed", attempt: 1, failures: 1, errorKind: "PIPELINE" });
}, 60_000);

it("tries nothing again unless somebody has asked for it", async () => {
  const job = await ground.enqueue("branches", { fails_at: 3 });
  expect(await job.ended()).toMatchObject({ state: "failed", attempt: 1, failures: 1, errorKind: "PIPELINE" });
  const [attempt] = await job.attempts();
  expect(attempt?.error).toMatchObject({ type: "ValueError", node: "squared" });
}, 60_000);
