import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Database } from "../../src/db/client.ts";
import { publishProject } from "../../src/pipelines/publish.ts";
import { input, node, pipeline, project } from "../pipelines/descriptions.ts";
import { testDatabase } from "../support/database.ts";
import { insertPastRun } from "../support/past-runs.ts";
import { type TestServer, testServer } from "../support/server.ts";

let db: Database;
let server: TestServer;

const file = "conf/pipelines/rolls.yml";
const rolls = pipeline({
  name: "rolls",
  finalVars: ["baked"],
  run: { executor: { type: "threadpool", max_workers: 2 } },
  config: { oven: "deck", stone: "${STONE}", steam: "${FP_PIPELINE__RUN__CONFIG__STEAM}", api_token: "s3cret" },
  jobQueue: { queue: "nightly", timeoutMs: 60_000, maxCpuMs: 60_000 },
  warnings: [{ path: `${file}: run.final_var`, message: "FlowerPower ignores this key", suggestion: "final_vars" }],
  inputs: [
    input("count", { default: { value: 3, source: file, reference: null }, required: false, usedBy: ["piece"] }),
    input("day", { type: "date", schema: { type: "string", format: "date" }, usedBy: ["baked"] }),
    input("url", {
      type: "str",
      schema: { type: "string" },
      default: { value: null, source: file, reference: "${WAREHOUSE_URL}" },
      required: false,
      usedBy: ["baked"],
    }),
    input("salt", { default: { value: 2, source: "code", reference: null }, required: false, usedBy: ["baked"] }),
    input("heat", {
      default: {
        value: null,
        source: "environment FP_PIPELINE__RUN__INPUTS__HEAT",
        reference: "${FP_PIPELINE__RUN__INPUTS__HEAT}",
      },
      required: false,
      usedBy: ["baked"],
    }),
    input("db_password", {
      type: "str",
      schema: { type: "string" },
      default: { value: "hunter2", source: file, reference: null },
      required: false,
      usedBy: ["baked"],
    }),
  ],
  nodes: [
    node("count", [], { kind: "input" }),
    node("day", [], { kind: "input" }),
    node("piece", ["count"], { kind: "expand", doc: "The pieces." }),
    node("shaped", ["piece"]),
    node("tray", ["shaped"], { kind: "collect" }),
    node("baked", ["tray", "day"], { optionalDependsOn: ["salt"], type: "str" }),
    node("salt", [], { kind: "input" }),
    node("crumbs", ["tray"]),
  ],
});

beforeAll(async () => {
  db = await testDatabase();
  await publishProject(db, null, {
    name: "bakery",
    project: project({
      name: "bakery",
      queues: ["nightly"],
      warnings: [
        { path: "conf/project.yml: hook_dir", message: "FlowerPower ignores this key", suggestion: "hooks_dir" },
      ],
    }),
    pipelines: [
      rolls,
      pipeline({
        name: "bread",
        retry: { maxRetries: 2, retryDelay: 5, jitterFactor: 0, retryExceptions: ["OSError"] },
      }),
    ],
    environment: {},
  });
  server = await testServer(db);
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await db[Symbol.asyncDispose]();
});

const everything = `
  __typename
  ... on JobPlan {
    project pipeline valid validated notValidated codeHash finalVars expectedMs pastRuns
    problems { code path message suggestion }
    warnings { path message suggestion }
    nodes { name kind type doc action reason inBlock expectedRuns expectedMs }
    inputs { name type source place value reference replaced { value source reference } }
    config { key value source }
    settings {
      maxMemoryBytes { value source } maxCpuMs { value source } queue { value source } priority { value source } timeoutMs { value source } maxLosses { value source }
      retry { maxRetries retryDelayMs jitterFactor retryExceptions source note }
      onWorkerLost { value source } runtime { value source } results { value source }
      executor { type maxWorkers source }
    }
  }
  ... on Error { code message path }
  ... on NotFoundError { suggestion }`;

async function plan(input: object) {
  const { data, errors } = await server.post(
    `query ($input: PlanJobInput!) { planJob(input: $input) { ${everything} } }`,
    { input },
  );
  expect(errors).toBeUndefined();
  return data.planJob;
}

