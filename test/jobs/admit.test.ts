import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { graphileWorker as backend } from "../../src/backends/graphile-worker/backend.ts";
import { connect, type Database } from "../../src/db/client.ts";
import { ticketSchema } from "../../src/db/migrate.ts";
import { admit, findLostTickets, nextAdmissionMs } from "../../src/jobs/admit.ts";
import { insertJobs } from "../../src/jobs/insert.ts";
import { testDatabase } from "../support/database.ts";
import { insertJob } from "../support/factories.ts";
import { newJob } from "../support/jobs.ts";
import { queuedJob, runningJob } from "../support/running.ts";
import { holdTickets, ticketsOf } from "../support/tickets.ts";

let db: Database;

beforeAll(async () => {
  db = await testDatabase();
  await db.sql`insert into queues (name, created_at, paused_at) values ('paused', queue_now(), queue_now())`;
});

afterAll(async () => await db?.[Symbol.asyncDispose]());

async function stateOf(id: string): Promise<string | undefined> {
  const [job] = await db.sql<{ state: string }[]>`select state from jobs where id = ${id}`;
  return job?.state;
}

/** A job in that state that becomes due, or expires, so many seconds from now. */
async function jobDue(state: "scheduled" | "retryable", seconds: number): Promise<string> {
  const id = await insertJob(db, { state });
  await db.sql`update jobs set run_at = queue_now() + make_interval(secs => ${seconds}::float8) where id = ${id}`;
  return id;
}

async function expiring(id: string, seconds: number): Promise<string> {
  await db.sql`update jobs set expires_at = queue_now() + make_interval(secs => ${seconds}::float8) where id = ${id}`;
  return id;
}

describe("admit", () => {
  it("queues what is due, with a ticket for the next attempt, and nothing else", async () => {
    const due = [await jobDue("scheduled", -1), await jobDue("retryable", -1)];
    const later = [
      await jobDue("scheduled", 60),
      await jobDue("retryable", 60),
      await insertJob(db, { state: "blocked" }),
    ];
    const { jobIds, more } = await admit(db, backend);
    expect(more).toBe(false);
    expect(jobIds).toEqual(expect.arrayContaining(due));
    expect(jobIds.filter((id) => later.includes(id))).toEqual([]);
    for (const [i, id] of due.entries()) {
      expect(await stateOf(id)).toBe("queued");
      expect(await ticketsOf(db.sql, id)).toEqual([expect.objectContaining({ attempt: i + 1 })]);
    }
    expect((await admit(db, backend)).jobIds).toEqual([]);
  });

  it("expires what was not started in time, with its ticket, and nothing that was", async () => {
    const queued = await expiring(await queuedJob(db), -1);
    const scheduled = await expiring(await jobDue("scheduled", 60), -1);
    const blocked = await expiring(await insertJob(db, { state: "blocked" }), -1);
    const inTime = await expiring(await queuedJob(db), 60);
    const { jobId: running } = await runningJob(db);
    await expiring(running, -1);
    const again = await expiring(await jobDue("retryable", -1), -1);
    const { jobIds } = await admit(db, backend);
    expect(jobIds.toSorted()).toEqual([queued, scheduled, blocked, again].toSorted());
    for (const id of [queued, scheduled, blocked]) {
      expect(await stateOf(id)).toBe("expired");
      expect(await ticketsOf(db.sql, id)).toEqual([]);
    }
    expect(await stateOf(inTime)).toBe("queued");
    expect(await stateOf(running)).toBe("running");
    expect(await stateOf(again)).toBe("queued");
  });

  it("holds the jobs of a paused queue, queued and without a ticket, until it is open", async () => {
    const held = await queuedJob(db, { queue: "paused" });
    const due = await jobDue("scheduled", -1);
    await db.sql`update jobs set queue = 'paused' where id = ${due}`;
    expect((await admit(db, backend)).jobIds).toEqual([due]);
    expect(await stateOf(due)).toBe("queued");
    for (const id of [held, due]) expect(await ticketsOf(db.sql, id)).toEqual([]);

    await db.sql`update queues set paused_at = null where name = 'paused'`;
    expect((await admit(db, backend)).jobIds.toSorted()).toEqual([held, due].toSorted());
    for (const id of [held, due]) expect(await ticketsOf(db.sql, id)).toHaveLength(1);
    await db.sql`update queues set paused_at = queue_now() where name = 'paused'`;
  });

  it("does each thing once, by several processes at the same time", async () => {
    await using other = await connect(db.url, { max: 4, maxReads: 1 });
    const due = await Promise.all(Array.from({ length: 120 }, () => jobDue("scheduled", -1)));
    const held = await Promise.all(Array.from({ length: 80 }, () => insertJob(db)));
    const old = await Promise.all(Array.from({ length: 40 }, async () => expiring(await jobDue("scheduled", 9), -1)));
    const passes = await Promise.all([db, other, db, other, db, other].map((each) => admit(each, backend)));
    // What one had locked the others have left out: a last look takes what nobody has.
    const rest = await admit(db, backend);
    const moved = [...passes, rest].flatMap(({ jobIds }) => jobIds);
    expect(moved.toSorted()).toEqual([...due, ...held, ...old].toSorted());
    for (const id of [...due, ...held]) expect(await ticketsOf(db.sql, id)).toHaveLength(1);
  });

  it("does not wait for a row that somebody else has", async () => {
    const [locked, free] = [await jobDue("scheduled", -1), await jobDue("scheduled", -1)];
    await db.sql.begin(async (tx) => {
      await tx`select 1 from jobs where id = ${locked} for update`;
      expect((await admit(db, backend)).jobIds).toEqual([free]);
    });
    expect((await admit(db, backend)).jobIds).toEqual([locked]);
  });

  it("takes 500 at once and tells that there is more", async () => {
    const ids = Array.from({ length: 501 }, () => db.ids.next());
    await insertJobs(
      db.sql,
      backend,
      ids.map((id) => newJob({ id, runAt: new Date(Date.now() + 3_600_000).toISOString() })),
    );
    await db.sql`update jobs set run_at = queue_now() where id = any(${ids}::uuid[])`;
    const first = await admit(db, backend);
    expect([first.jobIds.length, first.more]).toEqual([500, true]);
    const second = await admit(db, backend);
    expect([second.jobIds.length, second.more]).toEqual([1, false]);
  });
});

