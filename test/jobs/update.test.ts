import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { graphileWorker as backend } from "../../src/backends/graphile-worker/backend.ts";
import { connect, type Database } from "../../src/db/client.ts";
import { JobStateError, NotFoundError, QueueFullError } from "../../src/domain/errors.ts";
import { idText } from "../../src/domain/ids.ts";
import type { JobState } from "../../src/domain/lifecycle.ts";
import type { QueueLimits } from "../../src/domain/queue-limits.ts";
import { admit } from "../../src/jobs/admit.ts";
import { createQueue } from "../../src/jobs/create-queue.ts";
import { type UpdateRequest, updateJob } from "../../src/jobs/update.ts";
import { testDatabase } from "../support/database.ts";
import { insertJob } from "../support/factories.ts";
import { jobsContext, tester } from "../support/jobs.ts";
import { queuedJob, runningJob, startJob, waitingForLock } from "../support/running.ts";
import { ticketsOf } from "../support/tickets.ts";

let db: Database;
/** Another process. */
let other: Database;
beforeAll(async () => {
  db = await testDatabase();
  other = await connect(db.url, { max: 2, maxReads: 1 });
});
afterAll(async () => {
  await other?.[Symbol.asyncDispose]();
  await db?.[Symbol.asyncDispose]();
});

const none: QueueLimits = { concurrencyLimit: null, rateLimit: null, backlogLimit: null };
const update = (jobId: string, changes: Partial<UpdateRequest>, at = db) =>
  updateJob(jobsContext(at), tester, { jobId, reason: "urgent", inputs: {}, unset: [], ...changes });
const later = new Date(Date.now() + 3_600_000);

async function read(id: string) {
  const [job] = await db.sql<
    { state: JobState; queue: string; priority: number; ticketed: boolean; tags: string[]; lastSeq: number }[]
  >`
    select state, queue, priority, ticketed_at is not null as ticketed, r.tags, last_seq as "lastSeq"
    from jobs j join job_requests r on r.job_id = j.id where j.id = ${id}`;
  const events = await db.sql<{ type: string; data: Record<string, unknown> }[]>`
    select type, data from events where job_id = ${id} order by seq`;
  const audited = await db.sql`
    select actor, data from audit where target = ${idText("job", id)} and action = 'job.update'`;
  return {
    ...job,
    types: events.map(({ type }) => type),
    updated: events.filter(({ type }) => type === "job.updated"),
    audited,
  };
}

