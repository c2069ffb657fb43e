import { spawn } from "node:child_process";
import { once } from "node:events";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { graphileWorker as backend } from "../../src/backends/graphile-worker/backend.ts";
import { connect, type Database } from "../../src/db/client.ts";
import { admit } from "../../src/jobs/admit.ts";
import { processIdentity } from "../../src/worker/process-identity.ts";
import { bury, endLostAttempts, Rescuer, type RescueTimes, reclaimAbandoned } from "../../src/worker/rescue.ts";
import { workerLock } from "../../src/worker/session.ts";
import { openWrites, type Started } from "../../src/worker/writes.ts";
import { testDatabase } from "../support/database.ts";
import { insertWorker } from "../support/factories.ts";
import { silentWakeups } from "../support/jobs.ts";
import { queuedJob, runningJob, startJob, waitingForLock } from "../support/running.ts";
import { holdTickets, ticketsOf } from "../support/tickets.ts";

const times: RescueTimes = { lookMs: 1000, leaseMs: 5000, silentMs: 500 };
let db: Database;

beforeAll(async () => {
  db = await testDatabase();
  // Before, a restart of Postgres would be a reason to judge nobody.
  await vi.waitFor(
    async () => {
      const [up] = await db.sql<{ ms: number }[]>`
        select extract(epoch from now() - pg_postmaster_start_time())::float8 * 1000 as ms`;
      expect(up?.ms).toBeGreaterThan(times.leaseMs);
    },
    { timeout: 20_000, interval: 100 },
  );
});

afterAll(async () => await db?.[Symbol.asyncDispose]());

// Each case begins with nobody else to be rescued.
afterEach(async () => {
  await db.sql`delete from jobs where state = 'running'`;
  await db.sql`update workers set state = 'stopped', ended_at = queue_now() where ended_at is null`;
});

/** A rescuer with a clock that the test moves; it has been there for longer than a lease. */
function rescuer() {
  const clock = { steadyMs: 0, wallMs: 0 };
  const one = new Rescuer(db, backend, times, { steady: () => clock.steadyMs, wall: () => clock.wallMs });
  const pass = (ms: number) => {
    clock.steadyMs += ms;
    clock.wallMs += ms;
  };
  for (let ms = 0; ms <= times.leaseMs; ms += times.lookMs) pass(times.lookMs);
  const suspend = (ms: number) => {
    clock.wallMs += ms;
  };
  return { look: () => one.look(), wasAway: () => one.wasAway(), pass, suspend };
}

/** A worker, elsewhere unless its process is told, last heard of so many seconds ago. */
async function worker(silentSeconds: number, given: { pid?: number; poolId?: string } = {}) {
  const id = await insertWorker(db.sql);
  const identity = given.pid === undefined ? "another-boot/pid:[1]/1/1" : processIdentity(given.pid);
  await db.sql`
    update workers set pid = ${given.pid ?? 1}, process = ${identity}, pool_id = ${given.poolId ?? null} where id = ${id}`;
  await silent(id, silentSeconds);
  return id;
}

async function silent(id: string, seconds: number): Promise<void> {
  await db.sql`
    update workers set heartbeat_at = queue_now() - make_interval(secs => ${seconds}::float8) where id = ${id}`;
}

/** Holds the worker's lock on a connection of its own, until that is closed. */
async function lockOf(id: string): Promise<Database> {
  const connection = await connect(db.url, { max: 1, maxReads: 1 });
  await connection.sql`select pg_advisory_lock(${workerLock}::int, lock_number) from workers where id = ${id}`;
  return connection;
}

async function read(jobId: string) {
  const [job] = await db.sql<{ state: string; losses: number; failures: number; attempt: number; ticketed: boolean }[]>`
    select state, losses, failures, attempt, ticketed_at is not null as ticketed from jobs where id = ${jobId}`;
  const events = await db.sql<{ type: string; data: unknown }[]>`
    select type, data from events where job_id = ${jobId} order by seq`;
  return { ...job, last: events.at(-1), types: events.map(({ type }) => type) };
}

const stateOf = async (workerId: string) => (await db.sql`select state from workers where id = ${workerId}`)[0]?.state;

function succeed({ jobId, attempt, runToken }: Started) {
  const move = { id: jobId, attempt, data: {} };
  return openWrites(db, backend, silentWakeups()).end({
    name: "succeed",
    move,
    runToken,
    artifacts: [],
    storedMs: null,
  });
}

const lost = (message: string) => ({ kind: "WORKER_LOST", message: expect.stringContaining(message) });

