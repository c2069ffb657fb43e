/** For which inputs a pipeline is run. */
import { z } from "zod";
import { mostBatchJobs } from "../domain/batch.ts";
import { BadInputError } from "../domain/errors.ts";
import { type Json, type JsonObject, jsonProblems } from "../domain/json.ts";
import { gridSets, gridSize } from "../domain/sweep.ts";
import { builder } from "./builder.ts";
import { ShapeError } from "./edge-errors.ts";
import { jobFields } from "./enqueue-job.ts";
import { name } from "./run-input.ts";

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

export const SweepInput = builder.inputType("SweepInput", {
  description:
    "Runs of one pipeline, alike but for their inputs: those of a grid or of a list, merged over `inputs`. What is absent is the pipeline's own.",
  fields: (t) => ({
    ...jobFields(t),
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

/**
 * The input sets that a sweep comes to.
 *
 * @throws BadInputError when it is none, or one of too many jobs
 * @throws ShapeError when values are deeper or larger than inputs may be
 */
export function inputSetsOf({ grid, sets }: Pick<typeof SweepInput.$inferInput, "grid" | "sets">): JsonObject[] {
  if ((grid == null) === (sets == null)) throw new BadInputError("Give either a grid or sets.", "input.sweep");
  if (sets != null) {
    refuseProblems(sets.flatMap((set, index) => jsonProblems(set as JsonObject, `input.sweep.sets.${index}`)));
    return [...sets] as JsonObject[];
  }
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
  refuseProblems(axes.flatMap(({ values }, index) => jsonProblems(values, `input.sweep.grid.${index}.values`)));
  return gridSets(axes);
}

const mostProblems = 100;

function refuseProblems(problems: readonly ReturnType<typeof jsonProblems>[number][]): void {
  if (problems.length > 0) throw new ShapeError(problems.slice(0, mostProblems));
}
