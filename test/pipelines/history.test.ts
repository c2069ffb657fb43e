import { sql } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Database } from "../../src/db/client.ts";
import { runsSql } from "../../src/jobs/time-left.ts";
import { openHistories } from "../../src/pipelines/history.ts";
import { historySql, readHistories, sampledBranches } from "../../src/pipelines/read-history.ts";
import { testDatabase } from "../support/database.ts";
import { insertWorker } from "../support/factories.ts";
import { insertPastRun, type PastNode } from "../support/past-runs.ts";

let db: Database;
beforeAll(async () => {
  db = await testDatabase();
});
afterAll(async () => {
  await db[Symbol.asyncDispose]();
});

const bakery = (pipeline: string) => ({ project: "bakery", pipeline });
const history = (pipeline: string, question: { last?: number; before?: string } = {}) =>
  openHistories(db).of({ ...bakery(pipeline), ...question });

describe("a history", () => {
  it("tells of the last runs that succeeded, and of each node in them", async () => {
    const ids: string[] = [];
    for (const ms of [100, 200, 300, 400]) {
      const nodes = [
        { node: "flour", durationMs: ms, bytes: ms * 10 },
        { node: "dough", durationMs: 1 },
      ];
      ids.push(
        await insertPastRun(db, { pipeline: "rye", nodes, runMs: 2 * ms, waitedMs: ms / 10, codeHash: `code ${ms}` }),
      );
    }
    await insertPastRun(db, { pipeline: "rye", state: "failed", nodes: [{ node: "flour", durationMs: 9999 }] });
    await insertPastRun(db, { pipeline: "rye", state: "running", nodes: [{ node: "flour", durationMs: 9999 }] });
    await insertPastRun(db, { pipeline: "other", nodes: [{ node: "flour", durationMs: 9999 }] });

    const found = await history("rye");
    const [first, second, third, fourth] = ids;
    expect(found.runs.map(({ jobId, runMs, codeHash }) => [jobId, runMs, codeHash])).toEqual([
      [fourth, 800, "code 400"],
      [third, 600, "code 300"],
      [second, 400, "code 200"],
      [first, 200, "code 100"],
    ]);
    expect(found.run).toEqual({ p50Ms: 400, p95Ms: 800 });
    expect(found.waited?.p50Ms).toBeCloseTo(20, 3);
    expect(found.waited?.p95Ms).toBeCloseTo(40, 3);
    expect(found.executor).toEqual({ type: "threadpool", maxWorkers: 4 });
    expect([...found.nodes.keys()]).toEqual(["flour", "dough"]);
    expect(found.nodes.get("flour")).toMatchObject({
      p50Ms: 200,
      p95Ms: 400,
      bytes: 2000,
      expander: null,
      branches: null,
    });
    expect(found.nodes.get("flour")?.runs[0]).toEqual({
      jobId: fourth,
      codeHash: "code 400",
      functionHash: null,
      durationMs: 400,
      branches: null,
    });
    expect(found.nodes.get("dough")).toMatchObject({ p50Ms: 1, bytes: null });

    expect((await history("rye", { last: 2 })).runs).toHaveLength(2);
    const before = await history("rye", { before: third as string });
    expect(before.runs.map(({ jobId }) => jobId)).toEqual([second, first]);
    expect(before.nodes.get("flour")).toMatchObject({ p95Ms: 200 });
  });

  it("of a pipeline that never succeeded is empty", async () => {
    const found = await history("never");
    expect(found).toMatchObject({ runs: [], run: null, waited: null });
    expect(found.nodes.size).toBe(0);
  });

  it("tells what runs take beside their nodes", async () => {
    const nodes = [
      { node: "piece", durationMs: 10, expanded: 5 },
      { node: "shaped", branches: { of: "piece", durationsMs: [40, 40, 40, 40, 40] } },
    ];
    // On four threads five branches are two rounds: 90 ms.
    for (const runMs of [5000, 100, 110]) await insertPastRun(db, { pipeline: "buckwheat", nodes, runMs });
    expect((await history("buckwheat")).besideNodesMs).toBe(20);
    const executor = { type: "ray", max_workers: null, num_cpus: null };
    await insertPastRun(db, { pipeline: "far", nodes, runMs: 5000, executor });
    expect((await history("far")).besideNodesMs).toBeNull();
    await insertPastRun(db, { pipeline: "odd", nodes, runMs: 1 });
    expect((await history("odd")).besideNodesMs).toBe(0);
  });

  it("counts a node that was reused as one that did not run", async () => {
    await insertPastRun(db, { pipeline: "spelt", nodes: [{ node: "flour", durationMs: 70 }] });
    await insertPastRun(db, { pipeline: "spelt", nodes: [{ node: "flour", state: "reused" }] });
    const found = await history("spelt");
    expect(found.runs).toHaveLength(2);
    expect(found.nodes.get("flour")).toMatchObject({ p50Ms: 70, runs: [{ durationMs: 70 }] });
  });

  it("takes no run in which a node was reused for how long a run takes, but the nodes in it that ran", async () => {
    const nodes: PastNode[] = [{ node: "flour", durationMs: 100 }, { node: "dough" }];
    await insertPastRun(db, { pipeline: "buckwheat", nodes, runMs: 200 });
    const reused = nodes.map((one) => (one.node === "dough" ? { ...one, state: "reused" as const } : one));
    await insertPastRun(db, { pipeline: "buckwheat", nodes: reused, runMs: 9 });
    const found = await history("buckwheat");
    expect(found).toMatchObject({ wholeRuns: 1, run: { p50Ms: 200, p95Ms: 200 }, besideNodesMs: 99 });
    expect(found.runs.map(({ runMs, hasReused }) => [runMs, hasReused])).toEqual([
      [9, true],
      [200, false],
    ]);
    expect(found.nodes.get("flour")?.runs).toHaveLength(2);
    expect(found.nodes.get("dough")?.runs).toHaveLength(1);
  });

  it("takes the branches of a block together, and of thousands looks at some", async () => {
    const durationsMs = Array.from({ length: 3000 }, (_, index) => 10 + (index % 7));
    await insertPastRun(db, {
      pipeline: "rolls",
      nodes: [
        { node: "piece", expanded: 3000 },
        { node: "shaped", branches: { of: "piece", durationsMs } },
        { node: "baked" },
      ],
    });
    const [[run] = []] = await readHistories(db, [{ ...bakery("rolls"), last: 50, before: null }]);
    expect(run?.nodes.map(({ node, durationsMs: read }) => [node, read.length])).toEqual([
      ["piece", 1],
      ["shaped", sampledBranches],
      ["baked", 1],
    ]);
    const found = await history("rolls");
    expect(found.nodes.get("piece")).toMatchObject({ branches: 3000, expander: null });
    expect(found.nodes.get("shaped")).toMatchObject({ expander: "piece", branches: null });
    expect(found.nodes.get("shaped")?.p50Ms).toBeGreaterThanOrEqual(10);
    expect(found.nodes.get("shaped")?.p95Ms).toBeLessThanOrEqual(16);
  });

  it("looks at fewer runs of a pipeline with thousands of nodes", async () => {
    const path = Array.from({ length: 1500 }, (_, index) => `node_${index}`);
    for (let n = 0; n < 16; n += 1) await insertPastRun(db, { pipeline: "wide", path, nodes: [{ node: "node_7" }] });
    expect((await history("wide")).runs).toHaveLength(13); // of 1,500 nodes each: the last below 20,000
    const wider = Array.from({ length: 5000 }, (_, index) => `node_${index}`);
    for (let n = 0; n < 12; n += 1) await insertPastRun(db, { pipeline: "wider", path: wider, nodes: [] });
    expect((await history("wider")).runs).toHaveLength(10);
  });
});

