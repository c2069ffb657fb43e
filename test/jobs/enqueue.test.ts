import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { graphileWorker as backend } from "../../src/backends/graphile-worker/backend.ts";
import { connect, type Database } from "../../src/db/client.ts";
import { IdempotencyConflictError, InvalidRunError, NotFoundError } from "../../src/domain/errors.ts";
import { idText } from "../../src/domain/ids.ts";
import { laneOf, longestName, priorityStepSeconds } from "../../src/domain/lanes.ts";
import type { JobState } from "../../src/domain/lifecycle.ts";
import type { JobsContext } from "../../src/jobs/context.ts";
import { enqueueJob } from "../../src/jobs/enqueue.ts";
import { insertJobs } from "../../src/jobs/insert.ts";
import { openCatalogue } from "../../src/pipelines/catalogue.ts";
import { publishProject } from "../../src/pipelines/publish.ts";
import { noJobQueueSettings } from "../../src/runtime/protocol.ts";
import { pipeline, project as projectOf } from "../pipelines/descriptions.ts";
import { testDatabase } from "../support/database.ts";
import { finishJob } from "../support/factories.ts";
import { jobsContext, newJob, runRequest, tester } from "../support/jobs.ts";
import { ticketsOf } from "../support/tickets.ts";

let db: Database;
let context: JobsContext & { wakeups: { rung: string[] } };

beforeAll(async () => {
  db = await testDatabase({ max: 12 });
  context = jobsContext(db);
  await db.sql`insert into queues (name, created_at, paused_at) values ('paused', queue_now(), queue_now())`;
});

afterAll(async () => await db?.[Symbol.asyncDispose]());

const enqueue = (given: Parameters<typeof runRequest>[0] = {}, actor = tester) =>
  enqueueJob(context, actor, runRequest(given));

async function stateOf(jobId: string): Promise<{ state: JobState; ticketed: boolean } | undefined> {
  const [job] = await db.sql<{ state: JobState; ticketed: boolean }[]>`
    select state, ticketed_at is not null as ticketed from jobs where id = ${jobId}`;
  return job;
}

async function end(jobId: string, state: "succeeded" | "failed" | "cancelled" | "expired"): Promise<void> {
  await db.sql.begin((sql) => finishJob(sql, jobId, state));
}

/** How many rows each table has of these jobs. */
async function rowsOf(jobIds: string[]) {
  const [rows] = await db.sql<Record<string, number>[]>`
    select (select count(*) from jobs where id = any(i))::int as jobs,
      (select count(*) from job_requests where job_id = any(i))::int as requests,
      (select count(*) from job_tags where job_id = any(i))::int as tags,
      (select count(*) from events where job_id = any(i))::int as events,
      (select count(*) from idempotency_keys where job_id = any(i))::int as keys,
      (select count(*) from audit where target = any(select 'job_' || id from unnest(i) as id))::int as audit
    from (select ${jobIds}::uuid[] as i) ids`;
  return rows;
}

