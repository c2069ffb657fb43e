import type { Command } from "commander";
import type { JobComparison } from "../client/client.ts";
import type {
  ComparedResultFragment,
  DifferenceFragment,
  DurationDifferenceFragment,
} from "../client/generated/graphql.ts";
import { openApi } from "./api.ts";
import { type Cli, globalOptions, printJson } from "./cli.ts";
import { errorText, shortId, stateColours } from "./frame.ts";
import { summaryText } from "./summary-text.ts";
import { clip, printable, type Terminal } from "./terminal.ts";
import { duration, localTime } from "./units.ts";

export function addCompare(program: Command, cli: Cli): void {
  program
    .command("compare")
    .description("what differs between two jobs: what was asked for, what ran, what came of it")
    .argument("<a>", "which job")
    .argument("<b>", "which other one")
    .action(async (a: string, b: string, _options: object, command: Command) => {
      const options = globalOptions(command);
      await using client = openApi(cli, options);
      const [left, right] = [await client.find(a), await client.find(b)];
      const compared = await client.compare(left.id, right.id);
      if (options.json) return printJson(cli.terminal, compared);
      for (const line of comparisonLines(compared, cli.terminal)) cli.terminal.out(line);
    });
}

type Section = [title: string, lines: string[]];

/** Only what differs, in sections; those without anything are left out. */
export function comparisonLines(compared: JobComparison, terminal: Terminal): string[] {
  const { paint, symbols } = terminal;
  const sections: Section[] = [
    ["request", differenceLines(compared.request ?? [], terminal)],
    ["resolved", differenceLines(compared.resolved ?? [], terminal)],
    ["settings", differenceLines(compared.settings, terminal)],
    ["code", codeLines(compared.codeChange, terminal)],
    ["packages", differenceLines(compared.packages, terminal)],
    ["nodes", nodeLines(compared.nodes, terminal)],
    ["results", resultLines(compared.results, terminal)],
    ["outcome", differenceLines(compared.outcome, terminal)],
    ["error", errorLines(compared.error, terminal)],
    ["time", compared.duration === null ? [] : [durationText(compared.duration, terminal)]],
  ];
  const head = (["a", "b"] as const).map((side) => {
    const { id, project, pipeline, state, createdAt } = compared[side];
    const name = `${side}  ${shortId(id, symbols)}  ${printable(`${project}/${pipeline}`)}`;
    return `${name}  ${paint(stateColours[state], state)}  ${localTime(createdAt)}`;
  });
  const body = sections
    .filter(([, lines]) => lines.length > 0)
    .flatMap(([title, lines]) => [
      "",
      paint("bold", title),
      ...lines.map((line) => clip(`  ${line}`, Math.max(terminal.columns, 60), symbols.ellipsis)),
    ]);
  return [...head, ...(compared.isSame ? ["", "Nothing differs but the time that things took."] : []), ...body];
}

const missing = "none";

function differenceLines(differences: readonly DifferenceFragment[], terminal: Terminal): string[] {
  const width = Math.max(0, ...differences.map(({ path }) => path.length));
  return differences.map(({ path, kind, a, b, aSource, bSource }) => {
    const left = kind === "ADDED" ? missing : valueText(a, aSource);
    const right = kind === "REMOVED" ? missing : valueText(b, bSource);
    return `${printable(path).padEnd(width)}  ${left} ${terminal.symbols.arrow} ${right}`;
  });
}

const longestValue = 60;

function valueText(value: unknown, source: string | null): string {
  const text = clip(printable(JSON.stringify(value)), longestValue, "…");
  return source === null ? text : `${text} (${printable(source)})`;
}

function codeLines(code: JobComparison["codeChange"], { symbols }: Terminal): string[] {
  if (code === null) return [];
  const hash = (text: unknown) => (typeof text === "string" ? text.slice(0, 8) : missing);
  const whole = `${hash(code.a)} ${symbols.arrow} ${hash(code.b)}`;
  return [whole, ...code.files.map(({ path, a, b }) => `${printable(path)}  ${hash(a)} ${symbols.arrow} ${hash(b)}`)];
}

function nodeLines(nodes: JobComparison["nodes"], terminal: Terminal): string[] {
  const width = Math.max(0, ...nodes.map(({ node }) => node.length));
  return nodes.map(({ node, a, b, codeChanged, dependenciesChanged, duration: took }) => {
    const [left, right] = [a, b].map((side) => (side === null ? "not part of it" : stateText(side)));
    const parts = [
      left === right ? null : `${left} ${terminal.symbols.arrow} ${right}`,
      codeChanged === true ? "other code" : null,
      dependenciesChanged === true ? "needs other nodes" : null,
      took === null ? null : durationText(took, terminal),
    ];
    return `${printable(node).padEnd(width)}  ${parts.filter((part) => part !== null).join(", ")}`;
  });
}

function stateText({ state, runs }: { state: string; runs: number }): string {
  return `${state.toLowerCase().replace("_", " ")}${runs > 1 ? ` (${runs} branches)` : ""}`;
}

function durationText({ aMs, bMs, ratio }: DurationDifferenceFragment, { symbols }: Terminal): string {
  const times = ratio === null ? "" : ` (${symbols.times}${ratio.toFixed(2)})`;
  return `${duration(aMs)} ${symbols.arrow} ${duration(bMs)}${times}`;
}

function resultLines(results: JobComparison["results"], { symbols }: Terminal): string[] {
  const text = (result: ComparedResultFragment | null, byValue: boolean) => {
    if (result === null) return missing;
    if (byValue) return valueText(result.value, null);
    return result.summary === null ? "no summary" : clip(summaryText(result.summary, symbols), longestValue, "…");
  };
  return results.map(({ name, aspects, a, b }) => {
    const how = aspects.map((aspect) => aspect.toLowerCase()).join(", ");
    // Only the values tell them apart.
    const byValue = how === "value" && a?.hasValue === true && b?.hasValue === true;
    return `${printable(name)}  ${text(a, byValue)} ${symbols.arrow} ${text(b, byValue)}  (${how})`;
  });
}

function errorLines(error: JobComparison["error"], { symbols }: Terminal): string[] {
  if (error === null) return [];
  const text = (one: NonNullable<JobComparison["error"]>["a"]) => {
    if (one === null) return missing;
    const where = one.node === null ? "" : `${printable(one.node)}: `;
    return clip(where + printable(errorText(one)), 2 * longestValue, "…");
  };
  return [text(error.a), `${symbols.arrow} ${text(error.b)}`];
}
