import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import postgres from "postgres";
import { expect } from "vitest";

export const isRoot = process.getuid?.() === 0;

/** A folder for one test, and what Postgres as root put elsewhere, gone afterwards. */
export function temporaryFolder(): Disposable & { path: string } {
  const path = mkdtempSync(join(tmpdir(), "fpq-embedded-"));
  return {
    path,
    [Symbol.dispose]() {
      for (const pid of processesOn(path)) process.kill(pid, "SIGKILL"); // of a test that has failed
      for (const entry of readdirSync(path, { recursive: true, encoding: "utf8" })) {
        if (!entry.endsWith("pg.location")) continue;
        rmSync(readFileSync(join(path, entry), "utf8").trim(), { recursive: true, force: true });
      }
      rmSync(path, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

export interface Host extends AsyncDisposable {
  child: ChildProcess;
  pid: number;
  /** The next line it prints, as an object. */
  next(): Promise<Record<string, unknown>>;
  /** With SIGKILL. Comes back when it is gone. */
  kill(): Promise<void>;
}

/** Another process that starts Postgres on the folder. */
export function host(folder: string, options: SpawnOptions = {}): Host {
  const child = spawn(process.execPath, [join(import.meta.dirname, "embedded-host.ts"), folder], {
    stdio: ["pipe", "pipe", "inherit"],
    ...options,
  });
  const kill = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await ended;
  };
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  return {
    child,
    pid: child.pid!,
    async next() {
      const { value, done } = await lines.next();
      if (done) throw new Error(`The host has ended: ${child.exitCode ?? child.signalCode}`);
      return JSON.parse(value);
    },
    kill,
    [Symbol.asyncDispose]: kill,
  };
}

/** The pids of all processes whose command line names the folder; zombies have none. Linux only. */
export function processesOn(folder: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => commandOf(Number(pid)).includes(folder))
    .map(Number);
}

export function parentOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
}

/** Waits until nothing that was started for the folder runs any more. */
export async function nothingRunsOn(folder: string): Promise<void> {
  await expect.poll(() => processesOn(folder), { timeout: 10_000, interval: 20 }).toEqual([]);
}

export async function query<Row extends object>(url: string, text: string): Promise<Row[]> {
  const sql = postgres(url, { max: 1, connect_timeout: 5, onnotice: () => {} });
  try {
    return [...(await sql.unsafe<Row[]>(text))];
  } finally {
    await sql.end({ timeout: 1 });
  }
}

function commandOf(pid: number): string {
  const path = `/proc/${pid}/cmdline`;
  try {
    return existsSync(path) ? readFileSync(path, "utf8") : "";
  } catch {
    return ""; // it ended between the two
  }
}