describe("a rescuer", () => {
  it("gives the job of a worker back whose process has ended, at once", async () => {
    const child = spawn("sleep", ["60"], { stdio: "ignore" });
    const id = await worker(1, { pid: child.pid as number });
    const { jobId } = await runningJob(db, {}, id);
    const fresh = new Rescuer(db, backend, times); // what is certain needs no lease
    expect(await fresh.look()).toEqual([]);
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(await fresh.look()).toEqual([jobId]);
    expect(await stateOf(id)).toBe("dead");
    const job = await read(jobId);
    expect(job).toMatchObject({ state: "queued", losses: 1, failures: 0, attempt: 1, ticketed: true });
    expect(job.last).toMatchObject({
      type: "job.rescued",
      data: { losses: 1, error: lost("its process has ended") },
    });
    expect(await ticketsOf(db.sql, jobId)).toEqual([expect.objectContaining({ attempt: 2, holder: null })]);
    expect(await startJob(db, jobId)).toMatchObject({ attempt: 2, losses: 1 });
  });

  it("declares a worker dead that was silent for a lease, lock or no lock", async () => {
    const id = await worker(times.leaseMs / 1000 + 1);
    const { jobId } = await runningJob(db, {}, id);
    await using _lock = await lockOf(id);
    expect(await rescuer().look()).toEqual([jobId]);
    expect((await read(jobId)).last).toMatchObject({ data: { error: lost("not been heard of") } });
  });

  it("declares a worker dead whose lock is gone at two looks and who is silent", async () => {
    const id = await worker(1);
    const { jobId } = await runningJob(db, {}, id);
    const { look } = rescuer();
    const lock = await lockOf(id);
    for (let looks = 0; looks < 3; looks += 1) expect(await look()).toEqual([]);
    await lock[Symbol.asyncDispose]();
    await vi.waitFor(async () => expect(await db.sql`select 1 from pg_locks where locktype = 'advisory'`).toEqual([]));
    await silent(id, 1);
    expect(await look()).toEqual([]);
    await silent(id, 1);
    expect(await look()).toEqual([jobId]);
    expect((await read(jobId)).last).toMatchObject({ data: { error: lost("its connection is gone") } });
  });

  it("begins again with a worker who was heard of between two looks", async () => {
    const id = await worker(1);
    const { look } = rescuer();
    expect(await look()).toEqual([]);
    await silent(id, 0);
    expect(await look()).toEqual([]);
    await silent(id, 1);
    await look();
    expect(await stateOf(id)).toBe("running");
    await silent(id, 1);
    await look();
    expect(await stateOf(id)).toBe("dead");
  });

  it("leaves those alone who are heard of, and their jobs and tickets", async () => {
    const id = await worker(0, { poolId: "pool-alive" });
    const [{ jobId }, waiting] = [await runningJob(db, {}, id), await queuedJob(db)];
    await holdTickets(db.sql, waiting, "pool-alive");
    const { look } = rescuer();
    for (let looks = 0; looks < 3; looks += 1) {
      await silent(id, 0);
      expect(await look()).toEqual([]);
    }
    expect(await read(jobId)).toMatchObject({ state: "running", losses: 0 });
    expect(await ticketsOf(db.sql, waiting)).toEqual([expect.objectContaining({ holder: "pool-alive" })]);
  });

  it.each<[string, (one: ReturnType<typeof rescuer>) => void]>([
    ["the database was away", ({ wasAway }) => wasAway()],
    ["it was stopped for long", ({ pass }) => pass(60_000)],
    ["the machine was suspended, and its steady clock with it", ({ suspend }) => suspend(60_000)],
  ])("judges nobody by heartbeat or lock for a lease after %s", async (_what, happen) => {
    const id = await worker(0);
    const one = rescuer();
    await one.look();
    await silent(id, 60);
    happen(one);
    for (let ms = 0; ms < times.leaseMs; ms += times.lookMs) {
      await one.look();
      one.pass(times.lookMs);
      expect(await stateOf(id)).toBe("running");
    }
    await one.look();
    expect(await stateOf(id)).toBe("dead");
  });

  it("judges nobody by an answer that came late: while Postgres stood still nobody could be heard of", async () => {
    const id = await worker(60);
    let now = 0;
    let answerMs = 0;
    const slow = Object.create(db, {
      sql: {
        value: new Proxy(db.sql, {
          apply(sql, self, args) {
            now += answerMs;
            return Reflect.apply(sql, self, args);
          },
        }),
      },
    }) as Database;
    const one = new Rescuer(slow, backend, times, { steady: () => now, wall: () => now });
    for (; now <= times.leaseMs - times.lookMs; now += times.lookMs) await one.look();
    answerMs = 60_000;
    await one.look();
    expect(await stateOf(id)).toBe("running");
    answerMs = 0;
    now += times.leaseMs;
    await one.look();
    expect(await stateOf(id)).toBe("running"); // so long between two looks is as good as away
    for (let ms = 0; ms <= times.leaseMs; ms += times.lookMs, now += times.lookMs) await one.look();
    expect(await stateOf(id)).toBe("dead");
  });

  it("judges nobody by heartbeat for a lease after the database's clock has jumped ahead", async () => {
    const id = await worker(0);
    await using ahead = await connect(db.url, { max: 1, maxReads: 1 });
    let now = 0;
    const one = new Rescuer(ahead, backend, times, { steady: () => now, wall: () => now });
    for (; now <= times.leaseMs; now += times.lookMs) await one.look();
    await ahead.sql`set flowerpower_queue.clock_offset = '10 minutes'`;
    for (const until = now + times.leaseMs; now < until; now += times.lookMs) {
      await one.look();
      expect(await stateOf(id)).toBe("running");
    }
    await one.look();
    expect(await stateOf(id)).toBe("dead");
  });

  it("finds the worker whose process has ended although the database's clock was set back", async () => {
    const child = spawn("sleep", ["60"], { stdio: "ignore" });
    const id = await worker(-3600, { pid: child.pid as number });
    child.kill("SIGKILL");
    await once(child, "exit");
    await new Rescuer(db, backend, times).look();
    expect(await stateOf(id)).toBe("dead");
  });

  it("judges nobody by heartbeat or lock for a lease after its own start", async () => {
    const id = await worker(60);
    let now = 0;
    const fresh = new Rescuer(db, backend, times, { steady: () => now, wall: () => now });
    for (; now < times.leaseMs; now += times.lookMs) {
      await fresh.look();
      expect(await stateOf(id)).toBe("running");
    }
    await fresh.look();
    expect(await stateOf(id)).toBe("dead");
  });
});

