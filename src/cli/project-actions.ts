import type { Command } from "commander";
import { errorOf } from "../client/errors.ts";
import { DisableProjectDocument, EnableProjectDocument, ReloadProjectDocument } from "../client/generated/graphql.ts";
import { openApi } from "./api.ts";
import { type Cli, globalOptions, printJson } from "./cli.ts";
import { Exit, exitCodes } from "./failure.ts";
import { wrong } from "./pipeline.ts";

/** `project reload`, `project disable` and `project enable`. */
export function addProjectActions(project: Command, cli: Cli): void {
  const { terminal } = cli;
  project
    .command("reload")
    .description("have workers describe a project again: a package was installed, a variable set")
    .argument("<name>", "which project")
    .action(async (name: string, _options: object, command: Command) => {
      const options = globalOptions(command);
      await using client = openApi(cli, options);
      const { reloadProject: result } = await client.request(ReloadProjectDocument, { input: { name } });
      if (result.__typename !== "ReloadProjectSuccess") throw errorOf(result);
      if (options.json) printJson(terminal, result);
      else if (!result.reloaded)
        terminal.err(`No worker has described ${name} yet. Those that live: flowerpower-queue doctor`);
      else if (result.project.error === null) terminal.out(`${name} was described again.`);
      else for (const line of wrong(result.project.error)) terminal.err(line);
      if (!result.reloaded || result.project.error !== null) throw new Exit(exitCodes.failed);
    });
  project
    .command("disable")
    .description("refuse a project's jobs; those that wait stay queued, those that run go on")
    .argument("<name>", "which project")
    .option("--reason <text>", "why, for whoever asks later")
    .action(async (name: string, { reason = null }: { reason?: string | null }, command: Command) => {
      const options = globalOptions(command);
      await using client = openApi(cli, options);
      const { disableProject: result } = await client.request(DisableProjectDocument, { input: { name, reason } });
      if (result.__typename !== "DisableProjectSuccess") throw errorOf(result);
      if (options.json) return printJson(terminal, result.project);
      terminal.out(`${name} is disabled. Its waiting jobs stay queued: flowerpower-queue project enable ${name}`);
    });
  project
    .command("enable")
    .description("accept a project's jobs again, and start those that waited")
    .argument("<name>", "which project")
    .action(async (name: string, _options: object, command: Command) => {
      const options = globalOptions(command);
      await using client = openApi(cli, options);
      const { enableProject: result } = await client.request(EnableProjectDocument, { input: { name } });
      if (result.__typename !== "EnableProjectSuccess") throw errorOf(result);
      if (options.json) return printJson(terminal, result.project);
      terminal.out(`${name} is enabled.`);
    });
}
