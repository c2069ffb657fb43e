import { createContextCache } from "@pothos/core";
import { type JobState, jobStates } from "../domain/lifecycle.ts";
import type { RateLimit as RateLimitShape } from "../domain/queue-limits.ts";
import { readThroughput, throughputMinutes } from "../jobs/metrics.ts";
import { Batch } from "./batch.ts";
import { builder } from "./builder.ts";
import type { Context } from "./context.ts";
import { BoundedCount, boundedCount } from "./count.ts";
import { JobStateEnum } from "./job-state.ts";
import { limits } from "./limits.ts";
import { QueueDefaults } from "./queue-defaults.ts";

const RateLimit = builder.objectRef<RateLimitShape>("RateLimit").implement({
  description:
    "So many jobs within a time: a bucket that holds `jobs` and fills evenly. After a rest that many may start at once.",
  fields: (t) => ({
    jobs: t.exposeInt("jobs", { description: "How many jobs." }),
    periodMs: t.exposeInt("periodMs", { description: "Within how long." }),
  }),
});

export interface StateCountShape {
  state: JobState;
  counted: number;
}

export const StateCount = builder.objectRef<StateCountShape>("StateCount").implement({
  description: "How many jobs are in a state.",
  fields: (t) => ({
    state: t.expose("state", { type: JobStateEnum, description: "The state." }),
    count: t.field({
      type: BoundedCount,
      description: "How many.",
      resolve: ({ counted }) => boundedCount(counted),
    }),
  }),
});

export const Queue = builder.drizzleNode("queues", {
  name: "Queue",
  description: "A named line in which jobs wait, with what limits it.",
  id: { column: (queue) => queue.name, description: "Its id: `que_` and its name." },
  fields: (t) => ({
    name: t.exposeString("name", { description: "Its name." }),
    createdAt: t.expose("createdAt", { type: "DateTime", description: "When it was made or first used." }),
    pausedAt: t.expose("pausedAt", {
      type: "DateTime",
      nullable: true,
      description: "Since when nothing of it is started; null when it is open.",
    }),
    pausedUntil: t.expose("pausedUntil", {
      type: "DateTime",
      nullable: true,
      description: "When it opens by itself; null when it is open, and when somebody has to resume it.",
    }),
    pauseReason: t.exposeString("pauseReason", {
      nullable: true,
      description: "Why it is paused, as whoever did it said; null when they said nothing, and when it is open.",
    }),
    concurrencyLimit: t.exposeInt("concurrencyLimit", {
      nullable: true,
      description: "How many of its jobs may be with workers at the same time, over all of them; null: any number.",
    }),
    rateLimit: t.field({
      type: RateLimit,
      nullable: true,
      description: "How many of its jobs may be given to workers within a time; null: any number.",
      select: { columns: { rateLimit: true, ratePeriodMs: true } },
      resolve: ({ rateLimit: jobs, ratePeriodMs: periodMs }) =>
        jobs === null || periodMs === null ? null : { jobs, periodMs },
    }),
    backlogLimit: t.exposeInt("backlogLimit", {
      nullable: true,
      description: "With so many jobs waiting it takes no more; null: any number.",
    }),
    jobDefaults: t.field({
      type: QueueDefaults,
      nullable: true,
      description: "What its jobs are run with where nobody nearer to them says otherwise; null: it says nothing.",
      select: { columns: { jobDefaults: true } },
      resolve: ({ jobDefaults }) => jobDefaults,
    }),
    counts: t.field({
      type: [StateCount],
      description: "How many of its jobs are in each state; states without any are left out.",
      complexity: 10,
      select: { columns: { name: true } },
      resolve: async ({ name }, _args, context) => await counts(context)(name),
    }),
    oldestWaitingAt: t.field({
      type: "DateTime",
      nullable: true,
      description: "Since when the first made of its queued jobs is due; null when none is queued.",
      complexity: 5,
      select: { columns: { name: true } },
      resolve: async ({ name }, _args, context) => await oldest(context)(name),
    }),
    endedPerMinute: t.float({
      description: `Jobs that have ended per minute, in whatever way, over the last ${throughputMinutes} minutes and the one that is under way. Counted a few seconds after they end.`,
      complexity: 5,
      select: { columns: { name: true } },
      resolve: async ({ name }, _args, context) => await throughput(context)(name),
    }),
  }),
});

/** Those of all queues that ask together. */
const counts = createContextCache(({ db }: Context) => {
  const batch = new Batch<string, StateCountShape[]>(async (names) => {
    const rows = await db.sql<{ queue: string; state: JobState; counted: number }[]>`
      select q.name as queue, s.state, c.counted
      from unnest(${names}::text[]) as q (name)
      cross join unnest(${[...jobStates]}::job_state[]) as s (state)
      cross join lateral (
        select count(*)::int as counted from (
          select from jobs where queue = q.name and state = s.state limit ${limits.count + 1}
        ) j
      ) c
      where c.counted > 0`;
    const byQueue = Map.groupBy(rows, ({ queue }) => queue);
    return names.map((name) => byQueue.get(name) ?? []);
  });
  return (name: string) => batch.ask(name);
});

const oldest = createContextCache(({ db }: Context) => {
  const batch = new Batch<string, Date | null>(async (names) => {
    const rows = await db.sql<{ queue: string; oldest: Date }[]>`
      select q.name as queue, j.run_at as oldest
      from unnest(${names}::text[]) as q (name)
      cross join lateral (
        select run_at from jobs where queue = q.name and state = 'queued' order by id limit 1
      ) j`;
    const byQueue = new Map(rows.map(({ queue, oldest }) => [queue, oldest]));
    return names.map((name) => byQueue.get(name) ?? null);
  });
  return (name: string) => batch.ask(name);
});

const throughput = createContextCache(({ db }: Context) => {
  const batch = new Batch<string, number>(async (names) => {
    const byQueue = await readThroughput(db.sql, names);
    return names.map((name) => byQueue.get(name) ?? 0);
  });
  return (name: string) => batch.ask(name);
});

builder.queryField("queue", (t) =>
  t.drizzleField({
    type: Queue,
    nullable: true,
    description: "A queue by its name; null when there is none.",
    authScopes: { read: true },
    args: { name: t.arg.string({ required: true, description: "Its name." }) },
    resolve: (query, _root, { name }, { db }) => db.reads.query.queues.findFirst(query({ where: { name } })),
  }),
);

builder.queryField("queues", (t) =>
  t.drizzleField({
    type: [Queue],
    description: "All queues, by name.",
    authScopes: { read: true },
    resolve: (query, _root, _args, { db }) => db.reads.query.queues.findMany(query({ orderBy: { name: "asc" } })),
  }),
);
