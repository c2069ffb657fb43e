import { and, eq, gte, inArray, isNotNull, isNull, lt, type SQL, sql } from "drizzle-orm";
import type { AnyPgColumn } from "drizzle-orm/pg-core";
import { z } from "zod";
import { jobMetadata, jobTags } from "../db/tables.ts";
import { BadInputError } from "../domain/errors.ts";
import type { JsonObject } from "../domain/json.ts";
import { type JobState, jobStates } from "../domain/lifecycle.ts";

/** Which jobs: those to which all of it applies. What is absent does not restrict; an empty list fits none. */
export interface JobFilter {
  ids?: string[] | undefined;
  states?: JobState[] | undefined;
  project?: string | undefined;
  pipeline?: string | undefined;
  queue?: string | undefined;
  tag?: string | undefined;
  stalled?: boolean | undefined;
  metadata?: { key: string; value: string }[] | undefined;
  createdAfter?: Date | undefined;
  createdBefore?: Date | undefined;
}

/** The columns of `jobs` under whatever name the statement gives the table. */
export type JobColumns = Record<
  "id" | "state" | "project" | "pipeline" | "queue" | "createdAt" | "finishedAt" | "runAt" | "stalledAt",
  AnyPgColumn
>;

/**
 * The filter as a condition that indexes of `jobs`, `job_tags` and `job_metadata` serve. Who reads on behind a job says so:
 * then tags and metadata of jobs before it are not read again.
 */
export function jobCondition(filter: JobFilter, jobs: JobColumns, after: string | null = null): SQL | undefined {
  const { ids, states, project, pipeline, queue, tag, stalled, metadata, createdAfter, createdBefore } = filter;
  const behind = (jobId: AnyPgColumn) => (after === null ? sql`` : sql` and ${jobId} > ${after}::uuid`);
  return and(
    ids === undefined ? undefined : inArray(jobs.id, ids),
    states === undefined ? undefined : stateIn(jobs.state, states),
    project === undefined ? undefined : eq(jobs.project, project),
    pipeline === undefined ? undefined : eq(jobs.pipeline, pipeline),
    queue === undefined ? undefined : eq(jobs.queue, queue),
    tag === undefined
      ? undefined
      : sql`${jobs.id} in (select ${jobTags.jobId} from ${jobTags} where ${jobTags.tag} = ${tag}${behind(jobTags.jobId)})`,
    stalled === undefined ? undefined : stalled ? isNotNull(jobs.stalledAt) : isNull(jobs.stalledAt),
    ...(metadata ?? []).map(
      ({ key, value }) =>
        sql`${jobs.id} in (select ${jobMetadata.jobId} from ${jobMetadata} where ${jobMetadata.key} = ${key} and ${jobMetadata.value} = ${value}${behind(jobMetadata.jobId)})`,
    ),
    createdAfter === undefined
      ? undefined
      : and(gte(jobs.createdAt, createdAfter), gte(jobs.id, idAt(createdAfter, -idSlackMs))),
    createdBefore === undefined
      ? undefined
      : and(lt(jobs.createdAt, createdBefore), lt(jobs.id, idAt(createdBefore, idSlackMs))),
  );
}

function stateIn(column: AnyPgColumn, states: readonly JobState[]): SQL {
  // One state by `=`: then the index (state, id) gives the order as well.
  return states.length === 1 ? sql`${column} = ${states[0]}` : inArray(column, [...states]);
}

/** An id's time is the database's clock as a process knows it; the row's is the database's own. They may differ by this much. */
const idSlackMs = 60_000;

/** The id below which are all jobs that were made at this time or before, whatever process has made them. */
export function idAfter(time: Date): string {
  return idAt(time, idSlackMs);
}

/** The smallest UUIDv7 of a time: ids sort by time, and so their index serves a range of times. */
function idAt(time: Date, slackMs: number): string {
  const hex = Math.max(0, time.getTime() + slackMs)
    .toString(16)
    .padStart(12, "0");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-7000-8000-000000000000`;
}

/** Whether it says which jobs. An empty list is no condition: some fields take it for none, others for nothing at all. */
export function saysSomething(filter: JobFilter): boolean {
  return Object.values(filter).some((value) => value !== undefined && !(Array.isArray(value) && value.length === 0));
}

const time = z.iso.datetime().transform((text) => new Date(text));
const storedFilter = z.strictObject({
  ids: z.array(z.guid()).optional(),
  states: z.array(z.enum(jobStates)).optional(),
  project: z.string().optional(),
  pipeline: z.string().optional(),
  queue: z.string().optional(),
  tag: z.string().optional(),
  stalled: z.boolean().optional(),
  metadata: z.array(z.strictObject({ key: z.string(), value: z.string() })).optional(),
  createdAfter: time.optional(),
  createdBefore: time.optional(),
}) satisfies z.ZodType<JobFilter>;

/** The filter as it is kept for later. */
export function storedFilterOf(filter: JobFilter): JsonObject {
  return JSON.parse(JSON.stringify(filter)) as JsonObject;
}

/**
 * The filter that was kept. Another version may have written it: a condition that this one does not know must not be passed
 * over, because without it the filter fits more jobs than were meant.
 *
 * @throws BadInputError when it is not understood, or says nothing
 */
export function readStoredFilter(stored: JsonObject): JobFilter {
  const { data, error } = storedFilter.safeParse(stored);
  if (data !== undefined && saysSomething(data)) return data;
  const why = error?.issues.map(({ path, message }) => `${path.join(".") || "it"}: ${message}`).join("; ");
  throw new BadInputError(
    `The filter is not understood by this version (${why ?? "it is empty"}). Update all servers and workers, and ask again.`,
    "filter",
  );
}
