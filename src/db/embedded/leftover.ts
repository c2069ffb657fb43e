import { spawnSync } from "node:child_process";
import { readFileSync, realpathSync, rmSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import postgres from "postgres";
import { isAlive, type PidFile, pidFilePath, readPidFile } from "./pid-file.ts";
import { serverUrl } from "./server-url.ts";

const patienceMs = 10_000;

/**
 * The Postgres that an earlier process left behind on this data, if it works; null when none is running any more.
 * We hold the folder's lock, so it has no owner. One that is ending or does not answer is waited for, then ended.
 */
export async function adoptLeftover(data: string): Promise<{ pid: number; port: number } | null> {
  const deadline = Date.now() + patienceMs;
  let found = readPidFile(data);
  while (found !== null && isAlive(found.pid)) {
    if (!isPostgresOn(found.pid, data)) {
      // The number belongs to another program by now, as happens in a container that was started again.
      // Postgres would take that one for itself and refuse to start for ever.
      rmSync(pidFilePath(data), { force: true });
      return null;
    }
    if (found.status === "ready" && found.port !== null && (await serves(data, found.port))) {
      return { pid: found.pid, port: found.port };
    }
    if (Date.now() > deadline) end(found);
    await delay(20);
    found = readPidFile(data);
  }
  return null;
}

/** Whether this process is a Postgres that was started on this data. In doubt it is. */
export function isPostgresOn(pid: number, data: string): boolean {
  const command = commandOf(pid);
  return command === null || command.includes(data);
}

/** SIGQUIT: ends at once and recovers at the next start. A polite request had its time. */
function end({ pid }: PidFile): void {
  try {
    process.kill(pid, "SIGQUIT");
  } catch {
    // It has just ended.
  }
}

async function serves(data: string, port: number): Promise<boolean> {
  const sql = postgres(serverUrl(data, port), { max: 1, connect_timeout: 5, onnotice: () => {} });
  try {
    const [row] = await sql<{ data_directory: string }[]>`show data_directory`;
    return row !== undefined && realpathSync(row.data_directory) === realpathSync(data);
  } catch {
    return false; // still starting, already ending, or another server on a port that was given away
  } finally {
    await sql.end({ timeout: 1 });
  }
}

function commandOf(pid: number): string | null {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    // Not Linux, or not for our eyes.
    const { status, stdout } = spawnSync("/bin/ps", ["-o", "command=", "-p", String(pid)], {
      encoding: "utf8",
      env: {},
    });
    return status === 0 ? stdout : null;
  }
}
