import { spawnSync } from "node:child_process";
import { readFileSync, realpathSync, rmSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import postgres from "postgres";
import { EmbeddedPostgresError } from "./errors.ts";
import type { LogFile } from "./log-file.ts";
import { isAlive, pidFilePath, readPidFile } from "./pid-file.ts";
import type { Place } from "./place.ts";
import type { Postmaster } from "./postmaster.ts";
import { serverUrl } from "./server-url.ts";
import { watchPostgres } from "./watched.ts";

const pollMs = 20;
/** How long it may take to end by itself, then to end on demand. */
const patienceMs = 10_000;

/**
 * The Postgres that an earlier process left behind on this data, if it works; null when none is running any more.
 * We hold the folder's lock, so it has no owner. One that is ending is waited for; one that does not answer is ended.
 */
export async function adoptLeftover({ data, user }: Place, log: LogFile): Promise<Postmaster | null> {
  const began = Date.now();
  for (let found = readPidFile(data); found !== null && isAlive(found.pid); found = readPidFile(data)) {
    const { pid, port, status } = found;
    if (!isPostgresOn(pid, data)) {
      // The number belongs to another program by now, as happens in a container that was started again.
      // Postgres would take that one for itself and refuse to start for ever.
      rmSync(pidFilePath(data), { force: true });
      return null;
    }
    if (status === "ready" && port !== null && (await serves(data, port))) {
      return { data, pid, port, watch: watchPostgres(pid, pidFilePath(data), user) };
    }
    if (Date.now() - began > patienceMs) end(pid);
    if (Date.now() - began > 2 * patienceMs) {
      throw new EmbeddedPostgresError(
        `A Postgres that an earlier start left on ${data} neither answers nor ends. Run: kill -9 ${pid} (its log: ${log.path})`,
      );
    }
    await delay(pollMs);
  }
  return null;
}

/** Whether this process is a Postgres that was started on this data. In doubt it is. */
export function isPostgresOn(pid: number, data: string): boolean {
  const command = commandOf(pid);
  return command === null || command.includes(data);
}

/** SIGQUIT: ends at once and recovers at the next start. A polite request had its time. */
function end(pid: number): void {
  try {
    process.kill(pid, "SIGQUIT");
  } catch {
    // It has just ended, or is not ours to end.
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
