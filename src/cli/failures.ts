import type { Command } from "commander";
import type { FailureGroup } from "../client/client.ts";
import { openApi } from "./api.ts";
import { type Cli, type GlobalOptions, globalOptions, printJson } from "./cli.ts";
import { UsageError } from "./failure.ts";
import { errorText, shortId } from "./frame.ts";
import { count } from "./jobs.ts";
import { table } from "./table.ts";
import { printable, type Terminal } from "./terminal.ts";
import { dayAndClock, utcOffset } from "./units.ts";

interface Options extends GlobalOptions {
  project?: string;
  pipeline?: string;
  closed?: boolean;
  all?: boolean;
  limit: number;
}

export function addFailures(program: Command, cli: Cli): void {
  program
    .command("failures")
    .description(
      "list equal failures as one, the last seen first: those after which no run of the pipeline has succeeded",
    )
    .option("--project <name>", "only of this project")
    .option("--pipeline <name>", "only of this pipeline: project/pipeline, or its name beside --project")
    .option("--closed", "those after which a run has succeeded")
    .option("--all", "both")
    .option("-n, --limit <count>", "at most so many", count, 20)
    .action(async (_options: object, command: Command) => {
      const options = globalOptions(command) as Options;
      const { project, pipeline, limit, all = false, closed = false } = options;
      if (all && closed) throw new UsageError("Give either --closed or --all.");
      await using client = openApi(cli, options);
      const found: FailureGroup[] = [];
      for await (const group of client.failures({ project, pipeline, ...(all ? {} : { open: !closed }) })) {
        found.push(group);
        if (found.length === limit) break;
      }
      if (options.json) return printJson(cli.terminal, found);
      if (found.length === 0)
        return cli.terminal.err(`There are no ${all ? "" : closed ? "closed " : "open "}failures.`);
      for (const line of failureTable(found, cli.terminal)) cli.terminal.out(line);
    });
}

function failureTable(groups: readonly FailureGroup[], { symbols, columns, paint }: Terminal): string[] {
  const rows = groups.map((group) => [
    dayAndClock(new Date(group.lastSeenAt)),
    String(group.count),
    group.isOpen ? "open" : "closed",
    printable(`${group.project}/${group.pipeline}`),
    printable(group.node ?? ""),
    shortId(group.lastJobId, symbols),
    printable(errorText({ type: group.errorClass, message: group.lastMessage })),
  ]);
  const newest = new Date(groups[0]?.lastSeenAt ?? 0);
  const head = [`LAST SEEN ${utcOffset(newest)}`, "COUNT", "IS", "PIPELINE", "NODE", "LAST JOB", "ERROR"];
  return table(head, rows, columns, symbols.ellipsis, (text, column, row) => {
    if (row === null) return paint("dim", text);
    return column === 2 ? paint(text.trim() === "open" ? "red" : "green", text) : text;
  });
}
