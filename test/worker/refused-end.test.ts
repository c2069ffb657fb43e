import { afterAll, beforeAll, expect, it } from "vitest";
import { graphileWorker as backend } from "../../src/backends/graphile-worker/backend.ts";
import type { Database } from "../../src/db/client.ts";
import type { JsonObject } from "../../src/domain/json.ts";
import { noRetry } from "../../src/domain/retry.ts";
import { Attempts } from "../../src/worker/attempts.ts";
import type { Executed } from "../../src/worker/kept.ts";
import { openWrites } from "../../src/worker/writes.ts";
import { ended } from "../support/artifacts.ts";
import { testDatabase } from "../support/database.ts";
import { insertWorker } from "../support/factories.ts";
import { silentWakeups } from "../support/jobs.ts";
import { queuedJob } from "../support/running.ts";

let db: Database;
beforeAll(async () => {
  db = await testDatabase();
});
afterAll(async () => await db?.[Symbol.asyncDispose]());

/** Runs a job whose run ends like this. Returns its id, and what the worker has logged. */
async function run(executed: Executed): Promise<{ jobId: string; logged: [string, JsonObject][] }> {
  const [jobId, workerId] = [await queuedJob(db), await insertWorker(db.sql)];
  const logged: [string, JsonObject][] = [];
  const attempts = new Attempts({
    db,
    writes: openWrites(db, backend, silentWakeups()),
    execute: async () => executed,
    policyOf: async () => noRetry,
    workerId: () => workerId,
    giveBack: async () => {},
    log: (message, data) => void logged.push([message, data]),
  });
  await attempts.take({ job: jobId, attempt: 1 });
  return { jobId, logged };
}

const kept = (jobId: string) =>
  db.sql`select kind, name, has_value, omitted from artifacts where job_id = ${jobId} order by position`;
const summary = { type: "str", shape: null, length: null, bytes: null, columns: null, preview: null };

it("is written without what the database does not take, which says so, and the log says why", async () => {
  const results = { text: { summary, value: "\u0000", omitted: null }, fine: { summary, value: 1, omitted: null } };
  const { jobId, logged } = await run({ ...ended, results });
  const [job] = await db.sql`select state, attempt from jobs where id = ${jobId}`;
  expect(job).toEqual({ state: "succeeded", attempt: 1 });
  const omitted = "not kept: the database did not take it";
  expect(await kept(jobId)).toEqual([
    { kind: "result", name: "text", has_value: false, omitted },
    { kind: "result", name: "fine", has_value: false, omitted },
  ]);
  expect(logged).toEqual([
    [
      "an end was refused",
      { job: expect.any(String), error: expect.stringContaining("unsupported Unicode escape sequence") },
    ],
  ]);
});

it("has a name for each of two files whose names are told as the same", async () => {
  const file = { name: "bad\ufffd.bin", artifact: null, omitted: "not kept: as an example" };
  const files = [file, file, { ...file, name: "bad\ufffd.bin (2)" }];
  const { jobId, logged } = await run({ ...ended, left: { files, log: null, storedMs: 1 } });
  expect((await kept(jobId)).map(({ name }) => name)).toEqual([
    "bad\ufffd.bin",
    "bad\ufffd.bin (2)",
    "bad\ufffd.bin (2) (2)",
  ]);
  expect(logged).toEqual([]);
});
