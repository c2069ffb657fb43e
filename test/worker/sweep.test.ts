import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openStore } from "../../src/artifacts/open.ts";
import { attemptFolder } from "../../src/artifacts/paths.ts";
import type { ArtifactStore } from "../../src/artifacts/store.ts";
import type { Database } from "../../src/db/client.ts";
import { claimStore } from "../../src/worker/shared-store.ts";
import { OrphanSweep, removeExpired, type SweptStore, startSweep } from "../../src/worker/sweep.ts";
import type { Started } from "../../src/worker/writes.ts";
import { endWith, put, told } from "../support/artifacts.ts";
import { testDatabase } from "../support/database.ts";
import { eventually } from "../support/eventually.ts";
import { insertWorker } from "../support/factories.ts";
import { runningJob } from "../support/running.ts";

let db: Database;
let folder: string;
let files: ArtifactStore;
let store: SweptStore;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fpq-sweep-"));
  db = await testDatabase();
  files = openStore(pathToFileURL(join(folder, "store")).href, null);
  store = { ...(await claimStore(db.sql, files)), files };
});
afterAll(async () => {
  await db[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const summary = { type: "str", shape: null, length: null, bytes: null, columns: null, preview: null };

/** The path of a file that an attempt has written, when it has written one. */
async function write(run: Started, day = Date.UTC(2026, 10, 23), epoch = store.epoch): Promise<string> {
  const path = `${attemptFolder(run, { epoch, nowMs: day })}/result-1-text.txt`;
  await put(files, path, "hello");
  return path;
}

/** Ends the attempt with a file, a value, and something that was not kept. */
async function endWithAll(run: Started, path: string, ttlMs: number): Promise<void> {
  const results = {
    text: { summary, artifact: told(path, "hello"), omitted: null },
    value: { summary, value: 1, omitted: null },
    lost: { summary, artifact: null, omitted: "not kept: a reason" },
  };
  await endWith(db, run, { results }, { store: store.id, resultTtlMs: ttlMs, logTtlMs: ttlMs });
}

async function isThere(path: string): Promise<boolean> {
  try {
    await Array.fromAsync(await files.read(path, 0, 5));
    return true;
  } catch {
    return false;
  }
}

describe("removeExpired", () => {
  it("removes files and values whose time is over, says so in their rows, and leaves the others", async () => {
    const [old, young] = [await runningJob(db), await runningJob(db)];
    const [oldPath, youngPath] = [await write(old), await write(young)];
    await endWithAll(old, oldPath, 1);
    await endWithAll(young, youngPath, 600_000);
    await eventually(async () => expect(await removeExpired(db, store)).toBe(2));
    expect(await removeExpired(db, store)).toBe(0);
    expect([await isThere(oldPath), await isThere(youngPath)]).toEqual([false, true]);
    const rows = await db.sql`
      select name, uri, has_value, value, omitted, removed_at is not null as removed from artifacts
      where job_id = ${old.jobId} order by position`;
    const omitted = "removed when its time to live was over";
    expect(rows).toEqual([
      { name: "text", uri: null, has_value: false, value: null, omitted, removed: true },
      { name: "value", uri: null, has_value: false, value: null, omitted, removed: true },
      { name: "lost", uri: null, has_value: false, value: null, omitted: "not kept: a reason", removed: false },
    ]);
  });

  it("leaves what is in a store that it does not reach", async () => {
    const run = await runningJob(db);
    const results = { text: { summary, artifact: told("e/x.txt", "hello"), omitted: null } };
    await endWith(db, run, { results }, { store: randomUUID(), resultTtlMs: 1, logTtlMs: 1 });
    const [{ at } = { at: null }] = await db.sql<{ at: Date }[]>`
      select expires_at as at from artifacts where job_id = ${run.jobId}`;
    await eventually(async () => expect(db.now()).toBeGreaterThan((at?.getTime() ?? 0) + 5));
    expect(await removeExpired(db, store)).toBe(0);
    expect(await removeExpired(db, null)).toBe(0);
    await db.sql`delete from artifacts where job_id = ${run.jobId}`;
  });
});

describe("OrphanSweep", () => {
  /** All of one pass: every day, and the end of the list. */
  async function pass(): Promise<number> {
    const sweep = new OrphanSweep(db, store);
    const days = await files.names(store.epoch);
    let removed = 0;
    for (let round = 0; round <= days.length; round += 1) removed += await sweep.next();
    return removed;
  }

  it("removes what no row speaks of, and nothing of what runs or is kept", async () => {
    const [running, kept, unheard, pruned] = [
      await runningJob(db),
      await runningJob(db),
      await runningJob(db),
      await runningJob(db),
    ];
    const day = Date.UTC(2026, 10, 24);
    const paths = {
      running: await write(running),
      kept: await write(kept),
      unheard: await write(unheard, day),
      pruned: await write(pruned, day),
    };
    await endWithAll(kept, paths.kept, 600_000);
    // Its worker was lost after it had written: the attempt has ended without it.
    await endWith(db, unheard, { results: {} }, { store: store.id, resultTtlMs: 1, logTtlMs: 1 });
    await db.sql`delete from jobs where id = ${pruned.jobId}`;
    expect(await pass()).toBe(2);
    expect(await Promise.all(Object.values(paths).map(isThere))).toEqual([true, true, false, false]);
  });

  it("leaves what is not its own: another database's, and what it does not know", async () => {
    const run = await runningJob(db);
    const others = await write(run, Date.UTC(2026, 10, 23), randomUUID());
    await db.sql`delete from jobs where id = ${run.jobId}`;
    await put(files, `${store.epoch}/2026-11-23/notes/readme.txt`, "hello");
    expect(await pass()).toBe(0);
    expect(await isThere(others)).toBe(true);
    expect(await isThere(`${store.epoch}/2026-11-23/notes/readme.txt`)).toBe(true);
  });
});

describe("startSweep", () => {
  it("tells in the worker's row why nothing is kept, and that it is again", async () => {
    const workerId = await insertWorker(db.sql);
    const problem = async () => {
      const [row] = await db.sql<{ problem: string | null }[]>`
        select store_problem as problem from workers where id = ${workerId}`;
      return row?.problem;
    };
    const options = { db, store, workDir: folder, workerId: () => workerId, log: () => {} };
    {
      await using _sweep = startSweep({ ...options, freeBytes: Number.MAX_SAFE_INTEGER });
      await eventually(async () => expect(await problem()).toMatch(/^only \d+ MB of disk are free/));
    }
    const gone = { ...store, files: openStore(pathToFileURL(join(folder, "gone")).href, null) };
    {
      await using _sweep = startSweep({ ...options, store: gone, freeBytes: 0 });
      await eventually(async () => expect(await problem()).toMatch(/is not what it was/));
    }
    {
      await using _sweep = startSweep({ ...options, freeBytes: 0 });
      await eventually(async () => expect(await problem()).toBeNull());
    }
  });

  it("minds the disk on which files are made, where the store has room without end", async () => {
    const workerId = await insertWorker(db.sql);
    const endless = { ...store, files: { ...files, freeBytes: async () => null } };
    const workDir = join(folder, "not", "made", "yet");
    const options = { db, store: endless, workDir, workerId: () => workerId, log: () => {} };
    await using _sweep = startSweep({ ...options, freeBytes: Number.MAX_SAFE_INTEGER });
    await eventually(async () => {
      const [row] = await db.sql`select store_problem as problem from workers where id = ${workerId}`;
      expect(row?.problem).toMatch(/^only \d+ MB of disk are free/);
    });
  });
});
