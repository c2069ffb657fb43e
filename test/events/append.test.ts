import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { graphileWorker as backend } from "../../src/backends/graphile-worker/backend.ts";
import { connect, type Database } from "../../src/db/client.ts";
import { appendRunEvents, type NodeRunRow, type RunEventRow } from "../../src/events/append.ts";
import { transition } from "../../src/jobs/transition.ts";
import type { Started } from "../../src/worker/writes.ts";
import { testDatabase } from "../support/database.ts";
import { runningJob, startJob, waitingForLock } from "../support/running.ts";

let db: Database;
let other: Database;

beforeAll(async () => {
  db = await testDatabase();
  other = await connect(db.url, { max: 4, maxReads: 1 });
});

afterAll(async () => {
  await other?.[Symbol.asyncDispose]();
  await db?.[Symbol.asyncDispose]();
});

const at = "2026-11-23T10:00:00.000Z";

function event(
  { jobId, attempt, runToken }: Started,
  sourceSeq: number,
  given: Partial<RunEventRow> = {},
): RunEventRow {
  const what = { type: "node.started", version: 1, node: "a", branch: null, occurredAt: at, data: {} };
  return { jobId, attempt, runToken, sourceSeq, ...what, done: 0, total: 0, ...given };
}

function node({ jobId, attempt, runToken }: Started, given: Partial<NodeRunRow> = {}): NodeRunRow {
  const nothing = {
    durationMs: null,
    cpuMs: null,
    memoryGrowthBytes: null,
    summary: null,
    error: null,
    inputs: null,
    branches: null,
  };
  const ofReuse = { reason: null, stored: null, codeVersion: null };
  const times = { startedAt: null, endedAt: null };
  const firstSeq = nodeNumber(given);
  return {
    jobId,
    attempt,
    runToken,
    node: "a",
    branch: "",
    firstSeq,
    state: "running",
    ...times,
    ...nothing,
    ...ofReuse,
    ...given,
  };
}

/** Each node of these tests began with an event of its own. */
function nodeNumber({ node = "a", branch = "" }: Partial<NodeRunRow>): number {
  const key = `${node} ${branch}`;
  if (!nodeNumbers.has(key)) nodeNumbers.set(key, nodeNumbers.size + 1);
  return nodeNumbers.get(key)!;
}
const nodeNumbers = new Map<string, number>();

const append = (events: RunEventRow[], nodes: NodeRunRow[] = [], on = db) =>
  appendRunEvents(on.sql, { events, nodes, contexts: [] });

async function numbers(jobId: string) {
  const rows = await db.sql<{ seq: number; sourceSeq: number | null }[]>`
    select seq, source_seq as "sourceSeq" from events where job_id = ${jobId} order by seq`;
  return { seqs: rows.map(({ seq }) => seq), sourceSeqs: rows.flatMap(({ sourceSeq }) => sourceSeq ?? []) };
}

async function progress(jobId: string) {
  const [job] = await db.sql`select nodes_done as done, nodes_total as total from jobs where id = ${jobId}`;
  return job;
}

async function refused(jobId: string) {
  const rows = await db.sql<
    { n: number }[]
  >`select events_refused as n from attempts where job_id = ${jobId} order by attempt`;
  return rows.map(({ n }) => n);
}

async function nodesOf(jobId: string) {
  return await db.sql`
    select node, branch, state, started_at, ended_at, duration_ms, summary from node_runs
    where job_id = ${jobId} order by node, branch`;
}

async function fail({ jobId, attempt }: Started): Promise<void> {
  const error = { kind: "PIPELINE" as const, type: "KeyError", message: "'x'", node: null };
  await transition(db.sql, backend, "release", [{ id: jobId, attempt, data: { reason: error.message } }]);
}

const upTo = (count: number, from = 1) => Array.from({ length: count }, (_, i) => from + i);

