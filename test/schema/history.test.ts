import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Database } from "../../src/db/client.ts";
import { idText } from "../../src/domain/ids.ts";
import { publishProject } from "../../src/pipelines/publish.ts";
import { pipeline, project } from "../pipelines/descriptions.ts";
import { testDatabase } from "../support/database.ts";
import { insertNodeRuns, insertPastRun, type PastNode } from "../support/past-runs.ts";
import { type TestServer, testServer } from "../support/server.ts";

let db: Database;
let server: TestServer;

beforeAll(async () => {
  db = await testDatabase();
  const names = ["bread", "rolls", "slow", "young", "queued", "new"];
  await publishProject(db, null, {
    name: "bakery",
    project: project({ name: "bakery" }),
    pipelines: names.map((name) => pipeline({ name })),
    environment: {},
  });
  server = await testServer(db);
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await db[Symbol.asyncDispose]();
});

async function ask(query: string, variables: object = {}) {
  const { data, errors } = await server.post(query, variables);
  expect(errors).toBeUndefined();
  return data;
}

describe("Pipeline.history", () => {
  const ids: string[] = [];

  beforeAll(async () => {
    for (const ms of [10, 20, 30]) {
      const nodes: PastNode[] = [
        { node: "flour", durationMs: ms, bytes: 28 },
        { node: "piece", durationMs: 1, expanded: 2 },
        { node: "shaped", branches: { of: "piece", durationsMs: [ms, 2 * ms] } },
      ];
      ids.push(await insertPastRun(db, { pipeline: "bread", nodes, runMs: 10 * ms, codeHash: `code ${ms}` }));
    }
  });

  it("tells how long the pipeline and its nodes took", async () => {
    const { pipeline: found } = await ask(`{ pipeline(name: "bakery/bread") { history {
      runs p50Ms p95Ms waitedP50Ms waitedP95Ms
      recent(last: 2) { jobId codeHash runMs waitedMs }
      nodes { nodes { node runs p50Ms p95Ms expander branches bytes recent(last: 2) { jobId codeHash durationMs branches } } }
    } } }`);
    const [first, second, third] = ids.map((id) => idText("job", id));
    expect(first).toBeDefined();
    expect(found.history).toEqual({
      runs: 3,
      p50Ms: 200,
      p95Ms: 300,
      waitedP50Ms: 0,
      waitedP95Ms: 0,
      recent: [
        { jobId: third, codeHash: "code 30", runMs: 300, waitedMs: 0 },
        { jobId: second, codeHash: "code 20", runMs: 200, waitedMs: 0 },
      ],
      nodes: {
        nodes: [
          {
            node: "flour",
            runs: 3,
            p50Ms: 20,
            p95Ms: 30,
            expander: null,
            branches: null,
            bytes: 28,
            recent: [
              { jobId: third, codeHash: "code 30", durationMs: 30, branches: null },
              { jobId: second, codeHash: "code 20", durationMs: 20, branches: null },
            ],
          },
          {
            node: "piece",
            runs: 3,
            p50Ms: 1,
            p95Ms: 1,
            expander: null,
            branches: 2,
            bytes: null,
            recent: [
              { jobId: third, codeHash: "code 30", durationMs: 1, branches: 2 },
              { jobId: second, codeHash: "code 20", durationMs: 1, branches: 2 },
            ],
          },
          {
            node: "shaped",
            runs: 3,
            // 10, 20, 20, 30, 40, 60
            p50Ms: 20,
            p95Ms: 60,
            expander: "piece",
            branches: null,
            bytes: null,
            recent: [
              { jobId: third, codeHash: "code 30", durationMs: 30, branches: null },
              { jobId: second, codeHash: "code 20", durationMs: 20, branches: null },
            ],
          },
        ],
      },
    });
  });

  it("is walked in both directions", async () => {
    const page = async (args: string) => {
      const { pipeline: found } = await ask(
        `{ pipeline(name: "bakery/bread") { history { nodes(${args}) { nodes { node } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } } }`,
      );
      const { nodes, pageInfo } = found.history.nodes;
      return { names: nodes.map(({ node }: { node: string }) => node), pageInfo };
    };
    const first = await page("first: 2");
    expect(first).toMatchObject({ names: ["flour", "piece"], pageInfo: { hasNextPage: true, hasPreviousPage: false } });
    const second = await page(`first: 2, after: "${first.pageInfo.endCursor}"`);
    expect(second).toMatchObject({ names: ["shaped"], pageInfo: { hasNextPage: false, hasPreviousPage: true } });
    const back = await page(`last: 1, before: "${second.pageInfo.startCursor}"`);
    expect(back).toMatchObject({ names: ["piece"], pageInfo: { hasNextPage: true, hasPreviousPage: true } });
    expect((await page("last: 2")).names).toEqual(["piece", "shaped"]);
  });

  it("of a pipeline that has not run is empty", async () => {
    const { pipeline: found } = await ask(
      `{ pipeline(name: "bakery/new") { history { runs p50Ms waitedP95Ms recent { jobId } nodes { nodes { node } } } } }`,
    );
    expect(found.history).toEqual({ runs: 0, p50Ms: null, waitedP95Ms: null, recent: [], nodes: { nodes: [] } });
  });

  it.each(["history(last: 201) { runs }", "history(last: -1) { runs }", "history { recent(last: 201) { jobId } }"])(
    "refuses %s",
    async (selection) => {
      const { errors } = await server.post(`{ pipeline(name: "bakery/bread") { ${selection} } }`);
      expect(errors).toMatchObject([{ extensions: { code: "BAD_USER_INPUT", path: "last" } }]);
    },
  );
});

