import { type Command, InvalidArgumentError } from "commander";
import type { Client } from "../client/client.ts";
import { errorOf, NotFoundError } from "../client/errors.ts";
import {
  CreateQueueDocument,
  PauseQueueDocument,
  QueueDocument,
  type QueueFragment,
  QueuesDocument,
  ResumeQueueDocument,
  SetQueueDefaultsDocument,
  SetQueueLimitsDocument,
  type SetQueueLimitsInput,
} from "../client/generated/graphql.ts";
import { openApi } from "./api.ts";
import { type Cli, globalOptions, printJson } from "./cli.ts";
import { UsageError } from "./failure.ts";
import { count } from "./jobs.ts";
import { addDefaultsFlags, type DefaultsFlags, defaultsOf } from "./queue-defaults.ts";
import { queueLines, queueTable } from "./queue-view.ts";
import { lengthMs, timeOf } from "./run-flags.ts";
import { parseDurationMs } from "./units.ts";

interface LimitFlags {
  concurrency?: number | "none";
  rate?: { jobs: number; periodMs: number } | "none";
  backlog?: number | "none";
}

interface PauseFlags {
  for?: number;
  until?: string;
  reason?: string;
}

export function addQueue(program: Command, cli: Cli): void {
  const queue = program.command("queue").description("list queues, pause and resume them, say what they let pass");
  const act =
    <Flags>(run: (client: Client, name: string, flags: Flags) => Promise<QueueFragment>) =>
    async (name: string, flags: Flags, command: Command) => {
      const options = globalOptions(command);
      await using client = openApi(cli, options);
      const changed = await run(client, name, flags);
      if (options.json) return printJson(cli.terminal, changed);
      for (const line of queueLines(changed, cli.terminal)) cli.terminal.out(line);
    };

  queue
    .command("list")
    .description("list all queues")
    .action(async (_flags: object, command: Command) => {
      const options = globalOptions(command);
      await using client = openApi(cli, options);
      const { queues } = await client.request(QueuesDocument, {}, { idempotent: true });
      if (options.json) return printJson(cli.terminal, queues);
      for (const line of queueTable(queues, cli.terminal)) cli.terminal.out(line);
    });
  queue
    .command("show")
    .description("all about one queue")
    .argument("<name>", "which queue")
    .action(
      act(async (client, name) => {
        const { queue } = await client.request(QueueDocument, { name }, { idempotent: true });
        if (queue == null)
          throw new NotFoundError(`There is no queue ${name}. Those that are: flowerpower-queue queue list`, null);
        return queue;
      }),
    );
  limitOptions(queue.command("create").description("make a queue").argument("<name>", "its name")).action(
    act<LimitFlags>(async (client, name, flags) => {
      const { createQueue: result } = await client.request(CreateQueueDocument, {
        input: { name, ...limitsOf(flags) },
      });
      if (result.__typename !== "CreateQueueSuccess") throw errorOf(result);
      return result.queue;
    }),
  );
  limitOptions(
    queue.command("set").description("change what a queue lets pass").argument("<name>", "which queue"),
  ).action(
    act<LimitFlags>(async (client, name, flags) => {
      const limits = limitsOf(flags);
      if (Object.keys(limits).length === 0)
        throw new UsageError("Say what is to change: --concurrency, --rate, --backlog.");
      const { setQueueLimits: result } = await client.request(SetQueueLimitsDocument, { input: { name, ...limits } });
      if (result.__typename !== "SetQueueLimitsSuccess") throw errorOf(result);
      return result.queue;
    }),
  );
  addDefaultsFlags(
    queue
      .command("defaults")
      .description("change what a queue's jobs are run with where nobody nearer to them says otherwise")
      .argument("<name>", "which queue"),
  ).action(
    act<DefaultsFlags>(async (client, name, flags) => {
      const jobDefaults = defaultsOf(flags);
      if (Object.keys(jobDefaults).length === 0)
        throw new UsageError("Say what is to change: --priority, --timeout, --ttl, --max-retries, --needs …");
      const { setQueueDefaults: result } = await client.request(SetQueueDefaultsDocument, {
        input: { name, jobDefaults },
      });
      if (result.__typename !== "SetQueueDefaultsSuccess") throw errorOf(result);
      return result.queue;
    }),
  );
  queue
    .command("pause")
    .description("start nothing of a queue any more; what runs goes on, jobs are accepted")
    .argument("<name>", "which queue")
    .option("--for <duration>", "open it again after this time: 30m, 2h", lengthMs)
    .option("--until <time>", "open it again then: 2026-11-23T18:00 (local), or with Z or an offset")
    .option("--reason <text>", "why, for whoever asks later")
    .action(
      act<PauseFlags>(async (client, name, flags) => {
        const { pauseQueue: result } = await client.request(PauseQueueDocument, {
          input: { name, until: untilOf(flags), reason: flags.reason ?? null },
        });
        if (result.__typename !== "PauseQueueSuccess") throw errorOf(result);
        return result.queue;
      }),
    );
  queue
    .command("resume")
    .description("open a queue again")
    .argument("<name>", "which queue")
    .action(
      act(async (client, name) => {
        const { resumeQueue: result } = await client.request(ResumeQueueDocument, { input: { name } });
        if (result.__typename !== "ResumeQueueSuccess") throw errorOf(result);
        return result.queue;
      }),
    );
}

function limitOptions(command: Command): Command {
  return command
    .option(
      "--concurrency <count>",
      "so many of its jobs at the same time, over all workers; none: any number",
      orNone(count),
    )
    .option("--rate <jobs/time>", "so many of its jobs within a time: 10/1m; none: any number", orNone(rate))
    .option("--backlog <count>", "take no more while so many wait; none: any number", orNone(count));
}

/** As text: an option whose value is null counts as one without a value. */
const orNone =
  <Value>(parse: (text: string) => Value) =>
  (text: string): Value | "none" =>
    text === "none" ? text : parse(text);

function rate(text: string): { jobs: number; periodMs: number } {
  const [, jobs, period = ""] = /^(\d{1,7})\/(.+)$/.exec(text) ?? [];
  // `5/m` is five a minute.
  const periodMs = parseDurationMs(/^\d/.test(period) ? period : `1${period}`);
  if (jobs === undefined || periodMs === null || Number(jobs) < 1) {
    throw new InvalidArgumentError("Write it like 10/1m, 5/s or 100/1h.");
  }
  return { jobs: Number(jobs), periodMs };
}

function limitsOf({ concurrency, rate, backlog }: LimitFlags): Omit<SetQueueLimitsInput, "name"> {
  const given = { concurrencyLimit: concurrency, rateLimit: rate, backlogLimit: backlog };
  return Object.fromEntries(
    Object.entries(given).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value === "none" ? null : value]],
    ),
  );
}

function untilOf({ for: forMs, until }: PauseFlags): string | null {
  if (forMs !== undefined && until !== undefined) throw new UsageError("Give either --for or --until.");
  if (forMs !== undefined) return new Date(Date.now() + forMs).toISOString();
  return until === undefined ? null : timeOf("--until", until);
}
