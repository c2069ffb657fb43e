/** What happens to a batch as a whole. */
import type { ObjectFieldsShape } from "@pothos/core";
import { type BatchEventData, type BatchEventType, isKnownBatchEvent } from "../domain/batch-event-types.ts";
import { finalStates } from "../domain/lifecycle.ts";
import { batchCursor } from "../events/cursor.ts";
import type { BatchEventRow } from "../events/read-batches.ts";
import { Batch, BatchStateEnum } from "./batch.ts";
import { builder } from "./builder.ts";
import { StateCount } from "./queue.ts";

/** The GraphQL type of each type of event. */
const typenames = {
  "batch.enqueued": "BatchEnqueued",
  "batch.cancel_requested": "BatchCancelRequested",
  "batch.requeued": "BatchRequeued",
  "batch.completed": "BatchCompleted",
  "batch.reopened": "BatchReopened",
} as const satisfies Record<BatchEventType, string>;

export const BatchEvent = builder.interfaceRef<BatchEventRow>("BatchEvent").implement({
  description:
    "A recorded fact about a batch as a whole. Its types may grow: a client meets one that it does not know as a type without fields of its own.",
  resolveType: ({ type, version }) => (isKnownBatchEvent(type, version) ? typenames[type] : "UnknownBatchEvent"),
  fields: (t) => ({
    cursor: t.string({
      description: "Resumes `batchEvents` of this batch after this event.",
      resolve: (event) => batchCursor(event),
    }),
    batch: t.field({
      type: Batch,
      description: "The batch as it is now.",
      resolve: ({ batchId }) => ({ id: batchId }) as never,
    }),
    seq: t.exposeInt("seq", { description: "1, 2, 3 … within the batch, without gaps." }),
    type: t.exposeString("type", { description: "Its type as it is stored: `batch.completed`." }),
    recordedAt: t.field({
      type: "DateTime",
      description: "When it was recorded, by the database's clock.",
      resolve: ({ recordedAt }) => recordedAt,
    }),
  }),
});

type BatchEventOf<T extends BatchEventType> = Omit<BatchEventRow, "data"> & { data: BatchEventData<T> };

function batchEventType<T extends BatchEventType>(
  type: T,
  description: string,
  fields: ObjectFieldsShape<(typeof builder)["$inferSchemaTypes"], BatchEventOf<T>>,
): void {
  builder.objectType(builder.objectRef<BatchEventOf<T>>(typenames[type]), {
    description,
    interfaces: [BatchEvent as never],
    fields,
  });
}

builder.objectType(builder.objectRef<BatchEventRow>("UnknownBatchEvent"), {
  description: "An event of a type that this server does not know, because a newer one has written it.",
  interfaces: [BatchEvent],
  fields: (t) => ({
    data: t.field({ type: "JSONObject", description: "What it says, as it is stored.", resolve: ({ data }) => data }),
  }),
});

batchEventType("batch.enqueued", "The batch and its jobs were made.", (t) => ({
  actor: t.string({ description: "Who enqueued it.", resolve: ({ data }) => data.actor }),
  total: t.int({ description: "Of how many jobs it is.", resolve: ({ data }) => data.total }),
}));

batchEventType("batch.cancel_requested", "Somebody asked for all its jobs to be stopped that have not ended.", (t) => ({
  actor: t.string({ description: "Who asked.", resolve: ({ data }) => data.actor }),
  reason: t.string({
    nullable: true,
    description: "Why; null when no reason was given.",
    resolve: ({ data }) => data.reason,
  }),
  jobs: t.int({ description: "How many jobs that were.", resolve: ({ data }) => data.jobs }),
}));

batchEventType("batch.requeued", "Somebody gave all its jobs another life that did not succeed.", (t) => ({
  actor: t.string({ description: "Who did.", resolve: ({ data }) => data.actor }),
  reason: t.string({
    nullable: true,
    description: "Why; null when no reason was given.",
    resolve: ({ data }) => data.reason,
  }),
  jobs: t.int({ description: "How many jobs that were.", resolve: ({ data }) => data.jobs }),
}));

batchEventType(
  "batch.completed",
  "All its jobs have ended. The last event, unless one of them is given another life.",
  (t) => ({
    outcome: t.field({
      type: BatchStateEnum,
      description: "How: SUCCEEDED, FAILED or CANCELLED.",
      resolve: ({ data }) => data.outcome,
    }),
    counts: t.field({
      type: [StateCount],
      description: "How many of its jobs were in each state; states without any are left out.",
      complexity: { field: 1, multiplier: 1 },
      resolve: ({ data: { counts } }) =>
        finalStates.flatMap((state) => {
          const counted = counts[state];
          return counted === undefined ? [] : { state, counted };
        }),
    }),
  }),
);

batchEventType(
  "batch.reopened",
  "A job of the complete batch was given another life, by itself or with others.",
  (t) => ({
    actor: t.string({ description: "Who did.", resolve: ({ data }) => data.actor }),
    reason: t.string({
      nullable: true,
      description: "Why; null when no reason was given.",
      resolve: ({ data }) => data.reason,
    }),
  }),
);