describe("appendRunEvents", () => {
  it("numbers the events of many jobs, each after its own last one, in the order of the source", async () => {
    const [a, b] = [await runningJob(db), await runningJob(db)];
    const appended = await append([event(b, 2), event(a, 1), event(b, 1), event(a, 3), event(a, 2)]);
    expect(appended.toSorted((x, y) => x.seq - y.seq)).toEqual([
      { jobId: b.jobId, seq: 4, recorded: 2 },
      { jobId: a.jobId, seq: 5, recorded: 3 },
    ]);
    expect(await numbers(a.jobId)).toEqual({ seqs: upTo(5), sourceSeqs: [1, 2, 3] });
    expect(await numbers(b.jobId)).toEqual({ seqs: upTo(4), sourceSeqs: [1, 2] });
    expect(await append([])).toEqual([]);
  });

  it("leaves no gap between two writers of one job", async () => {
    const run = await runningJob(db);
    const jobs = Array.from({ length: 20 }, (_, i) => append([event(run, i + 1)], [], i % 2 === 0 ? db : other));
    const recorded = (await Promise.all(jobs)).flat().reduce((sum, one) => sum + one.recorded, 0);
    // Sent at once they come in any order: one that is overtaken by a later one was seen as sent before, and is dropped.
    const { seqs, sourceSeqs } = await numbers(run.jobId);
    expect(seqs).toEqual(upTo(2 + recorded));
    expect(sourceSeqs).toEqual(sourceSeqs.toSorted((x, y) => x - y));
    expect(sourceSeqs.at(-1)).toBe(20);
  });

  it("gives numbers under the lock of the job: who waits goes on from where the other has ended", async () => {
    const run = await runningJob(db);
    let second: Promise<unknown> = Promise.resolve();
    await other.sql.begin(async (tx) => {
      await appendRunEvents(tx, { events: [event(run, 1), event(run, 2)], nodes: [], contexts: [] });
      second = append([event(run, 3, { done: 1, total: 2 })]);
      await waitingForLock(db);
    });
    expect(await second).toEqual([{ jobId: run.jobId, seq: 5, recorded: 1 }]);
    expect(await numbers(run.jobId)).toEqual({ seqs: upTo(5), sourceSeqs: [1, 2, 3] });
    expect(await progress(run.jobId)).toEqual({ done: 1, total: 2 });
  });

  it("does not lock in circles when batches name the same jobs in opposite orders", async () => {
    const runs = await Promise.all(Array.from({ length: 12 }, () => runningJob(db)));
    for (let round = 1; round <= 5; round += 1) {
      const events = runs.map((run) => event(run, round));
      const both = await Promise.all([append(events), append(events.toReversed(), [], other)]);
      expect(both.flat().reduce((sum, { recorded }) => sum + recorded, 0)).toBe(runs.length);
    }
  });

  it("records a batch that comes twice once, with its progress, at the same time or later", async () => {
    const run = await runningJob(db);
    const batch = [event(run, 1, { total: 3 }), event(run, 2, { done: 1 })];
    await Promise.all([append(batch), append(batch, [], other)]);
    await append(batch);
    await append([...batch, event(run, 3, { done: 1 })]);
    expect(await numbers(run.jobId)).toEqual({ seqs: upTo(5), sourceSeqs: [1, 2, 3] });
    expect(await progress(run.jobId)).toEqual({ done: 2, total: 3 });
    expect(await refused(run.jobId)).toEqual([0]);
  });

  it("refuses and counts what an attempt sends that is over, and takes what the next one sends", async () => {
    const first = await runningJob(db);
    await append([event(first, 1)]);
    await fail(first);
    expect(await append([event(first, 2), event(first, 3)], [node(first)])).toEqual([]);
    const second = (await startJob(db, first.jobId)) as Started;
    expect(await append([event(first, 2), event(second, 1)], [node(first), node(second)])).toEqual([
      { jobId: first.jobId, seq: 6, recorded: 1 },
    ]);
    expect(await refused(first.jobId)).toEqual([3, 0]);
    expect(await nodesOf(first.jobId)).toHaveLength(1);
    expect((await numbers(first.jobId)).seqs).toEqual(upTo(6));
  });

  it("refuses a batch that had to wait for the end of its attempt", async () => {
    const run = await runningJob(db);
    let late: Promise<unknown> = Promise.resolve();
    await other.sql.begin(async (tx) => {
      await transition(tx, backend, "succeed", [{ id: run.jobId, attempt: 1, data: {} }]);
      late = append([event(run, 1)], [node(run)]);
      await waitingForLock(db);
    });
    expect(await late).toEqual([]);
    expect(await refused(run.jobId)).toEqual([1]);
    const [last] = await db.sql`select type from events where job_id = ${run.jobId} order by seq desc limit 1`;
    expect(last?.type).toBe("job.succeeded");
  });

  it("refuses another start of the same attempt by its token", async () => {
    const run = await runningJob(db);
    expect(await append([event({ ...run, runToken: randomUUID() }, 1)])).toEqual([]);
    expect(await append([event({ ...run, attempt: 2 }, 1)])).toEqual([]);
    expect(await append([event(run, 1)])).toHaveLength(1);
    expect(await refused(run.jobId)).toEqual([1]);
  });
});

