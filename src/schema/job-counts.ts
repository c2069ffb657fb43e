import { BadInputError } from "../domain/errors.ts";
import { type JobState, jobStates } from "../domain/lifecycle.ts";
import { builder } from "./builder.ts";
import { pipelineOf } from "./job-filter.ts";
import { limits } from "./limits.ts";
import { StateCount, type StateCountShape } from "./queue.ts";

builder.queryField("jobCounts", (t) =>
  t.field({
    type: [StateCount],
    description: `How many jobs are in each state, in all, of a pipeline or of a queue; states without any are left out. Counting stops at ${limits.count}.`,
    authScopes: { read: true },
    complexity: 20,
    args: {
      pipeline: t.arg.string({ description: "Only jobs of this pipeline: `project/pipeline`." }),
      queue: t.arg.string({ description: "Only jobs of this queue." }),
    },
    resolve: async (_root, { pipeline: named, queue }, { db }): Promise<StateCountShape[]> => {
      if (named != null && queue != null) {
        throw new BadInputError("Give either a pipeline or a queue: no index serves both.", "queue");
      }
      const { project, pipeline } = pipelineOf({ pipeline: named });
      const sql = db.readSql;
      // Each of the three has an index that ends with the state.
      const of =
        pipeline !== null
          ? sql`j.project = ${project} and j.pipeline = ${pipeline} and`
          : queue != null
            ? sql`j.queue = ${queue} and`
            : sql``;
      return await sql<{ state: JobState; counted: number }[]>`
        select s.state, c.counted from unnest(${[...jobStates]}::flowerpower_queue.job_state[]) as s (state)
        cross join lateral (
          select count(*)::int as counted from (
            select from jobs j where ${of} j.state = s.state limit ${limits.count + 1}
          ) j
        ) c
        where c.counted > 0`;
    },
  }),
);
