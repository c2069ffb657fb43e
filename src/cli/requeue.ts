import type { Command } from "commander";
import { openApi } from "./api.ts";
import { type BulkFlags, bulkOptions, isBulk, runBulk } from "./bulk.ts";
import { type Cli, globalOptions } from "./cli.ts";
import { type Afterwards, addAfterwards, afterwards } from "./enqueue.ts";
import { UsageError } from "./failure.ts";
import { waitingText } from "./jobs.ts";
import { tellPlan } from "./plan.ts";
import { lengthMs } from "./run-flags.ts";

type Options = Afterwards & BulkFlags & { expires?: number; plan?: boolean };

export function addRequeue(program: Command, cli: Cli): void {
  const command = program
    .command("requeue")
    .description("run jobs again that failed, were cancelled or have expired: the same job, its next life")
    .argument("[jobs...]", "which jobs; --expires, --plan and what follows are for one alone")
    .option("--reason <text>", "why, for whoever asks later")
    .option("--expires <duration>", "give up when it has not started after this time", lengthMs)
    .option("--plan", "only say what it would do");
  bulkOptions(addAfterwards(command)).action(async (refs: string[], _options: object, command: Command) => {
    const options = globalOptions(command) as Options;
    await using client = openApi(cli, options);
    if (isBulk(refs, options)) {
      if (options.expires !== undefined || options.plan) throw new UsageError("--expires and --plan are for one job.");
      return await runBulk(client, "requeue", refs, options, cli);
    }
    const { id } = await client.find(refs[0] as string);
    if (options.plan) return tellPlan(await client.planRequeue(id), options, cli);
    const expiresAt = options.expires === undefined ? null : new Date(Date.now() + options.expires).toISOString();
    const requeued = await client.requeue(id, { reason: options.reason ?? null, expiresAt });
    const { job } = requeued;
    const waiting = waitingText(job);
    const said = `${job.id} is queued again, attempt ${job.attempt + 1} is next${waiting === null ? "" : `, waits: ${waiting}`}`;
    await afterwards(client, requeued, said, options, cli);
  });
}
