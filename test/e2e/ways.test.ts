import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { idText } from "../../src/domain/ids.ts";
import type { RunRequest } from "../../src/domain/run-request.ts";
import { eventually } from "../support/eventually.ts";
import { type FollowedJob, type Ground, openGround } from "../support/ground.ts";
import { examples } from "../support/runtimes.ts";
import { type TestServer, testServer } from "../support/server.ts";

/** A worker of the example project that has a pipeline for each way of running and each modifier. */
let ground: Ground;
let server: TestServer;

beforeAll(async () => {
  ground = await openGround();
  await ground.worker({ projects: [{ name: "modifiers", dir: join(examples, "modifiers") }] }).said("ready");
  server = await testServer(ground.db);
}, 60_000);
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await ground[Symbol.asyncDispose]();
});

const run = (pipeline: string, inputs = {}, request: Partial<RunRequest> = {}) =>
  ground.enqueue(pipeline, inputs, { project: "modifiers", ...request });
const executor = (type: string) => ({ executor: { type, maxWorkers: null, numCpus: null } });

async function nodeRuns(job: FollowedJob, from = server) {
  const { data, errors } = await from.post(
    `query ($id: ID!) { job(id: $id) { nodeRuns(first: 40) { nodes {
      node state cpuMs memoryGrowthBytes
      summary { columns { name type statistics { min max mean nulls } } }
      graphNode { doc async tags upstream downstream }
    } } } }`,
    { id: idText("job", job.id) },
  );
  expect(errors).toBeUndefined();
  const nodes = data.job.nodeRuns.nodes as { node: string; [field: string]: unknown }[];
  return Object.fromEntries(nodes.map(({ node, ...rest }) => [node, rest]));
}

describe("async pipelines", () => {
  it("run with each node's own events and log lines", async () => {
    const job = await run("fetched");
    expect(await job.ended()).toMatchObject({ state: "succeeded", nodesDone: 3, nodesTotal: 3 });
    expect(await job.results()).toEqual({ page: "5 degrees, market in Ghent" });
    const lines = job.events.filter(({ type }) => type === "log.line");
    const told = lines.map(({ node, data }) => `${node ?? "nobody"}: ${(data as { text: string }).text}`);
    expect(told.toSorted()).toEqual([
      "events: asks what happens in Ghent",
      expect.stringMatching(/^nobody: stopwatch: done in/),
      "weather: asks for the weather of Ghent",
    ]);
    const nodes = await nodeRuns(job);
    expect(nodes).toMatchObject({
      events: { state: "SUCCEEDED", cpuMs: null, memoryGrowthBytes: null },
      page: { state: "SUCCEEDED", memoryGrowthBytes: expect.any(Number) },
      weather: {
        graphNode: {
          async: true,
          doc: "As if asked of a service.",
          upstream: ["city", "seconds"],
          downstream: ["page"],
        },
      },
    });
  }, 60_000);

  it("end at their timeout, and nodes that were running are stopped", async () => {
    const job = await run("fetched", { seconds: 60 }, { timeoutMs: 1500 });
    expect(await job.ended()).toMatchObject({ state: "failed", errorKind: "TIMEOUT" });
    const nodes = await nodeRuns(job);
    expect(Object.values(nodes).map(({ state }) => state)).not.toContain("SUCCEEDED");
    // The worker goes on.
    expect(await (await run("fetched")).ended()).toMatchObject({ state: "succeeded" });
  }, 60_000);

  it("are refused at enqueue with what the async driver does not have", async () => {
    await expect(run("fetched", {}, { options: executor("processpool") })).rejects.toMatchObject({
      code: "INVALID_RUN",
      problems: [{ code: "ASYNC_EXECUTOR", path: "input.executor.type", suggestion: "synchronous" }],
    });
  });
});

describe("executors", () => {
  it("that the project's environment lacks are refused at enqueue with the command", async () => {
    const { data } = await server.post('{ project(name: "modifiers") { executors { type available install } } }');
    const listed = data.project.executors as { type: string; available: boolean; install: string | null }[];
    expect(listed.filter(({ available }) => available).map(({ type }) => type)).toEqual(
      expect.arrayContaining(["synchronous", "threadpool", "processpool"]),
    );
    for (const { type, install } of listed.filter(({ available }) => !available)) {
      await expect(run("chosen", {}, { options: executor(type) })).rejects.toMatchObject({
        problems: [{ code: "EXECUTOR_MISSING", path: "input.executor.type", suggestion: install }],
      });
    }
  });
});

describe("nodes", () => {
  it.each([
    ["chosen", 2],
    ["parameterized", 5],
    ["extracted", 7],
    ["nested", 13],
    ["injected", 3],
    ["piped", 5],
    ["checked", 4],
    ["tagged", 4],
    ["files", 4],
  ])(
    "of %s are each told and known in the graph",
    async (pipeline, count) => {
      const job = await run(pipeline);
      expect(await job.ended()).toMatchObject({ state: "succeeded", nodesDone: count, nodesTotal: count });
      const nodes = Object.values(await nodeRuns(job));
      expect(nodes).toHaveLength(count);
      expect(nodes.every(({ graphNode }) => graphNode !== null)).toBe(true);
    },
    60_000,
  );

  it("have statistics of their frames, for who may see payloads", async () => {
    const job = await run("extracted");
    await job.ended();
    const columns = [
      { name: "count", type: "int64", statistics: { min: 3, max: 12, mean: 20 / 3, nulls: 0 } },
      { name: "price", type: "float64", statistics: { min: 0.5, max: 2.8, mean: 1.65, nulls: 1 } },
    ];
    expect((await nodeRuns(job)).stock).toMatchObject({ summary: { columns } });
    await using readers = await testServer(ground.db, {
      identify: () => ({ name: "reader", scopes: new Set(["read"] as const) }),
    });
    expect((await nodeRuns(job, readers)).stock).toMatchObject({
      summary: { columns: columns.map((column) => ({ ...column, statistics: null })) },
    });
  }, 60_000);

  it("of another config are those of its graph", async () => {
    const job = await run("chosen", {}, { config: { customer: "guest" } });
    expect(await job.ended()).toMatchObject({ state: "succeeded" });
    // On a busy machine a worker describes the other config only after the run.
    await eventually(async () => {
      const { price } = await nodeRuns(job);
      expect(price).toMatchObject({ graphNode: { doc: "Guests pay what the list says.", downstream: ["bill"] } });
    });
  }, 60_000);
});
