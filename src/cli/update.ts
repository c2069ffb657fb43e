import type { Command } from "commander";
import type { Client } from "../client/client.ts";
import { errorOf } from "../client/errors.ts";
import { UpdateJobDocument } from "../client/generated/graphql.ts";
import { openApi } from "./api.ts";
import { type BulkFlags, bulkFlags, isBulk, runBulk } from "./bulk.ts";
import { type Cli, globalOptions, printJson } from "./cli.ts";
import { UsageError } from "./failure.ts";
import { stateFlag, waitingText } from "./jobs.ts";
import { collect, inputsOf, lengthMs, runAtOf, wholeNumber } from "./run-flags.ts";

/** What is to be different, as commander gives it. */
export interface EditFlags {
  priority?: number;
  in?: number;
  at?: string;
  queue?: string;
  tag: string[];
  reason?: string;
}

/** `--queue` and `--tag` say what is to be different: which jobs are meant has other names here. */
interface Options extends EditFlags, Omit<BulkFlags, "queue" | "tag"> {
  ofQueue?: string;
  withTag?: string;
  input: string[];
  inputs?: string;
  unset: string[];
}

export function addUpdate(program: Command, cli: Cli): void {
  const command = program
    .command("update")
    .description("change jobs that wait: their turn, when and where they run; of one job its inputs too")
    .argument("[jobs...]", "which jobs; --input, --inputs and --unset are for one alone")
    .option("--priority <number>", "from 0 to 100; higher is taken first", wholeNumber)
    .option("--in <duration>", "due after this time: 30m, 0s", lengthMs)
    .option("--at <time>", "due then: 2026-11-23T18:00 (local), or with Z or an offset")
    .option("--queue <name>", "the queue in which it waits from now on")
    .option("-i, --input <name=value>", "one input, read as its type wants it; may be repeated", collect, [])
    .option("--inputs <dict>", "inputs: JSON, or a=1,b=2")
    .option("--unset <name>", "an input that the job gave and does not give any more; may be repeated", collect, [])
    .option("--tag <tag>", "a tag instead of those it had; may be repeated", collect, [])
    .option("--reason <text>", "why, for whoever asks later");
  whichJobs(command).action(async (refs: string[], _options: object, command: Command) => {
    const options = globalOptions(command) as Options;
    await using client = openApi(cli, options);
    const { ofQueue, withTag, queue: _queue, tag: _tag, ...others } = options;
    const flags: BulkFlags = {
      ...others,
      ...(ofQueue !== undefined && { queue: ofQueue }),
      ...(withTag !== undefined && { tag: withTag }),
    };
    if (isBulk(refs, flags)) return await updateMany(client, refs, options, flags, cli);
    const { id, project, pipeline } = await client.find(refs[0] as string);
    const inputs = await inputsOf(client, `${project}/${pipeline}`, options);
    const edit = {
      ...editOf(options, Date.now()),
      ...(inputs !== undefined && { inputs }),
      ...(options.unset.length > 0 && { unset: options.unset }),
    };
    if (Object.keys(edit).length === 0)
      throw new UsageError("Say what is to change: --priority, --in, --at, --queue, --input, --unset, --tag.");
    const input = { id, ...edit, reason: options.reason ?? null };
    const { updateJob: result } = await client.request(UpdateJobDocument, { input });
    if (result.__typename !== "UpdateJobSuccess") throw errorOf(result);
    if (options.json) return printJson(cli.terminal, result.job);
    const { job } = result;
    const waits = waitingText(job);
    cli.terminal.out(
      `${job.id} is changed: ${job.state.toLowerCase()} in ${job.queue}, priority ${job.priority}${waits === null ? "" : `, waits: ${waits}`}.`,
    );
  });
}

/** The filter of the lists, without the names that say here what is to be different. */
function whichJobs(command: Command): Command {
  command
    .optionsGroup("Instead of naming jobs:")
    .option(...stateFlag)
    .option("--project <name>", "only of this project")
    .option("--pipeline <name>", "only of this pipeline: project/pipeline, or its name beside --project")
    .option("--of-queue <name>", "only in this queue")
    .option("--with-tag <tag>", "only with this tag")
    .option("--meta <key=value>", "only with this in its metadata; may be repeated", collect, []);
  return bulkFlags(command);
}

async function updateMany(client: Client, refs: readonly string[], options: Options, flags: BulkFlags, cli: Cli) {
  if (options.input.length > 0 || options.inputs !== undefined || options.unset.length > 0) {
    throw new UsageError("--input, --inputs and --unset are for one job.");
  }
  const edit = editOf(options, Date.now());
  if (Object.keys(edit).length === 0) {
    throw new UsageError("Say what is to change: --priority, --in, --at, --queue, --tag.");
  }
  await runBulk(client, "update", refs, flags, cli, edit);
}

export function editOf({ priority, queue, tag, ...flags }: EditFlags, now: number) {
  const runAt = runAtOf(flags, now);
  return {
    ...(priority !== undefined && { priority }),
    ...(queue !== undefined && { queue }),
    ...(runAt !== undefined && { runAt }),
    ...(tag.length > 0 && { tags: tag }),
  };
}
