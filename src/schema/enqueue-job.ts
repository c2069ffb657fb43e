import { z } from "zod";
import {
  BadInputError,
  IdempotencyConflictError,
  InvalidRunError,
  NotFoundError,
  ProjectDisabledError,
  QueueFullError,
} from "../domain/errors.ts";
import { idText } from "../domain/ids.ts";
import type { RunRequest, Unique } from "../domain/run-request.ts";
import { type Enqueued, enqueueJob } from "../jobs/enqueue.ts";
import { builder } from "./builder.ts";
import type { Context } from "./context.ts";
import { DependencyInput, parentList } from "./dependency.ts";
import { dueFields, dueOf } from "./due.ts";
import { jobRef, RunPlan } from "./job.ts";
import { metadataDescription, metadataOf } from "./metadata.ts";
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

const UniquePolicy = builder.enumType("UniquePolicy", {
  description: "What becomes of a call that finds a job with its unique key.",
  values: {
    RETURN_EXISTING: { value: "return_existing", description: "That job is the answer; nothing is made." },
    REPLACE_PENDING: {
      value: "replace_pending",
      description:
        "While it waits it is cancelled and the new one takes its place; a running one that counts is the answer.",
    },
    DEBOUNCE: {
      value: "debounce",
      description: "Likewise, and the new one is due when there was no further call for `debounceMs`.",
    },
  } as const satisfies { [K in Unique["policy"] as Uppercase<K>]: { value: K; description: string } },
});

const UniqueWhile = builder.enumType("UniqueWhile", {
  description: "In which states a job with a unique key counts.",
  values: {
    WAITING: { value: "waiting", description: "Scheduled, blocked, queued or retryable." },
    WAITING_OR_RUNNING: { value: "waiting_or_running", description: "Until it has ended." },
  } as const satisfies { [K in NonNullable<Unique["while"]> as Uppercase<K>]: { value: K; description: string } },
});

const UniqueInput = builder.inputType("UniqueInput", {
  description:
    "Of all jobs of the project that are asked for with one key there is at most one in the states that count.",
  fields: (t) => ({
    key: t.string({ required: true, description: "The key.", validate: label }),
    policy: t.field({
      type: UniquePolicy,
      required: true,
      defaultValue: "return_existing",
      description: "What becomes of a call that finds one.",
    }),
    debounceMs: t.int({
      description: "For DEBOUNCE, and needed there: how long there has to be no further call.",
      validate: z.int().min(1).nullish(),
    }),
    while: t.field({
      type: UniqueWhile,
      description:
        "In which states a job counts. When absent: WAITING_OR_RUNNING for RETURN_EXISTING, WAITING for the others.",
    }),
  }),
});

type InputFields = Parameters<Parameters<typeof builder.inputType>[1]["fields"]>[0];

/** The fields of an input that asks for a job, or for many alike. */
export const jobFields = (t: InputFields) => ({
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
  metadata: t.field({ type: "JSONObject", description: metadataDescription }),
  ...dueFields(t),
  requestedBy: t.string({ description: "The person behind an application: a label.", validate: label.nullish() }),
});

export const EnqueueJobInput = builder.inputType("EnqueueJobInput", {
  description: "A run that is asked for. What is absent is the pipeline's own.",
  fields: (t) => ({
    ...jobFields(t),
    unique: t.field({ type: UniqueInput, description: "There is to be at most one such job." }),
    idempotencyKey: t.string({ description: "Equal calls with one key make one job.", validate: label.nullish() }),
    onReplay: t.field({
      type: OnReplay,
      required: true,
      defaultValue: "return",
      description: "What becomes of a key that was used before.",
    }),
  }),
});

const EnqueueJobSuccess = builder.objectRef<Enqueued>("EnqueueJobSuccess").implement({
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
    replayed: t.exposeBoolean("replayed", {
      description: "The idempotency key was used before, or a job with the unique key is there: this is that job.",
    }),
    replaced: t.id({
      nullable: true,
      description: "The waiting job with the same unique key whose place it has taken: it is cancelled. Null: none.",
      resolve: ({ replaced }) => (replaced === undefined ? null : idText("job", replaced)),
    }),
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
  const metadata = metadataOf(input.metadata);
  return {
    ...(await runOf(input, context)),
    tags: input.tags ?? [],
    ...(input.dependsOn != null && {
      dependsOn: input.dependsOn.map(({ job, ...how }, index) => ({
        ...how,
        jobId: requireUuid("job", job, `input.dependsOn.${index}.job`),
      })),
    }),
    ...dueOf(input),
    ...(metadata !== null && { metadata }),
    ...(input.unique != null && { unique: uniqueOf(input.unique, input.runAt != null || input.runInMs != null) }),
    idempotencyKey: input.idempotencyKey ?? null,
    onReplay: input.onReplay,
    requestedBy: input.requestedBy ?? null,
  };
}

/** @throws BadInputError when it says something else than its policy */
function uniqueOf(input: typeof UniqueInput.$inferInput, isDelayed: boolean): Unique {
  const { key, policy, debounceMs = null, while: counted = null } = input;
  if ((policy === "debounce") !== (debounceMs !== null)) {
    throw new BadInputError("debounceMs belongs to the policy DEBOUNCE, which needs it.", "input.unique.debounceMs");
  }
  if (policy === "debounce" && isDelayed) {
    throw new BadInputError(
      "With DEBOUNCE the job is due after debounceMs: give no other time.",
      "input.unique.policy",
    );
  }
  return { key, policy, ...(debounceMs !== null && { debounceMs }), ...(counted !== null && { while: counted }) };
}
