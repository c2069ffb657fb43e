/**
 * Makes dist/: what the package runs (Node does not strip types under node_modules), and the types of the client, which is
 * all that others may import.
 */
import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
rmSync(join(root, "dist"), { recursive: true, force: true });
for (const config of ["tsconfig.build.json", "tsconfig.client.json"]) {
  const args = [join(root, "node_modules/typescript/bin/tsc"), "-p", config];
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}
