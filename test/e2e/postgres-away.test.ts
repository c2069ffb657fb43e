import { readFileSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import postgres from "postgres";
import { expect, it } from "vitest";
import { startEmbeddedPostgres } from "../../src/db/embedded/start.ts";
import { migrate } from "../../src/db/migrate.ts";
import { nothingRunsOn } from "../db/embedded-support.ts";
import { type FollowedJob, type Ground, openGround } from "../support/ground.ts";
import type { TestProcess } from "../support/processes.ts";

/** What is promised is that two minutes hurt nobody. */
const full = process.env.E2E_FULL === "1";
const outageMs = full ? 120_000 : 20_000;
if (!full) console.warn(`Postgres is away for ${outageMs / 1000} s only. With E2E_FULL=1 it is away for two minutes.`);

/** Far shorter than the outage: by their heartbeats, everybody looks dead when Postgres is back. */
const rescue = { leaseMs: 4000, lookMs: 500 };

it(
  "finishes runs while Postgres is stopped, and tells all of it when Postgres is back",
  async () => {
    await using server = await ownPostgres();
    await using ground = await openGround({ databaseUrl: server.url });
    const workers = [ground.worker({ rescue, slots: 2 }), ground.worker({ rescue })];
    const api = ground.processes.start(join(import.meta.dirname, "../support/server-process.ts"), [server.url]);
    const { url } = (await api.said("ready")) as unknown as { url: string };
    await Promise.all(workers.map((worker) => worker.said("ready")));
    const runs = await Promise.all([
      markingRun(ground, "ends-in-between", 3),
      markingRun(ground, "spans-it", outageMs / 1000 + 3),
    ]);
    for (const { job } of runs) await job.event("node.started", { node: "waited" });

    await server.stop();
    const [refused, tookMs] = await timed(() => ask(url));
    expect(refused).toMatchObject({ status: 503, code: "UNAVAILABLE" });
    expect(tookMs).toBeLessThan(2500);
    await delay(outageMs);
    await server.startAgain();
    const backAt = performance.now();

    const next = await enqueueSoon(ground);
    await next.event("job.started");
    const againMs = performance.now() - backAt;
    console.log(
      `Postgres was stopped for ${outageMs / 1000} s: a new job started ${Math.round(againMs)} ms after it was back`,
    );
    expect(againMs).toBeLessThan(10_000);
    expect(await next.ended()).toMatchObject({ state: "succeeded", attempt: 1 });
    expect(await ask(url)).toMatchObject({ status: 200 });
    await ranOnce(runs);
    await nobodyWasGivenUp(ground, workers);
  },
  120_000 + outageMs,
);

it("goes on when Postgres is killed: its first process, or only one of its sessions", async () => {
  await using server = await ownPostgres();
  await using ground = await openGround({ databaseUrl: server.url });
  // Heard of so seldom that the locks, which fall with the sessions, are noticed before the next heartbeat.
  const seldom = { rescue, heartbeatMs: 3000 };
  const workers = [ground.worker(seldom), ground.worker(seldom)];
  await Promise.all(workers.map((worker) => worker.said("ready")));
  // Longer than a lease: Postgres is trusted, and so are those who look for dead workers.
  await delay(rescue.leaseMs + 500);

  const kills: [string, () => Promise<number>][] = [
    ["postmaster", async () => server.postmaster()],
    ["session", () => aSessionOf(ground)],
  ];
  for (const [name, pid] of kills) {
    const run = await markingRun(ground, name, 5);
    await run.job.event("node.started", { node: "waited" });
    process.kill(await pid(), "SIGKILL");
    const killedAt = performance.now();
    const next = await enqueueSoon(ground);
    await next.event("job.started");
    const againMs = performance.now() - killedAt;
    console.log(`Postgres' ${name} was killed: a new job started ${Math.round(againMs)} ms later`);
    expect(againMs).toBeLessThan(10_000);
    expect(await next.ended()).toMatchObject({ state: "succeeded" });
    await ranOnce([run]);
  }
  await nobodyWasGivenUp(ground, workers);
}, 120_000);

it("lets a worker end in time that is told to stop while Postgres is away; its run is done when it is back", async () => {
  await using server = await ownPostgres();
  await using ground = await openGround({ databaseUrl: server.url });
  const worker = ground.worker({ rescue, graceMs: 500 });
  await worker.said("ready");
  const { job } = await markingRun(ground, "drained", 1.5);
  await job.event("node.started", { node: "waited" });
  await server.stop();
  const told = performance.now();
  worker.signal("SIGTERM");
  expect(await worker.ended()).toEqual({ code: 0, signal: null });
  const tookMs = performance.now() - told;
  console.log(`told to stop while Postgres is away, a worker ended after ${Math.round(tookMs)} ms`);
  // Grace and five seconds; one more for a machine that does other things too.
  expect(tookMs).toBeLessThan(500 + 5_000 + 1_000);
  await ground.processes.nothingLeft();

  await server.startAgain();
  ground.worker({ rescue });
  expect(await job.ended()).toMatchObject({ state: "succeeded", attempt: 2, losses: 1 });
}, 90_000);

interface MarkingRun {
  job: FollowedJob;
  file: string;
}

async function markingRun(ground: Ground, name: string, seconds: number): Promise<MarkingRun> {
  const file = join(ground.folder, name);
  return { job: await ground.enqueue("sideeffect", { file, seconds }, { onWorkerLost: "retry" }), file };
}

async function ranOnce(runs: MarkingRun[]): Promise<void> {
  for (const { job, file } of runs) {
    expect(await job.ended()).toMatchObject({ state: "succeeded", attempt: 1, failures: 0, losses: 0 });
    expect((await readFile(file, "utf8")).trim().split("\n")).toHaveLength(1);
    const told = job.types().filter((type) => type.startsWith("node."));
    expect(told).toEqual(
      ["marked", "waited", "done"].flatMap((node) => [`node.started ${node}`, `node.succeeded ${node}`]),
    );
  }
}

async function nobodyWasGivenUp(ground: Ground, workers: TestProcess[]): Promise<void> {
  const rows = await ground.db.sql<{ pid: number; state: string }[]>`select pid, state from workers order by pid`;
  const expected = workers.map(({ pid }) => ({ pid, state: "running" })).sort((a, b) => a.pid - b.pid);
  expect(rows).toEqual(expected);
  // What was locked by a pool that gave up when its connection broke is found, and removed.
  await expect.poll(() => ground.jobs.backend.depths(ground.db.sql), { timeout: 15_000 }).toEqual([]);
}

/** As a client does it: asked again as long as the database does not answer. */
async function enqueueSoon(ground: Ground): Promise<FollowedJob> {
  for (const end = performance.now() + 20_000; ; await delay(100)) {
    try {
      return await ground.enqueue("sleeps", { seconds: 0 });
    } catch (error) {
      if (performance.now() > end) throw error;
    }
  }
}

async function ask(url: string): Promise<{ status: number; code?: string }> {
  const response = await fetch(`${url}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/graphql-response+json" },
    body: JSON.stringify({ query: "{ jobs(first: 1) { edges { node { id } } } }" }),
  });
  const { errors } = (await response.json()) as { errors?: { extensions: { code: string } }[] };
  return { status: response.status, ...(errors?.[0] === undefined ? {} : { code: errors[0].extensions.code }) };
}

async function timed<T>(act: () => Promise<T>): Promise<[T, number]> {
  const startedAt = performance.now();
  const value = await act();
  return [value, performance.now() - startedAt];
}

/** A session that is not the one that asks, whoever's it is. */
async function aSessionOf(ground: Ground): Promise<number> {
  const [row] = await ground.db.sql<{ pid: number }[]>`
    select pid from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid() and state = 'idle' order by backend_start limit 1`;
  if (row === undefined) throw new Error("There is no idle session.");
  return row.pid;
}

/** A Postgres that bad things are done to, with its durable defaults, and a migrated database. */
async function ownPostgres() {
  const folder = await mkdtemp(join(tmpdir(), "fpq-e2e-postgres-"));
  let server = await startEmbeddedPostgres({ folder });
  const { port } = server;
  const url = server.url.replace(/[^/]*$/, "e2e");
  const admin = postgres(server.url, { max: 1 });
  await admin`create database e2e`;
  const [directory] = await admin<{ path: string }[]>`select current_setting('data_directory') as path`;
  await admin.end();
  await migrate(url);
  return {
    url,
    stop: () => server.stop(),
    async startAgain() {
      server = await startEmbeddedPostgres({ folder, port });
    },
    postmaster: () => Number(readFileSync(join(directory?.path ?? "", "postmaster.pid"), "utf8").split("\n")[0]),
    async [Symbol.asyncDispose]() {
      await server.stop();
      await nothingRunsOn(folder);
      await rm(folder, { recursive: true, force: true });
    },
  };
}
