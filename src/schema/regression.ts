/** What was slower than it used to be. */
import { createContextCache } from "@pothos/core";
import {
  canBeRegression,
  type Regression as RegressionShape,
  regressionOf,
  regressionRule,
} from "../domain/regression.ts";
import type { PipelineHistory } from "../pipelines/history.ts";
import { Attempt } from "./attempt.ts";
import { builder } from "./builder.ts";
import type { Context } from "./context.ts";
import { Gathered } from "./gathered.ts";
import { jobRef } from "./job.ts";
import { NodeRun } from "./node-run.ts";

const { factor, leastMs, runs, leastRuns } = regressionRule;
const rule = `more than ${factor} times the p95 of the last ${runs} runs of the pipeline that succeeded before this job was enqueued, and more than ${leastMs} ms above it; with fewer than ${leastRuns} of them nothing is`;

const Regression = builder.objectRef<RegressionShape>("Regression").implement({
  description: `Something that succeeded was slower than usual: ${rule}.`,
  fields: (t) => ({
    factor: t.exposeFloat("factor", { description: "How many times the baseline it took." }),
    baselineP95Ms: t.exposeFloat("baselineP95Ms", {
      description: "The duration that one in twenty of the runs before exceeded.",
    }),
  }),
});

builder.drizzleObjectField(
  NodeRun,
  "regression",
  (t) =>
    t.field({
      type: Regression,
      nullable: true,
      description:
        "By how much the node was slower than usual; null when it was not, did not succeed, or has too little history. Branches are held against earlier branches.",
      select: { columns: { jobId: true, node: true, state: true, durationMs: true } },
      resolve: async ({ jobId, node, state, durationMs }, _args, context) => {
        if (state !== "succeeded" || !canBeRegression(durationMs)) return null;
        const past = (await runsBefore(jobId, context))?.nodes.get(node);
        return regressionOf(durationMs, past === undefined ? null : { runs: past.runs.length, p95Ms: past.p95Ms });
      },
    }) as never, // the field types of the drizzle and the validation plugin do not know each other
);

builder.drizzleObjectField(
  Attempt,
  "regression",
  (t) =>
    t.field({
      type: Regression,
      nullable: true,
      description:
        "By how much the attempt was slower than runs that reused nothing usually are; null when it was not, did not succeed, or has too little history.",
      select: { columns: { jobId: true, outcome: true, startedAt: true, endedAt: true } },
      resolve: ({ jobId, ...attempt }, _args, context) => slowAttempt(jobId, attempt, context),
    }) as never, // the field types of the drizzle and the validation plugin do not know each other
);

builder.drizzleObjectField(
  jobRef,
  "regression",
  (t) =>
    t.field({
      type: Regression,
      nullable: true,
      description:
        "By how much its last attempt was slower than usual; null when it was not, did not succeed, or has too little history.",
      select: {
        columns: { id: true },
        with: { lastAttempt: { columns: { outcome: true, startedAt: true, endedAt: true } } },
      },
      resolve: ({ id, lastAttempt }, _args, context) =>
        lastAttempt === null ? null : slowAttempt(id, lastAttempt, context),
    }) as never, // the field types of the drizzle and the validation plugin do not know each other
);

interface Ended {
  outcome: string | null;
  startedAt: Date;
  endedAt: Date | null;
}

async function slowAttempt(jobId: string, attempt: Ended, context: Context): Promise<RegressionShape | null> {
  const { outcome, startedAt, endedAt } = attempt;
  const durationMs = endedAt === null ? null : endedAt.getTime() - startedAt.getTime();
  if (outcome !== "succeed" || !canBeRegression(durationMs)) return null;
  const past = await runsBefore(jobId, context);
  return regressionOf(durationMs, past?.run == null ? null : { runs: past.wholeRuns, p95Ms: past.run.p95Ms });
}

/** The runs before a job, asked once for it; of all jobs that are asked about in two statements. Null when the job is gone. */
function runsBefore(jobId: string, context: Context): Promise<PipelineHistory | null> {
  const { known, batch } = questions(context);
  const found = known.get(jobId) ?? batch.ask(jobId);
  known.set(jobId, found);
  return found;
}

const questions = createContextCache(({ db, jobs }: Context) => ({
  known: new Map<string, Promise<PipelineHistory | null>>(),
  batch: new Gathered<string, PipelineHistory | null>(async (ids) => {
    const rows = await db.sql<{ id: string; project: string; pipeline: string }[]>`
      select id, project, pipeline from jobs where id = any(${ids}::uuid[])`;
    const found = new Map(rows.map((row) => [row.id, row]));
    return await Promise.all(
      ids.map((id) => {
        const job = found.get(id);
        if (job === undefined) return null;
        const { project, pipeline } = job;
        return jobs.histories.of({ project, pipeline, last: runs, before: id });
      }),
    );
  }),
}));
