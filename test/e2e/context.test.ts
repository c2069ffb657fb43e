/** What an attempt ran with, and how to run it again, with the real FlowerPower in a real repository. */
import { execFileSync } from "node:child_process";
import { EventEmitter } from "node:events";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCli } from "../../src/cli/program.ts";
import { idText } from "../../src/domain/ids.ts";
import type { JsonObject } from "../../src/domain/json.ts";
import { traceIdOf } from "../../src/domain/trace.ts";
import { type Ground, openGround } from "../support/ground.ts";
import { type TestServer, testServer } from "../support/server.ts";

const hashKey = "5e".repeat(32);
const secret = "hush-hush-7";

const shop = `
import datetime
import json
import os
from pathlib import Path

def price(day: datetime.date, factor: float) -> float:
    return day.day * factor

def told(price: float, warehouse_url: str, note: str) -> str:
    """What was computed, written down for whoever runs it again."""
    text = json.dumps([price, warehouse_url, note, os.environ.get("FLOWERPOWER_SCHEDULED_AT")])
    Path(os.environ["FLOWERPOWER_RUN_DIR"], "told").write_text(text)
    Path("told.txt").write_text(text)
    return "done"
`;
const yaml = `
# Comments are the user's.
params: {limit: 5}
run:
  final_vars: [told]
  inputs: {factor: 2, warehouse_url: "\${WAREHOUSE_URL}", note: plain}
  executor: {type: synchronous}
job_queue:
  job_defaults: {timeout: 60}
`;

let ground: Ground;
let server: TestServer;
let folder: string;

const git = (...args: string[]) =>
  execFileSync("git", ["-c", "user.name=Ada", "-c", "user.email=ada@example.org", ...args], {
    cwd: folder,
    encoding: "utf8",
    stdio: "pipe",
  }).trim();

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await writeFile(join(folder, path), text);
}

beforeAll(async () => {
  ground = await openGround();
  folder = join(ground.folder, "a shop");
  await write("conf/project.yml", "name: shop\n");
  await write("conf/pipelines/shop.yml", yaml);
  await write("pipelines/shop.py", shop);
  await write(".gitignore", "told.txt\n");
  git("init", "--quiet", "--initial-branch=main");
  git("remote", "add", "origin", "https://ada:t0ken@example.org/shop.git");
  git("add", ".");
  git("commit", "--quiet", "-m", "first");
  server = await testServer(ground.db);
  process.env.WAREHOUSE_URL = `https://me:${secret}@warehouse/x`;
  const worker = ground.worker({ projects: [{ name: "shop", dir: folder }], hashKey });
  await worker.said("ready", 60_000);
}, 90_000);

afterAll(async () => {
  delete process.env.WAREHOUSE_URL;
  await server?.[Symbol.asyncDispose]();
  await ground?.[Symbol.asyncDispose]();
});

async function ask<Data = JsonObject>(query: string, variables: object = {}): Promise<Data> {
  const { data, errors } = await server.post<Data>(query, variables);
  expect(errors).toBeUndefined();
  return data;
}

