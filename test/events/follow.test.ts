import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Database } from "../../src/db/client.ts";
import { openTail, type Tail } from "../../src/events/tail.ts";
import { openWakeups, type Wakeups } from "../../src/events/wakeups.ts";
import { collect } from "../support/collect.ts";
import { testDatabase } from "../support/database.ts";
import { finishJob, insertEvents, insertJob, requeueJob } from "../support/factories.ts";

let db: Database;
let wakeups: Wakeups;
let tail: Tail;

beforeAll(async () => {
  db = await testDatabase();
  wakeups = await openWakeups(db);
  tail = openTail(db, wakeups);
});

afterAll(async () => {
  await tail?.close();
  await wakeups?.close();
  await db?.[Symbol.asyncDispose]();
});

async function record(jobId: string, count = 1): Promise<void> {
  await insertEvents(
    db.sql,
    jobId,
    Array.from({ length: count }, () => ({})),
  );
  wakeups.ring("events", [jobId]);
}

describe("follow", () => {
  it("gives what is in the table and then what comes, and ends with the job", async () => {
    const jobId = await insertJob(db, { state: "running" });
    await record(jobId, 2);
    const events = tail.follow(jobId, 0);
    const seen: number[] = [];
    for await (const event of events) {
      seen.push(event.seq);
      if (event.seq === 3) await record(jobId, 2);
      if (event.seq === 5) {
        await db.sql.begin((sql) => finishJob(sql, jobId));
        wakeups.ring("events", [jobId]);
      }
    }
    expect(seen).toEqual([1, 2, 3, 4, 5, 6]);
  });
  it("goes on into the next life", async () => {
    const jobId = await insertJob(db, { state: "failed" });
    await db.sql.begin((sql) => requeueJob(sql, jobId));
    await db.sql.begin((sql) => finishJob(sql, jobId));
    const types = (await collect(tail.follow(jobId, 0))).map(({ type }) => type);
    expect(types).toEqual(["job.enqueued", "job.failed", "job.requeued", "job.succeeded"]);
  });
});