describe("bury", () => {
  it("is done once, by many at once", async () => {
    const id = await worker(60);
    const runs = await Promise.all(Array.from({ length: 5 }, () => runningJob(db, {}, id)));
    const buried = await Promise.all(Array.from({ length: 6 }, () => bury(db, backend, id, "tried")));
    expect(buried.flat().toSorted()).toEqual(runs.map(({ jobId }) => jobId).toSorted());
    for (const { jobId } of runs) {
      expect(await read(jobId)).toMatchObject({ losses: 1, types: ["job.enqueued", "job.started", "job.rescued"] });
    }
  });

  it("spares a worker that was heard of since it was judged", async () => {
    const id = await worker(60);
    const { jobId } = await runningJob(db, {}, id);
    const [seen] = await db.sql<{ at: string }[]>`select heartbeat_at::text as at from workers where id = ${id}`;
    await silent(id, 0);
    expect(await bury(db, backend, id, "tried", seen?.at)).toEqual([]);
    expect(await read(jobId)).toMatchObject({ state: "running" });
    expect(await stateOf(id)).toBe("running");
  });

  it("fails the job at once where nothing may run twice", async () => {
    const id = await worker(60);
    const { jobId } = await runningJob(db, { onWorkerLost: "fail" }, id);
    await bury(db, backend, id, "tried");
    const job = await read(jobId);
    expect(job).toMatchObject({ state: "failed", losses: 1, ticketed: false });
    expect(job.last?.type).toBe("job.failed");
    const [attempt] = await db.sql`select outcome, error from attempts where job_id = ${jobId}`;
    expect(attempt).toMatchObject({
      outcome: "fail",
      error: { hint: expect.stringContaining("onWorkerLost is fail") },
    });
  });

  it("fails a job that has lost as many workers as it may", async () => {
    const jobId = await queuedJob(db, { maxLosses: 3 });
    for (const state of ["queued", "queued", "failed"]) {
      const id = await worker(60);
      expect(await startJob(db, jobId, id)).not.toBeNull();
      await bury(db, backend, id, "out of memory");
      expect(await read(jobId)).toMatchObject({ state });
    }
    expect(await read(jobId)).toMatchObject({ losses: 3, attempt: 3, failures: 0 });
    expect(await ticketsOf(db.sql, jobId)).toEqual([]);
  });

  it("names the node that was running when it was the only one", async () => {
    const id = await worker(60);
    const [one, two] = [await runningJob(db, {}, id), await runningJob(db, {}, id)];
    await db.sql`
      insert into node_runs (job_id, attempt, node, first_seq, state)
      values (${one.jobId}, 1, 'load', 1, 'running'), (${two.jobId}, 1, 'load', 1, 'running'),
        (${two.jobId}, 1, 'save', 2, 'running')`;
    await bury(db, backend, id, "tried");
    expect((await read(one.jobId)).last).toMatchObject({ data: { error: { node: "load" } } });
    expect((await read(two.jobId)).last).toMatchObject({ data: { error: { node: null } } });
  });

  it("voids the tickets in the dead worker's hands, and admission gives their jobs new ones", async () => {
    const id = await worker(60, { poolId: "pool-dead" });
    const [held, free] = [await queuedJob(db), await queuedJob(db)];
    await holdTickets(db.sql, held, "pool-dead");
    const [before] = await ticketsOf(db.sql, held);
    const untouched = await ticketsOf(db.sql, free);
    await bury(db, backend, id, "tried");
    expect(await ticketsOf(db.sql, held)).toEqual([]);
    expect(await read(held)).toMatchObject({ state: "queued", losses: 0, ticketed: false });
    expect((await admit(db, backend)).jobIds).toEqual([held]);
    const [after] = await ticketsOf(db.sql, held);
    expect(after).toMatchObject({ attempt: 1, holder: null });
    expect(after?.id).not.toBe(before?.id); // the dead worker may come back and remove its own
    expect(await ticketsOf(db.sql, free)).toEqual(untouched);
  });

  it("refuses what a worker that was declared dead writes when it comes back", async () => {
    const id = await worker(60);
    const run = await runningJob(db, {}, id);
    await bury(db, backend, id, "tried");
    expect(await succeed(run)).toBeNull();
    const second = (await startJob(db, run.jobId)) as Started;
    expect(await succeed(run)).toBeNull();
    expect(await startJob(db, await queuedJob(db), id)).toBeNull();
    expect(await succeed(second)).toBe("succeeded");
    expect((await read(run.jobId)).types).toEqual([
      "job.enqueued",
      "job.started",
      "job.rescued",
      "job.started",
      "job.succeeded",
    ]);
  });

  it("and an end at the same moment: whoever comes first decides, and the other changes nothing", async () => {
    const id = await worker(60);
    await using other = await connect(db.url, { max: 1, maxReads: 1 });
    for (const first of ["end", "bury"] as const) {
      const workerId = first === "end" ? id : await worker(60);
      const run = await runningJob(db, {}, workerId);
      const both: (() => Promise<unknown>)[] = [() => succeed(run), () => bury(db, backend, workerId, "tried")];
      if (first === "bury") both.reverse();
      let done: Promise<unknown>[] = [];
      await other.sql.begin(async (tx) => {
        await tx`select 1 from jobs where id = ${run.jobId} for update`;
        done = [both[0]?.() as Promise<unknown>];
        await waitingForLock(db, 1);
        done.push(both[1]?.() as Promise<unknown>);
        await waitingForLock(db, 2);
      });
      expect(await Promise.all(done)).toEqual(first === "end" ? ["succeeded", []] : [[run.jobId], null]);
      expect((await read(run.jobId)).state).toBe(first === "end" ? "succeeded" : "queued");
    }
  });
});

