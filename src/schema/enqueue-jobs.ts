import { z } from "zod";
import {
  BadInputError,
  DomainError,
  IdempotencyConflictError,
  InvalidRunError,
  JobsRefusedError,
  NotFoundError,
  ProjectDisabledError,
  placedAt,
  QueueFullError,
} from "../domain/errors.ts";
import { idText } from "../domain/ids.ts";
import { askedOnce, enqueueJobs, mostJobs, type OnError, type Outcome } from "../jobs/enqueue-many.ts";
import { builder } from "./builder.ts";
import type { Context } from "./context.ts";
import { ShapeError } from "./edge-errors.ts";
import { EnqueueJobInput, requestOf } from "./enqueue-job.ts";
import { ErrorInterface } from "./errors.ts";
import { jobRef } from "./job.ts";

const OnErrorEnum = builder.enumType("OnEnqueueError", {
  description: "What becomes of the good jobs when others of the call cannot be made.",
  values: {
    REJECT_ALL: { value: "reject_all", description: "Nothing is stored: all of them or none." },
    REJECT_FAILED: { value: "reject_failed", description: "The good ones are stored, the others refused." },
  } as const satisfies { [K in OnError as Uppercase<K>]: { value: K; description: string } },
});

const EnqueueJobsInput = builder.inputType("EnqueueJobsInput", {
  description: "Runs that are asked for together.",
  fields: (t) => ({
    jobs: t.field({
      type: [EnqueueJobInput],
      required: true,
      description: `The runs, 1 to ${mostJobs}.`,
      validate: z.array(z.any()).min(1).max(mostJobs),
    }),
    onError: t.field({
      type: OnErrorEnum,
      required: true,
      defaultValue: "reject_all",
      description: "What becomes of the others when one cannot be made.",
    }),
  }),
});

/** Items are read together, not one by one: each costs a fortieth of what it selects. */
const itemCost = 1 / 40;
const countedAbove = { field: 1, multiplier: 1 };

/** What became of one, with the row of its job. */
interface Item {
  index: number;
  outcome: Outcome;
  job: { id: string } | null;
}

const EnqueuedJob = builder
  .objectRef<{ job: { id: string }; replayed: boolean; replaced: string | null }>("EnqueuedJob")
  .implement({
    description: "The job of one of the runs that were asked for together.",
    fields: (t) => ({
      job: t.field({ type: jobRef, description: "The job.", resolve: ({ job }) => job as never }),
      replayed: t.exposeBoolean("replayed", {
        description: "Its key was used before, or twice in this call: this is the job of then.",
      }),
      replaced: t.exposeID("replaced", {
        nullable: true,
        description: "The waiting job with the same unique key whose place it has taken: it is cancelled. Null: none.",
      }),
    }),
  });

const EnqueuedItem = builder.objectRef<Item>("EnqueuedItem").implement({
  description: "What became of one of the runs that were asked for together.",
  fields: (t) => ({
    index: t.exposeInt("index", { description: "Its place in the call, from 0." }),
    result: t.field({
      type: EnqueuedJob,
      description: "Its job, or why there is none.",
      errors: {
        types: [
          InvalidRunError,
          NotFoundError,
          ProjectDisabledError,
          QueueFullError,
          IdempotencyConflictError,
          BadInputError,
        ],
        union: { name: "EnqueuedItemResult", description: "The job of a run, or why there is none." },
      },
      resolve: ({ outcome, job, index }) => {
        if (outcome instanceof DomainError) throw outcome;
        if (job === null) throw new NotFoundError("job", idText("job", outcome.jobId), `input.jobs.${index}`);
        const { replayed, replaced } = outcome;
        return { job, replayed, replaced: replaced === undefined ? null : idText("job", replaced) };
      },
    }),
  }),
});

const EnqueueJobsSuccess = builder.objectRef<{ outcomes: Outcome[] }>("EnqueueJobsSuccess").implement({
  description: "The jobs are kept, those that were refused excepted.",
  fields: (t) => ({
    items: t.field({
      type: [EnqueuedItem],
      description: "What became of each, in the order of the call.",
      complexity: countedAbove,
      resolve: async ({ outcomes }, _args, context) => {
        const jobs = await readJobs(outcomes, context);
        return outcomes.map((outcome, index) => ({
          index,
          outcome,
          job: outcome instanceof DomainError ? null : (jobs.get(outcome.jobId) ?? null),
        }));
      },
    }),
    accepted: t.int({
      description: "How many jobs are there now, made by this call or before.",
      resolve: ({ outcomes }) => outcomes.filter((outcome) => !(outcome instanceof DomainError)).length,
    }),
    refused: t.int({
      description: "How many were refused.",
      resolve: ({ outcomes }) => outcomes.filter((outcome) => outcome instanceof DomainError).length,
    }),
  }),
});

/** All of them in one statement. What is selected beyond their columns is then read for all of them together. */
async function readJobs(outcomes: readonly Outcome[], { db }: Context): Promise<Map<string, { id: string }>> {
  const ids = outcomes.flatMap((outcome) => (outcome instanceof DomainError ? [] : outcome.jobId));
  const rows = await db.reads.query.jobs.findMany({ where: { id: { in: ids } } });
  return new Map(rows.map((job) => [job.id, job]));
}

builder.objectType(JobsRefusedError, {
  name: "JobsRefusedError",
  description: "Some of the runs cannot be made, and all were to be rejected then. Nothing was stored.",
  interfaces: [ErrorInterface],
  fields: (t) => ({
    items: t.field({
      type: [EnqueuedItem],
      description: "Those that cannot be made.",
      complexity: countedAbove,
      resolve: ({ refused }) => refused.map(({ index, error }) => ({ index, outcome: error, job: null })),
    }),
  }),
});

builder.mutationField("enqueueJobs", (t) =>
  t.field({
    type: EnqueueJobsSuccess,
    description: `Asks for up to ${mostJobs} runs at once. Answers when they are stored, in one transaction.`,
    authScopes: { enqueue: true },
    errors: { types: [JobsRefusedError], union: { description: "What became of the runs, or why none was taken." } },
    args: { input: t.arg({ type: EnqueueJobsInput, required: true, description: "The runs." }) },
    complexity: ({ input }) => ({ field: 1, multiplier: Math.max(1, Math.ceil(input.jobs.length * itemCost)) }),
    resolve: async (_root, { input }, context) => {
      const asked = await requestsOf(input.jobs, context);
      return { outcomes: await enqueueJobs(context.jobs, context.actor, asked, input.onError) };
    },
  }),
);

/** Each as a request, or as the reason why it is none. */
async function requestsOf(jobs: readonly (typeof EnqueueJobInput.$inferInput)[], context: Context) {
  const shared = { ...context, jobs: askedOnce(context.jobs) };
  return await Promise.all(
    jobs.map(async (job, index) => {
      try {
        return await requestOf(job, shared);
      } catch (error) {
        // Of a wrong shape: the call as a whole is, and says where.
        if (error instanceof ShapeError) throw placedAt(error, `input.jobs.${index}`);
        if (error instanceof DomainError && ["BAD_USER_INPUT", "NOT_FOUND"].includes(error.code)) return error;
        throw error;
      }
    }),
  );
}
