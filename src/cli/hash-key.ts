import { randomBytes } from "node:crypto";
import { linkSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { UsageError } from "./failure.ts";

const fileName = "hash.key";
const keyPattern = /^[0-9a-f]{64,}$/;

/**
 * The key with which an installation hashes values from the environment, so that two runs can be compared without storing them:
 * the one that is set, else the data folder's own, made when it is missing. It is never in Postgres, where the hashes are.
 */
export function hashKeyIn(folder: string, given: string | null): string {
  if (given !== null) return given;
  const path = join(folder, fileName);
  const known = readKey(path);
  if (known !== null) return known;
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, `${randomBytes(32).toString("hex")}\n`, { mode: 0o600 });
  try {
    // Whole or not at all, and never over another's: two processes that start at once have one key.
    linkSync(draft, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    rmSync(draft, { force: true });
  }
  const made = readKey(path);
  if (made === null) throw new UsageError(`${path} is no key: remove it, and the next start makes another one.`);
  return made;
}

function readKey(path: string): string | null {
  try {
    const text = readFileSync(path, "utf8").trim();
    if (keyPattern.test(text)) return text;
    throw new UsageError(`${path} is no key: remove it, and the next start makes another one.`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}
