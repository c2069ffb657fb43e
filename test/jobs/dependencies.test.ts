import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { graphileWorker as backend } from "../../src/backends/graphile-worker/backend.ts";
import { connect, type Database, type Sql } from "../../src/db/client.ts";
import { ticketSchema } from "../../src/db/migrate.ts";
import { withRetries } from "../../src/db/retry.ts";
import type { Dependency, DependencyCondition, DependencyPolicy } from "../../src/domain/dependency.ts";
import { BadInputError, NotFoundError } from "../../src/domain/errors.ts";
import { idText } from "../../src/domain/ids.ts";
import type { JobState, TransitionName } from "../../src/domain/lifecycle.ts";
import { admit } from "../../src/jobs/admit.ts";
import { cancelJob } from "../../src/jobs/cancel.ts";
import { releaseDependents } from "../../src/jobs/dependents.ts";
import { enqueueJob } from "../../src/jobs/enqueue.ts";
import { enqueueJobs } from "../../src/jobs/enqueue-many.ts";
import { insertJobs } from "../../src/jobs/insert.ts";
import { requeueJob } from "../../src/jobs/requeue.ts";
import { type Move, transition } from "../../src/jobs/transition.ts";
import { testDatabase } from "../support/database.ts";
import { insertJob, insertWorker } from "../support/factories.ts";
import { jobsContext, newJob, runRequest, tester } from "../support/jobs.ts";
import { waitingForLock } from "../support/running.ts";
import { ticketsOf } from "../support/tickets.ts";

let db: Database;
/** Another process. */
let other: Database;
let workerId: string;

beforeAll(async () => {
  db = await testDatabase();
  other = await connect(db.url, { max: 4, maxReads: 1 });
  workerId = await insertWorker(db.sql);
});

afterAll(async () => {
  await other?.[Symbol.asyncDispose]();
  await db?.[Symbol.asyncDispose]();
});

const error = { kind: "PIPELINE" as const, type: "KeyError", message: "'x'", node: null };
const endings = {
  succeeded: ["succeed", {}],
  failed: ["fail", { error }],
  cancelled: ["stop", { actor: "anna", reason: null }],
} as const;

type Parent = string | ({ jobId: string } & Partial<Dependency>);

/** A job that waits for others, made in one statement. */
async function child(parents: readonly Parent[], given: Partial<Parameters<typeof newJob>[0]> = {}, sql: Sql = db.sql) {
  const id = db.ids.next();
  const dependsOn = parents.map((parent) => {
    const given = typeof parent === "string" ? { jobId: parent } : parent;
    return { when: "succeeded" as const, otherwise: "cancel" as const, shownId: idText("job", given.jobId), ...given };
  });
  await insertJobs(sql, backend, [newJob({ id, dependsOn, ...given })]);
  return id;
}

/** Starts and ends a queued job, in the caller's transaction. */
async function end(sql: Sql, id: string, state: keyof typeof endings) {
  const [job] = await sql<{ state: JobState; attempt: number }[]>`select state, attempt from jobs where id = ${id}`;
  let attempt = job?.attempt ?? 0;
  if (job?.state === "queued") {
    const start = { workerId, runToken: randomUUID(), attemptId: db.ids.next(), data: { worker: "wkr_x" } };
    await transition(sql, backend, "start", [{ id, attempt, ...start }]);
    attempt += 1;
  }
  const [name, data] = endings[state];
  return await transition<TransitionName>(sql, backend, name, [{ id, attempt, data } as Move]);
}

const endNow = (id: string, state: keyof typeof endings, of = db) =>
  withRetries(() => of.sql.begin((tx) => end(tx, id, state)));

async function read(id: string) {
  const [job] = await db.sql<{ state: JobState; waitingFor: number; lastSeq: number }[]>`
    select state, waiting_for as "waitingFor", last_seq as "lastSeq" from jobs where id = ${id}`;
  const events = await db.sql<{ seq: number; type: string; data: unknown }[]>`
    select seq, type, data from events where job_id = ${id} order by seq`;
  return { ...job, events, types: events.map(({ type }) => type) };
}

const stateOf = async (id: string) => (await read(id)).state;