describe("enqueueJob", () => {
  it("puts a ticket in the lane of a project and a queue with the longest names", async () => {
    const [project, queue] = ["p".repeat(longestName), "q".repeat(longestName)];
    const one = { ...pipeline({ name: "bread" }), jobQueue: { ...noJobQueueSettings, queue } };
    await publishProject(db, null, { name: project, project: projectOf(), pipelines: [one], environment: {} });
    const { jobId } = await enqueueJob({ ...context, catalogue: openCatalogue(db) }, tester, {
      ...runRequest({}),
      project,
      pipeline: "bread",
      inputs: {},
    });
    expect(await stateOf(jobId)).toEqual({ state: "queued", ticketed: true });
    expect(await backend.depths(db.sql)).toContainEqual({ lane: laneOf(project, queue), waiting: 1, taken: 0 });
  });

  it("makes row, request, tags, first event, audit entry and ticket", async () => {
    const { jobId, replayed } = await enqueue({
      config: { season: "winter" },
      finalVars: ["dough"],
      tags: ["nightly", "bakery", "nightly"],
      timeoutMs: 60_000,
      priority: 70,
      requestedBy: "anna",
    });
    expect(replayed).toBe(false);
    expect(await stateOf(jobId)).toEqual({ state: "queued", ticketed: true });
    const [request] = await db.sql`select * from job_requests where job_id = ${jobId}`;
    expect(request).toMatchObject({
      inputs: {},
      config: { season: "winter" },
      final_vars: ["dough"],
      timeout_ms: 60_000,
      actor: "tester",
      requested_by: "anna",
    });
    const tags = await db.sql`select tag from job_tags where job_id = ${jobId} order by 1`;
    expect(tags.map(({ tag }) => tag)).toEqual(["bakery", "nightly"]);
    const events = await db.sql`select seq, life, type, data from events where job_id = ${jobId}`;
    expect(events).toEqual([
      {
        seq: 1,
        life: 1,
        type: "job.enqueued",
        data: {
          state: "queued",
          priority: 70,
          queue: "default",
          actor: "tester",
          runAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        },
      },
    ]);
    const [entry] = await db.sql`
      select actor, action, request_id, data from audit order by id desc limit 1`;
    expect(entry).toEqual({
      actor: "tester",
      action: "job.enqueue",
      request_id: "req-1",
      data: { project: "bikes", pipeline: "daily", requestedBy: "anna" },
    });
    expect(await ticketsOf(db.sql, jobId)).toEqual([
      expect.objectContaining({ attempt: 1, lane: "run/bikes/default", holder: null }),
    ]);
  });

  it("refuses a pipeline and a queue that do not exist, and a run that does not fit, and stores nothing", async () => {
    const before = await db.sql`select count(*) from jobs`;
    await expect(enqueue({ pipeline: "weekly" })).rejects.toBeInstanceOf(NotFoundError);
    await expect(enqueue({ queue: "fast" })).rejects.toMatchObject({ code: "NOT_FOUND", path: "input.queue" });
    await expect(enqueue({ queue: "fast", idempotencyKey: "no-queue" })).rejects.toMatchObject({ path: "input.queue" });
    await expect(enqueue({ inputs: { salt: 1 } })).rejects.toBeInstanceOf(InvalidRunError);
    expect(await db.sql`select count(*) from jobs`).toEqual(before);
    expect(await db.sql`select 1 from idempotency_keys where key = 'no-queue'`).toHaveLength(0);
  });

  it("schedules what is due later, without a ticket, and tells admission", async () => {
    context.wakeups.rung.length = 0;
    const { jobId } = await enqueue({ runAt: new Date(Date.now() + 3_600_000) });
    expect(await stateOf(jobId)).toEqual({ state: "scheduled", ticketed: false });
    expect(await ticketsOf(db.sql, jobId)).toEqual([]);
    expect(context.wakeups.rung).toEqual(["events", "admit"]);
  });

  it("queues what was due before, and holds it where the queue is paused", async () => {
    const past = await enqueue({ runAt: new Date(Date.now() - 60_000) });
    expect(await stateOf(past.jobId)).toEqual({ state: "queued", ticketed: true });
    const held = await enqueue({ queue: "paused" });
    expect(await stateOf(held.jobId)).toEqual({ state: "queued", ticketed: false });
    expect(await ticketsOf(db.sql, held.jobId)).toEqual([]);
  });

  it("places tickets by a virtual deadline: priority counts as time waited", async () => {
    const place = async (given: Parameters<typeof runRequest>[0]) => {
      const { jobId } = await enqueue(given);
      return (await ticketsOf(db.sql, jobId))[0]?.earlierSeconds ?? Number.NaN;
    };
    const near = (seconds: number) => [seconds - 5, seconds + 5] as const;
    for (const [given, seconds] of [
      [{ priority: 0 }, 0],
      [{}, 50 * priorityStepSeconds],
      [{ priority: 100 }, 100 * priorityStepSeconds],
      [{ priority: 0, runAt: new Date(Date.now() - 7_200_000) }, 7200],
    ] as const) {
      const [least, most] = near(seconds);
      const earlier = await place(given);
      expect(earlier).toBeGreaterThan(least);
      expect(earlier).toBeLessThan(most);
    }
  });
});

