import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { graphileWorker as backend } from "../../src/backends/graphile-worker/backend.ts";
import type { Database } from "../../src/db/client.ts";
import { idText } from "../../src/domain/ids.ts";
import { withResults } from "../../src/worker/given-results.ts";
import { artifactRows, type Executed } from "../../src/worker/kept.ts";
import { type End, openWrites, type Started } from "../../src/worker/writes.ts";
import { testDatabase } from "../support/database.ts";
import { insertWorker } from "../support/factories.ts";
import { silentWakeups } from "../support/jobs.ts";
import { queuedJob, runningJob } from "../support/running.ts";

let db: Database;

beforeAll(async () => {
  db = await testDatabase();
});

afterAll(async () => await db?.[Symbol.asyncDispose]());

const writes = () => openWrites(db, backend, silentWakeups());

function start(id: string, workerId: string, runToken: string = randomUUID()) {
  return { id, attempt: 0, runToken, attemptId: db.ids.next(), workerId, data: { worker: "wkr_x" } };
}

describe("start", () => {
  it("gives an attempt to one of two that ask for it in the same flush", async () => {
    const [id, workerId] = [await queuedJob(db), await insertWorker(db.sql)];
    const { start: ask } = writes();
    const answers = await Promise.all([ask(start(id, workerId)), ask(start(id, workerId))]);
    expect(answers.filter((answer) => answer !== null)).toHaveLength(1);
    const [job] = await db.sql`select run_token from jobs where id = ${id}`;
    expect(answers.find((answer) => answer !== null)?.runToken).toBe(job?.run_token);
  });

  it("finds what it has started when it is asked again with the same token, and refuses another", async () => {
    const [id, workerId] = [await queuedJob(db), await insertWorker(db.sql)];
    const { start: ask } = writes();
    const first = start(id, workerId);
    const started = await ask(first);
    expect(started).toMatchObject({ jobId: id, attempt: 1, inputs: {}, plan: null, losses: 0 });
    expect(await ask(first)).toEqual(started);
    expect(await ask(start(id, workerId))).toBeNull();
    const attempts = await db.sql`select 1 from attempts where job_id = ${id}`;
    expect(attempts).toHaveLength(1);
  });
});

describe("end", () => {
  const ended: Executed = {
    outcome: "succeeded",
    error: null,
    results: {},
    retry: null,
    events: 0,
    nodeStarted: true,
    process: null,
    reusable: true,
  };
  const succeeded = ({ jobId, attempt, runToken }: Started): End => ({
    name: "succeed",
    move: { id: jobId, attempt, data: {} },
    runToken,
    artifacts: artifactRows({
      ...ended,
      results: { b: { summary: { type: "int" } as never, value: 42, omitted: null } },
    }),
    storedMs: null,
  });

  it("stores the results with the end, once, and tells the second who asks that it was too late", async () => {
    const run = await runningJob(db);
    const { end } = writes();
    expect(await end(succeeded(run))).toBe("succeeded");
    expect(await end(succeeded(run))).toBeNull();
    const stored = await db.sql`select name, value, has_value, attempt from artifacts where job_id = ${run.jobId}`;
    expect(stored).toEqual([{ name: "b", value: 42, has_value: true, attempt: 1 }]);
  });

  it("ends many attempts in one flush, each in its own way, whatever their order", async () => {
    const runs = await Promise.all(Array.from({ length: 30 }, () => runningJob(db)));
    const { end } = writes();
    const states = await Promise.all(
      runs.toReversed().map((run, i) => {
        const { jobId: id, attempt, runToken } = run;
        if (i % 2 === 0) return end(succeeded(run));
        const data = { reason: "the worker stopped" };
        return end({ name: "release", move: { id, attempt, data }, runToken, artifacts: [], storedMs: null });
      }),
    );
    expect(states).toEqual(runs.map((_, i) => (i % 2 === 0 ? "succeeded" : "queued")));
  });
});

describe("a start with results of other jobs", () => {
  const succeed = async (run: Started, results: Executed["results"]) => {
    const move = { id: run.jobId, attempt: run.attempt, data: {} };
    const artifacts = artifactRows({ ...noRun, results });
    await writes().end({ name: "succeed", move, runToken: run.runToken, artifacts, storedMs: null });
  };
  const noRun: Executed = {
    outcome: "succeeded",
    error: null,
    results: {},
    retry: null,
    events: 0,
    nodeStarted: true,
    process: null,
    reusable: true,
  };
  const takes = (jobId: string, variable: string) => [{ input: "x", jobId, variable }];

  it("has them among its inputs", async () => {
    const parent = await runningJob(db);
    await succeed(parent, { b: { summary: { type: "int" } as never, value: { n: [1] }, omitted: null } });
    const started = await runningJob(db, { inputs: { y: 2 }, inputsFrom: takes(parent.jobId, "b") });
    expect(withResults(started).inputs).toEqual({ y: 2, x: { n: [1] } });
    expect(withResults(await runningJob(db, { inputs: { y: 2 } })).inputs).toEqual({ y: 2 });
  });

  it.each<[string, string, string]>([
    ["is not there", "c", "that job has left no such result."],
    ["was not kept", "big", "it was not kept: 4.1 GB"],
  ])("is refused when one %s", async (_what, variable, why) => {
    const parent = await runningJob(db);
    await succeed(parent, { big: { summary: { type: "str" } as never, omitted: "4.1 GB" } });
    const started = await runningJob(db, { inputsFrom: takes(parent.jobId, variable) });
    expect(() => withResults(started)).toThrow(
      `The input x was to be the result ${variable} of ${idText("job", parent.jobId)}: ${why}`,
    );
  });

  it("is refused when the job was deleted, or the result is a file", async () => {
    const parent = await runningJob(db);
    const [one, two] = [
      await runningJob(db, { inputsFrom: takes(parent.jobId, "b") }),
      await runningJob(db, { inputsFrom: takes(randomUUID(), "b") }),
    ];
    const given = one.given?.map((result) => ({ ...result, isFile: true })) ?? [];
    expect(() => withResults({ ...one, given })).toThrow("it is kept as a file");
    expect(() => withResults(two)).toThrow("that job has been deleted.");
  });
});
