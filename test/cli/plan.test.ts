/** `plan`, `history` and what they add to `job` and `jobs`, against a real server. */
import { EventEmitter } from "node:events";
import { tmpdir } from "node:os";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCli } from "../../src/cli/program.ts";
import type { Database } from "../../src/db/client.ts";
import { idText } from "../../src/domain/ids.ts";
import { publishProject } from "../../src/pipelines/publish.ts";
import { input, node, pipeline, project } from "../pipelines/descriptions.ts";
import { testDatabase } from "../support/database.ts";
import { eventually } from "../support/eventually.ts";
import { type EventOptions, finishJob, insertEvents } from "../support/factories.ts";
import { insertNodeRuns, insertPastRun, type PastNode } from "../support/past-runs.ts";
import { type TestServer, testServer } from "../support/server.ts";

let db: Database;
let server: TestServer;

const file = "conf/pipelines/rolls.yml";
const usual: PastNode[] = [
  { node: "piece", durationMs: 5, expanded: 24, bytes: 800 },
  { node: "shaped", branches: { of: "piece", durationsMs: Array.from({ length: 24 }, () => 80) } },
  { node: "tray", durationMs: 10, bytes: 56 },
];

beforeAll(async () => {
  db = await testDatabase();
  await publishProject(db, null, {
    name: "bakery",
    project: project({ name: "bakery" }),
    pipelines: [
      pipeline({
        name: "rolls",
        finalVars: ["tray"],
        config: { oven: "deck" },
        jobQueue: { maxMemoryBytes: 2e9 },
        run: { executor: { type: "threadpool", max_workers: 4 } },
        warnings: [
          { path: `${file}: run.final_var`, message: "FlowerPower ignores this key", suggestion: "final_vars" },
        ],
        inputs: [
          input("count", { default: { value: 24, source: file, reference: null }, required: false, usedBy: ["piece"] }),
        ],
        nodes: [
          node("count", [], { kind: "input" }),
          node("piece", ["count"], { kind: "expand" }),
          node("shaped", ["piece"]),
          node("tray", ["shaped"], { kind: "collect" }),
        ],
      }),
      pipeline({ name: "bread" }),
    ],
    environment: {},
  });
  for (let n = 0; n < 12; n += 1) await insertPastRun(db, { pipeline: "rolls", nodes: usual, runMs: 520 });
  server = await testServer(db);
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await db[Symbol.asyncDispose]();
});

function started(argv: string[], terminal: { isTTY?: boolean } = {}) {
  const written = { out: "", err: "" };
  const into = (stream: keyof typeof written) => ({
    write(text: string) {
      written[stream] += text;
    },
    ...terminal,
  });
  const ended = runCli(argv, {
    env: { FLOWERPOWER_QUEUE_URL: server.url, LANG: "C.UTF-8", NO_COLOR: "1" },
    cwd: tmpdir(),
    stdout: into("out"),
    stderr: into("err"),
    signals: new EventEmitter(),
  });
  return { written, ended };
}

async function run(...argv: string[]) {
  const { written, ended } = started(argv);
  const code = await ended;
  return { code, ...written };
}

describe("plan", () => {
  it("shows what each node will do, where inputs come from, and the settings", async () => {
    const { code, out, err } = await run("plan", "bakery/rolls", "--input", "count=12", "--priority", "70");
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out.split("\n")).toEqual([
      "✓ bakery/rolls  3 nodes will run, about 520 ms (from 12 runs)",
      `  ${file}: run.final_var: FlowerPower ignores this key; did you mean final_vars?`,
      "",
      "NODE    WHAT     EXPECTED    WHY",
      "piece   run      5 ms        needed by shaped",
      "shaped  run ×24  80 ms each  needed by tray",
      "tray    run      10 ms       asked for",
      "",
      "INPUT  VALUE  FROM",
      `count  12     request, in place of 24 (${file})`,
      "",
      "final variables  tray",
      `config oven      "deck" (${file}: run.config)`,
      "queue            default (default), priority 70 (request)",
      "timeout          none (default)",
      `memory           at most 2 GB (${file}: job_queue.job_defaults)`,
      "retries          none (default)",
      "                 No retry is written: FlowerPower's implied three do not count.",
      "worker lost      retry (default)",
      `executor         threadpool 4 (${file}: run.executor)`,
      "runtime          warm (default)",
      "results          full (default)",
      "code             c0de",
      "",
    ]);
  });

  it("tells what is wrong, what was probably meant, and ends with 2", async () => {
    const { code, out } = await run("plan", "bakery/rolls", "--input", "cuont=12", "--final-vars", "trays");
    expect(code).toBe(2);
    expect(out).toContain("✗ bakery/rolls  would be refused");
    expect(out).toContain("  inputs.cuont: There is no input cuont. Did you mean count?");
    expect(out).toContain("  finalVars.0: There is no node trays to ask for. Did you mean tray?");
  });

  it("says that a pipeline has never run", async () => {
    expect((await run("plan", "bread")).out).toContain("2 nodes will run, nobody knows how long: it has not run yet");
  });

  it("ends with 75 when nobody can say now", async () => {
    const { code, out } = await run("plan", "bakery/rolls", "--config", "oven=fan");
    expect(code).toBe(75);
    expect(out).toContain("· bakery/rolls  not checked: No worker that has the project bakery is there");
  });

  it("takes all flags of enqueue, and stores nothing", async () => {
    const flags = [
      "--tag",
      "a",
      "--in",
      "30m",
      "--key",
      "k",
      "--requested-by",
      "ann",
      "--expires",
      "2h",
      "--timeout",
      "90s",
    ];
    const { code, out } = await run(
      "plan",
      "bakery/rolls",
      ...flags,
      "--max-retries",
      "3",
      "--executor",
      "local",
      "--json",
    );
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      valid: true,
      settings: {
        timeoutMs: { value: 90_000 },
        retry: { maxRetries: 3, note: null },
        executor: { type: "synchronous" },
      },
    });
    expect(JSON.parse((await run("jobs", "--tag", "a", "--json")).out)).toEqual([]);
  });

  it.each([
    [["plan", "bakery/rools"], "Did you mean rolls?"],
    [["plan", "bakery/rolls", "--nosuch"], "unknown option '--nosuch'"],
    [["plan", "bakery/rolls", "--wait"], "unknown option '--wait'"],
    [["history", "bakery/rools"], "There is no pipeline bakery/rools"],
    [["history", "bakery/rolls", "-n", "201"], "from 1 to 200"],
  ])("ends with 2 and one message for %j", async (argv, message) => {
    const { code, out, err } = await run(...argv);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toContain(message);
  });
});

