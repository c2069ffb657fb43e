import { createHash } from "node:crypto";
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Written into an environment when it is complete: without it, it isn't. */
export interface Stamp {
  /** Where the environment was made: its programs name their Python with the whole path. */
  folder: string;
  version: string;
  /** FlowerPower's folder, to notice an environment that was emptied. */
  flowerpower: string;
  /** SHA-256 of each lock file that is installed. */
  locks: string[];
}

const fileName = "flowerpower-queue.json";

export function lockHash(lockFile: string): string {
  return createHash("sha256").update(readFileSync(lockFile)).digest("hex");
}

/** The stamp of an environment that can be used as it is, or null. */
export function readStamp(folder: string): Stamp | null {
  const path = join(folder, fileName);
  // Following the link: the Python from which it was made may be gone.
  if (!existsSync(path) || !existsSync(join(folder, "bin", "python"))) return null;
  const stamp = JSON.parse(readFileSync(path, "utf8")) as Stamp;
  return stamp.folder === folder && existsSync(stamp.flowerpower) ? stamp : null;
}

export function writeStamp(stamp: Stamp): void {
  const path = join(stamp.folder, fileName);
  writeFileSync(`${path}.new`, `${JSON.stringify(stamp, null, 2)}\n`);
  renameSync(`${path}.new`, path);
}

export function removeStamp(folder: string): void {
  rmSync(join(folder, fileName), { force: true });
}
