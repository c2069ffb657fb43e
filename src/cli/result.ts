import { writeFile } from "node:fs/promises";
import type { Command } from "commander";
import { type Artifact, type Client, isFinal, type Job } from "../client/client.ts";
import { openApi } from "./api.ts";
import { type Cli, type GlobalOptions, globalOptions, printJson } from "./cli.ts";
import { Exit, exitCodes, UsageError } from "./failure.ts";
import { exitCodeOf } from "./follow.ts";
import { frameLines } from "./frame-preview.ts";
import { save } from "./save.ts";
import { previewLines, summaryText } from "./summary-text.ts";
import type { Terminal } from "./terminal.ts";
import { bytes } from "./units.ts";

interface Options extends GlobalOptions {
  output?: string;
}

type Result = Job["results"][number];

export function addResult(program: Command, cli: Cli): void {
  program
    .command("result")
    .description(
      "print a job's final variables, all or one, or save one, a file that the run has left, or its whole log",
    )
    .argument("<job>", "which job")
    .argument("[name]", "only this final variable, or this file (`job` lists them)")
    .option("-o, --output <file>", "write it to a file: JSON, or the artifact as it is (Parquet, PNG …)")
    .action(async (ref: string, name: string | undefined, _options: object, command: Command) => {
      const options = globalOptions(command) as Options;
      await using client = openApi(cli, options);
      const job = await client.find(ref);
      if (name !== undefined) return await giveOne(client, job, name, options, cli);
      refuseUnfinished(job, cli.terminal);
      await giveAll(client, job, options, cli);
    });
}

async function giveOne(client: Client, job: Job, name: string, options: Options, cli: Cli): Promise<void> {
  const result = job.results.find((one) => one.name === name);
  if (result?.hasValue) return await give(result.value, options, cli);
  if (result?.artifact != null) return await giveFile(client, result, result.artifact, options, cli);
  for await (const artifact of client.artifacts(job.id)) {
    if (artifact.kind !== "RESULT" && artifact.name === name)
      return await giveFile(client, null, artifact, options, cli);
  }
  refuseUnfinished(job, cli.terminal);
  if (result === undefined) {
    const names = job.results.map((one) => one.name).join(", ");
    throw new UsageError(`${job.id} has no final variable and no file ${name}. It has: ${names || "none"}.`);
  }
  const summary = result.summary === null ? "" : ` It was: ${summaryText(result.summary, cli.terminal.symbols)}`;
  throw new UsageError(`The value of ${name} is not kept: ${result.omitted ?? "no reason is known"}.${summary}`);
}

/** Without a file to write to a frame is shown by its first rows, JSON is printed, and of the rest its place is told. */
async function giveFile(
  client: Client,
  result: Result | null,
  artifact: Artifact,
  { output, json }: Options,
  { terminal }: Cli,
): Promise<void> {
  if (output !== undefined) return await save(client, artifact, output, terminal);
  if (json) return printJson(terminal, result?.artifact ?? artifact);
  if (artifact.downloadUrl === null) throw new UsageError(`${artifact.name} is not kept: ${artifact.omitted}.`);
  if (artifact.mediaType === "application/json") {
    const { body } = await client.download(artifact.id);
    terminal.out(await new Response(body).text());
    return;
  }
  if (result !== null) tell(result, terminal);
  else terminal.out(fileText(artifact, terminal));
}

async function giveAll(client: Client, job: Job, options: Options, cli: Cli): Promise<void> {
  const [only] = job.results;
  if (options.output !== undefined && job.results.length === 1 && only?.hasValue === false && only.artifact !== null) {
    return await save(client, only.artifact, options.output, cli.terminal);
  }
  const inline = job.results.filter(({ hasValue }) => hasValue).map(({ name, value }) => [name, value]);
  const files = job.results.flatMap(({ name, hasValue, artifact }) =>
    hasValue || artifact === null ? [] : [[name, { artifact }] as const],
  );
  if (options.json) return await give(Object.fromEntries([...inline, ...files]), options, cli);
  if (options.output !== undefined) {
    for (const [name] of files)
      cli.terminal.err(`${name} is a file of its own: result ${job.id.slice(-6)} ${name} -o FILE`);
    return await give(Object.fromEntries(inline), options, cli);
  }
  for (const result of job.results) tell(result, cli.terminal);
}

function refuseUnfinished(job: Job, { err }: Terminal): void {
  if (job.state === "SUCCEEDED") return;
  const id = job.id.slice(-6);
  if (!isFinal(job.state)) {
    throw new UsageError(
      `${job.id} is ${job.state} and has no result yet. Wait for it with: flowerpower-queue watch ${id}`,
    );
  }
  err(`${job.id} is ${job.state} and has no result. Its reason: flowerpower-queue job ${id}`);
  throw new Exit(exitCodeOf(job));
}

async function give(value: unknown, { output }: Options, { terminal }: Cli): Promise<void> {
  if (output === undefined) return printJson(terminal, value);
  try {
    await writeFile(output, `${JSON.stringify(value, null, 2)}\n`);
  } catch (error) {
    terminal.err(`Can't write ${output}: ${error instanceof Error ? error.message : String(error)}`);
    throw new Exit(exitCodes.failed);
  }
}

/** A value for a person: whole when it is small, by its first rows when it is a frame, else what it looked like. */
function tell(result: Result, terminal: Terminal): void {
  const { name, hasValue, value, summary, artifact, omitted } = result;
  const { out, paint, symbols, columns } = terminal;
  const looks = summary === null ? "" : summaryText(summary, symbols);
  out(`${paint("bold", name)}  ${looks}`);
  if (hasValue) {
    out(JSON.stringify(value, null, 2));
    return;
  }
  const rows = artifact === null ? [] : frameLines(artifact, summary?.shape?.[0] ?? null, terminal);
  for (const line of rows.length === 0 && summary !== null ? previewLines(summary, columns - 2) : rows)
    out(`  ${line}`);
  if (artifact === null || artifact.downloadUrl === null) {
    out(paint("dim", `  only this is kept: ${artifact?.omitted ?? omitted ?? "no reason is known"}`));
  } else out(paint("dim", `  ${fileText(artifact, terminal)}`));
}

function fileText({ mediaType, bytes: size }: Artifact, { symbols }: Terminal): string {
  return `${mediaType ?? "a file"}, ${bytes(size ?? 0)} ${symbols.dot} save it with -o FILE`;
}
