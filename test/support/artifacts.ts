import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ArtifactStore } from "../../src/artifacts/store.ts";
import { graphileWorker as backend } from "../../src/backends/graphile-worker/backend.ts";
import type { Database } from "../../src/db/client.ts";
import { idText } from "../../src/domain/ids.ts";
import { artifactRows, type Executed, type Keeping } from "../../src/worker/kept.ts";
import { openWrites, type Started } from "../../src/worker/writes.ts";
import { silentWakeups } from "./jobs.ts";
import { runningJob } from "./running.ts";

/** What a run leaves when it leaves nothing. */
export const ended: Executed = {
  outcome: "succeeded",
  error: null,
  results: {},
  retry: null,
  events: 0,
  nodeStarted: true,
  process: null,
  reusable: true,
};

/** A file as a runtime tells it. */
export function told(path: string, bytes: Buffer | string, mediaType = "text/plain") {
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  return { path, mediaType, bytes: Buffer.byteLength(bytes), sha256, schema: null, preview: null };
}

/** Puts a file into a store that is a folder, as a runtime does. */
export async function put(store: ArtifactStore, path: string, bytes: Buffer | string): Promise<void> {
  const file = join(fileURLToPath(store.url), path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, bytes);
}

/** Ends an attempt with what it leaves. */
export async function endWith(
  db: Database,
  run: Started,
  left: Pick<Executed, "results" | "left">,
  keeping: Keeping,
): Promise<void> {
  await openWrites(db, backend, silentWakeups()).end({
    name: "succeed",
    move: { id: run.jobId, attempt: run.attempt, data: {} },
    runToken: run.runToken,
    artifacts: artifactRows({ ...ended, ...left, keeping }),
    storedMs: left.left?.storedMs ?? null,
  });
}

/** A job that has left this file; the ids of both as people see them. */
export async function jobWithFile(
  db: Database,
  store: ArtifactStore,
  { name = "a.txt", bytes = "hello" as Buffer | string, mediaType = "text/plain", path = "" } = {},
): Promise<{ jobId: string; id: string; sha256: string; path: string }> {
  const run = await runningJob(db);
  const place = path === "" ? `e/2026-11-23/${run.runToken}/file-1.txt` : path;
  if (path === "") await put(store, place, bytes);
  const artifact = told(place, bytes, mediaType);
  const left = { files: [{ name, artifact, omitted: null }], log: null, storedMs: 1.5 };
  await endWith(db, run, { results: {}, left }, { store: await store.claim(), resultTtlMs: 60_000, logTtlMs: 60_000 });
  const [row] = await db.sql<{ id: string }[]>`select id from artifacts where job_id = ${run.jobId}`;
  return { jobId: run.jobId, id: idText("artifact", row!.id), sha256: artifact.sha256, path: place };
}
