/** Batches, page by page. */
import { queryFromInfo } from "@pothos/plugin-drizzle";
import { and, eq, isNotNull, isNull, sql } from "drizzle-orm";
import type { AnyPgColumn } from "drizzle-orm/pg-core";
import { Batch } from "./batch.ts";
import { builder } from "./builder.ts";
import { pipelineOf } from "./job-filter.ts";
import { uuids } from "./nested-list.ts";
import { type Keyset, type PageRequest, pageComplexity, readPage } from "./page.ts";
import { pageNodes } from "./page-nodes.ts";

const BatchFilter = builder.inputType("BatchFilter", {
  description: "Which batches: those to which all of it applies.",
  fields: (t) => ({
    project: t.string({ description: "Only batches of which all jobs are of this project." }),
    pipeline: t.string({
      description:
        "Only batches of which all jobs are of this pipeline: `project/pipeline`, or its name beside `project`.",
    }),
    open: t.boolean({
      description: "True: only those with jobs that have not ended; false: only the others. Absent: both.",
    }),
  }),
});

export type BatchFilterInput = typeof BatchFilter.$inferInput;
type BatchColumns = Record<"id" | "project" | "pipeline" | "completedAt", AnyPgColumn>;

const keyset: Keyset<{ id: string }, string> = {
  name: "batches",
  keyOf: ({ id }) => [id],
  parse: ([id = "", ...rest]) => (rest.length === 0 ? uuids.parse(id) : null),
};

builder.queryField("batches", (t) =>
  t.connection(
    {
      type: Batch,
      description: "Batches, the newest first.",
      authScopes: { read: true },
      complexity: pageComplexity,
      args: { filter: t.arg({ type: BatchFilter, description: "Which batches; without it: all." }) },
      resolve: async (_root, { filter, ...page }, context, info) =>
        await readPage(page, keyset, (request) =>
          context.db.reads.query.batches.findMany(
            queryFromInfo({
              ...pageNodes("Batch", context, info),
              columns: { id: true },
              ...batchPageQuery(filter, request),
            }),
          ),
        ),
    },
    { name: "BatchesConnection", description: "A page of batches." },
    { name: "BatchesConnectionEdge", description: "A batch in its list." },
  ),
);

/** Condition, order and limit of a page. */
function batchPageQuery(filter: BatchFilterInput | null | undefined, request: PageRequest<string>) {
  const { limit, backwards, after, before } = request;
  const { project, pipeline } = pipelineOf(filter ?? {});
  const open = filter?.open ?? null;
  return {
    where: {
      RAW: (batch: BatchColumns) =>
        and(
          project === null ? undefined : eq(batch.project, project),
          pipeline === null ? undefined : eq(batch.pipeline, pipeline),
          open === null ? undefined : open ? isNull(batch.completedAt) : isNotNull(batch.completedAt),
          after === null ? undefined : sql`${batch.id} < ${after}::uuid`,
          before === null ? undefined : sql`${batch.id} > ${before}::uuid`,
        ) ?? sql`true`,
    },
    orderBy: { id: backwards ? ("asc" as const) : ("desc" as const) },
    limit,
  };
}
