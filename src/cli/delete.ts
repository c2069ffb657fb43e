import type { Command } from "commander";
import { openApi } from "./api.ts";
import { type BulkFlags, bulkOptions, runBulk } from "./bulk.ts";
import { type Cli, globalOptions } from "./cli.ts";

export function addDelete(program: Command, cli: Cli): void {
  const command = program
    .command("delete")
    .description("forget jobs that have ended, with their events, results and files")
    .argument("[jobs...]", "which jobs")
    .option("--reason <text>", "why, for whoever asks later");
  bulkOptions(command).action(async (refs: string[], _options: object, command: Command) => {
    const options = globalOptions(command) as BulkFlags;
    await using client = openApi(cli, options);
    await runBulk(client, "delete", refs, options, cli);
  });
}
