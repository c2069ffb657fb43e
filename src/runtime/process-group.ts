import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";

/** A process as the system counts it. */
export interface ProcessUsage {
  pid: number;
  residentBytes: number;
  /** Processor time, on Linux with that of its children that have ended. */
  cpuMs: number;
  /** How long ago it was started. */
  ageMs: number;
}

/** Tells what the processes of a session of ours use. */
export interface ProcessGroup {
  /** The first process of it, where it can be asked for without waiting. */
  leader(): ProcessUsage | null;
  processes(): Promise<ProcessUsage[]>;
  /** Memory of these processes with what they share counted once, null where the system does not tell. */
  withoutSharedTwice(processes: readonly ProcessUsage[]): Promise<number | null>;
}

export function openProcessGroup(group: number): ProcessGroup {
  return process.platform === "linux" ? new LinuxGroup(group) : new PsGroup(group);
}

/** The kernel tells programs of ticks of a hundredth of a second, whatever it counts with itself. */
const tickMs = 10;

class LinuxGroup implements ProcessGroup {
  readonly #group: number;
  /** Processes of others: nobody joins a session, so they need not be asked again. */
  #strangers = new Set<string>();

  constructor(group: number) {
    this.#group = group;
  }

  leader(): ProcessUsage | null {
    const stat = readStat(String(this.#group));
    return stat === null ? null : usageOf(stat, uptimeMs());
  }

  async processes(): Promise<ProcessUsage[]> {
    const found: ProcessUsage[] = [];
    const strangers = new Set<string>();
    const now = uptimeMs();
    for (const name of readdirSync("/proc")) {
      if (!/^\d+$/.test(name)) continue;
      if (this.#strangers.has(name)) {
        strangers.add(name);
        continue;
      }
      const stat = readStat(name);
      if (stat === null) continue;
      if (stat.group === this.#group || stat.session === this.#group) found.push(usageOf(stat, now));
      else strangers.add(name);
    }
    this.#strangers = strangers;
    return found;
  }

  async withoutSharedTwice(processes: readonly ProcessUsage[]): Promise<number | null> {
    const parts = await Promise.all(processes.map(({ pid, residentBytes }) => proportionalBytes(pid, residentBytes)));
    return parts.reduce((sum, bytes) => sum + bytes, 0);
  }
}

interface Stat {
  pid: number;
  group: number;
  session: number;
  cpuTicks: number;
  startedTicks: number;
  pages: number;
}

/** Read at once and not behind our back: it is memory, no disk, and takes some ten microseconds. Null when it has ended. */
function readStat(pid: string): Stat | null {
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch (error) {
    if (error instanceof Error && "code" in error && ["ENOENT", "ESRCH"].includes(String(error.code))) return null;
    throw error;
  }
}

/** `man 5 proc`: the name of the program, which may hold anything, ends with the last bracket. */
export function parseStat(text: string): Stat {
  const values = text
    .slice(text.lastIndexOf(")") + 2)
    .split(" ")
    .map(Number);
  const at = (field: number) => values[field - 3] ?? 0;
  return {
    pid: Number.parseInt(text, 10),
    group: at(5),
    session: at(6),
    // Of itself, and of its children that it has waited for.
    cpuTicks: at(14) + at(15) + at(16) + at(17),
    startedTicks: at(22),
    pages: at(24),
  };
}

function usageOf({ pid, pages, cpuTicks, startedTicks }: Stat, now: number): ProcessUsage {
  return { pid, residentBytes: pages * pageBytes(), cpuMs: cpuTicks * tickMs, ageMs: now - startedTicks * tickMs };
}

function uptimeMs(): number {
  return Number.parseFloat(readFileSync("/proc/uptime", "latin1")) * 1000;
}

let knownPageBytes: number | null = null;

/** 4 KiB on most machines, up to 64 KiB on some arm64: the kernel has told it to this process at its start. */
function pageBytes(): number {
  knownPageBytes ??= readPageBytes();
  return knownPageBytes;
}

const atPagesz = 6n;

function readPageBytes(): number {
  const vector = readFileSync("/proc/self/auxv");
  for (let at = 0; at + 16 <= vector.length; at += 16) {
    if (vector.readBigUInt64LE(at) === atPagesz) return Number(vector.readBigUInt64LE(at + 8));
  }
  return 4096;
}

/** Its own memory, and its part of what it shares: after a fork that is at first everything. */
async function proportionalBytes(pid: number, residentBytes: number): Promise<number> {
  // Not at once: the kernel walks through all its pages, and may wait for the process while it does.
  const text = await readFile(`/proc/${pid}/smaps_rollup`, "latin1").catch(() => "");
  const kilobytes = /^Pss:\s+(\d+) kB$/m.exec(text)?.[1];
  return kilobytes === undefined ? residentBytes : Number(kilobytes) * 1024;
}

const execute = promisify(execFile);

/** Where there is no /proc: macOS. What a process has used that has ended is not seen there. */
class PsGroup implements ProcessGroup {
  readonly #group: number;

  constructor(group: number) {
    this.#group = group;
  }

  leader(): null {
    return null;
  }

  async processes(): Promise<ProcessUsage[]> {
    const options = { env: { LC_ALL: "C", PATH: "/bin:/usr/bin" }, maxBuffer: 16 * 1024 * 1024 };
    const { stdout } = await execute("ps", ["-A", "-o", "pid=,pgid=,rss=,time=,etime="], options);
    return parsePs(stdout, this.#group);
  }

  async withoutSharedTwice(): Promise<null> {
    return null;
  }
}

export function parsePs(text: string, group: number): ProcessUsage[] {
  return text.split("\n").flatMap((line) => {
    const [pid, pgid, kilobytes, cpu = "", age = ""] = line.trim().split(/\s+/);
    if (Number(pgid) !== group) return [];
    return [{ pid: Number(pid), residentBytes: Number(kilobytes) * 1024, cpuMs: clockMs(cpu), ageMs: clockMs(age) }];
  });
}

/** `0:01.23`, `12:34`, `01:02:03`, `2-01:02:03`. */
function clockMs(text: string): number {
  const [days, clock] = text.includes("-") ? text.split("-") : ["0", text];
  const seconds = (clock ?? "").split(":").reduce((sum, part) => sum * 60 + Number(part), 0);
  return Math.round((Number(days) * 86_400 + seconds) * 1000);
}