describe("histories", () => {
  it("are kept for some seconds, and read again then", async () => {
    let now = 0;
    const histories = openHistories(db, { timeToLiveMs: 1000, clock: () => now });
    const runs = async () => (await histories.of(bakery("toast"))).runs.length;
    expect(await runs()).toBe(0);
    await insertPastRun(db, { pipeline: "toast" });
    // Nobody waits for the first run to be seen.
    expect(await runs()).toBe(1);
    await insertPastRun(db, { pipeline: "toast" });
    now = 999;
    expect(await runs()).toBe(1);
    now = 1000;
    expect(await runs()).toBe(2);
  });

  it("that are asked for at once are read in one statement, each its own answer", async () => {
    await insertPastRun(db, { pipeline: "one" });
    await insertPastRun(db, { pipeline: "two" });
    await insertPastRun(db, { pipeline: "two" });
    let statements = 0;
    const reads = new Proxy(db.reads, {
      get(target, key) {
        if (key === "execute") statements += 1;
        return Reflect.get(target, key);
      },
    });
    const histories = openHistories({ ...db, reads });
    const found = await Promise.all(["one", "two", "none", "one"].map((name) => histories.of(bakery(name))));
    expect(found.map(({ runs }) => runs.length)).toEqual([1, 2, 0, 1]);
    expect(statements).toBe(1);
  });

  it("that could not be read are read again at once", async () => {
    let broken = true;
    const reads = new Proxy(db.reads, {
      get(target, key) {
        if (key === "execute" && broken) throw new Error("the database is away");
        return Reflect.get(target, key);
      },
    });
    const histories = openHistories({ ...db, reads });
    await expect(histories.of(bakery("one"))).rejects.toThrow("away");
    broken = false;
    expect((await histories.of(bakery("one"))).runs).toHaveLength(1);
  });
});

