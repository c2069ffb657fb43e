import { join } from "node:path";
import type { Command } from "commander";
import { createClient, type EnqueueJobInput, type Job } from "../client/client.ts";
import { type Cli, type GlobalOptions, globalOptions } from "./cli.ts";
import { accepted } from "./enqueue.ts";
import { Exit, exitCodes } from "./failure.ts";
import { exitCodeOf, type Followed, follow } from "./follow.ts";
import { startLines } from "./start-lines.ts";
import { previewLines, summaryText } from "./summary-text.ts";
import { clip, type Terminal } from "./terminal.ts";
import { duration } from "./units.ts";
import { done, untilStopped } from "./until-stopped.ts";
import { addServerFlags, addWorkerFlags, hostOf, labelsOf, slotsOf, type UpFlags } from "./up-flags.ts";
import { packageRoot, version } from "./version.ts";

type Options = GlobalOptions & UpFlags & { exit?: boolean };

const request = {
  pipeline: "flights/daily_report",
  inputs: { day: "2013-07-10", min_flights: 15 },
} satisfies EnqueueJobInput;

export function addDemo(program: Command, cli: Cli): void {
  const command = program
    .command("demo")
    .description("start everything, run an example pipeline through the API, and show it live");
  addServerFlags(addWorkerFlags(command))
    .option("--exit", "end by itself; the exit code is the job's")
    .action(async (_options: object, command: Command) => {
      const options = globalOptions(command) as Options;
      const { terminal } = cli;
      const { startAllInOne } = await import("./all-in-one.ts");
      const { dataFolderFor, openProjects } = await import("./served-projects.ts");
      terminal.out(terminal.paint("bold", `FlowerPower Job Queue ${version}`));
      const examples = ["flights", "hello"].map((name) => `${name}=${join(packageRoot, "examples", name)}`);
      const running = await startAllInOne(
        cli,
        {
          projects: await openProjects({ ...options, project: [...examples, ...options.project] }, cli),
          folder: await dataFolderFor(options.data, cli),
          host: hostOf(options, cli),
          port: options.port ?? cli.config.port,
          slots: slotsOf(options, cli),
          graceMs: options.grace,
          labels: labelsOf(options, cli),
          hold: false,
          allowOrigins: options.allowOrigin,
        },
        startLines(terminal),
      );
      let job: Job | null = null;
      await untilStopped(cli, running, options.grace, async (stopped) => {
        job = await show(running.url, cli, stopped);
        if (options.exit) return done;
        if (job !== null) for (const line of nextSteps(running.url)) terminal.out(line);
        return null;
      });
      if (options.exit) throw new Exit(job === null ? exitCodes.interrupted : exitCodeOf(job));
    });
}

/** One run, from the mutation to its results; null when it was interrupted. */
async function show(url: string, cli: Cli, stopped: AbortSignal): Promise<Job | null> {
  const { terminal } = cli;
  await using client = createClient({ url });
  terminal.out("");
  for (const line of mutationLines()) terminal.out(`  ${line}`);
  const askedAt = performance.now();
  const enqueued = await client.enqueue(request);
  terminal.out(`  ${accepted(enqueued, terminal)}, in ${duration(performance.now() - askedAt)}`);
  terminal.out("");
  try {
    const followed = await follow(client, enqueued.job, cli, { stopped });
    for (const line of ["", ...resultLines(followed.job, terminal), summaryLine(followed, terminal), ""]) {
      terminal.out(line);
    }
    return followed.job;
  } catch (error) {
    if (stopped.aborted) return null;
    throw error;
  }
}

function mutationLines(): string[] {
  const inputs = Object.entries(request.inputs).map(([name, value]) => `${name}: ${JSON.stringify(value)}`);
  return [
    `mutation { enqueueJob(input: { pipeline: "${request.pipeline}",`,
    `           inputs: { ${inputs.join(", ")} } }) { … } }`,
  ];
}

function resultLines({ results }: Job, { paint, symbols, columns }: Terminal): string[] {
  const width = Math.max(...results.map(({ name }) => name.length), 0);
  return results.flatMap(({ name, summary }) => {
    const looks = summary === null ? "" : summaryText(summary, symbols);
    const rows = summary === null ? [] : previewLines(summary, columns - width - 4);
    return [
      `  ${paint("bold", name.padEnd(width))}  ${clip(looks, columns - width - 4, symbols.ellipsis)}`,
      ...rows.map((row) => `  ${" ".repeat(width)}  ${paint("dim", row)}`),
    ];
  });
}

/** How it went, and that the stream has told all of it. */
function summaryLine({ job, view }: Followed, { symbols }: Terminal): string {
  const waited = job.waitedMs === null ? [] : [`Waited ${duration(job.waitedMs)}`];
  const ran = job.runMs === null ? [] : [`ran ${duration(job.runMs)}`];
  const lost = view.lastSeq - view.events;
  const events = `${view.events} events, live over one subscription, ${lost === 0 ? "none" : lost} lost`;
  return `  ${[...waited, ...ran, events].join(` ${symbols.dot} `)}`;
}

function nextSteps(url: string): string[] {
  return [
    "  Watch the next one from a second terminal:",
    `    npx flowerpower-queue enqueue ${request.pipeline} -i day=2013-07-22 -f`,
    "  Your own project, nothing in it changes (uses its .venv):",
    "    npx flowerpower-queue up --project ~/my-project",
    `  GraphiQL ${url}`,
    "  Everything stays up; Ctrl-C stops it, jobs are kept.",
  ];
}
