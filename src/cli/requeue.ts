import type { Command } from "commander";
import { openApi } from "./api.ts";
import { type Cli, globalOptions } from "./cli.ts";
import { type Afterwards, addAfterwards, afterwards } from "./enqueue.ts";
import { waitingText } from "./jobs.ts";
import { tellPlan } from "./plan.ts";
import { lengthMs } from "./run-flags.ts";

type Options = Afterwards & { reason?: string; expires?: number; plan?: boolean };

export function addRequeue(program: Command, cli: Cli): void {
  const command = program
    .command("requeue")
    .description("run a job again that failed, was cancelled or has expired: the same job, its next life")
    .argument("<job>", "which job")
    .option("--reason <text>", "why, for whoever asks later")
    .option("--expires <duration>", "give up when it has not started after this time", lengthMs)
    .option("--plan", "only say what it would do");
  addAfterwards(command).action(async (ref: string, _options: object, command: Command) => {
    const options = globalOptions(command) as Options;
    await using client = openApi(cli, options);
    const { id } = await client.find(ref);
    if (options.plan) return tellPlan(await client.planRequeue(id), options, cli);
    const expiresAt = options.expires === undefined ? null : new Date(Date.now() + options.expires).toISOString();
    const requeued = await client.requeue(id, { reason: options.reason ?? null, expiresAt });
    const { job } = requeued;
    const waiting = waitingText(job);
    const said = `${job.id} is queued again, attempt ${job.attempt + 1} is next${waiting === null ? "" : `, waits: ${waiting}`}`;
    await afterwards(client, requeued, said, options, cli);
  });
}
