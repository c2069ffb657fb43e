import type { Command } from "commander";
import { openApi } from "./api.ts";
import { type Cli, globalOptions, printJson } from "./cli.ts";

export function addCancel(program: Command, cli: Cli): void {
  program
    .command("cancel")
    .description("stop a job: at once when it waits, by its worker when it runs")
    .argument("<job>", "which job")
    .option("--reason <text>", "why, for whoever asks later")
    .action(async (ref: string, { reason }: { reason?: string }, command: Command) => {
      const options = globalOptions(command);
      await using client = openApi(cli, options);
      const { id } = await client.find(ref);
      const job = await client.cancel(id, reason);
      if (options.json) return printJson(cli.terminal, job);
      const done = job.state === "CANCELLED" ? "is cancelled" : "is asked to stop; its worker stops it";
      cli.terminal.out(`${job.id} ${done}.`);
    });
}
