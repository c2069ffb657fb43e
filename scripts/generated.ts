/** `--check`: fails when the typed client is not what codegen makes of the schema and the documents. */
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const folder = join(root, "src/client/generated");
const scratch = mkdtempSync(join(tmpdir(), "fpq-generated-"));
try {
  cpSync(folder, scratch, { recursive: true });
  run("node_modules/.bin/graphql-codegen", ["--config", "codegen.ts", "--silent"]);
  const diff = spawnSync("diff", ["-r", scratch, folder], { encoding: "utf8" });
  if (diff.status !== 0) {
    console.error(`${diff.stdout}src/client/generated was not up to date: run npm run codegen.`);
    process.exitCode = 1;
  } else {
    console.log("The typed client is what codegen makes of schema and documents.");
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

function run(command: string, args: string[]): void {
  const { status } = spawnSync(command, args, { cwd: root, stdio: ["ignore", "ignore", "inherit"] });
  if (status !== 0) process.exit(status ?? 1);
}
