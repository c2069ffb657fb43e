import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

// Ends the program when standard input closes, which the kernel does when we die: else a pip that was left behind
// would go on writing into the environment that the next start repairs.
const script = `
exec 3<&0
"$@" </dev/null 3<&- &
child=$!
( trap exit TERM
  while read -r line; do :; done
  while kill $child; do sleep 0.1; done ) <&3 3<&- >/dev/null 2>&1 &
watch=$!
exec 3<&- </dev/null
wait $child
code=$?
exec 2>/dev/null # or the shell reports the end of its own helper
kill $watch
wait $watch
exit $code
`;

export interface Ended {
  code: number;
  /** The last lines of both outputs. */
  output: string[];
}

const keptLines = 50;

/** Runs a program that ends when we do, tells each line of its output, and comes back with its end. */
export async function run(
  command: string[],
  env: NodeJS.ProcessEnv,
  onLine: (line: string) => void = () => {},
): Promise<Ended> {
  const child = spawn("/bin/sh", ["-c", script, "sh", ...command], { env, stdio: ["pipe", "pipe", "pipe"] });
  const output: string[] = [];
  const read = async (stream: NodeJS.ReadableStream) => {
    for await (const line of createInterface({ input: stream })) {
      output.push(line);
      if (output.length > keptLines) output.shift();
      onLine(line);
    }
  };
  child.stdin.on("error", () => {}); // it has ended first
  const exit = new Promise<number>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => resolve(code ?? 255));
  });
  const [code] = await Promise.all([exit, read(child.stdout), read(child.stderr)]);
  child.stdin.destroy();
  return { code, output };
}
