import type { Command } from "commander";
import type { Client } from "../client/client.ts";
import { type ErrorResult, errorOf } from "../client/errors.ts";
import {
  type BulkResultFragment,
  CancelJobsDocument,
  DeleteJobsDocument,
  RequeueJobsDocument,
  UpdateJobsDocument,
  type UpdateJobsInput,
} from "../client/generated/graphql.ts";
import { type Cli, type GlobalOptions, printJson } from "./cli.ts";
import { Exit, exitCodes, UsageError } from "./failure.ts";
import { followOperation, tellEnd } from "./follow-operation.ts";
import { type FilterFlags, filterOf, filterOptions, jobLines } from "./jobs.ts";
import { printable } from "./terminal.ts";

export interface BulkFlags extends FilterFlags, GlobalOptions {
  dryRun?: boolean;
  wait?: boolean;
  yes?: boolean;
  reason?: string;
}

const verbs = {
  cancel: { document: CancelJobsDocument, field: "cancelJobs", done: "cancelled, or asked to stop" },
  requeue: { document: RequeueJobsDocument, field: "requeueJobs", done: "queued again" },
  delete: { document: DeleteJobsDocument, field: "deleteJobs", done: "deleted" },
  update: { document: UpdateJobsDocument, field: "updateJobs", done: "changed" },
} as const;
type Verb = keyof typeof verbs;
/** What an update makes different. */
export type Edit = Omit<UpdateJobsInput, "ids" | "filter" | "dryRun" | "reason">;

/** What names many jobs at once, beside the ids. */
export function bulkOptions(command: Command): Command {
  return bulkFlags(filterOptions(command));
}

/** Those beside the filter itself. */
export function bulkFlags(command: Command): Command {
  if (!command.options.some(({ long }) => long === "--wait")) {
    command.option("--wait", "where it is more than 1,000 jobs: show how far it is until its end");
  }
  return command
    .option("--dry-run", "only tell how many jobs it would be, and show some of them")
    .option("-y, --yes", "do not ask, whatever fits the filter");
}

/** Whether the command line names several jobs, or some by a filter. */
export function isBulk(refs: readonly string[], flags: BulkFlags): boolean {
  return refs.length !== 1 || flags.dryRun === true || hasFilter(flags);
}

function hasFilter(flags: BulkFlags): boolean {
  return Object.values(filterOf(flags)).some((condition) => condition != null);
}

/** Does it to the jobs that are named, or after a question to all that fit the filter. */
export async function runBulk(
  client: Client,
  verb: Verb,
  refs: readonly string[],
  flags: BulkFlags,
  cli: Cli,
  edit: Edit = {},
): Promise<void> {
  if (refs.length > 0 === hasFilter(flags)) {
    throw new UsageError("Name jobs, or say which ones by --state, --project, --pipeline, --queue, --tag or --meta.");
  }
  const act = { ...edit, reason: flags.reason ?? null };
  if (refs.length > 0) {
    const ids: string[] = [];
    for (const ref of refs) ids.push((await client.find(ref)).id);
    return tell(await call(client, verb, { ids, ...act, dryRun: flags.dryRun ?? false }), verb, flags, cli);
  }
  const filter = filterOf(flags);
  const planned = await call(client, verb, { filter, ...act, dryRun: true });
  if (flags.dryRun) return tell(planned, verb, flags, cli);
  if (planned.matched.value > 0) await confirm(planned, verb, flags, cli);
  const result = await call(client, verb, { filter, ...act, dryRun: false });
  if (result.operation === null) return tell(result, verb, flags, cli);
  await goOn(client, result, flags, cli);
}

/** It is done from now on: says how to see it, or stays until its end. */
async function goOn(client: Client, result: BulkResultFragment, { json, wait }: BulkFlags, cli: Cli): Promise<void> {
  const { operation } = result;
  if (operation === null) return;
  if (!wait && json) return printJson(cli.terminal, result);
  const end = operation.id.slice(-6);
  if (!json) cli.terminal.out(`${operation.id} does it from now on, to ${many(operation)} jobs.`);
  if (!wait) {
    return cli.terminal.err(
      `Watch it with: flowerpower-queue operation watch ${end}, stop it with: flowerpower-queue operation stop ${end}`,
    );
  }
  const ended = await followOperation(client, operation.id, cli, json);
  if (json) printJson(cli.terminal, ended);
  tellEnd(ended, cli);
}

async function call(client: Client, verb: Verb, input: UpdateJobsInput): Promise<BulkResultFragment> {
  const { document, field } = verbs[verb];
  const answer = (await client.request(document as typeof UpdateJobsDocument, { input })) as Record<string, unknown>;
  const result = answer[field] as BulkResultFragment | ErrorResult;
  if ("code" in result) throw errorOf(result);
  return result;
}

async function confirm(planned: BulkResultFragment, verb: Verb, flags: BulkFlags, { terminal, ask }: Cli) {
  if (flags.yes) return;
  const question = `${verb} ${many(planned)} ${planned.matched.value === 1 ? "job" : "jobs"}?`;
  if (ask === undefined || flags.json) {
    throw new UsageError(
      `This would ${question.replace("?", "")}. Add --yes to do it, or --dry-run to see some of them.`,
    );
  }
  for (const line of jobLines(planned.sample, terminal)) terminal.out(line);
  if (await ask(`${question[0]?.toUpperCase()}${question.slice(1)} [y/N] `)) return;
  terminal.err("Nothing was done.");
  throw new Exit(exitCodes.cancelled);
}

function tell(result: BulkResultFragment, verb: Verb, flags: BulkFlags, { terminal }: Cli): void {
  if (flags.json) printJson(terminal, result);
  else {
    const { matched, done, problems, dryRun, sample } = result;
    if (dryRun) for (const line of jobLines(sample, terminal)) terminal.out(line);
    for (const { message } of problems) terminal.err(printable(message));
    const shown = dryRun && !matched.isExact ? many(result) : String(done);
    const noun = done === 1 ? "job" : "jobs";
    terminal.out(`${shown} ${noun} ${dryRun ? "would be" : done === 1 ? "is" : "are"} ${verbs[verb].done}.`);
  }
  if (result.failed > 0) throw new Exit(exitCodes.usage);
}

/** `1200`, `10000 or more`. */
function many({ matched: { value, isExact } }: Pick<BulkResultFragment, "matched">): string {
  return `${value}${isExact ? "" : " or more"}`;
}
