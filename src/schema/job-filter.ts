import type { SQL } from "drizzle-orm";
import { BadInputError } from "../domain/errors.ts";
import { uuidOf } from "../domain/ids.ts";
import { type JobColumns, jobCondition, type JobFilter as StoredJobFilter } from "../jobs/filter.ts";
import { builder } from "./builder.ts";
import { JobStateEnum } from "./job-state.ts";
import { limits } from "./limits.ts";
import { MetadataFilter, metadataFilters } from "./metadata.ts";

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

/** The filter as the verbs on jobs take it; null and absent are the same. */
export function jobFilterOf(filter: JobFilterInput): StoredJobFilter {
  const { project, pipeline } = pipelineOf(filter);
  const { states, queue, tag, stalled, metadata, createdAfter, createdBefore } = filter;
  const given = {
    ids: idsOf(filter),
    states,
    project,
    pipeline,
    queue,
    tag,
    stalled,
    metadata: metadata?.map(({ key, value }) => ({ key, value })),
    createdAfter,
    createdBefore,
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value != null));
}

/** The filter as a condition that indexes of `jobs`, `job_tags` and `job_metadata` serve. */
export function filterCondition(filter: JobFilterInput | null | undefined, jobs: JobColumns): SQL | undefined {
  return filter == null ? undefined : jobCondition(jobFilterOf(filter), jobs);
}
