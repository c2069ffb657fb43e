import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import { NoVenvModuleError, PythonMissingError, PythonTooOldError } from "./errors.ts";
import { type Interpreter, isTooOld, probe } from "./interpreter.ts";

/** The one people use first; 3.14 last, because some packages have no wheels for the newest. */
const names = ["python3", "python3.13", "python3.12", "python3.11", "python3.14", "python"];

/** A Python on the PATH from which an environment can be made. `withUv`: uv needs nothing of it. */
export async function findBasePython(env: NodeJS.ProcessEnv, withUv: boolean): Promise<Interpreter> {
  let tooOld: Interpreter | null = null;
  let unable: Interpreter | null = null;
  for (const path of names.flatMap((name) => onPath(name, env))) {
    const answer = await probe(path, env);
    if (!answer.ok) continue; // a shim of pyenv for a version that is not switched on
    const { interpreter } = answer;
    if (isTooOld(interpreter.version)) tooOld ??= interpreter;
    else if (withUv || interpreter.hasEnsurepip) return interpreter;
    else unable ??= interpreter;
  }
  if (unable?.hasPip) return unable;
  if (unable !== null) throw new NoVenvModuleError(unable.path, unable.version);
  if (tooOld !== null) throw new PythonTooOldError(tooOld.path, tooOld.version);
  throw new PythonMissingError("There is no Python on the PATH.");
}

/** Every program of that name, in the order of the PATH. */
export function onPath(name: string, env: NodeJS.ProcessEnv): string[] {
  return (env.PATH ?? "")
    .split(delimiter)
    .filter((folder) => folder !== "")
    .map((folder) => join(folder, name))
    .filter(isProgram);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
