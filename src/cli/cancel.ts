import type { Command } from "commander";
import { openApi } from "./api.ts";
import { type BulkFlags, bulkOptions, isBulk, runBulk } from "./bulk.ts";
import { type Cli, globalOptions, printJson } from "./cli.ts";

export function addCancel(program: Command, cli: Cli): void {
  const command = program
    .command("cancel")
    .description("stop jobs: at once when they wait, by their workers when they run")
    .argument("[jobs...]", "which jobs")
    .option("--reason <text>", "why, for whoever asks later");
  bulkOptions(command).action(async (refs: string[], _options: object, command: Command) => {
    const options = globalOptions(command) as BulkFlags;
    await using client = openApi(cli, options);
    if (isBulk(refs, options)) return await runBulk(client, "cancel", refs, options, cli);
    const { id } = await client.find(refs[0] as string);
    const job = await client.cancel(id, options.reason);
    if (options.json) return printJson(cli.terminal, job);
    const done = job.state === "CANCELLED" ? "is cancelled" : "is asked to stop; its worker stops it";
    cli.terminal.out(`${job.id} ${done}.`);
  });
}
