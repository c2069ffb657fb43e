/** The log of one job: page by page, or live. */
import { createContextCache } from "@pothos/core";
import { jobCursor, parseJobCursor } from "../events/cursor.ts";
import { type EventRow, type JobQuestion, readJobs } from "../events/read.ts";
import { builder } from "./builder.ts";
import type { Context } from "./context.ts";
import { JobEvent } from "./event.ts";
import { Gathered } from "./gathered.ts";
import { jobRef } from "./job.ts";
import { limits } from "./limits.ts";
import { requireUuid } from "./node-ids.ts";
import { pageComplexity, pageSize } from "./page.ts";

const JobEventEdge = builder.edgeObject({
  type: JobEvent,
  name: "JobEventsConnectionEdge",
  description: "An event in its log.",
});
const JobEventsConnection = builder.connectionObject(
  { type: JobEvent, name: "JobEventsConnection", description: "A page of a job's log." },
  JobEventEdge,
);

builder.drizzleObjectField(
  jobRef,
  "events",
  (t) =>
    t.field({
      type: JobEventsConnection,
      description: "What happened to it, the first event first. `jobEvents` shows the same live.",
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
        const from = after == null ? 0 : parseJobCursor(after, id);
        const events = await logs(context).ask({ jobId: id, after: from, limit: size + 1 });
        const edges = events.slice(0, size).map((node) => ({ node, cursor: jobCursor(node) }));
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

/** One statement for the logs of all jobs of a page. */
const logs = createContextCache(
  ({ db }: Context) =>
    new Gathered<JobQuestion & { limit: number }, EventRow[]>(async (questions) => {
      const limit = Math.max(...questions.map((question) => question.limit));
      const answers = await readJobs(db.sql, questions, limit);
      return answers.map(({ events }, index) => events.slice(0, questions[index]?.limit).map(({ event }) => event));
    }),
);

builder.subscriptionField("jobEvents", (t) =>
  t.field({
    type: JobEvent,
    description:
      "The events of a job: those after the cursor, then each new one. Completes after the last event of a finished job. Resumes on any server, without gap or repeat.",
    authScopes: { read: true },
    args: {
      jobId: t.arg.id({ required: true, description: "The job's id: `job_…`." }),
      after: t.arg.string({ description: "Cursor of the last event that was seen; without it: from the first." }),
    },
    extensions: { cursorOf: (event: EventRow) => jobCursor(event) },
    subscribe: (_root, { jobId, after }, { tail, resumeAfter }) => {
      const id = requireUuid("job", String(jobId), "jobId");
      const cursor = resumeAfter ?? after ?? null;
      return tail.follow(id, cursor === null ? 0 : parseJobCursor(cursor, id));
    },
    resolve: (event) => event,
  }),
);
