import { createLogUpdate } from "log-update";
import type { Client, Job, JobEvent, JobSummary } from "../client/client.ts";
import type { Cli } from "./cli.ts";
import { exitCodes } from "./failure.ts";
import { failureBlock } from "./failure-block.ts";
import { frame, turnMs } from "./frame.ts";
import { waitingText } from "./jobs.ts";
import { plainLine } from "./plain-line.ts";
import { apply, type RunView, startView } from "./run-view.ts";
import type { Terminal } from "./terminal.ts";
import { TimeLeft } from "./time-left.ts";
import { untilLeft } from "./until-left.ts";

export interface Followed {
  job: Job;
  view: RunView;
}

/**
 * Shows a job until it has ended: redrawn in place on a terminal, a line per event elsewhere, events as JSON lines for programs.
 * Ctrl-C leaves it running; with `stopped` it is that signal which ends the watching. With `after` it begins behind that
 * event: what earlier lives of the job have told is not told again.
 */
export async function follow(
  client: Client,
  job: FollowedJob,
  cli: Pick<Cli, "terminal" | "signals">,
  { stopped, ...options }: FollowOptions & { stopped?: AbortSignal } = {},
): Promise<Followed> {
  if (stopped !== undefined) return await show(client, job, cli.terminal, stopped, options);
  return await untilLeft(job, cli, (signal) => show(client, job, cli.terminal, signal, options));
}

type FollowedJob = Pick<JobSummary, "id" | "project" | "pipeline" | "state" | "runAt" | "waitingFor">;

interface FollowOptions {
  json?: boolean | undefined;
  after?: string | undefined;
}

async function show(
  client: Client,
  job: FollowedJob,
  terminal: Terminal,
  signal: AbortSignal,
  { json = false, after }: FollowOptions,
): Promise<Followed> {
  const view = startView(job, waitingText(job));
  const shown: Show = json
    ? jsonLines(terminal)
    : terminal.live
      ? livePicture(view, terminal)
      : plainLines(view, terminal);
  using timeLeft = new TimeLeft(client, view);
  const watch = client.watch(job.id, {
    signal,
    giveUpAfterMs: 60_000,
    after,
    onConnection: (state) => shown.connection(state),
  });
  try {
    for await (const event of watch) {
      apply(view, event);
      if (terminal.live && !json) timeLeft.see(event);
      shown.event(event);
    }
    const ended = await watch.job;
    shown.end(ended);
    return { job: ended, view };
  } catch (error) {
    shown.stop();
    throw error;
  } finally {
    await watch.return();
  }
}

/** How the command ends that has waited for a job. */
export function exitCodeOf({ state }: Pick<Job, "state">): number {
  if (state === "SUCCEEDED") return exitCodes.succeeded;
  return state === "CANCELLED" || state === "EXPIRED" ? exitCodes.cancelled : exitCodes.failed;
}

interface Show {
  event(event: JobEvent): void;
  connection(state: "lost" | "resumed"): void;
  end(job: Job): void;
  /** Nothing more will be shown. */
  stop(): void;
}

function livePicture(view: RunView, terminal: Terminal): Show {
  const picture = createLogUpdate(terminal.stdout as NodeJS.WriteStream);
  let lost = false;
  const draw = () => {
    const lines = frame(view, terminal, Date.now());
    if (lost) lines.push(terminal.paint("yellow", "  connection lost: trying again"));
    picture(lines.join("\n"));
  };
  // Events come faster than eyes: what is drawn is the state of the moment.
  const timer = setInterval(draw, turnMs);
  draw();
  const stop = () => {
    clearInterval(timer);
    draw();
    picture.done();
  };
  return {
    event() {},
    connection(state) {
      lost = state === "lost";
    },
    end(job) {
      clearInterval(timer);
      picture.clear();
      picture.done();
      // The last picture stays, so it may be longer than the window.
      const whole = { paint: terminal.paint, symbols: terminal.symbols, columns: terminal.columns, rows: 10_000 };
      for (const line of frame(view, whole, Date.now())) terminal.out(line);
      tellFailure(job, terminal);
    },
    stop,
  };
}

function plainLines(view: RunView, terminal: Terminal): Show {
  if (view.waitingFor !== null) terminal.out(`waiting: ${view.waitingFor}`);
  return {
    event(event) {
      const line = plainLine(view, event, terminal.symbols);
      if (line !== null) terminal.out(line);
    },
    connection(state) {
      terminal.err(state === "lost" ? "The connection is lost: trying again." : "The connection stands again.");
    },
    end: (job) => tellFailure(job, terminal),
    stop() {},
  };
}

function jsonLines({ out, err }: Terminal): Show {
  return {
    event: (event) => out(JSON.stringify(event)),
    connection: (state) => err(`connection ${state}`),
    end: (job) => out(JSON.stringify({ __typename: "Job", ...job })),
    stop() {},
  };
}

function tellFailure(job: Job, terminal: Terminal): void {
  if (job.state === "SUCCEEDED") return;
  for (const line of failureBlock(job, terminal)) terminal.out(line);
}
