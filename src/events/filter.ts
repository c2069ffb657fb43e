import type { JobFacts } from "./read.ts";

/** Which jobs somebody wants to hear of. What is absent, null or undefined does not restrict. */
export interface JobFilter {
  project?: string | null | undefined;
  pipeline?: string | null | undefined;
  queue?: string | null | undefined;
  batchId?: string | null | undefined;
  jobIds?: readonly string[] | null | undefined;
}

export interface FeedFilter extends JobFilter {
  types?: readonly string[] | null | undefined;
}

/** True for the jobs that the filter lets through. */
export function jobMatcher(filter: JobFilter): (job: JobFacts) => boolean {
  const { project, pipeline, queue, batchId } = filter;
  const jobIds = filter.jobIds == null ? null : new Set(filter.jobIds);
  return (job) =>
    (jobIds === null || jobIds.has(job.jobId)) &&
    (project == null || project === job.project) &&
    (pipeline == null || pipeline === job.pipeline) &&
    (queue == null || queue === job.queue) &&
    (batchId == null || batchId === job.batchId);
}
