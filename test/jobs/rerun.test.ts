import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Database } from "../../src/db/client.ts";
import {
  CodeChangedError,
  IdempotencyConflictError,
  InvalidRunError,
  JobStateError,
  NotFoundError,
} from "../../src/domain/errors.ts";
import { idText } from "../../src/domain/ids.ts";
import type { JsonObject } from "../../src/domain/json.ts";
import { finalStates, jobStates } from "../../src/domain/lifecycle.ts";
import type { RunRequest } from "../../src/domain/run-request.ts";
import type { JobsContext } from "../../src/jobs/context.ts";
import { enqueueJob } from "../../src/jobs/enqueue.ts";
import { type RerunRequest, rerunJob } from "../../src/jobs/rerun.ts";
import { input, pipeline, project } from "../pipelines/descriptions.ts";
import { testDatabase } from "../support/database.ts";
import { insertWorker } from "../support/factories.ts";
import { jobsContext, runRequest, tester } from "../support/jobs.ts";
import { startJob } from "../support/running.ts";
import { ticketsOf } from "../support/tickets.ts";

let db: Database;
let context: JobsContext;
/** What is published now. */
let published = { codeHash: "c0de", inputs: ["flour", "salt", "password"] };

beforeAll(async () => {
  db = await testDatabase();
  const real = jobsContext(db);
  const find = async (projectName: string, name: string) => {
    if (projectName !== "bikes" || name !== "daily") return null;
    const inputs = published.inputs.map((one) => input(one, { required: false }));
    const description = pipeline({ codeHash: published.codeHash, inputs, config: {} });
    return { projectName, name, project: project(), description, lastGood: null, publishedAt: new Date() };
  };
  const catalogue = {
    ...real.catalogue,
    find,
    async pipeline(projectName: string | null, name: string) {
      const found = await find(projectName ?? "", name);
      if (found === null) throw new NotFoundError("pipeline", name, null);
      return found;
    },
  };
  context = { ...real, catalogue };
});
afterAll(() => db[Symbol.asyncDispose]());

function rerunOf(jobId: string, given: Partial<RerunRequest> = {}): RerunRequest {
  return {
    jobId,
    inputs: {},
    config: {},
    unset: [],
    unsetConfig: [],
    changes: {},
    code: "current",
    runAt: null,
    expiresAt: null,
    idempotencyKey: null,
    onReplay: "return",
    requestedBy: null,
    ...given,
  };
}

/** A job that was asked for and has ended; `ran`: the hash of the code of its one attempt. */
async function ended(
  given: Partial<RunRequest> = {},
  { state = "failed", ran = "c0de" as string | null } = {},
): Promise<string> {
  const { jobId } = await enqueueJob(context, tester, runRequest(given));
  const attempt = ran === null ? 0 : 1;
  if (ran !== null) {
    await db.sql`
      insert into attempts (job_id, attempt, id, life, run_token, worker_id, started_at, ended_at, outcome, code_hash)
      values (${jobId}, 1, ${randomUUID()}, 1, ${randomUUID()}, ${await insertWorker(db.sql)}, queue_now(), queue_now(),
        'fail', ${ran})`;
  }
  await db.sql`
    update jobs set state = ${state}::job_state, finished_at = queue_now(), ticketed_at = null, attempt = ${attempt}
    where id = ${jobId}`;
  return jobId;
}

async function rerun(jobId: string, given: Partial<RerunRequest> = {}) {
  const made = await rerunJob(context, tester, rerunOf(jobId, given));
  return { ...made, ...(await read(made.jobId)) };
}

async function read(jobId: string) {
  const [row] = await db.sql<{ inputs: JsonObject; options: JsonObject; [column: string]: unknown }[]>`
    select j.state, j.project, j.pipeline, j.queue, j.priority, j.on_worker_lost, j.max_attempts, r.*
    from jobs j join job_requests r on r.job_id = j.id where j.id = ${jobId}`;
  if (row === undefined) throw new Error("there is no such job");
  return row;
}

