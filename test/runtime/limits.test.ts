import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { RunLimits } from "../../src/domain/run-limits.ts";
import { type RuntimeChild, startChild } from "../../src/runtime/child.ts";
import { openRuntimes } from "../../src/runtime/pool.ts";
import { openProcessGroup } from "../../src/runtime/process-group.ts";
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

let python: string;
let dir: string;
let child: RuntimeChild | null = null;

beforeAll(async () => {
  python = await testPython();
  dir = await projectOf({
    hoards: {
      finalVars: ["hoarded"],
      code: `
import time

def hoarded(megabytes: int, afterwards: float) -> int:
    held = []
    for _ in range(megabytes // 10):
        held.append(b"x" * 10_000_000)
        time.sleep(0.005)
    time.sleep(afterwards)
    return len(held)
`,
    },
    hoards_in_a_pool: {
      finalVars: ["hoarded"],
      code: `
import multiprocessing, time

def hold(megabytes: int) -> int:
    held = b"x" * (megabytes * 1_000_000)
    time.sleep(60)
    return len(held)

def hoarded(processes: int, megabytes: int) -> int:
    with multiprocessing.get_context("fork").Pool(processes) as pool:
        return sum(pool.map(hold, [megabytes] * processes))
`,
    },
    shares: {
      finalVars: ["shared"],
      code: `
import multiprocessing, time

HELD = []

def look(_: int) -> int:
    time.sleep(0.6)
    return len(HELD[0])

def shared(processes: int, megabytes: int) -> int:
    HELD[:] = [b"x" * (megabytes * 1_000_000)]
    with multiprocessing.get_context("fork").Pool(processes) as pool:
        return sum(pool.map(look, range(processes)))
`,
    },
    computes: {
      finalVars: ["computed"],
      code: `
import time

def computed(seconds: float) -> float:
    began = time.process_time()
    while time.process_time() - began < seconds:
        sum(range(10_000))
    return seconds
`,
    },
    computes_elsewhere: {
      finalVars: ["computed"],
      code: `
import subprocess, sys

def computed(processes: int) -> int:
    each = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(processes)]
    return sum(process.wait() for process in each)
`,
    },
  });
}, 300_000);

afterEach(async () => {
  child?.kill();
  await child?.exited;
  child = null;
});

async function start(of = dir): Promise<RuntimeChild> {
  child = await startChild({ python, dir: of, env: testEnvironment });
  return child;
}

const source = "conf/project.yml: job_queue.job_defaults";
const memory = (most: number): RunLimits => ({ memory: { most, source }, cpu: null });
const cpu = (most: number): RunLimits => ({ memory: null, cpu: { most, source } });

describe("a run that holds more memory than it may", () => {
  it("is killed and fails, with limit, use and node", async () => {
    const request = runRequest("hoards", { megabytes: 3000, afterwards: 60 });
    const ended = await run(await start(), request, watched({ limits: memory(500e6) }).options);
    expect(ended).toMatchObject({
      outcome: "failed",
      nodeStarted: true,
      reusable: false,
      error: { kind: "PIPELINE", type: "MemoryLimitExceeded", node: "hoarded" },
    });
    const [, held, unit] =
      /^The run held ([\d.]+) (MB|GB) of memory in node hoarded, more than its limit of 500 MB\. It was killed\.$/.exec(
        ended.error?.message ?? "",
      ) ?? [];
    expect(Number(held) * (unit === "GB" ? 1000 : 1)).toBeGreaterThan(500);
    expect(ended.error?.hint).toContain(source);
    expect(ended.error?.classes).toContain("builtins.MemoryError");
    expect(isAlive(child!.pid)).toBe(false);
  });

  it("is killed with the processes of its pool, of which none holds too much alone", async () => {
    const runtime = await start();
    const request = runRequest("hoards_in_a_pool", { processes: 4, megabytes: 200 });
    const ended = await run(runtime, request, watched({ limits: memory(900e6) }).options);
    expect(ended.error).toMatchObject({ kind: "PIPELINE", type: "MemoryLimitExceeded", node: "hoarded" });
    const group = openProcessGroup(runtime.pid);
    let left = await group.processes();
    await until(
      () => left.filter(({ pid }) => isAlive(pid)).length === 0,
      "the pool is gone",
      5000,
      async () => {
        left = await group.processes();
      },
    );
  });
});

