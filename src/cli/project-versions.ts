import type { Command } from "commander";
import type { Client } from "../client/client.ts";
import { RequestError } from "../client/errors.ts";
import {
  ComparePipelineVersionsDocument,
  type ComparePipelineVersionsQuery,
  PipelineVersionsDocument,
} from "../client/generated/graphql.ts";
import { openApi } from "./api.ts";
import { type Cli, globalOptions, printJson } from "./cli.ts";
import { UsageError } from "./failure.ts";
import { table } from "./table.ts";
import { printable, type Terminal } from "./terminal.ts";
import { localTime } from "./units.ts";

type Comparison = Extract<
  ComparePipelineVersionsQuery["comparePipelineVersions"],
  { __typename: "PipelineComparison" }
>;

/** `project versions` and `project diff`. */
export function addProjectVersions(project: Command, cli: Cli): void {
  project
    .command("versions")
    .description("what a pipeline was: its last versions, the newest first")
    .argument("<pipeline>", "project/pipeline")
    .option("--last <count>", "how many", "20")
    .action(async (name: string, { last }: { last: string }, command: Command) => {
      const options = globalOptions(command);
      await using client = openApi(cli, options);
      const versions = await versionsOf(client, name, wholeNumber(last, "--last"));
      if (options.json) return printJson(cli.terminal, versions);
      const rows = versions.map(({ number, codeHash, git, publishedAt, lastSeenAt }) => [
        String(number),
        codeHash.slice(0, 12),
        git === null ? "" : `${git.commit.slice(0, 10)}${git.dirty ? "+" : ""}${git.branch ? ` ${git.branch}` : ""}`,
        localTime(publishedAt),
        localTime(lastSeenAt),
      ]);
      if (rows.length === 0) return cli.terminal.err(`${name} was never whole: it has no version yet.`);
      for (const line of table(["VERSION", "CODE", "GIT", "FROM", "SEEN"], rows)) cli.terminal.out(printable(line));
    });
  project
    .command("diff")
    .description("what differs between two versions of a pipeline: functions, graph, YAML")
    .argument("<pipeline>", "project/pipeline")
    .argument("[from]", "the version to compare with (the one before)")
    .argument("[to]", "the version to compare (the last one)")
    .action(
      async (name: string, from: string | undefined, to: string | undefined, _options: object, command: Command) => {
        const options = globalOptions(command);
        await using client = openApi(cli, options);
        const last = to === undefined ? ((await versionsOf(client, name, 1))[0]?.number ?? 1) : wholeNumber(to, "to");
        const first = from === undefined ? last - 1 : wholeNumber(from, "from");
        if (first < 1) throw new UsageError(`${name} has only one version.`);
        const variables = { pipeline: name, from: first, to: last };
        const { comparePipelineVersions: result } = await client.request(ComparePipelineVersionsDocument, variables, {
          idempotent: true,
        });
        if (result.__typename !== "PipelineComparison")
          throw new RequestError(result.message, result.code, result.path);
        if (options.json) return printJson(cli.terminal, result);
        for (const line of differenceLines(name, result, cli.terminal)) cli.terminal.out(line);
      },
    );
}

async function versionsOf(client: Client, name: string, last: number) {
  const { pipeline } = await client.request(PipelineVersionsDocument, { name, last }, { idempotent: true });
  if (pipeline === null) {
    throw new UsageError(`There is no pipeline ${name}. Those of a project: flowerpower-queue project show PROJECT`);
  }
  return pipeline.versions.nodes.toReversed();
}

const signs = { ADDED: "+", REMOVED: "-", CHANGED: "~" } as const;
const colours = { ADDED: "green", REMOVED: "red", CHANGED: "yellow" } as const;

function differenceLines(name: string, { from, to, nodes, modules, params, run }: Comparison, terminal: Terminal) {
  const { paint, symbols } = terminal;
  const lines = [paint("bold", `${name}  version ${from.number} ${symbols.arrow} ${to.number}`)];
  if (nodes.length + modules.length + params.length + run.length === 0) return [...lines, "  no difference"];
  for (const { name: node, change, aspects, from, to, diff } of nodes) {
    const what = aspects.map((aspect) => aspect.toLowerCase()).join(", ");
    lines.push(paint(colours[change], printable(`${signs[change]} ${node}${what === "" ? "" : `  ${what}`}`)));
    if (aspects.includes("TYPE")) lines.push(printable(`    type ${from?.type} ${symbols.arrow} ${to?.type}`));
    if (aspects.includes("DEPENDENCIES"))
      lines.push(printable(`    needs ${needs(from)} ${symbols.arrow} ${needs(to)}`));
    for (const line of diff?.split("\n") ?? []) lines.push(`    ${painted(printable(line), terminal)}`);
  }
  for (const { file, change } of modules) lines.push(paint(colours[change], printable(`${signs[change]} ${file}`)));
  for (const { path, change, from, to } of [...params, ...run]) {
    const values =
      change === "ADDED" ? json(to) : change === "REMOVED" ? json(from) : `${json(from)} ${symbols.arrow} ${json(to)}`;
    lines.push(paint(colours[change], printable(`${signs[change]} ${path}  ${values}`)));
  }
  return lines;
}

function painted(line: string, { paint }: Terminal): string {
  if (line.startsWith("@@")) return paint("dim", line);
  return line.startsWith("+") ? paint("green", line) : line.startsWith("-") ? paint("red", line) : line;
}

function needs(node: Comparison["nodes"][number]["from"]): string {
  if (node === null) return "nothing";
  return [...node.dependsOn, ...node.optionalDependsOn.map((name) => `${name}?`)].join(", ") || "nothing";
}

function json(value: unknown): string {
  return JSON.stringify(value);
}

function wholeNumber(text: string, what: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1 || number > 2 ** 31 - 1) {
    throw new UsageError(`${what} has to be a whole number from 1, not ${text}.`);
  }
  return number;
}