/** Asks until the answer is as wanted: what workers notice by themselves takes a second or two. */
async function until<Data>(read: () => Promise<Data>, isThere: (data: Data) => boolean): Promise<Data> {
  for (const end = Date.now() + 30_000; ; ) {
    const data = await read();
    if (isThere(data)) return data;
    if (Date.now() > end) throw new Error(`It did not come to that: ${JSON.stringify(data)}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

const run = async (inputs: JsonObject) => {
  const job = await ground.enqueue("shop", inputs, { project: "shop" });
  expect(await job.ended()).toMatchObject({ state: "succeeded" });
  return job.id;
};

const contextOf = `query ($id: ID!) { job(id: $id) { traceId attempts { nodes {
  context reproduce executionContext {
    graph { nodes { name source } } codeHash python executable packages path finalVars configFile host folder traceparent startedAt nodes
    git { commit dirty branch remote } modules { name file sha256 }
    resolved { path value reference source keyedHash }
  } } }
  nodeRuns { nodes { node source } } } }`;

interface Asked {
  job: {
    traceId: string;
    attempts: {
      nodes: {
        context: JsonObject;
        reproduce: string;
        executionContext: JsonObject & {
          resolved: {
            path: string;
            value: unknown;
            reference: string | null;
            source: string;
            keyedHash: string | null;
          }[];
        };
      }[];
    };
    nodeRuns: { nodes: { node: string; source: string | null }[] };
  };
}

async function contextOfJob(id: string) {
  const { job } = await ask<Asked>(contextOf, { id: idText("job", id) });
  const [attempt] = job.attempts.nodes;
  if (attempt === undefined) throw new Error("no attempt");
  return { ...attempt, traceId: job.traceId, nodeRuns: job.nodeRuns.nodes };
}

/** Runs a command in a shell, as somebody at the worker's machine would, and reads what the pipeline has written down. */
async function reproduced(command: string, env: NodeJS.ProcessEnv = {}): Promise<unknown> {
  await rm(join(folder, "told.txt"), { force: true });
  const before = { ...process.env, ...env };
  execFileSync("sh", ["-c", command], { cwd: "/", env: before, stdio: "pipe", timeout: 60_000 });
  return JSON.parse(await readFile(join(folder, "told.txt"), "utf8"));
}

describe("an attempt", () => {
  it("tells everything that it ran with, and no secret", async () => {
    const id = await run({ day: "2026-11-23" });
    const { executionContext: context, traceId } = await contextOfJob(id);
    const commit = git("rev-parse", "HEAD");
    expect(context).toMatchObject({
      codeHash: expect.stringMatching(/^[0-9a-f]{64}$/),
      python: expect.stringMatching(/^3\./),
      packages: { flowerpower: expect.any(String), hamilton: expect.any(String) },
      path: ["price", "told"],
      finalVars: ["told"],
      configFile: "conf/pipelines/shop.yml",
      folder,
      git: { commit, dirty: false, branch: "main", remote: "https://example.org/shop.git" },
      modules: [{ name: "pipelines.shop", file: "pipelines/shop.py" }],
      traceparent: expect.stringMatching(new RegExp(`^00-${traceId}-[0-9a-f]{16}-01$`)),
      nodes: { price: expect.stringMatching(/^[0-9a-f]{64}$/), told: expect.stringMatching(/^[0-9a-f]{64}$/) },
    });
    expect(traceId).toBe(traceIdOf(id));
    const told = Object.fromEntries(context.resolved.map(({ path, ...entry }) => [path, entry]));
    expect(told["inputs.day"]).toMatchObject({ value: "2026-11-23", source: "request", reference: null });
    expect(told["inputs.factor"]).toMatchObject({ value: 2, source: "conf/pipelines/shop.yml" });
    expect(told["inputs.warehouse_url"]).toEqual({
      value: null,
      reference: "${WAREHOUSE_URL}",
      source: "conf/pipelines/shop.yml",
      keyedHash: expect.stringMatching(/^[0-9a-f]{8}:[0-9a-f]{32}$/),
    });
    expect(told["executor.type"]).toMatchObject({ value: "synchronous", source: "conf/pipelines/shop.yml" });
    expect(told.log_level).toMatchObject({ value: "INFO", source: "FlowerPower default" });
    expect(told["job.timeout_ms"]).toMatchObject({
      value: 60_000,
      source: "conf/pipelines/shop.yml: job_queue.job_defaults",
    });
    expect(told["job.runtime"]).toMatchObject({ value: "warm", source: "queue default" });
    const stored = await ground.db.sql`select context::text from attempts where job_id = ${id}`;
    expect(JSON.stringify(stored)).not.toContain(secret);
  });

  it("is run again by its command, the secret taken from the environment", async () => {
    const id = await run({ day: "2026-11-03", note: "it's $HOME `x`" });
    const ran = JSON.parse(await readFile(join(folder, "told.txt"), "utf8"));
    const { reproduce } = await contextOfJob(id);
    expect(reproduce).not.toContain(secret);
    // A date is no text, and 2 is no float: FlowerPower's own command could not say it.
    expect(reproduce).toContain("datetime.date(2026, 11, 3)");
    expect(await reproduced(reproduce)).toEqual(ran);
    expect(ran).toEqual([6, process.env.WAREHOUSE_URL, "it's $HOME `x`", expect.stringMatching(/Z$/)]);
    // Without the secret it says which variable is missing, and runs nothing.
    expect(() => execFileSync("sh", ["-c", reproduce], { env: { PATH: process.env.PATH }, stdio: "pipe" })).toThrow(
      /WAREHOUSE_URL: has to be set/,
    );
  });

  it("is run again by FlowerPower's own command where that can say it", async () => {
    await write("conf/pipelines/plain.yml", "run: {final_vars: [told], inputs: {b: x}}\n");
    await write(
      "pipelines/plain.py",
      'from pathlib import Path\ndef told(a: int, b: str) -> str:\n    text = f\'[{a}, "{b}"]\'\n    Path("told.txt").write_text(text)\n    return text\n',
    );
    const known = '{ pipeline(name: "shop/plain") { status } }';
    await until(
      () => ask(known),
      ({ pipeline }) => pipeline !== null,
    );
    const job = await ground.enqueue("plain", { a: 3 }, { project: "shop" });
    expect(await job.ended()).toMatchObject({ state: "succeeded" });
    const { reproduce } = await contextOfJob(job.id);
    expect(reproduce).toMatch(
      /flowerpower pipeline run plain --inputs '\{"a": 3, "b": "x"\}' --final-vars '\["told"\]' --max-retries 0$/,
    );
    expect(await reproduced(reproduce)).toEqual([3, "x"]);
  });
});

describe("versions", () => {
  const versions = `{ pipeline(name: "shop/shop") { status versions(last: 10) { nodes {
    number codeHash git { commit dirty } modules { file } graph { nodes { name source } } } } } }`;
  interface Versions {
    pipeline: {
      status: string;
      versions: {
        nodes: { number: number; codeHash: string; git: { commit: string; dirty: boolean }; graph: unknown }[];
      };
    };
  }
  const read = () => ask<Versions>(versions);

  it("follow the code on disk, back and forth, and skip what is broken; an old run shows the code that it ran", async () => {
    const old = await run({ day: "2026-11-05" });
    const first = (await read()).pipeline.versions.nodes.at(-1);
    const changed = shop.replace("day.day * factor", "day.day * factor + 1");
    await write("pipelines/shop.py", changed);
    const second = (
      await until(read, ({ pipeline }) => pipeline.versions.nodes.at(-1)?.codeHash !== first?.codeHash)
    ).pipeline.versions.nodes.at(-1);
    expect(second).toMatchObject({ number: (first?.number ?? 0) + 1, git: { dirty: true } });

    const { data } = await server.post(
      `query ($from: Int!, $to: Int!) { comparePipelineVersions(pipeline: "shop/shop", from: $from, to: $to) {
        __typename ... on PipelineComparison { from { number } to { number } nodes { name change aspects diff }
          modules { file change } params { path } run { path } } } }`,
      { from: first?.number, to: second?.number },
    );
    expect(data.comparePipelineVersions).toMatchObject({
      __typename: "PipelineComparison",
      from: { number: first?.number },
      to: { number: second?.number },
      nodes: [
        {
          name: "price",
          change: "CHANGED",
          aspects: ["SOURCE"],
          diff: expect.stringContaining("-    return day.day * factor\n+    return day.day * factor + 1"),
        },
      ],
      modules: [{ file: "pipelines/shop.py", change: "CHANGED" }],
      params: [],
      run: [],
    });

    await write("pipelines/shop.py", "def broken(:\n");
    await until(read, ({ pipeline }) => pipeline.status === "BROKEN");
    expect((await read()).pipeline.versions.nodes.at(-1)?.number).toBe(second?.number);

    await write("pipelines/shop.py", shop);
    const third = (
      await until(read, ({ pipeline }) => pipeline.versions.nodes.at(-1)?.number !== second?.number)
    ).pipeline.versions.nodes.at(-1);
    expect(third).toMatchObject({ number: (second?.number ?? 0) + 1, codeHash: first?.codeHash });

    const now = await run({ day: "2026-11-06" });
    await write("pipelines/shop.py", changed);
    await until(read, ({ pipeline }) => pipeline.versions.nodes.at(-1)?.number !== third?.number);
    for (const id of [old, now]) {
      const { nodeRuns, reproduce, executionContext } = await contextOfJob(id);
      const graph = executionContext.graph as { nodes: { name: string; source: string | null }[] };
      expect(nodeRuns[0]?.source).toContain("return day.day * factor\n");
      const [price] = graph.nodes.filter(({ name }) => name === "price");
      expect(price?.source).toContain("return day.day * factor\n");
      expect(reproduce).toContain("WARNING: the code has changed since");
    }
    await write("pipelines/shop.py", shop);
    await until(read, ({ pipeline }) => pipeline.versions.nodes.at(-1)?.codeHash === first?.codeHash);
    // What we run and describe writes nothing: the YAML with its comments is as it was.
    expect(await readFile(join(folder, "conf/pipelines/shop.yml"), "utf8")).toBe(yaml);
  }, 120_000);
});

describe("the command line", () => {
  /** What a command prints, and how it ends. */
  async function cli(...argv: string[]) {
    const written = { out: "", err: "" };
    const into = (stream: keyof typeof written) => ({
      write(text: string) {
        written[stream] += text;
      },
    });
    const code = await runCli(argv, {
      env: { FLOWERPOWER_QUEUE_URL: server.url, LANG: "C.UTF-8" },
      cwd: ground.folder,
      stdout: into("out"),
      stderr: into("err"),
      signals: new EventEmitter(),
    });
    return { code, ...written };
  }

  it("shows versions and their difference", async () => {
    const listed = await cli("project", "versions", "shop/shop");
    expect(listed.out).toMatch(/VERSION +CODE +GIT +FROM +SEEN\n\d+ +[0-9a-f]{12} +[0-9a-f]{10}\+? main /);
    const { out } = await cli("project", "diff", "shop/shop");
    expect(out).toMatch(/^shop\/shop {2}version \d+ → \d+\n~ price {2}source\n/);
    expect(out).toMatch(/\n +[-+] {4}return day\.day \* factor \+ 1\n/);
    expect(await cli("project", "diff", "shop/shop", "1", "99")).toMatchObject({
      code: 2,
      err: expect.stringContaining("There is no version 99 of shop/shop."),
    });
  });

  it("shows the context of a job, and the command that runs it again", async () => {
    const id = idText("job", await run({ day: "2026-11-09" }));
    const { out } = await cli("job", id, "--context");
    expect(out).toMatch(/inputs\.day +"2026-11-09" +request\n/);
    expect(out).toMatch(/inputs\.warehouse_url +\$\{WAREHOUSE_URL\} +conf\/pipelines\/shop\.yml\n/);
    expect(out).toContain(git("rev-parse", "HEAD"));
    expect(out).not.toContain(secret);
    const { out: command } = await cli("reproduce", id);
    expect(await reproduced(command)).toEqual([18, process.env.WAREHOUSE_URL, "plain", expect.any(String)]);
  });

  it("disables, enables and reloads a project", async () => {
    expect(await cli("project", "disable", "shop", "--reason", "moving")).toMatchObject({ code: 0 });
    expect((await cli("project")).out).toMatch(/^shop .* disabled$/m);
    expect((await cli("project", "show", "shop")).out).toMatch(/disabled since .*: moving/);
    const refused = await cli("enqueue", "shop/shop", "--input", "day=2026-11-10");
    expect(refused).toMatchObject({ code: 2, err: expect.stringContaining("The project shop is disabled (moving)") });
    expect(await cli("project", "enable", "shop")).toMatchObject({ code: 0, out: "shop is enabled.\n" });
    expect(await cli("project", "reload", "shop")).toMatchObject({ code: 0, out: "shop was described again.\n" });
    expect(await cli("project", "reload", "shopp")).toMatchObject({ code: 2 });
  }, 60_000);
});

describe("a project", () => {
  const act = (field: string, input: object) =>
    ask(
      `mutation ($input: ${field[0]?.toUpperCase()}${field.slice(1)}Input!) { ${field}(input: $input) { __typename
        ... on Error { code message } ${field === "reloadProject" ? "... on ReloadProjectSuccess { reloaded project { name publishedAt } }" : ""} } }`,
      { input },
    );

  it("is described again on request, though no file has changed", async () => {
    const published = async () =>
      (await ask<{ project: { publishedAt: string } }>('{ project(name: "shop") { publishedAt } }')).project
        .publishedAt;
    const before = await published();
    expect((await act("reloadProject", { name: "shop", waitMs: 30_000 })).reloadProject).toMatchObject({
      __typename: "ReloadProjectSuccess",
      reloaded: true,
    });
    expect(Date.parse(await published())).toBeGreaterThan(Date.parse(before));
  }, 60_000);

  it("that is disabled refuses jobs and holds those that wait, until it is enabled", async () => {
    const later = await ground.enqueue(
      "shop",
      { day: "2026-11-07" },
      { project: "shop", runAt: new Date(Date.now() + 500) },
    );
    expect(await act("disableProject", { name: "shop", reason: "moving" })).toMatchObject({
      disableProject: { __typename: "DisableProjectSuccess" },
    });
    const refused = await ask(
      `mutation { enqueueJob(input: { pipeline: "shop/shop", inputs: { day: "2026-11-08" } }) { __typename ... on Error { code message } } }`,
    );
    expect(refused.enqueueJob).toMatchObject({ __typename: "ProjectDisabledError", code: "PROJECT_DISABLED" });
    await later.event("job.queued");
    const waiting = await ask<{ job: { state: string; waitingFor: string } }>(
      "query ($id: ID!) { job(id: $id) { state waitingFor } }",
      { id: idText("job", later.id) },
    );
    expect(waiting.job).toEqual({ state: "QUEUED", waitingFor: "project shop is disabled" });
    await act("enableProject", { name: "shop" });
    expect(await later.ended()).toMatchObject({ state: "succeeded" });
  }, 60_000);
});
