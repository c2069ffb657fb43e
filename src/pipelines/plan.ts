import type { Problem } from "../domain/errors.ts";
import { idText } from "../domain/ids.ts";
import type { Json, JsonObject } from "../domain/json.ts";
import type { RunRequest } from "../domain/run-request.ts";
import type { PipelineDescription, PipelineInput, ProjectDescription } from "../runtime/protocol.ts";
import type { CataloguedPipeline } from "./catalogue.ts";
import { valueProblems } from "./input-value.ts";
import { listNames, nearest } from "./nearest.ts";
import { expandersOf, indexGraph, isComputed, upstreamOf } from "./path.ts";
import { executorTypes, wayProblems } from "./way.ts";

/** What can be wrong with a run before it has begun. The golden cases name these; people read the message. */
export type PlanProblemCode =
  | "BROKEN"
  | "UNCONFIGURED"
  | "UNKNOWN_INPUT"
  | "COMPUTED_INPUT"
  | "CONFIG_INPUT"
  | "MISSING_INPUT"
  | "WRONG_TYPE"
  | "NO_FINAL_VARS"
  | "UNKNOWN_FINAL_VAR"
  | "BRANCH_FINAL_VAR"
  | "ENDLESS_COLLECT"
  | "REPEATED_COLLECT"
  | "UNKNOWN_EXECUTOR"
  | "EXECUTOR_MISSING"
  | "UNPICKLABLE"
  | "ASYNC_OFF"
  | "ASYNC_BRANCHES"
  | "ASYNC_EXECUTOR"
  | "ASYNC_REUSE"
  | "ADAPTER"
  | "ADAPTER_REUSE"
  | "BAD_OPTION"
  | "UNKNOWN_RECOMPUTE"
  | "TOO_DEEP"
  | "UNKNOWN_QUEUE";

export interface PlanProblem extends Problem {
  code: PlanProblemCode;
}

/** A value with its place. Null with a reference: only a worker resolves it. */
export type PlacedValue = NonNullable<PipelineInput["default"]>;

/** Where the value of an input comes from when the run starts. */
export interface PlannedInput {
  name: string;
  type: string;
  value: Json;
  reference: string | null;
  /** `request`, `config`, the result of another job (`job_…:variable`), or the place of the default: `conf/pipelines/NAME.yml`, `environment FP_…`, `code`. */
  source: string;
  /** The default that the request has replaced, null when there was none. */
  replaced: PlacedValue | null;
}

/** What a run would do, computed from the published graph: nothing is imported or run. */
export interface RunPlan {
  /** Empty when the run may start. */
  problems: PlanProblem[];
  codeHash: string | null;
  finalVars: string[];
  /** Nodes that will run, in an order in which they can; inputs and config left out, branches not multiplied. */
  path: string[];
  /** The inputs that those nodes take or the request gives. */
  inputs: PlannedInput[];
}

/** A pipeline's description under some config: what is missing here may be there under another. */
export interface KnownVariant {
  config: JsonObject;
  description: PipelineDescription;
}

export type PlannedRequest = Pick<RunRequest, "inputs" | "finalVars" | "config" | "options" | "inputsFrom">;

export interface PlanContext {
  project?: ProjectDescription;
  /** Other variants of the pipeline, for better messages only. */
  variants?: readonly KnownVariant[];
}

/** What the catalogue knows beside the description that is planned. */
export function contextOf({ project, description }: CataloguedPipeline): PlanContext {
  return { project, variants: [{ config: description.config, description }] };
}

const maxProblems = 50;

/**
 * Checks a request against a pipeline as it is under the request's config, and says what would run.
 * Pure: the same graph and request give the same plan on every server, and in Python at the attempt's start.
 */
