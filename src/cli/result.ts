import { writeFile } from "node:fs/promises";
import type { Command } from "commander";
import { isFinal, type Job } from "../client/client.ts";
import { openApi } from "./api.ts";
import { type Cli, type GlobalOptions, globalOptions, printJson } from "./cli.ts";
import { Exit, exitCodes, UsageError } from "./failure.ts";
import { exitCodeOf } from "./follow.ts";
import { previewLines, summaryText } from "./summary-text.ts";
import type { Terminal } from "./terminal.ts";

interface Options extends GlobalOptions {
  output?: string;
}

type Result = Job["results"][number];

export function addResult(program: Command, cli: Cli): void {
  program
    .command("result")
    .description("print a job's final variables: all that are kept, or one")
    .argument("<job>", "which job")
    .argument("[variable]", "only this final variable")
    .option("-o, --output <file>", "write it to a file, as JSON")
    .action(async (ref: string, variable: string | undefined, _options: object, command: Command) => {
      const options = globalOptions(command) as Options;
      await using client = openApi(cli, options);
      const job = await client.find(ref);
      refuseUnfinished(job, cli.terminal);
      if (variable !== undefined) return await give(valueNamed(job, variable, cli.terminal), options, cli);
      const kept = job.results.filter(({ hasValue }) => hasValue);
      const values = Object.fromEntries(kept.map(({ name, value }) => [name, value]));
      if (options.output !== undefined || options.json) return await give(values, options, cli);
      for (const result of job.results) tell(result, cli.terminal);
    });
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

function valueNamed(job: Job, variable: string, { symbols }: Terminal): unknown {
  const result = job.results.find(({ name }) => name === variable);
  if (result === undefined) {
    const names = job.results.map(({ name }) => name).join(", ");
    throw new UsageError(`${job.id} has no final variable ${variable}. It has: ${names || "none"}.`);
  }
  if (!result.hasValue) {
    const summary = result.summary === null ? "" : ` It was: ${summaryText(result.summary, symbols)}`;
    throw new UsageError(`The value of ${variable} is not kept: ${result.omitted ?? "no reason is known"}.${summary}`);
  }
  return result.value;
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

/** A value for a person: whole when it is kept, else what it looked like. */
function tell({ name, hasValue, value, summary, omitted }: Result, { out, paint, symbols, columns }: Terminal): void {
  const looks = summary === null ? "" : summaryText(summary, symbols);
  out(`${paint("bold", name)}  ${looks}`);
  if (hasValue) {
    out(JSON.stringify(value, null, 2));
    return;
  }
  for (const line of summary === null ? [] : previewLines(summary, columns - 2)) out(`  ${line}`);
  out(paint("dim", `  only this is kept: ${omitted ?? "no reason is known"}`));
}
