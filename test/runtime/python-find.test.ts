import { rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { findBasePython } from "../../src/runtime/python/base.ts";
import { findPython } from "../../src/runtime/python/find.ts";
import { fakePython, script, temporaryFolder } from "./python-support.ts";

let projectDir: string;
beforeEach(() => {
  const folder = temporaryFolder();
  onTestFinished(() => folder[Symbol.dispose]());
  projectDir = folder.path;
});
const inProject = (path: string) => join(projectDir, path);

describe("findPython", () => {
  it("takes the first in the order that the docs promise", async () => {
    const places = {
      "job_queue.python": fakePython(inProject("mine/bin/python"), "3.11.1"),
      ".venv": fakePython(inProject(".venv/bin/python"), "3.11.2"),
      venv: fakePython(inProject("venv/bin/python"), "3.11.3"),
      VIRTUAL_ENV: fakePython(inProject("active/bin/python"), "3.11.4"),
      CONDA_PREFIX: fakePython(inProject("conda/bin/python"), "3.11.5"),
      managed: fakePython(inProject("ours/bin/python"), "3.11.6"),
    };
    const found = [];
    for (const [source, path] of Object.entries(places)) {
      const env = { VIRTUAL_ENV: inProject("active"), CONDA_PREFIX: inProject("conda") };
      const configured = source === "job_queue.python" ? "mine/bin/python" : null;
      const answer = await findPython({ projectDir, configured, env, managed: places.managed });
      found.push(answer);
      expect(answer).toMatchObject({ source, path });
      rmSync(path); // the next one's turn
    }
    expect(found.map((answer) => answer?.version)).toEqual([
      "3.11.1",
      "3.11.2",
      "3.11.3",
      "3.11.4",
      "3.11.5",
      "3.11.6",
    ]);
    expect(await findPython({ projectDir, env: {} })).toBeNull();
  });

  it("takes the folder of an environment for its Python", async () => {
    const path = fakePython(inProject("envs/etl/bin/python"), "3.12.0");
    expect(await findPython({ projectDir, configured: "envs/etl", env: {} })).toMatchObject({ path });
  });

  it("refuses a configured one that is not there, instead of taking another", async () => {
    fakePython(inProject(".venv/bin/python"), "3.11.2");
    await expect(findPython({ projectDir, configured: "../gone/bin/python", env: {} })).rejects.toMatchObject({
      code: "PYTHON_MISSING",
      message: expect.stringContaining("job_queue.python"),
    });
  });

  it("refuses one that is too old, and tells which", async () => {
    const path = fakePython(inProject(".venv/bin/python"), "3.10.13");
    await expect(findPython({ projectDir, env: {} })).rejects.toMatchObject({
      code: "PYTHON_TOO_OLD",
      message: expect.stringContaining(`${path} is Python 3.10.13`),
    });
  });

  it("notices an environment whose Python was removed", async () => {
    const path = fakePython(inProject(".venv/bin/python3"), "3.11.2");
    symlinkSync("python3", inProject(".venv/bin/python"));
    rmSync(path);
    await expect(findPython({ projectDir, env: {} })).rejects.toMatchObject({ code: "PYTHON_BROKEN" });
  });

  it("hands on what a broken one says", async () => {
    script(inProject(".venv/bin/python"), "echo 'Fatal Python error: no codec' >&2; exit 1");
    await expect(findPython({ projectDir, env: {} })).rejects.toThrow(/Fatal Python error: no codec/);
  });
});

describe("findBasePython", () => {
  const alone = () => ({ PATH: inProject("one") });

  it("passes over shims that stand for nothing, old ones, and ones that can't make environments", async () => {
    script(inProject("one/python3"), "echo 'pyenv: python3: command not found' >&2; exit 127");
    fakePython(inProject("one/python3.13"), "3.13.0", { ensurepip: false });
    fakePython(inProject("two/python3"), "3.9.2", { ensurepip: true });
    const good = fakePython(inProject("two/python3.12"), "3.12.3", { ensurepip: true });
    expect(await findBasePython({ PATH: `${inProject("one")}:${inProject("two")}` }, false)).toMatchObject({
      path: good,
    });
  });

  it("needs nothing of a Python when there is uv", async () => {
    const path = fakePython(inProject("one/python3"), "3.11.2");
    expect(await findBasePython(alone(), true)).toMatchObject({ path });
  });

  it("makes do with a pip when the venv package of Debian is missing", async () => {
    const path = fakePython(inProject("one/python3"), "3.11.2", { pip: true });
    expect(await findBasePython(alone(), false)).toMatchObject({ path, hasEnsurepip: false });
  });

  it("names the package to install when nothing can make an environment", async () => {
    fakePython(inProject("one/python3"), "3.11.2");
    await expect(findBasePython(alone(), false)).rejects.toMatchObject({
      code: "NO_VENV_MODULE",
      message: expect.stringContaining("apt-get install python3.11-venv"),
    });
  });

  it("tells apart no Python and an old one", async () => {
    await expect(findBasePython(alone(), false)).rejects.toMatchObject({ code: "PYTHON_MISSING" });
    fakePython(inProject("one/python3"), "3.8.18", { ensurepip: true });
    await expect(findBasePython(alone(), false)).rejects.toMatchObject({ code: "PYTHON_TOO_OLD" });
  });
});