describe("rerunJob", () => {
  it.each(jobStates)("of a job that is %s makes a new one, or is refused", async (state) => {
    const isFinal = (finalStates as readonly string[]).includes(state);
    const id = isFinal ? await ended({}, { state }) : (await enqueueJob(context, tester, runRequest())).jobId;
    if (isFinal) {
      const made = await rerun(id);
      expect(made).toMatchObject({ replayed: false, state: "queued", rerun_of: id });
      expect(made.jobId).not.toBe(id);
      expect(await ticketsOf(db.sql, made.jobId)).toHaveLength(1);
      expect(await read(id)).toMatchObject({ state });
      const [audited] = await db.sql`
        select actor, action, data from audit where target = ${idText("job", made.jobId)}`;
      expect(audited).toEqual({
        actor: "tester",
        action: "job.rerun",
        data: { project: "bikes", pipeline: "daily", requestedBy: null, rerunOf: idText("job", id) },
      });
      // Who runs it knows whose values may be reused.
      expect((await startJob(db, made.jobId))?.options).toMatchObject({ reuseFrom: [id] });
      return;
    }
    if (state === "running") await startJob(db, id);
    await expect(rerunJob(context, tester, rerunOf(id))).rejects.toBeInstanceOf(JobStateError);
  });

  it("asks for the same as the old one where nothing is changed", async () => {
    const asked = {
      inputs: { flour: 1, password: "s3cret" },
      finalVars: ["dough"],
      config: { oven: "deck" },
      options: { logLevel: "DEBUG", executor: { type: "threadpool", maxWorkers: 2, numCpus: null } },
      priority: 70,
      tags: ["a", "b"],
      timeoutMs: 5000,
      retry: { maxRetries: 2 },
      requestedBy: "ada",
    } as const satisfies Partial<RunRequest>;
    // No worker answers for the config: it is accepted and checked when it starts.
    const id = await ended(asked as never);
    expect(await rerun(id, { requestedBy: "eve" })).toMatchObject({
      inputs: { flour: 1, password: "s3cret" },
      final_vars: ["dough"],
      config: { oven: "deck" },
      options: asked.options,
      priority: 70,
      tags: ["a", "b"],
      timeout_ms: 5000,
      retry: { maxRetries: 2 },
      max_attempts: 3,
      on_worker_lost: "retry",
      requested_by: "eve",
    });
  });

  it("changes what is asked to change, and takes away what is unset", async () => {
    const id = await ended({
      inputs: { flour: 1, salt: 2 },
      finalVars: ["dough"],
      options: { logLevel: "DEBUG", results: "none" },
      tags: ["a"],
      timeoutMs: 5000,
      retry: { maxRetries: 0 },
    });
    expect((await read(id)).on_worker_lost).toBe("fail");
    const made = await rerun(id, {
      inputs: { flour: 3 },
      unset: ["salt"],
      changes: {
        finalVars: null,
        options: { logLevel: null, reuse: "resume" },
        tags: [],
        timeoutMs: null,
        retry: { maxRetries: 1 },
        priority: 10,
      },
    });
    expect(made).toMatchObject({
      inputs: { flour: 3 },
      final_vars: null,
      options: { results: "none", reuse: "resume" },
      tags: [],
      timeout_ms: null,
      max_attempts: 2,
      priority: 10,
      on_worker_lost: "retry",
    });
    expect(Object.keys(made.inputs)).toEqual(["flour"]);
    expect((await read(id)).inputs).toEqual({ flour: 1, salt: 2 });
  });

  it("is checked against the pipeline as it is now", async () => {
    const id = await ended({ inputs: { flour: 1, salt: 2 } });
    const wrong = rerunJob(context, tester, rerunOf(id, { inputs: { flour: "much" } }));
    await expect(wrong).rejects.toMatchObject({ problems: [{ path: "input.inputs.flour" }] });
    published = { ...published, inputs: ["flour"] };
    try {
      await expect(rerunJob(context, tester, rerunOf(id))).rejects.toBeInstanceOf(InvalidRunError);
      expect(await rerun(id, { unset: ["salt"] })).toMatchObject({ inputs: { flour: 1 } });
    } finally {
      published = { ...published, inputs: ["flour", "salt", "password"] };
    }
  });

  it.each([
    [{ unset: ["salts"] }, "input.unset.0", "salt"],
    [{ unset: ["flour"], inputs: { flour: 2 } }, "input.unset.0", null],
    [{ unsetConfig: ["oven"] }, "input.unsetConfig.0", null],
    [{ inputs: { flour: "x".repeat(300_000) } }, "input.inputs", null],
  ])("refuses %j at %s", async (given, path, suggestion) => {
    const id = await ended({ inputs: { flour: 1, salt: 2 } });
    await expect(rerunJob(context, tester, rerunOf(id, given))).rejects.toMatchObject({
      code: "INVALID_RUN",
      problems: [{ path, suggestion }],
    });
  });

  it("runs the same code only while it is what is published", async () => {
    const id = await ended();
    const pinned = await rerun(id, { code: "same" });
    expect(pinned.options).toEqual({ codeHash: "c0de", reuseFrom: [id] });
    // That is no wish of whoever reruns it.
    await db.sql`update jobs set state = 'failed', finished_at = queue_now(), ticketed_at = null where id = ${pinned.jobId}`;
    // The values of both may be taken.
    expect((await rerun(pinned.jobId)).options).toEqual({ reuseFrom: [pinned.jobId, id] });
    const older = await ended({}, { ran: "01d" });
    const refused = rerunJob(context, tester, rerunOf(older, { code: "same" }));
    await expect(refused).rejects.toBeInstanceOf(CodeChangedError);
    await expect(refused).rejects.toMatchObject({ ran: "01d", published: "c0de", path: "input.code" });
    await expect(refused).rejects.toThrow("old code is not kept");
    await rerun(older, { code: "current" });
    // One that never ran was checked against some code.
    const never = await ended({}, { ran: null, state: "cancelled" });
    await rerun(never, { code: "same" });
    await db.sql`update job_requests set plan = null where job_id = ${never}`;
    await expect(rerunJob(context, tester, rerunOf(never, { code: "same" }))).rejects.toMatchObject({ ran: null });
  });

  it("makes one job of equal calls with one key, whatever becomes of the old one", async () => {
    const id = await ended();
    const [first, ...others] = await Promise.all(
      Array.from({ length: 5 }, () => rerunJob(context, tester, rerunOf(id, { idempotencyKey: "again" }))),
    );
    expect(new Set([first, ...others].map((made) => made?.jobId)).size).toBe(1);
    await db.sql`update jobs set state = 'queued', finished_at = null where id = ${id}`;
    expect(await rerunJob(context, tester, rerunOf(id, { idempotencyKey: "again" }))).toEqual({
      jobId: first?.jobId,
      replayed: true,
    });
    const other = rerunJob(context, tester, rerunOf(id, { idempotencyKey: "again", inputs: { flour: 9 } }));
    await expect(other).rejects.toBeInstanceOf(IdempotencyConflictError);
  });

  it("refuses what is not there: the job, its pipeline, the queue", async () => {
    await expect(rerunJob(context, tester, rerunOf(db.ids.next()))).rejects.toBeInstanceOf(NotFoundError);
    const id = await ended();
    const elsewhere = rerunJob(context, tester, rerunOf(id, { changes: { queue: "nowhere" } }));
    await expect(elsewhere).rejects.toMatchObject({ code: "NOT_FOUND", path: "input.queue" });
    await db.sql`update jobs set pipeline = 'gone' where id = ${id}`;
    await expect(rerunJob(context, tester, rerunOf(id))).rejects.toMatchObject({ code: "NOT_FOUND", path: "input.id" });
  });

  it("outlives the job that it was made from", async () => {
    const id = await ended();
    const { jobId } = await rerun(id);
    await db.sql`delete from jobs where id = ${id}`;
    expect(await read(jobId)).toMatchObject({ rerun_of: null, state: "queued" });
  });
});
