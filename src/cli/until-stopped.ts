import type { Cli } from "./cli.ts";
import { hearStopRequests, type StopRequests } from "./stopping.ts";
import { duration } from "./units.ts";

export interface Stoppable {
  /** Attempts under way. */
  running(): number;
  stop(options: { graceMs: number; now: Promise<void> }): Promise<void>;
}

/** Runs until it is asked to stop, then stops it: the first request waits for runs, the second does not. */
export async function untilStopped(cli: Cli, running: Stoppable, graceMs: number): Promise<void> {
  using requests = hearStopRequests(cli.signals);
  await requests.first;
  await stopNow(cli, running, graceMs, requests);
}

export async function stopNow(
  { terminal }: Cli,
  running: Stoppable,
  graceMs: number,
  requests: StopRequests,
): Promise<void> {
  const runs = running.running();
  terminal.err(
    runs === 0
      ? "Stopping."
      : `Stopping: ${runs} ${runs === 1 ? "run has" : "runs have"} ${duration(graceMs)} to finish, then they are handed back (again: now).`,
  );
  await running.stop({ graceMs, now: requests.second });
  terminal.err("Stopped. Jobs are kept.");
}
