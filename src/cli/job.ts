import type { Command } from "commander";
import type { Artifact, Client, Job, NodeRun } from "../client/client.ts";
import { openApi } from "./api.ts";
import { type Cli, type GlobalOptions, globalOptions, printJson } from "./cli.ts";
import { UsageError } from "./failure.ts";
import { failureBlock } from "./failure-block.ts";
import { frame, slowText } from "./frame.ts";
import { showContext } from "./job-context.ts";
import { viewOf } from "./job-view.ts";
import { nodeLines, nodeTable, readNodeDetails } from "./node-table.ts";
import { table } from "./table.ts";
import { printable, type Terminal } from "./terminal.ts";
import { bytes, duration, localTime } from "./units.ts";

export function addJob(program: Command, cli: Cli): void {
  program
    .command("job")
    .description("all about one job: its request, its nodes, its results or its failure")
    .argument("<job>", "which job")
    .option("--nodes", "a table of its nodes: time, processor time, memory, what they took, what they gave")
    .option("--node <name>", "one of them, with its docs, tags, neighbours and its code as it ran")
    .option("--context", "everything its last attempt ran with: each value with its source, versions, code")
    .action(async (ref: string, _options: object, command: Command) => {
      const options = globalOptions(command) as Options;
      await using client = openApi(cli, options);
      const job = await client.find(ref);
      if (options.context) return await showContext(client, job.id, options, cli);
      if (options.nodes) return await showNodes(client, job.id, options, cli);
      if (options.node !== undefined) return await showNode(client, job.id, options.node, options, cli);
      const nodeRuns = await Array.fromAsync(client.nodeRuns(job.id));
      const artifacts = await Array.fromAsync(client.artifacts(job.id));
      if (options.json) return printJson(cli.terminal, { ...job, nodeRuns, artifacts });
      for (const line of jobLines(job, nodeRuns, cli.terminal)) cli.terminal.out(line);
      for (const line of artifactLines(artifacts, cli.terminal)) cli.terminal.out(line);
    });
}

type Options = GlobalOptions & { nodes?: boolean; node?: string; context?: boolean };

/** One node with its code. */
async function showNode(client: Client, id: string, name: string, options: Options, { terminal }: Cli): Promise<void> {
  const nodes = await readNodeDetails(client, id, name);
  const lines = nodeLines(nodes, terminal);
  if (lines === null) {
    throw new UsageError(`No node ${name} has begun in this job. Those that have: flowerpower-queue job ${id} --nodes`);
  }
  if (options.json) return printJson(terminal, nodes);
  for (const line of lines) terminal.out(line);
}

/** A table of its nodes alone. */
async function showNodes(client: Client, id: string, options: GlobalOptions, { terminal }: Cli): Promise<void> {
  const nodes = await readNodeDetails(client, id, null);
  if (options.json) return printJson(terminal, nodes);
  for (const line of nodeTable(nodes, terminal)) terminal.out(line);
}

function jobLines(job: Job, nodeRuns: readonly NodeRun[], terminal: Terminal): string[] {
  const whole = { paint: terminal.paint, symbols: terminal.symbols, columns: terminal.columns, rows: 10_000 };
  const facts = factsOf(job);
  const width = Math.max(...facts.map(([name]) => name.length));
  return [
    ...frame(viewOf(job, nodeRuns), whole, Date.now()),
    "",
    ...facts.map(([name, value]) => `  ${terminal.paint("dim", name.padEnd(width))}  ${printable(value)}`),
    ...(job.error === null ? [] : ["", ...failureBlock(job, terminal)]),
  ];
}

/** What it has left, each with how to get it or why that is not possible. */
function artifactLines(artifacts: readonly Artifact[], { paint, columns, symbols }: Terminal): string[] {
  if (artifacts.length === 0) return [];
  const rows = artifacts.map(({ name, kind, mediaType, bytes: size, downloadUrl, omitted, expiresAt }) => [
    printable(name),
    kind.toLowerCase(),
    size === null ? "" : bytes(size),
    downloadUrl === null
      ? (omitted ?? "")
      : `${mediaType}${expiresAt === null ? "" : `, until ${localTime(expiresAt)}`}`,
  ]);
  const lines = table(["artifact", "", "", ""], rows, columns - 2, symbols.ellipsis, (text, _column, row) =>
    row === null ? paint("dim", text) : text,
  );
  return ["", ...lines.map((line) => `  ${line}`)];
}

