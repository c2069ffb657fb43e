import { readFileSync } from "node:fs";
import { join } from "node:path";

/** The package's folder, from `src/cli` and `dist/cli` alike. */
export const packageRoot: string = join(import.meta.dirname, "../..");

export const version: string = JSON.parse(readFileSync(join(packageRoot, "package.json"), "utf8")).version;
