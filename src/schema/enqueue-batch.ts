import { z } from "zod";
import { mostBatchJobs } from "../domain/batch.ts";
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
import type { RunRequest } from "../domain/run-request.ts";
import { redacted } from "../domain/secrets.ts";
import { fingerprintOf } from "../jobs/enqueue.ts";
import { type BatchRequest, enqueueBatch } from "../jobs/enqueue-batch.ts";
import { askedOnce } from "../jobs/enqueue-many.ts";
import { Batch } from "./batch.ts";
import { builder } from "./builder.ts";
import type { Context } from "./context.ts";
import { DependencyConditionEnum, DependencyPolicyEnum } from "./dependency.ts";
import { EnqueueJobInput, label, requestOf } from "./enqueue-job.ts";
import { inputSetsOf, SweepInput } from "./sweep.ts";

const sampled = 10;
/** What all jobs of a batch are given, each with its whole inputs and config. */
const mostBytes = 64 * 1024 * 1024;

const OnCompleteInput = builder.inputType("OnCompleteInput", {
  description: "A job that is made with the batch and waits for it.",
  fields: (t) => ({
    run: t.field({ type: EnqueueJobInput, required: true, description: "The run. It can have no key." }),
    when: t.field({
      type: DependencyConditionEnum,
      required: true,
      defaultValue: "succeeded",
      description:
        "How the batch has to end for it to run. SUCCEEDED: all its jobs have; FAILED: some have not, whether they failed, expired or were cancelled; ENDED: either.",
    }),
    otherwise: t.field({
      type: DependencyPolicyEnum,
      required: true,
      defaultValue: "cancel",
      description: "What becomes of it when the batch ends in another way.",
    }),
  }),
});

const EnqueueBatchInput = builder.inputType("EnqueueBatchInput", {
  description: `1 to ${mostBatchJobs} runs that are asked for as one: a sweep or a list.`,
  fields: (t) => ({
    name: t.string({ description: "What to call it.", validate: label.nullish() }),
    sweep: t.field({ type: SweepInput, description: "Runs of one pipeline with different inputs." }),
    jobs: t.field({
      type: [EnqueueJobInput],
      description: "Instead of a sweep: runs as they are. They can have no keys of their own.",
      validate: z.array(z.any()).min(1).max(mostBatchJobs).nullish(),
    }),
    onComplete: t.field({ type: OnCompleteInput, description: "What runs when all its jobs have ended." }),
    idempotencyKey: t.string({ description: "Equal calls with one key make one batch.", validate: label.nullish() }),
    dryRun: t.boolean({ required: true, defaultValue: false, description: "Check everything and store nothing." }),
  }),
});
type Input = typeof EnqueueBatchInput.$inferInput;

interface Result {
  batchId: string | null;
  replayed: boolean;
  runs: readonly RunRequest[];
}

const EnqueueBatchSuccess = builder.objectRef<Result>("EnqueueBatchSuccess").implement({
  description: "The batch is kept, with all its jobs.",
  fields: (t) => ({
    batch: t.field({
      type: Batch,
      nullable: true,
      description: "The batch; null in a dry run.",
      resolve: ({ batchId }) => (batchId === null ? null : ({ id: batchId } as never)),
    }),
    replayed: t.exposeBoolean("replayed", { description: "The key was used before: this is the batch of then." }),
    total: t.int({ description: "How many jobs were asked for.", resolve: ({ runs }) => runs.length }),
    sample: t.field({
      type: ["JSONObject"],
      nullable: true,
      description: `The inputs of the first ${sampled}. What is named like a secret is hidden. Null without the right \`payloads\`.`,
      authScopes: { payloads: true },
      unauthorizedResolver: () => null,
      resolve: ({ runs }) => runs.slice(0, sampled).map(({ inputs }) => redacted(inputs)),
    }),
  }),
});

