import { z } from "zod";
import { mostBatchJobs } from "../domain/batch.ts";
import {
  BadInputError,
  IdempotencyConflictError,
  InvalidRunError,
  JobsRefusedError,
  NotFoundError,
  ProjectDisabledError,
  QueueFullError,
} from "../domain/errors.ts";
import { type Json, type JsonObject, jsonProblems } from "../domain/json.ts";
import { redacted } from "../domain/secrets.ts";
import { gridSets, gridSize } from "../domain/sweep.ts";
import { enqueueBatch } from "../jobs/enqueue-batch.ts";
import { Batch } from "./batch.ts";
import { builder } from "./builder.ts";
import { DependencyConditionEnum, DependencyPolicyEnum } from "./dependency.ts";
import { ShapeError } from "./edge-errors.ts";
import { EnqueueJobInput, jobFields, label, requestOf } from "./enqueue-job.ts";
import { name } from "./run-input.ts";

const sampled = 10;

const SweepAxisInput = builder.inputType("SweepAxisInput", {
  description: "An input with the values that it takes.",
  fields: (t) => ({
    input: t.string({ required: true, description: "The input.", validate: name }),
    values: t.field({
      type: ["JSON"],
      required: true,
      description: "Its values, at least one.",
      validate: z.array(z.any()).min(1).max(mostBatchJobs),
    }),
  }),
});

const SweepInput = builder.inputType("SweepInput", {
  description: "For which inputs a pipeline is run: either a grid or a list.",
  fields: (t) => ({
    grid: t.field({
      type: [SweepAxisInput],
      description: "Every combination of the values, the last input changing fastest.",
      validate: z.array(z.any()).min(1).max(100).nullish(),
    }),
    sets: t.field({
      type: ["JSONObject"],
      description: `Input sets as they are, at most ${mostBatchJobs}.`,
      validate: z.array(z.any()).min(1).max(mostBatchJobs).nullish(),
    }),
  }),
});

const OnCompleteInput = builder.inputType("OnCompleteInput", {
  description: "A job that is made with the batch and waits for it.",
  fields: (t) => ({
    run: t.field({ type: EnqueueJobInput, required: true, description: "The run. It can have no key." }),
    when: t.field({
      type: DependencyConditionEnum,
      required: true,
      defaultValue: "succeeded",
      description: "SUCCEEDED: all jobs of the batch have; FAILED: some have not; ENDED: either.",
    }),
    otherwise: t.field({
      type: DependencyPolicyEnum,
      required: true,
      defaultValue: "cancel",
      description: "What becomes of it when the batch is complete in another way.",
    }),
  }),
});

const EnqueueBatchInput = builder.inputType("EnqueueBatchInput", {
  description:
    "Runs of one pipeline that are asked for together, alike but for their inputs. What is absent is the pipeline's own.",
  fields: (t) => ({
    ...jobFields(t),
    name: t.string({ description: "What to call it.", validate: label.nullish() }),
    sweep: t.field({ type: SweepInput, required: true, description: "One job for each input set, over `inputs`." }),
    onComplete: t.field({ type: OnCompleteInput, description: "What runs when all its jobs have ended." }),
    idempotencyKey: t.string({ description: "Equal calls with one key make one batch.", validate: label.nullish() }),
    dryRun: t.boolean({
      required: true,
      defaultValue: false,
      description: "Check everything and store nothing.",
    }),
  }),
});

interface Result {
  batchId: string | null;
  replayed: boolean;
  inputSets: JsonObject[];
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
    total: t.int({ description: "How many jobs.", resolve: ({ inputSets }) => inputSets.length }),
    sample: t.field({
      type: ["JSONObject"],
      nullable: true,
      description: `The first ${sampled} input sets. What is named like a secret is hidden. Null without the right \`payloads\`.`,
      authScopes: { payloads: true },
      unauthorizedResolver: () => null,
      resolve: ({ inputSets }) => inputSets.slice(0, sampled).map((set) => redacted(set)),
    }),
  }),
});

builder.mutationField("enqueueBatch", (t) =>
  t.field({
    type: EnqueueBatchSuccess,
    description: `Asks for up to ${mostBatchJobs} runs of a pipeline over a sweep of inputs, as one batch: all of them or none.`,
    authScopes: { enqueue: true },
    complexity: { field: 20 },
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
      const { name: batchName, sweep, onComplete, idempotencyKey, dryRun, ...run } = input;
      const inputSets = inputSetsOf(sweep);
      const request = await requestOf({ ...run, onReplay: "return" }, context);
      if (onComplete?.run.idempotencyKey != null || onComplete?.run.unique != null) {
        throw new BadInputError("The job that waits for a batch can have no key of its own.", "input.onComplete.run");
      }
      const batch = {
        name: batchName ?? null,
        request,
        inputSets,
        idempotencyKey: idempotencyKey ?? null,
        onComplete:
          onComplete == null
            ? null
            : {
                request: await requestOf(onComplete.run, context),
                when: onComplete.when,
                otherwise: onComplete.otherwise,
              },
      };
      return { ...(await enqueueBatch(context.jobs, context.actor, batch, dryRun)), inputSets };
    },
  }),
);

/** @throws BadInputError when it is no sweep, or one of too many jobs; ShapeError when values are deeper or larger than inputs may be */
function inputSetsOf({ grid, sets }: typeof SweepInput.$inferInput): JsonObject[] {
  if ((grid == null) === (sets == null)) throw new BadInputError("Give either a grid or sets.", "input.sweep");
  if (sets != null) return [...sets] as JsonObject[];
  const axes = (grid ?? []).map(({ input, values }) => ({ input, values: values as Json[] }));
  const twice = axes.find(({ input }, index) => axes.some((other, at) => at < index && other.input === input));
  if (twice !== undefined) throw new BadInputError(`The input ${twice.input} is there twice.`, "input.sweep.grid");
  const size = gridSize(axes);
  if (size > mostBatchJobs) {
    throw new BadInputError(
      `The grid has ${size} input sets: a batch has at most ${mostBatchJobs}.`,
      "input.sweep.grid",
    );
  }
  const problems = axes.flatMap(({ values }, index) => jsonProblems(values, `input.sweep.grid.${index}.values`));
  if (problems.length > 0) throw new ShapeError(problems);
  return gridSets(axes);
}
