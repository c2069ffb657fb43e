import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { describeProject } from "../../src/runtime/describe.ts";
import { testPython } from "../support/python.ts";
import { examples, fakeEntry, projectOf, removeScratch, scratch, testEnvironment } from "../support/runtimes.ts";

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
