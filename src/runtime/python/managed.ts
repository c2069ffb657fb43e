import { existsSync, mkdirSync, rmSync, statfsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { findBasePython } from "./base.ts";
import { pythonEnvironment } from "./environment.ts";
import { PythonDiskFullError, PythonOfflineError, PythonSetupError } from "./errors.ts";
import { install, makeEnvironment, usableUv } from "./install.ts";
import { probe } from "./interpreter.ts";
import { run } from "./run.ts";
import { holdSetupLock } from "./setup-lock.ts";
import { lockHash, readStamp, removeStamp, type Stamp, writeStamp } from "./stamp.ts";

export interface ManagedPythonOptions {
  /** The data folder: the environment is `venv` in it. */
  folder: string;
  /** The pinned packages, FlowerPower among them. */
  lockFile: string;
  /** More to install into the same environment: the tools of development. */
  extraLockFiles?: string[];
  /** Where PATH, pip's settings and proxies are read from. */
  env: NodeJS.ProcessEnv;
  /** Told in short lines what is under way. */
  onProgress?: (message: string) => void;
}

export interface ManagedPython {
  path: string;
  version: string;
  /** False when it was there already. */
  installed: boolean;
}

type Checked = Pick<Stamp, "version" | "flowerpower">;

const neededBytes = 3_000_000_000;

/**
 * Our own environment with FlowerPower, for projects that have none. When it is there this takes a millisecond.
 * Else it is made, or what an interrupted set-up left is completed; only one process does it, others wait.
 */
export async function prepareManagedPython(options: ManagedPythonOptions): Promise<ManagedPython> {
  const folder = join(resolve(options.folder), "venv");
  const lockFiles = [options.lockFile, ...(options.extraLockFiles ?? [])].map((file) => resolve(file));
  const wanted = lockFiles.map(lockHash);
  const ready = readyPython(folder, wanted);
  if (ready !== null) return ready;

  const say = options.onProgress ?? (() => {});
  mkdirSync(resolve(options.folder), { recursive: true, mode: 0o711 });
  using _lock = await holdSetupLock(`${folder}.lock`, () =>
    say("another process prepares the Python environment: waiting"),
  );
  return readyPython(folder, wanted) ?? (await setUp(folder, lockFiles, wanted, options.env, say));
}

/** Ours, when it is complete and has all of these lock files. */
function readyPython(folder: string, wanted: string[]): ManagedPython | null {
  const stamp = readStamp(folder);
  if (stamp === null || !wanted.every((hash) => stamp.locks.includes(hash))) return null;
  return { path: pythonOf(folder), version: stamp.version, installed: false };
}

async function setUp(
  folder: string,
  lockFiles: string[],
  wanted: string[],
  env: NodeJS.ProcessEnv,
  say: (message: string) => void,
): Promise<ManagedPython> {
  const uv = usableUv(env);
  const base = await findBasePython(env, uv !== null);
  let resumed = await isUsable(folder, env);
  if (!resumed) requireDisk(dirname(folder), neededBytes);
  removeStamp(folder); // from here on it is incomplete
  for (;;) {
    if (resumed) say(`completing the Python environment ${folder}`);
    else {
      say(
        `downloading FlowerPower and its packages: about 700 MB installed, about 1 min (${base.executable}, Python ${base.version})`,
      );
      rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
      await makeEnvironment(folder, base, uv, env);
    }
    const failure = await install(folder, lockFiles, base, uv, env, say);
    if (failure?.kind === "offline") throw new PythonOfflineError(failure.reason);
    const checked = failure ?? (await check(folder, env));
    if (!("reason" in checked)) {
      writeStamp({ ...checked, folder, locks: wanted });
      return { path: pythonOf(folder), version: checked.version, installed: true };
    }
    if (!resumed || failure?.kind === "missing")
      throw new PythonSetupError("Making the Python environment", checked.reason);
    say(`the Python environment is broken (${checked.reason}): making it again`);
    resumed = false;
  }
}

/** Whether what is there can be completed. */
async function isUsable(folder: string, env: NodeJS.ProcessEnv): Promise<boolean> {
  return existsSync(pythonOf(folder)) && (await probe(pythonOf(folder), env)).ok;
}

/** Imports FlowerPower, or says why that fails. */
async function check(folder: string, env: NodeJS.ProcessEnv): Promise<Checked | { reason: string }> {
  const program = `
import os, platform, hamilton.driver, flowerpower
print("ok", platform.python_version(), os.path.dirname(flowerpower.__file__))`;
  const environment = { ...pythonEnvironment(env), HAMILTON_AUTOLOAD_EXTENSIONS: "0" };
  const { code, output } = await run([pythonOf(folder), "-I", "-c", program], environment);
  const [, version, flowerpower] =
    output.map((line) => /^ok (\S+) (.+)$/.exec(line)).find((match) => match !== null) ?? [];
  if (code !== 0 || version === undefined || flowerpower === undefined) {
    return { reason: output.at(-1) ?? `exit code ${code}` };
  }
  return { version, flowerpower };
}

export function requireDisk(folder: string, bytes: number): void {
  const { bavail, bsize } = statfsSync(folder);
  if (bavail * bsize < bytes) throw new PythonDiskFullError(folder, bavail * bsize, bytes);
}

function pythonOf(folder: string): string {
  return join(folder, "bin", "python");
}
