import { isDeepStrictEqual } from "node:util";
import type { JsonObject } from "../domain/json.ts";
import type { NodeReasonCode, ReuseMode } from "../domain/reuse.ts";
import type { Graph, GraphNode } from "../runtime/protocol.ts";
import { indexGraph, isComputed } from "./path.ts";

/** What a run would take from an earlier one, asked before it starts. */
export interface ReuseQuestion {
  mode: Exclude<ReuseMode, "none">;
  /** The pipeline as it is now, under the new request's config. */
  graph: Graph;
  /** The nodes that are needed, in the graph's order. */
  path: readonly string[];
  /** Nodes that are asked to run whatever is stored. */
  recompute?: readonly string[];
  /** The same job's next attempt: it may take what other jobs may not. */
  sameJob?: boolean;
  /** Null: nothing has run before. */
  earlier: EarlierRun | null;
  /** What the new request says, with the defaults of the YAML where they are known. */
  now: GivenValues;
}

export interface GivenValues {
  inputs: JsonObject;
  config: JsonObject;
}

export interface EarlierRun extends GivenValues {
  /** Its node runs, one for each branch of a node that ran in branches. */
  nodes: readonly EarlierNode[];
}

export interface EarlierNode {
  node: string;
  state: string;
  stored: boolean | null;
  codeVersion: string | null;
}

export interface ReuseForecast {
  node: string;
  action: "run" | "reuse";
  code: NodeReasonCode;
  /** For a person. */
  text: string;
  /** Nodes above it that run and, when they give another value than before, make it run too. */
  unless: string[];
}

/**
 * Says of each node of the path whether it will run or be reused, by the rules that Python follows at the run
 * (`reuse_rules.py`). Pure and without Python, hence a forecast: whether a node that runs again gives the value that it gave
 * before only the run can tell, and such nodes are named in `unless`.
 */
export function plannedReuse(question: ReuseQuestion): ReuseForecast[] {
  const { nodes } = indexGraph(question.graph);
  const earlier = Map.groupBy(question.earlier?.nodes ?? [], ({ node }) => node);
  const forecasts = new Map<string, Forecast>();
  for (const name of question.path) {
    const node = nodes.get(name);
    if (node !== undefined) forecasts.set(name, forecast(node, earlier.get(name) ?? [], question, forecasts));
  }
  return [...forecasts.values()].map(({ value: _value, ...planned }) => planned);
}

interface Forecast extends ReuseForecast {
  /** The node's value beside that of the earlier run; `unknown`: it runs, and may give the same again. */
  value: "same" | "unknown" | "different";
}

function forecast(
  node: GraphNode,
  before: readonly EarlierNode[],
  question: ReuseQuestion,
  forecasts: ReadonlyMap<string, Forecast>,
): Forecast {
  const changed = upstream(node, question).filter((name) => isChanged(name, question, forecasts));
  const isOther = before.some(({ codeVersion }) => codeVersion !== node.codeVersion);
  const hadValue = before.length > 0 && before.every(({ state }) => hasValue(state));
  const run = ([code, text]: Reason, value: Forecast["value"]): Forecast => {
    return { node: node.name, action: "run", code, text, unless: [], value };
  };
  const forced = alwaysRuns(node, question) ?? restricted(node, question);
  if (forced !== null)
    return run(forced, isDisabled(node) || isOther || changed.length > 0 || !hadValue ? "different" : "unknown");
  const missing = notStored(before);
  if (missing !== null) return run(missing, "different");
  if (isOther) return run(["code_changed", "code changed"], "different");
  if (changed.length > 0) return run(["input_changed", `input changed: ${changed.join(", ")}`], "different");
  const unless = [...new Set(upstream(node, question).flatMap((name) => mayChange(forecasts.get(name))))];
  const text = unless.length === 0 ? "hit" : `hit, unless ${unless.join(", ")} gives another value than before`;
  return { node: node.name, action: "reuse", code: "hit", text, unless, value: "same" };
}

type Reason = [code: NodeReasonCode, text: string];

/** Why a node runs whatever is stored. */
function alwaysRuns(node: GraphNode, { recompute = [] }: ReuseQuestion): Reason | null {
  const written = behaviorOf(node);
  if (node.kind === "expand") return ["not_reusable", "not reusable: it makes the branches"];
  if (node.codeVersion == null) return ["not_reusable", "not reusable: its source cannot be read"];
  if (recompute.includes(node.name)) return ["recompute_asked", "recompute asked"];
  if (written === "recompute") return ["recompute_asked", "recompute asked: by its @cache"];
  if (written === "disable" || written === "ignore") return ["not_reusable", `not reusable: @cache says ${written}`];
  if (node.effect === "loads" || node.effect === "saves") return ["loads_or_saves", "loads or saves data"];
  return null;
}

/** Why `full` takes a node's value from the job's own attempts only. */
function restricted(node: GraphNode, question: ReuseQuestion): Reason | null {
  const { mode, graph, sameJob = false } = question;
  if (mode !== "full" || sameJob) return null;
  if (node.effect != null) return ["loads_or_saves", "loads or saves data: it looks like it"];
  const { nodes } = indexGraph(graph);
  if ([...node.dependsOn, ...node.optionalDependsOn].some((name) => isComputed(nodes.get(name)))) return null;
  return ["no_upstream", "has no upstream nodes: what it reads may have changed"];
}

function notStored(before: readonly EarlierNode[]): Reason | null {
  if (before.length === 0) return ["nothing_stored", "no stored result"];
  const lost = before.find(({ state, stored }) => !hasValue(state) || stored !== true);
  if (lost === undefined) return null;
  if (hasValue(lost.state) && lost.stored === false) return ["not_reusable", "not reusable: its value was not stored"];
  return ["nothing_stored", "no stored result"];
}

function hasValue(state: string): boolean {
  return state === "succeeded" || state === "reused";
}

/** Hamilton's `@cache(behavior=…)`. */
function behaviorOf({ tags }: GraphNode): unknown {
  return tags["cache.behavior"];
}

function isDisabled(node: GraphNode): boolean {
  return behaviorOf(node) === "disable";
}

/** What a node's value depends on; for Hamilton that leaves out what is to be ignored. */
function upstream({ dependsOn, optionalDependsOn }: GraphNode, { graph }: ReuseQuestion): string[] {
  const { nodes } = indexGraph(graph);
  return [...dependsOn, ...optionalDependsOn].filter((name) => {
    const node = nodes.get(name);
    return node === undefined || behaviorOf(node) !== "ignore";
  });
}

function isChanged(name: string, question: ReuseQuestion, forecasts: ReadonlyMap<string, Forecast>): boolean {
  const node = forecasts.get(name);
  if (node !== undefined) return node.value === "different";
  const { now, earlier } = question;
  return earlier === null || !isDeepStrictEqual(given(name, now), given(name, earlier));
}

function given(name: string, { inputs, config }: GivenValues): unknown {
  if (Object.hasOwn(inputs, name)) return inputs[name];
  return Object.hasOwn(config, name) ? config[name] : undefined;
}

function mayChange(node: Forecast | undefined): string[] {
  if (node === undefined) return [];
  return node.value === "unknown" ? [node.node] : node.unless;
}