describe("an idempotency key", () => {
  it("makes one job of 50 calls at once, on two servers, and gives all the same answer", async () => {
    await using other = await connect(db.url, { max: 12, maxReads: 1 });
    const contexts = [context, jobsContext(other)];
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, i) =>
        enqueueJob(contexts[i % 2] as JobsContext, tester, runRequest({ idempotencyKey: "fifty" })),
      ),
    );
    expect(new Set(answers.map(({ jobId }) => jobId)).size).toBe(1);
    expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1);
    const jobs = await db.sql`select job_id from idempotency_keys where key = 'fifty'`;
    expect(jobs).toHaveLength(1);
    expect(await ticketsOf(db.sql, answers[0]?.jobId as string)).toHaveLength(1);
  });

  it("does not lock in circles when many keys come in any order", async () => {
    await using other = await connect(db.url, { max: 12, maxReads: 1 });
    const keys = Array.from({ length: 40 }, (_, i) => `circle-${(i * 17) % 40}`);
    const jobs = (order: string[]) => order.map((idempotencyKey) => newJob({ idempotencyKey }));
    const made = await Promise.all(
      [keys, keys.toReversed(), keys.toSorted(), keys.toSorted().toReversed()].map((order, i) =>
        insertJobs(i % 2 === 0 ? db.sql : other.sql, backend, jobs(order)),
      ),
    );
    expect(made.flat()).toHaveLength(40);
  });

  it("belongs to one request: another one is refused, and is told which job has it", async () => {
    const { jobId } = await enqueue({ idempotencyKey: "once", config: { a: 1 } });
    const refused = enqueue({ idempotencyKey: "once", config: { a: 2 } });
    await expect(refused).rejects.toBeInstanceOf(IdempotencyConflictError);
    await expect(refused).rejects.toMatchObject({
      code: "CONFLICT",
      path: "input.idempotencyKey",
      jobId: idText("job", jobId),
    });
  });

  it("is refused for another request that comes at the same moment, too", async () => {
    const answers = await Promise.allSettled(
      Array.from({ length: 20 }, (_, i) => enqueue({ idempotencyKey: "both", tags: [`t${i % 2}`] })),
    );
    const refused = answers.filter(({ status }) => status === "rejected");
    expect(refused).toHaveLength(10);
    for (const answer of refused) {
      expect((answer as PromiseRejectedResult).reason).toBeInstanceOf(IdempotencyConflictError);
    }
  });

  it("means the same request in whatever order its keys were written, and is the owner's own", async () => {
    const first = await enqueue({ idempotencyKey: "order", config: { a: 1, b: [{ c: 1, d: 2 }] } });
    const again = await enqueue({ idempotencyKey: "order", config: { b: [{ d: 2, c: 1 }], a: 1 } });
    expect(again).toEqual({ jobId: first.jobId, replayed: true });
    const others = await enqueue({ idempotencyKey: "order", config: {} }, { name: "somebody", requestId: null });
    expect(others.replayed).toBe(false);
  });

  it("returns the job in whatever state, and is answered before the pipeline is looked at", async () => {
    const { jobId } = await enqueue({ idempotencyKey: "kept" });
    await end(jobId, "failed");
    const gone = { ...context, catalogue: { ...context.catalogue, pipeline: () => Promise.reject(new Error("gone")) } };
    expect(await enqueueJob(gone, tester, runRequest({ idempotencyKey: "kept" }))).toEqual({ jobId, replayed: true });
  });

  it.each(["failed", "cancelled", "expired"] as const)(
    "makes a new job when the first is %s and that is asked for, once for all who ask",
    async (state) => {
      const request = { idempotencyKey: `again-${state}`, onReplay: "new_if_failed" } as const;
      const { jobId } = await enqueue(request);
      expect(await enqueue(request)).toEqual({ jobId, replayed: true });
      await end(jobId, state);
      const answers = await Promise.all(Array.from({ length: 10 }, () => enqueue(request)));
      const ids = new Set(answers.map((answer) => answer.jobId));
      expect(ids.size).toBe(1);
      expect(ids.has(jobId)).toBe(false);
      expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1);
    },
  );

  it("stays with the job that it has made when the new one that is asked for cannot be made", async () => {
    const request = { idempotencyKey: "still-mine", onReplay: "new_if_failed" } as const;
    const { jobId } = await enqueue(request);
    await end(jobId, "failed");
    const gone = { ...context, catalogue: { ...context.catalogue, pipeline: () => Promise.reject(new Error("gone")) } };
    await expect(enqueueJob(gone, tester, runRequest(request))).rejects.toThrow("gone");
    expect(await enqueue({ ...request, onReplay: "return" })).toEqual({ jobId, replayed: true });
  });

  it("makes no new job of one that has succeeded, whatever is asked for", async () => {
    const request = { idempotencyKey: "good", onReplay: "new_if_failed" } as const;
    const { jobId } = await enqueue(request);
    await end(jobId, "succeeded");
    expect(await enqueue(request)).toEqual({ jobId, replayed: true });
  });
});

