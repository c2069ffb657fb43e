import { readFileSync, writeFileSync } from "node:fs";

const moreThanUs = 300;

/** When memory runs out the kernel ends a pipeline before the worker that can tell of it. Does nothing where there is no such setting. */
export function makeFirstToGo(pid: number): void {
  try {
    const own = Number(readFileSync("/proc/self/oom_score_adj", "utf8"));
    // Only ever raised, which needs no right.
    writeFileSync(`/proc/${pid}/oom_score_adj`, String(Math.min(1000, own + moreThanUs)));
  } catch {
    // Not Linux, or the process has just ended.
  }
}

/** Bytes of memory that the process holds now, null where that cannot be read. */
export function residentBytes(pid: number): number | null {
  try {
    const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return kilobytes === undefined ? null : Number(kilobytes) * 1024;
  } catch {
    return null;
  }
}
