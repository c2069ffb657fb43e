import type { Command } from "commander";
import type { Client } from "../client/client.ts";
import { type ErrorResult, errorOf } from "../client/errors.ts";
import {
  type BulkResultFragment,
  CancelJobsDocument,
  type CancelJobsInput,
  DeleteJobsDocument,
  RequeueJobsDocument,
} from "../client/generated/graphql.ts";
import { type Cli, type GlobalOptions, printJson } from "./cli.ts";
import { Exit, exitCodes, UsageError } from "./failure.ts";
import { type FilterFlags, filterFor, filterOf, filterOptions, jobLines } from "./jobs.ts";
import { printable } from "./terminal.ts";
import { counted } from "./units.ts";

export interface BulkFlags extends FilterFlags, GlobalOptions {
  dryRun?: boolean;
  yes?: boolean;
  reason?: string;
}

const verbs = {
  cancel: { document: CancelJobsDocument, field: "cancelJobs", done: "cancelled, or asked to stop" },
  requeue: { document: RequeueJobsDocument, field: "requeueJobs", done: "queued again" },
  delete: { document: DeleteJobsDocument, field: "deleteJobs", done: "deleted" },
} as const;
type Verb = keyof typeof verbs;

/** What names many jobs at once, beside the ids. */
export function bulkOptions(command: Command): Command {
  return filterOptions(command)
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
export async function runBulk(client: Client, verb: Verb, refs: readonly string[], flags: BulkFlags, cli: Cli) {
  if (refs.length > 0 === hasFilter(flags)) {
    throw new UsageError(
      "Name jobs, or say which ones by --state, --project, --pipeline, --queue, --batch, --tag or --meta.",
    );
  }
  const reason = flags.reason ?? null;
  if (refs.length > 0) {
    const ids: string[] = [];
    for (const ref of refs) ids.push((await client.find(ref)).id);
    return tell(await call(client, verb, { ids, reason, dryRun: flags.dryRun ?? false }), verb, flags, cli);
  }
  const filter = await filterFor(client, flags);
  const planned = await call(client, verb, { filter, reason, dryRun: true });
  if (flags.dryRun) return tell(planned, verb, flags, cli);
  if (planned.matched.value > 0) await confirm(planned, verb, flags, cli);
  tell(await all(client, verb, { filter, reason, dryRun: false }, planned, cli), verb, flags, cli);
}

/** Call after call, as each takes some. No more than there were: what is requeued may fail and fit again meanwhile. */
async function all(client: Client, verb: Verb, input: CancelJobsInput, { matched }: BulkResultFragment, cli: Cli) {
  const whole = await call(client, verb, input);
  const taken = () => whole.done + whole.failed;
  for (let last = whole; last.more && last.done > 0 && (!matched.isExact || taken() < matched.value); ) {
    cli.terminal.err(`${counted(taken(), "job")} of ${matched.value}${matched.isExact ? "" : "+"}`);
    last = await call(client, verb, input);
    whole.done += last.done;
    whole.failed += last.failed;
    whole.matched = { value: whole.matched.value + last.matched.value, isExact: last.matched.isExact };
    whole.problems.push(...last.problems);
  }
  return whole;
}

async function call(client: Client, verb: Verb, input: CancelJobsInput): Promise<BulkResultFragment> {
  const { document, field } = verbs[verb];
  const answer = (await client.request(document as typeof CancelJobsDocument, { input })) as Record<string, unknown>;
  const result = answer[field] as BulkResultFragment | ErrorResult;
  if ("code" in result) throw errorOf(result);
  return result;
}

async function confirm(planned: BulkResultFragment, verb: Verb, flags: BulkFlags, { terminal, ask }: Cli) {
  if (flags.yes) return;
  const many = `${planned.matched.value}${planned.matched.isExact ? "" : " or more"}`;
  const question = `${verb} ${many} ${planned.matched.value === 1 ? "job" : "jobs"}?`;
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
    const many = dryRun ? `${matched.isExact ? done : `${matched.value} or more`}` : String(done);
    const noun = done === 1 ? "job" : "jobs";
    terminal.out(`${many} ${noun} ${dryRun ? "would be" : done === 1 ? "is" : "are"} ${verbs[verb].done}.`);
  }
  if (result.failed > 0) throw new Exit(exitCodes.usage);
}
