import { readFileSync } from "node:fs";
import { join } from "node:path";

/** What a running Postgres says about itself in `postmaster.pid`. */
export interface PidFile {
  pid: number;
  /** Unix time in seconds, as text. */
  startedAt: string;
  /** Null while it is starting. */
  port: number | null;
  status: "starting" | "stopping" | "ready" | "standby" | null;
}

/** Null when there is no Postgres on this data, or the file isn't written yet. */
export function readPidFile(data: string): PidFile | null {
  let lines: string[];
  try {
    lines = readFileSync(pidFilePath(data), "utf8").split("\n");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  }
  // Lines: pid, data directory, start time, port, socket directory, address, shared memory key, status.
  const pid = Number(lines[0]);
  if (!Number.isInteger(pid) || pid <= 0) return null;
  const port = Number(lines[3]);
  const status = lines[7]?.trim();
  return {
    pid,
    startedAt: lines[2] ?? "",
    port: port > 0 ? port : null,
    status: status ? (status as PidFile["status"]) : null,
  };
}

export function pidFilePath(data: string): string {
  return join(data, "postmaster.pid");
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Somebody else's process is alive too.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
