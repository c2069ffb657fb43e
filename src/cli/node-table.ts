import type { Client } from "../client/client.ts";
import { LastAttemptDocument, NodeDetailsDocument, type NodeDetailsQuery } from "../client/generated/graphql.ts";
import { pages } from "../client/pages.ts";
import { slowText } from "./frame.ts";
import { summaryText } from "./summary-text.ts";
import { table } from "./table.ts";
import { clip, printable, printableLines, type Terminal } from "./terminal.ts";
import { bytes, duration } from "./units.ts";

type Attempt = Extract<NodeDetailsQuery["node"], { nodeRuns: object }>;
export type NodeDetails = Attempt["nodeRuns"]["nodes"][number];
type Column = NonNullable<NonNullable<NodeDetails["summary"]>["columns"]>[number];

/** What one operation may ask for, with the columns of every frame. */
const nodesAtOnce = 20;

/** All about the nodes and branches of a job's last attempt; of one node, with its code, where a name is given. */
export async function readNodeDetails(client: Client, jobId: string, name: string | null): Promise<NodeDetails[]> {
  // Of the attempt of now, also when another one begins between two pages.
  const { job } = await client.request(LastAttemptDocument, { id: jobId }, { idempotent: true });
  const attempt = job?.lastAttempt?.id;
  if (attempt === undefined) return [];
  const read = async (after: string | null) => {
    const variables = { attempt, name, code: name !== null, first: nodesAtOnce, after };
    const { node } = await client.request(NodeDetailsDocument, variables, { idempotent: true });
    return node !== null && "nodeRuns" in node ? node.nodeRuns : null;
  };
  return await Array.fromAsync(pages(read));
}

/** The first names say enough, and what a node gave should still find room on the line. */
const widestUpstream = 32;

/** A line for each node, and below them the columns of frames. */
export function nodeTable(nodes: readonly NodeDetails[], terminal: Terminal): string[] {
  if (nodes.length === 0) return [terminal.paint("dim", "No node has begun.")];
  const rows = nodes.map((node) => [
    nameOf(node),
    node.state.toLowerCase(),
    node.durationMs === null ? "" : duration(node.durationMs),
    node.cpuMs === null ? "" : duration(node.cpuMs),
    node.memoryGrowthBytes === null ? "" : growth(node.memoryGrowthBytes),
    clip(node.graphNode?.upstream.join(", ") ?? "", widestUpstream, terminal.symbols.ellipsis),
    node.summary === null ? "" : summaryText(node.summary, terminal.symbols),
  ]);
  const head = ["NODE", "STATE", "TIME", "CPU", "MEMORY ~", "UPSTREAM", "VALUE"];
  return [...table(head, rows, terminal.columns, terminal.symbols.ellipsis), ...columnTable(nodes, terminal)];
}

/** Everything about one node, each of its branches in a row of the table; null when it has not begun. */
export function nodeLines(nodes: readonly NodeDetails[], terminal: Terminal): string[] | null {
  const [first] = nodes;
  if (first === undefined) return null;
  const { paint, symbols } = terminal;
  const { graphNode } = first;
  const facts: [string, string | null][] = [
    ["type", graphNode?.type ?? null],
    ["tags", graphNode === null ? null : tagsText(graphNode.tags)],
    ["upstream", graphNode?.upstream.join(", ") || null],
    ["downstream", graphNode?.downstream.join(", ") || null],
    [
      "why",
      oneOf(
        nodes.map(({ reason }) => reason?.text ?? null),
        symbols.ellipsis,
      ),
    ],
    [
      "slow",
      oneOf(
        nodes.map(({ regression }) => slowText(regression ?? null) || null),
        symbols.ellipsis,
      ),
    ],
    [
      "code",
      graphNode?.file == null ? null : `${graphNode.file}${graphNode.line === null ? "" : `:${graphNode.line}`}`,
    ],
  ];
  const source = first.source ?? null;
  return [
    ...nodeTable(nodes, terminal),
    ...(graphNode?.doc == null ? [] : ["", ...printableLines(graphNode.doc)]),
    "",
    ...facts.flatMap(([name, value]) =>
      value === null ? [] : [`  ${paint("dim", name.padEnd(10))}  ${printable(value)}`],
    ),
    ...(source === null ? [] : ["", ...printableLines(source.trimEnd()).map((line) => `    ${line}`)]),
  ];
}

function tagsText(tags: NonNullable<NodeDetails["graphNode"]>["tags"]): string | null {
  const told = Object.entries(tags).filter(([name]) => name !== "module");
  return told.length === 0 ? null : told.map(([name, value]) => `${name}: ${String(value)}`).join(", ");
}

/** Of what branches have in common, or not. */
function oneOf(texts: readonly (string | null)[], ellipsis: string): string | null {
  const told = [...new Set(texts.filter((text) => text !== null))];
  return told.length === 0 ? null : `${told[0]}${told.length > 1 ? `, ${ellipsis}` : ""}`;
}

function nameOf({ node, branch }: NodeDetails): string {
  // Hamilton's task id: the number of the branch is what tells it from its neighbours.
  const index = branch?.match(/\.(\d+)\./)?.[1];
  return printable(branch === null ? node : `${node} [${index ?? branch}]`);
}

function growth(count: number): string {
  return count < 0 ? `-${bytes(-count)}` : bytes(count);
}

function columnTable(nodes: readonly NodeDetails[], { columns, symbols }: Terminal): string[] {
  const rows = nodes.flatMap((node) => (node.summary?.columns ?? []).map((column) => columnRow(nameOf(node), column)));
  if (rows.length === 0) return [];
  return ["", ...table(["NODE", "COLUMN", "MIN", "MAX", "MEAN", "NULLS", "TYPE"], rows, columns, symbols.ellipsis)];
}

function columnRow(node: string, { name, type, statistics }: Column): string[] {
  const number = (value: number | null | undefined) =>
    value === null || value === undefined ? "" : String(Number(value.toPrecision(6)));
  return [
    node,
    printable(name),
    number(statistics?.min),
    number(statistics?.max),
    number(statistics?.mean),
    number(statistics?.nulls),
    printable(type),
  ];
}
