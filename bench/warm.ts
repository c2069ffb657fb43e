import { randomUUID } from "node:crypto";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type RuntimeChild, startChild } from "../src/runtime/child.ts";
import { childEnvironment } from "../src/runtime/environment.ts";
import { protocolVersion } from "../src/runtime/protocol.ts";
import { run } from "../src/runtime/run.ts";
import { reuseLimits } from "../src/worker/reuse-store.ts";
import { projectDir } from "./served.ts";

const reuse = {
  mode: "resume" as const,
  scopes: [],
  recompute: [],
  maxEntryBytes: reuseLimits.maxEntryBytes,
  minFreeBytes: 0,
};

/** A runtime of the bench project, which runs its pipeline of six nodes and reads every event. */
export interface Warm extends AsyncDisposable {
  child: RuntimeChild;
  /** With a job's id: with reuse, of what that job has stored. */
  run(reusingJob?: string): Promise<void>;
}

export async function openWarm(python: string): Promise<Warm> {
  const runDir = mkdtempSync(join(tmpdir(), "fpq-bench-"));
  const env = childEnvironment({ own: process.env, databaseUrl: null, envFile: null });
  const child = await startChild({ python, dir: projectDir, env });
  return {
    child,
    async run(reusingJob) {
      const ended = await run(
        child,
        {
          v: protocolVersion,
          type: "run",
          id: randomUUID(),
          job: {
            id: reusingJob ?? "job_bench",
            attempt: 1,
            project: "bench",
            scheduledAt: new Date().toISOString(),
            runDir,
          },
          pipeline: "six",
          inputs: {},
          finalVars: null,
          config: {},
          executor: null,
          logLevel: null,
          results: "full",
          maxInlineBytes: 65_536,
          reuse: reusingJob === undefined ? null : { ...reuse, folder: join(runDir, "reuse") },
        },
        {
          onEvents: () => {},
          timeoutMs: null,
          signal: new AbortController().signal,
          queue: { spoolDir: runDir, batchMs: 0 },
        },
      );
      if (ended.outcome !== "succeeded") throw new Error(ended.error?.message);
    },
    async [Symbol.asyncDispose]() {
      child.kill();
      await child.exited;
    },
  };
}
