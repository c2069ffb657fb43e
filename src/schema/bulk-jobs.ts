/** One thing done to many jobs: by their ids, or by a filter. */
import { z } from "zod";
import { BadInputError, NotFoundError } from "../domain/errors.ts";
import { idText } from "../domain/ids.ts";
import { operationLimits } from "../domain/operation.ts";
import { beginOperation } from "../jobs/begin-operation.ts";
import { bulk, bulkDryRun, requireQueue } from "../jobs/bulk.ts";
import { type BulkAct, type BulkDone, storedProblem } from "../jobs/bulk-act.ts";
import { saysSomething } from "../jobs/filter.ts";
import { countJobs, nextJobs } from "../jobs/matching.ts";
import { builder } from "./builder.ts";
import { BulkProblemRef } from "./bulk-problem.ts";
import type { Context } from "./context.ts";
import { BoundedCount, boundedCount, type Count } from "./count.ts";
import { jobRef } from "./job.ts";
import { JobFilter, type JobFilterInput, jobFilterOf } from "./job-filter.ts";
import { limits } from "./limits.ts";
import { requireUuid } from "./node-ids.ts";
import { Operation } from "./operation.ts";
import { editFields, editOf } from "./update-job.ts";

/** Jobs that one call takes. */
const mostJobs = operationLimits.jobsOfACall;
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
    description: `All jobs that fit and to which it can be done, the oldest first. More than ${mostJobs} become an operation. An empty filter is refused.`,
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
  /** How many it would be, in a dry run by a filter: more than are listed. */
  counted?: number;
  /** So many problems are listed. */
  mostProblems?: number;
  operationId: string | null;
}

const BulkSuccess = builder.interfaceRef<Result>("BulkSuccess").implement({
  description: "What became of the jobs.",
  fields: (t) => ({
    dryRun: t.exposeBoolean("dryRun", { description: "Nothing was done: it is what would be." }),
    matched: t.field({
      type: BoundedCount,
      description: "How many jobs were meant: those that were named, or those that fit the filter and can be taken.",
      resolve: ({ matched }) => matched,
    }),
    operation: t.field({
      type: Operation,
      nullable: true,
      description: `What does it, when the filter fits more than ${mostJobs} jobs: they are done from now on, and nothing has been done yet. Null: all is done.`,
      resolve: ({ operationId }) => (operationId === null ? null : { id: operationId }) as never,
    }),
    done: t.int({
      description: "To how many it was done.",
      resolve: ({ done, counted }) => counted ?? done.length,
    }),
    doneIds: t.idList({
      description: `To which it was done; in a dry run by a filter the first ${sampled}.`,
      resolve: ({ done }) => done.map((id) => idText("job", id)),
    }),
    failed: t.int({ description: "To how many it was not done.", resolve: ({ problems }) => problems.length }),
    problems: t.field({
      type: [BulkProblemRef],
      description: `To which it was not done, and why. Of a filter at most ${mostProblems}.`,
      resolve: ({ problems, mostProblems }) => problems.slice(0, mostProblems).map(storedProblem),
    }),
    sample: t.field({
      type: [jobRef],
      description: `In a dry run: the first ${sampled} of those to which it would be done.`,
      resolve: ({ dryRun, done }) => (dryRun ? done.slice(0, sampled).map((id) => ({ id })) : []) as never[],
    }),
  }),
});

/** Each mutation has a success of its own name; they are all alike. */
function successOf(name: string) {
  return builder
    .objectRef<Result>(`${name}Success`)
    .implement({ description: "What became of the jobs.", interfaces: [BulkSuccess] });
}

interface Selection {
  ids?: readonly (string | number)[] | null | undefined;
  filter?: JobFilterInput | null | undefined;
  dryRun: boolean;
}

async function run(input: Selection, act: BulkAct, context: Context): Promise<Result> {
  const { ids, filter, dryRun } = input;
  if ((ids == null) === (filter == null)) throw new BadInputError("Give either ids or a filter.", "input");
  // A dry run is refused as what it stands for.
  await requireQueue(context.jobs, act);
  if (ids != null) {
    const jobIds = ids.map((id, index) => requireUuid("job", String(id), `input.ids.${index}`));
    const result = dryRun
      ? await bulkDryRun(context.jobs, act, jobIds)
      : await bulk(context.jobs, context.actor, act, jobIds);
    return { ...result, dryRun, matched: { value: new Set(jobIds).size, isExact: true }, operationId: null };
  }
  const meant = { verb: act.verb, filter: jobFilterOf(filter ?? {}) };
  if (!saysSomething(meant.filter)) {
    throw new BadInputError("An empty filter means all jobs: say which ones.", "input.filter");
  }
  const { readSql: sql } = context.db;
  const nothing = { done: [], problems: [], dryRun, operationId: null };
  if (dryRun) {
    const [counted, done] = [await countJobs(sql, meant, limits.count + 1), await nextJobs(sql, meant, null, sampled)];
    const matched = boundedCount(counted);
    return { ...nothing, done, counted: matched.value, matched };
  }
  const jobIds = await nextJobs(sql, meant, null, mostJobs + 1);
  if (jobIds.length > mostJobs) {
    const operationId = await beginOperation(context.jobs, context.actor, act, meant.filter);
    return { ...nothing, matched: { value: mostJobs, isExact: false }, operationId };
  }
  const { done, problems } = await bulk(context.jobs, context.actor, act, jobIds, meant.filter);
  return {
    ...nothing,
    done,
    problems,
    mostProblems,
    matched: { value: jobIds.length, isExact: true },
  };
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
      type: successOf(`${field[0]?.toUpperCase()}${field.slice(1)}`),
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
    type: successOf("UpdateJobs"),
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