async function enqueue(input: object) {
  const { data } = await server.post(
    `mutation ($input: EnqueueJobInput!) { enqueueJob(input: $input) {
      __typename
      ... on EnqueueJobSuccess { plan { codeHash nodes } job { queue maxAttempts } }
      ... on InvalidRunError { problems { path message suggestion } } } }`,
    { input },
  );
  return data.enqueueJob;
}

async function rows(): Promise<number> {
  const [row] = await db.sql<{ count: number }[]>`
    select ((select count(*) from jobs) + (select count(*) from job_requests) + (select count(*) from events)
      + (select count(*) from audit) + (select count(*) from variants))::int as count`;
  return row?.count ?? -1;
}

describe("planJob", () => {
  it("says what will run, in which order and why", async () => {
    const found = await plan({ pipeline: "bakery/rolls", inputs: { day: "2026-11-23" } });
    expect(found).toMatchObject({
      __typename: "JobPlan",
      project: "bakery",
      pipeline: "rolls",
      valid: true,
      validated: true,
      notValidated: null,
      codeHash: "c0de",
      finalVars: ["baked"],
      problems: [],
    });
    expect(
      found.nodes.map(({ name, kind, action, reason, inBlock }: Record<string, unknown>) => [
        name,
        kind,
        action,
        reason,
        inBlock,
      ]),
    ).toEqual([
      ["piece", "EXPAND", "RUN", "needed by shaped", false],
      ["shaped", "FUNCTION", "RUN", "needed by tray", true],
      ["tray", "COLLECT", "RUN", "needed by baked", false],
      ["baked", "FUNCTION", "RUN", "asked for", false],
    ]);
    expect(found.nodes[0]).toMatchObject({ type: "int", doc: "The pieces." });
  });

  it("says where each input comes from and what was replaced, and resolves no reference", async () => {
    const { inputs } = await plan({ pipeline: "bakery/rolls", inputs: { day: "2026-11-23", count: 5 } });
    expect(inputs.map(({ type: _type, ...rest }: { type: string }) => rest)).toEqual([
      {
        name: "count",
        source: "REQUEST",
        place: "request",
        value: 5,
        reference: null,
        replaced: { value: 3, source: file, reference: null },
      },
      { name: "day", source: "REQUEST", place: "request", value: "2026-11-23", reference: null, replaced: null },
      { name: "url", source: "FILE", place: file, value: null, reference: "${WAREHOUSE_URL}", replaced: null },
      { name: "salt", source: "CODE", place: "code", value: 2, reference: null, replaced: null },
      {
        name: "heat",
        source: "ENVIRONMENT",
        place: "environment FP_PIPELINE__RUN__INPUTS__HEAT",
        value: null,
        reference: "${FP_PIPELINE__RUN__INPUTS__HEAT}",
        replaced: null,
      },
      { name: "db_password", source: "FILE", place: file, value: "*****", reference: null, replaced: null },
    ]);
  });

  it("shows the config with the source of each key", async () => {
    const { config } = await plan({ pipeline: "bakery/rolls", inputs: { day: "2026-11-23" } });
    expect(config).toEqual([
      { key: "api_token", value: "*****", source: `${file}: run.config` },
      { key: "oven", value: "deck", source: `${file}: run.config` },
      {
        key: "steam",
        value: "${FP_PIPELINE__RUN__CONFIG__STEAM}",
        source: "environment FP_PIPELINE__RUN__CONFIG__STEAM",
      },
      { key: "stone", value: "${STONE}", source: `${file}: run.config` },
    ]);
  });

  it("shows the settings with the source of each, and that FlowerPower's implied retry does not count", async () => {
    const { settings, warnings } = await plan({
      pipeline: "bakery/rolls",
      inputs: { day: "2026-11-23" },
      priority: 70,
    });
    const inYaml = `${file}: job_queue.job_defaults`;
    expect(settings).toEqual({
      queue: { value: "nightly", source: inYaml },
      priority: { value: 70, source: "request" },
      timeoutMs: { value: 60_000, source: inYaml },
      maxLosses: { value: 3, source: "default" },
      maxMemoryBytes: { value: null, source: "default" },
      maxCpuMs: { value: 60_000, source: inYaml },
      retry: {
        maxRetries: 0,
        retryDelayMs: 1000,
        jitterFactor: 0.1,
        retryExceptions: null,
        source: "default",
        note: "No retry is written: FlowerPower's implied three do not count.",
      },
      onWorkerLost: { value: "RETRY", source: "default" },
      runtime: { value: "WARM", source: "default" },
      results: { value: "FULL", source: "default" },
      executor: { type: "threadpool", maxWorkers: 2, source: `${file}: run.executor` },
    });
    expect(warnings.map(({ path }: { path: string }) => path)).toEqual([
      "conf/project.yml: hook_dir",
      `${file}: run.final_var`,
    ]);
    const written = await plan({ pipeline: "bakery/bread" });
    expect(written.settings.retry).toEqual({
      maxRetries: 2,
      retryDelayMs: 5000,
      jitterFactor: 0,
      retryExceptions: ["OSError"],
      source: "conf/pipelines/bread.yml: run.retry",
      note: null,
    });
  });

  it.each([
    ["a missing input", {}, ["MISSING_INPUT input.inputs.day"]],
    ["a wrong type", { inputs: { day: "tomorrow" } }, ["WRONG_TYPE input.inputs.day"]],
    ["a slip", { inputs: { day: "2026-11-23", cuont: 4 } }, ["UNKNOWN_INPUT input.inputs.cuont"]],
    ["an unknown final variable", { finalVars: ["bakd"] }, ["UNKNOWN_FINAL_VAR input.finalVars.0"]],
    ["a branch", { finalVars: ["shaped"] }, ["BRANCH_FINAL_VAR input.finalVars.0"]],
    [
      "several",
      { inputs: { tray: 1, count: "x" } },
      ["COMPUTED_INPUT input.inputs.tray", "WRONG_TYPE input.inputs.count", "MISSING_INPUT input.inputs.day"],
    ],
  ])("finds %s, as enqueueJob does", async (_what, given, expected) => {
    const run = { pipeline: "bakery/rolls", ...given };
    const planned = await plan(run);
    expect(planned).toMatchObject({ valid: false, validated: true, expectedMs: null });
    expect(planned.problems.map(({ code, path }: Record<string, string>) => `${code} ${path}`)).toEqual(expected);
    const refused = await enqueue(run);
    expect(refused.problems).toEqual(
      planned.problems.map(({ code: _code, ...problem }: Record<string, string>) => problem),
    );
  });

  it("plans what enqueueJob then accepts", async () => {
    const run = { pipeline: "rolls", project: "bakery", inputs: { day: "2026-11-23" }, retry: { maxRetries: 4 } };
    const planned = await plan(run);
    const accepted = await enqueue(run);
    expect(accepted).toEqual({
      __typename: "EnqueueJobSuccess",
      plan: { codeHash: planned.codeHash, nodes: planned.nodes.map(({ name }: { name: string }) => name) },
      job: { queue: planned.settings.queue.value, maxAttempts: planned.settings.retry.maxRetries + 1 },
    });
  });

  it("names what does not exist, with what was meant", async () => {
    expect(await plan({ pipeline: "bakery/rools" })).toMatchObject({
      __typename: "NotFoundError",
      suggestion: "rolls",
    });
    expect(await plan({ pipeline: "bakry/rolls" })).toMatchObject({
      __typename: "NotFoundError",
      suggestion: "bakery",
    });
    const { valid, problems } = await plan({ pipeline: "bakery/bread", queue: "nigthly" });
    expect(valid).toBe(false);
    expect(problems).toEqual([
      { code: "UNKNOWN_QUEUE", path: "input.queue", message: "There is no queue nigthly.", suggestion: "nightly" },
    ]);
  });

  it("says that and why it could not be checked", async () => {
    const found = await plan({ pipeline: "bakery/rolls", config: { oven: "fan" } });
    expect(found).toMatchObject({
      valid: null,
      validated: false,
      problems: [],
      nodes: [],
      inputs: [],
      expectedMs: null,
    });
    expect(found.notValidated).toBe(
      "No worker that has the project bakery is there to describe the pipeline under this config.",
    );
    expect(found.config[1]).toEqual({ key: "oven", value: "fan", source: "request" });
  });

  it("stores nothing", async () => {
    const before = await rows();
    await plan({ pipeline: "bakery/rolls", inputs: { day: "2026-11-23" } });
    await plan({ pipeline: "bakery/rolls" });
    await plan({ pipeline: "bakery/rolls", config: { oven: "fan" } });
    expect(await rows()).toBe(before);
  });

  it("is not shown inputs by who may not see them", async () => {
    await using guarded = await testServer(db, {
      identify: () => ({ name: "reader", scopes: new Set(["read"]) }),
    });
    const { data, errors } = await guarded.post(
      `{ planJob(input: { pipeline: "bakery/rolls", inputs: { day: "2026-11-23", count: 5 } }) {
        ... on JobPlan { valid inputs { name value replaced { value } } config { value } } } }`,
    );
    expect(errors).toBeUndefined();
    expect(data.planJob.valid).toBe(true);
    const values = [
      ...data.planJob.inputs.flatMap((one: { value: unknown; replaced: { value: unknown } | null }) => [
        one.value,
        one.replaced?.value ?? null,
      ]),
      ...data.planJob.config.map((one: { value: unknown }) => one.value),
    ];
    expect(new Set(values)).toEqual(new Set([null]));
  });
});