describe("a job that waits for others", () => {
  it("is blocked until all of them have succeeded, then queued with a ticket", async () => {
    const [a, b] = [await insertJob(db), await insertJob(db)];
    const id = await child([a, b]);
    expect(await read(id)).toMatchObject({ state: "blocked", waitingFor: 2, types: ["job.enqueued"] });
    expect((await read(id)).events[0]?.data).toMatchObject({ state: "blocked" });
    expect(await ticketsOf(db.sql, id)).toEqual([]);
    expect(await endNow(a, "succeeded")).toEqual([expect.objectContaining({ id: a, follows: false })]);
    expect(await read(id)).toMatchObject({ state: "blocked", waitingFor: 1 });
    expect(await endNow(b, "succeeded")).toEqual([
      expect.objectContaining({ id: b, follows: false }),
      expect.objectContaining({ id, state: "queued", follows: true, wakesAdmission: true }),
    ]);
    expect(await read(id)).toMatchObject({ state: "queued", waitingFor: 0, types: ["job.enqueued", "job.queued"] });
    expect(await ticketsOf(db.sql, id)).toEqual([expect.objectContaining({ attempt: 1 })]);
  });

  it("is due when it waits no longer, and scheduled when it is due later", async () => {
    const [a, b] = [await insertJob(db), await insertJob(db)];
    const now = await child([a]);
    const later = await child([b], { runAt: new Date(Date.now() + 3_600_000).toISOString() });
    await db.sql`update jobs set run_at = run_at - interval '1 hour' where id = ${now}`;
    await endNow(a, "succeeded");
    await endNow(b, "succeeded");
    const [job] = await db.sql`select run_at > queue_now() - interval '1 minute' as due from jobs where id = ${now}`;
    expect(job).toEqual({ due: true });
    expect(await read(later)).toMatchObject({ state: "scheduled", types: ["job.enqueued", "job.scheduled"] });
    expect(await ticketsOf(db.sql, later)).toEqual([]);
  });

  it.each<[keyof typeof endings, DependencyCondition, DependencyPolicy, JobState]>([
    ["succeeded", "succeeded", "cancel", "queued"],
    ["failed", "succeeded", "cancel", "cancelled"],
    ["cancelled", "succeeded", "cancel", "cancelled"],
    ["failed", "succeeded", "block", "blocked"],
    ["cancelled", "succeeded", "block", "blocked"],
    ["succeeded", "failed", "cancel", "cancelled"],
    ["failed", "failed", "cancel", "queued"],
    ["cancelled", "failed", "cancel", "cancelled"],
    ["succeeded", "failed", "block", "blocked"],
    ["succeeded", "ended", "cancel", "queued"],
    ["failed", "ended", "block", "queued"],
    ["cancelled", "ended", "cancel", "queued"],
  ])(
    "of one that has %s, when it is to have %s, else %s: is %s, whether that was before or after",
    async (how, when, otherwise, state) => {
      const parent = await insertJob(db);
      const before = await child([{ jobId: parent, when, otherwise }]);
      await endNow(parent, how);
      const after = await child([{ jobId: parent, when, otherwise }]);
      for (const id of [before, after]) {
        const job = await read(id);
        expect(job.state).toBe(state);
        expect(job.events.map(({ seq }) => seq)).toEqual(job.events.map((_event, index) => index + 1));
        expect(job.lastSeq).toBe(job.events.length);
        expect(await ticketsOf(db.sql, id)).toHaveLength(state === "queued" ? 1 : 0);
        if (state !== "cancelled") continue;
        const told = how === "cancelled" ? "was cancelled" : `has ${how}`;
        expect(job.events.at(-1)).toMatchObject({
          type: "job.cancelled",
          data: { actor: null, reason: `${idText("job", parent)}, which it waited for, ${told}` },
        });
      }
    },
  );

  it("is not moved by an attempt that is tried again, and is cancelled when that became a cancel", async () => {
    const [retried, stopped] = [await insertJob(db, { state: "running" }), await insertJob(db, { state: "running" })];
    const [first, second] = [await child([retried]), await child([stopped])];
    await db.sql`update jobs set cancel_requested_at = queue_now() where id = ${stopped}`;
    const data = { error, failures: 1, maxAttempts: 3, runAt: new Date().toISOString() };
    await db.sql.begin((tx) =>
      transition(
        tx,
        backend,
        "retry",
        [retried, stopped].map((id) => ({ id, attempt: 1, data })),
      ),
    );
    expect([await stateOf(first), await stateOf(second)]).toEqual(["blocked", "cancelled"]);
  });

  it("expires while it waits, and takes with it what waits for it", async () => {
    const parent = await insertJob(db);
    const id = await child([parent], { expiresAt: new Date(Date.now() - 1000).toISOString() });
    const [below, after] = [await child([id]), await child([{ jobId: id, when: "ended" }])];
    const { jobIds } = await admit(db, backend);
    expect(jobIds).toEqual(expect.arrayContaining([id, below, after]));
    expect(await stateOf(id)).toBe("expired");
    expect((await read(below)).events.at(-1)).toMatchObject({
      data: { reason: `${idText("job", id)}, which it waited for, has expired` },
    });
    expect(await stateOf(after)).toBe("queued");
    await endNow(parent, "succeeded");
    expect(await stateOf(id)).toBe("expired");
  });

  it("is cancelled by hand, with what waits for it, and their followers are told", async () => {
    const id = await child([await insertJob(db)]);
    const below = await child([id]);
    const context = jobsContext(db);
    const told: (readonly string[])[] = [];
    context.wakeups.ring = (topic, ids = []) => void (topic === "events" && told.push(ids));
    await cancelJob(context, tester, { jobId: id, reason: null });
    expect([await stateOf(id), await stateOf(below)]).toEqual(["cancelled", "cancelled"]);
    expect(told).toEqual([[id, below]]);
  });

  it("goes on waiting for a failed parent that is requeued, when it was to stay blocked; a cancelled one stays cancelled", async () => {
    const parent = await insertJob(db);
    const stays = await child([{ jobId: parent, otherwise: "block" }]);
    const goes = await child([parent]);
    await endNow(parent, "failed");
    await requeueJob(jobsContext(db), tester, { jobId: parent, reason: null, expiresAt: null });
    expect([await stateOf(stays), await stateOf(goes)]).toEqual(["blocked", "cancelled"]);
    await endNow(parent, "succeeded");
    expect([await stateOf(stays), await stateOf(goes)]).toEqual(["queued", "cancelled"]);
  });

  it("that was requeued by hand is left alone by what becomes of its parents", async () => {
    const [a, b] = [await insertJob(db), await insertJob(db)];
    const id = await child([a, b]);
    await endNow(a, "failed");
    await requeueJob(jobsContext(db), tester, { jobId: id, reason: null, expiresAt: null });
    const below = await child([id]);
    await endNow(b, "failed");
    expect([await stateOf(id), await stateOf(below)]).toEqual(["queued", "blocked"]);
    await endNow(id, "succeeded");
    expect(await stateOf(below)).toBe("queued");
  });
});

