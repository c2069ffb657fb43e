import { type ChildProcess, spawn } from "node:child_process";
import { Socket } from "node:net";
import type { SystemUser } from "./system-user.ts";

/**
 * Runs the command and interrupts it when standard input closes, which the kernel does when we die, by whatever cause.
 * The signal is repeated because it gets lost while a program has not yet said what it does with it.
 */
const startAndWatch = `
exec 3<&0
"$@" </dev/null 3<&- &
child=$!
( trap exit TERM
  while read -r line; do :; done
  while kill -INT $child; do sleep 0.05; done ) <&3 3<&- >/dev/null 2>&1 &
watch=$!
exec 3<&- </dev/null
wait $child
code=$?
exec 2>/dev/null # or the shell reports the end of its own helper
kill $watch
wait $watch
exit $code
`;

/** The same for a Postgres that is running already: $1 its pid, $2 its pid file, which tells it from a later owner of the number. */
const watchOnly = `
exec 3<&0
ours() { kill -0 $1 && read -r first <"$2" && [ "$first" = $1 ]; }
( trap exit TERM
  while read -r line; do :; done
  while ours "$1" "$2"; do kill -INT $1; sleep 0.05; done ) <&3 3<&- >/dev/null 2>&1 &
watch=$!
exec 3<&- </dev/null 2>/dev/null
while ours "$1" "$2"; do sleep 0.2; done
kill $watch
wait $watch
exit 0
`;

/**
 * Starts a program that must not outlive us. It has a session of its own, so that a Ctrl-C in the terminal reaches only us
 * and we decide when it ends; it does not keep us alive either. `interrupt(child)` ends it.
 */
export function spawnWatched(command: string[], user: SystemUser, output: number): ChildProcess {
  return spawnShell([startAndWatch, "sh", ...command], user, output);
}

/** Ties a running Postgres to our life, as if we had started it. */
export function watchPostgres(pid: number, pidFile: string, user: SystemUser): ChildProcess {
  return spawnShell([watchOnly, "sh", String(pid), pidFile], user, "ignore");
}

/** Does what our death would do. */
export function interrupt(child: ChildProcess): void {
  child.stdin?.destroy();
}

/** The exit code, or the signal as 128 + n as a shell says it. Keeps the process alive while it waits. */
export async function exitOf(child: ChildProcess): Promise<number> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode ?? 255;
  child.ref();
  return await new Promise((resolve, reject) => {
    child.once("exit", (code) => resolve(code ?? 255));
    child.once("error", reject);
  });
}

function spawnShell(script: string[], user: SystemUser, output: number | "ignore"): ChildProcess {
  const child = spawn("/bin/sh", ["-c", ...script], {
    ...user,
    cwd: "/",
    detached: true,
    // Nothing of ours: Postgres reads PG… and LC_… variables.
    env: { PATH: "/usr/bin:/bin", LC_ALL: "C" },
    stdio: ["pipe", output, output],
  });
  const { stdin } = child;
  stdin?.on("error", () => {}); // it has ended before we said so
  if (stdin instanceof Socket) stdin.unref();
  child.unref();
  return child;
}
