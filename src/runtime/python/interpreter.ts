import { execFile } from "node:child_process";
import { pythonEnvironment } from "./environment.ts";

/** FlowerPower's own limit. */
export const oldestPython = "3.11";

export interface Interpreter {
  path: string;
  /** The program itself, where the path is a shim of pyenv or a link. */
  executable: string;
  /** `3.11.7` */
  version: string;
  /** Can make virtual environments with pip inside by itself. */
  hasEnsurepip: boolean;
  /** Has a pip that can install into another environment. */
  hasPip: boolean;
}

export type Probe = { ok: true; interpreter: Interpreter } | { ok: false; reason: string };

// Written for any Python, so that an old one can say how old it is.
const question = `
import sys
def has(name):
    try:
        __import__(name)
        return "1"
    except Exception:
        return "0"
print(" ".join(["%d.%d.%d" % sys.version_info[:3], has("ensurepip"), has("pip"), sys.executable]))
`;

const probeTimeoutMs = 15_000;

/** Asks a Python what it is, by running it: a shim on the PATH may stand for nothing. */
export async function probe(path: string, env: NodeJS.ProcessEnv): Promise<Probe> {
  const options = { env: pythonEnvironment(env), timeout: probeTimeoutMs };
  return await new Promise((resolve) => {
    execFile(path, ["-I", "-c", question], options, (error, stdout, stderr) => {
      const [version, ensurepip, pip, ...executable] = stdout.trim().split(" ");
      if (error === null && version !== undefined && /^\d+\.\d+\.\d+$/.test(version)) {
        resolve({
          ok: true,
          interpreter: {
            path,
            executable: executable.join(" ") || path,
            version,
            hasEnsurepip: ensurepip === "1",
            hasPip: pip === "1",
          },
        });
      } else {
        resolve({ ok: false, reason: stderr.trim().split("\n").at(-1) || (error?.message ?? "it is no Python") });
      }
    });
  });
}

export function isTooOld(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [oldestMajor = 0, oldestMinor = 0] = oldestPython.split(".").map(Number);
  return major < oldestMajor || (major === oldestMajor && minor < oldestMinor);
}