describe("Job.progress", () => {
  const past: PastNode[] = [
    { node: "flour", durationMs: 400 },
    { node: "piece", durationMs: 10, expanded: 4 },
    { node: "shaped", branches: { of: "piece", durationsMs: [100, 100, 100, 100] } },
    { node: "tray", durationMs: 50 },
  ];
  const path = past.map(({ node }) => node);
  const executor = { type: "threadpool", max_workers: 2, num_cpus: 2 };
  const progress = async (id: string) => {
    const { job } = await ask("query ($id: ID!) { job(id: $id) { progress { expectedMs leftMs } } }", {
      id: idText("job", id),
    });
    return job.progress;
  };

  beforeAll(async () => {
    await insertPastRun(db, { pipeline: "rolls", nodes: past, executor });
  });

  it("of a running job tells what is left of the nodes that are not done", async () => {
    const id = await insertPastRun(db, { pipeline: "rolls", state: "running", path, executor, nodes: [] });
    expect(await progress(id)).toEqual({ expectedMs: 660, leftMs: 660 });
    await insertNodeRuns(db.sql, id, [
      { node: "flour", durationMs: 390 },
      { node: "piece", durationMs: 10, expanded: 6 },
    ]);
    // Two branches more than last time.
    expect(await progress(id)).toEqual({ expectedMs: 760, leftMs: 350 });
    await insertNodeRuns(db.sql, id, [{ node: "shaped", branches: { of: "piece", durationsMs: [90, 90, 90] } }]);
    expect(await progress(id)).toEqual({ expectedMs: 760, leftMs: 250 });
  });

  it("counts the time that a node has already run", async () => {
    const nodes: PastNode[] = [{ node: "flour", state: "running", startedAgoMs: 150 }];
    const id = await insertPastRun(db, { pipeline: "rolls", state: "running", path, executor, nodes });
    const { expectedMs, leftMs } = await progress(id);
    expect(expectedMs).toBe(660);
    expect(leftMs).toBeLessThanOrEqual(660 - 149);
    expect(leftMs).toBeGreaterThanOrEqual(260); // on a machine that has stood still, all of the node is over
  });

  it("counts what was reused, and what is to be, as taking no time", async () => {
    const plan = { codeHash: "c0de", path, reused: ["flour", "shaped"] };
    const given = { pipeline: "rolls", state: "running" as const, path, executor, plan, nodes: [] };
    const id = await insertPastRun(db, given);
    expect(await progress(id)).toEqual({ expectedMs: 60, leftMs: 60 });
    await insertNodeRuns(db.sql, id, [
      { node: "flour", state: "reused" },
      { node: "piece", durationMs: 10, expanded: 4 },
    ]);
    expect(await progress(id)).toEqual({ expectedMs: 60, leftMs: 50 });
    // Against the plan a branch runs: the others may as well.
    await insertNodeRuns(db.sql, id, [{ node: "shaped", branches: { of: "piece", durationsMs: [90] } }]);
    expect(await progress(id)).toEqual({ expectedMs: 260, leftMs: 250 });
    // Of branches those that were reused, without a plan that has said so.
    const half = await insertPastRun(db, { ...given, plan: null });
    await insertNodeRuns(db.sql, half, [
      { node: "flour", durationMs: 400 },
      { node: "piece", durationMs: 10, expanded: 4 },
      { node: "shaped", branches: { of: "piece", durationsMs: [1, 1] }, state: "reused" },
    ]);
    expect(await progress(half)).toEqual({ expectedMs: 560, leftMs: 150 });
  });

  it("takes what the attempt before has stored for reused by the next one", async () => {
    const plan = { codeHash: "c0de", path };
    const nodes: PastNode[] = [{ node: "flour", durationMs: 400 }];
    const id = await insertPastRun(db, { pipeline: "rolls", state: "failed", path, plan, nodes });
    await db.sql`update node_runs set stored = true where job_id = ${id}`;
    await db.sql`update jobs set state = 'queued', finished_at = null, error_kind = null where id = ${id}`;
    expect(await progress(id)).toEqual({ expectedMs: 260, leftMs: null });
  });

  it("of a waiting job tells how long it will take, by the executor that it asks for", async () => {
    const plan = { codeHash: "c0de", path };
    const waiting = { pipeline: "rolls", state: "queued" as const, plan };
    expect(await progress(await insertPastRun(db, waiting))).toEqual({ expectedMs: 660, leftMs: null });
    const options = { executor: { type: "threadpool", maxWorkers: 4, numCpus: null } };
    expect(await progress(await insertPastRun(db, { ...waiting, options }))).toEqual({ expectedMs: 560, leftMs: null });
  });

  it.each([
    ["a job that has ended", { pipeline: "rolls", nodes: past }],
    ["a pipeline that has not run", { pipeline: "new", state: "running" as const, path }],
    ["a run with a node that is new", { pipeline: "rolls", state: "running" as const, path: [...path, "crumbs"] }],
    ["a job that nobody has checked", { pipeline: "rolls", state: "queued" as const, plan: null }],
  ])("is not known of %s", async (_what, given) => {
    expect(await progress(await insertPastRun(db, given))).toEqual({ expectedMs: null, leftMs: null });
  });
});