describe("nextAdmissionMs", () => {
  it("is the time until the next job becomes due or expires, or null", async () => {
    await using empty = await testDatabase({ max: 2 });
    expect(await nextAdmissionMs(empty.sql)).toBeNull();
    const due = await insertJob(empty, { state: "scheduled" });
    await empty.sql`update jobs set run_at = queue_now() + interval '90 s' where id = ${due}`;
    const near = (ms: number | null) => Math.round((ms ?? Number.NaN) / 1000);
    expect(near(await nextAdmissionMs(empty.sql))).toBe(90);
    const waiting = await insertJob(empty, { state: "queued" });
    await empty.sql`update jobs set expires_at = queue_now() + interval '30 s' where id = ${waiting}`;
    expect(near(await nextAdmissionMs(empty.sql))).toBe(30);
    await empty.sql`update jobs set started_at = queue_now() where id = ${waiting}`; // can expire no longer
    expect(near(await nextAdmissionMs(empty.sql))).toBe(90);
    await empty.sql`update jobs set run_at = queue_now() - interval '5 s' where id = ${due}`;
    expect(near(await nextAdmissionMs(empty.sql))).toBe(-5);
  });
});

describe("findLostTickets", () => {
  const old = (id: string) => db.sql`update jobs set ticketed_at = queue_now() - interval '5 min' where id = ${id}`;
  const lose = (id: string) => db.sql`delete from ${db.sql(ticketSchema)}._private_jobs where key like ${`${id}/%`}`;

  it("finds a job whose ticket is gone, and admission gives it one", async () => {
    const id = await queuedJob(db);
    await old(id);
    await lose(id);
    expect(await findLostTickets(db.sql, backend)).toEqual([id]);
    expect((await admit(db, backend)).jobIds).toEqual([id]);
    expect(await ticketsOf(db.sql, id)).toEqual([expect.objectContaining({ attempt: 1, holder: null })]);
  });

  it("gives out again what somebody took a minute ago and never started; the first one is void then", async () => {
    const id = await queuedJob(db);
    await old(id);
    await holdTickets(db.sql, id, "pool-1");
    const [first] = await ticketsOf(db.sql, id);
    await db.sql`
      update ${db.sql(ticketSchema)}._private_jobs set locked_at = now() - interval '2 min' where locked_by = 'pool-1'`;
    expect(await findLostTickets(db.sql, backend)).toEqual([id]);
    expect((await admit(db, backend)).jobIds).toEqual([id]);
    const [second, ...more] = await ticketsOf(db.sql, id);
    expect(more).toEqual([]);
    expect(second).toMatchObject({ attempt: 1, holder: null });
    expect(second?.id).not.toBe(first?.id);
    await db.sql`update ${db.sql(ticketSchema)}._private_jobs set locked_at = null where locked_by = 'pool-1'`;
    await backend.sweep(db.sql);
    expect(await db.sql`select id from ${db.sql(ticketSchema)}.jobs where key is null`).toEqual([]);
  });

  it("leaves alone a ticket that waits or is in a worker's hands, a fresh one, and a job that runs", async () => {
    const [waiting, held, fresh] = [await queuedJob(db), await queuedJob(db), await queuedJob(db)];
    const { jobId: running } = await runningJob(db);
    for (const id of [waiting, held, running]) await old(id);
    await holdTickets(db.sql, held, "pool-1");
    await lose(fresh);
    expect(await findLostTickets(db.sql, backend)).toEqual([]);
  });
});
