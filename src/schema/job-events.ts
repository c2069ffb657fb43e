/** What happens to a job as a whole. */
import { builder } from "./builder.ts";
import { eventType } from "./event-of.ts";
import { JobChange } from "./job-change.ts";
import { JobStateEnum } from "./job-state.ts";
import { EventError } from "./run-error.ts";

eventType("job.enqueued", "The job was accepted.", (t) => ({
  state: t.field({
    type: JobStateEnum,
    description: "The state in which it began.",
    resolve: ({ data }) => data.state,
  }),
  priority: t.int({ description: "Its priority, 0 to 100.", resolve: ({ data }) => data.priority }),
  queue: t.string({ description: "The queue in which it waits.", resolve: ({ data }) => data.queue }),
  runAt: t.field({ type: "DateTime", description: "When it is due.", resolve: ({ data }) => new Date(data.runAt) }),
  actor: t.string({ description: "Who enqueued it.", resolve: ({ data }) => data.actor }),
}));

eventType("job.scheduled", "The job waits no longer for others, and is due later.");

eventType("job.queued", "The job became due, or waits no longer for others, and waits for a worker.");

eventType("job.postponed", "Somebody wants the job later: it is scheduled again.");

eventType("job.updated", "Somebody changed the job while it waited.", (t) => ({
  actor: t.string({ description: "Who did.", resolve: ({ data }) => data.actor }),
  reason: t.string({
    nullable: true,
    description: "Why; null when no reason was given.",
    resolve: ({ data }) => data.reason,
  }),
  changes: t.field({
    type: [JobChange],
    description: "What is different now.",
    // One or two as a rule, and in a list of events hardly any has them.
    complexity: { field: 1, multiplier: 1 },
    resolve: ({ data }) => data.changes,
  }),
}));

eventType("job.started", "A worker began an attempt.", (t) => ({
  worker: t.id({ description: "The worker's id.", resolve: ({ data }) => data.worker }),
}));

eventType("job.succeeded", "Every final variable was computed. The last event of this life.");

eventType("job.retry_planned", "An attempt failed, and another one is planned.", (t) => ({
  error: t.field({ type: EventError, description: "Why the attempt failed.", resolve: ({ data }) => data.error }),
  failures: t.int({ description: "Failed attempts of this life.", resolve: ({ data }) => data.failures }),
  maxAttempts: t.int({ description: "How many attempts it has in all.", resolve: ({ data }) => data.maxAttempts }),
  runAt: t.field({
    type: "DateTime",
    description: "When the next one is due.",
    resolve: ({ data }) => new Date(data.runAt),
  }),
}));

eventType("job.failed", "The last attempt failed. The last event of this life.", (t) => ({
  error: t.field({ type: EventError, description: "Why it failed.", resolve: ({ data }) => data.error }),
}));

eventType("job.cancel_requested", "Somebody asked for a running job to be stopped.", (t) => ({
  actor: t.string({ description: "Who asked.", resolve: ({ data }) => data.actor }),
  reason: t.string({
    nullable: true,
    description: "Why; null when no reason was given.",
    resolve: ({ data }) => data.reason,
  }),
}));

eventType(
  "job.cancelled",
  "The job was stopped on request, or because a job that it waited for did not end as it should. The last event of this life.",
  (t) => ({
    actor: t.string({
      nullable: true,
      description: "Who asked; null when nobody did, or that is not known.",
      resolve: ({ data }) => data.actor,
    }),
    reason: t.string({
      nullable: true,
      description: "Why; null when no reason was given.",
      resolve: ({ data }) => data.reason,
    }),
  }),
);

eventType("job.expired", "The job was not started before its time to live ended. The last event of this life.");

eventType("job.requeued", "Somebody gave an ended job another life.", (t) => ({
  actor: t.string({ description: "Who did.", resolve: ({ data }) => data.actor }),
  reason: t.string({
    nullable: true,
    description: "Why; null when no reason was given.",
    resolve: ({ data }) => data.reason ?? null,
  }),
}));

eventType(
  "job.released",
  "A worker stopped and handed the job back; it counts neither as a failure nor as a loss.",
  (t) => ({
    reason: t.string({ description: "Why the worker stopped.", resolve: ({ data }) => data.reason }),
  }),
);

eventType("job.rescued", "The worker died, and the job was queued again.", (t) => ({
  error: t.field({ type: EventError, description: "What is known of the end.", resolve: ({ data }) => data.error }),
  losses: t.int({ description: "Workers that this life has lost.", resolve: ({ data }) => data.losses }),
}));

const StallReason = builder.enumType("StallReason", {
  description: "Why a run is taken for stalled.",
  values: {
    NO_PROGRESS: { value: "no_progress", description: "It has told nothing and used no processor time for long." },
    SLOW: { value: "slow", description: "It takes several times what nearly all runs of its pipeline took." },
  } as const,
});

eventType(
  "job.stalled",
  "A running job seems to have stalled. Told once for each attempt; it may go on all the same.",
  (t) => ({
    stalledFor: t.field({ type: StallReason, description: "Why it seems so.", resolve: ({ data }) => data.kind }),
    forMs: t.float({
      description: "NO_PROGRESS: since it was last heard of; SLOW: since the attempt began.",
      resolve: ({ data }) => data.forMs,
    }),
    p95Ms: t.float({
      nullable: true,
      description: "SLOW: how long 95 of 100 runs took at the most; else null.",
      resolve: ({ data }) => (data.kind === "slow" ? data.p95Ms : null),
    }),
  }),
);