export function planRun(description: PipelineDescription, request: PlannedRequest, context: PlanContext = {}): RunPlan {
  const finalVars = [...new Set(request.finalVars ?? description.finalVars ?? [])];
  const nothing: RunPlan = { problems: [], codeHash: description.codeHash, finalVars, path: [], inputs: [] };
  const unusable = unusableProblem(description, context.project);
  if (unusable !== null || description.graph === null) return { ...nothing, problems: unusable ? [unusable] : [] };

  const run = { description, graph: description.graph, request, finalVars, variants: context.variants ?? [] };
  const { path, needed } = upstreamOf(description.graph, finalVars);
  const problems = [
    ...finalVarProblems(run),
    ...givenInputProblems(run),
    ...missingInputProblems(run, needed, path),
    ...collectProblems(run, path),
    ...executorProblems(request),
    ...recomputeProblems(run),
    ...wayProblems(description, request, path, context.project),
    ...(["inputs", "config"] as const).flatMap((part) => depthProblems(part, request[part])),
  ];
  return { ...nothing, path, inputs: plannedInputs(run, path), problems: problems.slice(0, maxProblems) };
}

interface PlannedRun {
  description: PipelineDescription;
  graph: NonNullable<PipelineDescription["graph"]>;
  request: PlannedRequest;
  finalVars: string[];
  variants: readonly KnownVariant[];
}

function problem(code: PlanProblemCode, path: string, message: string, suggestion: string | null = null): PlanProblem {
  return { code, path, message, suggestion };
}

/** Why nothing can be run of this pipeline, whatever is asked for. */
function unusableProblem(description: PipelineDescription, project?: ProjectDescription): PlanProblem | null {
  const { name, status, error } = description;
  if (project?.error) {
    return problem("BROKEN", "input.project", `The project is broken: ${project.error.message}`, project.error.hint);
  }
  if (status === "unconfigured") {
    return problem(
      "UNCONFIGURED",
      "input.pipeline",
      `The pipeline ${name} has no configuration. Create conf/pipelines/${name}.yml with its run: final_vars.`,
    );
  }
  if (status === "ok" && description.graph !== null) return null;
  const why = error === null ? "its graph could not be built" : `${error.type}: ${error.message}`;
  const where = error?.file ? ` (${error.file}${error.line === null ? "" : `, line ${error.line}`})` : "";
  return problem("BROKEN", "input.pipeline", `The pipeline ${name} is broken: ${why}${where}`, error?.hint ?? null);
}

function finalVarProblems(run: PlannedRun): PlanProblem[] {
  const { description, finalVars } = run;
  const { nodes, branched } = indexGraph(run.graph);
  if (finalVars.length === 0) {
    const leaves = description.leaves.filter((name) => !branched.has(name));
    const message = `No final variable is set. Choose from the nodes that nothing depends on: ${listNames(leaves)}.`;
    return [problem("NO_FINAL_VARS", "input.finalVars", message)];
  }
  const computed = run.graph.nodes.filter(isComputed).map((node) => node.name);
  return finalVars.flatMap((name, i) => {
    const path = `input.finalVars.${i}`;
    const node = nodes.get(name);
    if (node === undefined) {
      const elsewhere = variantWith(run, (variant) => isComputed(nodeOf(variant, name)));
      const message = `There is no node ${name} to ask for${elsewhere === null ? "." : ` under this config; with ${elsewhere} there is.`}`;
      return problem("UNKNOWN_FINAL_VAR", path, message, nearest(name, computed));
    }
    if (branched.has(name)) {
      const message = `${name} runs once for each branch and has no single value. Ask for the node that collects it.`;
      return problem("BRANCH_FINAL_VAR", path, message, collectorOf(run, name));
    }
    return [];
  });
}

