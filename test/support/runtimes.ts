import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { childEnvironment } from "../../src/runtime/environment.ts";
import type { NumberedEvent } from "../../src/runtime/event-queue.ts";
import { protocolVersion, type RunRequest } from "../../src/runtime/protocol.ts";
import type { RunOptions } from "../../src/runtime/run.ts";

/** Arguments that start `fake-runtime.py` in place of the real runtime. */
export function fakeEntry(handshake = "good"): string[] {
  return [join(import.meta.dirname, "fake-runtime.py"), handshake];
}

export const examples: string = join(import.meta.dirname, "../../examples");

export const testEnvironment = childEnvironment({ own: process.env, databaseUrl: null, envFile: null });

interface WrittenPipeline {
  code: string;
  finalVars: string[];
  /** More of its YAML. */
  yaml?: string;
}

/** A FlowerPower project of these pipelines: their source, and the names of their final variables. */
export async function projectOf(pipelines: Record<string, WrittenPipeline>, yaml = ""): Promise<string> {
  const dir = await mkdtemp(join(scratch, "project-"));
  const write = async (path: string, text: string) => {
    await mkdir(dirname(join(dir, path)), { recursive: true });
    await writeFile(join(dir, path), text);
  };
  await write("conf/project.yml", `name: test\n${yaml}`);
  for (const [name, { code, finalVars, yaml = "" }] of Object.entries(pipelines)) {
    await write(`pipelines/${name}.py`, code);
    await write(
      `conf/pipelines/${name}.yml`,
      `run:\n  final_vars: [${finalVars}]\n  executor:\n    type: synchronous\n${yaml}`,
    );
  }
  return dir;
}

/** A folder for this test file, which calls `afterAll(removeScratch)`. */
export const scratch: string = await mkdtemp(join(tmpdir(), "runtime-test-"));
export const removeScratch = () => rm(scratch, { recursive: true, force: true });

export function runRequest(pipeline: string, inputs: RunRequest["inputs"] = {}): RunRequest {
  return {
    v: protocolVersion,
    type: "run",
    id: randomUUID(),
    job: { id: "job_1", attempt: 1, project: "test", scheduledAt: "2026-11-23T10:00:00.000Z", runDir: scratch },
    pipeline,
    inputs,
    finalVars: null,
    config: {},
    executor: null,
    logLevel: null,
    results: "full",
    maxInlineBytes: 65_536,
  };
}

/** Options that collect a run's events into `seen`, with `when` to wait for one of them. */
export function watched(options: Partial<RunOptions> = {}) {
  const seen: NumberedEvent[] = [];
  const waiting = new Set<() => void>();
  const collect = (batch: NumberedEvent[]) => {
    seen.push(...batch);
    for (const look of waiting) look();
  };
  const when = (event: string, node?: string) =>
    new Promise<void>((resolve) => {
      const look = () => {
        if (
          !seen.some(
            ({ body }) => body.event === event && (node === undefined || ("node" in body && body.node === node)),
          )
        )
          return;
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
      look();
    });
  return {
    seen,
    when,
    options: {
      onEvents: collect,
      timeoutMs: null,
      signal: new AbortController().signal,
      queue: { spoolDir: scratch },
      ...options,
    } satisfies RunOptions,
  };
}

/** False for a process that has ended, even when nobody has asked for its exit code yet. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch (error) {
    // Without /proc the kill has told.
    return process.platform !== "linux" && !(error instanceof Error && "code" in error && error.code === "ESRCH");
  }
}

export async function until(
  condition: () => boolean,
  what: string,
  withinMs = 10_000,
  look: () => Promise<void> = async () => {},
): Promise<void> {
  for (const end = Date.now() + withinMs; !condition(); ) {
    if (Date.now() > end) throw new Error(`Not within ${withinMs} ms: ${what}`);
    await delay(20);
    await look();
  }
}
