import type { Command } from "commander";
import type { Client, EnqueueBatchInput, EnqueuedBatch } from "../client/client.ts";
import { JobsRefusedError } from "../client/errors.ts";
import { openApi } from "./api.ts";
import { type Cli, type GlobalOptions, globalOptions, printJson } from "./cli.ts";
import { Exit, exitCodes, UsageError } from "./failure.ts";
import { batchExitCode, followBatch } from "./follow-batch.ts";
import { axisOf, setsOf } from "./input-sets.ts";
import {
  addAfterFlags,
  addChangeFlags,
  choice,
  collect,
  inputSchemas,
  inputsOf,
  type RunFlags,
  requestOf,
} from "./run-flags.ts";
import { printable, type Terminal } from "./terminal.ts";
import { counted } from "./units.ts";

interface Flags extends RunFlags, GlobalOptions {
  sweep: string[];
  file?: string;
  name?: string;
  onComplete?: string;
  onCompleteInput: string[];
  onCompleteWhen?: "SUCCEEDED" | "FAILED" | "ENDED";
  dryRun?: boolean;
  wait?: boolean;
  follow?: boolean;
}

export function addBatchEnqueue(batch: Command, cli: Cli): void {
  const command = batch
    .command("enqueue")
    .description("ask for runs of a pipeline over many inputs, as one")
    .argument("<pipeline>", "project/pipeline, or a name that only one project has")
    .optionsGroup("For which inputs:")
    .option(
      "--sweep <name=values>",
      "values of an input: a,b,c or 1..10 or 2024-06-01..2024-06-30 or a JSON list; repeated: every combination",
      collect,
      [],
    )
    .option(
      "--file <file>",
      "instead: an input set for each line (-: standard input), JSON objects or .csv with a head",
    )
    .option("-n, --name <text>", "what to call it")
    .option("--dry-run", "check everything and store nothing; show how many jobs it would be, and some of them")
    .optionsGroup("When all have ended:")
    .option("--on-complete <pipeline>", "a pipeline that is run then")
    .option("--on-complete-input <name=value>", "one of its inputs; may be repeated", collect, [])
    .addOption(
      choice("--on-complete-when <how>", "how they have to have ended for it to run", ["SUCCEEDED", "FAILED", "ENDED"]),
    )
    .optionsGroup("Afterwards:")
    .option("--wait", "wait until all have ended; ends with 0 when all have succeeded, 1 when not, 3 when cancelled")
    .option("-f, --follow", "show how far it is until then");
  addAfterFlags(addChangeFlags(command))
    .option("--project <name>", "the project, when the name does not say it")
    .option("--input-from <name=job:variable>", "an input of all that is a result of another job", collect, [])
    .action(async (pipeline: string, _options: object, command: Command) => {
      const flags = globalOptions(command) as Flags;
      await using client = openApi(cli, flags);
      const enqueued = await enqueue(client, pipeline, flags, cli);
      await afterwards(client, enqueued, flags, cli);
    });
}

async function enqueue(client: Client, pipeline: string, flags: Flags, cli: Cli): Promise<EnqueuedBatch> {
  const input = await inputOf(client, pipeline, flags, cli);
  try {
    return await client.enqueueBatch(input);
  } catch (error) {
    if (!(error instanceof JobsRefusedError)) throw error;
    if (flags.json)
      printJson(cli.terminal, { code: error.code, message: error.message, refused: error.refused.map(told) });
    else for (const each of error.refused) cli.terminal.err(refusedLine(each, flags, cli.terminal));
    cli.terminal.err(printable(error.message));
    throw new Exit(exitCodes.usage);
  }
}

async function inputOf(client: Client, pipeline: string, flags: Flags, { cwd }: Cli): Promise<EnqueueBatchInput> {
  const { sweep, file, name, dryRun = false } = flags;
  if ((sweep.length === 0) === (file === undefined)) {
    throw new UsageError("Say for which inputs: either --sweep name=values, or --file.");
  }
  const [{ idempotencyKey, unique: _unique, ...run }, schemas] = await Promise.all([
    requestOf(client, pipeline, flags),
    inputSchemas(client, pipeline, flags),
  ]);
  const sets = file === undefined ? null : await setsOf(file, cwd, schemas);
  const grid = file === undefined ? sweep.map((pair) => axisOf(pair, schemas)) : null;
  const onComplete = await onCompleteOf(client, flags);
  return { name, sweep: { ...run, grid, sets }, onComplete, idempotencyKey, dryRun };
}

async function onCompleteOf(client: Client, flags: Flags): Promise<EnqueueBatchInput["onComplete"]> {
  const { onComplete: pipeline, onCompleteInput: input, onCompleteWhen: when } = flags;
  if (pipeline === undefined) {
    if (input.length === 0 && when === undefined) return undefined;
    throw new UsageError("--on-complete-input and --on-complete-when need --on-complete: say what runs.");
  }
  const inputs = await inputsOf(client, pipeline, { input });
  return { run: { pipeline, ...(inputs !== undefined && { inputs }) }, ...(when !== undefined && { when }) };
}

async function afterwards(client: Client, enqueued: EnqueuedBatch, flags: Flags, cli: Cli): Promise<void> {
  const { batch, sample, total } = enqueued;
  const { terminal } = cli;
  const waits = flags.wait === true || flags.follow === true;
  if (batch === null) {
    if (flags.json) return printJson(terminal, enqueued);
    for (const inputs of sample ?? []) terminal.out(printable(JSON.stringify(inputs)));
    const more = sample !== null && total > sample.length ? `, of which these are the first ${sample.length}` : "";
    return terminal.out(`It would be ${counted(total, "job")}${more}. Nothing was stored.`);
  }
  if (!waits && flags.json) return printJson(terminal, enqueued);
  if (!flags.json) terminal[flags.follow ? "err" : "out"](accepted(enqueued, batch, terminal));
  if (!waits) return;
  const ended = await followBatch(client, batch, cli, { json: flags.json, quiet: flags.follow !== true });
  throw new Exit(batchExitCode(ended));
}

function accepted(
  { replayed, total }: EnqueuedBatch,
  { id, state }: NonNullable<EnqueuedBatch["batch"]>,
  { symbols }: Terminal,
): string {
  if (replayed) return `${id} was enqueued before with this key: it is ${state}`;
  return `${symbols.arrow} ${id} accepted: ${counted(total, "job")}`;
}

function told({ index, error }: JobsRefusedError["refused"][number]) {
  return { index, code: error.code, message: error.message, path: error.path };
}

function refusedLine(
  { index, error }: JobsRefusedError["refused"][number],
  flags: Flags,
  { symbols }: Terminal,
): string {
  const which = flags.file === undefined ? `combination ${index + 1}` : `set ${index + 1}`;
  return `${symbols.failed} ${which}: ${printable(error.message)}`;
}
