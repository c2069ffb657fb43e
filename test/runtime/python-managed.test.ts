import { execFileSync, spawn } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { prepareManagedPython, requireDisk } from "../../src/runtime/python/managed.ts";
import { fakePython, packageIndex, script, temporaryFolder } from "./python-support.ts";

/** Prepares the environment and collects what is said about it. */
async function prepare(folder: string, options: Omit<Parameters<typeof prepareManagedPython>[0], "folder">) {
  const said: string[] = [];
  const python = await prepareManagedPython({ folder, ...options, onProgress: (message) => said.push(message) });
  return { ...python, said };
}

const modulesOf = (python: string, ...names: string[]) =>
  execFileSync(python, ["-c", `import ${names.join(", ")}; print("imported")`], { encoding: "utf8" }).trim();

describe("the managed environment", { timeout: 60_000 }, () => {
  const folder = temporaryFolder();
  afterAll(() => folder[Symbol.dispose]());
  const data = join(folder.path, "data");
  const { lockFile, devLockFile, env } = packageIndex(folder.path);

  // One environment through its life: making one takes seconds.
  it("is made once, by one of two, saying first what it costs, while the other waits", async () => {
    const both = await Promise.all([prepare(data, { lockFile, env }), prepare(data, { lockFile, env })]);
    expect(both.map(({ installed }) => installed).toSorted()).toEqual([false, true]);
    const [made, found] = both[0].installed ? both : both.toReversed();
    expect(made!.said[0]).toMatch(/700 MB.*min/);
    expect(made!.said).toContain("2 of 2 packages: hamilton");
    expect(found!.said).toEqual([expect.stringContaining("waiting")]);
    expect(modulesOf(made!.path, "flowerpower", "hamilton.driver")).toBe("imported");
  });

  it("is found at once the next time", async () => {
    const began = performance.now();
    const found = await prepare(data, { lockFile, env: {} });
    expect(performance.now() - began).toBeLessThan(100);
    expect(found).toMatchObject({ path: join(data, "venv/bin/python"), installed: false, said: [] });
  });

  it("gets more when more is asked for, and is still complete for who asks for less", async () => {
    const more = await prepare(data, { lockFile, extraLockFiles: [devLockFile], env });
    expect(more.installed).toBe(true);
    expect(modulesOf(more.path, "flowerpower", "devtool")).toContain("imported");
    expect((await prepare(data, { lockFile, env })).installed).toBe(false);
  });

  it("follows a lock file that has changed", async () => {
    writeFileSync(lockFile, `# pinned anew\n${readFileSync(lockFile, "utf8")}`);
    const next = await prepare(data, { lockFile, env });
    expect([next.installed, next.said[0]]).toEqual([true, expect.stringMatching(/^completing/)]);
  });

  it("is made again when it is broken", async () => {
    const python = join(data, "venv/bin/python");
    const module = execFileSync(python, ["-c", "import flowerpower; print(flowerpower.__file__)"], {
      encoding: "utf8",
    });
    rmSync(dirname(module), { recursive: true }); // pip goes on believing that it is installed
    const again = await prepare(data, { lockFile, env });
    expect(again.said).toContainEqual(expect.stringMatching(/broken.*No module named 'flowerpower'/));
    expect(modulesOf(again.path, "flowerpower")).toBe("imported");
  });
});

