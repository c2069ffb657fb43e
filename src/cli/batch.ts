import type { Command } from "commander";
import type { BatchDone, BatchFilter, Client, ListedBatch } from "../client/client.ts";
import { openApi } from "./api.ts";
import { addBatchEnqueue } from "./batch-enqueue.ts";
import { batchLines, batchTable } from "./batch-view.ts";
import { type Cli, type GlobalOptions, globalOptions, printJson } from "./cli.ts";
import { Exit } from "./failure.ts";
import { batchExitCode, followBatch } from "./follow-batch.ts";
import { count } from "./jobs.ts";
import { counted } from "./units.ts";

interface ListFlags extends GlobalOptions {
  limit: number;
  project?: string;
  pipeline?: string;
  open?: boolean;
}

interface DoneFlags extends GlobalOptions {
  reason?: string;
  wait?: boolean;
  follow?: boolean;
}

const which = "its id, the last 6 or more letters of it, @last, or PIPELINE@last";

/** `batch`: many jobs as one. */
export function addBatch(program: Command, cli: Cli): void {
  const batch = program.command("batch").description("many jobs as one: enqueue, list, watch, cancel, requeue batches");
  addBatchEnqueue(batch, cli);
  batch
    .command("list")
    .description("list batches, the newest first")
    .option("-n, --limit <count>", "at most so many", count, 20)
    .option("--project <name>", "only of this project")
    .option("--pipeline <name>", "only of this pipeline: project/pipeline, or its name beside --project")
    .option("--open", "only those with jobs that have not ended")
    .action(async (_flags: object, command: Command) => {
      const flags = globalOptions(command) as ListFlags;
      await using client = openApi(cli, flags);
      const found = await list(client, flags);
      if (flags.json) return printJson(cli.terminal, found);
      if (found.length === 0) return cli.terminal.err("There are no such batches.");
      for (const line of batchTable(found, cli.terminal)) cli.terminal.out(line);
    });
  batch
    .command("show")
    .description("all about one batch")
    .argument("<batch>", which)
    .action(async (ref: string, _flags: object, command: Command) => {
      const flags = globalOptions(command);
      await using client = openApi(cli, flags);
      const found = await client.findBatch(ref);
      const events = await Array.fromAsync(client.batchHistory(found.id));
      if (flags.json) return printJson(cli.terminal, { ...found, events });
      for (const line of batchLines(found, events, cli.terminal)) cli.terminal.out(line);
    });
  batch
    .command("watch")
    .description("show how far a batch is until all its jobs have ended; ends with 0, 1 (some failed) or 3 (cancelled)")
    .argument("<batch>", which)
    .action(async (ref: string, _flags: object, command: Command) => {
      const flags = globalOptions(command);
      await using client = openApi(cli, flags);
      throw new Exit(batchExitCode(await followBatch(client, await client.findBatch(ref), cli, flags)));
    });
  batch
    .command("cancel")
    .description("stop what of a batch has not ended: what waits at once, what runs by its workers")
    .argument("<batch>", which)
    .option("--reason <text>", "why, for whoever asks later")
    .action(acting(cli, (client, id, reason) => client.cancelBatch(id, reason), "cancelled, or asked to stop"));
  batch
    .command("requeue")
    .description("run the jobs of a batch again that failed, were cancelled or have expired")
    .argument("<batch>", which)
    .option("--reason <text>", "why, for whoever asks later")
    .option("--wait", "wait until all have ended; ends with its exit code")
    .option("-f, --follow", "show how far it is until then")
    .action(acting(cli, (client, id, reason) => client.requeueBatch(id, reason), "queued again"));
}

async function list(client: Client, { limit, project, pipeline, open }: ListFlags): Promise<ListedBatch[]> {
  const filter: BatchFilter = { project, pipeline, open };
  const found: ListedBatch[] = [];
  for await (const batch of client.batches(filter, { pageSize: Math.min(limit, 50) })) {
    found.push(batch);
    if (found.length === limit) break;
  }
  return found;
}

/** What is done to a batch as a whole. */
function acting(cli: Cli, act: (client: Client, id: string, reason?: string) => Promise<BatchDone>, done: string) {
  return async (ref: string, _flags: object, command: Command) => {
    const flags = globalOptions(command) as DoneFlags;
    await using client = openApi(cli, flags);
    const result = await act(client, (await client.findBatch(ref)).id, flags.reason);
    const waits = flags.wait === true || flags.follow === true;
    if (flags.json && !waits) printJson(cli.terminal, result);
    else if (!flags.json)
      cli.terminal.out(`${counted(result.done, "job")} ${result.done === 1 ? "is" : "are"} ${done}.`);
    if (!waits) return;
    const ended = await followBatch(client, result.batch, cli, { json: flags.json, quiet: flags.follow !== true });
    throw new Exit(batchExitCode(ended));
  };
}
