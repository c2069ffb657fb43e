/** What has ended over time, and how long it had waited and run. */
import { BadInputError } from "../domain/errors.ts";
import { type Histogram, percentileMs } from "../domain/histogram.ts";
import { type FinalState, finalStates } from "../domain/lifecycle.ts";
import {
  type Measured,
  nothingMeasured,
  type Resolution,
  readMetrics,
  resolutionMs,
  together,
} from "../jobs/metrics.ts";
import { builder } from "./builder.ts";
import { pipelineOf } from "./job-filter.ts";
import { JobStateEnum } from "./job-state.ts";
import { latestTimeMs } from "./scalars.ts";

const mostBuckets = 1_000;
const defaultBuckets: Record<Resolution, number> = { minute: 60, hour: 24, day: 30 };

const MetricsBucketEnum = builder.enumType("MetricsBucketSize", {
  description: "How long the buckets of time are. All begin at whole ones in UTC.",
  values: {
    MINUTE: { value: "minute", description: "A minute; kept for two days." },
    HOUR: { value: "hour", description: "An hour; kept for sixty days." },
    DAY: { value: "day", description: "A day; kept for three years." },
  } as const satisfies { [R in Resolution as Uppercase<R>]: { value: R; description: string } },
});

const MetricsFilter = builder.inputType("MetricsFilter", {
  description: "Which jobs: those to which all of it applies.",
  fields: (t) => ({
    project: t.string({ description: "Only jobs of this project." }),
    pipeline: t.string({
      description: "Only jobs of this pipeline: `project/pipeline`, or its name beside `project`.",
    }),
    queue: t.string({ description: "Only jobs of this queue." }),
  }),
});

const EndedCount = builder.objectRef<{ state: FinalState; jobs: number }>("EndedCount").implement({
  description: "How many jobs have ended in a state.",
  fields: (t) => ({
    state: t.expose("state", { type: JobStateEnum, description: "The state." }),
    jobs: t.exposeInt("jobs", { description: "How many; one that was requeued counts each time." }),
  }),
});

const Percentiles = builder.objectRef<Histogram>("Percentiles").implement({
  description: "How times are spread, each within a tenth.",
  fields: (t) => ({
    jobs: t.int({
      description: "Of how many jobs.",
      resolve: (histogram) => histogram.values().reduce((sum, count) => sum + count, 0),
    }),
    p50Ms: t.float({ description: "Half took less.", resolve: percentile(0.5) }),
    p95Ms: t.float({ description: "95 of 100 took less.", resolve: percentile(0.95) }),
    p99Ms: t.float({ description: "99 of 100 took less.", resolve: percentile(0.99) }),
  }),
});

function percentile(q: number) {
  return (histogram: Histogram) => percentileMs(histogram, q) ?? 0;
}

interface Bucket extends Measured {
  from: Date;
  to: Date;
}

const MetricsBucket = builder.objectRef<Bucket>("MetricsBucket").implement({
  description: "What ended within a time.",
  fields: (t) => ({
    from: t.expose("from", { type: "DateTime", description: "Its begin." }),
    to: t.expose("to", { type: "DateTime", description: "Its end, which is no part of it." }),
    ended: t.int({
      description: "How many jobs ended.",
      resolve: ({ ended }) => ended.values().reduce((sum, count) => sum + count, 0),
    }),
    counts: t.field({
      type: [EndedCount],
      description: "The same by final state; states without any are left out.",
      resolve: ({ ended }) =>
        finalStates.flatMap((state) => {
          const jobs = ended.get(state);
          return jobs === undefined ? [] : [{ state, jobs }];
        }),
    }),
    wait: t.field({
      type: Percentiles,
      nullable: true,
      description: "From when they were due to their first start; null when none was started.",
      resolve: ({ wait }) => (wait.size === 0 ? null : wait),
    }),
    run: t.field({
      type: Percentiles,
      nullable: true,
      description: "How long their last attempts ran; null when none was started.",
      resolve: ({ run }) => (run.size === 0 ? null : run),
    }),
  }),
});

interface Answer {
  resolution: Resolution;
  from: Date;
  to: Date;
  buckets: Bucket[];
}

const Metrics = builder.objectRef<Answer>("Metrics").implement({
  description: "What has ended over time.",
  fields: (t) => ({
    total: t.field({
      type: MetricsBucket,
      description: "All of it as one.",
      resolve: ({ from, to, buckets }) => ({ from, to, ...together(buckets) }),
    }),
    buckets: t.field({
      type: [MetricsBucket],
      description: "Bucket by bucket, the earliest first, also those in which nothing ended.",
      resolve: ({ buckets }) => buckets,
    }),
  }),
});

builder.queryField("metrics", (t) =>
  t.field({
    type: Metrics,
    description: `How many jobs ended, how long they waited and ran, over time. Counted a few seconds after the end, and kept when jobs are pruned. At most ${mostBuckets} buckets.`,
    authScopes: { read: true },
    complexity: 50,
    args: {
      from: t.arg({
        type: "DateTime",
        description: "From the bucket in which this time lies; an hour, a day or thirty days before `to` if absent.",
      }),
      to: t.arg({ type: "DateTime", description: "Up to the bucket in which this time lies, with it; now if absent." }),
      bucket: t.arg({
        type: MetricsBucketEnum,
        required: true,
        defaultValue: "hour",
        description: "How long a bucket is.",
      }),
      filter: t.arg({ type: MetricsFilter, description: "Which jobs; without it: all." }),
    },
    resolve: async (_root, { from, to, bucket: resolution, filter }, { db }) => {
      const range = rangeOf(resolution, from?.getTime() ?? null, to?.getTime() ?? db.now());
      const { project, pipeline } = pipelineOf(filter ?? {});
      const measured = await readMetrics(db.readSql, {
        resolution,
        ...range,
        project,
        pipeline,
        queue: filter?.queue ?? null,
      });
      return { resolution, ...range, buckets: bucketsOf(resolution, range, measured) };
    },
  }),
);

/** Whole buckets. The last one ends within the years that a `DateTime` has. */
function rangeOf(resolution: Resolution, from: number | null, to: number): { from: Date; to: Date } {
  const length = resolutionMs[resolution];
  const end = Math.min(Math.floor(to / length) + 1, Math.floor(latestTimeMs / length)) * length;
  const start = from === null ? end - defaultBuckets[resolution] * length : Math.floor(from / length) * length;
  if (start >= end) throw new BadInputError("`from` has to lie before `to`.", "from");
  const count = (end - start) / length;
  if (count > mostBuckets) {
    throw new BadInputError(`These are ${count} buckets; at most ${mostBuckets} can be asked for.`, "from");
  }
  return { from: new Date(start), to: new Date(end) };
}

function bucketsOf(
  resolution: Resolution,
  { from, to }: { from: Date; to: Date },
  measured: Map<number, Measured>,
): Bucket[] {
  const length = resolutionMs[resolution];
  const count = (to.getTime() - from.getTime()) / length;
  return Array.from({ length: count }, (_, index) => {
    const start = from.getTime() + index * length;
    return { from: new Date(start), to: new Date(start + length), ...(measured.get(start) ?? nothingMeasured()) };
  });
}
