import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connect, type Database } from "../../src/db/client.ts";
import { NotFoundError } from "../../src/domain/errors.ts";
import { idText } from "../../src/domain/ids.ts";
import type { JobState } from "../../src/domain/lifecycle.ts";
import type { Unique } from "../../src/domain/run-request.ts";
import type { JobsContext } from "../../src/jobs/context.ts";
import { type Enqueued, enqueueJob } from "../../src/jobs/enqueue.ts";
import { enqueueJobs } from "../../src/jobs/enqueue-many.ts";
import { storeUnique } from "../../src/jobs/unique.ts";
import { testDatabase } from "../support/database.ts";
import { finishJob, insertWorker } from "../support/factories.ts";
import { jobsContext, newJob, runRequest, tester } from "../support/jobs.ts";
import { startJob } from "../support/running.ts";
import { ticketsOf } from "../support/tickets.ts";

let db: Database;
let context: JobsContext;
beforeAll(async () => {
  db = await testDatabase({ max: 12 });
  context = jobsContext(db);
});
afterAll(async () => await db?.[Symbol.asyncDispose]());

type Given = Parameters<typeof runRequest>[0];
const unique = (key: string, given: Partial<Unique> = {}): Unique => ({ key, policy: "return_existing", ...given });
const enqueue = (rule: Unique, given: Given = {}, on = context) =>
  enqueueJob(on, tester, runRequest({ ...given, unique: rule }));

async function jobsOf(key: string): Promise<{ id: string; state: JobState }[]> {
  return await db.sql<
    { id: string; state: JobState }[]
  >`select id, state from jobs where unique_key = ${key} order by id`;
}

async function isRunning(jobId: string): Promise<void> {
  const worker = await insertWorker(db.sql);
  await startJob(db, jobId, worker);
  expect((await db.sql`select state from jobs where id = ${jobId}`)[0]).toEqual({ state: "running" });
}

describe("50 calls at once with one unique key, on two servers,", () => {
  const together = async (rule: Unique, given: (n: number) => Given): Promise<Enqueued[]> => {
    await using other = await connect(db.url, { max: 12, maxReads: 1 });
    const contexts = [context, jobsContext(other)];
    return await Promise.all(Array.from({ length: 50 }, (_, n) => enqueue(rule, given(n), contexts[n % 2])));
  };

  it("make one job, and all get it", async () => {
    const answers = await together(unique("fifty"), (n) => ({
      config: {},
      tags: [`call-${n}`],
      idempotencyKey: `k${n}`,
    }));
    expect(new Set(answers.map(({ jobId }) => jobId)).size).toBe(1);
    expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1);
    expect(await jobsOf("fifty")).toEqual([{ id: answers[0]?.jobId, state: "queued" }]);
  });

  it("leave one waiting job when each takes the place of the one before, whose ticket is taken back", async () => {
    const answers = await together(unique("replaced", { policy: "replace_pending" }), () => ({}));
    const jobs = await jobsOf("replaced");
    expect(jobs).toHaveLength(50);
    expect(jobs.filter(({ state }) => state === "queued")).toHaveLength(1);
    expect(jobs.filter(({ state }) => state === "cancelled")).toHaveLength(49);
    expect(answers.filter(({ replaced }) => replaced === undefined)).toHaveLength(1);
    expect(new Set(answers.flatMap(({ replaced }) => replaced ?? [])).size).toBe(49);
    const tickets = await Promise.all(jobs.map(({ id }) => ticketsOf(db.sql, id)));
    expect(tickets.flat()).toHaveLength(1);
  });
});