describe("an orphan", () => {
  it("of a worker that was declared dead while it started is found at the next look", async () => {
    const id = await worker(60);
    const { jobId } = await runningJob(db, {}, id);
    await db.sql`update workers set state = 'dead', ended_at = queue_now() where id = ${id}`;
    expect(await rescuer().look()).toEqual([jobId]);
    expect(await read(jobId)).toMatchObject({ state: "queued", losses: 1 });
  });
});

describe("endLostAttempts", () => {
  it("ends only those with the given tokens", async () => {
    const id = await worker(0);
    const [stray, kept] = [await runningJob(db, {}, id), await runningJob(db, {}, id)];
    const give = () => db.sql.begin((tx) => endLostAttempts(tx, backend, id, "lost track", [stray.runToken]));
    expect(await give()).toEqual([stray.jobId]);
    expect(await give()).toEqual([]);
    expect((await read(kept.jobId)).state).toBe("running");
  });
});

describe("reclaimAbandoned", () => {
  it("voids tickets that nobody alive has held for a lease, and no others", async () => {
    await worker(0, { poolId: "pool-now" });
    const jobs = await Promise.all(Array.from({ length: 3 }, () => queuedJob(db)));
    const [old, fresh, alive] = jobs as [string, string, string];
    await holdTickets(db.sql, old, "pool-before");
    await holdTickets(db.sql, alive, "pool-now");
    await db.sql`
      update flowerpower_tickets._private_jobs set locked_at = now() - interval '1 min' where locked_at is not null`;
    await holdTickets(db.sql, fresh, "pool-unknown");
    await reclaimAbandoned(db, backend, 30_000);
    const holders = await Promise.all(
      jobs.map(async (id) => (await ticketsOf(db.sql, id)).map(({ holder }) => holder)),
    );
    expect(holders).toEqual([[], ["pool-unknown"], ["pool-now"]]);
    expect(await read(old)).toMatchObject({ state: "queued", ticketed: false });
  });
});
