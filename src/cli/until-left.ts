import type { JobSummary } from "../client/client.ts";
import type { Cli } from "./cli.ts";
import { Exit, exitCodes } from "./failure.ts";
import { shortId } from "./frame.ts";

type Here = Pick<Cli, "terminal" | "signals">;

/** Waits for something of a job. Ctrl-C ends the waiting, not the job, and that is said. */
export async function untilLeft<T>(
  { id }: Pick<JobSummary, "id">,
  cli: Here,
  wait: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const again = `flowerpower-queue watch ${id.slice(-6)}`;
  const shown = shortId(id, cli.terminal.symbols);
  return await orLeave(`The job ${shown} goes on without you. See it again with: ${again}`, cli, wait);
}

/** Waits. Ctrl-C ends the waiting and not what is waited for, and that is said. */
export async function orLeave<T>(
  farewell: string,
  { terminal, signals }: Here,
  wait: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const left = new AbortController();
  const leave = () => left.abort(new Exit(exitCodes.interrupted));
  signals.on("SIGINT", leave);
  try {
    return await wait(left.signal);
  } catch (error) {
    if (left.signal.aborted) terminal.err(farewell);
    throw error;
  } finally {
    signals.off("SIGINT", leave);
  }
}
