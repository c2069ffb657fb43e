import { existsSync, lstatSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { isAbsolute, join, resolve } from "node:path";
import { PythonBrokenError, PythonMissingError, PythonTooOldError } from "./errors.ts";
import { isTooOld, probe } from "./interpreter.ts";

/** Where a project's Python came from, in the order in which it is looked for. */
export type PythonSource = "job_queue.python" | ".venv" | "venv" | "VIRTUAL_ENV" | "CONDA_PREFIX" | "managed";

export interface FoundPython {
  path: string;
  source: PythonSource;
  version: string;
}

export interface FindPythonOptions {
  projectDir: string;
  /** `job_queue.python`: an interpreter or the folder of an environment, absolute or relative to the project. */
  configured?: string | null;
  env: NodeJS.ProcessEnv;
  /** The Python that we have prepared ourselves, for projects without one. */
  managed?: string | null;
}

/**
 * The Python that runs a project's pipelines: the project's own before ours. Null when it has none and ours is not given.
 * The first that is there is taken or refused, never skipped: pipelines in the wrong environment fail in odder ways.
 */
export async function findPython(options: FindPythonOptions): Promise<FoundPython | null> {
  const candidate = candidates(options).find(({ path, source }) => source === "job_queue.python" || isThere(path));
  if (candidate === undefined) return null;
  const { path, source } = candidate;
  if (!isThere(path)) throw new PythonMissingError(`There is no ${path}, which job_queue.python names.`);
  const answer = await probe(path, options.env);
  if (!answer.ok) throw new PythonBrokenError(path, source, answer.reason);
  const { version } = answer.interpreter;
  if (isTooOld(version)) throw new PythonTooOldError(path, version);
  return { path, source, version };
}

function candidates({
  projectDir,
  configured,
  env,
  managed,
}: FindPythonOptions): Pick<FoundPython, "path" | "source">[] {
  const list: { source: PythonSource; place: string | null | undefined }[] = [
    { source: "job_queue.python", place: configured && fromProject(projectDir, configured) },
    { source: ".venv", place: join(projectDir, ".venv") },
    { source: "venv", place: join(projectDir, "venv") },
    { source: "VIRTUAL_ENV", place: env.VIRTUAL_ENV },
    { source: "CONDA_PREFIX", place: env.CONDA_PREFIX },
    { source: "managed", place: managed },
  ];
  return list.flatMap(({ source, place }) => (place ? [{ source, path: interpreterIn(place) }] : []));
}

function fromProject(projectDir: string, path: string): string {
  if (path.startsWith("~/")) return join(homedir(), path.slice(2));
  return isAbsolute(path) ? path : resolve(projectDir, path);
}

/** Of a folder with an environment its Python; a file is one itself. */
function interpreterIn(place: string): string {
  const isFile = existsSync(place) && statSync(place).isFile();
  return isFile ? place : join(place, "bin", "python");
}

/** Also a dangling link: an environment whose Python is gone is broken, not absent. */
function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}