builder.mutationField("enqueueBatch", (t) =>
  t.field({
    type: EnqueueBatchSuccess,
    description: `Asks for up to ${mostBatchJobs} runs as one batch, all of them or none. Answers when they are stored, in one transaction.`,
    authScopes: { enqueue: true },
    complexity: { field: 50 },
    errors: {
      types: [
        JobsRefusedError,
        InvalidRunError,
        NotFoundError,
        ProjectDisabledError,
        QueueFullError,
        IdempotencyConflictError,
        BadInputError,
      ],
      union: { description: "The batch, or why there is none." },
    },
    args: { input: t.arg({ type: EnqueueBatchInput, required: true, description: "The runs." }) },
    resolve: async (_root, { input }, context) => {
      const shared = { ...context, jobs: askedOnce(context.jobs) };
      const asked = await runsOf(input, shared);
      const onComplete = await onCompleteOf(input.onComplete, shared);
      const { name = null, idempotencyKey = null, dryRun } = input;
      // Of the request as it was sent: of the runs that it comes to it would be megabytes.
      const sent = { name, sweep: input.sweep, jobs: input.jobs, onComplete: input.onComplete };
      const fingerprint = fingerprintOf({ ...sent, idempotencyKey, onReplay: "return" });
      const batch = { name, ...asked, onComplete, idempotencyKey, fingerprint };
      return { ...(await enqueueBatch(context.jobs, context.actor, batch, dryRun)), runs: asked.runs };
    },
  }),
);

async function runsOf({ sweep, jobs }: Input, context: Context) {
  if ((sweep == null) === (jobs == null)) throw new BadInputError("Give either a sweep or jobs.", "input");
  return sweep == null ? await listed(jobs ?? [], context) : await swept(sweep, context);
}

type Runs = Pick<BatchRequest, "runs" | "placeOf" | "commonPlace">;

async function swept(sweep: typeof SweepInput.$inferInput, context: Context): Promise<Runs> {
  const { grid, sets, ...run } = sweep;
  const inputSets = inputSetsOf({ grid, sets });
  const commonPlace = "input.sweep";
  const base = await placedWithin(commonPlace, requestOf({ ...run, onReplay: "return" }, context));
  const common = bytesOf(base.inputs) + bytesOf(base.config);
  refuseTooLarge(
    inputSets.reduce((sum, set) => sum + common + bytesOf(set), 0),
    commonPlace,
  );
  return {
    runs: inputSets.map((set) => ({ ...base, inputs: { ...base.inputs, ...set } })),
    placeOf: (index) => (grid == null ? `${commonPlace}.sets.${index}` : `${commonPlace}.grid`),
    commonPlace,
  };
}

async function listed(jobs: readonly (typeof EnqueueJobInput.$inferInput)[], context: Context): Promise<Runs> {
  const placeOf = (index: number) => `input.jobs.${index}`;
  const keyed = jobs.findIndex(hasKey);
  if (keyed >= 0) throw new BadInputError("The jobs of a batch can have no keys of their own.", placeOf(keyed));
  const runs = await Promise.all(jobs.map((job, index) => placedWithin(placeOf(index), requestOf(job, context))));
  return { runs, placeOf, commonPlace: null };
}

async function onCompleteOf(input: Input["onComplete"], context: Context): Promise<BatchRequest["onComplete"]> {
  if (input == null) return null;
  const place = "input.onComplete.run";
  if (hasKey(input.run)) throw new BadInputError("The job that waits for a batch can have no key of its own.", place);
  return { ...input, request: await placedWithin(place, requestOf(input.run, context)) };
}

function hasKey({ idempotencyKey, unique }: typeof EnqueueJobInput.$inferInput): boolean {
  return idempotencyKey != null || unique != null;
}

/** What is wrong with a part of the input is told with its place in the whole. */
async function placedWithin<T>(place: string, part: Promise<T>): Promise<T> {
  return await part.catch((error: unknown) => {
    throw error instanceof DomainError ? placedAt(error, place) : error;
  });
}

function bytesOf(value: unknown): number {
  return JSON.stringify(value).length;
}

function refuseTooLarge(bytes: number, path: string): void {
  if (bytes <= mostBytes) return;
  const [given, allowed] = [bytes, mostBytes].map((count) => Math.round(count / 1024 / 1024));
  throw new BadInputError(`The inputs and configs of its jobs come to ${given} MiB: ${allowed} are allowed.`, path);
}
