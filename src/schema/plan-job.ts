import { BadInputError, NotFoundError } from "../domain/errors.ts";
import { idPrefixes, idText } from "../domain/ids.ts";
import { type JobPlan as JobPlanShape, type PlannedConfig, planJob } from "../jobs/plan.ts";
import type { PlannedInput as PlannedInputShape } from "../pipelines/plan.ts";
import type { PlannedNode as PlannedNodeShape } from "../pipelines/planned-nodes.ts";
import { builder } from "./builder.ts";
import { GraphNodeKind } from "./graph.ts";
import { NodeReasonCode } from "./node-reason.ts";
import { InputDefault, shownValue } from "./pipeline-input.ts";
import { PlanProblem } from "./plan-problem.ts";
import { PlannedSettings } from "./plan-settings.ts";
import { Problem } from "./problem.ts";
import { PlanJobInput, runOf } from "./run-input.ts";

const PlannedAction = builder.enumType("PlannedAction", {
  description: "What becomes of a node of a planned run.",
  values: {
    RUN: { value: "run", description: "It is computed." },
    REUSE: { value: "reuse", description: "Its value of an earlier run is taken." },
  } as const satisfies { [A in PlannedNodeShape["action"] as Uppercase<A>]: { value: A; description: string } },
});

const PlannedNode = builder.objectRef<PlannedNodeShape>("PlannedNode").implement({
  description: "A node of a planned run.",
  fields: (t) => ({
    name: t.exposeString("name", { description: "Its name." }),
    kind: t.expose("kind", { type: GraphNodeKind, description: "What it is." }),
    type: t.exposeString("type", { description: "Its type, as Python code writes it." }),
    doc: t.exposeString("doc", { nullable: true, description: "Its docstring; null when it has none." }),
    action: t.expose("action", { type: PlannedAction, description: "What becomes of it." }),
    reason: t.exposeString("reason", {
      description:
        "Why, for a person: `asked for`, `needed by dough`; where reuse is asked for `hit`, `input changed: day`.",
    }),
    reasonCode: t.expose("reasonCode", {
      type: NodeReasonCode,
      nullable: true,
      description: "Why it is reused, or runs although reuse is asked for; null where it is not.",
    }),
    reusedFromId: t.id({
      nullable: true,
      description: "The job whose value is to be taken; null when it runs.",
      resolve: ({ reusedFrom }) => (reusedFrom === null ? null : idText("job", reusedFrom)),
    }),
    unless: t.exposeStringList("unless", {
      description:
        "Of a node that is reused: nodes that run and, when they give another value than before, make it run too.",
    }),
    reusedBranches: t.exposeInt("reusedBranches", {
      nullable: true,
      description:
        "Of a node in a block: branches whose values are to be taken. Null outside of one, and without reuse.",
    }),
    inBlock: t.exposeBoolean("inBlock", {
      description: "Whether it runs once for each branch of a `Parallelizable` block.",
    }),
    expectedRuns: t.exposeInt("expectedRuns", {
      nullable: true,
      description:
        "How often it will run, 0 when it is reused: in a block once for each branch that is not. Null when no earlier run tells how many.",
    }),
    expectedMs: t.exposeFloat("expectedMs", {
      nullable: true,
      description:
        "How long it will take, by the median of earlier runs; in a block: one branch. Null when it has never run.",
    }),
  }),
});

const InputSource = builder.enumType("InputSource", {
  description: "Who gives an input its value.",
  values: {
    REQUEST: { description: "The request." },
    CONFIG: { description: "The config of the run." },
    JOB: { description: "Another job, whose result it is: known when the run starts." },
    FILE: { description: "The pipeline's YAML." },
    ENVIRONMENT: { description: "A variable of the worker's environment that overlays the YAML." },
    CODE: { description: "A default in the code of the nodes that take it." },
  } as const,
});

const PlannedInput = builder.objectRef<PlannedInputShape>("PlannedInput").implement({
  description: "An input of a planned run: where its value comes from.",
  fields: (t) => ({
    name: t.exposeString("name", { description: "Its name." }),
    type: t.exposeString("type", { description: "Its type, as Python code writes it." }),
    source: t.field({
      type: InputSource,
      description: "Who gives its value.",
      resolve: ({ source }) => sourceOf(source),
    }),
    place: t.exposeString("source", {
      description:
        "Where, exactly: `request`, `config`, `code`, a result of a job (`job_…:variable`), a file, a variable of the environment.",
    }),
    value: t.field({
      type: "JSON",
      nullable: true,
      description:
        "The value; what is named like a secret is hidden. Null when it is a reference that only a worker resolves, and without the right `payloads`.",
      authScopes: { payloads: true },
      unauthorizedResolver: () => null,
      resolve: ({ name, value }) => shownValue(name, value),
    }),
    reference: t.exposeString("reference", {
      nullable: true,
      // biome-ignore lint/suspicious/noTemplateCurlyInString: this is how a reference looks
      description: "The reference in its place, `${WAREHOUSE_URL}`; null when it is a plain value.",
    }),
    replaced: t.field({
      type: InputDefault,
      nullable: true,
      description: "What the request has replaced; null when there was nothing.",
      resolve: ({ name, replaced }) =>
        replaced === null ? null : { ...replaced, value: shownValue(name, replaced.value) },
    }),
  }),
});

