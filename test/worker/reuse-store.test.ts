import { existsSync } from "node:fs";
import { link, mkdir, mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { pruneReuse, reuseFolder, reuseLimits } from "../../src/worker/reuse-store.ts";

const hourMs = 3_600_000;
const now = Date.parse("2026-11-23T12:00:00Z");
let workDir: string;

beforeEach(async () => {
  workDir = await mkdtemp(join(tmpdir(), "reuse-store-"));
});
afterEach(() => rm(workDir, { recursive: true, force: true }));

/** A value that was used so many hours ago. */
async function stored(path: string, hoursAgo: number, bytes = 8192): Promise<string> {
  const file = join(reuseFolder(workDir, "bikes"), path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, Buffer.alloc(bytes, 1));
  await utimes(file, (now - hoursAgo * hourMs) / 1000, (now - hoursAgo * hourMs) / 1000);
  return file;
}

describe("pruneReuse", () => {
  it("takes away what was not used for long, and folders of which nothing is left", async () => {
    const old = await stored("job_1/raw/k1", 8 * 24);
    const young = await stored("shared/raw/k2", 6 * 24);
    expect(await pruneReuse(workDir, reuseLimits, now)).toMatchObject({ entries: 1 });
    expect([existsSync(old), existsSync(young)]).toEqual([false, true]);
    expect(existsSync(join(reuseFolder(workDir, "bikes"), "job_1"))).toBe(false);
    expect(existsSync(join(reuseFolder(workDir, "bikes"), "shared/raw"))).toBe(true);
  });

  it("takes away what was used least recently while it is too much", async () => {
    const files = [await stored("shared/a/k", 3), await stored("shared/b/k", 2), await stored("job_1/c/k", 1)];
    const pruned = await pruneReuse(workDir, { ...reuseLimits, maxBytes: 16_384 }, now);
    expect(pruned).toEqual({ entries: 1, bytes: 8192 });
    expect(files.map((file) => existsSync(file))).toEqual([false, true, true]);
    await pruneReuse(workDir, { ...reuseLimits, maxEntries: 1 }, now);
    expect(files.map((file) => existsSync(file))).toEqual([false, false, true]);
  });

  it("counts a value that several jobs use once", async () => {
    const shared = await stored("shared/a/k", 3);
    const own = join(reuseFolder(workDir, "bikes"), "job_1/a/k");
    await mkdir(dirname(own), { recursive: true });
    await link(shared, own);
    expect(await pruneReuse(workDir, { ...reuseLimits, maxBytes: 8192 }, now)).toEqual({ entries: 0, bytes: 0 });
    expect(await pruneReuse(workDir, { ...reuseLimits, maxBytes: 0 }, now)).toEqual({ entries: 1, bytes: 8192 });
    expect([existsSync(shared), existsSync(own)]).toEqual([false, false]);
  });

  it("leaves what is being written, and takes what a killed writer has left", async () => {
    const [writing, left] = [await stored("x.tmp", 0.1), await stored("y.tmp", 2)];
    await pruneReuse(workDir, { ...reuseLimits, maxBytes: 0 }, now);
    expect([existsSync(writing), existsSync(left)]).toEqual([true, false]);
  });

  it("does nothing where nothing is stored", async () => {
    expect(await pruneReuse(workDir)).toEqual({ entries: 0, bytes: 0 });
  });
});

it("gives each project a folder of its own, inside", () => {
  const names = ["bikes", "..", ".", "a/b", "a%2Fb"];
  const folders = names.map((name) => reuseFolder("/work", name));
  expect(new Set(folders).size).toBe(names.length);
  for (const folder of folders) expect(dirname(folder)).toBe("/work/reuse");
});
