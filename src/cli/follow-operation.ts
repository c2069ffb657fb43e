import { createLogUpdate } from "log-update";
import type { Client, Operation } from "../client/client.ts";
import { NotFoundError } from "../client/errors.ts";
import type { Cli } from "./cli.ts";
import { Exit, exitCodes } from "./failure.ts";
import { printable, type Terminal } from "./terminal.ts";
import { clock, counted, duration } from "./units.ts";
import { orLeave } from "./until-left.ts";

/**
 * Shows how far an operation is until it has ended: redrawn in place on a terminal, a line for each step elsewhere, nothing for
 * programs. Ctrl-C leaves it going on.
 */
export async function followOperation(
  client: Client,
  id: string,
  cli: Pick<Cli, "terminal" | "signals">,
  json = false,
): Promise<Operation> {
  const { terminal } = cli;
  const farewell = `The operation goes on without you. See it again with: flowerpower-queue operation watch ${id.slice(-6)}`;
  return await orLeave(farewell, cli, async (signal) => {
    const picture = terminal.live && !json ? createLogUpdate(terminal.stdout as NodeJS.WriteStream) : null;
    const line = picture ?? (json ? () => {} : (text: string) => terminal.out(`${clock(new Date())}  ${text}`));
    let last: Operation | null = null;
    try {
      for await (const operation of client.watchOperation(id, { signal, giveUpAfterMs: 60_000 })) {
        last = operation;
        line(progressText(operation, terminal));
      }
    } finally {
      picture?.done();
    }
    if (last === null) throw new NotFoundError(`There is no operation ${id}.`, null);
    return last;
  });
}

/** `cancel: 1500 of 48000 jobs, 3 failed`, and how it ended. */
export function progressText(operation: Operation, { symbols, paint }: Pick<Terminal, "symbols" | "paint">): string {
  const { verb, state, done, failed, matched, error, createdAt, finishedAt } = operation;
  const all = `${matched.value}${matched.isExact ? "" : "+"} ${matched.value === 1 ? "job" : "jobs"}`;
  const took = finishedAt === null ? "" : ` in ${duration(Date.parse(finishedAt) - Date.parse(createdAt))}`;
  const refused = failed === 0 ? "" : `, ${paint("red", `${failed} failed`)}`;
  const sign = {
    RUNNING: symbols.running[0],
    SUCCEEDED: symbols.ok,
    STOPPED: symbols.stopped,
    FAILED: symbols.failed,
  }[state];
  const why = error === null ? "" : `: ${printable(error)}`;
  return `${sign} ${verb.toLowerCase()} ${state.toLowerCase()}: ${done} of ${all}${refused}${took}${why}`;
}

/** Tells what is to be told of one that has ended, and ends with its exit code. */
export function tellEnd({ state, failed, problems }: Operation, { terminal }: Pick<Cli, "terminal">): void {
  for (const { message } of problems) terminal.err(printable(message));
  if (failed > problems.length) terminal.err(`And ${counted(failed - problems.length, "job")} more.`);
  if (state === "STOPPED") throw new Exit(exitCodes.cancelled);
  if (state === "FAILED") throw new Exit(exitCodes.failed);
  if (failed > 0) throw new Exit(exitCodes.usage);
}
