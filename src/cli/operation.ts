import { type Command, Option } from "commander";
import type { Client, Operation } from "../client/client.ts";
import { errorOf, NotFoundError } from "../client/errors.ts";
import {
  type OperationState,
  OperationsDocument,
  type OperationsQuery,
  StopOperationDocument,
} from "../client/generated/graphql.ts";
import { openApi } from "./api.ts";
import { type Cli, type GlobalOptions, globalOptions, printJson } from "./cli.ts";
import { UsageError } from "./failure.ts";
import { followOperation, progressText, tellEnd } from "./follow-operation.ts";
import { shortId } from "./frame.ts";
import { count } from "./jobs.ts";
import { table } from "./table.ts";
import { printable, type Terminal } from "./terminal.ts";
import { dayAndClock, localTime, utcOffset } from "./units.ts";

const states = ["running", "succeeded", "stopped", "failed"] as const;
const which = "its id, or the last 6 or more letters of one of the newest 50";
/** Operations read at once: one costs about 70, of the 5,000 that one call may. */
const pageSize = 50;

/** What is done to more jobs than one call takes. */
export function addOperation(program: Command, cli: Cli): void {
  const { terminal } = cli;
  const operation = program
    .command("operation")
    .description("what is done to more than 1,000 jobs at once: how far it is, and stopping it");
  operation
    .command("list")
    .description("list operations, the newest first")
    .addOption(new Option("--state <state>", "only those in this state").choices(states))
    .option("-n, --limit <count>", "at most so many", count, 20)
    .action(async (_options: object, command: Command) => {
      const options = globalOptions(command) as GlobalOptions & { state?: (typeof states)[number]; limit: number };
      await using client = openApi(cli, options);
      const state = (options.state?.toUpperCase() ?? null) as OperationState | null;
      const found = await newest(client, options.limit, state);
      if (options.json) return printJson(terminal, found);
      if (found.length === 0) return terminal.err("There are no such operations.");
      for (const line of operationTable(found, terminal)) terminal.out(line);
    });
  operation
    .command("show")
    .description("all about one operation")
    .argument("<operation>", which)
    .action(async (text: string, _options: object, command: Command) => {
      const options = globalOptions(command);
      await using client = openApi(cli, options);
      const id = await operationId(client, text);
      const found = await client.operation(id);
      if (found === null) throw new NotFoundError(`There is no operation ${id}.`, null);
      if (options.json) return printJson(terminal, found);
      for (const line of operationLines(found, terminal)) terminal.out(line);
    });
  operation
    .command("watch")
    .description("show how far it is until its end; ends with 0, 1 failed, 2 not done to all, 3 stopped")
    .argument("<operation>", which)
    .action(async (text: string, _options: object, command: Command) => {
      const options = globalOptions(command);
      await using client = openApi(cli, options);
      const ended = await followOperation(client, await operationId(client, text), cli, options.json);
      if (options.json) printJson(terminal, ended);
      tellEnd(ended, cli);
    });
  operation
    .command("stop")
    .description("touch no more jobs; what was done stays done")
    .argument("<operation>", which)
    .option("--reason <text>", "why, for whoever asks later")
    .action(async (text: string, { reason = null }: { reason?: string | null }, command: Command) => {
      const options = globalOptions(command);
      await using client = openApi(cli, options);
      const input = { id: await operationId(client, text), reason };
      const { stopOperation: result } = await client.request(StopOperationDocument, { input });
      if (result.__typename !== "StopOperationSuccess") throw errorOf(result);
      if (options.json) return printJson(terminal, result.operation);
      terminal.out(progressText(result.operation, terminal));
    });
}

async function newest(client: Client, limit: number, state: OperationState | null): Promise<Operation[]> {
  const found: Operation[] = [];
  for (let after: string | null = null; found.length < limit; ) {
    const { operations }: OperationsQuery = await client.request(
      OperationsDocument,
      { first: Math.min(pageSize, limit - found.length), after, state },
      { idempotent: true },
    );
    found.push(...operations.nodes);
    if (!operations.pageInfo.hasNextPage) break;
    after = operations.pageInfo.endCursor ?? null;
  }
  return found;
}

async function operationId(client: Client, text: string): Promise<string> {
  if (text.startsWith("op_")) return text;
  if (text.length < 6) throw new UsageError("Give the operation's id, or at least its last 6 letters.");
  const [found, ...others] = (await newest(client, pageSize, null)).filter(({ id }) => id.endsWith(text));
  if (found === undefined) throw new NotFoundError(`No operation's id ends in ${text}.`, null);
  if (others.length > 0) throw new UsageError(`Several operations' ids end in ${text}. Give more of it.`);
  return found.id;
}

const colours = { RUNNING: "yellow", SUCCEEDED: "green", STOPPED: "yellow", FAILED: "red" } as const;

function operationTable(operations: readonly Operation[], { symbols, columns, paint }: Terminal): string[] {
  const rows = operations.map((operation) => [
    shortId(operation.id, symbols),
    operation.verb.toLowerCase(),
    operation.state,
    `${operation.done}/${operation.matched.value}${operation.matched.isExact ? "" : "+"}`,
    String(operation.failed),
    dayAndClock(new Date(operation.createdAt)),
    printable(operation.actor),
    printable(operation.error ?? operation.stopReason ?? operation.reason ?? ""),
  ]);
  const since = `SINCE ${utcOffset(new Date(operations[0]?.createdAt ?? 0))}`;
  const head = ["OPERATION", "DOES", "STATE", "DONE", "FAILED", since, "BY", "WHY"];
  return table(head, rows, columns, symbols.ellipsis, (text, column, row) => {
    if (row === null) return paint("dim", text);
    return column === 2 ? paint(colours[text.trim() as OperationState], text) : text;
  });
}

function operationLines(operation: Operation, terminal: Terminal): string[] {
  const { stoppedBy, stopReason, problems, startedAt, finishedAt } = operation;
  const facts: [string, string][] = [
    ["jobs", JSON.stringify(operation.filter)],
    ["change", operation.edit === null ? "" : JSON.stringify(operation.edit)],
    ["by", `${operation.actor}${operation.reason === null ? "" : `: ${operation.reason}`}`],
    ["since", localTime(operation.createdAt)],
    ["started", startedAt === null ? "" : localTime(startedAt)],
    ["ended", finishedAt === null ? "" : localTime(finishedAt)],
    ["stopped", stoppedBy === null ? "" : `by ${stoppedBy}${stopReason === null ? "" : `: ${stopReason}`}`],
    ...problems.map(({ message }): [string, string] => ["refused", message]),
  ];
  return [
    terminal.paint("bold", operation.id),
    `  ${progressText(operation, terminal)}`,
    ...facts
      .filter(([, value]) => value !== "")
      .map(([name, value]) => `  ${terminal.paint("dim", name.padEnd(8))}  ${printable(value)}`),
  ];
}