function givenInputProblems(run: PlannedRun): PlanProblem[] {
  const { description, request } = run;
  const inputs = new Map(description.inputs.map((input) => [input.name, input]));
  const config = mergedConfig(run);
  const given = Object.entries(request.inputs).map(([name, value]) => ({
    name,
    value,
    path: `input.inputs.${name}`,
    awaited: false,
  }));
  // Of what another job is still to give only the name is known.
  const awaited = (request.inputsFrom ?? []).map(({ input }, i) => ({
    name: input,
    value: null,
    path: `input.inputsFrom.${i}.input`,
    awaited: true,
  }));
  return [...given, ...awaited].flatMap(({ name, value, path, awaited: isAwaited }) => {
    if (config.has(name)) {
      return problem(
        "CONFIG_INPUT",
        path,
        `${name} is set by the config as well. Hamilton takes it from one place only.`,
      );
    }
    const input = inputs.get(name);
    if (input !== undefined) {
      if (isAwaited) return [];
      return valueProblems(input, value).map((found) => ({ ...found, code: "WRONG_TYPE" as const }));
    }
    if (isComputed(indexGraph(run.graph).nodes.get(name))) {
      return problem("COMPUTED_INPUT", path, `${name} is computed by the pipeline and cannot be given as an input.`);
    }
    const elsewhere = variantWith(run, (variant) => variant.inputs.some((other) => other.name === name));
    const message = `There is no input ${name}${elsewhere === null ? "." : ` under this config; with ${elsewhere} there is.`}`;
    return problem("UNKNOWN_INPUT", path, message, nearest(name, inputs.keys()));
  });
}

function missingInputProblems(run: PlannedRun, needed: string[], path: string[]): PlanProblem[] {
  const inputs = new Map(run.description.inputs.map((input) => [input.name, input]));
  const config = mergedConfig(run);
  const running = new Set(path);
  return needed
    .filter((name) => !Object.hasOwn(run.request.inputs, name) && !config.has(name))
    .filter((name) => awaitedBy(run, name) === undefined)
    .filter((name) => !hasDefault(inputs.get(name)))
    .map((name) => {
      const { nodes, usedBy } = indexGraph(run.graph);
      const type = inputs.get(name)?.type ?? nodes.get(name)?.type;
      const elsewhere = variantWith(run, (variant) => isComputed(nodeOf(variant, name)));
      const computed = elsewhere === null ? "" : ` With ${elsewhere} the pipeline computes it.`;
      const users = run.finalVars.includes(name)
        ? ["the request, as a result"]
        : usedBy(name).filter((user) => running.has(user));
      const message = `The input ${name} (${type}) is missing and has no default. It is needed by ${listNames(users, { limit: 3 })}.`;
      return problem("MISSING_INPUT", `input.inputs.${name}`, message + computed);
    });
}

/** The result of another job that an input will be. */
function awaitedBy({ request }: PlannedRun, name: string) {
  return request.inputsFrom?.find(({ input }) => input === name);
}

/** A default in code counts only for the nodes that have it; the others, and a result, need the value all the same. */
function hasDefault(input: PipelineInput | undefined): boolean {
  return input !== undefined && input.default !== null && input.default.source !== "code";
}

/** Hamilton fails on branches that are collected twice, and not before it has run them. */
function collectProblems(run: PlannedRun, path: string[]): PlanProblem[] {
  const endless = endlessProblems(run, path);
  if (endless.length > 0) return endless;
  const { nodes, branched } = indexGraph(run.graph);
  const collects = Map.groupBy(
    path.filter((name) => nodes.get(name)?.kind === "collect"),
    (name) => expandersOf(run.graph, name)[0],
  );
  return [...collects].flatMap(([expander, names]) => {
    const collected = names.flatMap((name) =>
      (nodes.get(name)?.dependsOn ?? []).filter((other) => branched.has(other) || nodes.get(other)?.kind === "expand"),
    );
    if (collected.length < 2) return [];
    const message = `The branches of ${expander} are collected more than once, in ${listNames(names)}, and Hamilton would fail. Collect once, from a node that has all that is needed.`;
    return [problem("REPEATED_COLLECT", "input.pipeline", message)];
  });
}

/** Hamilton waits for ever on a `Collect` that leads back to several `Parallelizable` nodes, or to none. */
function endlessProblems(run: PlannedRun, path: string[]): PlanProblem[] {
  return path.flatMap((name) => {
    if (indexGraph(run.graph).nodes.get(name)?.kind !== "collect") return [];
    const expanders = expandersOf(run.graph, name);
    if (expanders.length === 1) return [];
    const message = `The run would never end: ${name} collects the branches of ${listNames(expanders)}, and Hamilton can collect one.`;
    return problem("ENDLESS_COLLECT", "input.pipeline", message);
  });
}

