import type { Command } from "commander";
import { openApi } from "./api.ts";
import { type Cli, globalOptions } from "./cli.ts";
import { Exit } from "./failure.ts";
import { exitCodeOf, follow } from "./follow.ts";

export function addWatch(program: Command, cli: Cli): void {
  program
    .command("watch")
    .description("show a job's nodes live until it ends; ends with its exit code")
    .argument("<job>", "which job")
    .action(async (ref: string, _options: object, command: Command) => {
      const options = globalOptions(command);
      await using client = openApi(cli, options);
      const { job } = await follow(client, await client.find(ref), cli, options);
      throw new Exit(exitCodeOf(job));
    });
}
