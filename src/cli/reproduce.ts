import type { Command } from "commander";
import { ReproduceDocument } from "../client/generated/graphql.ts";
import { openApi } from "./api.ts";
import { type Cli, globalOptions, printJson } from "./cli.ts";
import { UsageError } from "./failure.ts";

export function addReproduce(program: Command, cli: Cli): void {
  program
    .command("reproduce")
    .description("print the command that runs the same thing with FlowerPower alone, outside of the queue")
    .argument("<job>", "which job")
    .option("--attempt <number>", "which of its attempts (the last one)")
    .action(async (ref: string, { attempt: wanted }: { attempt?: string }, command: Command) => {
      const options = globalOptions(command);
      await using client = openApi(cli, options);
      const { id } = await client.find(ref);
      const last = wanted === undefined ? 1 : 100;
      const { job } = await client.request(ReproduceDocument, { id, last }, { idempotent: true });
      const attempts = job?.attempts.nodes ?? [];
      const attempt = wanted === undefined ? attempts.at(-1) : attempts.find(({ number }) => String(number) === wanted);
      if (attempt === undefined)
        throw new UsageError(`${id} has no attempt${wanted === undefined ? "" : ` ${wanted}`} yet.`);
      if (attempt.reproduce === null) {
        throw new UsageError(
          `Attempt ${attempt.number} of ${id} has not stored what it ran with, or you may not see it.`,
        );
      }
      if (options.json) return printJson(cli.terminal, attempt);
      // As it is: it is meant for a shell, whatever the terminal.
      cli.terminal.out(attempt.reproduce);
    });
}
