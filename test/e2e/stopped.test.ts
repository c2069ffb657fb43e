import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { expect, it } from "vitest";
import { idText } from "../../src/domain/ids.ts";
import { type FollowedJob, type Ground, openGround } from "../support/ground.ts";
import { allGone, type TestProcess, until } from "../support/processes.ts";

/** Instead of 30 s, so that the test need not wait as long. */
const leaseMs = 2500;
const rescue = { leaseMs, lookMs: 200 };

it("takes a run from a worker that was stopped beyond its lease, which ends it, and comes back as a new worker", async () => {
  await using ground = await openGround();
  const { stopped, other, workerId, job, runtime, file } = await stopTheWorkerOf(ground, { seconds: 7 });
  await job.event("job.started", { attempt: 2 });
  stopped.signal("SIGCONT");
  const superseded = await stopped.said("attempt superseded");
  expect(superseded.job).toBe(idText("job", job.id));
  // What it does is no longer wanted: it is killed in the middle of its sleep.
  await allGone([runtime]);
  expect(await job.row()).toMatchObject({ state: "running", attempt: 2 });

  expect(await job.ended()).toMatchObject({ state: "succeeded", attempt: 2, losses: 1 });
  const attempts = await job.attempts();
  expect(attempts.map(({ outcome, errorKind }) => [outcome, errorKind])).toEqual([
    ["rescue", "WORKER_LOST"],
    ["succeed", null],
  ]);
  // Its process was there and held its lock: only the lease has told.
  expect(attempts[0]?.error?.message).toMatch(/not been heard of for \d/);
  expect((await readFile(file, "utf8")).trim().split("\n")).toHaveLength(2);

  other.signal("SIGTERM");
  expect(await other.ended()).toEqual({ code: 0, signal: null });
  const next = await ground.enqueue("sleeps", { seconds: 0 });
  expect(await next.ended()).toMatchObject({ state: "succeeded", attempt: 1 });
  expect((await next.event("job.started")).data).not.toEqual({ worker: workerId });
}, 90_000);

it("refuses the end of a run that has finished while its worker was stopped beyond its lease", async () => {
  await using ground = await openGround();
  const { stopped, job, file } = await stopTheWorkerOf(ground, { seconds: 0.5 });
  expect(await job.ended()).toMatchObject({ state: "succeeded", attempt: 2, losses: 1 });
  const { length } = job.events;
  stopped.signal("SIGCONT");
  await until(
    () => stopped.lines.some(({ message }) => refusals.includes(message)),
    "the late end is refused and logged",
  );

  expect(await job.row()).toMatchObject({ state: "succeeded", attempt: 2, losses: 1 });
  expect(await job.results()).toEqual({ done: expect.stringMatching(/ 2 \d+$/) });
  const late = ground.follow(job.id);
  await late.ended();
  expect(late.events).toHaveLength(length);
  expect((await readFile(file, "utf8")).trim().split("\n")).toHaveLength(2);
}, 90_000);

it("keeps its runs when its connections are cut: it is back before anybody takes it for dead", async () => {
  await using ground = await openGround();
  const workers = [ground.worker({ rescue, heartbeatMs: 2000 }), ground.worker({ rescue, heartbeatMs: 2000 })];
  await Promise.all(workers.map((worker) => worker.said("ready")));
  const file = join(ground.folder, "marks");
  const job = await ground.enqueue("sideeffect", { file, seconds: 8 }, { onWorkerLost: "retry" });
  await job.event("node.started", { node: "waited" });
  // Those who look trust the locks and heartbeats of others only after a lease of their own.
  await delay(leaseMs);
  const [cut] = await ground.db.sql<{ connections: number }[]>`
    select count(pg_terminate_backend(pid))::int as connections from pg_stat_activity
    where datname = current_database() and application_name like 'flowerpower-queue worker %'`;
  expect(cut?.connections).toBe(2);

  expect(await job.ended()).toMatchObject({ state: "succeeded", attempt: 1, losses: 0 });
  expect((await readFile(file, "utf8")).trim().split("\n")).toHaveLength(1);
  await nobodyWasGivenUp(ground, workers, job);
}, 60_000);

it("lets a run go on when the whole system was stopped for longer than the lease, and its effect happens once", async () => {
  await using ground = await openGround();
  const workers = [ground.worker({ rescue }), ground.worker({ rescue })];
  await Promise.all(workers.map((worker) => worker.said("ready")));
  const file = join(ground.folder, "marks");
  const job = await ground.enqueue("sideeffect", { file, seconds: 1.5 }, { onWorkerLost: "retry" });
  await job.event("node.started", { node: "waited" });
  const all = workers.flatMap((worker) => [...worker.family().map(({ pid }) => pid), worker.pid]);
  for (const pid of all) process.kill(pid, "SIGSTOP");
  await until(
    async () => (await quietMs(ground)) > leaseMs + 1500,
    "nobody was heard of for more than a lease",
    20_000,
  );
  for (const pid of all) process.kill(pid, "SIGCONT");

  expect(await job.ended()).toMatchObject({ state: "succeeded", attempt: 1, losses: 0 });
  expect((await readFile(file, "utf8")).trim().split("\n")).toHaveLength(1);
  await nobodyWasGivenUp(ground, workers, job);
}, 60_000);

/** Which it logs depends on whether its heartbeat or the end of the run is heard first. */
const refusals = ["late end refused", "attempt superseded"];

/** Two workers and a run, whose worker is stopped in the middle of it and is not continued. */
async function stopTheWorkerOf(ground: Ground, { seconds }: { seconds: number }) {
  const workers = [ground.worker({ rescue }), ground.worker({ rescue })] as const;
  const ids = (await Promise.all(workers.map((worker) => worker.said("ready")))).map(({ worker }) => worker);
  const file = join(ground.folder, "marks");
  const job = await ground.enqueue("sideeffect", { file, seconds }, { onWorkerLost: "retry" });
  const started = await job.event("job.started");
  const { worker: workerId } = started.data as { worker: string };
  const [stopped, other] = ids.indexOf(workerId) === 0 ? workers : [workers[1], workers[0]];
  await job.event("node.started", { node: "waited" });
  const pid = Number((await readFile(file, "utf8")).trim().split(" ")[2]);
  const runtime = stopped.family().find((one) => one.pid === pid);
  if (runtime === undefined) throw new Error("The run's process is none of its worker's.");
  stopped.signal("SIGSTOP");
  return { stopped, other, workerId, job, runtime, file };
}

/** For how long no worker has been heard of. */
async function quietMs(ground: Ground): Promise<number> {
  const [row] = await ground.db.sql<{ ms: number }[]>`
    select extract(epoch from queue_now() - max(heartbeat_at))::float8 * 1000 as ms from workers`;
  return row?.ms ?? 0;
}

async function nobodyWasGivenUp(ground: Ground, workers: TestProcess[], job: FollowedJob): Promise<void> {
  const dead = await ground.db.sql`select id from workers where state = 'dead'`;
  expect(dead).toEqual([]);
  expect(workers.flatMap(({ lines }) => lines.filter(({ message }) => message === "attempt superseded"))).toEqual([]);
  expect(await job.attempts()).toHaveLength(1);
}
