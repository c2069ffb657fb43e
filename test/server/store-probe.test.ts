import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openStore } from "../../src/artifacts/open.ts";
import type { ArtifactStore } from "../../src/artifacts/store.ts";
import { openServerArtifacts } from "../../src/cli/artifact-store.ts";
import { readConfig } from "../../src/cli/config.ts";
import type { Database } from "../../src/db/client.ts";
import { idText } from "../../src/domain/ids.ts";
import { StoreProbe } from "../../src/server/store-probe.ts";
import { endWith, told } from "../support/artifacts.ts";
import { testDatabase } from "../support/database.ts";
import { insertWorker } from "../support/factories.ts";
import { runningJob } from "../support/running.ts";
import { testServer } from "../support/server.ts";

const s3 = "s3://results/queue";
let db: Database;
let folder: string;
let local: ArtifactStore;

beforeAll(async () => {
  db = await testDatabase();
  folder = await mkdtemp(join(tmpdir(), "fpq-probe-"));
  local = openStore(pathToFileURL(join(folder, "store")).href, null);
});
afterAll(async () => {
  await db[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(() => db.sql`update workers set ended_at = queue_now(), state = 'dead' where ended_at is null`);

/** A store as a server on a machine without Python opens it. */
async function withoutPython(env: Record<string, string> = {}): Promise<ArtifactStore> {
  const opened = await openServerArtifacts(s3, folder, { cwd: folder, config: readConfig(env) });
  return opened!;
}

/** A living worker that keeps artifacts there. */
async function workerThatKeeps(id: string, url: string): Promise<void> {
  await db.sql`insert into artifact_stores (id, url) values (${id}, ${url}) on conflict (id) do nothing`;
  const worker = await insertWorker(db.sql);
  await db.sql`update workers set store = ${id} where id = ${worker}`;
}

const problem = (store: ArtifactStore | null) => new StoreProbe(db, store).problem();

describe("a server without Python, of workers that use S3", () => {
  it("serves, refuses each download of a file with what to do, and hands out values of the database", async () => {
    const store = randomUUID();
    const run = await runningJob(db);
    await workerThatKeeps(store, s3);
    const summary = { type: "x", shape: null, length: null, bytes: null, columns: null, preview: null };
    const results = {
      report: { summary, artifact: told("e/d/a/result-1-report.parquet", "PAR1"), omitted: null },
      small: { summary, value: 1, omitted: null },
    };
    await endWith(db, run, { results }, { store, resultTtlMs: 60_000, logTtlMs: 60_000 });
    const rows = await db.sql<{ id: string; name: string }[]>`
      select id, name from artifacts where job_id = ${run.jobId}`;
    const idOf = (name: string) => idText("artifact", rows.find((row) => row.name === name)!.id);
    await using server = await testServer(db, { artifacts: await withoutPython() });
    const refused = await fetch(`${server.url}/artifacts/${idOf("report")}`);
    expect(refused.status).toBe(503);
    expect(await refused.json()).toMatchObject({
      errors: [
        {
          message: expect.stringMatching(/s3:\/\/results\/queue .*no Python.*FLOWERPOWER_QUEUE_ARTIFACTS_PYTHON/),
          extensions: { code: "STORE_UNUSABLE" },
        },
      ],
    });
    const head = await fetch(`${server.url}/artifacts/${idOf("report")}`, { method: "HEAD" });
    expect(head.status).toBe(503);
    const small = await fetch(`${server.url}/artifacts/${idOf("small")}`);
    expect([small.status, await small.text()]).toEqual([200, "1"]);
    const ready = await (await fetch(`${server.url}/ready`)).json();
    expect(ready).toMatchObject({ ready: true, downloads: expect.stringContaining("no Python") });
    const { data } = await server.post("{ server { artifactProblem } }");
    expect(data.server.artifactProblem).toBe((ready as { downloads: string }).downloads);
  });

  it("does without a Python around it that is broken, and refuses to start with a named one that is not there", async () => {
    const broken = await withoutPython({ VIRTUAL_ENV: join(folder, "gone") });
    await expect(broken.id()).rejects.toMatchObject({ code: "STORE_UNUSABLE" });
    const named = { FLOWERPOWER_QUEUE_ARTIFACTS_PYTHON: join(folder, "gone/bin/python") };
    await expect(withoutPython(named)).rejects.toThrow(/There is no/);
  });
});

describe("the problem with handing out artifacts", () => {
  it("is none where nobody keeps any, and where the server reads what the workers write", async () => {
    expect(await problem(await withoutPython())).toBeNull();
    expect(await problem(null)).toBeNull();
    await workerThatKeeps(await local.claim(), "file:///mnt/elsewhere");
    expect(await problem(local)).toBeNull();
  });

  it("is another store than the workers', or none", async () => {
    await workerThatKeeps(randomUUID(), s3);
    await local.claim();
    expect(await problem(local)).toMatch(/kept in s3:\/\/results\/queue, and this server reads file:.*--artifacts/);
    expect(await problem(null)).toMatch(/kept in s3:\/\/results\/queue, and this server reads none/);
  });

  it("keeps nobody waiting for a store that does not answer", async () => {
    await workerThatKeeps(randomUUID(), s3);
    const store = { ...local, id: () => new Promise<never>(() => {}) };
    const began = performance.now();
    expect(await problem(store)).toBeNull();
    expect(performance.now() - began).toBeLessThan(2000);
  });
});