describe("prepareManagedPython", { timeout: 60_000 }, () => {
  it("completes what a killed one has begun, and the killed one's pip is gone", async () => {
    using folder = temporaryFolder();
    const { lockFile, env } = packageIndex(folder.path);
    const started = join(folder.path, "started");
    // A Python whose pip never ends: stands for a slow download.
    const slow = join(folder.path, "slow/python3");
    script(
      slow,
      `case "$*" in *"import sys"*) echo "3.11.7 1 1 ${slow}";; *) echo $$ >${started}; exec sleep 600;; esac`,
    );
    const program = `
      import { prepareManagedPython, requireDisk } from ${JSON.stringify(join(import.meta.dirname, "../../src/runtime/python/managed.ts"))};
      await prepareManagedPython({ folder: ${JSON.stringify(folder.path)}, lockFile: ${JSON.stringify(lockFile)}, env: process.env });`;
    const killed = spawn(process.execPath, ["--input-type=module", "-e", program], {
      env: { ...env, PATH: `${join(slow, "..")}:${env.PATH}` },
      stdio: "ignore",
    });
    const startedPid = () => (existsSync(started) ? readFileSync(started, "utf8").trim() : "");
    await expect.poll(startedPid, { timeout: 10_000 }).toMatch(/\d/);
    const pid = startedPid();
    killed.kill("SIGKILL");
    const isRunning = () => existsSync(`/proc/${pid}/cmdline`) && readFileSync(`/proc/${pid}/cmdline`, "utf8") !== "";
    await expect.poll(isRunning, { timeout: 5_000 }).toBe(false);

    const { path } = await prepare(folder.path, { lockFile, env });
    expect(modulesOf(path, "flowerpower")).toBe("imported");
  });

  it("tells an index that can't be reached from a package that is not there", async () => {
    using folder = temporaryFolder();
    const { lockFile, env } = packageIndex(folder.path);
    const { PIP_NO_INDEX: _, ...online } = env;
    const offline = { ...online, PIP_FIND_LINKS: "", PIP_INDEX_URL: "http://127.0.0.1:9/simple", PIP_RETRIES: "1" };
    await expect(prepare(folder.path, { lockFile, env: offline })).rejects.toMatchObject({ code: "PYTHON_OFFLINE" });
    writeFileSync(lockFile, "no-such-package==1.0\n");
    await expect(prepare(folder.path, { lockFile, env })).rejects.toMatchObject({
      code: "PYTHON_SETUP",
      message: expect.stringContaining("no-such-package"),
    });
  });

  it("makes do with the pip of a Python that has no ensurepip", async () => {
    using folder = temporaryFolder();
    const { lockFile, env } = packageIndex(folder.path);
    const question = "import platform, sys; print(platform.python_version(), sys.executable)";
    const [version = "", python = ""] = execFileSync("python3", ["-c", question], { encoding: "utf8" })
      .trim()
      .split(" ");
    const debian = join(folder.path, "debian/python3");
    script(
      debian,
      `case "$*" in *"import sys"*) echo "${version} 0 1 ${debian}";; *"-m venv"*--without-pip*|*"-m pip"*) exec ${python} "$@";; *) exit 1;; esac`,
    );
    const PATH = `${join(debian, "..")}:/nowhere`;
    const { path } = await prepare(folder.path, { lockFile, env: { ...env, PATH } });
    expect(modulesOf(path, "flowerpower")).toBe("imported");
  });

  it("uses uv when there is one, unless pip has settings of its own", async () => {
    using folder = temporaryFolder();
    const { lockFile, env } = packageIndex(folder.path);
    const used = join(folder.path, "uv-was-used");
    script(join(folder.path, "bin/uv"), `echo "$@" >>${used}; exit 1`);
    const PATH = `${join(folder.path, "bin")}:${env.PATH}`;
    await prepare(folder.path, { lockFile, env: { ...env, PATH } });
    expect(existsSync(used)).toBe(false);

    fakePython(join(folder.path, "bin/python3"), "3.11.2");
    const second = prepare(join(folder.path, "other"), { lockFile, env: { PATH, PIP_CONFIG_FILE: "/dev/null" } });
    await expect(second).rejects.toMatchObject({ code: "PYTHON_SETUP" });
    expect(readFileSync(used, "utf8")).toMatch(/^venv --clear --seed --python .*python3 .*other\/venv/);
  });

  it("asks for free disk before it downloads", () => {
    using folder = temporaryFolder();
    expect(() => requireDisk(folder.path, Number.MAX_SAFE_INTEGER)).toThrow(
      /the Python environment needs 9007199.3 GB/,
    );
    expect(() => requireDisk(folder.path, 1)).not.toThrow();
  });
});