describe("a unique key", () => {
  it("is free again when its job has ended, and is the project's own", async () => {
    const first = await enqueue(unique("freed"));
    expect(await enqueue(unique("freed"))).toEqual({ jobId: first.jobId, replayed: true });
    await db.sql.begin((sql) => finishJob(sql, first.jobId, "failed"));
    expect((await enqueue(unique("freed"))).replayed).toBe(false);
  });

  it("counts a running job or does not, as is asked for", async () => {
    const first = await enqueue(unique("runs"));
    await isRunning(first.jobId);
    expect(await enqueue(unique("runs"))).toEqual({ jobId: first.jobId, replayed: true });
    const kept = unique("runs", { policy: "replace_pending", while: "waiting_or_running" });
    expect(await enqueue(kept)).toEqual({ jobId: first.jobId, replayed: true });
    const second = await enqueue(unique("runs", { while: "waiting" }));
    expect(second.replayed).toBe(false);
    expect(await enqueue(unique("runs", { policy: "replace_pending" }))).toMatchObject({ replaced: second.jobId });
    expect((await jobsOf("runs")).map(({ state }) => state)).toEqual(["running", "cancelled", "queued"]);
  });

  it("tells the replaced job by which one, and in the audit trail", async () => {
    const first = await enqueue(unique("told", { policy: "replace_pending" }));
    const second = await enqueue(unique("told", { policy: "replace_pending" }), { config: { day: 2 } });
    const reason = `replaced by ${idText("job", second.jobId)}`;
    const [event] = await db.sql`select data from events where job_id = ${first.jobId} and type = 'job.cancelled'`;
    expect(event).toEqual({ data: { actor: "tester", reason } });
    const target = idText("job", first.jobId);
    const [entry] = await db.sql`select actor, data from audit where target = ${target} and action = 'job.cancel'`;
    expect(entry).toEqual({ actor: "tester", data: { reason } });
  });

  it("puts a debounced job off with each call, and runs what was asked for last", async () => {
    const rule = unique("typed", { policy: "debounce", debounceMs: 60_000 });
    await enqueue(rule, { config: { n: 1 } });
    await enqueue(rule, { config: { n: 2 } });
    const last = await enqueue(rule, { config: { n: 3 } });
    const [row] = await db.sql`
      select j.id, state, extract(epoch from run_at - created_at)::float as delay, r.config
      from jobs j join job_requests r on r.job_id = j.id where unique_key = 'typed' and finished_at is null`;
    expect(row).toEqual({ id: last.jobId, state: "scheduled", delay: 60, config: { n: 3 } });
  });

  it("replaces nothing when the new job cannot be made", async () => {
    const first = await enqueue(unique("stays", { policy: "replace_pending" }));
    const missing = enqueue(unique("stays", { policy: "replace_pending" }), { queue: "nowhere" });
    await expect(missing).rejects.toBeInstanceOf(NotFoundError);
    await db.sql`insert into queues (name, created_at, backlog_limit) values ('full', queue_now(), 1)`;
    await enqueueJob(context, tester, runRequest({ queue: "full" }));
    const full = enqueue(unique("stays", { policy: "replace_pending" }), { queue: "full" });
    await expect(full).rejects.toMatchObject({ code: "QUEUE_FULL" });
    expect(await jobsOf("stays")).toEqual([{ id: first.jobId, state: "queued" }]);
  });

  it("goes with an idempotency key: the same call again has the same answer", async () => {
    const given = { idempotencyKey: "u1" };
    const first = await enqueue(unique("both", { policy: "replace_pending" }), given);
    expect(await enqueue(unique("both", { policy: "replace_pending" }), given)).toEqual({
      jobId: first.jobId,
      replayed: true,
    });
  });

  it("is refused, and not tried for ever, when a job that it is to wait for is deleted in the meantime", async () => {
    const jobId = randomUUID();
    const job = newJob({
      dependsOn: [{ jobId, shownId: idText("job", jobId), when: "succeeded", otherwise: "cancel" }],
    });
    const stored = db.sql.begin((tx) => storeUnique(context, tx, tester, job, unique("orphan")));
    await expect(stored).rejects.toMatchObject({ code: "NOT_FOUND", path: "input.dependsOn" });
  });

  it("holds among many jobs of one call, and a refused one replaces nothing", async () => {
    const request = (policy: Unique["policy"], given: Given = {}) =>
      runRequest({ ...given, unique: unique("many", { policy }) });
    const outcomes = await enqueueJobs(
      context,
      tester,
      [
        request("return_existing"),
        request("return_existing"),
        request("replace_pending"),
        request("replace_pending", { queue: "full" }),
        runRequest(),
      ],
      "reject_failed",
    );
    const [first, second, third, fourth, fifth] = outcomes as Enqueued[];
    expect(second).toEqual({ jobId: first?.jobId, replayed: true });
    expect(third).toMatchObject({ replayed: false, replaced: first?.jobId });
    expect(fourth).toMatchObject({ code: "QUEUE_FULL", path: "input.jobs.3.queue" });
    expect(fifth).toMatchObject({ replayed: false });
    expect(await jobsOf("many")).toEqual([
      { id: first?.jobId, state: "cancelled" },
      { id: third?.jobId, state: "queued" },
    ]);
  });

  it("is looked up in an index", async () => {
    const [plan] = await db.sql.begin(async (sql) => {
      await sql`set local enable_seqscan = off`;
      return await sql`
        explain (format json) select id from jobs
        where project = 'bikes' and unique_key = 'many' and finished_at is null and state in ('queued', 'scheduled')`;
    });
    expect(JSON.stringify(plan)).toContain("jobs_unique");
  });
});
