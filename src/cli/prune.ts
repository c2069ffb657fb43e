import type { Command } from "commander";
import { errorOf } from "../client/errors.ts";
import {
  PruneJobsDocument,
  type PruneJobsMutation,
  StorageDocument,
  type StorageQuery,
} from "../client/generated/graphql.ts";
import { openApi } from "./api.ts";
import { type Cli, globalOptions, printJson } from "./cli.ts";
import { lengthMs } from "./run-flags.ts";
import { table } from "./table.ts";
import { bytes, counted, duration, grouped } from "./units.ts";

type Counts = Extract<PruneJobsMutation["pruneJobs"], { __typename: "PruneJobsSuccess" }>["counts"];

export function addPrune(program: Command, cli: Cli): void {
  program
    .command("prune")
    .description("remove now the jobs that ended longer ago than they are kept; servers and workers do it every minute")
    .option("--dry-run", "only count them")
    .option("--older-than <duration>", "this once by this age: 7d", lengthMs)
    .action(async ({ dryRun = false, olderThan }: { dryRun?: boolean; olderThan?: number }, command: Command) => {
      const options = globalOptions(command);
      await using client = openApi(cli, options);
      const removed = new Map<string, { value: number; isExact: boolean }>();
      for (let more = true; more; ) {
        const { pruneJobs: result } = await client.request(PruneJobsDocument, {
          input: { dryRun, olderThanMs: olderThan ?? null },
        });
        if (result.__typename !== "PruneJobsSuccess") throw errorOf(result);
        add(removed, result.counts);
        more = result.more && !dryRun;
      }
      if (options.json) {
        return printJson(cli.terminal, {
          dryRun,
          counts: [...removed].map(([state, count]) => ({ state, count })),
        });
      }
      const text = [...removed].map(
        ([state, { value, isExact }]) => `${value}${isExact ? "" : "+"} ${state.toLowerCase()}`,
      );
      const what =
        text.length === 0 ? "No job is too old." : `${dryRun ? "Would remove" : "Removed"} jobs: ${text.join(", ")}.`;
      cli.terminal.out(what);
    });
}

function add(sum: Map<string, { value: number; isExact: boolean }>, counts: Counts): void {
  for (const { state, count } of counts) {
    const before = sum.get(state) ?? { value: 0, isExact: true };
    sum.set(state, { value: before.value + count.value, isExact: before.isExact && count.isExact });
  }
}

export function addStorage(program: Command, cli: Cli): void {
  program
    .command("storage")
    .description("what each part of the data takes, and how long jobs are kept")
    .action(async (_flags: object, command: Command) => {
      const options = globalOptions(command);
      await using client = openApi(cli, options);
      const answer = await client.request(StorageDocument, {}, { idempotent: true });
      if (options.json) return printJson(cli.terminal, answer);
      const rows = answer.storage.map((one) => [one.part, bytes(one.bytes), grouped(Math.round(one.rows), " ")]);
      const { paint } = cli.terminal;
      const lines = table(
        ["PART", "BYTES", "ROWS"],
        rows,
        cli.terminal.columns,
        cli.terminal.symbols.ellipsis,
        (text, _column, row) => (row === null ? paint("dim", text) : text),
      );
      for (const line of lines) cli.terminal.out(line);
      cli.terminal.out(keptText(answer.retention));
    });
}

function keptText({ ages, keepLast }: StorageQuery["retention"]): string {
  const kept = ages.map(({ state, ageMs }) => `${state.toLowerCase()} ${ageMs === null ? "for ever" : ageText(ageMs)}`);
  return `Kept: ${kept.join(", ")}, and the last ${counted(keepLast, "job")} of each pipeline.`;
}

function ageText(ms: number): string {
  const days = ms / 86_400_000;
  return Number.isInteger(days) ? counted(days, "day") : duration(ms);
}
