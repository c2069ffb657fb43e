/** One thing done to many jobs: by their ids, or by a filter. */
import { and, asc, inArray, sql } from "drizzle-orm";
import { z } from "zod";
import { jobs as jobsTable } from "../db/tables.ts";
import { BadInputError, JobStateError, NotFoundError } from "../domain/errors.ts";
import { idText } from "../domain/ids.ts";
import type { JobState } from "../domain/lifecycle.ts";
import { type BulkAct, type BulkDone, type BulkProblem, bulk, bulkDryRun, bulkVerbs } from "../jobs/bulk.ts";
import { builder } from "./builder.ts";
import type { Context } from "./context.ts";
import { BoundedCount, boundedCount, type Count } from "./count.ts";
import { jobRef } from "./job.ts";
import { filterCondition, JobFilter, type JobFilterInput } from "./job-filter.ts";
import { JobStateEnum } from "./job-state.ts";
import { limits } from "./limits.ts";
import { requireUuid } from "./node-ids.ts";
import { editFields, editOf } from "./update-job.ts";

/** Jobs that one call takes. */
const mostJobs = 1000;
const sampled = 10;
const mostProblems = 100;

type InputFields = Parameters<Parameters<typeof builder.inputType>[1]["fields"]>[0];

const selectionFields = (t: InputFields) => ({
  ids: t.idList({
    description: `These jobs, at most ${mostJobs}. Either these or a filter.`,
    validate: z.array(z.string()).min(1).max(mostJobs).nullish(),
  }),
  filter: t.field({
    type: JobFilter,
    description: `All jobs that fit and to which it can be done, the oldest first, ${mostJobs} in one call. An empty filter is refused.`,
  }),
  dryRun: t.boolean({
    required: true,
    defaultValue: false,
    description: "Only tell to how many it would be done, and show some of them.",
  }),
});

const reason = (t: InputFields) =>
  t.string({
    description: "Why, for whoever asks later; at most 1000 characters.",
    validate: z.string().max(1000).nullish(),
  });

interface Result extends BulkDone {
  dryRun: boolean;
  matched: Count;
  more: boolean;
}

const BulkProblemRef = builder.objectRef<BulkProblem>("BulkProblem").implement({
  description: "A job to which it was not done.",
  fields: (t) => ({
    id: t.id({ description: "The job's id.", resolve: ({ id }) => idText("job", id) }),
    code: t.string({
      description: "Why not, for programs: `NOT_FOUND`; `CONFLICT`: its state; `QUEUE_FULL`.",
      resolve: ({ error }) => error.code,
    }),
    message: t.string({ description: "Why not, for people.", resolve: ({ error }) => error.message }),
    state: t.field({
      type: JobStateEnum,
      nullable: true,
      description: "The state that it was in, when that is why; null when it is not.",
      resolve: ({ error }) => (error instanceof JobStateError ? (error.state as JobState) : null),
    }),
  }),
});

const BulkSuccess = builder.objectRef<Result>("BulkSuccess").implement({
  description: "What became of the jobs.",
  fields: (t) => ({
    dryRun: t.exposeBoolean("dryRun", { description: "Nothing was done: it is what would be." }),
    matched: t.field({
      type: BoundedCount,
      description: "How many jobs were meant: those that were named, or those that fit the filter and can be taken.",
      resolve: ({ matched }) => matched,
    }),
    more: t.exposeBoolean("more", {
      description: `The filter fits more than the ${mostJobs} that this call has taken: call again.`,
    }),
    done: t.int({ description: "To how many it was done.", resolve: ({ done }) => done.length }),
    doneIds: t.idList({
      description: "To which it was done.",
      resolve: ({ done }) => done.map((id) => idText("job", id)),
    }),
    failed: t.int({ description: "To how many it was not done.", resolve: ({ problems }) => problems.length }),
    problems: t.field({
      type: [BulkProblemRef],
      description: `To which it was not done, and why. Of a filter at most ${mostProblems}.`,
      resolve: ({ problems }) => problems,
    }),
    sample: t.field({
      type: [jobRef],
      description: `In a dry run: the first ${sampled} of those to which it would be done.`,
      resolve: ({ dryRun, done }) => (dryRun ? done.slice(0, sampled).map((id) => ({ id })) : []) as never[],
    }),
  }),
});

interface Selection {
  ids?: readonly (string | number)[] | null | undefined;
  filter?: JobFilterInput | null | undefined;
  dryRun: boolean;
}

