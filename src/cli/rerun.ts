import type { Command } from "commander";
import { openApi } from "./api.ts";
import { type Cli, globalOptions } from "./cli.ts";
import { type Afterwards, accepted, addAfterwards, afterwards } from "./enqueue.ts";
import { tellPlan } from "./plan.ts";
import { addChangeFlags, choice, collect, type RunFlags, requestOf } from "./run-flags.ts";

type Options = Afterwards &
  RunFlags & {
    unset: string[];
    unsetConfig: string[];
    code?: "CURRENT" | "SAME";
    plan?: boolean;
  };

export function addRerun(program: Command, cli: Cli): void {
  const command = program
    .command("rerun")
    .description("make a new job from one that has ended; what no flag changes is as it was")
    .argument("<job>", "which job");
  addChangeFlags(command)
    .optionsGroup("What of the old job:")
    .option("--unset <input>", "an input that it gave and this one does not; may be repeated", collect, [])
    .option("--unset-config <key>", "likewise of its config", collect, [])
    .addOption(choice("--code <which>", "same: only with the code that it ran", ["CURRENT", "SAME"]));
  command.option("--plan", "only say what it would do");
  addAfterwards(command).action(async (ref: string, _options: object, command: Command) => {
    const options = globalOptions(command) as Options;
    await using client = openApi(cli, options);
    const { id, project, pipeline } = await client.find(ref);
    const asked = await requestOf(client, `${project}/${pipeline}`, options);
    const { pipeline: _pipeline, project: _project, ...changes } = asked;
    const input = {
      ...changes,
      id,
      unset: options.unset,
      unsetConfig: options.unsetConfig,
      ...(options.code === undefined ? {} : { code: options.code }),
    };
    if (options.plan) return tellPlan(await client.planRerun(input), options, cli);
    const rerun = await client.rerun(input);
    const said = `${accepted(rerun, cli.terminal)}, rerun of ${id.slice(-6)}`;
    await afterwards(client, rerun, said, options, cli);
  });
}