describe("at the same time", () => {
  it("two parents end: the second one sees what the first has counted", async () => {
    const [a, b] = [await insertJob(db), await insertJob(db)];
    const id = await child([a, b]);
    const { first, letCommit } = await begun((tx) => end(tx, a, "succeeded"));
    const second = endNow(b, "succeeded", other);
    await waitingForLock(db);
    letCommit();
    await first;
    expect(await second).toEqual([
      expect.objectContaining({ id: b }),
      expect.objectContaining({ id, state: "queued" }),
    ]);
  });

  it("a parent ends while its child is being made, and is seen by it", async () => {
    const parent = await insertJob(db);
    const { first: ending, letCommit } = await begun((tx) => end(tx, parent, "succeeded"));
    const made = child([parent], {}, other.sql);
    await waitingForLock(db);
    letCommit();
    await ending;
    expect(await stateOf(await made)).toBe("queued");
  });

  it("a child is made while its parent ends, and is seen by it", async () => {
    const parent = await insertJob(db, { state: "running" });
    const { first: inserting, letCommit } = await begun((tx) => child([parent], {}, tx));
    const ended = endNow(parent, "failed", other);
    await waitingForLock(db);
    letCommit();
    const id = await inserting;
    expect(await ended).toEqual([
      expect.objectContaining({ id: parent }),
      expect.objectContaining({ id, state: "cancelled" }),
    ]);
  });

  it("a process dies between the end of a parent and what follows: nothing of it has happened", async () => {
    const parent = await insertJob(db);
    const id = await child([parent]);
    const died = db.sql.begin(async (tx) => {
      await end(tx, parent, "succeeded");
      throw new Error("died");
    });
    await expect(died).rejects.toThrow("died");
    expect([await stateOf(parent), await stateOf(id)]).toEqual(["queued", "blocked"]);
    await endNow(parent, "succeeded");
    expect(await stateOf(id)).toBe("queued");
  });

  it("many make jobs and many end them: each ends as its parents say, none waits for nothing", async () => {
    await using own = await testDatabase();
    await using second = await connect(own.url, { max: 4, maxReads: 1 });
    const worker = await insertWorker(own.sql);
    const random = seeded(7);
    const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;
    const ids: string[] = [];
    const make = async (process: Database) => {
      for (let n = 0; n < 60; n += 1) {
        const parents = new Set(
          ids.length === 0 ? [] : Array.from({ length: Math.floor(random() * 4) }, () => pick(ids)),
        );
        const id = own.ids.next();
        const dependsOn = [...parents].map((jobId) => ({
          jobId,
          when: pick(["succeeded", "succeeded", "failed", "ended"] as const),
          otherwise: pick(["cancel", "block"] as const),
          shownId: idText("job", jobId),
        }));
        await withRetries(() => insertJobs(process.sql, backend, [newJob({ id, dependsOn })]));
        ids.push(id);
      }
    };
    const endSome = async (process: Database, most: number) =>
      await withRetries(() =>
        process.sql.begin(async (tx) => {
          const due = await tx<{ id: string; attempt: number }[]>`
            select id, attempt from jobs where state = 'queued' order by id limit ${most} for no key update skip locked`;
          const starts = due.map((job) => ({
            ...job,
            workerId: worker,
            runToken: randomUUID(),
            attemptId: own.ids.next(),
            data: { worker: "wkr_x" },
          }));
          await transition(tx, backend, "start", starts);
          const ends = Object.groupBy(due, () => pick(["succeed", "succeed", "fail"] as const));
          await Promise.all(
            (["succeed", "fail"] as const).map((name) => {
              const moves = (ends[name] ?? []).map(({ id, attempt }) => ({
                id,
                attempt: attempt + 1,
                data: endings[name === "fail" ? "failed" : "succeeded"][1],
              }));
              return transition<TransitionName>(tx, backend, name, moves as Move[]);
            }),
          );
          return due.length;
        }),
      );
    const making = Promise.all([make(own), make(second)]);
    let done = false;
    const ending = [own, second].map(async (process) => {
      while (!done) await endSome(process, 1 + Math.floor(random() * 5));
    });
    await making;
    done = true;
    await Promise.all(ending);
    while ((await endSome(own, 50)) > 0);
    const wrong = await own.sql`
      with d as (
        select d.*, p.state, p.state::text in ('succeeded', 'failed', 'cancelled') as ended,
          p.state::text in ('succeeded', 'failed', 'cancelled') and (d.run_when = 'ended' or d.run_when = p.state::text) as met
        from job_dependencies d join jobs p on p.id = d.parent_id
      ), due as (
        select j.id, j.state, j.waiting_for, count(*) filter (where not d.met) as open,
          bool_or(d.ended and not d.met and d.otherwise = 'cancel') as doomed,
          count(*) filter (where (d.resolved_at is not null) <> d.met) as unresolved
        from jobs j left join d on d.job_id = j.id group by j.id
      )
      select * from due where not case
        when doomed then state = 'cancelled'
        when open > 0 then state = 'blocked' and waiting_for = open and unresolved = 0
        else state in ('succeeded', 'failed') and waiting_for = 0 and unresolved = 0
      end`;
    expect(wrong).toEqual([]);
    const [counts] = await own.sql`
      select count(*)::int as all, count(*) filter (where state = 'cancelled')::int > 5 as cancelled,
        count(*) filter (where state = 'blocked')::int > 5 as blocked from jobs`;
    expect(counts).toEqual({ all: 120, cancelled: true, blocked: true });
  });
});

