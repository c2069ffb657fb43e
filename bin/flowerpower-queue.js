#!/usr/bin/env node
// Runs on any Node from 20: starts the command line on the Node 24 that the package `node` brings along.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
// In the repository the TypeScript runs as it is; under node_modules Node refuses that, and what was built runs.
const source = join(root, "src/cli/main.ts");
const main = existsSync(source) ? source : join(root, "dist/cli/main.js");

const child = spawn(findNode(), [main, ...process.argv.slice(2)], { stdio: "inherit" });

// A terminal sends Ctrl-C to both of us: passing it on would make two of one. Any other sender means only this process.
process.on("SIGINT", () => {
  if (!process.stdin.isTTY) child.kill("SIGINT");
});
for (const signal of ["SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2"]) process.on(signal, () => child.kill(signal));

child.on("error", (error) => {
  console.error(`flowerpower-queue: can't start Node 24: ${error.message}`);
  process.exit(1);
});
child.on("exit", (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));

/** This Node when it is new enough, else the one that the package `node` has put beside us. */
function findNode() {
  if (Number(process.versions.node.split(".")[0]) >= 24) return process.execPath;
  try {
    const folder = dirname(createRequire(import.meta.url).resolve("node/package.json"));
    const bundled = join(folder, "bin", "node");
    if (existsSync(bundled)) return bundled;
  } catch {
    // Not installed at all: said below.
  }
  console.error(
    `flowerpower-queue needs Node 24; this is ${process.version}, and the Node 24 of the package "node" is missing.\n` +
      "Its install script was blocked: install again without --ignore-scripts, or run this with Node 24.",
  );
  process.exit(1);
}
