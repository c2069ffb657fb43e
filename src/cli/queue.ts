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
  SetQueueLimitsDocument,
  type SetQueueLimitsInput,
} from "../client/generated/graphql.ts";
import { openApi } from "./api.ts";
import { type Cli, globalOptions, printJson } from "./cli.ts";
import { UsageError } from "./failure.ts";
import { count } from "./jobs.ts";
import { lengthMs, timeOf } from "./run-flags.ts";
import { table } from "./table.ts";
import { printable, type Terminal } from "./terminal.ts";
import { duration, localTime, parseDurationMs } from "./units.ts";

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

const waiting = ["SCHEDULED", "BLOCKED", "QUEUED", "RETRYABLE"];

function queueTable(queues: readonly QueueFragment[], { paint, columns, symbols }: Terminal): string[] {
  const rows = queues.map((queue) => [
    printable(queue.name),
    countOf(queue, waiting),
    countOf(queue, ["RUNNING"]),
    queue.pausedAt === null ? "open" : "paused",
    limitText(queue).join(", "),
  ]);
  return table(
    ["QUEUE", "WAITING", "RUNNING", "IS", "LETS PASS"],
    rows,
    columns,
    symbols.ellipsis,
    (text, column, row) => {
      if (row === null) return paint("dim", text);
      return column === 3 && text.trim() === "paused" ? paint("yellow", text) : text;
    },
  );
}

function queueLines(queue: QueueFragment, { paint }: Terminal): string[] {
  const { pausedAt, pausedUntil, pauseReason, oldestWaitingAt } = queue;
  const until = pausedUntil === null ? "" : ` until ${localTime(pausedUntil)}`;
  const state =
    pausedAt === null
      ? "open"
      : `paused since ${localTime(pausedAt)}${until}${pauseReason === null ? "" : `: ${pauseReason}`}`;
  const jobs = queue.counts.map(
    ({ state, count: { value, isExact } }) => `${value}${isExact ? "" : "+"} ${state.toLowerCase()}`,
  );
  const facts: [string, string][] = [
    ["is", state],
    ["lets pass", limitText(queue).join(", ") || "whatever comes"],
    ["jobs", jobs.join(", ") || "none"],
    ["oldest", oldestWaitingAt === null ? "" : `queued, due since ${localTime(oldestWaitingAt)}`],
  ];
  const told = facts.filter(([, value]) => value !== "");
  return [
    paint("bold", printable(queue.name)),
    ...told.map(([name, value]) => `  ${paint("dim", name.padEnd(9))}  ${printable(value)}`),
  ];
}

function limitText({ concurrencyLimit, rateLimit, backlogLimit }: QueueFragment): string[] {
  return [
    ...(concurrencyLimit === null ? [] : [`${concurrencyLimit} at a time`]),
    ...(rateLimit === null ? [] : [`${rateLimit.jobs} in ${duration(rateLimit.periodMs)}`]),
    ...(backlogLimit === null ? [] : [`${backlogLimit} waiting`]),
  ];
}

function countOf({ counts }: QueueFragment, states: readonly string[]): string {
  const found = counts.filter(({ state }) => states.includes(state));
  const sum = found.reduce((total, { count }) => total + count.value, 0);
  return `${sum}${found.every(({ count }) => count.isExact) ? "" : "+"}`;
}
