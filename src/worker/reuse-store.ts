import type { Stats } from "node:fs";
import { lstat, opendir, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { reuseKeptMs } from "../domain/reuse.ts";

const hourMs = 3_600_000;

/** Of everything that nodes have stored for reuse on this worker's host. */
export const reuseLimits = {
  /** Since a value was stored or last used. */
  maxAgeMs: reuseKeptMs,
  maxBytes: 10 * 1024 ** 3,
  maxEntries: 200_000,
  /** A larger value is not stored. */
  maxEntryBytes: 1024 ** 3,
  /** With less free space nothing is stored. */
  minFreeBytes: 1024 ** 3,
  everyMs: hourMs,
} as const;

/** What a writer that was killed has left behind. */
const leftoverMs = hourMs;

/** Where the values of a project's nodes are kept. Python makes it, for this user alone. */
export function reuseFolder(workDir: string, project: string): string {
  return join(allReuse(workDir), encodeURIComponent(project).replace(/^\./, "%2E"));
}

export interface PruneLimits {
  maxAgeMs: number;
  maxBytes: number;
  maxEntries: number;
}

export interface Pruned {
  entries: number;
  bytes: number;
}

/**
 * Takes away what was not used for long and, while it is still too much, what was used least recently. Safe while runs read and
 * write: an entry that is gone makes its node run.
 */
export async function pruneReuse(
  workDir: string,
  { maxAgeMs, maxBytes, maxEntries }: PruneLimits = reuseLimits,
  now = Date.now(),
): Promise<Pruned> {
  // A value that several jobs use is one file with several names: it takes its space once.
  const values = new Map<string, { paths: string[]; usedAt: number; bytes: number }>();
  const pruned: Pruned = { entries: 0, bytes: 0 };
  const folders = await walk(allReuse(workDir), async (path, stat) => {
    if (path.endsWith(".tmp")) {
      if (now - stat.mtimeMs > leftoverMs) await rm(path, { force: true });
      return;
    }
    const key = `${stat.dev} ${stat.ino}`;
    const value = values.get(key) ?? { paths: [], usedAt: stat.mtimeMs, bytes: stat.blocks * 512 };
    value.paths.push(path);
    values.set(key, value);
  });
  const oldestFirst = [...values.values()].sort((a, b) => a.usedAt - b.usedAt);
  let bytes = oldestFirst.reduce((sum, value) => sum + value.bytes, 0);
  let entries = oldestFirst.reduce((sum, value) => sum + value.paths.length, 0);
  for (const value of oldestFirst) {
    if (now - value.usedAt <= maxAgeMs && bytes <= maxBytes && entries <= maxEntries) break;
    for (const path of value.paths) await rm(path, { force: true });
    bytes -= value.bytes;
    entries -= value.paths.length;
    pruned.bytes += value.bytes;
    pruned.entries += 1;
  }
  // Of jobs and nodes of which nothing is left; one that is not empty stays.
  for (const folder of folders.reverse()) await rmdir(folder).catch(() => {});
  return pruned;
}

function allReuse(workDir: string): string {
  return join(workDir, "reuse");
}

/** Every file below a folder, and the folders, each before what is in it. What goes away meanwhile is left out. */
async function walk(root: string, visit: (path: string, stat: Stats) => Promise<void>): Promise<string[]> {
  const folders = [root];
  for (const folder of folders) {
    const entries = await opendir(folder).catch(() => null);
    if (entries === null) continue;
    for await (const entry of entries) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) folders.push(path);
      else if (entry.isFile()) {
        const stat = await lstat(path).catch(() => null);
        if (stat !== null) await visit(path, stat);
      }
    }
  }
  return folders.slice(1);
}
