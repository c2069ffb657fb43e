import { queryFromInfo } from "@pothos/plugin-drizzle";
import { and, type SQL, sql } from "drizzle-orm";
import type { GraphQLResolveInfo } from "graphql";
import type { Database } from "../db/client.ts";
import { jobs as jobsTable } from "../db/tables.ts";
import { isFinal } from "../domain/lifecycle.ts";
import type { JobColumns } from "../jobs/filter.ts";
import { builder } from "./builder.ts";
import type { Context } from "./context.ts";
import { BoundedCount, boundedCount, type Count } from "./count.ts";
import { jobRef } from "./job.ts";
import { filterCondition, JobFilter, type JobFilterInput } from "./job-filter.ts";
import { limits } from "./limits.ts";
import { type Keyset, type PageArgs, type PageRequest, pageComplexity, readPage } from "./page.ts";
import { pageNodes } from "./page-nodes.ts";

const orders = {
  id_asc: { by: null, descending: false },
  id_desc: { by: null, descending: true },
  finished_at_asc: { by: "finishedAt", descending: false },
  finished_at_desc: { by: "finishedAt", descending: true },
  run_at_asc: { by: "runAt", descending: false },
  run_at_desc: { by: "runAt", descending: true },
} as const;
type JobOrder = keyof typeof orders;

const JobOrderEnum = builder.enumType("JobOrder", {
  description: "In which order jobs are listed. Each has its index.",
  values: {
    ID_ASC: { value: "id_asc", description: "By when they were enqueued, the oldest first." },
    ID_DESC: { value: "id_desc", description: "By when they were enqueued, the newest first." },
    FINISHED_AT_ASC: {
      value: "finished_at_asc",
      description: "By when they ended, the earliest first. Only jobs that have ended.",
    },
    FINISHED_AT_DESC: {
      value: "finished_at_desc",
      description: "By when they ended, the latest first. Only jobs that have ended.",
    },
    RUN_AT_ASC: { value: "run_at_asc", description: "By when they are due, the earliest first." },
    RUN_AT_DESC: { value: "run_at_desc", description: "By when they are due, the latest first." },
  } as const satisfies { [O in JobOrder as Uppercase<O>]: { value: O; description: string } },
});

interface Key {
  id: string;
  at: string | null;
}

builder.queryField("jobs", (t) =>
  t.connection(
    {
      type: jobRef,
      description: "Jobs, page by page. Stable while jobs are added.",
      authScopes: { read: true },
      complexity: pageComplexity,
      args: {
        filter: t.arg({ type: JobFilter, description: "Which jobs; without it: all." }),
        orderBy: t.arg({ type: JobOrderEnum, defaultValue: "id_desc", required: true, description: "In which order." }),
      },
      resolve: async (_root, { filter, orderBy, ...page }, context, info) => ({
        ...(await jobPage(page, { filter, order: orderBy }, context, info)),
        count: () => countJobs(context.db, filter, orders[orderBy].by === "finishedAt"),
      }),
    },
    {
      name: "JobsConnection",
      description: "A page of jobs.",
      fields: (c) => ({
        totalCount: c.field({
          type: BoundedCount,
          description: "How many jobs fit the filter, on all pages. Counted only when it is asked for.",
          resolve: (connection) => (connection as unknown as { count(): Promise<Count> }).count(),
        }),
      }),
    },
    { name: "JobsConnectionEdge", description: "A job in its list." },
  ),
);

async function jobPage(
  page: PageArgs,
  { filter, order }: { filter: JobFilterInput | null | undefined; order: JobOrder },
  context: Context,
  info: GraphQLResolveInfo,
) {
  const { by } = orders[order];
  const keyset: Keyset<{ id: string; finishedAt?: Date | null; runAt?: Date }, Key> = {
    name: `jobs ${order}`,
    keyOf: (job) => (by === null ? [job.id] : [job.id, (job[by] as Date).toISOString()]),
    parse: ([id = "", at, ...rest]) =>
      isUuid(id) && rest.length === 0 && (by === null ? at === undefined : isTime(at)) ? { id, at: at ?? null } : null,
  };
  return await readPage(page, keyset, (request) =>
    context.db.reads.query.jobs.findMany(
      queryFromInfo({
        ...pageNodes("Job", context, info),
        columns: { id: true, finishedAt: true, runAt: true },
        ...pageQuery(filter, order, request),
      }),
    ),
  );
}

/**
 * Condition, order and limit of a page. The place in the list is compared as one row value, `(finished_at, id) < ($1, $2)`,
 * which the index answers; `a < $1 or (a = $1 and id < $2)` reads everything before it (62 ms against 0.24 ms on a million).
 */
export function pageQuery(filter: JobFilterInput | null | undefined, order: JobOrder, request: PageRequest<Key>) {
  const { by, descending } = orders[order];
  const down = descending !== request.backwards;
  const direction = down ? ("desc" as const) : ("asc" as const);
  const [earlier, later] = descending ? [request.before, request.after] : [request.after, request.before];
  return {
    where: {
      RAW: (jobs: JobColumns) =>
        and(
          filterCondition(by === "finishedAt" ? onlyEnded(filter) : filter, jobs),
          by === "finishedAt" ? sql`${jobs.finishedAt} is not null` : undefined,
          earlier === null ? undefined : compare(jobs, by, sql`>`, earlier),
          later === null ? undefined : compare(jobs, by, sql`<`, later),
        ) ?? sql`true`,
    },
    orderBy: by === null ? { id: direction } : { [by]: direction, id: direction },
    limit: request.limit,
  };
}

/**
 * What has ended is in a final state. Said to Postgres, it does not look through all that has ended for a job that waits:
 * 119,001 rows of 120,000.
 */
function onlyEnded(filter: JobFilterInput | null | undefined): JobFilterInput | null | undefined {
  return filter?.states == null ? filter : { ...filter, states: filter.states.filter(isFinal) };
}

function compare(jobs: JobColumns, by: "finishedAt" | "runAt" | null, operator: SQL, { id, at }: Key): SQL {
  if (by === null) return sql`${jobs.id} ${operator} ${id}::uuid`;
  return sql`(${jobs[by]}, ${jobs.id}) ${operator} (${at}::timestamptz, ${id}::uuid)`;
}

async function countJobs(db: Database, filter: JobFilterInput | null | undefined, finished: boolean): Promise<Count> {
  const some = db.reads
    .select({ one: sql`1`.as("one") })
    .from(jobsTable)
    .where(
      and(
        filterCondition(finished ? onlyEnded(filter) : filter, jobsTable),
        finished ? sql`${jobsTable.finishedAt} is not null` : undefined,
      ),
    )
    .limit(limits.count + 1)
    .as("some");
  const [row] = await db.reads.select({ counted: sql<number>`count(*)::int` }).from(some);
  return boundedCount(row?.counted ?? 0);
}

function isUuid(text: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text);
}

/**
 * As `toISOString` writes it, in the years that a job can have. A day that does not exist would be taken for another one here,
 * and refused by Postgres, as the year 0 is.
 */
function isTime(text: string | undefined): boolean {
  const time = text === undefined ? Number.NaN : Date.parse(text);
  return !Number.isNaN(time) && new Date(time).toISOString() === text && /^[1-9]/.test(text);
}
