import { execFile } from "node:child_process";
import { statSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Environment } from "../runtime/environment.ts";

/** What git knows of a project's folder. */
export interface GitState {
  commit: string;
  /** A tracked file differs from the commit, or code or configuration is not tracked. */
  dirty: boolean;
  /** Null when no branch is checked out. */
  branch: string | null;
  /** Where it was cloned from, without credentials; null when from nowhere. */
  remote: string | null;
}

const run = promisify(execFile);
const timeoutMs = 2000;

/**
 * The state of the repository that a folder lies in, as far as the folder is concerned. Null when it lies in none, has no
 * commit yet, or git cannot be asked. Nothing is written: not even git's own index.
 */
export async function readGitState(folder: string, env: Environment): Promise<GitState | null> {
  const ask = async (...args: string[]) => {
    const options = { cwd: folder, timeout: timeoutMs, maxBuffer: 64 * 1024 * 1024, env: quiet(env) };
    // What a repository may have configured to be run whenever somebody looks at it is not ours to run.
    return (await run("git", ["-c", "core.fsmonitor=false", ...args], options)).stdout;
  };
  try {
    const status = await ask("status", "--porcelain=v2", "--branch", "--untracked-files=normal", "-z", "--", ".");
    const remote = await ask("config", "--get", "remote.origin.url").catch(() => "");
    return stateOf(status, remote.trim());
  } catch {
    return null;
  }
}

function quiet(env: Environment): NodeJS.ProcessEnv {
  const { GIT_DIR: _dir, GIT_WORK_TREE: _tree, GIT_INDEX_FILE: _index, ...rest } = env;
  return { ...rest, GIT_OPTIONAL_LOCKS: "0", GIT_TERMINAL_PROMPT: "0", LC_ALL: "C" };
}

/** Reads the answer of `git status --porcelain=v2 --branch -z`. */
export function stateOf(status: string, remote: string): GitState | null {
  const entries = status.split("\0");
  const header = (name: string) =>
    entries.find((entry) => entry.startsWith(`# ${name} `))?.slice(name.length + 3) ?? null;
  const commit = header("branch.oid");
  if (commit === null || commit === "(initial)") return null;
  const branch = header("branch.head");
  return {
    commit,
    dirty: entries.some(isChange),
    branch: branch === "(detached)" ? null : branch,
    remote: remote === "" ? null : withoutCredentials(remote),
  };
}

/** A tracked file that differs, or an untracked one that a run may read: data that lies about is no change of the project. */
function isChange(entry: string): boolean {
  if (/^[12u] /.test(entry)) return true;
  return entry.startsWith("? ") && /\.(py|ya?ml)$|(^|\/)(pipelines|conf)\//.test(entry.slice(2));
}

/** `https://ada:t0ken@host/x.git` without its user and password; the user of `git@host:x.git` is part of the address. */
export function withoutCredentials(remote: string): string {
  const url = URL.parse(remote);
  if (url !== null && url.host !== "") {
    url.username = "";
    url.password = "";
    url.search = "";
    url.hash = "";
    return url.href;
  }
  return remote.replace(/^[^/@]*:[^/@]*@/, "");
}

/**
 * The git state of a worker's projects, asked for so seldom that a warm run does not notice: again when the code that runs is
 * another, when the repository has changed, and every few seconds for what lies beside the code.
 */
export class GitStates {
  readonly #known = new Map<string, { key: string; at: number; state: Promise<GitState | null> }>();

  /** As it is now, or was at most ten seconds ago with the same code. `code` tells one state of the code from another. */
  async of(project: { dir: string; environment(): Environment }, code: string): Promise<GitState | null> {
    const { dir } = project;
    const key = `${code} ${repositoryKey(dir)}`;
    const known = this.#known.get(dir);
    if (known !== undefined && known.key === key && performance.now() - known.at < freshMs) return await known.state;
    const state = readGitState(dir, project.environment());
    this.#known.set(dir, { key, at: performance.now(), state });
    return await state;
  }
}

const freshMs = 10_000;

/** Changes with a commit, a checkout, or what is added to the index, where the repository is the folder itself. */
function repositoryKey(folder: string): string {
  return ["HEAD", "index", "logs/HEAD"]
    .map((file) => statSync(join(folder, ".git", file), { throwIfNoEntry: false })?.mtimeMs ?? 0)
    .join(" ");
}
