import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, it } from "vitest";
import { graphileWorker as backend } from "../../src/backends/graphile-worker/backend.ts";
import type { Database } from "../../src/db/client.ts";
import { eventTypes } from "../../src/domain/event-types.ts";
import { idText } from "../../src/domain/ids.ts";
import { noError } from "../../src/runtime/run-error.ts";
import { artifactRows } from "../../src/worker/kept.ts";
import { type End, openWrites, type Started } from "../../src/worker/writes.ts";
import { ended, told } from "../support/artifacts.ts";
import { testDatabase } from "../support/database.ts";
import { silentWakeups } from "../support/jobs.ts";
import { runningJob } from "../support/running.ts";

let db: Database;
beforeAll(async () => {
  db = await testDatabase();
});
afterAll(async () => await db?.[Symbol.asyncDispose]());

const summary = { type: "x", shape: null, length: null, bytes: null, columns: null, preview: null };
const results = {
  small: { summary, value: 1, omitted: null },
  report: { summary, artifact: told("e/d/a/result-2-report.parquet", "PAR1", "application/parquet"), omitted: null },
  lost: { summary, artifact: null, omitted: "not kept: 4.1 GB, limit 100 MB" },
};
const left = {
  files: [{ name: "plots/a.png", artifact: told("e/d/a/file-1.png", "png", "image/png"), omitted: null }],
  log: { name: "log", artifact: told("e/d/a/log.gz", "gz", "application/gzip"), omitted: null },
  storedMs: 12.5,
};
const artifacts = artifactRows({
  ...ended,
  results,
  left,
  keeping: { store: randomUUID(), resultTtlMs: 1000, logTtlMs: 1000 },
});

function end({ jobId: id, attempt, runToken }: Started, name: "succeed" | "fail" = "succeed"): End {
  const error = { ...noError, kind: "PIPELINE" as const, type: "ValueError", message: "no" };
  const failed = { id, attempt, errorKind: error.kind, error: error as never, data: { error: { ...error } } };
  return {
    name,
    move: name === "succeed" ? { id, attempt, data: {} } : failed,
    runToken,
    artifacts,
    storedMs: left.storedMs,
  };
}

const eventsOf = (jobId: string) =>
  db.sql<{ seq: number; type: string; version: number; attempt: number; node: string | null; data: object }[]>`
    select seq, type, version, attempt, node, data from events where job_id = ${jobId} order by seq`;

async function lastSeq(jobId: string): Promise<number> {
  const [job] = await db.sql<{ seq: number }[]>`select last_seq as seq from jobs where id = ${jobId}`;
  return job!.seq;
}

it("tells what is kept and what is not, without a gap, before the event that ends the job; small values are not told", async () => {
  const run = await runningJob(db);
  const before = await lastSeq(run.jobId);
  await openWrites(db, backend, silentWakeups()).end(end(run));
  const events = (await eventsOf(run.jobId)).filter(({ seq }) => seq > before);
  expect(events.map(({ seq, type }) => [seq - before, type])).toEqual([
    [1, "artifact.stored"],
    [2, "artifact.stored"],
    [3, "artifact.stored"],
    [4, "artifact.stored"],
    [5, "job.succeeded"],
  ]);
  expect(await lastSeq(run.jobId)).toBe(before + 5);
  const rows = await db.sql<{ id: string; name: string }[]>`
    select id, name from artifacts where job_id = ${run.jobId} order by position`;
  const idOf = (wanted: string) => idText("artifact", rows.find(({ name }) => name === wanted)!.id);
  const stored = events.slice(0, 4).map(({ node, attempt, version, data }) => ({ node, attempt, version, ...data }));
  const common = { attempt: 1, version: 1, omitted: null };
  const png = { name: "plots/a.png", kind: "file", mediaType: "image/png", bytes: 3 };
  const gzip = { name: "log", kind: "log", mediaType: "application/gzip", bytes: 2 };
  const parquet = { name: "report", kind: "result", mediaType: "application/parquet", bytes: 4 };
  const nothing = { name: "lost", kind: "result", mediaType: null, bytes: null, omitted: results.lost.omitted };
  expect(stored).toEqual([
    { ...common, node: "report", artifact: idOf("report"), ...parquet },
    { ...common, node: "lost", artifact: idOf("lost"), ...nothing },
    { ...common, node: null, artifact: idOf("plots/a.png"), ...png },
    { ...common, node: null, artifact: idOf("log"), ...gzip },
  ]);
  const schema = eventTypes["artifact.stored"].versions[1];
  for (const { data } of events.slice(0, 4)) expect(schema.safeParse(data).success).toBe(true);
});

it("keeps and tells nothing of an attempt that a cancel ends otherwise than it was decided", async () => {
  const run = await runningJob(db);
  await db.sql`update jobs set cancel_requested_at = queue_now() where id = ${run.jobId}`;
  expect(await openWrites(db, backend, silentWakeups()).end(end(run, "fail"))).toBe("cancelled");
  expect((await eventsOf(run.jobId)).map(({ type }) => type)).not.toContain("artifact.stored");
  expect((await eventsOf(run.jobId)).at(-1)?.type).toBe("job.cancelled");
  expect(await db.sql`select from artifacts where job_id = ${run.jobId}`).toHaveLength(0);
  const [attempt] = await db.sql`select stored_ms from attempts where job_id = ${run.jobId}`;
  expect(attempt?.stored_ms).toBeNull();
});

it("does so for a run that had succeeded when it was cancelled", async () => {
  const run = await runningJob(db);
  await db.sql`update jobs set cancel_requested_at = queue_now() where id = ${run.jobId}`;
  expect(await openWrites(db, backend, silentWakeups()).end(end(run))).toBe("succeeded");
  expect((await eventsOf(run.jobId)).map(({ type }) => type).slice(-2)).toEqual(["artifact.stored", "job.succeeded"]);
});

it("tells it once, of many that end in one flush, and nothing of one that another worker has", async () => {
  const runs = await Promise.all(Array.from({ length: 10 }, () => runningJob(db)));
  const writes = openWrites(db, backend, silentWakeups());
  const stale = { ...runs[0]!, runToken: randomUUID(), attempt: 0 };
  const states = await Promise.all(
    [stale, ...runs.slice(1)].map((run, i) => writes.end(end(run, i % 2 === 0 ? "succeed" : "fail"))),
  );
  expect(states.slice(0, 3)).toEqual([null, "failed", "succeeded"]);
  await Promise.all(runs.slice(1).map((run) => writes.end(end(run))));
  for (const run of runs.slice(1)) {
    const events = await eventsOf(run.jobId);
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, i) => i + 1));
    expect(events.filter(({ type }) => type === "artifact.stored")).toHaveLength(4);
    expect(events.at(-1)?.type).toMatch(/^job\.(succeeded|failed)$/);
  }
  expect((await eventsOf(stale.jobId)).map(({ type }) => type)).not.toContain("artifact.stored");
});