function factsOf(job: Job): [string, string][] {
  const facts: [string, string | null][] = [
    ["id", job.id],
    ["inputs", json(job.inputs)],
    ["inputs from", job.inputsFrom.map((one) => `${one.input}: ${one.variable} of ${one.jobId}`).join(", ") || null],
    ["config", json(job.config)],
    ["final variables", job.finalVars?.join(", ") ?? null],
    ["queue", `${job.queue}, priority ${job.priority}`],
    ["batch", job.batch === null ? null : [job.batch.id, job.batch.name].filter((part) => part !== null).join(" ")],
    ["tags", job.tags.join(", ") || null],
    ["metadata", metadataText(job.metadata)],
    ["enqueued", `${localTime(job.createdAt)} by ${job.requestedBy ?? job.actor}`],
    ["due", job.startedAt === null ? localTime(job.runAt) : null],
    ["started", job.startedAt && `${localTime(job.startedAt)}${waited(job)}`],
    ["finished", job.finishedAt && localTime(job.finishedAt)],
    ["timeout", job.timeoutMs === null ? null : duration(job.timeoutMs)],
    ["reuse", reuseText(job.options)],
    // FlowerPower by itself would try three times more, which nobody has written.
    ["retries", job.maxAttempts > 1 ? `${job.maxAttempts - 1} at most` : "none (only a retry that is written counts)"],
    ["expected", expectedText(job)],
    ["slow", slowText(job.regression) || null],
    ["worker", job.worker && `${job.worker.id} (${job.worker.host}, process ${job.worker.pid})`],
    ...job.dependsOn.map((one): [string, string] => ["waits for", dependencyText(one)]),
    ["wait for it", dependentsText(job)],
    ["rerun of", job.rerunOf?.id ?? null],
    ["reruns", rerunsText(job)],
    ["resolved by", resolvedText(job)],
    ["seen", seenText(job)],
    ["checked", job.validated ? null : "not before it starts: no worker had described the pipeline"],
    ...job.attempts.nodes.map(({ number, outcome, durationMs, errorKind }): [string, string] => [
      `attempt ${number}`,
      [outcome === null ? "runs" : outcomes[outcome], durationMs === null ? null : duration(durationMs), errorKind]
        .filter((part) => part !== null)
        .join(", "),
    ]),
  ];
  return facts.filter((fact): fact is [string, string] => fact[1] !== null);
}

const conditions = { SUCCEEDED: "succeeded", FAILED: "failed", ENDED: "ended" } as const;

/** `job_… to have succeeded, else it is cancelled; it is running`, and only the first when it has. */
function dependencyText({ parentId, when, otherwise, resolvedAt, parent }: Job["dependsOn"][number]): string {
  if (resolvedAt !== null) return `${parentId}, which has ${conditions[when]}`;
  const is = parent === null ? "it has been deleted" : `it is ${parent.state.toLowerCase()}`;
  const orElse = otherwise === "CANCEL" ? "else it is cancelled" : "else it goes on waiting";
  return `${parentId} to have ${conditions[when]}, ${orElse}; ${is}`;
}

function dependentsText({ dependents }: Job): string | null {
  const listed = dependents.nodes.map(({ job: { id, state } }) => `${id.slice(-6)} ${state.toLowerCase()}`).join(", ");
  return listed === "" ? null : `${listed}${dependents.pageInfo.hasNextPage ? ", …" : ""}`;
}

function reuseText({ reuse, recompute }: Job["options"]): string | null {
  if (reuse === null) return null;
  const again = recompute.length === 0 ? "" : `, ${recompute.join(", ")} computed again`;
  return `${reuse.toLowerCase()}${again}`;
}

const outcomes: Record<NonNullable<Job["attempts"]["nodes"][number]["outcome"]>, string> = {
  SUCCEED: "succeeded",
  FAIL: "failed",
  RETRY: "failed, tried again",
  RELEASE: "handed back",
  RESCUE: "lost",
  STOP: "stopped",
};

function expectedText({ progress: { expectedMs, leftMs } }: Job): string | null {
  if (expectedMs === null) return null;
  return `about ${duration(expectedMs)}${leftMs === null ? "" : `, ${duration(leftMs)} left`}`;
}

function waited({ waitedMs }: Job): string {
  return waitedMs === null ? "" : `, waited ${duration(waitedMs)}`;
}

function rerunsText({ reruns }: Job): string | null {
  const listed = reruns.nodes.map(({ id, state }) => `${id.slice(-6)} ${state.toLowerCase()}`).join(", ");
  return listed === "" ? null : `${reruns.pageInfo.hasPreviousPage ? "… " : ""}${listed}`;
}

function resolvedText({ id, resolvedBy, life }: Job): string | null {
  if (resolvedBy === null) return null;
  return resolvedBy.id === id ? `itself, in life ${life}` : resolvedBy.id;
}

/** How often it has failed in this way, when it was not the only time. */
function seenText({ failureGroup }: Job): string | null {
  if (failureGroup === null || failureGroup.count < 2) return null;
  const { count, firstSeenAt, isOpen } = failureGroup;
  return `${count} such failures since ${localTime(firstSeenAt)}${isOpen ? "" : "; a run has succeeded since"}`;
}

function json(value: Record<string, unknown> | null): string | null {
  return value === null || Object.keys(value).length === 0 ? null : JSON.stringify(value);
}

function metadataText(metadata: Record<string, unknown>): string | null {
  return (
    Object.entries(metadata)
      .map(([key, value]) => `${key}=${value}`)
      .join(", ") || null
  );
}
