import { and, eq, gte, inArray, isNotNull, isNull, lt, type SQL, sql } from "drizzle-orm";
import type { AnyPgColumn } from "drizzle-orm/pg-core";
import { jobTags } from "../db/tables.ts";
import { BadInputError } from "../domain/errors.ts";
import { uuidOf } from "../domain/ids.ts";
import type { JobState } from "../domain/lifecycle.ts";
import { builder } from "./builder.ts";
import { JobStateEnum } from "./job-state.ts";
import { limits } from "./limits.ts";
import { hasMetadata, MetadataFilter, metadataFilters } from "./metadata.ts";
import { requireUuid } from "./node-ids.ts";

export const JobFilter = builder.inputType("JobFilter", {
  description: "Which jobs: those to which all of it applies. An empty list fits none.",
  fields: (t) => ({
    ids: t.idList({ description: `Only these jobs, at most ${limits.pageSize}.` }),
    states: t.field({ type: [JobStateEnum], description: "Only jobs in one of these states." }),
    project: t.string({ description: "Only jobs of this project." }),
    pipeline: t.string({
      description: "Only jobs of this pipeline: `project/pipeline`, or its name beside `project`.",
    }),
    queue: t.string({ description: "Only jobs of this queue." }),
    batch: t.id({ description: "Only jobs of this batch: `bat_…`." }),
    tag: t.string({ description: "Only jobs with this tag." }),
    stalled: t.boolean({
      description: "True: only jobs whose run seems to have stalled; false: only others. Absent: both.",
    }),
    metadata: t.field({
      type: [MetadataFilter],
      description: "Only jobs whose metadata has all of these, at most 5.",
      validate: metadataFilters,
    }),
    createdAfter: t.field({ type: "DateTime", description: "Only jobs enqueued at this time or later." }),
    createdBefore: t.field({ type: "DateTime", description: "Only jobs enqueued before this time." }),
  }),
});

export type JobFilterInput = typeof JobFilter.$inferInput;

/** The columns of `jobs` under whatever name the statement gives the table. */
export type JobColumns = Record<
  "id" | "batchId" | "state" | "project" | "pipeline" | "queue" | "createdAt" | "finishedAt" | "runAt" | "stalledAt",
  AnyPgColumn
>;

/** Project and pipeline that a filter names. */
export function pipelineOf(filter: { project?: string | null | undefined; pipeline?: string | null | undefined }): {
  project: string | null;
  pipeline: string | null;
} {
  const { project = null, pipeline = null } = filter;
  const slash = pipeline?.indexOf("/") ?? -1;
  if (pipeline === null || slash < 0) {
    if (pipeline !== null && project === null) {
      throw new BadInputError("Give the pipeline as `project/pipeline`, or its project too.", "filter.pipeline");
    }
    return { project, pipeline };
  }
  const [named, name] = [pipeline.slice(0, slash), pipeline.slice(slash + 1)];
  if (project !== null && project !== named) {
    throw new BadInputError(`The pipeline ${pipeline} is not one of project ${project}.`, "filter.pipeline");
  }
  return { project: named, pipeline: name };
}

/** The UUID of the batch that a filter names; null when it names none. */
export function batchOf({ batch }: Pick<JobFilterInput, "batch">): string | null {
  return batch == null ? null : requireUuid("batch", String(batch), "filter.batch");
}

/** UUIDs of the ids that a filter names; null when it names none. */
export function idsOf(filter: Pick<JobFilterInput, "ids">): string[] | null {
  if (filter.ids == null) return null;
  if (filter.ids.length > limits.pageSize) {
    throw new BadInputError(`At most ${limits.pageSize} ids can be given.`, "filter.ids");
  }
  return filter.ids.map((id, index) => {
    const uuid = uuidOf("job", String(id));
    if (uuid === null)
      throw new BadInputError(
        `${JSON.stringify(String(id).slice(0, 80))} is not the id of a job.`,
        `filter.ids.${index}`,
      );
    return uuid;
  });
}

/** The filter as a condition that indexes of `jobs` and `job_tags` serve. */
export function filterCondition(filter: JobFilterInput | null | undefined, jobs: JobColumns): SQL | undefined {
  if (filter == null) return undefined;
  const { project, pipeline } = pipelineOf(filter);
  const ids = idsOf(filter);
  const batchId = batchOf(filter);
  const { states, queue, tag, metadata, stalled, createdAfter, createdBefore } = filter;
  return and(
    ids === null ? undefined : inArray(jobs.id, ids),
    states == null ? undefined : stateIn(jobs.state, states),
    project === null ? undefined : eq(jobs.project, project),
    pipeline === null ? undefined : eq(jobs.pipeline, pipeline),
    queue == null ? undefined : eq(jobs.queue, queue),
    batchId === null ? undefined : eq(jobs.batchId, batchId),
    tag == null
      ? undefined
      : sql`${jobs.id} in (select ${jobTags.jobId} from ${jobTags} where ${jobTags.tag} = ${tag})`,
    stalled == null ? undefined : stalled ? isNotNull(jobs.stalledAt) : isNull(jobs.stalledAt),
    metadata == null ? undefined : hasMetadata(jobs.id, metadata),
    createdAfter == null
      ? undefined
      : and(gte(jobs.createdAt, createdAfter), gte(jobs.id, idAt(createdAfter, -idSlackMs))),
    createdBefore == null
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

/** The smallest UUIDv7 of a time: ids sort by time, and so their index serves a range of times. */
function idAt(time: Date, slackMs: number): string {
  const hex = Math.max(0, time.getTime() + slackMs)
    .toString(16)
    .padStart(12, "0");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-7000-8000-000000000000`;
}
