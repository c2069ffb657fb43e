/** A pipeline of six nodes that take no time: in a warm runtime of ours, in a loop of bare FlowerPower, by its command line. */
import { spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { startChild } from "../src/runtime/child.ts";
import { childEnvironment } from "../src/runtime/environment.ts";
import { protocolVersion } from "../src/runtime/protocol.ts";
import { run } from "../src/runtime/run.ts";
import { benchPython, projectDir } from "./served.ts";
import { type Line, quantile } from "./support.ts";

const count = 200;

export async function pipeline(): Promise<Line[]> {
  const python = await benchPython();
  const bareMs = bareLoop(python);
  const warmMs = await warmRuns(python);
  const commandMs = commandLine(python);
  return [
    { what: "bare FlowerPower in a loop, median", value: bareMs, unit: "ms" },
    { what: "run in a warm runtime of ours, every event read, median", value: warmMs, unit: "ms" },
    { what: "  more than bare", value: warmMs - bareMs, unit: "ms" },
    { what: "flowerpower pipeline run, median of 3", value: commandMs, unit: "ms" },
    { what: "  ratio to a warm run", value: commandMs / warmMs, unit: "×" },
  ];
}

function bareLoop(python: string): number {
  const { stdout, stderr, status } = spawnSync(
    python,
    [join(import.meta.dirname, "bare.py"), projectDir, "six", String(count)],
    { encoding: "utf8", cwd: projectDir },
  );
  if (status !== 0) throw new Error(stderr);
  return Number(stdout.trim().split("\n").at(-1));
}

async function warmRuns(python: string): Promise<number> {
  const runDir = mkdtempSync(join(tmpdir(), "fpq-bench-"));
  const env = childEnvironment({ own: process.env, databaseUrl: null, envFile: null });
  const child = await startChild({ python, dir: projectDir, env });
  const times: number[] = [];
  for (let n = 0; n < count; n += 1) {
    const startedAt = performance.now();
    const ended = await run(
      child,
      {
        v: protocolVersion,
        type: "run",
        id: randomUUID(),
        job: { id: "job_bench", attempt: 1, project: "bench", scheduledAt: new Date().toISOString(), runDir },
        pipeline: "six",
        inputs: {},
        finalVars: null,
        config: {},
        executor: null,
        logLevel: null,
        results: "full",
        maxInlineBytes: 65_536,
      },
      {
        onEvents: () => {},
        timeoutMs: null,
        signal: new AbortController().signal,
        queue: { spoolDir: runDir, batchMs: 0 },
      },
    );
    if (ended.outcome !== "succeeded") throw new Error(ended.error?.message);
    times.push(performance.now() - startedAt);
  }
  child.kill();
  await child.exited;
  return quantile(times.slice(count / 10), 0.5);
}

function commandLine(python: string): number {
  const times = [1, 2, 3].map(() => {
    const startedAt = performance.now();
    const { status, stderr } = spawnSync(join(dirname(python), "flowerpower"), ["pipeline", "run", "six"], {
      encoding: "utf8",
      cwd: projectDir,
    });
    if (status !== 0) throw new Error(stderr);
    return performance.now() - startedAt;
  });
  return quantile(times, 0.5);
}
