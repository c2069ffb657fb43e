/** The events of one batch: page by page, or live; and batches as they change. */
import { createContextCache } from "@pothos/core";
import { z } from "zod";
import { batchCursor, parseBatchCursor } from "../events/cursor.ts";
import { type BatchEventRow, type BatchQuestion, readBatchEvents } from "../events/read-batches.ts";
import { Batch } from "./batch.ts";
import { BatchEvent } from "./batch-event.ts";
import { builder } from "./builder.ts";
import type { Context } from "./context.ts";
import { Gathered } from "./gathered.ts";
import { limits } from "./limits.ts";
import { requireUuid } from "./node-ids.ts";
import { pageComplexity, pageSize } from "./page.ts";

const BatchEventEdge = builder.edgeObject({
  type: BatchEvent,
  name: "BatchEventsConnectionEdge",
  description: "An event in its log.",
});
const BatchEventsConnection = builder.connectionObject(
  { type: BatchEvent, name: "BatchEventsConnection", description: "A page of a batch's log." },
  BatchEventEdge,
);

builder.drizzleObjectField(
  Batch,
  "events",
  (t) =>
    t.field({
      type: BatchEventsConnection,
      description: "What happened to it as a whole, the first event first. `batchEvents` shows the same live.",
      complexity: pageComplexity,
      args: {
        first: t.arg.int({
          description: `How many events, at most ${limits.pageSize}; ${limits.defaultPageSize} when absent.`,
        }),
        after: t.arg.string({ description: "Only events after this cursor." }),
      },
      select: { columns: { id: true } },
      resolve: async ({ id }, { first, after }, context) => {
        const size = pageSize(first, "first");
        const from = after == null ? 0 : parseBatchCursor(after, id);
        const events = await logs(context).ask({ batchId: id, after: from, limit: size + 1 });
        const edges = events.slice(0, size).map((node) => ({ node, cursor: batchCursor(node) }));
        return {
          edges,
          pageInfo: {
            hasNextPage: events.length > size,
            hasPreviousPage: from > 0,
            startCursor: edges.at(0)?.cursor ?? null,
            endCursor: edges.at(-1)?.cursor ?? null,
          },
        };
      },
    }) as never, // the field types of the drizzle and the validation plugin do not know each other
);

/** One statement for the logs of all batches of a page. */
const logs = createContextCache(
  ({ db }: Context) =>
    new Gathered<BatchQuestion & { limit: number }, BatchEventRow[]>(async (questions) => {
      const limit = Math.max(...questions.map((question) => question.limit));
      const answers = await readBatchEvents(db.sql, questions, limit);
      return answers.map(({ events }, index) => events.slice(0, questions[index]?.limit));
    }),
);

builder.subscriptionField("batchEvents", (t) =>
  t.field({
    type: BatchEvent,
    description:
      "The events of a batch as a whole: those after the cursor, then each new one. Completes when the batch is complete and its last event told. Resumes on any server, without gap or repeat. Events of its jobs are told by `feed` with the batch in its filter.",
    authScopes: { read: true },
    args: {
      batchId: t.arg.id({ required: true, description: "The batch's id: `bat_…`." }),
      after: t.arg.string({ description: "Cursor of the last event that was seen; without it: from the first." }),
    },
    extensions: { cursorOf: (event: BatchEventRow) => batchCursor(event) },
    subscribe: (_root, { batchId, after }, { tail, resumeAfter }) => {
      const id = requireUuid("batch", String(batchId), "batchId");
      const cursor = resumeAfter ?? after ?? null;
      return tail.followBatch(id, cursor === null ? 0 : parseBatchCursor(cursor, id));
    },
    resolve: (event) => event,
  }),
);

builder.subscriptionField("batchChanged", (t) =>
  t.field({
    type: Batch,
    description:
      "These batches as they are, then whenever they or their jobs change. One that changes faster than every 250 ms is told so often, as it is then: the last state always arrives. There is no cursor: begin again, and read what you need.",
    authScopes: { read: true },
    args: {
      ids: t.arg.idList({
        required: true,
        description: `Which batches, at most ${limits.pageSize}.`,
        validate: z.array(z.string()).min(1).max(limits.pageSize),
      }),
    },
    subscribe: async (_root, { ids }, { db, tail }) => {
      const batchIds = ids.map((id, index) => requireUuid("batch", String(id), `ids.${index}`));
      const rows = await db.sql<{ id: string }[]>`
        select id from batches where id = any(${batchIds}::uuid[]) order by id`;
      return await tail.batchChanges(rows.map(({ id }) => id));
    },
    // The plugin loads what is selected of it.
    resolve: (batchId) => ({ id: batchId }) as never,
  }),
);
