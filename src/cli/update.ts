import type { Command } from "commander";
import { errorOf } from "../client/errors.ts";
import { UpdateJobDocument } from "../client/generated/graphql.ts";
import { openApi } from "./api.ts";
import { type Cli, type GlobalOptions, globalOptions, printJson } from "./cli.ts";
import { UsageError } from "./failure.ts";
import { waitingText } from "./jobs.ts";
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

interface Options extends EditFlags, GlobalOptions {
  input: string[];
  inputs?: string;
  unset: string[];
}

export function addUpdate(program: Command, cli: Cli): void {
  program
    .command("update")
    .description("change a job that waits: its turn, when and where it runs, its inputs")
    .argument("<job>", "which job")
    .option("--priority <number>", "from 0 to 100; higher is taken first", wholeNumber)
    .option("--in <duration>", "due after this time: 30m, 0s", lengthMs)
    .option("--at <time>", "due then: 2026-11-23T18:00 (local), or with Z or an offset")
    .option("--queue <name>", "the queue in which it waits from now on")
    .option("-i, --input <name=value>", "one input, read as its type wants it; may be repeated", collect, [])
    .option("--inputs <dict>", "inputs: JSON, or a=1,b=2")
    .option("--unset <name>", "an input that the job gave and does not give any more; may be repeated", collect, [])
    .option("--tag <tag>", "a tag instead of those it had; may be repeated", collect, [])
    .option("--reason <text>", "why, for whoever asks later")
    .action(async (ref: string, _options: object, command: Command) => {
      const options = globalOptions(command) as Options;
      await using client = openApi(cli, options);
      const { id, project, pipeline } = await client.find(ref);
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

export function editOf({ priority, queue, tag, ...flags }: EditFlags, now: number) {
  const runAt = runAtOf(flags, now);
  return {
    ...(priority !== undefined && { priority }),
    ...(queue !== undefined && { queue }),
    ...(runAt !== undefined && { runAt }),
    ...(tag.length > 0 && { tags: tag }),
  };
}
