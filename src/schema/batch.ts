/** Jobs enqueued together: the batch, how far it has come, its events. */
import { createContextCache } from "@pothos/core";
import { queryFromInfo } from "@pothos/plugin-drizzle";
import { and, eq, isNotNull, isNull, type SQL, sql } from "drizzle-orm";
import type { AnyPgColumn } from "drizzle-orm/pg-core";
import type { BatchState } from "../domain/batch.ts";
import type { JsonObject } from "../domain/json.ts";
import { type JobState, jobStates } from "../domain/lifecycle.ts";
import { type BatchStanding, readBatchProgress } from "../jobs/batch-progress.ts";
import { builder } from "./builder.ts";
import type { Context } from "./context.ts";
import { Gathered } from "./gathered.ts";
import { jobRef } from "./job.ts";
import { pipelineOf } from "./job-filter.ts";
import { requireUuid } from "./node-ids.ts";
import { type Keyset, pageComplexity, pageSize, readPage } from "./page.ts";
import { pageNodes } from "./page-nodes.ts";
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

const BatchProgress = builder.objectRef<BatchStanding>("BatchProgress").implement({
  description: "How far a batch has come.",
  fields: (t) => ({
    done: t.exposeInt("done", { description: "Jobs that have ended, those that were deleted since included." }),
    total: t.exposeInt("total", { description: "Of how many." }),
    counts: t.field({
      type: [StateCount],
      description: "How many of its jobs are in each state; states without any are left out.",
      complexity: { field: 1, multiplier: 1 },
      resolve: ({ counts }) =>
        jobStates.flatMap((state: JobState) => (counts[state] === undefined ? [] : { state, counted: counts[state] })),
    }),
    leftMs: t.exposeFloat("timeLeftMs", {
      nullable: true,
      description:
        "Until the last job will have ended, when the others go on ending as they have since the batch was made. Null: none has ended yet, none is left, or the batch was opened again.",
    }),
  }),
});

interface BatchEventRow {
  seq: number;
  type: string;
  recordedAt: Date;
  data: JsonObject;
}

const BatchEvent = builder.objectRef<BatchEventRow>("BatchEvent").implement({
  description: "A recorded fact about a batch as a whole.",
  fields: (t) => ({
    seq: t.exposeInt("seq", { description: "Its number within the batch, from 1." }),
    type: t.exposeString("type", {
      description:
        "`batch.enqueued`, `batch.completed`, `batch.reopened`, `batch.cancel_requested` or `batch.requeued`.",
    }),
    recordedAt: t.expose("recordedAt", { type: "DateTime", description: "When, by the database's clock." }),
    data: t.field({
      type: "JSONObject",
      description:
        "enqueued: total, actor; completed: outcome, counts by final state; cancel_requested, requeued: actor, reason, jobs.",
      resolve: ({ data }) => data,
    }),
  }),
});

export const Batch = builder.drizzleNode("batches", {
  name: "Batch",
  description: "Jobs enqueued together, with progress as one object.",
  id: { column: (batch) => batch.id, description: "Its id: `bat_…`. Ids sort by when the batches were made." },
  fields: (t) => ({
    name: t.exposeString("name", { nullable: true, description: "What it was called; null when it was not named." }),
    project: t.exposeString("project", { description: "The project." }),
    pipeline: t.exposeString("pipeline", { description: "The pipeline's name within its project." }),
    actor: t.exposeString("actor", { description: "Who enqueued it." }),
    createdAt: t.expose("createdAt", { type: "DateTime", description: "When it was enqueued." }),
    completedAt: t.expose("completedAt", {
      type: "DateTime",
      nullable: true,
      description: "When its last job had ended; null while some have not.",
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
      description: "How far it has come. It may have no job left to end a moment before it is complete.",
      select: { columns: { id: true } },
      resolve: ({ id }, _args, context) => progress(context).ask(id),
    }),
    events: t.field({
      type: [BatchEvent],
      description: "What has happened to it as a whole, in order: at most 100 after the given number.",
      complexity: ({ first }) => pageComplexity({ first }),
      args: {
        after: t.arg.int({ required: true, defaultValue: 0, description: "The number of the last one that is known." }),
        first: t.arg.int({ description: "How many; 20 when absent." }),
      },
      select: { columns: { id: true } },
      resolve: async ({ id }, { after, first }, { db }) =>
        await db.readSql<BatchEventRow[]>`
          select seq, type, recorded_at as "recordedAt", data from batch_events
          where batch_id = ${id} and seq > ${after} order by seq limit ${pageSize(first, "first")}`,
    }),
  }),
});

const progress = createContextCache(
  ({ db }: Context) => new Gathered<string, BatchStanding>((ids) => readBatchProgress(db.sql, ids)),
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

const BatchFilter = builder.inputType("BatchFilter", {
  description: "Which batches: those to which all of it applies.",
  fields: (t) => ({
    project: t.string({ description: "Only batches of this project." }),
    pipeline: t.string({
      description: "Only batches of this pipeline: `project/pipeline`, or its name beside `project`.",
    }),
    open: t.boolean({
      description: "True: only those with jobs that have not ended; false: only the others. Absent: both.",
    }),
  }),
});

const keyset: Keyset<{ id: string }, string> = {
  name: "batches",
  keyOf: ({ id }) => [id],
  parse: ([id = "", ...rest]) =>
    rest.length === 0 && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id) ? id : null,
};

builder.queryField("batches", (t) =>
  t.connection(
    {
      type: Batch,
      description: "Batches, the newest first.",
      authScopes: { read: true },
      complexity: pageComplexity,
      args: { filter: t.arg({ type: BatchFilter, description: "Which batches; without it: all." }) },
      resolve: async (_root, { filter, ...page }, context, info) => {
        const { project, pipeline } = pipelineOf(filter ?? {});
        const open = filter?.open ?? null;
        return await readPage(page, keyset, ({ limit, backwards, after, before }) =>
          context.db.reads.query.batches.findMany(
            queryFromInfo({
              ...pageNodes("Batch", context, info),
              columns: { id: true },
              where: {
                RAW: (batch: Record<"id" | "project" | "pipeline" | "completedAt", AnyPgColumn>) =>
                  and(
                    project === null ? undefined : eq(batch.project, project),
                    pipeline === null ? undefined : eq(batch.pipeline, pipeline),
                    open === null ? undefined : open ? isNull(batch.completedAt) : isNotNull(batch.completedAt),
                    after === null ? undefined : sql`${batch.id} < ${after}::uuid`,
                    before === null ? undefined : sql`${batch.id} > ${before}::uuid`,
                  ) ?? (sql`true` as SQL),
              },
              orderBy: { id: backwards ? "asc" : "desc" },
              limit,
            }),
          ),
        );
      },
    },
    { name: "BatchesConnection", description: "A page of batches." },
    { name: "BatchesConnectionEdge", description: "A batch in its list." },
  ),
);
