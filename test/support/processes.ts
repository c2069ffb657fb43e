import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { processIdentity } from "../../src/worker/process-identity.ts";

/** A line that a process has said. */
export interface Line {
  message: string;
  [key: string]: unknown;
}

/** A process that a test has started, in a session of its own, with all that it has started itself. */
export interface TestProcess extends AsyncDisposable {
  readonly pid: number;
  /** All that it has said so far. */
  readonly lines: readonly Line[];
  /** The first line with this message, said already or still to come; fails when the process ends without saying it. */
  said(message: string, withinMs?: number): Promise<Line>;
  /** To the process alone. */
  signal(signal: NodeJS.Signals): void;
  /** To its process group, as a terminal or systemd does. */
  signalGroup(signal: NodeJS.Signals): void;
  /** How it has ended; waits until it has. */
  ended(withinMs?: number): Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  /** Those that it and they have started, whatever group or session they are in. */
  family(): Relative[];
}

/** A process that another one has started; its number may be somebody else's when it has ended. */
export interface Relative {
  pid: number;
  command: string;
  isAlive(): boolean;
}

const markName = "E2E_MARK";

/** The processes of one test. When it is disposed of they are killed, and the test fails if anything of them is left. */
export class Processes implements AsyncDisposable {
  /** In the environment of all that is started here, and so of all that they start. */
  readonly #mark: string = randomUUID();
  readonly #started: TestProcess[] = [];
  /** Descendants that were seen: some have an empty environment, and none keeps its parent when that has died. */
  readonly #seen: Relative[] = [];

  /** Runs a TypeScript file with these arguments. */
  start(script: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): TestProcess {
    const child = spawn(process.execPath, [script, ...args], {
      detached: true,
      env: { ...process.env, ...env, [markName]: this.#mark },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const started = new Started(child, () => this.#look());
    this.#started.push(started);
    return started;
  }

  /** Waits until none is left of those that were started here and have ended, or fails and tells which are. */
  async nothingLeft(withinMs = 10_000): Promise<void> {
    await until(
      () => this.#left().length === 0,
      () =>
        `processes are left:\n${this.#left()
          .map(({ pid, command }) => `${pid}: ${command}`)
          .join("\n")}`,
      withinMs,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#look();
    for (const one of this.#started) await one[Symbol.asyncDispose]();
    try {
      await this.nothingLeft();
    } finally {
      for (const { pid } of this.#left()) kill(pid, "SIGKILL");
    }
  }

  #look(): void {
    for (const one of this.#started) this.#seen.push(...(relative(one.pid) ?? []), ...one.family());
  }

  #left(): Relative[] {
    const mark = `${markName}=${this.#mark}`;
    const marked = processes().filter((pid) => readProc(pid, "environ").split("\0").includes(mark));
    const left = [...this.#seen.filter((one) => one.isAlive()), ...marked.flatMap((pid) => relative(pid) ?? [])];
    return [...new Map(left.map((one) => [one.pid, one])).values()];
  }
}

class Started implements TestProcess {
  readonly pid: number;
  readonly lines: Line[] = [];
  readonly #child: ChildProcess;
  readonly #exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  readonly #beforeSignal: () => void;
  #errors = "";
  #waiting = new Set<() => void>();

  constructor(child: ChildProcess, beforeSignal: () => void) {
    if (child.pid === undefined || child.stdout === null) throw new Error("The process was not started.");
    this.pid = child.pid;
    this.#child = child;
    this.#beforeSignal = beforeSignal;
    child.stderr?.on("data", (chunk) => {
      this.#errors += chunk;
    });
    createInterface({ input: child.stdout }).on("line", (text) => {
      this.lines.push(parseLine(text));
      for (const look of this.#waiting) look();
    });
    this.#exited = new Promise((resolve) => {
      child.once("exit", () => {
        // Whoever has inherited its output and outlives it must not be waited for.
        const late = setTimeout(() => {
          child.stdout?.destroy();
          child.stderr?.destroy();
        }, 500);
        child.once("close", (code, signal) => {
          clearTimeout(late);
          resolve({ code, signal });
        });
      });
    });
  }

  async said(message: string, withinMs = 20_000): Promise<Line> {
    const found = () => this.lines.find((line) => line.message === message);
    const told = new Promise<void>((resolve) => {
      const look = () => {
        if (found() === undefined) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
      look();
    });
    const late = new AbortController();
    await Promise.race([told, this.#exited, delay(withinMs, null, late)]);
    late.abort();
    const line = found();
    if (line !== undefined) return line;
    throw new Error(`Process ${this.pid} did not say "${message}". ${this.#last()}`);
  }

  signal(signal: NodeJS.Signals): void {
    this.#beforeSignal();
    kill(this.pid, signal);
  }

  signalGroup(signal: NodeJS.Signals): void {
    this.#beforeSignal();
    kill(-this.pid, signal);
  }

  async ended(withinMs = 20_000): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
    const late = new AbortController();
    const ended = await Promise.race([this.#exited, delay(withinMs, null, late)]);
    late.abort();
    if (ended === null) throw new Error(`Process ${this.pid} has not ended within ${withinMs} ms. ${this.#last()}`);
    return ended;
  }

  family(): Relative[] {
    return descendantsOf(this.pid).flatMap((pid) => relative(pid) ?? []);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) kill(this.pid, "SIGKILL");
    await this.#exited;
  }

  #last(): string {
    const lines = this.lines.slice(-15).map((line) => JSON.stringify(line));
    return `Its last words:\n${[...lines, this.#errors.slice(-3000)].join("\n")}`;
  }
}

/** All that a process has started, and they in turn; without those whose parent has died. */
export function descendantsOf(pid: number): number[] {
  const parents = processes().map((one) => [one, parentOf(one)] as const);
  const found = [pid];
  for (const ancestor of found) for (const [one, parent] of parents) if (parent === ancestor) found.push(one);
  return found.slice(1);
}

/** Waits until all of them have ended. */
export async function allGone(family: readonly Relative[], withinMs = 10_000): Promise<void> {
  const left = () => family.filter((one) => one.isAlive());
  const told = () => left().map(({ pid, command }) => `${pid}: ${command}`);
  await until(
    () => left().length === 0,
    () => `these have not ended:\n${told().join("\n")}`,
    withinMs,
  );
}

/** Waits until a condition that nothing tells of is true. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string | (() => string),
  withinMs = 10_000,
): Promise<void> {
  for (const end = performance.now() + withinMs; !(await condition()); await delay(25)) {
    if (performance.now() > end)
      throw new Error(`Not within ${withinMs} ms: ${typeof what === "string" ? what : what()}`);
  }
}

function parseLine(text: string): Line {
  try {
    return JSON.parse(text) as Line;
  } catch {
    return { message: text };
  }
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

function processes(): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

function parentOf(pid: number): number {
  const stat = readProc(pid, "stat");
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
}

/** Nothing when it has ended. */
function relative(pid: number): [Relative] | null {
  const identity = processIdentity(pid);
  if (identity === null) return null;
  const command = readProc(pid, "cmdline").replaceAll("\0", " ").slice(0, 300);
  return [{ pid, command, isAlive: () => processIdentity(pid) === identity }];
}

/** Empty when it has ended, or is not ours to read. */
function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return "";
  }
}