describe("node runs", () => {
  it("take what each batch brings and keep the rest", async () => {
    const run = await runningJob(db);
    await append([event(run, 1)], [node(run, { startedAt: at }), node(run, { node: "b", branch: "b1" })]);
    const summary = { type: "int" };
    await append([event(run, 2)], [node(run, { state: "succeeded", endedAt: at, durationMs: 5, summary })]);
    expect(await nodesOf(run.jobId)).toEqual([
      {
        node: "a",
        branch: "",
        state: "succeeded",
        started_at: new Date(at),
        ended_at: new Date(at),
        duration_ms: 5,
        summary,
      },
      expect.objectContaining({ node: "b", branch: "b1", state: "running" }),
    ]);
  });

  it("stay ended when they are expanded into branches afterwards", async () => {
    const run = await runningJob(db);
    await append([event(run, 1)], [node(run, { state: "succeeded", endedAt: at })]);
    await append([event(run, 2)], [node(run, { branches: 21 })]);
    expect(await nodesOf(run.jobId)).toEqual([expect.objectContaining({ state: "succeeded" })]);
  });

  it("are not set back by a batch that comes late a second time", async () => {
    const run = await runningJob(db);
    const early = [event(run, 1)];
    await append(early, [node(run)]);
    await append([event(run, 2)], [node(run, { state: "succeeded" })]);
    await append(early, [node(run)]);
    expect(await nodesOf(run.jobId)).toEqual([expect.objectContaining({ state: "succeeded" })]);
  });
});

describe("progress", () => {
  it("grows with what is announced and done, and never shows more done than there is", async () => {
    const run = await runningJob(db);
    expect(await progress(run.jobId)).toEqual({ done: 0, total: null });
    await append([event(run, 1)]);
    expect(await progress(run.jobId)).toEqual({ done: 0, total: null });
    await append([event(run, 2, { total: 2 }), event(run, 3, { done: 1 })]);
    expect(await progress(run.jobId)).toEqual({ done: 1, total: 2 });
    await append([event(run, 4, { total: 4 })]);
    expect(await progress(run.jobId)).toEqual({ done: 1, total: 6 });
    await append([event(run, 5, { done: 7 })]);
    expect(await progress(run.jobId)).toEqual({ done: 8, total: 8 });
  });
});

describe("the context of a run", () => {
  it("is kept with its attempt while that runs", async () => {
    const run = await runningJob(db);
    const { jobId, attempt, runToken } = run;
    const told = { jobId, attempt, runToken, codeHash: "c0de", context: { a: 1 } };
    await appendRunEvents(db.sql, { events: [event(run, 1)], nodes: [], contexts: [told] });
    await fail(run);
    await appendRunEvents(db.sql, { events: [event(run, 2)], nodes: [], contexts: [{ ...told, codeHash: "late" }] });
    const [row] = await db.sql`select code_hash, context from attempts where job_id = ${jobId}`;
    expect(row).toEqual({ code_hash: "c0de", context: { a: 1 } });
  });
});
