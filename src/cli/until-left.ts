import type { Cli } from "./cli.ts";
import { Exit, exitCodes } from "./failure.ts";
import { shortId } from "./frame.ts";

/** Waits for something of a job or a batch. Ctrl-C ends the waiting, not what is waited for, and that is said. */
export async function untilLeft<T>(
  { id }: { id: string },
  { terminal, signals }: Pick<Cli, "terminal" | "signals">,
  wait: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const left = new AbortController();
  const leave = () => left.abort(new Exit(exitCodes.interrupted));
  signals.on("SIGINT", leave);
  try {
    return await wait(left.signal);
  } catch (error) {
    if (left.signal.aborted) {
      const [what, command] = id.startsWith("bat_") ? ["batch", "batch watch"] : ["job", "watch"];
      const again = `flowerpower-queue ${command} ${id.slice(-6)}`;
      terminal.err(`The ${what} ${shortId(id, terminal.symbols)} goes on without you. See it again with: ${again}`);
    }
    throw error;
  } finally {
    signals.off("SIGINT", leave);
  }
}
