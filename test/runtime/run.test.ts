import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type RuntimeChild, startChild } from "../../src/runtime/child.ts";
import { run } from "../../src/runtime/run.ts";
import { StopRequest } from "../../src/runtime/stop.ts";
import { testPython } from "../support/python.ts";
import {
  examples,
  isAlive,
  projectOf,
  removeScratch,
  runRequest,
  testEnvironment,
  until,
  watched,
} from "../support/runtimes.ts";

afterAll(removeScratch);

const faults = join(examples, "faults");
let python: string;
let child: RuntimeChild;

beforeAll(async () => {
  python = await testPython();
}, 300_000);
afterEach(async () => {
  child.kill();
  await child.exited;
});

async function startIn(dir: string): Promise<RuntimeChild> {
  child = await startChild({ python, dir, env: testEnvironment });
  return child;
}

const impatient = { softMs: 100, interruptMs: 200 };

describe("a run", () => {
  it("tells what each node does, in order, and then its results", async () => {
    const { seen, options } = watched();
    const ended = await run(await startIn(faults), runRequest("sleeps", { seconds: 0.01 }), options);
    expect(ended).toMatchObject({ outcome: "succeeded", error: null, nodeStarted: true, reusable: true });
    expect(ended.results.evening?.value).toBeCloseTo(0.03);
    expect(seen.map(({ seq }) => seq)).toEqual(Array.from({ length: ended.events }, (_, i) => i + 1));
    const nodes = seen.flatMap(({ body }) =>
      "node" in body && body.event !== "log" ? `${body.node} ${body.event}` : [],
    );
    expect(nodes).toEqual(
      ["morning", "noon", "evening"].flatMap((node) => [`${node} node.started`, `${node} node.succeeded`]),
    );
  });

  it("tells the error of the node that failed, and the process goes on", async () => {
    const ended = await run(await startIn(faults), runRequest("fails", { at: "second" }), watched().options);
    expect(ended.error).toMatchObject({
      kind: "PIPELINE",
      type: "ValueError",
      node: "second",
      file: "pipelines/fails.py",
    });
    const next = await run(child, runRequest("fails", { at: "nowhere" }), watched().options);
    expect(next.outcome).toBe("succeeded");
  });

  it("survives more output than anybody reads", async () => {
    const { seen, options } = watched();
    const ended = await run(await startIn(faults), runRequest("noisy", { lines: 20_000 }), options);
    expect(ended.outcome).toBe("succeeded");
    const longest = Math.max(...seen.map(({ body }) => (body.event === "log" ? body.data.text.length : 0)));
    expect(longest).toBeGreaterThan(1000);
    expect(longest).toBeLessThan(20_000);
  });
});

describe("a cancelled run", () => {
  it("ends after the node that is under way, and the process runs the next one", async () => {
    const stop = new AbortController();
    const { seen, when, options } = watched({ signal: stop.signal });
    const running = run(await startIn(faults), runRequest("sleeps", { seconds: 0.3 }), options);
    await when("node.started", "morning");
    stop.abort(new StopRequest("no longer needed"));
    const ended = await running;
    expect(ended).toMatchObject({ error: { kind: "CANCELLED", message: "no longer needed" }, reusable: true });
    expect(seen.some(({ body }) => body.event === "node.started" && body.node === "noon")).toBe(false);
    expect((await run(child, runRequest("sleeps", { seconds: 0 }), watched().options)).outcome).toBe("succeeded");
  });

  it("is interrupted in the middle of a node when it does not end", async () => {
    const stop = new AbortController();
    const { when, options } = watched({ signal: stop.signal, grace: { softMs: 100, interruptMs: 10_000 } });
    const running = run(await startIn(faults), runRequest("sleeps", { seconds: 60 }), options);
    await when("node.started", "morning");
    stop.abort(new StopRequest("no longer needed"));
    expect(await running).toMatchObject({
      error: { kind: "CANCELLED", message: "no longer needed", node: "morning" },
      reusable: false,
      process: { runs: 1 }, // it has told its end itself
    });
  });

  it("succeeds when it was faster", async () => {
    const stop = new AbortController();
    const { when, options } = watched({ signal: stop.signal });
    const running = run(await startIn(faults), runRequest("gil", { numbers: 20_000_000 }), options);
    await when("node.started", "total");
    stop.abort(new StopRequest("too late"));
    expect(await running).toMatchObject({ outcome: "succeeded", error: null });
  });
});

