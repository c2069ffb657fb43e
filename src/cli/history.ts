import { type Command, InvalidArgumentError } from "commander";
import type { Client } from "../client/client.ts";
import {
  PipelineHistoryDocument,
  type PipelineHistoryQuery,
  type PipelineHistoryQueryVariables,
} from "../client/generated/graphql.ts";
import { openApi } from "./api.ts";
import { type Cli, type GlobalOptions, globalOptions, printJson } from "./cli.ts";
import { UsageError } from "./failure.ts";
import { table } from "./table.ts";
import { printable, type Terminal } from "./terminal.ts";
import { bytes, counted, duration } from "./units.ts";

type History = NonNullable<PipelineHistoryQuery["pipeline"]>["history"];
type Node = History["nodes"]["nodes"][number];

/** Nodes read at once: each costs about 50, of the 5,000 that one operation may. */
const nodesPage = 50;

export function addHistory(program: Command, cli: Cli): void {
  program
    .command("history")
    .description("how long a pipeline and each of its nodes took in the last runs that succeeded")
    .argument("<pipeline>", "project/pipeline, or a name that only one project has")
    .option("-n, --last <count>", "look at so many runs, at most 200", count, 50)
    .action(async (name: string, _options: object, command: Command) => {
      const options = globalOptions(command) as GlobalOptions & { last: number };
      await using client = openApi(cli, options);
      const { history, nodes } = await read(client, name, options.last);
      if (options.json) return printJson(cli.terminal, { ...history, nodes });
      for (const line of historyLines(history, nodes, cli.terminal)) cli.terminal.out(line);
    });
}

async function read(client: Client, name: string, last: number): Promise<{ history: History; nodes: Node[] }> {
  const nodes: Node[] = [];
  for (let after: string | null = null; ; ) {
    const variables: PipelineHistoryQueryVariables = { name, last, first: nodesPage, after };
    const { pipeline }: PipelineHistoryQuery = await client.request(PipelineHistoryDocument, variables, {
      idempotent: true,
    });
    if (pipeline === null) {
      throw new UsageError(`There is no pipeline ${name}. Those of a project: flowerpower-queue project show PROJECT`);
    }
    nodes.push(...pipeline.history.nodes.nodes);
    after = pipeline.history.nodes.pageInfo.endCursor ?? null;
    if (!pipeline.history.nodes.pageInfo.hasNextPage) return { history: pipeline.history, nodes };
  }
}

function historyLines(history: History, nodes: readonly Node[], { columns, symbols, paint }: Terminal): string[] {
  if (history.runs === 0) return ["It has not succeeded yet."];
  const rows = nodes.map(({ node, runs, p50Ms, p95Ms, expander, branches, bytes: size, recent }) => [
    printable(node),
    String(runs),
    `${duration(p50Ms)}${expander === null ? "" : " each"}`,
    duration(p95Ms),
    branches === null ? "" : String(branches),
    size === null ? "" : bytes(size),
    recent.map(({ durationMs }) => duration(durationMs)).join(", "),
  ]);
  const reusing = history.runs - history.wholeRuns;
  const partly = reusing === 0 ? "" : `, without the ${reusing} that reused nodes`;
  const head = ["NODE", "RUNS", "P50", "P95", "BRANCHES", "SIZE", "LAST, NEWEST FIRST"];
  return [
    `${counted(history.runs, "run")}${partly}${reusing === 0 ? "" : ":"} ${times(history.p50Ms, history.p95Ms)}, waited ${times(history.waitedP50Ms, history.waitedP95Ms)}`,
    "",
    ...table(head, rows, columns, symbols.ellipsis, (text, _column, row) => (row === null ? paint("dim", text) : text)),
  ];
}

function times(p50: number | null, p95: number | null): string {
  return p50 === null || p95 === null ? "?" : `p50 ${duration(p50)}, p95 ${duration(p95)}`;
}

function count(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 200) {
    throw new InvalidArgumentError("It has to be a whole number from 1 to 200.");
  }
  return value;
}
