import { execFileSync } from "node:child_process";
import { globSync, mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { describeProject } from "../../src/runtime/describe.ts";
import { openRuntimes } from "../../src/runtime/pool.ts";
import { testPython } from "../support/python.ts";
import {
  examples,
  fakeEntry,
  projectOf,
  removeScratch,
  runRequest,
  scratch,
  testEnvironment,
  watched,
} from "../support/runtimes.ts";

afterAll(removeScratch);

let python: string;
beforeAll(async () => {
  python = await testPython();
}, 300_000);

const env = testEnvironment;
const good = { code: "def doubled(number: int) -> int:\n    return 2 * number\n", finalVars: ["doubled"] };

describe("describeProject", () => {
  it("tells what a project is, as its own Python sees it", async () => {
    const { project, pipelines, environment } = await describeProject({ dir: join(examples, "hello"), python, env });
    expect(project.error).toBeNull();
    expect(pipelines.map(({ name, status }) => [name, status]).sort()).toEqual([
      ["bread", "ok"],
      ["greeting", "ok"],
    ]);
    expect(environment.packages.flowerpower).toMatch(/^0\./);
  });

  it("answers for one pipeline under another config", async () => {
    const dir = join(examples, "hello");
    const { pipelines } = await describeProject({ dir, python, env, pipelines: ["bread"], config: { oven: "fan" } });
    expect(pipelines.map(({ name }) => name)).toEqual(["bread"]);
    expect(pipelines[0]!.graph?.nodes.map((node) => node.function)).toContain("oven_temperature__fan");
  });

  it("marks the modules that hang or kill Python, and describes the others", async () => {
    const dir = await projectOf({
      a_good: good,
      b_hangs: { code: "sum(range(10_000_000_000))\n", finalVars: ["x"] }, // holds Python's lock: only the parent can end it
      c_good: good,
      d_leaves: { code: "import os\nos._exit(9)\n", finalVars: ["x"] },
      e_good: good,
    });
    const { pipelines } = await describeProject({ dir, python, env, timeoutMs: 1500 });
    const told = Object.fromEntries(pipelines.map(({ name, status, error }) => [name, error?.message ?? status]));
    expect(told).toEqual({
      a_good: "ok",
      b_hangs: "The module of the pipeline b_hangs was not imported within 1.5 s.",
      c_good: "ok",
      d_leaves: expect.stringContaining("exit code 9"),
      e_good: "ok",
    });
  });

  it("throws when the project's Python cannot serve", async () => {
    const unready = { dir: scratch, python: "python3", env, entry: fakeEntry("unready") };
    await expect(describeProject(unready)).rejects.toMatchObject({ code: "FLOWERPOWER_MISSING", hint: "Run pip." });
    const gone = describeProject({ dir: join(scratch, "gone"), python, env });
    await expect(gone).rejects.toMatchObject({ code: "PROJECT_BROKEN" });
  });
});

describe("a project with a FlowerPower outside the supported range", () => {
  it.each(["0.34.1", "0.38.0"])("is refused, described or run, with the command that mends it: %s", async (version) => {
    const unsupported = environmentWith(version);
    const dir = join(examples, "hello");
    const problem = {
      hint: `${unsupported} -m pip install 'flowerpower>=0.35,<0.38'`,
      message: expect.stringContaining(`FlowerPower ${version} at ${unsupported} is not supported`),
    };
    const described = describeProject({ dir, python: unsupported, env });
    await expect(described).rejects.toMatchObject({ code: "FLOWERPOWER_UNSUPPORTED", ...problem });

    const project = { name: "a", dir, python: { path: unsupported }, environment: () => env };
    const runtimes = openRuntimes({ projects: [project], slots: 1 });
    const { error } = await runtimes.run("a", runRequest("greeting"), watched().options);
    await runtimes.close();
    expect(error).toMatchObject({ kind: "INVALID", type: "RuntimeStartError", ...problem });
  });

  /** An environment in which only the version can be read: what is refused is not imported. */
  function environmentWith(version: string): string {
    const folder = mkdtempSync(join(scratch, "venv-"));
    execFileSync(python, ["-m", "venv", "--without-pip", folder]);
    const [site] = globSync(join(folder, "lib/python*/site-packages"));
    const info = join(site!, `flowerpower-${version}.dist-info`);
    mkdirSync(info);
    writeFileSync(join(info, "METADATA"), `Metadata-Version: 2.1\nName: FlowerPower\nVersion: ${version}\n`);
    return join(folder, "bin/python");
  }
});