function executorProblems({ options }: PlannedRequest): PlanProblem[] {
  const { type = null, ...numbers } = options.executor ?? {};
  const problems = Object.entries(numbers)
    .filter(([, value]) => value !== null && !(Number.isInteger(value) && value >= 1))
    .map(([key]) => problem("BAD_OPTION", `input.executor.${key}`, `${key} takes a whole number from 1.`));
  if (type === null || executorTypes.includes(type)) return problems;
  const message = `There is no executor ${type}. FlowerPower has ${listNames(executorTypes)}.`;
  return [problem("UNKNOWN_EXECUTOR", "input.executor.type", message, nearest(type, executorTypes)), ...problems];
}

function recomputeProblems({ graph, request }: PlannedRun): PlanProblem[] {
  const computed = graph.nodes.filter(isComputed).map((node) => node.name);
  return (request.options.recompute ?? []).flatMap((name, i) => {
    if (computed.includes(name)) return [];
    const message = `There is no node ${name} to compute again.`;
    return [problem("UNKNOWN_RECOMPUTE", `input.recompute.${i}`, message, nearest(name, computed))];
  });
}

/** FlowerPower refuses what is nested deeper, when the run has already begun. */
const deepest = 10;

/** Whether a value is nested deeper than FlowerPower allows. */
export function isTooDeep(item: Json, left = deepest): boolean {
  return (
    typeof item === "object" &&
    item !== null &&
    (left === 0 || Object.values(item).some((one) => isTooDeep(one, left - 1)))
  );
}

function depthProblems(part: "inputs" | "config", value: Json): PlanProblem[] {
  if (!isTooDeep(value)) return [];
  return [problem("TOO_DEEP", `input.${part}`, `${part} is nested deeper than ${deepest}, which FlowerPower refuses.`)];
}

function plannedInputs(run: PlannedRun, path: string[]): PlannedInput[] {
  const running = new Set(path);
  const config = mergedConfig(run);
  return run.description.inputs.flatMap(({ name, type, usedBy, default: placed }): PlannedInput[] => {
    const given = Object.hasOwn(run.request.inputs, name);
    const awaited = awaitedBy(run, name);
    const isTaken = usedBy.some((node) => running.has(node)) || run.finalVars.includes(name);
    if (!given && awaited === undefined && !isTaken) return [];
    const own = { name, type, reference: null, replaced: null };
    if (awaited !== undefined) {
      const source = `${idText("job", awaited.jobId)}:${awaited.variable}`;
      return [{ ...own, value: null, reference: source, source, replaced: placed }];
    }
    if (given) return [{ ...own, value: run.request.inputs[name] ?? null, source: "request", replaced: placed }];
    if (config.has(name)) return [{ ...own, value: config.get(name) ?? null, source: "config" }];
    return placed === null ? [] : [{ ...own, ...placed }];
  });
}

function mergedConfig({ description, request }: PlannedRun): Map<string, Json> {
  return new Map(Object.entries({ ...description.config, ...request.config }));
}

function nodeOf(description: PipelineDescription, name: string) {
  return description.graph === null ? undefined : indexGraph(description.graph).nodes.get(name);
}

/** `the config {"oven":"deck"}` of the first variant for which this holds, or null. */
function variantWith(run: PlannedRun, holds: (description: PipelineDescription) => boolean): string | null {
  const found = run.variants.find(({ description }) => description !== run.description && holds(description));
  return found === undefined ? null : `the config ${JSON.stringify(found.config).slice(0, 200)}`;
}

/** The first node below that brings the branches together. */
function collectorOf(run: PlannedRun, name: string): string | null {
  const below = new Set([name]);
  for (const node of run.graph.nodes) {
    if (![...node.dependsOn, ...node.optionalDependsOn].some((upstream) => below.has(upstream))) continue;
    if (node.kind === "collect") return node.name;
    below.add(node.name);
  }
  return null;
}
