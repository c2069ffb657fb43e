import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { testPython } from "../support/python.ts";
import { isAlive, projectOf, removeScratch, until } from "../support/runtimes.ts";

afterAll(removeScratch);

it("leaves nothing behind when the worker is killed, not even a call into C or what the pipeline has started", async () => {
  const code = `
import subprocess

def started() -> int:
    pid = subprocess.Popen(["sleep", "600"]).pid
    with open("pid", "w") as file:
        file.write(str(pid))
    return pid

def added(started: int) -> int:
    return sum(range(10_000_000_000))
`;
  const dir = await projectOf({ starts_and_adds: { code, finalVars: ["added"] } });
  const script = join(import.meta.dirname, "../support/run-and-wait.ts");
  const worker = spawn(process.execPath, [script, await testPython(), dir], {
    env: { ...process.env, TMPDIR: dir }, // what it makes goes with the project
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [output] = (await once(worker.stdout, "data")) as [Buffer];
  const runtime = Number(output.toString());
  const program = Number(await readFile(join(dir, "pid"), "utf8"));
  expect([isAlive(runtime), isAlive(program)]).toEqual([true, true]);
  worker.kill("SIGKILL");
  await until(() => !isAlive(runtime) && !isAlive(program), "the runtime and the pipeline's program are gone");
}, 60_000);
