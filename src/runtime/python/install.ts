import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { onPath } from "./base.ts";
import { pythonEnvironment } from "./environment.ts";
import { PythonSetupError } from "./errors.ts";
import type { Interpreter } from "./interpreter.ts";
import { type Ended, run } from "./run.ts";

type Say = (message: string) => void;

export interface InstallFailure {
  reason: string;
  /** The index can't be reached, or has no such package: making the environment anew would not help. */
  kind: "offline" | "missing" | "other";
}

/** uv, when it is on the PATH and pip has no settings of its own, which uv would not know. */
export function usableUv(env: NodeJS.ProcessEnv): string | null {
  const [uv = null] = onPath("uv", env);
  return uv !== null && !isPipConfigured(env) ? uv : null;
}

/** An empty environment. Without ensurepip it has no pip, and the base's pip serves it. */
export async function makeEnvironment(folder: string, base: Interpreter, uv: string | null, env: NodeJS.ProcessEnv) {
  const command =
    uv === null
      ? [base.executable, "-m", "venv", "--clear", ...(base.hasEnsurepip ? [] : ["--without-pip"]), folder]
      : [uv, "venv", "--clear", "--seed", "--python", base.executable, folder];
  const ended = await run(command, pythonEnvironment(env));
  if (ended.code !== 0) throw new PythonSetupError(`Making ${folder} with ${base.executable}`, reasonOf(ended));
}

/** Installs the lock files into the environment, with uv or with pip. Null when all is well. */
export async function install(
  folder: string,
  lockFiles: string[],
  base: Interpreter,
  uv: string | null,
  env: NodeJS.ProcessEnv,
  say: Say,
): Promise<InstallFailure | null> {
  const python = join(folder, "bin", "python");
  const requirements = lockFiles.flatMap((file) => ["--requirement", file]);
  const packages = lockFiles.reduce((sum, file) => sum + packagesIn(file), 0);
  if (uv !== null) {
    say(`uv installs ${packages} packages`);
    const ended = await run(
      [uv, "pip", "install", "--python", python, ...requirements],
      pythonEnvironment(env),
      uvLine(say),
    );
    if (ended.code === 0) return null;
    say(`uv failed (${reasonOf(ended)}): trying pip`);
  }
  const hasPip = (await run([python, "-I", "-m", "pip", "--version"], pythonEnvironment(env))).code === 0;
  const pip = hasPip ? [python, "-m", "pip"] : [base.executable, "-m", "pip", "--python", python];
  const options = ["install", "--no-input", "--disable-pip-version-check", "--progress-bar", "off"];
  const ended = await run([...pip, ...options, ...requirements], pythonEnvironment(env), pipLine(packages, say));
  return ended.code === 0 ? null : { reason: reasonOf(ended), kind: kindOf(ended) };
}

function isPipConfigured(env: NodeJS.ProcessEnv): boolean {
  const variables = ["PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_NO_INDEX"];
  if (variables.some((name) => env[name])) return true;
  if (env.PIP_CONFIG_FILE) return env.PIP_CONFIG_FILE !== "/dev/null"; // which is pip's word for none at all
  const home = env.HOME ?? homedir();
  const files = [
    join(env.XDG_CONFIG_HOME ?? join(home, ".config"), "pip/pip.conf"),
    join(home, ".pip/pip.conf"),
    "/etc/pip.conf",
  ];
  return files.some((file) => existsSync(file));
}

function packagesIn(lockFile: string): number {
  return readFileSync(lockFile, "utf8")
    .split("\n")
    .filter((line) => /^[A-Za-z0-9]/.test(line)).length;
}

function pipLine(packages: number, say: Say): (line: string) => void {
  let collected = 0;
  return (line) => {
    const name = /^(?:Collecting |Processing \S*\/)([A-Za-z0-9._]+)/.exec(line)?.[1];
    if (name !== undefined) say(`${Math.min(++collected, packages)} of ${packages} packages: ${name}`);
    else if (line.startsWith("Installing collected packages")) say(`unpacking ${packages} packages`);
  };
}

function uvLine(say: Say): (line: string) => void {
  return (line) => {
    if (/^(Resolved|Prepared|Downloading|Installed|Downloaded) /.test(line.trim())) say(line.trim());
  };
}

/** The line that says what went wrong, among the many that only follow from it. */
function reasonOf({ output, code }: Ended): string {
  const said = output.map((line) => line.trim()).filter((line) => line !== "");
  const error = said.findLast((line) => /^(ERROR|error|Error):/.test(line)) ?? said.at(-1);
  return (error ?? `exit code ${code}`)
    .replace(/^(ERROR|error|Error):\s*/, "")
    .replace(/\.$/, "")
    .slice(0, 300);
}

function kindOf({ output }: Ended): InstallFailure["kind"] {
  const offline =
    /NameResolutionError|name resolution|NewConnectionError|Network is unreachable|ProxyError|ConnectTimeout|ReadTimeout|Connection refused|Connection broken|SSLError|SSLCertVerificationError/i;
  if (output.some((line) => offline.test(line))) return "offline";
  return output.some((line) => line.includes("No matching distribution found")) ? "missing" : "other";
}