describe("regression", () => {
  const selection = `regression { factor baselineP95Ms } lastAttempt { regression { factor baselineP95Ms } }
    nodeRuns { nodes { node branch regression { factor baselineP95Ms } } }`;
  const look = async (id: string, on = server) => {
    const { data, errors } = await on.post(`query ($id: ID!) { job(id: $id) { ${selection} } }`, {
      id: idText("job", id),
    });
    expect(errors).toBeUndefined();
    return data.job;
  };
  const nodesOf = ({
    nodeRuns,
  }: {
    nodeRuns: { nodes: { node: string; branch: string | null; regression: unknown }[] };
  }) =>
    nodeRuns.nodes.map(({ node, branch, regression }) => [
      branch === null ? node : `${node} ${branch.split(".")[1]}`,
      regression,
    ]);

  const usual: PastNode[] = [
    { node: "flour", durationMs: 100 },
    { node: "piece", durationMs: 1, expanded: 2 },
    { node: "shaped", branches: { of: "piece", durationsMs: [200, 220] } },
  ];

  it("flags what took much longer than before: the run, the node, the branch", async () => {
    for (let n = 0; n < 10; n += 1) await insertPastRun(db, { pipeline: "slow", nodes: usual, runMs: 500 });
    const nodes: PastNode[] = [
      { node: "flour", durationMs: 260 },
      { node: "piece", durationMs: 1, expanded: 2 },
      { node: "shaped", branches: { of: "piece", durationsMs: [200, 1100] } },
    ];
    const slow = await insertPastRun(db, { pipeline: "slow", nodes, runMs: 1400 });
    const found = await look(slow);
    expect(found.regression).toEqual({ factor: 2.8, baselineP95Ms: 500 });
    expect(found.lastAttempt.regression).toEqual(found.regression);
    expect(nodesOf(found)).toEqual([
      ["flour", { factor: 2.6, baselineP95Ms: 100 }],
      ["piece", null],
      ["shaped 0", null],
      ["shaped 1", { factor: 5, baselineP95Ms: 220 }],
    ]);
    // What comes later is no measure of what was before: the flag stays.
    for (let n = 0; n < 3; n += 1) await insertPastRun(db, { pipeline: "slow", nodes, runMs: 1400 });
    await using fresh = await testServer(db);
    expect(await look(slow, fresh)).toEqual(found);
  });

  it("flags nothing while there is too little history, nor what did not succeed", async () => {
    for (let n = 0; n < 9; n += 1) await insertPastRun(db, { pipeline: "young", nodes: usual, runMs: 500 });
    const nodes: PastNode[] = [{ node: "flour", durationMs: 2600 }];
    const early = await look(await insertPastRun(db, { pipeline: "young", nodes, runMs: 5000 }));
    expect(early.regression).toBeNull();
    expect(nodesOf(early)).toEqual([["flour", null]]);
    const failed = await insertPastRun(db, { pipeline: "young", state: "failed", nodes: [], runMs: 50_000 });
    expect((await look(failed)).regression).toBeNull();
    // The tenth is there, and is part of what is usual now.
    expect(
      (await look(await insertPastRun(db, { pipeline: "young", nodes: usual, runMs: 9000 }))).regression,
    ).toBeNull();
    const now = await insertPastRun(db, { pipeline: "young", nodes: usual, runMs: 20_000 });
    expect((await look(now)).regression).toEqual({ factor: 2.22, baselineP95Ms: 9000 });
  });
});
