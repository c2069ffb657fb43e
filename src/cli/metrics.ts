import { type Command, InvalidArgumentError } from "commander";
import { type MetricsBucketFragment, type MetricsBucketSize, MetricsDocument } from "../client/generated/graphql.ts";
import { openApi } from "./api.ts";
import { type Cli, globalOptions, printJson } from "./cli.ts";
import { lengthMs, timeOf } from "./run-flags.ts";
import { table } from "./table.ts";
import { dayAndClock, duration, utcOffset } from "./units.ts";

interface Flags {
  by: MetricsBucketSize;
  since?: number;
  from?: string;
  to?: string;
  project?: string;
  queue?: string;
}

export function addMetrics(program: Command, cli: Cli): void {
  program
    .command("metrics")
    .description("how many jobs ended over time, how long they waited and ran")
    .argument("[pipeline]", "only this pipeline: PROJECT/PIPELINE")
    .option("--by <length>", "minute, hour or day, in UTC", bucketSize, "HOUR" as MetricsBucketSize)
    .option("--since <duration>", "from so long ago: 6h, 30d (an hour, a day or thirty days)", lengthMs)
    .option("--from <time>", "from then: 2026-11-23T18:00 (local), or with Z or an offset")
    .option("--to <time>", "up to then (now)")
    .option("--project <name>", "only jobs of this project")
    .option("--queue <name>", "only jobs of this queue")
    .action(async (pipeline: string | undefined, flags: Flags, command: Command) => {
      const options = globalOptions(command);
      await using client = openApi(cli, options);
      const { metrics } = await client.request(
        MetricsDocument,
        {
          bucket: flags.by,
          from: fromOf(flags),
          to: flags.to === undefined ? null : timeOf("--to", flags.to),
          filter: { project: flags.project ?? null, pipeline: pipeline ?? null, queue: flags.queue ?? null },
        },
        { idempotent: true },
      );
      if (options.json) return printJson(cli.terminal, metrics);
      const { paint, columns, symbols } = cli.terminal;
      // Those in which nothing ended say nothing.
      const rows = metrics.buckets
        .filter(({ ended }) => ended > 0)
        .map((bucket) => row(dayAndClock(new Date(bucket.from)).slice(0, 16), bucket));
      const lines = table(
        // Local, as all times for people: a day in UTC begins at another hour there.
        [
          `FROM ${utcOffset(new Date(metrics.total.from))}`,
          "ENDED",
          "FAILED",
          "WAIT P50",
          "P95",
          "RUN P50",
          "P95",
          "P99",
        ],
        [...rows, row("all", metrics.total)],
        columns,
        symbols.ellipsis,
        (text, _column, index) => (index === null ? paint("dim", text) : text),
      );
      for (const line of lines) cli.terminal.out(line);
    });
}

function bucketSize(text: string): MetricsBucketSize {
  const size = (["MINUTE", "HOUR", "DAY"] as const).find((one) => one === text.toUpperCase());
  if (size === undefined) throw new InvalidArgumentError("It has to be minute, hour or day.");
  return size;
}

function fromOf({ since, from }: Flags): string | null {
  if (since !== undefined) return new Date(Date.now() - since).toISOString();
  return from === undefined ? null : timeOf("--from", from);
}

function row(name: string, { ended, counts, wait, run }: MetricsBucketFragment): string[] {
  const failed = counts.find(({ state }) => state === "FAILED")?.jobs ?? 0;
  const time = (ms: number | undefined) => (ms === undefined ? "-" : duration(ms));
  return [
    name,
    String(ended),
    String(failed),
    time(wait?.p50Ms),
    time(wait?.p95Ms),
    time(run?.p50Ms),
    time(run?.p95Ms),
    time(run?.p99Ms),
  ];
}
