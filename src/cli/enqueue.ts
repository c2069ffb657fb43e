import type { Command } from "commander";
import type { Enqueued } from "../client/client.ts";
import { openApi } from "./api.ts";
import { type Cli, type GlobalOptions, globalOptions, printJson } from "./cli.ts";
import { Exit } from "./failure.ts";
import { exitCodeOf, follow } from "./follow.ts";
import { waitingText } from "./jobs.ts";
import { addRunFlags, type RunFlags, requestOf } from "./run-flags.ts";
import type { Terminal } from "./terminal.ts";
import { counted } from "./units.ts";

type Options = GlobalOptions & RunFlags & { wait?: boolean; follow?: boolean };

export function addEnqueue(program: Command, cli: Cli): void {
  const command = program
    .command("enqueue")
    .description("ask for a run of a pipeline")
    .argument("<pipeline>", "project/pipeline, or a name that only one project has");
  addRunFlags(command)
    .optionsGroup("Afterwards:")
    .option("--wait", "wait for its end; ends with its exit code")
    .option("-f, --follow", "show its nodes live until its end; ends with its exit code")
    .action(async (pipeline: string, _options: object, command: Command) => {
      const options = globalOptions(command) as Options;
      await using client = openApi(cli, options);
      const enqueued = await client.enqueue(await requestOf(client, pipeline, options, Date.now()));
      const { job } = enqueued;
      if (options.follow) {
        if (!options.json) cli.terminal.err(accepted(enqueued, cli.terminal));
        throw new Exit(exitCodeOf((await follow(client, job, cli, options)).job));
      }
      if (!options.wait) {
        if (options.json) return printJson(cli.terminal, enqueued);
        return cli.terminal.out(accepted(enqueued, cli.terminal));
      }
      if (!options.json) cli.terminal.out(accepted(enqueued, cli.terminal));
      const ended = await client.watch(job.id, { giveUpAfterMs: 60_000 }).job;
      if (options.json) printJson(cli.terminal, ended);
      else cli.terminal.out(`${ended.id} ${ended.state.toLowerCase()}`);
      if (ended.state === "FAILED" && ended.error !== null) {
        cli.terminal.err(`${ended.error.type}: ${ended.error.message}`);
      }
      throw new Exit(exitCodeOf(ended));
    });
}

/** In one line what became of the request. */
export function accepted({ job, plan, replayed }: Enqueued, { symbols }: Pick<Terminal, "symbols">): string {
  const name = `${job.project}/${job.pipeline}`;
  if (replayed) return `${job.id} was enqueued before with this key: ${name} is ${job.state}`;
  const what =
    plan === null ? "not yet checked: no worker has described it" : `${counted(plan.count, "node")} will run`;
  const waiting = waitingText(job);
  return `${symbols.arrow} ${job.id} accepted: ${name}, ${what}${waiting === null ? "" : `, waits: ${waiting}`}`;
}
