import type { Command } from "commander";
import type { JobPlan } from "../client/client.ts";
import { openApi } from "./api.ts";
import { type Cli, type GlobalOptions, globalOptions, printJson } from "./cli.ts";
import { Exit, exitCodes } from "./failure.ts";
import { planLines } from "./plan-view.ts";
import { addRunFlags, planOf, type RunFlags, requestOf } from "./run-flags.ts";

export function addPlan(program: Command, cli: Cli): void {
  const command = program
    .command("plan")
    .description(
      "say what a run would do, how long it would take and what is wrong with it; takes the flags of enqueue",
    )
    .argument("<pipeline>", "project/pipeline, or a name that only one project has");
  addRunFlags(command).action(async (pipeline: string, _options: object, command: Command) => {
    const options = globalOptions(command) as GlobalOptions & RunFlags;
    await using client = openApi(cli, options);
    tellPlan(await client.plan(planOf(await requestOf(client, pipeline, options))), options, cli);
  });
}

/** Shows a plan, and ends as what it says would. */
export function tellPlan(plan: JobPlan, { json }: GlobalOptions, { terminal }: Pick<Cli, "terminal">): void {
  if (json) printJson(terminal, plan);
  else for (const line of planLines(plan, terminal)) terminal.out(line);
  if (plan.valid === false) throw new Exit(exitCodes.usage);
  // Nobody can say now; somebody may soon.
  if (plan.valid === null) throw new Exit(exitCodes.unreachable);
}