async function run(input: Selection, act: BulkAct, context: Context): Promise<Result> {
  const { ids, filter, dryRun } = input;
  if ((ids == null) === (filter == null)) throw new BadInputError("Give either ids or a filter.", "input");
  if (ids != null) {
    const jobIds = ids.map((id, index) => requireUuid("job", String(id), `input.ids.${index}`));
    const result = dryRun
      ? await bulkDryRun(context.jobs, act, jobIds)
      : await bulk(context.jobs, context.actor, act, jobIds);
    return { ...result, dryRun, matched: { value: new Set(jobIds).size, isExact: true }, more: false };
  }
  // An empty list is no condition: some fields take it for none, others for nothing at all.
  const saysNothing = (condition: unknown) => condition == null || (Array.isArray(condition) && condition.length === 0);
  if (Object.values(filter ?? {}).every(saysNothing)) {
    throw new BadInputError("An empty filter means all jobs: say which ones.", "input.filter");
  }
  const found = await select(filter, act, context, dryRun ? limits.count + 1 : mostJobs + 1);
  if (dryRun) {
    return {
      done: found.slice(0, limits.count),
      problems: [],
      dryRun,
      matched: boundedCount(found.length),
      more: false,
    };
  }
  const jobIds = found.slice(0, mostJobs);
  const { done, problems } = await bulk(context.jobs, context.actor, act, jobIds);
  const more = found.length > mostJobs;
  return {
    done,
    problems: problems.slice(0, mostProblems),
    dryRun,
    matched: { value: jobIds.length, isExact: !more },
    more,
  };
}

/** Jobs that fit and to which it can be done, the oldest first. A cancel that was asked for already is not asked for again. */
async function select(
  filter: JobFilterInput | null | undefined,
  { verb }: BulkAct,
  { db }: Context,
  limit: number,
): Promise<string[]> {
  const rows = await db.reads
    .select({ id: jobsTable.id })
    .from(jobsTable)
    .where(
      and(
        filterCondition(filter, jobsTable),
        inArray(jobsTable.state, [...bulkVerbs[verb].from]),
        verb === "cancel" ? sql`${jobsTable.cancelRequestedAt} is null` : undefined,
      ),
    )
    .orderBy(asc(jobsTable.id))
    .limit(limit);
  return rows.map(({ id }) => id);
}

const inputs = {
  cancelJobs: builder.inputType("CancelJobsInput", {
    description: "Which jobs are to be stopped.",
    fields: (t) => ({ ...selectionFields(t), reason: reason(t) }),
  }),
  requeueJobs: builder.inputType("RequeueJobsInput", {
    description: "Which jobs get another life.",
    fields: (t) => ({ ...selectionFields(t), reason: reason(t) }),
  }),
  deleteJobs: builder.inputType("DeleteJobsInput", {
    description: "Which jobs are to be forgotten.",
    fields: (t) => ({ ...selectionFields(t), reason: reason(t) }),
  }),
};
const descriptions = {
  cancelJobs: "Stops jobs: those that wait at once, those that run by their workers.",
  requeueJobs: "Gives jobs that failed, were cancelled or have expired another life, each as `requeueJob` does.",
  deleteJobs:
    "Forgets jobs that have ended: with their events, attempts, node runs, results and idempotency keys. Their files are removed a little later, the audit log stays.",
};
const verbs = { cancelJobs: "cancel", requeueJobs: "requeue", deleteJobs: "delete" } as const;

for (const field of ["cancelJobs", "requeueJobs", "deleteJobs"] as const) {
  builder.mutationField(field, (t) =>
    t.field({
      type: BulkSuccess,
      description: descriptions[field],
      authScopes: { manage: true },
      complexity: { field: 20 },
      errors: { types: [BadInputError], union: { description: "What became of the jobs, or why none was touched." } },
      args: { input: t.arg({ type: inputs[field], required: true, description: "Which jobs." }) },
      resolve: async (_root, { input }, context) =>
        await run(input, { verb: verbs[field], reason: input.reason ?? null }, context),
    }),
  );
}

const UpdateJobsInput = builder.inputType("UpdateJobsInput", {
  description: "Which jobs that wait are to be changed, and what is to be different. What is absent stays as it is.",
  fields: (t) => ({ ...selectionFields(t), ...editFields(t) }),
});

builder.mutationField("updateJobs", (t) =>
  t.field({
    type: BulkSuccess,
    description: "Changes jobs that wait, all in the same way, each as `updateJob` does.",
    authScopes: { manage: true },
    complexity: { field: 20 },
    errors: {
      types: [BadInputError, NotFoundError],
      union: { description: "What became of the jobs, or why none was touched." },
    },
    args: {
      input: t.arg({ type: UpdateJobsInput, required: true, description: "Which jobs, and what is different." }),
    },
    resolve: async (_root, { input }, context) => {
      const edit = editOf(input);
      if (Object.keys(edit).length === 0) throw new BadInputError("Say what is to be different.", "input");
      return await run(input, { verb: "update", edit, reason: input.reason ?? null }, context);
    },
  }),
);
