import { defineRelations } from "drizzle-orm";
import * as tables from "./tables.ts";

/** How the API walks from one table to the next. */
export const relations = defineRelations(
  {
    batches: tables.batches,
    jobs: tables.jobs,
    jobRequests: tables.jobRequests,
    jobTags: tables.jobTags,
    jobDependencies: tables.jobDependencies,
    attempts: tables.attempts,
    nodeRuns: tables.nodeRuns,
    events: tables.events,
    artifacts: tables.artifacts,
    artifactStores: tables.artifactStores,
    failureGroups: tables.failureGroups,
    projects: tables.projects,
    pipelines: tables.pipelines,
    pipelineVersions: tables.pipelineVersions,
    queues: tables.queues,
    workers: tables.workers,
  },
  (r) => ({
    jobs: {
      request: r.one.jobRequests({ from: r.jobs.id, to: r.jobRequests.jobId, optional: false }),
      tags: r.many.jobTags({ from: r.jobs.id, to: r.jobTags.jobId }),
      attempts: r.many.attempts({ from: r.jobs.id, to: r.attempts.jobId }),
      events: r.many.events({ from: r.jobs.id, to: r.events.jobId }),
      worker: r.one.workers({ from: r.jobs.workerId, to: r.workers.id }),
      /** The attempt under way, else the last one; none before the first start. */
      lastAttempt: r.one.attempts({
        from: [r.jobs.id, r.jobs.attempt],
        to: [r.attempts.jobId, r.attempts.attempt],
      }),
      /** Of the last attempt. */
      nodeRuns: r.many.nodeRuns({
        from: [r.jobs.id, r.jobs.attempt],
        to: [r.nodeRuns.jobId, r.nodeRuns.attempt],
      }),
      /** Of the last attempt. */
      results: r.many.artifacts({
        from: [r.jobs.id, r.jobs.attempt],
        to: [r.artifacts.jobId, r.artifacts.attempt],
        where: { kind: "result" },
      }),
      batch: r.one.batches({ from: r.jobs.batchId, to: r.batches.id }),
      queueRow: r.one.queues({ from: r.jobs.queue, to: r.queues.name, optional: false }),
      pipelineRow: r.one.pipelines({
        from: [r.jobs.project, r.jobs.pipeline],
        to: [r.pipelines.project, r.pipelines.name],
      }),
    },
    attempts: {
      job: r.one.jobs({ from: r.attempts.jobId, to: r.jobs.id, optional: false }),
      worker: r.one.workers({ from: r.attempts.workerId, to: r.workers.id, optional: false }),
      nodeRuns: r.many.nodeRuns({
        from: [r.attempts.jobId, r.attempts.attempt],
        to: [r.nodeRuns.jobId, r.nodeRuns.attempt],
      }),
      results: r.many.artifacts({
        from: [r.attempts.jobId, r.attempts.attempt],
        to: [r.artifacts.jobId, r.artifacts.attempt],
        where: { kind: "result" },
      }),
    },
    nodeRuns: {
      job: r.one.jobs({ from: r.nodeRuns.jobId, to: r.jobs.id, optional: false }),
    },
    artifacts: {
      job: r.one.jobs({ from: r.artifacts.jobId, to: r.jobs.id, optional: false }),
    },
    failureGroups: {
      lastJob: r.one.jobs({ from: r.failureGroups.lastJobId, to: r.jobs.id }),
      closedByJob: r.one.jobs({ from: r.failureGroups.closedBy, to: r.jobs.id }),
      pipelineRow: r.one.pipelines({
        from: [r.failureGroups.project, r.failureGroups.pipeline],
        to: [r.pipelines.project, r.pipelines.name],
      }),
    },
    projects: {
      pipelines: r.many.pipelines({ from: r.projects.name, to: r.pipelines.project }),
    },
    workers: {
      storeRow: r.one.artifactStores({ from: r.workers.store, to: r.artifactStores.id }),
      running: r.many.jobs({ from: r.workers.id, to: r.jobs.workerId, where: { state: "running" } }),
    },
    pipelineVersions: {
      pipelineRow: r.one.pipelines({
        from: [r.pipelineVersions.project, r.pipelineVersions.pipeline],
        to: [r.pipelines.project, r.pipelines.name],
      }),
    },
    pipelines: {
      projectRow: r.one.projects({ from: r.pipelines.project, to: r.projects.name, optional: false }),
    },
  }),
);