describe("updateJob", () => {
  it("gives a queued job another turn: its ticket is another one, and what changed is on record", async () => {
    const id = await queuedJob(db);
    const [before] = await ticketsOf(db.sql, id);
    await update(id, { priority: 80 });
    const job = await read(id);
    expect(job).toMatchObject({ state: "queued", priority: 80, ticketed: true, lastSeq: 2 });
    expect(job.updated).toEqual([
      {
        type: "job.updated",
        data: { actor: "tester", reason: "urgent", changes: [{ field: "priority", from: 50, to: 80 }] },
      },
    ]);
    expect(job.audited).toEqual([{ actor: "tester", data: { fields: ["priority"], reason: "urgent" } }]);
    const tickets = await ticketsOf(db.sql, id);
    expect(tickets).toHaveLength(1);
    expect(tickets[0]).not.toEqual(before);
  });

  it("moves it to another queue, where it waits for room when there is a limit", async () => {
    await createQueue(jobsContext(db), tester, { name: "open", ...none });
    await createQueue(jobsContext(db), tester, { name: "narrow", ...none, concurrencyLimit: 1 });
    const id = await queuedJob(db);
    await update(id, { queue: "open" });
    expect(await ticketsOf(db.sql, id)).toEqual([expect.objectContaining({ lane: "run/bikes/open" })]);
    await update(id, { queue: "narrow" });
    expect(await read(id)).toMatchObject({ queue: "narrow", ticketed: false });
    expect(await ticketsOf(db.sql, id)).toEqual([]);
    await admit(db, backend);
    expect(await ticketsOf(db.sql, id)).toEqual([expect.objectContaining({ lane: "run/bikes/narrow" })]);
  });

  it("schedules a queued job that is due later, and queues a scheduled one that is due now", async () => {
    const id = await queuedJob(db);
    await update(id, { runAt: later });
    expect(await read(id)).toMatchObject({ state: "scheduled", ticketed: false });
    expect(await ticketsOf(db.sql, id)).toEqual([]);
    await update(id, { runAt: null });
    const job = await read(id);
    expect(job).toMatchObject({ state: "queued", ticketed: true });
    expect(job.types).toEqual(["job.enqueued", "job.updated", "job.postponed", "job.updated", "job.queued"]);
    expect(await ticketsOf(db.sql, id)).toHaveLength(1);
    expect(await startJob(db, id)).not.toBeNull();
  });

  it("replaces its tags, and records nothing when nothing is different", async () => {
    const id = await queuedJob(db, { tags: ["a", "b"] });
    await update(id, { tags: ["b", "c"] });
    expect(await read(id)).toMatchObject({ tags: ["b", "c"], lastSeq: 2 });
    expect(await db.sql`select tag from job_tags where job_id = ${id} order by tag`).toEqual([
      { tag: "b" },
      { tag: "c" },
    ]);
    await update(id, { tags: ["b", "c"], priority: 50 });
    expect((await read(id)).lastSeq).toBe(2);
  });

  it.each(["running", "succeeded", "failed", "cancelled", "expired"] as const)(
    "refuses a job that is %s",
    async (state) => {
      const id = state === "running" ? (await runningJob(db)).jobId : await insertJob(db, { state });
      if (state !== "running")
        await db.sql`
        insert into job_requests (job_id, inputs, config, options, tags, actor) values (${id}, '{}', '{}', '{}', '[]', 'x')`;
      await expect(update(id, { priority: 1 })).rejects.toThrow(JobStateError);
      expect(await read(id)).toMatchObject({ state, priority: 50 });
    },
  );

  it("refuses a queue that is not there, one that is full, and a job that is not there", async () => {
    await createQueue(jobsContext(db), tester, { name: "short", ...none, backlogLimit: 1 });
    const [first, second] = [await queuedJob(db), await queuedJob(db)];
    await expect(update(first, { queue: "nowhere" })).rejects.toThrow(NotFoundError);
    await update(first, { queue: "short" });
    await expect(update(second, { queue: "short" })).rejects.toThrow(QueueFullError);
    await update(first, { queue: "short", priority: 1 });
    await expect(update(db.ids.next(), { priority: 1 })).rejects.toThrow(NotFoundError);
  });

  it("leaves a job alone that a worker starts while it waits for it", async () => {
    const id = await queuedJob(db);
    await db.sql
      .begin(async (tx) => {
        await tx`select from jobs where id = ${id} for no key update`;
        const changing = update(id, { priority: 80 }, other);
        const refused = expect(changing).rejects.toThrow(JobStateError);
        await waitingForLock(db);
        await tx`update jobs set state = 'running', run_token = gen_random_uuid(), attempt = 1, last_seq = last_seq + 1,
        worker_id = (select id from workers limit 1) where id = ${id}`;
        return { refused };
      })
      .then(({ refused }) => refused);
    expect(await read(id)).toMatchObject({ state: "running", priority: 50 });
  });

  it("is not overtaken by a start that has waited for it: the old request does not run", async () => {
    const id = await queuedJob(db);
    const started = await db.sql.begin(async (tx) => {
      await tx`select from jobs where id = ${id} for no key update`;
      const starting = startJob(other, id);
      await waitingForLock(db);
      await tx`update job_requests set inputs = '{"n": 2}' where job_id = ${id}`;
      await tx`update jobs set last_seq = last_seq + 1 where id = ${id}`;
      return { starting };
    });
    expect(await started.starting).toBeNull();
    expect(await startJob(db, id)).toMatchObject({ inputs: { n: 2 } });
  });
});
