import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Database } from "../../src/db/client.ts";
import { JobStateError, NotFoundError } from "../../src/domain/errors.ts";
import { idText } from "../../src/domain/ids.ts";
import { jobStates, transitions } from "../../src/domain/lifecycle.ts";
import { requeueJob } from "../../src/jobs/requeue.ts";
import { testDatabase } from "../support/database.ts";
import { insertJob } from "../support/factories.ts";
import { jobsContext, tester } from "../support/jobs.ts";
import { runningJob, startJob } from "../support/running.ts";
import { ticketsOf } from "../support/tickets.ts";

let db: Database;

beforeAll(async () => {
  db = await testDatabase();
  await db.sql`insert into queues (name, created_at, paused_at) values ('paused', queue_now(), queue_now())`;
});
afterAll(() => db[Symbol.asyncDispose]());

const requeue = (jobId: string, expiresAt: Date | null = null, context = jobsContext(db)) =>
  requeueJob(context, tester, { jobId, reason: "the disk was full", expiresAt });

async function read(jobId: string) {
  const [job] = await db.sql`
    select state, attempt, life, failures, losses, error_kind, expires_at, started_at, finished_at from jobs where id = ${jobId}`;
  const events = await db.sql<{ type: string; life: number; data: unknown }[]>`
    select type, life, data from events where job_id = ${jobId} order by seq`;
  const audited = await db.sql`
    select actor, action, request_id, data from audit where target = ${idText("job", jobId)} and action = 'job.requeue'`;
  return { job, events, audited };
}

describe.each(jobStates)("a job that is %s", (state) => {
  if ((transitions.requeue.from as readonly string[]).includes(state)) {
    it("is queued again, in its next life, by whom and why", async () => {
      const id = await insertJob(db, { state, attempt: 2 });
      await db.sql`
        insert into job_requests (job_id, inputs, config, options, tags, actor) values (${id}, '{}', '{}', '{}', '[]', 'test')`;
      await db.sql`update jobs set failures = 3, losses = 1, expires_at = queue_now() - interval '1 h' where id = ${id}`;
      const context = jobsContext(db);
      await requeue(id, null, context);
      const { job, events, audited } = await read(id);
      expect(job).toEqual({
        state: "queued",
        attempt: 2,
        life: 2,
        failures: 0,
        losses: 0,
        error_kind: null,
        expires_at: null,
        started_at: null,
        finished_at: null,
      });
      const why = { actor: "tester", reason: "the disk was full" };
      expect(events.at(-1)).toEqual({ type: "job.requeued", life: 2, data: why });
      expect(audited).toEqual([
        { actor: "tester", action: "job.requeue", request_id: "req-1", data: { reason: "the disk was full" } },
      ]);
      expect(context.wakeups.rung).toEqual(["events"]);
      expect(await ticketsOf(db.sql, id)).toHaveLength(1);
      // The attempts go on counting.
      expect(await startJob(db, id)).toMatchObject({ attempt: 3, failures: 0, losses: 0 });
    });
  } else {
    it("is refused, and nothing is written", async () => {
      const id = await insertJob(db, { state });
      const before = await read(id);
      await expect(requeue(id)).rejects.toBeInstanceOf(JobStateError);
      await expect(requeue(id)).rejects.toMatchObject({ state, path: "input.id" });
      expect(await read(id)).toEqual(before);
    });
  }
});

describe("requeueJob", () => {
  it("gives it a new time to live where one is asked for", async () => {
    const id = await insertJob(db, { state: "expired" });
    const context = jobsContext(db);
    const expiresAt = new Date("2999-01-01T00:00:00Z");
    await requeue(id, expiresAt, context);
    expect((await read(id)).job).toMatchObject({ state: "queued", expires_at: expiresAt });
    expect(context.wakeups.rung).toEqual(["events", "admit"]);
  });

  it("waits without a ticket while its queue is paused", async () => {
    const id = await insertJob(db, { state: "failed", queue: "paused" });
    await requeue(id);
    expect((await read(id)).job).toMatchObject({ state: "queued" });
    expect(await ticketsOf(db.sql, id)).toEqual([]);
  });

  it("lets one of many have its way", async () => {
    const id = await insertJob(db, { state: "failed" });
    const answers = await Promise.allSettled(Array.from({ length: 8 }, () => requeue(id)));
    expect(answers.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    const { job, audited } = await read(id);
    expect(job).toMatchObject({ life: 2 });
    expect(audited).toHaveLength(1);
  });

  it("refuses a job that runs, and one that is not there", async () => {
    const { jobId } = await runningJob(db);
    await expect(requeue(jobId)).rejects.toThrow("is running and can be requeued only when it has ended");
    await expect(requeue(db.ids.next())).rejects.toBeInstanceOf(NotFoundError);
  });
});
