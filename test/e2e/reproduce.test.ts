/** The printed command of an attempt, run in a shell with the real FlowerPower: it computes what the attempt has computed. */
import { execFile } from "node:child_process";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { idText } from "../../src/domain/ids.ts";
import type { JsonObject } from "../../src/domain/json.ts";
import { type Ground, openGround } from "../support/ground.ts";
import { type TestServer, testServer } from "../support/server.ts";

interface Shape {
  name: string;
  yaml: string;
  code: string;
  inputs?: JsonObject;
  request?: { config?: JsonObject; finalVars?: string[]; options?: JsonObject };
  /** A part of the command. */
  contains: string;
}

/** What came out, where both can be read. */
const tell = `
import json
from pathlib import Path
from typing import Any
def _tell(value):
    Path("told.txt").write_text(json.dumps(value, default=str))
    return value
`;

const shapes: Shape[] = [
  {
    name: "overlays",
    yaml: "run: {final_vars: [out], inputs: {region: '${REGION:-south}', day: 1}}\n",
    code: `
from hamilton.function_modifiers import config
@config.when(mode="fast")
def speed__fast() -> str: return "fast"
@config.when_not(mode="fast")
def speed__slow() -> str: return "slow"
def out(region: str, day: int, speed: str) -> Any: return _tell([region, day, speed])
`,
    inputs: { day: 7 },
    contains: "FP_PIPELINE__RUN__CONFIG__MODE",
  },
  {
    name: "quoting",
    yaml: "run: {final_vars: [out], inputs: {b: \"it's\", c: {'k \"': [1, null, true]}}}\n",
    code: "def out(a: str, b: str, c: dict) -> Any: return _tell([a, b, c])\n",
    inputs: { a: "$HOME `id` \"q\" 'p' \\n \n EOF\n{x} %s ü 大 🎈 -n --flag" },
    contains: "pipeline run quoting",
  },
  {
    name: "flat",
    yaml: [
      "# The comment is the user's.",
      "run:",
      "  final_vars: [out]",
      "  inputs: {region: '${REGION}'}",
      "  max_retries: 2   # of old",
      "job_queue: {job_defaults: {timeout: 60}}   # ours",
      "",
    ].join("\n"),
    code: "def out(region: str) -> Any: return _tell(region)\n",
    contains: "migrate_legacy_retry_fields",
  },
  {
    name: "asked",
    yaml: "run: {final_vars: [first], inputs: {n: 3}, config: {mode: slow, keep: 1}}\n",
    code: `
from hamilton.function_modifiers import config
def first(n: int) -> int: return n
@config.when(kind="a b")
def second__a(first: int, keep: int) -> Any: return _tell(["a", first, keep])
@config.when_not(kind="a b")
def second__b(first: int) -> Any: return _tell(["b", first])
`,
    request: { config: { kind: "a b" }, finalVars: ["second"] },
    contains: 'final_vars=["second"]',
  },
  {
    name: "branches",
    yaml: "run: {final_vars: [out], inputs: {n: 4}, executor: {type: synchronous}}\n",
    code: `
from hamilton.htypes import Collect, Parallelizable
def part(n: int) -> Parallelizable[int]: yield from range(n)
def square(part: int) -> int: return part * part
def out(square: Collect[int]) -> Any: return _tell(sorted(square))
`,
    request: { options: { executor: { type: "threadpool", maxWorkers: 2, numCpus: null } } },
    contains: '"threadpool"',
  },
  {
    name: "asynchronous",
    yaml: "run: {final_vars: [out], inputs: {region: '${REGION}', n: 1}, async_driver: true, max_retries: 1}\n",
    code: `
import asyncio, datetime
async def slept(n: int) -> int:
    await asyncio.sleep(0.001)
    return n * 2
async def out(slept: int, region: str, day: datetime.date) -> Any: return _tell([slept, region, day.isoformat()])
`,
    inputs: { n: 21, day: "2026-11-23" },
    contains: "async_driver",
  },
  {
    name: "beside",
    yaml: "params: {factor: 3}\nrun: {final_vars: [out], inputs: {n: 2.0}, additional_modules: [helpers]}\n",
    code: `
from flowerpower.cfg import Config
FACTOR = Config.load(str(Path(__file__).parents[1]), pipeline_name="beside").pipeline.params["factor"]
def out(doubled: float) -> Any: return _tell([doubled, FACTOR])
`,
    contains: "pipeline run beside",
  },
];

const variables = { REGION: "north & 'west'", FP_PIPELINE__RUN__CONFIG__MODE: "fast" };

let ground: Ground;
let server: TestServer;
let folder: string;

beforeAll(async () => {
  ground = await openGround();
  folder = join(ground.folder, "shapes");
  const files: [string, string][] = [
    ["conf/project.yml", "name: shapes\n"],
    ["pipelines/helpers.py", "def doubled(n: float) -> float: return n * 2\n"],
    ...shapes.flatMap(({ name, yaml, code }): [string, string][] => [
      [`conf/pipelines/${name}.yml`, yaml],
      [`pipelines/${name}.py`, tell + code],
    ]),
  ];
  for (const [path, text] of files) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  server = await testServer(ground.db);
  Object.assign(process.env, variables);
  await ground.worker({ projects: [{ name: "shapes", dir: folder }] }).said("ready", 90_000);
}, 120_000);

afterAll(async () => {
  for (const name of Object.keys(variables)) delete process.env[name];
  await server?.[Symbol.asyncDispose]();
  await ground?.[Symbol.asyncDispose]();
});

const told = async (): Promise<unknown> => JSON.parse(await readFile(join(folder, "told.txt"), "utf8"));

it.each(shapes)(
  "$name",
  async ({ name, yaml, inputs = {}, request = {}, contains }) => {
    const job = await ground.enqueue(name, inputs, { project: "shapes", ...request });
    expect(await job.ended()).toMatchObject({ state: "succeeded" });
    const ran = await told();
    await rm(join(folder, "told.txt"));

    const asked = "query ($id: ID!) { job(id: $id) { lastAttempt { reproduce } } }";
    const { data } = await server.post<{ job: { lastAttempt: { reproduce: string } } }>(asked, {
      id: idText("job", job.id),
    });
    const command = data.job.lastAttempt.reproduce;
    expect(command).toContain(contains);
    expect(command).not.toContain("north &");
    await promisify(execFile)("sh", ["-c", command], {
      cwd: "/",
      timeout: 60_000,
    });
    expect(await told()).toEqual(ran);
    expect(await readFile(join(folder, `conf/pipelines/${name}.yml`), "utf8")).toBe(yaml);
  },
  90_000,
);
