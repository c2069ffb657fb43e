import { type ChildProcess, spawn } from "node:child_process";
import { Socket } from "node:net";

/**
 * A process beside us that outlives us by a moment. It is told of each process group that must not outlive us, and kills
 * them when its standard input closes, which the kernel does when we die, by whatever cause. A runtime notices that too,
 * by the end of its requests, but not while a call into C holds Python's lock, and not the processes that it has started.
 */
const killWhenAlone = `
groups=
while read -r verb group; do
  case $verb in
    watch) groups="$groups $group" ;;
    forget)
      rest=
      for other in $groups; do [ "$other" = "$group" ] || rest="$rest $other"; done
      groups=$rest ;;
  esac
done
for group in $groups; do kill -KILL "-$group"; done
`;

const groups = new Set<number>();
let guard: ChildProcess | null = null;

/** Kills the process group when we die. The returned function ends that: call it when the group has gone. */
export function guardGroup(group: number): () => void {
  groups.add(group);
  if (guard === null) startGuard();
  else tell(guard, "watch", group);
  return () => {
    if (groups.delete(group) && guard !== null) tell(guard, "forget", group);
  };
}

/** One for the whole process, for its whole life. */
function startGuard(): void {
  const started = spawn("/bin/sh", ["-c", killWhenAlone], {
    cwd: "/",
    // A session of its own: a Ctrl-C or a signal to our group must not end it before us.
    detached: true,
    env: {},
    stdio: ["pipe", "ignore", "ignore"],
  });
  guard = started;
  started.unref();
  const { stdin } = started;
  stdin.on("error", () => {}); // its end is told by its exit
  if (stdin instanceof Socket) stdin.unref();
  started.once("error", (error) => {
    guard = null;
    process.emitWarning(`Python runtimes may outlive this process when it is killed: ${error.message}`);
  });
  started.once("exit", () => {
    guard = null;
    if (groups.size > 0) startGuard();
  });
  for (const group of groups) tell(started, "watch", group);
}

function tell(to: ChildProcess, verb: "watch" | "forget", group: number): void {
  to.stdin?.write(`${verb} ${group}\n`);
}
