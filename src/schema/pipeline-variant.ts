/** A pipeline under a config that a request may bring. */
import { type JsonObject, jsonProblems } from "../domain/json.ts";
import { describeUnder } from "../jobs/variant.ts";
import type { CataloguedPipeline } from "../pipelines/catalogue.ts";
import { builder } from "./builder.ts";
import type { Context } from "./context.ts";
import { ShapeError } from "./edge-errors.ts";
import { Graph } from "./graph.ts";
import { Pipeline, PipelineStatus } from "./pipeline.ts";
import { PipelineInput } from "./pipeline-input.ts";
import { Problem } from "./problem.ts";
import { RunError } from "./run-error.ts";

type Description = CataloguedPipeline["description"];

const PipelineVariant = builder.objectRef<Description>("PipelineVariant").implement({
  description: "A pipeline as it is under one config: which nodes and inputs it has may depend on it.",
  fields: (t) => ({
    status: t.expose("status", { type: PipelineStatus, description: "Whether it can be run under this config." }),
    doc: t.exposeString("doc", { nullable: true, description: "Its module's docstring; null when it has none." }),
    codeHash: t.exposeString("codeHash", {
      nullable: true,
      description: "Hash of its code and YAML; null when it could not be read.",
    }),
    finalVars: t.exposeStringList("finalVars", {
      nullable: true,
      description: "Final variables of its YAML; null when none are set there.",
    }),
    leaves: t.exposeStringList("leaves", {
      description: "Nodes that nothing depends on: final variables to choose from.",
    }),
    inputs: t.expose("inputs", { type: [PipelineInput], description: "Inputs that a request may give." }),
    graph: t.expose("graph", { type: Graph, nullable: true, description: "Its graph; null when it is broken." }),
    warnings: t.expose("warnings", {
      type: [Problem],
      description: "What FlowerPower ignores silently, and other things to look at.",
    }),
    error: t.expose("error", {
      type: RunError,
      nullable: true,
      description: "Why it is broken under this config; null when it is not.",
    }),
  }),
});

builder.drizzleObjectField(
  Pipeline,
  "variant",
  (t) =>
    t.field({
      type: PipelineVariant,
      nullable: true,
      description:
        "The pipeline under another config than its YAML's, or a module without a YAML, which is imported only now. A worker is asked when it is not known yet. Null when none has answered within two seconds.",
      // A worker may import code for it: who may only look has no business with that.
      authScopes: { enqueue: true },
      args: {
        config: t.arg({
          type: "JSONObject",
          description: "Merged by key over that of the YAML; without it: as that is.",
        }),
      },
      // A worker may have to import code for it.
      complexity: { field: 20 },
      resolve: async ({ project, name }, { config }, context) => variantOf(project, name, config ?? {}, context),
    }) as never, // the field types of the drizzle and the validation plugin do not know each other
);

async function variantOf(project: string, name: string, config: JsonObject, { jobs }: Context) {
  const problems = jsonProblems(config, "config");
  if (problems.length > 0) throw new ShapeError(problems);
  return await describeUnder(jobs, await jobs.catalogue.pipeline(project, name), config);
}