describe("insertJobs", () => {
  it("leaves nothing behind when the ticket cannot be written", async () => {
    const jobs = [newJob({ idempotencyKey: "torn", tags: ["a"] }), newJob({ tags: ["b"] })];
    const torn = {
      ...backend,
      tickets: (sql: Database["sql"]) => sql`select 1 / (select count(*) - count(*) from made)`,
    };
    await expect(insertJobs(db.sql, torn as never, jobs)).rejects.toMatchObject({ code: "22012" });
    const ids = jobs.map(({ id }) => id);
    expect(await rowsOf(ids)).toEqual({ jobs: 0, requests: 0, tags: 0, events: 0, keys: 0, audit: 0 });
    expect(await insertJobs(db.sql, backend, jobs)).toHaveLength(2);
    expect(await rowsOf(ids)).toEqual({ jobs: 2, requests: 2, tags: 2, events: 2, keys: 1, audit: 2 });
  });

  it("finds what it has made when it is sent again because the answer was lost", async () => {
    const jobs = [newJob({ idempotencyKey: "lost-answer" }), newJob()];
    const made = await insertJobs(db.sql, backend, jobs);
    expect(made).toHaveLength(2);
    const again = await insertJobs(db.sql, backend, jobs);
    expect(again.map(({ id }) => id).toSorted()).toEqual(made.map(({ id }) => id).toSorted());
    const ids = jobs.map(({ id }) => id);
    expect(await rowsOf(ids)).toMatchObject({ jobs: 2, events: 2, keys: 1, audit: 2 });
    for (const id of ids) expect(await ticketsOf(db.sql, id)).toHaveLength(1);
  });

  it("fails only for whoever sent what Postgres refuses, of several that share a statement", async () => {
    const job = (given: Partial<Parameters<typeof newJob>[0]> = {}) => newJob({ id: db.ids.next(), ...given });
    const good = [job(), job(), job()] as const;
    const seen: string[] = [];
    const watched = {
      ...backend,
      tickets: (...given: Parameters<typeof backend.tickets>) => {
        seen.push("statement");
        return backend.tickets(...given);
      },
    };
    const { insert } = jobsContext(db, watched);
    // A character that no text of Postgres holds, and a check constraint, between good ones.
    const results = await Promise.allSettled([
      insert(good[0]),
      insert(job({ requestedBy: "a\u0000b" })),
      insert(good[1]),
      insert(job({ priority: 101 })),
      insert(good[2]),
    ]);
    expect(results.map(({ status }) => status)).toEqual([
      "fulfilled",
      "rejected",
      "fulfilled",
      "rejected",
      "fulfilled",
    ]);
    expect(results[1]).toMatchObject({ reason: { code: "22P05" } });
    expect(results[3]).toMatchObject({ reason: { code: "23514", constraint_name: "jobs_priority" } });
    for (const { id } of good) expect(await stateOf(id)).toEqual({ state: "queued", ticketed: true });
    // One for all of them, which failed; then one for each.
    expect(seen).toHaveLength(1 + results.length);
  });

  it("leaves out only those whose key is taken or whose queue does not exist", async () => {
    await insertJobs(db.sql, backend, [newJob({ idempotencyKey: "taken" })]);
    const jobs = [newJob(), newJob({ idempotencyKey: "taken" }), newJob({ queue: "fast" }), newJob()];
    const made = await insertJobs(db.sql, backend, jobs);
    expect(made.map(({ id }) => id).toSorted()).toEqual([jobs[0]?.id, jobs[3]?.id].toSorted());
  });
});
