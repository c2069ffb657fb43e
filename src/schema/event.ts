import { type EventType, isKnownEvent } from "../domain/event-types.ts";
import { idText } from "../domain/ids.ts";
import { jobCursor } from "../events/cursor.ts";
import type { EventRow } from "../events/read.ts";
import { builder } from "./builder.ts";
import { jobRef } from "./job.ts";

/** The GraphQL type of each type of event. */
export const eventTypenames = {
  "job.enqueued": "JobEnqueued",
  "job.scheduled": "JobScheduled",
  "job.queued": "JobQueued",
  "job.postponed": "JobPostponed",
  "job.updated": "JobUpdated",
  "job.started": "JobStarted",
  "job.succeeded": "JobSucceeded",
  "job.retry_planned": "JobRetryPlanned",
  "job.failed": "JobFailed",
  "job.cancel_requested": "JobCancelRequested",
  "job.cancelled": "JobCancelled",
  "job.expired": "JobExpired",
  "job.requeued": "JobRequeued",
  "job.released": "JobReleased",
  "job.rescued": "JobRescued",
  "job.stalled": "JobStalled",
  "run.resolved": "RunResolved",
  "node.started": "NodeStarted",
  "node.reused": "NodeReused",
  "node.expanded": "NodeExpanded",
  "node.succeeded": "NodeSucceeded",
  "node.failed": "NodeFailed",
  "log.line": "LogLine",
  "log.dropped": "LogDropped",
  "artifact.stored": "ArtifactStored",
} as const satisfies Record<EventType, string>;

export const JobEvent = builder.interfaceRef<EventRow>("JobEvent").implement({
  description:
    "A recorded fact about a job. Its types may grow: a client meets one that it does not know as a type without fields of its own.",
  resolveType: (event) => (isKnownEvent(event.type, event.version) ? eventTypenames[event.type] : "UnknownEvent"),
  fields: (t) => ({
    cursor: t.string({
      description: "Resumes `jobEvents` of this job after this event.",
      resolve: ({ jobId, seq }) => jobCursor({ jobId, seq }),
    }),
    jobId: t.id({ description: "The job's id.", resolve: ({ jobId }) => idText("job", jobId) }),
    job: t.field({
      type: jobRef,
      description: "The job as it is now.",
      resolve: ({ jobId }) => ({ id: jobId }) as never,
    }),
    seq: t.exposeInt("seq", { description: "1, 2, 3 … within the job, without gaps." }),
    attempt: t.exposeInt("attempt", {
      nullable: true,
      description: "The attempt that it belongs to; null before the first.",
    }),
    node: t.exposeString("node", {
      nullable: true,
      description: "The node that it is about; null when it is about none, or when that is not known.",
    }),
    branch: t.exposeString("branch", {
      nullable: true,
      description: "The branch of a `Parallelizable` node; null outside of one.",
    }),
    type: t.exposeString("type", { description: "Its type as it is stored: `node.succeeded`." }),
    recordedAt: t.field({
      type: "DateTime",
      description: "When it was recorded, by the database's clock.",
      resolve: (event) => event.recordedAt,
    }),
    occurredAt: t.field({
      type: "DateTime",
      description: "When it happened, by the clock of where it did.",
      resolve: (event) => event.occurredAt,
    }),
  }),
});

builder.objectType(builder.objectRef<EventRow>("UnknownEvent"), {
  description: "An event of a type that this server does not know, because a newer one has written it.",
  interfaces: [JobEvent],
  fields: (t) => ({
    data: t.field({
      type: "JSON",
      nullable: true,
      description: "What it says, as it is stored. Null without the right `payloads`.",
      authScopes: { payloads: true },
      unauthorizedResolver: () => null,
      resolve: ({ data }) => data,
    }),
  }),
});
