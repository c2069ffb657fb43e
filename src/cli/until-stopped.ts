import type { Cli } from "./cli.ts";
import { hearStopRequests } from "./stopping.ts";
import { duration } from "./units.ts";

export interface Stoppable {
  /** Attempts under way. */
  running(): number;
  stop(options: { graceMs: number; now: Promise<void> }): Promise<void>;
}

/**
 * Runs until it is asked to stop, then stops it: the first request waits for runs, the second does not. Meanwhile `act`s,
 * which is told when to leave off; when that fails, or says that it is done, it is stopped at once.
 */
export async function untilStopped(
  { signals, terminal }: Pick<Cli, "signals" | "terminal">,
  running: Stoppable,
  usualGraceMs: number,
  act: (stopped: AbortSignal) => Promise<unknown> = async () => {},
): Promise<void> {
  using requests = hearStopRequests(signals);
  const stopped = new AbortController();
  void requests.first.then(() => stopped.abort());
  let graceMs = usualGraceMs;
  try {
    const said = await act(stopped.signal);
    if (said instanceof StopWithin) graceMs = said.graceMs ?? usualGraceMs;
    else if (said !== done) await requests.first;
  } finally {
    const runs = running.running();
    const counted = `${runs} ${runs === 1 ? "run has" : "runs have"} ${duration(graceMs)} to finish`;
    terminal.err(runs === 0 ? "Stopping." : `Stopping: ${counted}, then they are handed back (again: now).`);
    await running.stop({ graceMs, now: requests.second });
    terminal.err("Stopped. Jobs are kept.");
  }
}

/** What an act returns that needs nothing running any more. */
export const done: unique symbol = Symbol("done");

/** What an act returns when somebody else than this terminal has asked for the end; null: within the usual time. */
export class StopWithin {
  readonly graceMs: number | null;

  constructor(graceMs: number | null) {
    this.graceMs = graceMs;
  }
}
