import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { openGround } from "../support/ground.ts";
import { allGone } from "../support/processes.ts";

it("runs the job of a killed worker again on another one, within seconds, and leaves nothing of the old run", async () => {
  await using ground = await openGround();
  const workers = [1, 2, 3].map(() => ground.worker());
  const ids = (await Promise.all(workers.map((worker) => worker.said("ready")))).map(({ worker }) => worker);
  const file = join(ground.folder, "marks");
  const job = await ground.enqueue("sideeffect", { file, seconds: 2 }, { onWorkerLost: "retry" });

  // Twice: the second time the worker that has taken over is killed too.
  for (const attempt of [1, 2]) {
    await job.event("node.started", { node: "waited", attempt });
    const started = await job.event("job.started", { attempt });
    const victim = workers[ids.indexOf((started.data as { worker: string }).worker)];
    if (victim === undefined) throw new Error("The worker that runs the job is none of ours.");
    const family = victim.family();
    expect(family.length).toBeGreaterThan(0);
    const killedAt = Date.now();
    victim.signal("SIGKILL");
    const again = await job.event("job.started", { attempt: attempt + 1 });
    const recoveryMs = again.recordedAt.getTime() - killedAt;
    console.log(`kill -9 of a worker: its job ran again after ${recoveryMs} ms`);
    expect(recoveryMs).toBeLessThan(15_000);
    await allGone(family);
  }

  expect(await job.ended()).toMatchObject({ state: "succeeded", attempt: 3, failures: 0, losses: 2 });
  const attempts = await job.attempts();
  expect(attempts.map(({ outcome, errorKind }) => [outcome, errorKind])).toEqual([
    ["rescue", "WORKER_LOST"],
    ["rescue", "WORKER_LOST"],
    ["succeed", null],
  ]);
  expect(attempts[0]?.error).toMatchObject({ type: "WorkerLost", node: "waited" });
  expect(new Set(attempts.map(({ workerId }) => workerId)).size).toBe(3);
  // Once for each attempt, which knows its number: what the docs say of retries.
  const marks = (await readFile(file, "utf8")).trim().split("\n");
  expect(marks.map((mark) => mark.split(" ")[1])).toEqual(["1", "2", "3"]);
}, 120_000);

it("ends the job of a killed worker at once where nothing may run twice", async () => {
  await using ground = await openGround();
  const [first, second] = [ground.worker(), ground.worker()];
  await Promise.all([first.said("ready"), second.said("ready")]);
  const file = join(ground.folder, "marks");
  const job = await ground.enqueue("sideeffect", { file, seconds: 60 });
  await job.event("node.started", { node: "waited" });
  const { workerId } = await job.row();
  const [row] = await ground.db.sql<{ pid: number }[]>`select pid from workers where id = ${workerId}`;
  const victim = [first, second].find(({ pid }) => pid === row?.pid);
  victim?.signal("SIGKILL");

  expect(await job.ended()).toMatchObject({ state: "failed", attempt: 1, losses: 1, errorKind: "WORKER_LOST" });
  const [attempt] = await job.attempts();
  expect(attempt?.error?.hint).toContain("onWorkerLost is fail");
  expect((await readFile(file, "utf8")).trim().split("\n")).toHaveLength(1);
}, 60_000);