describe("a long chain", () => {
  it("is found in one statement and cancelled with its first job", async () => {
    const first = await insertJob(db);
    const chain = Array.from({ length: 1000 }, () => db.ids.next());
    // One by one, as people make them, it would take long.
    await insertJobs(
      db.sql,
      backend,
      chain.map((id) => newJob({ id, dependsOn: [] })),
    );
    await db.sql`delete from ${db.sql(ticketSchema)}._private_jobs`;
    await db.sql`
      update jobs set state = 'blocked', ticketed_at = null, waiting_for = 1, has_dependents = true
      where id = any(${chain}::uuid[])`;
    await db.sql`update jobs set has_dependents = true where id = ${first}`;
    await db.sql`
      insert into job_dependencies (job_id, parent_id, run_when, otherwise)
      select * , 'succeeded', 'cancel' from unnest(${chain}::uuid[], ${[first, ...chain.slice(0, -1)]}::uuid[])`;
    const seen = await db.sql.begin(async (tx) => {
      await tx`update jobs set state = 'failed', finished_at = queue_now(), ticketed_at = null where id = ${first}`;
      const consequences = await releaseDependents(tx, [{ id: first, state: "failed" }]);
      await tx`update jobs set state = 'queued', finished_at = null where id = ${first}`;
      return consequences.map(({ id }) => id).toSorted();
    });
    expect(seen).toEqual(chain.toSorted());
    expect(await endNow(first, "failed")).toHaveLength(1001);
    const [job] = await db.sql`
      select count(*)::int as cancelled from jobs where state = 'cancelled' and id in ${db.sql(chain)}`;
    expect(job).toEqual({ cancelled: 1000 });
    expect((await read(chain.at(-1) as string)).events.at(-1)).toMatchObject({
      data: { reason: `${idText("job", chain.at(-2) as string)}, which it waited for, was cancelled` },
    });
  }, 30_000);
});

