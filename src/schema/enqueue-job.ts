import { z } from "zod";
import {
  BadInputError,
  IdempotencyConflictError,
  InvalidRunError,
  NotFoundError,
  ProjectDisabledError,
  QueueFullError,
} from "../domain/errors.ts";
import type { RunRequest } from "../domain/run-request.ts";
import { enqueueJob } from "../jobs/enqueue.ts";
import { builder } from "./builder.ts";
import type { Context } from "./context.ts";
import { DependencyInput, parentList } from "./dependency.ts";
import { jobRef, RunPlan } from "./job.ts";
import { requireUuid } from "./node-ids.ts";
import { runFields, runOf } from "./run-input.ts";

export const label = z.string().min(1).max(255);

export const OnReplay = builder.enumType("OnReplay", {
  description: "What becomes of a request whose idempotency key was used before.",
  values: {
    RETURN: { value: "return", description: "The job of then is the answer, in whatever state it is." },
    NEW_IF_FAILED: { value: "new_if_failed", description: "A new job when that one failed, was cancelled or expired." },
  } as const satisfies { [K in RunRequest["onReplay"] as Uppercase<K>]: { value: K; description: string } },
});

export const EnqueueJobInput = builder.inputType("EnqueueJobInput", {
  description: "A run that is asked for. What is absent is the pipeline's own.",
  fields: (t) => ({
    ...runFields(t),
    tags: t.stringList({
      description: "Words to find it by, at most 20.",
      validate: z.array(z.string().min(1).max(100)).max(20).nullish(),
    }),
    dependsOn: t.field({
      type: [DependencyInput],
      description: "Jobs that have to end before it runs, at most 100.",
      validate: parentList as never,
    }),
    runAt: t.field({ type: "DateTime", description: "When it is due; now when absent." }),
    expiresAt: t.field({ type: "DateTime", description: "Not started by then, it expires." }),
    idempotencyKey: t.string({ description: "Equal calls with one key make one job.", validate: label.nullish() }),
    onReplay: t.field({
      type: OnReplay,
      required: true,
      defaultValue: "return",
      description: "What becomes of a key that was used before.",
    }),
    requestedBy: t.string({ description: "The person behind an application: a label.", validate: label.nullish() }),
  }),
});

const EnqueueJobSuccess = builder.objectRef<{ jobId: string; replayed: boolean }>("EnqueueJobSuccess").implement({
  description: "The job is kept.",
  fields: (t) => ({
    job: t.drizzleField({
      type: jobRef,
      description: "The job.",
      resolve: async (query, { jobId }, _args, { db }) => {
        const job = await db.reads.query.jobs.findFirst(query({ where: { id: jobId } }));
        if (job === undefined) throw new NotFoundError("job", jobId, null);
        return job;
      },
    }),
    replayed: t.exposeBoolean("replayed", { description: "The key was used before: this is the job of then." }),
    plan: t.field({
      type: RunPlan,
      nullable: true,
      description: "What will run; null: not yet validated, it is checked when the job starts.",
      resolve: async ({ jobId }, _args, { db }) => {
        const request = await db.reads.query.jobRequests.findFirst({ where: { jobId }, columns: { plan: true } });
        return request?.plan ?? null;
      },
    }),
  }),
});

builder.mutationField("enqueueJob", (t) =>
  t.field({
    type: EnqueueJobSuccess,
    description: "Asks for a run. Answers when the job is stored; a job that was answered is never lost.",
    authScopes: { enqueue: true },
    errors: {
      types: [
        InvalidRunError,
        NotFoundError,
        ProjectDisabledError,
        QueueFullError,
        IdempotencyConflictError,
        BadInputError,
      ],
      union: { description: "The job, or why there is none." },
    },
    args: { input: t.arg({ type: EnqueueJobInput, required: true, description: "The run." }) },
    resolve: async (_root, { input }, context) =>
      await enqueueJob(context.jobs, context.actor, await requestOf(input, context)),
  }),
);

/** What an input asks for. */
export async function requestOf(input: typeof EnqueueJobInput.$inferInput, context: Context): Promise<RunRequest> {
  return {
    ...(await runOf(input, context)),
    tags: input.tags ?? [],
    runAt: input.runAt ?? null,
    expiresAt: input.expiresAt ?? null,
    ...(input.dependsOn != null && {
      dependsOn: input.dependsOn.map(({ job, ...how }, index) => ({
        ...how,
        jobId: requireUuid("job", job, `input.dependsOn.${index}.job`),
      })),
    }),
    idempotencyKey: input.idempotencyKey ?? null,
    onReplay: input.onReplay,
    requestedBy: input.requestedBy ?? null,
  };
}