describe("history", () => {
  it("shows how long each node took", async () => {
    const { code, out } = await run("history", "bakery/rolls", "-n", "3");
    expect(code).toBe(0);
    expect(out.split("\n")).toEqual([
      "3 runs p50 520 ms, p95 520 ms, waited p50 <1 ms, p95 <1 ms",
      "",
      "NODE    RUNS  P50         P95    BRANCHES  SIZE   LAST, NEWEST FIRST",
      "piece   3     5 ms        5 ms   24        800 B  5 ms, 5 ms, 5 ms",
      "shaped  3     80 ms each  80 ms                   80 ms, 80 ms, 80 ms",
      "tray    3     10 ms       10 ms            56 B   10 ms, 10 ms, 10 ms",
      "",
    ]);
    expect(JSON.parse((await run("history", "bakery/rolls", "--json")).out)).toMatchObject({
      runs: 12,
      nodes: [{ node: "piece" }, {}, {}],
    });
    expect(await run("history", "bread")).toMatchObject({ code: 0, out: "It has not succeeded yet.\n" });
  });
});

describe("job and jobs", () => {
  it("say how long it will go on", async () => {
    const id = await insertPastRun(db, {
      pipeline: "rolls",
      state: "running",
      path: ["piece", "shaped", "tray"],
      nodes: [{ node: "piece", durationMs: 5, expanded: 8 }],
    });
    await db.sql`update jobs set nodes_done = 1, nodes_total = 10 where id = ${id}`;
    // Eight branches on four threads are two rounds of 80 ms. Beside its nodes a run has always taken 25 ms.
    expect((await run("jobs", "--state", "running")).out).toMatch(/1\/10, 170 ms left\n/);
    expect((await run("job", idText("job", id))).out).toMatch(/expected +about 200 ms, 170 ms left\n/);
  });

  it("are followed with the time that is left", async () => {
    const path = ["flour", "dough"];
    await insertPastRun(db, { pipeline: "bread", nodes: path.map((name) => ({ node: name, durationMs: 60_000 })) });
    const id = await insertPastRun(db, { pipeline: "bread", state: "running", path });
    const tell = async (...events: EventOptions[]) => {
      await db.sql.begin((sql) => insertEvents(sql, id, events));
      server.jobs.wakeups.ring("events", [id]);
    };
    const { written, ended } = started(["watch", idText("job", id)], { isTTY: true });
    await tell(
      { type: "job.started", data: { worker: "wkr_1" } },
      { type: "run.resolved", data: { codeHash: "c0de", path, finalVars: ["dough"] } },
    );
    await eventually(() => expect(written.out).toMatch(/bakery\/bread .*~(2 min 00 s|1 min 5\d s) left/));
    await insertNodeRuns(db.sql, id, [{ node: "flour", durationMs: 60_000 }]);
    const summary = { type: "int", shape: null, length: null, bytes: null, columns: null, preview: null };
    await tell({ type: "node.succeeded", node: "flour", data: { durationMs: 60_000, cpuMs: 1, summary } });
    await eventually(() => expect(written.out).toMatch(/~(1 min 00 s|5\d\.\d s) left/));
    await db.sql.begin((sql) => finishJob(sql, id));
    server.jobs.wakeups.ring("events", [id]);
    expect(await ended).toBe(0);
    expect(written.out.split("\n").findLast((line) => line.includes("bakery/bread"))).not.toContain("left");
  });

  it("flag what was slower than before", async () => {
    const nodes: PastNode[] = [
      { node: "piece", durationMs: 5, expanded: 2 },
      { node: "shaped", branches: { of: "piece", durationsMs: [90, 400] } },
      { node: "tray", durationMs: 500, bytes: 56 },
    ];
    const id = await insertPastRun(db, { pipeline: "rolls", nodes, runMs: 1820 });
    const { out } = await run("job", idText("job", id));
    expect(out).toMatch(/shaped 2\/2 .*median 400 ms, slowest #1 400 ms, 5\.0 times as/);
    expect(out).toMatch(/tray .* int, 50\.0 times as long as usual \(p95 10 ms\)/);
    expect(out).toMatch(/slow +3\.5 times as long as usual \(p95 520 ms\)/);
    expect(out).toMatch(/retries +none \(only a retry that is written counts\)/);
  });
});
