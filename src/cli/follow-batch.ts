import { createLogUpdate } from "log-update";
import type { Batch, Client } from "../client/client.ts";
import { adviceLines, liveLines, plainProgress } from "./batch-view.ts";
import { type Cli, printJson } from "./cli.ts";
import { exitCodes } from "./failure.ts";
import type { Terminal } from "./terminal.ts";
import { untilLeft } from "./until-left.ts";

interface Shown {
  batch(batch: Batch): void;
  connection(state: "lost" | "resumed"): void;
  /** Nothing more will be shown. */
  stop(): void;
}

/**
 * Shows a batch until it is complete: a bar on a terminal, a line for each tenth elsewhere, JSON lines for programs; `quiet` shows
 * nothing before the end. Ctrl-C leaves it running.
 */
export async function followBatch(
  client: Client,
  { id }: Pick<Batch, "id">,
  cli: Pick<Cli, "terminal" | "signals">,
  { json = false, quiet = false }: { json?: boolean | undefined; quiet?: boolean } = {},
): Promise<Batch> {
  const { terminal } = cli;
  const shown = quiet ? nothing : json ? jsonLines(terminal) : terminal.live ? bar(terminal) : lines(terminal);
  return await untilLeft({ id }, cli, async (signal) => {
    let last: Batch | undefined;
    try {
      const onConnection = (state: "lost" | "resumed") => shown.connection(state);
      for await (const batch of client.watchBatch(id, { signal, giveUpAfterMs: 60_000, onConnection })) {
        last = batch;
        shown.batch(batch);
      }
    } finally {
      shown.stop();
    }
    if (last === undefined) throw new Error(`The watching of ${id} ended without a batch`);
    if (quiet && json) printJson(terminal, last);
    else if (quiet) terminal.out(plainProgress(last));
    if (!json) for (const line of adviceLines(last, terminal)) terminal.err(line);
    return last;
  });
}

/** How the command ends that has waited for a batch. */
export function batchExitCode({ state }: Pick<Batch, "state">): number {
  if (state === "SUCCEEDED") return exitCodes.succeeded;
  return state === "CANCELLED" ? exitCodes.cancelled : exitCodes.failed;
}

const nothing: Shown = { batch() {}, connection() {}, stop() {} };

function bar(terminal: Terminal): Shown {
  const picture = createLogUpdate(terminal.stdout as NodeJS.WriteStream);
  let drawn: string[] = [];
  return {
    batch(batch) {
      drawn = liveLines(batch, terminal);
      picture(drawn.join("\n"));
    },
    connection: (state) =>
      picture(
        [...drawn, ...(state === "lost" ? [terminal.paint("yellow", "  connection lost: trying again")] : [])].join(
          "\n",
        ),
      ),
    stop: () => picture.done(),
  };
}

/** A tenth of the way, and each change of its state. */
const steps = 10;

function lines(terminal: Terminal): Shown {
  let told = "";
  return {
    batch(batch) {
      const { done, total } = batch.progress;
      const step = `${batch.state} ${Math.floor((done / Math.max(total, 1)) * steps)}`;
      if (step === told) return;
      told = step;
      terminal.out(plainProgress(batch));
    },
    connection: (state) =>
      terminal.err(state === "lost" ? "The connection is lost: trying again." : "The connection stands again."),
    stop() {},
  };
}

function jsonLines({ out, err }: Terminal): Shown {
  return {
    batch: (batch) => out(JSON.stringify(batch)),
    connection: (state) => err(`connection ${state}`),
    stop() {},
  };
}
