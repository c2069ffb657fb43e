/** Fails when `src/db/tables.ts` says something that the committed migrations do not. */

import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
// Inside the repository: drizzle-kit takes its output folder relative to it.
const scratch = mkdtempSync(join(root, ".drizzle-check-"));
try {
  cpSync(join(root, "drizzle"), scratch, { recursive: true });
  const before = readdirSync(scratch).length;
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [
      "node_modules/drizzle-kit/bin.cjs",
      "generate",
      "--dialect=postgresql",
      "--schema=./src/db/tables.ts",
      `--out=./${scratch.slice(root.length + 1)}`,
      "--name=drift",
    ],
    { cwd: root, encoding: "utf8" },
  );
  if (status !== 0) {
    console.error(stdout + stderr);
    process.exitCode = 1;
  } else if (readdirSync(scratch).length !== before) {
    console.error("src/db/tables.ts has changed: run `npm run migration -- --name WHAT_CHANGES` and read the SQL.");
    process.exitCode = 1;
  } else {
    console.log("The migrations say what the tables say.");
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
