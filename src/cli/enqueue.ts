import type { Command } from "commander";
import type { Client, Enqueued } from "../client/client.ts";
import { openApi } from "./api.ts";
import { type Cli, type GlobalOptions, globalOptions, printJson } from "./cli.ts";
import { enqueueFrom } from "./enqueue-many.ts";
import { Exit, UsageError } from "./failure.ts";
import { exitCodeOf, follow } from "./follow.ts";
import { waitingText } from "./jobs.ts";
import { addAfterFlags, addRunFlags, choice, type RunFlags, requestOf } from "./run-flags.ts";
import type { Terminal } from "./terminal.ts";
import { counted } from "./units.ts";
import { untilLeft } from "./until-left.ts";

export type Afterwards = GlobalOptions & { wait?: boolean; follow?: boolean };

export function addEnqueue(program: Command, cli: Cli): void {
  const command = program
    .command("enqueue")
    .description("ask for a run of a pipeline")
    .argument(
      "[pipeline]",
      "project/pipeline, or a name that only one project has; with --from: of lines that name none",
    )
    .optionsGroup("Many at once:")
    .option("--from <file>", "a request for each line of this file (-: standard input): JSON as the API takes it")
    .addOption(
      choice("--on-error <what>", "what becomes of the others when one cannot be made", [
        "REJECT-ALL",
        "REJECT-FAILED",
      ]),
    );
  addAfterwards(addAfterFlags(addRunFlags(command))).action(
    async (pipeline: string | undefined, _options: object, command: Command) => {
      const options = globalOptions(command) as Afterwards & RunFlags & ManyFlags;
      await using client = openApi(cli, options);
      if (options.from !== undefined) return await many(client, pipeline, { ...options, from: options.from }, cli);
      if (options.onError !== undefined) throw new UsageError("--on-error needs --from.");
      if (pipeline === undefined) throw new UsageError("Name a pipeline, or a file of requests by --from.");
      const enqueued = await client.enqueue(await requestOf(client, pipeline, options));
      await afterwards(client, enqueued, accepted(enqueued, cli.terminal), options, cli);
    },
  );
}

interface ManyFlags {
  from?: string;
  onError?: "REJECT-ALL" | "REJECT-FAILED";
}

/** What the flags say holds for each line that does not say otherwise. */
async function many(
  client: Client,
  pipeline: string | undefined,
  options: Afterwards & RunFlags & ManyFlags & { from: string },
  cli: Cli,
): Promise<void> {
  const { key, wait, follow: following, from, json } = options;
  if (key !== undefined) throw new UsageError("--key would make one job of all lines: give each its idempotencyKey.");
  if (wait || following) throw new UsageError("--wait and --follow are for one job, not for --from.");
  const { pipeline: named, ...defaults } = await requestOf(client, pipeline ?? "", options);
  const onError = options.onError === "REJECT-FAILED" ? "REJECT_FAILED" : "REJECT_ALL";
  await enqueueFrom(client, named === "" ? defaults : { ...defaults, pipeline: named }, { from, onError, json }, cli);
}

/** The flags of a command that makes a job, or gives it another life: whether to stay until it has ended. */
export function addAfterwards(command: Command): Command {
  return command
    .optionsGroup("Afterwards:")
    .option("--wait", "wait for its end; ends with its exit code")
    .option("-f, --follow", "show its nodes live until its end; ends with its exit code");
}

/** Says what was done, and stays until the job has ended where that is asked for. */
export async function afterwards(
  client: Client,
  done: { job: Parameters<typeof follow>[1]; cursor?: string },
  said: string,
  options: Afterwards,
  cli: Cli,
): Promise<void> {
  const { job } = done;
  if (options.follow) {
    if (!options.json) cli.terminal.err(said);
    throw new Exit(exitCodeOf((await follow(client, job, cli, { ...options, after: done.cursor })).job));
  }
  if (!options.wait) {
    if (options.json) return printJson(cli.terminal, done);
    return cli.terminal.out(said);
  }
  if (!options.json) cli.terminal.out(said);
  const ended = await untilLeft(job, cli, (signal) => client.watch(job.id, { signal, giveUpAfterMs: 60_000 }).job);
  if (options.json) printJson(cli.terminal, ended);
  else cli.terminal.out(`${ended.id} ${ended.state.toLowerCase()}`);
  if (ended.state === "FAILED" && ended.error !== null) {
    cli.terminal.err(`${ended.error.type}: ${ended.error.message}`);
  }
  throw new Exit(exitCodeOf(ended));
}

/** In one line what became of the request. */
export function accepted({ job, plan, replayed, replaced }: Enqueued, { symbols }: Pick<Terminal, "symbols">): string {
  const name = `${job.project}/${job.pipeline}`;
  if (replayed) return `${job.id} was enqueued before with this key: ${name} is ${job.state}`;
  const instead = replaced === null ? "" : `, in place of …${replaced.slice(-6)}`;
  const reused = plan === null || plan.reused.length === 0 ? "" : `, ${plan.reused.length} reused`;
  const what =
    plan === null ? "not yet checked: no worker has described it" : `${counted(plan.count, "node")} will run${reused}`;
  const waiting = waitingText(job);
  return `${symbols.arrow} ${job.id} accepted: ${name}, ${what}${instead}${waiting === null ? "" : `, waits: ${waiting}`}`;
}
