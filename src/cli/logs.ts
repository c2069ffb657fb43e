import type { Command } from "commander";
import type { Client, Job, JobEvent } from "../client/client.ts";
import { openApi } from "./api.ts";
import { type Cli, type GlobalOptions, globalOptions } from "./cli.ts";
import { Exit } from "./failure.ts";
import { exitCodeOf } from "./follow.ts";
import { branchName } from "./frame.ts";
import { printable, printableLines, type Terminal } from "./terminal.ts";
import { bytes, clock } from "./units.ts";
import { untilLeft } from "./until-left.ts";

interface Options extends GlobalOptions {
  node?: string;
  follow?: boolean;
}

export function addLogs(program: Command, cli: Cli): void {
  program
    .command("logs")
    .description("what a job's nodes have printed and logged, and the traceback of its failure")
    .argument("<job>", "which job")
    .option("--node <name>", "only of this node")
    .option("-f, --follow", "go on until the job ends; ends with its exit code")
    .action(async (ref: string, _options: object, command: Command) => {
      const options = globalOptions(command) as Options;
      await using client = openApi(cli, options);
      const job = await client.find(ref);
      const ended = options.follow
        ? await followLogs(client, job, options, cli)
        : await printLogs(client, job, options, cli);
      if (!options.json && options.node === undefined) printTraceback(ended, cli.terminal);
      if (options.follow) throw new Exit(exitCodeOf(ended));
    });
}

async function printLogs(client: Client, job: Job, options: Options, { terminal }: Cli): Promise<Job> {
  let printed = 0;
  for await (const event of client.history(job.id)) printed += printLine(event, options, terminal);
  if (printed === 0 && !options.json) {
    terminal.err(
      options.node === undefined ? "It has printed nothing." : `Its node ${options.node} has printed nothing.`,
    );
  }
  return job;
}

async function followLogs(client: Client, job: Job, options: Options, cli: Cli): Promise<Job> {
  return await untilLeft(job, cli, async (signal) => {
    const watch = client.watch(job.id, { signal, giveUpAfterMs: 60_000 });
    for await (const event of watch) printLine(event, options, cli.terminal);
    return await watch.job;
  });
}

/** How many lines it was: one, or none. */
function printLine(event: JobEvent, options: Options, terminal: Terminal): number {
  const line = lineOf(event, options, terminal);
  if (line === null) return 0;
  terminal.out(line);
  return 1;
}

function lineOf(event: JobEvent, { node, json }: Options, { paint }: Terminal): string | null {
  if (event.__typename !== "LogLine" && event.__typename !== "LogDropped") return null;
  if (node !== undefined && (event.__typename !== "LogLine" || event.node !== node)) return null;
  if (json) return JSON.stringify(event);
  const time = paint("dim", clock(new Date(event.occurredAt)));
  if (event.__typename === "LogDropped") {
    const dropped = `${event.lines} lines (${bytes(event.bytes)}) were dropped: ${event.droppedFor}`;
    return `${time}  ${paint("yellow", printable(dropped))}`;
  }
  const branch = event.branch === null ? "" : ` ${branchName(event.branch)}`;
  const level = paint(levelColours[event.level] ?? "white", event.level.padEnd(7));
  const from = event.node === null ? "" : paint("dim", `${printable(event.node)}${branch}  `);
  return `${time}  ${level}  ${from}${printable(event.text ?? "")}`;
}

const levelColours: Record<string, "dim" | "white" | "yellow" | "red"> = {
  DEBUG: "dim",
  INFO: "white",
  WARNING: "yellow",
  ERROR: "red",
  CRITICAL: "red",
};

function printTraceback({ error }: Job, { out, paint }: Terminal): void {
  if (error === null) return;
  const text = error.traceback ?? `${error.type}: ${error.message}`;
  for (const line of printableLines(text.trimEnd())) out(paint("red", line));
}
