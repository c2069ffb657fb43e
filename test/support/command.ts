import { EventEmitter } from "node:events";
import { runCli, type Surroundings } from "../../src/cli/program.ts";

/** Runs one command line in this process against a server, and resolves with its exit code and what it has written. */
export async function runCommand(
  url: string,
  argv: readonly string[],
  { env = {}, ...around }: Partial<Pick<Surroundings, "env" | "ask">> = {},
): Promise<{ code: number; out: string; err: string }> {
  const written = { out: "", err: "" };
  const into = (stream: keyof typeof written) => ({
    write(text: string) {
      written[stream] += text;
    },
  });
  const code = await runCli(argv, {
    ...around,
    env: { FLOWERPOWER_QUEUE_URL: url, LANG: "C.UTF-8", ...env },
    cwd: "/",
    stdout: into("out"),
    stderr: into("err"),
    signals: new EventEmitter(),
  });
  return { code, ...written };
}
