import type { Database } from "../db/client.ts";
import type { EventStream } from "../events/tail.ts";
import { builder } from "./builder.ts";
import { jobRef } from "./job.ts";
import { batchOf, idsOf, pipelineOf } from "./job-filter.ts";
import { limits } from "./limits.ts";

const JobChangesFilter = builder.inputType("JobChangesFilter", {
  description: "Which jobs to watch: those to which all of it applies.",
  fields: (t) => ({
    ids: t.idList({
      description: `Only these jobs, at most ${limits.pageSize}. Each is shown at once, then when it changes.`,
    }),
    project: t.string({ description: "Only jobs of this project." }),
    pipeline: t.string({
      description: "Only jobs of this pipeline: `project/pipeline`, or its name beside `project`.",
    }),
    queue: t.string({ description: "Only jobs of this queue." }),
    batch: t.id({ description: "Only jobs of this batch: `bat_…`." }),
  }),
});

builder.subscriptionField("jobChanged", (t) =>
  t.field({
    type: jobRef,
    description:
      "Jobs as they change. A job that changes faster than it can be told is told once, as it is then: the last state always arrives. There is no cursor: begin again, and read what you need.",
    authScopes: { read: true },
    args: { filter: t.arg({ type: JobChangesFilter, description: "Which jobs; without it: all." }) },
    subscribe: async (_root, { filter }, { db, tail }) => {
      const jobIds = idsOf(filter ?? {});
      // Before the first read, so that a change in between is told again and not missed.
      const where = { ...pipelineOf(filter ?? {}), queue: filter?.queue, batchId: batchOf(filter ?? {}), jobIds };
      const changes = await tail.changes(where);
      return jobIds === null ? changes : beginWith(await existing(jobIds, db), changes);
    },
    // The plugin loads what is selected of it.
    resolve: (jobId) => ({ id: jobId }) as never,
  }),
);

async function existing(jobIds: string[], db: Database): Promise<string[]> {
  const rows = await db.sql<{ id: string }[]>`select id from jobs where id = any(${jobIds}::uuid[]) order by id`;
  return rows.map(({ id }) => id);
}

/** First these, then the stream; it can be left while it waits, as the stream can. */
function beginWith(first: string[], stream: EventStream<string>): EventStream<string> {
  const remaining = [...first];
  const leave = () => {
    remaining.length = 0;
    return stream.return?.() ?? Promise.resolve({ done: true as const, value: undefined });
  };
  return {
    next() {
      const value = remaining.shift();
      return value === undefined ? stream.next() : Promise.resolve({ done: false, value });
    },
    return: leave,
    [Symbol.asyncIterator]() {
      return this;
    },
    async [Symbol.asyncDispose]() {
      await leave();
    },
  };
}
