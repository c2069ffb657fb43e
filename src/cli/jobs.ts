import { type Command, InvalidArgumentError } from "commander";
import type { JobState, JobSummary } from "../client/client.ts";
import { openApi } from "./api.ts";
import { type Cli, type GlobalOptions, globalOptions, printJson } from "./cli.ts";
import { shortId, stateColours } from "./frame.ts";
import { table } from "./table.ts";
import { clip, printable, type Terminal } from "./terminal.ts";
import { duration, localTime } from "./units.ts";

interface Options extends GlobalOptions {
  state?: JobState[];
  project?: string;
  pipeline?: string;
  queue?: string;
  tag?: string;
  limit: number;
}

const states = Object.keys(stateColours) as JobState[];

export function addJobs(program: Command, cli: Cli): void {
  program
    .command("jobs")
    .description("list jobs, the newest first")
    .option(
      "--state <state...>",
      `only in these states: ${states.map((state) => state.toLowerCase()).join(", ")}`,
      oneOf,
    )
    .option("--project <name>", "only of this project")
    .option("--pipeline <name>", "only of this pipeline: project/pipeline, or its name beside --project")
    .option("--queue <name>", "only in this queue")
    .option("--tag <tag>", "only with this tag")
    .option("-n, --limit <count>", "at most so many", count, 20)
    .action(async (_options: object, command: Command) => {
      const options = globalOptions(command) as Options;
      const { state, project, pipeline, queue, tag, limit } = options;
      await using client = openApi(cli, options);
      const filter = { states: state, project, pipeline, queue, tag };
      const found: JobSummary[] = [];
      for await (const job of client.jobs(filter, { pageSize: Math.min(limit, 100) })) {
        found.push(job);
        if (found.length === limit) break;
      }
      if (options.json) return printJson(cli.terminal, found);
      if (found.length === 0) return cli.terminal.err("There are no such jobs.");
      for (const line of jobTable(found, cli.terminal)) cli.terminal.out(line);
    });
}

export function jobTable(jobs: readonly JobSummary[], { symbols, columns, paint }: Terminal): string[] {
  const rows = jobs.map((job) => [
    shortId(job.id, symbols),
    job.state,
    `${job.project}/${job.pipeline}`,
    localTime(job.createdAt),
    job.runMs === null ? "" : duration(job.runMs),
    printable(job.waitingFor ?? progress(job)),
  ]);
  const lines = table(["JOB", "STATE", "PIPELINE", "ENQUEUED", "RAN", ""], rows, (text, column, row) => {
    if (row === null) return paint("dim", text);
    return column === 1 ? paint(stateColours[text as JobState], text) : text;
  });
  return lines.map((line) => (line.includes("\u001b") ? line : clip(line, columns, symbols.ellipsis)));
}

function progress({ state, progress: { done, total }, attempt }: JobSummary): string {
  const nodes = state === "RUNNING" && total !== null ? `${done}/${total} nodes` : "";
  return attempt > 1 ? `${nodes} attempt ${attempt}`.trim() : nodes;
}

function oneOf(text: string, earlier: JobState[] = []): JobState[] {
  const state = text.toUpperCase() as JobState;
  if (!states.includes(state)) throw new InvalidArgumentError(`It is none of ${states.join(", ").toLowerCase()}.`);
  return [...earlier, state];
}

function count(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError("It has to be a whole number from 1.");
  return value;
}