describe("the expected duration", () => {
  it("adds up the medians of earlier runs, branches in rounds", async () => {
    const run = { pipeline: "bakery/rolls", inputs: { day: "2026-11-23" } };
    for (const ms of [10, 20, 30]) {
      await insertPastRun(db, {
        pipeline: "rolls",
        nodes: [
          { node: "piece", durationMs: 5, expanded: 5 },
          { node: "shaped", branches: { of: "piece", durationsMs: [ms, ms, ms, ms, ms] } },
          { node: "tray", durationMs: 1 },
          { node: "baked", durationMs: 10 * ms },
        ],
        // 7 ms more than its nodes: five branches on two threads are three rounds.
        runMs: 5 + 3 * ms + 1 + 10 * ms + 7,
        executor: { type: "threadpool", max_workers: 2 },
      });
    }
    // Another server has not looked yet.
    await using fresh = await testServer(db);
    const ask = async (given: object) => {
      const { data, errors } = await fresh.post(
        `query ($input: PlanJobInput!) { planJob(input: $input) { ... on JobPlan {
          expectedMs pastRuns nodes { name expectedRuns expectedMs } } } }`,
        { input: { ...run, ...given } },
      );
      expect(errors).toBeUndefined();
      return data.planJob;
    };
    const two = await ask({});
    expect(two).toMatchObject({ pastRuns: 3, expectedMs: 5 + 3 * 20 + 1 + 200 + 7 });
    expect(two.nodes).toEqual([
      { name: "piece", expectedRuns: 1, expectedMs: 5 },
      { name: "shaped", expectedRuns: 5, expectedMs: 20 },
      { name: "tray", expectedRuns: 1, expectedMs: 1 },
      { name: "baked", expectedRuns: 1, expectedMs: 200 },
    ]);
    expect(await ask({ executor: { maxWorkers: 5 } })).toMatchObject({ expectedMs: 5 + 20 + 1 + 200 + 7 });
    expect(await ask({ executor: { type: "SYNCHRONOUS" } })).toMatchObject({ expectedMs: 5 + 20 + 1 + 200 + 7 });
    // `crumbs` has never run.
    expect(await ask({ finalVars: ["baked", "crumbs"] })).toMatchObject({ expectedMs: null });
  });

  it("is not known of a pipeline that has not run", async () => {
    expect(await plan({ pipeline: "bakery/bread" })).toMatchObject({ expectedMs: null, pastRuns: 0 });
  });
});
