/** Jobs enqueued together, and how far they have come. */
import { createContextCache } from "@pothos/core";
import type { BatchState } from "../domain/batch.ts";
import { jobStates } from "../domain/lifecycle.ts";
import { batchCursor } from "../events/cursor.ts";
import { type BatchTimes, readBatchTimes } from "../jobs/batch-pace.ts";
import { type BatchProgress as BatchProgressShape, readBatchProgress } from "../jobs/batch-progress.ts";
import { builder } from "./builder.ts";
import type { Context } from "./context.ts";
import { Gathered } from "./gathered.ts";
import { jobRef } from "./job.ts";
import { requireUuid } from "./node-ids.ts";
import { StateCount } from "./queue.ts";

const BatchStateEnum = builder.enumType("BatchState", {
  description: "Where a batch is.",
  values: {
    RUNNING: { value: "running", description: "Some of its jobs have not ended, whether any has started or not." },
    SUCCEEDED: { value: "succeeded", description: "All its jobs have succeeded." },
    FAILED: { value: "failed", description: "All have ended, and some have failed or expired." },
    CANCELLED: { value: "cancelled", description: "All have ended, none has failed, and some were cancelled." },
  } as const satisfies { [S in BatchState as Uppercase<S>]: { value: S; description: string } },
});

export { BatchStateEnum };

const BatchProgress = builder.objectRef<BatchProgressShape & { id: string }>("BatchProgress").implement({
  description: "How far a batch has come.",
  fields: (t) => ({
    done: t.exposeInt("done", { description: "Jobs that have ended, those that were deleted since included." }),
    total: t.exposeInt("total", { description: "Of how many." }),
    counts: t.field({
      type: [StateCount],
      description: "How many of its jobs are in each state; states without any are left out.",
      complexity: { field: 1, multiplier: 1 },
      resolve: ({ counts }) =>
        jobStates.flatMap((state) => {
          const counted = counts[state];
          return counted === undefined ? [] : { state, counted };
        }),
    }),
    leftMs: t.float({
      nullable: true,
      description:
        "Until its last job will have ended: as fast as those that have ended since it was opened; before the first one, by how long runs of its pipeline take. Null when nobody knows: nothing runs, or its first runs take longer than ever. And null when it has ended.",
      complexity: 5,
      resolve: async ({ id }, _args, context) => (await timesOf(id, context)).leftMs,
    }),
  }),
});

export const Batch = builder.drizzleNode("batches", {
  name: "Batch",
  description: "Jobs enqueued together, with progress as one object.",
  id: { column: (batch) => batch.id, description: "Its id: `bat_…`. Ids sort by when the batches were made." },
  fields: (t) => ({
    name: t.exposeString("name", { nullable: true, description: "What it was called; null when it was not named." }),
    project: t.exposeString("project", {
      nullable: true,
      description: "The project; null when its jobs are of several.",
    }),
    pipeline: t.exposeString("pipeline", {
      nullable: true,
      description: "The pipeline's name within its project; null when its jobs are of several pipelines.",
    }),
    actor: t.exposeString("actor", { description: "Who enqueued it." }),
    createdAt: t.expose("createdAt", { type: "DateTime", description: "When it was enqueued." }),
    startedAt: t.field({
      type: "DateTime",
      nullable: true,
      description:
        "When the first of its jobs was started, of those that run or have ended since it was made or opened again; null before.",
      complexity: 5,
      select: { columns: { id: true } },
      resolve: async ({ id }, _args, context) => (await timesOf(id, context)).startedAt,
    }),
    finishedAt: t.field({
      type: "DateTime",
      nullable: true,
      description: "When it was complete: all its jobs had ended. Null while some have not.",
      select: { columns: { completedAt: true } },
      resolve: ({ completedAt }) => completedAt,
    }),
    cancelRequestedAt: t.expose("cancelRequestedAt", {
      type: "DateTime",
      nullable: true,
      description: "When somebody last asked for it to be cancelled; null when nobody has since it was opened.",
    }),
    state: t.field({
      type: BatchStateEnum,
      description: "Where it is.",
      select: { columns: { outcome: true } },
      resolve: ({ outcome }) => outcome ?? "running",
    }),
    progress: t.field({
      type: BatchProgress,
      description: "How far it has come. For a moment all its jobs may have ended and it still be RUNNING.",
      complexity: 5,
      select: { columns: { id: true } },
      resolve: async ({ id }, _args, context) => ({ id, ...(await progress(context).ask(id)) }),
    }),
    onComplete: t.field({
      type: jobRef,
      nullable: true,
      description: "The job that was made with it and waits for it, or has waited; null when there is none.",
      select: { columns: { id: true } },
      resolve: async ({ id }, _args, context) => (await onComplete(context).ask(id)) as never,
    }),
    lastCursor: t.string({
      description: "Cursor of its last event: `batchEvents` after it shows what is new from here on.",
      select: { columns: { id: true, lastSeq: true } },
      resolve: ({ id, lastSeq }) => batchCursor({ batchId: id, seq: lastSeq }),
    }),
  }),
});

const progress = createContextCache(
  ({ db }: Context) => new Gathered<string, BatchProgressShape>((ids) => readBatchProgress(db.readSql, ids)),
);

/** Asked once for a batch, however many fields want it, and for all batches of a page at once. */
function timesOf(id: string, context: Context): Promise<BatchTimes> {
  const { known, gathered } = times(context);
  const found = known.get(id) ?? gathered.ask(id);
  known.set(id, found);
  return found;
}

const times = createContextCache(({ jobs }: Context) => ({
  known: new Map<string, Promise<BatchTimes>>(),
  gathered: new Gathered<string, BatchTimes>((ids) => readBatchTimes(jobs, ids)),
}));

const onComplete = createContextCache(
  ({ db }: Context) =>
    new Gathered<string, { id: string } | null>(async (ids) => {
      const rows = await db.sql<{ batchId: string; id: string }[]>`
        select d.parent_id as "batchId", d.job_id as id from job_dependencies d
        where d.parent_id = any(${ids as string[]}::uuid[])`;
      const found = new Map(rows.map(({ batchId, id }) => [batchId, { id }]));
      return ids.map((id) => found.get(id) ?? null);
    }),
);

builder.drizzleObjectField(jobRef, "batch", (t) =>
  t.relation("batch", { nullable: true, description: "The batch with which it was enqueued; null: by itself." }),
);

builder.queryField("batch", (t) =>
  t.drizzleField({
    type: Batch,
    nullable: true,
    description: "A batch by its id; null when there is none.",
    authScopes: { read: true },
    args: { id: t.arg.id({ required: true, description: "Its id: `bat_…`." }) },
    resolve: async (query, _root, { id }, { db }) =>
      (await db.reads.query.batches.findFirst(query({ where: { id: requireUuid("batch", String(id), "id") } }))) ??
      null,
  }),
);
