/**
 * Runs a tool of the Python development environment, which is made first when it is missing:
 *     node scripts/python.ts pytest python/tests
 * With --oldest first, one with the oldest FlowerPower that is supported, beside the other.
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { constants } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { prepareManagedPython } from "../src/runtime/python/managed.ts";

const root = join(import.meta.dirname, "..");
const oldest = process.argv[2] === "--oldest";
const [tool, ...args] = process.argv.slice(oldest ? 3 : 2);
if (tool === undefined) {
  console.error("Usage: node scripts/python.ts [--oldest] <tool> [arguments]");
  process.exit(2);
}
const { path } = await prepareManagedPython({
  folder: join(root, oldest ? ".flowerpower-queue/oldest" : ".flowerpower-queue"),
  lockFile: join(root, oldest ? "python/requirements-oldest.lock" : "python/requirements.lock"),
  extraLockFiles: [join(root, "python/requirements-dev.lock")],
  env: process.env,
  onProgress: (message) => console.error(message),
});
const bin = dirname(path);
const program = join(bin, tool);
if (!existsSync(program)) {
  console.error(`There is no ${tool} in ${bin}.`);
  process.exit(2);
}
const env = { ...process.env, VIRTUAL_ENV: dirname(bin), PATH: `${bin}${delimiter}${process.env.PATH}` };
const child = spawn(program, args, { stdio: "inherit", env });
// A Ctrl-C reaches the tool too, which decides what it means.
process.on("SIGINT", () => {});
process.on("SIGTERM", () => child.kill("SIGTERM"));
child.on("exit", (code, signal) => process.exit(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