describe("of 100,000 jobs", () => {
  const jobs = 100_000;

  beforeAll(async () => {
    await db.sql.begin(async (tx) => {
      const worker = await insertWorker(tx);
      const id = tx`('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid`;
      // Foreign keys are as they would be: not looked up one by one, this takes seconds.
      await tx`set local session_replication_role = replica`;
      await tx`
        insert into jobs (id, project, pipeline, queue, state, priority, attempt, max_attempts, max_losses, on_worker_lost,
          last_seq, created_at, run_at, started_at, finished_at)
        select ${id}, 'mill', 'p' || n % 20, 'default',
          (case when n % 20 = 3 and n > 60 then 'failed' else 'succeeded' end)::job_state, 50, 1, 1, 3, 'retry', 0,
          queue_now(), queue_now(), queue_now(), queue_now()
        from generate_series(1, ${jobs}::int) n`;
      await tx`
        insert into job_requests (job_id, inputs, config, options, tags, actor)
        select ${id}, '{}', '{}', '{}', '[]', 'test' from generate_series(1, ${jobs}::int) n`;
      await tx`
        insert into attempts (job_id, attempt, id, life, run_token, worker_id, started_at, ended_at, outcome, context)
        select ${id}, 1, gen_random_uuid(), 1, gen_random_uuid(), ${worker}, queue_now(), queue_now(), 'succeed',
          '{"path": ["a", "b"], "executor": {"type": "synchronous"}}'
        from generate_series(1, ${jobs}::int) n`;
      await tx`
        insert into node_runs (job_id, attempt, node, first_seq, state, duration_ms)
        select ${id}, 1, node, ascii(node), 'succeeded', n % 100 from generate_series(1, ${jobs}::int) n, unnest(array['a', 'b']) node`;
    });
    await db.sql`analyze`;
  }, 120_000);

  const questions = ["p1", "p2", "p3"].map((pipeline, question) => ({
    project: "mill",
    pipeline,
    last: 200,
    before: "ffffffff-ffff-ffff-ffff-ffffffffffff",
    question,
  }));

  it("a history is read by its indexes", async () => {
    const explained = await db.reads.execute(sql`explain (format json) ${historySql(questions)}`);
    const plan = JSON.stringify(explained);
    expect(plan).not.toContain("Seq Scan");
    for (const index of ["jobs_pipeline_state_id", "attempts_pkey", "node_runs_pkey"]) expect(plan).toContain(index);
    const found = await openHistories(db).of({ project: "mill", pipeline: "p1", last: 200 });
    expect(found.runs).toHaveLength(200);
    expect(found.nodes.get("b")?.runs).toHaveLength(200);
  });

  it("so is that of a pipeline that has failed ever since: what failed is not read", async () => {
    const failing = questions.filter(({ pipeline }) => pipeline === "p3");
    const [explained] = (await db.reads.execute(
      sql`explain (analyze, buffers, format json) ${historySql(failing)}`,
    )) as unknown as [{ "QUERY PLAN": [{ Plan: Record<string, number> }] }];
    const { Plan: plan } = explained["QUERY PLAN"][0];
    expect(plan["Actual Rows"]).toBe(3);
    // 5,000 jobs have failed; each would be a page or so.
    expect((plan["Shared Hit Blocks"] ?? 0) + (plan["Shared Read Blocks"] ?? 0)).toBeLessThan(200);
  });

  it("so is the time that is left", async () => {
    const asked = questions.map(({ question, pipeline }) => ({
      question,
      id: `00000000-0000-7000-8000-00000000000${question + 1}`,
      project: "mill",
      pipeline,
      state: "running" as const,
      attempt: 1,
    }));
    const explained = await db.sql`explain (format json) ${runsSql(db.sql, asked)}`;
    const plan = JSON.stringify(explained);
    expect(plan).not.toContain("Seq Scan");
    for (const index of ["job_requests_pkey", "attempts_pkey", "node_runs_pkey"]) expect(plan).toContain(index);
    expect(await runsSql(db.sql, asked)).toHaveLength(3);
  });
});
