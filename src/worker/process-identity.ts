import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";

/** Which processes can be told apart by their pid: those of one boot of one machine (or container). */
const space = readOr(
  () => `${readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()}/${readlinkSync("/proc/self/ns/pid")}`,
);

/** A name for a process of this machine that no other process ever has; null when there is no such process. */
export function processIdentity(pid: number): string | null {
  if (space === null) return alive(pid) ? `${hostname()}/${pid}` : null;
  const startTime = readOr(() => {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // After the command's name in brackets: state is field 3, the start time field 22. A zombie has ended.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" ? null : fields[19];
  });
  return startTime == null ? null : `${space}/${pid}/${startTime}`;
}

/** Whether the process of that name has certainly ended. Of a process elsewhere this host knows nothing: false. */
export function hasEnded(identity: string, pid: number): boolean {
  const ours = identity.startsWith(`${space ?? hostname()}/`);
  if (!ours) return false;
  const present = processIdentity(pid);
  // Mounted with hidepid, /proc shows nothing of other users' processes, as if there were none.
  return present === null ? !isOfAnotherUser(pid) : present !== identity;
}

function alive(pid: number): boolean {
  const code = signalled(pid);
  return code === null || code === "EPERM";
}

function isOfAnotherUser(pid: number): boolean {
  return signalled(pid) === "EPERM";
}

/** Why a process cannot be signalled, null when it can. */
function signalled(pid: number): string | null {
  try {
    process.kill(pid, 0);
    return null;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? "";
  }
}

function readOr<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}