describe("enqueueJob", () => {
  const enqueue = (given: Parameters<typeof runRequest>[0]) => enqueueJob(jobsContext(db), tester, runRequest(given));
  const depend = (jobId: string) => ({ jobId, when: "succeeded" as const, otherwise: "cancel" as const });

  it("makes a job that waits, and replays it", async () => {
    const parent = await child([]);
    const request = { dependsOn: [depend(parent)], idempotencyKey: randomUUID() };
    const { jobId } = await enqueue(request);
    expect(await stateOf(jobId)).toBe("blocked");
    expect(await enqueue(request)).toEqual({ jobId, replayed: true });
  });

  it("refuses what is not there, twice the same, and more than a hundred", async () => {
    const unknown = randomUUID();
    await expect(enqueue({ dependsOn: [depend(unknown)] })).rejects.toThrow(
      expect.objectContaining({ constructor: NotFoundError, path: "input.dependsOn.0.job" }),
    );
    const parent = await child([]);
    await expect(enqueue({ dependsOn: [depend(parent), depend(parent)] })).rejects.toThrow(
      expect.objectContaining({ constructor: BadInputError, path: "input.dependsOn.1.job" }),
    );
    const many = Array.from({ length: 101 }, () => depend(randomUUID()));
    await expect(enqueue({ dependsOn: many })).rejects.toThrow(BadInputError);
  });

  it("makes many jobs that wait in one call, and refuses those of them whose parents are not there", async () => {
    const parent = await child([]);
    const requests = [depend(parent), depend(randomUUID()), depend(parent)].map((one) =>
      runRequest({ dependsOn: [one] }),
    );
    const [first, second, third] = await enqueueJobs(jobsContext(db), tester, requests, "reject_failed");
    expect(second).toMatchObject({ code: "NOT_FOUND", path: "input.jobs.1.dependsOn.0.job" });
    for (const made of [first, third]) expect(await stateOf((made as { jobId: string }).jobId)).toBe("blocked");
    expect((await endNow(parent, "succeeded")).map(({ state }) => state)).toEqual(["succeeded", "queued", "queued"]);
  });

  it("makes nothing of a job whose parent is deleted meanwhile", async () => {
    const id = db.ids.next();
    const gone = randomUUID();
    const dependsOn = [{ ...depend(gone), shownId: idText("job", gone) }];
    expect(await insertJobs(db.sql, backend, [newJob({ id, dependsOn })])).toEqual([]);
    expect(await db.sql`select from jobs where id = ${id}`).toHaveLength(0);
  });
});

/** Does something in a transaction, which stays open until it is let go. */
async function begun<T>(work: (tx: Sql) => Promise<T>): Promise<{ first: Promise<T>; letCommit: () => void }> {
  const [done, open] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const first = db.sql.begin(async (tx) => {
    const result = await work(tx);
    done.resolve();
    await open.promise;
    return result;
  }) as Promise<T>;
  await Promise.race([done.promise, first]);
  return { first, letCommit: open.resolve };
}

/** Numbers from 0 to 1 that are the same each time. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state / 2 ** 31;
  };
}
