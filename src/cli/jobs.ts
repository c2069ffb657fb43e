import { type Command, InvalidArgumentError } from "commander";
import type { Client, JobState, JobSummary, ListedJob } from "../client/client.ts";
import { openApi } from "./api.ts";
import { type Cli, type GlobalOptions, globalOptions, printJson } from "./cli.ts";
import { shortId, stateColours } from "./frame.ts";
import { collect } from "./run-flags.ts";
import { table } from "./table.ts";
import { printable, type Terminal } from "./terminal.ts";
import { splitPair } from "./typed-text.ts";
import { dayAndClock, dueShort, duration, localTime, utcOffset } from "./units.ts";

/** Which jobs are meant. */
export interface FilterFlags {
  state?: JobState[];
  project?: string;
  pipeline?: string;
  queue?: string;
  batch?: string;
  tag?: string;
  stalled?: true;
  meta: string[];
}

interface Options extends FilterFlags, GlobalOptions {
  limit: number;
}

const states = Object.keys(stateColours) as JobState[];

export function addJobs(program: Command, cli: Cli): void {
  filterOptions(program.command("jobs").description("list jobs, the newest first"))
    .option("-n, --limit <count>", "at most so many", count, 20)
    .action(async (_options: object, command: Command) => {
      const options = globalOptions(command) as Options;
      const { limit } = options;
      await using client = openApi(cli, options);
      const filter = await filterFor(client, options);
      const found: ListedJob[] = [];
      for await (const job of client.jobs(filter, { pageSize: Math.min(limit, 100) })) {
        found.push(job);
        if (found.length === limit) break;
      }
      if (options.json) return printJson(cli.terminal, found);
      if (found.length === 0) return cli.terminal.err("There are no such jobs.");
      for (const line of jobTable(found, cli.terminal)) cli.terminal.out(line);
    });
}

export function filterOptions(command: Command): Command {
  return command
    .option(
      "--state <state...>",
      `only in these states: ${states.map((state) => state.toLowerCase()).join(", ")}`,
      oneOf,
    )
    .option("--project <name>", "only of this project")
    .option("--pipeline <name>", "only of this pipeline: project/pipeline, or its name beside --project")
    .option("--queue <name>", "only in this queue")
    .option("--batch <batch>", "only of this batch")
    .option("--tag <tag>", "only with this tag")
    .option("--meta <key=value>", "only with this in its metadata; may be repeated", collect, [])
    .option("--stalled", "only those whose run seems to have stalled");
}

/** What the API is asked for: it is asked first for the batch that is meant. */
export async function filterFor(client: Client, flags: FilterFlags) {
  const filter = filterOf(flags);
  return filter.batch === undefined ? filter : { ...filter, batch: (await client.findBatch(filter.batch)).id };
}

export function filterOf({ state, project, pipeline, queue, batch, tag, meta, stalled }: FilterFlags) {
  const pairs = meta.map((pair) => splitPair(pair, "--meta"));
  const metadata = pairs.length === 0 ? null : pairs.map(([key, value]) => ({ key, value }));
  return { states: state, project, pipeline, queue, batch, tag, metadata, stalled };
}

/** One line for each, where no more than the job itself is known. */
export function jobLines(jobs: readonly JobSummary[], { symbols, paint }: Terminal): string[] {
  return jobs.map(
    ({ id, state, project, pipeline }) =>
      `${shortId(id, symbols)}  ${paint(stateColours[state], state)}  ${project}/${pipeline}`,
  );
}

export function jobTable(jobs: readonly ListedJob[], { symbols, columns, paint }: Terminal): string[] {
  const newest = new Date(jobs[0]?.createdAt ?? 0);
  const rows = jobs.map((job) => {
    const created = new Date(job.createdAt);
    // The offset stands in the head; where summer time has changed it, in the row.
    const isOther = created.getTimezoneOffset() !== newest.getTimezoneOffset();
    return [
      shortId(job.id, symbols),
      job.state,
      `${job.project}/${job.pipeline}`,
      `${dayAndClock(created)}${isOther ? ` ${utcOffset(created)}` : ""}`,
      job.runMs === null ? "" : duration(job.runMs),
      note(job),
    ];
  });
  const head = ["JOB", "STATE", "PIPELINE", `ENQUEUED ${utcOffset(newest)}`, "RAN", "NOTE"];
  return table(head, rows, columns, symbols.ellipsis, (text, column, row) => {
    if (row === null) return paint("dim", text);
    return column === 1 ? paint(stateColours[text as JobState], text) : text;
  });
}

/** What it waits for, or how far it is. */
function note(job: ListedJob): string {
  const { state, progress, attempt, runAt } = job;
  // The whole time does not fit: `job` tells it.
  if (state === "SCHEDULED" || state === "RETRYABLE") return `due ${dueShort(new Date(runAt), new Date())}`;
  const waiting = waitingText(job);
  if (waiting !== null) return printable(waiting);
  const rest = progress.leftMs === null ? " nodes" : `, ${duration(progress.leftMs)} left`;
  if (job.stalledAt !== null) return `seems stalled since ${dayAndClock(new Date(job.stalledAt))}`;
  const nodes = state === "RUNNING" && progress.total !== null ? `${progress.done}/${progress.total}${rest}` : "";
  return attempt > 1 ? `${nodes} attempt ${attempt}`.trim() : nodes;
}

/** Why a job waits, its times where people are; null when it does not wait. */
export function waitingText({
  state,
  runAt,
  waitingFor,
}: Pick<JobSummary, "state" | "runAt" | "waitingFor">): string | null {
  return state === "SCHEDULED" || state === "RETRYABLE" ? `due ${localTime(runAt)}` : waitingFor;
}

function oneOf(text: string, earlier: JobState[] = []): JobState[] {
  const state = text.toUpperCase() as JobState;
  if (!states.includes(state)) throw new InvalidArgumentError(`It is none of ${states.join(", ").toLowerCase()}.`);
  return [...earlier, state];
}

export function count(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError("It has to be a whole number from 1.");
  return value;
}
