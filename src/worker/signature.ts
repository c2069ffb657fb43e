import { type Dirent, statSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { PipelineDescription } from "../runtime/protocol.ts";

const mostFiles = 2000;

/** What a project's description may depend on. */
export interface Described {
  dir: string;
  /** Path of the interpreter. */
  python: string;
  env: Readonly<Record<string, string | undefined>>;
  /** As they were last described: their modules may lie anywhere in the project. */
  pipelines: readonly Pick<PipelineDescription, "modules">[];
}

/** Changes when a file that may matter is added, removed or written, and when something is installed. */
export async function signatureOf({ dir, python, env, pipelines }: Described): Promise<string> {
  const folders = [env.FP_CONFIG_DIR ?? "conf", env.FP_PIPELINES_DIR ?? "pipelines"];
  const found = await Promise.all([...folders.map((folder) => filesIn(join(dir, folder), true)), filesIn(dir, false)]);
  const modules = pipelines.flatMap((pipeline) => pipeline.modules.map(({ file }) => resolve(dir, file)));
  const paths = new Set([...found.flat(), ...modules, ...(await packageFolders(python))]);
  return [...paths].sort().flatMap(stamp).join("\n");
}

/** Also links: what they lead to is read as the project's own. */
async function filesIn(folder: string, recursive: boolean): Promise<string[]> {
  const entries = await readdir(folder, { recursive, withFileTypes: true }).catch((): Dirent[] => []);
  return entries
    .filter((entry) => !entry.isDirectory() && /\.(py|ya?ml)$|^\.env$/.test(entry.name))
    .slice(0, mostFiles)
    .map((entry) => join(entry.parentPath, entry.name));
}

/** An install changes the folder in which packages lie: what was missing may be there now. */
async function packageFolders(python: string): Promise<string[]> {
  const lib = join(dirname(dirname(python)), "lib");
  const versions = await readdir(lib).catch((): string[] => []);
  return versions.filter((name) => /^python3\.\d+$/.test(name)).map((name) => join(lib, name, "site-packages"));
}

function stamp(path: string): string[] {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat === undefined ? [] : [`${path} ${stat.mtimeMs} ${stat.ctimeMs} ${stat.size}`];
}