it.runIf(process.platform === "linux")("counts once what the processes of a pool share", async () => {
  const request = runRequest("shares", { processes: 4, megabytes: 200 });
  const ended = await run(await start(), request, watched({ limits: memory(900e6) }).options);
  expect(ended.error).toBeNull();
});

describe("a run that uses more processor time than it may", () => {
  it("is killed even in a call into C that holds Python's lock", async () => {
    const request = runRequest("gil", { numbers: 100_000_000_000 });
    const ended = await run(await start(join(examples, "faults")), request, watched({ limits: cpu(500) }).options);
    expect(ended).toMatchObject({
      error: { kind: "PIPELINE", type: "CpuLimitExceeded", node: "total" },
      reusable: false,
      process: null,
    });
    const [, used] = /used ([\d.]+) s of processor time/.exec(ended.error?.message ?? "") ?? [];
    expect(Number(used)).toBeGreaterThan(0.5);
    expect(Number(used)).toBeLessThan(2);
  });

  it("is killed for what the programs use that it has started", async () => {
    const request = runRequest("computes_elsewhere", { processes: 2 });
    const ended = await run(await start(), request, watched({ limits: cpu(1000) }).options);
    expect(ended.error).toMatchObject({ kind: "PIPELINE", type: "CpuLimitExceeded", node: "computed" });
  });
});

describe("a run that stays below its limits", () => {
  it("succeeds, as often as one likes in the same process: only what it uses itself counts", async () => {
    const runtime = await start();
    const { options } = watched({ limits: { memory: { most: 2e9, source }, cpu: { most: 900, source } } });
    for (let i = 1; i <= 3; i += 1) {
      const ended = await run(runtime, runRequest("computes", { seconds: 0.6 }), options);
      expect(ended).toMatchObject({ error: null, reusable: true, process: { runs: i } });
    }
  });

  it("ends as cancelled when that was asked for first, though it goes beyond a limit before it stops", async () => {
    const stop = new AbortController();
    const grace = { softMs: 60_000, interruptMs: 60_000 };
    const { when, options } = watched({ signal: stop.signal, limits: cpu(1500), grace });
    const running = run(await start(), runRequest("computes", { seconds: 60 }), options);
    await when("node.started", "computed");
    stop.abort(new StopRequest("no longer needed"));
    expect((await running).error).toMatchObject({ kind: "CANCELLED", node: "computed" });
  });
});

it("replaces the runtime, and leaves other runs alone", async () => {
  const runtimes = openRuntimes({
    projects: [{ name: "a", dir, python: { path: python }, environment: () => testEnvironment }],
    slots: 2,
  });
  try {
    const other = watched();
    const slow = runtimes.run("a", runRequest("hoards", { megabytes: 10, afterwards: 2 }), other.options);
    await other.when("node.started");
    const [busy] = runtimes.status().filter(({ state }) => state === "busy");
    const killed = await runtimes.run("a", runRequest("hoards", { megabytes: 3000, afterwards: 60 }), {
      ...watched().options,
      limits: memory(400e6),
    });
    expect(killed.error?.type).toBe("MemoryLimitExceeded");
    const next = await runtimes.run("a", runRequest("computes", { seconds: 0.01 }), watched().options);
    expect(next.outcome).toBe("succeeded");
    expect(await slow).toMatchObject({ outcome: "succeeded", reusable: true });
    expect(runtimes.status().map(({ pid }) => pid)).toContain(busy?.pid);
  } finally {
    await runtimes.close(100);
  }
});