describe("a run with a timeout", () => {
  it("is killed within its grace even in a call into C that holds Python's lock", async () => {
    const { options } = watched({ timeoutMs: 300, grace: impatient });
    const began = performance.now();
    const ended = await run(await startIn(faults), runRequest("gil", { numbers: 3_000_000_000 }), options);
    expect(ended.error).toMatchObject({ kind: "TIMEOUT", node: "total", message: expect.stringContaining("0.3 s") });
    expect(ended).toMatchObject({ reusable: false, process: null });
    expect(performance.now() - began).toBeLessThan(10_000); // the call takes half a minute
    expect(isAlive(child.pid)).toBe(false);
  });

  it("has timed out also when it succeeds a little later", async () => {
    const { options } = watched({ timeoutMs: 1 });
    const ended = await run(await startIn(faults), runRequest("gil", { numbers: 20_000_000 }), options);
    expect(ended).toMatchObject({ outcome: "failed", error: { kind: "TIMEOUT" }, reusable: true });
  });
});

describe("a run whose process dies is lost, and says of what", () => {
  it("by a kill from outside", async () => {
    const { when, options } = watched();
    const running = run(await startIn(faults), runRequest("sleeps", { seconds: 60 }), options);
    await when("node.started", "morning");
    process.kill(child.pid, "SIGKILL");
    const { error, nodeStarted } = await running;
    expect(error).toMatchObject({
      kind: "WORKER_LOST",
      node: "morning",
      message: expect.stringContaining("out of memory?"),
    });
    expect(nodeStarted).toBe(true);
  });

  it.each([
    ["SIGSEGV", "segmentation fault"],
    ["SIGABRT", "abort"],
    ["SIGTERM", "SIGTERM"],
  ])("by %s", async (signal_name, text) => {
    const { error } = await run(await startIn(faults), runRequest("kills", { signal_name }), watched().options);
    expect(error).toMatchObject({ kind: "WORKER_LOST", node: "deadly", message: expect.stringContaining(text) });
  });

  it("by a crash in native code, with the line of Python that called it", async () => {
    const code = "import ctypes\n\ndef crashes() -> bytes:\n    return ctypes.string_at(0)\n";
    const dir = await projectOf({ reads_nothing: { code, finalVars: ["crashes"] } });
    const { error } = await run(await startIn(dir), runRequest("reads_nothing"), watched().options);
    expect(error).toMatchObject({ kind: "WORKER_LOST", message: expect.stringContaining("SIGSEGV") });
    expect(error?.traceback).toMatch(/reads_nothing\.py", line 4 in crashes/);
  });

  it("by os._exit", async () => {
    const code = "import os\n\ndef leaves() -> int:\n    os._exit(7)\n";
    const dir = await projectOf({ exits: { code, finalVars: ["leaves"] } });
    const { error } = await run(await startIn(dir), runRequest("exits"), watched().options);
    expect(error).toMatchObject({
      kind: "WORKER_LOST",
      node: "leaves",
      message: expect.stringContaining("exit code 7"),
    });
  });
});

it("takes with it what the pipeline has started", async () => {
  const code = `
import subprocess, time

def started() -> int:
    return subprocess.Popen(["sleep", "600"]).pid

def waits(started: int) -> int:
    print("started", started)
    time.sleep(600)
    return started
`;
  const dir = await projectOf({ starts: { code, finalVars: ["waits"] } });
  const stop = new AbortController();
  const { seen, when, options } = watched({ signal: stop.signal });
  const running = run(await startIn(dir), runRequest("starts"), options);
  await when("log");
  const line = seen
    .flatMap(({ body }) => (body.event === "log" ? [body.data.text] : []))
    .find((text) => /started/.test(text));
  const pid = Number(line?.split(" ")[1]);
  expect(isAlive(pid)).toBe(true);
  stop.abort(new StopRequest("another worker has it", { now: true }));
  await running;
  await until(() => !isAlive(pid), "the program that the pipeline has started is gone");
});