function sourceOf(place: string): "REQUEST" | "CONFIG" | "JOB" | "FILE" | "ENVIRONMENT" | "CODE" {
  if (place === "request") return "REQUEST";
  if (place === "config") return "CONFIG";
  if (place === "code") return "CODE";
  if (place.startsWith(`${idPrefixes.job}_`)) return "JOB";
  return place.startsWith("environment ") ? "ENVIRONMENT" : "FILE";
}

const PlannedConfigValue = builder.objectRef<PlannedConfig>("PlannedConfigValue").implement({
  description: "A key of the Hamilton config of a planned run.",
  fields: (t) => ({
    key: t.exposeString("key", { description: "The key." }),
    value: t.field({
      type: "JSON",
      nullable: true,
      description:
        "Its value, references unresolved; what is named like a secret is hidden. Null without the right `payloads`.",
      authScopes: { payloads: true },
      unauthorizedResolver: () => null,
      resolve: ({ key, value }) => shownValue(key, value),
    }),
    source: t.exposeString("source", { description: "Where it comes from: `request`, a file with its key." }),
  }),
});

export const JobPlan = builder.objectRef<JobPlanShape>("JobPlan").implement({
  description: "What a run would do. Nothing of it is stored, and nothing has run.",
  fields: (t) => ({
    project: t.exposeString("project", { description: "The project." }),
    pipeline: t.exposeString("pipeline", { description: "The pipeline's name within its project." }),
    valid: t.exposeBoolean("valid", {
      nullable: true,
      description: "Whether `enqueueJob` would accept it as valid; null when it could not be checked.",
    }),
    validated: t.boolean({
      description:
        "Whether it was checked against the pipeline's graph. If not, a job is accepted all the same, and checked when it starts.",
      resolve: ({ notValidated }) => notValidated === null,
    }),
    notValidated: t.exposeString("notValidated", {
      nullable: true,
      description: "Why it could not be checked; null when it was.",
    }),
    problems: t.expose("problems", { type: [PlanProblem], description: "Each thing that is wrong with it." }),
    warnings: t.expose("warnings", {
      type: [Problem],
      description:
        "What FlowerPower ignores silently in the project's and the pipeline's YAML, and other things to look at.",
    }),
    codeHash: t.exposeString("codeHash", {
      nullable: true,
      description: "Hash of the code against which it was checked; null when it could not be read.",
    }),
    finalVars: t.exposeStringList("finalVars", { description: "The nodes that are asked for." }),
    nodes: t.expose("nodes", {
      type: [PlannedNode],
      description: "The nodes that take part, in an order in which they can run.",
    }),
    inputs: t.expose("inputs", {
      type: [PlannedInput],
      description: "The inputs that those nodes take or the request gives.",
    }),
    config: t.expose("config", {
      type: [PlannedConfigValue],
      description: "The Hamilton config: the pipeline's own with the request's merged over it.",
    }),
    settings: t.field({ type: PlannedSettings, description: "How the job would be run.", resolve: (plan) => plan }),
    reuseNote: t.exposeString("reuseNote", {
      nullable: true,
      description:
        "What there is to know of the nodes that are said to be reused: an estimate, or that nothing is stored. Null where reuse is not asked for.",
    }),
    expectedMs: t.exposeFloat("expectedMs", {
      nullable: true,
      description:
        "How long the run would take: the nodes that are not reused by the medians of earlier runs, and what those took beside their nodes. Null when it is invalid, and when a node of it has never run.",
    }),
    followers: t.exposeStringList("followers", {
      description: "Pipelines of which a job is made when it ends, each if it ends as that one's YAML says.",
    }),
    pastRuns: t.exposeInt("pastRuns", { description: "How many earlier runs the expectation is made of." }),
  }),
});

builder.queryField("planJob", (t) =>
  t.field({
    type: JobPlan,
    description:
      "What a run would do, how long it would take and what is wrong with it: the checks of `enqueueJob`, without storing or running anything.",
    authScopes: { read: true },
    // A worker may have to import code for it.
    complexity: { field: 20 },
    errors: {
      types: [NotFoundError, BadInputError],
      union: { description: "The plan, or why there is none." },
    },
    args: { input: t.arg({ type: PlanJobInput, required: true, description: "The run." }) },
    resolve: async (_root, { input }, context) => await planJob(context.jobs, await runOf(input, context)),
  }),
);
