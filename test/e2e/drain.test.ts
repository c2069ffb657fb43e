import { existsSync } from "node:fs";
import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { expect, it } from "vitest";
import { openGround } from "../support/ground.ts";
import { until } from "../support/processes.ts";
import { examples } from "../support/runtimes.ts";

it("finishes what runs when it is told to stop, takes nothing more, and leaves with code 0", async () => {
  await using ground = await openGround();
  const worker = ground.worker({ slots: 2 });
  await worker.said("ready");
  const running = await ground.enqueue("sleeps", { seconds: 1 });
  await running.event("node.started", { node: "morning" });
  worker.signal("SIGTERM");
  await worker.said("signal");
  // A second after the signal at the latest its free slot must stay empty: that is what is promised.
  await delay(1000);
  const waiting = await ground.enqueue("sleeps", { seconds: 0.1 });

  expect(await running.ended()).toMatchObject({ state: "succeeded", attempt: 1 });
  expect(await worker.ended()).toEqual({ code: 0, signal: null });
  expect(await waiting.row()).toMatchObject({ state: "queued", attempt: 0 });
  await ground.processes.nothingLeft();
  const [left] = await ground.db.sql`select state, ended_at is not null as ended from workers`;
  expect(left).toEqual({ state: "stopped", ended: true });

  ground.worker();
  expect(await waiting.ended()).toMatchObject({ state: "succeeded", attempt: 1 });
}, 60_000);

it("does so too while a module that it reads takes its time to import", async () => {
  await using ground = await openGround();
  const dir = join(ground.folder, "faults");
  await cp(join(examples, "faults"), dir, { recursive: true });
  const worker = ground.worker({ projects: [{ name: "faults", dir }] });
  await worker.said("ready");
  const imported = join(ground.folder, "imported");
  await writeFile(
    join(dir, "pipelines/slow.py"),
    `import time\nopen(${JSON.stringify(imported)}, "w").close()\ntime.sleep(25)\ndef value() -> int:\n    return 1\n`,
  );
  await writeFile(join(dir, "conf/pipelines/slow.yml"), "run:\n  final_vars: [value]\n");
  await until(() => existsSync(imported), "the changed project is read");
  worker.signal("SIGTERM");
  await worker.said("signal");
  await delay(1000);
  const job = await ground.enqueue("sleeps", { seconds: 0 });
  expect(await worker.ended(5000)).toEqual({ code: 0, signal: null });
  expect(await job.row()).toMatchObject({ state: "queued", attempt: 0 });
}, 60_000);

it("hands back uncounted what does not finish in time, and another worker does it", async () => {
  await using ground = await openGround();
  const first = ground.worker({ graceMs: 300 });
  await first.said("ready");
  const job = await ground.enqueue("sleeps", { seconds: 0.7 });
  await job.event("node.started", { node: "noon" });
  first.signal("SIGTERM");
  const handedBack = await job.event("job.released");
  expect(handedBack.data).toEqual({ reason: "the worker stopped" });
  expect(await first.ended()).toEqual({ code: 0, signal: null });
  expect(await job.row()).toMatchObject({ state: "queued", attempt: 1, failures: 0, losses: 0 });
  await ground.processes.nothingLeft();

  ground.worker();
  expect(await job.ended()).toMatchObject({ state: "succeeded", attempt: 2, failures: 0, losses: 0 });
  const attempts = await job.attempts();
  expect(attempts.map(({ outcome, errorKind }) => [outcome, errorKind])).toEqual([
    ["release", null],
    ["succeed", null],
  ]);
}, 60_000);

it("ends now when it is told twice, whatever grace is left", async () => {
  await using ground = await openGround();
  const worker = ground.worker();
  await worker.said("ready");
  const job = await ground.enqueue("sleeps", { seconds: 60 });
  await job.event("node.started", { node: "morning" });
  worker.signal("SIGTERM");
  await worker.said("signal");
  expect(await job.row()).toMatchObject({ state: "running" });
  const toldAt = performance.now();
  worker.signal("SIGTERM");
  expect(await worker.ended()).toEqual({ code: 0, signal: null });
  expect(performance.now() - toldAt).toBeLessThan(8_000);
  expect(await job.row()).toMatchObject({ state: "queued", attempt: 1, failures: 0, losses: 0 });
}, 60_000);

it("ends a job that may not run twice as stopped by drain, once a node has begun", async () => {
  await using ground = await openGround();
  const worker = ground.worker({ graceMs: 300 });
  await worker.said("ready");
  const file = join(ground.folder, "marks");
  const job = await ground.enqueue("sideeffect", { file, seconds: 60 });
  await job.event("node.started", { node: "waited" });
  worker.signal("SIGTERM");
  expect(await job.ended()).toMatchObject({ state: "failed", attempt: 1, failures: 0, losses: 0 });
  expect(await worker.ended()).toEqual({ code: 0, signal: null });
  const [attempt] = await job.attempts();
  expect(attempt?.error).toMatchObject({ type: "StoppedByDrain", message: expect.stringMatching(/^Stopped by drain/) });
  expect((await readFile(file, "utf8")).trim().split("\n")).toHaveLength(1);
}, 60_000);

it("is drained and not torn apart by a signal to its whole process group", async () => {
  await using ground = await openGround();
  const worker = ground.worker();
  await worker.said("ready");
  const job = await ground.enqueue("sleeps", { seconds: 0.7 });
  await job.event("node.started", { node: "morning" });
  const family = worker.family();
  worker.signalGroup("SIGINT");
  await worker.said("signal");
  await job.event("node.started", { node: "noon" });
  expect(family.filter((one) => !one.isAlive())).toEqual([]);
  expect(await job.ended()).toMatchObject({ state: "succeeded", attempt: 1 });
  expect(await worker.ended()).toEqual({ code: 0, signal: null });
  await ground.processes.nothingLeft();
}, 60_000);
