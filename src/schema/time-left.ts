/** How long a job will take, beside how far it is. */
import { createContextCache } from "@pothos/core";
import { type Asked, type Expected, expectedOf } from "../jobs/time-left.ts";
import { builder } from "./builder.ts";
import type { Context } from "./context.ts";
import { Gathered } from "./gathered.ts";
import { Progress } from "./job.ts";

builder.objectFields(Progress, (t) => ({
  expectedMs: t.float({
    nullable: true,
    description:
      "How long the whole run will take: its nodes by the medians of earlier runs, and what those took beside their nodes. Null when the job has ended, and when a node of it has never run.",
    resolve: async ({ job }, _args, context) => (await expected(job, context)).expectedMs,
  }),
  leftMs: t.float({
    nullable: true,
    description:
      "How long the nodes will take that are not done yet. Null unless it runs, and when one of them has never run.",
    resolve: async ({ job }, _args, context) => (await expected(job, context)).leftMs,
  }),
}));

/** Asked once for a job, however many fields want it, and for all jobs of a page at once. */
function expected(job: Asked, context: Context): Promise<Expected> {
  const { known, batch } = questions(context);
  const found = known.get(job.id) ?? batch.ask(job);
  known.set(job.id, found);
  return found;
}

const questions = createContextCache(({ jobs }: Context) => ({
  known: new Map<string, Promise<Expected>>(),
  batch: new Gathered<Asked, Expected>((asked) => expectedOf(jobs, asked)),
}));
