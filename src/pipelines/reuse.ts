import { isDeepStrictEqual } from "node:util";
import type { Json } from "../domain/json.ts";
import type { NodeReasonCode, ReuseMode } from "../domain/reuse.ts";
import type { Graph, GraphNode } from "../runtime/protocol.ts";
import { indexGraph, isComputed } from "./path.ts";

/** What a run would take from earlier ones, asked before it starts. */
export interface ReuseQuestion {
  mode: Exclude<ReuseMode, "none">;
  /** The pipeline as it is now, under the new request's config. */
  graph: Graph;
  /** The nodes that are needed, in the graph's order. */
  path: readonly string[];
  /** Nodes that are asked to run whatever is stored. */
  recompute?: readonly string[];
  /** Whose values may be taken, the nearest first. */
  earlier: readonly EarlierRun[];
  now: GivenValues;
}

/** Inputs and config of a run by name, the defaults of the YAML among them; a reference stands for what it refers to. */
export type GivenValues = Readonly<Record<string, Json>>;

export interface EarlierRun {
  jobId: string;
  /** An attempt of the job itself: it may take what other jobs may not. */
  sameJob: boolean;
  given: GivenValues;
  /** Names of values that only a worker knows: whether they have changed nobody can say before. */
  untold: readonly string[];
  nodes: readonly EarlierNode[];
}

/** A node of an earlier run; one that ran in branches stands for all of them. */
export interface EarlierNode {
  node: string;
  /** How often it ran, how often it gave a value, and how many of those values are stored: 0 or 1 outside of a block. */
  runs: number;
  valued: number;
  stored: number;
  /** Null: unknown, or not one for all branches. */
  codeVersion: string | null;
  /** The `Parallelizable` node in whose branches it ran; null outside of a block. */
  expander: string | null;
  /** Into how many branches it was expanded. */
  branches: number | null;
}

export interface ReuseForecast {
  node: string;
  action: "run" | "reuse";
  code: NodeReasonCode;
  /** For a person. */
  text: string;
  /** Nodes above it that run and, when they give another value than before, make it run too. */
  unless: string[];
  /** The job whose value is taken; null when none is. */
  jobId: string | null;
  /** In a block: how many branches' values are taken, and of how many branches. Null outside of one, and when nothing is. */
  branches: { expander: string; reused: number; of: number } | null;
}

/**
 * Says of each node of the path whether it will run or be reused, by the rules that Python follows at the run
 * (`reuse_rules.py`). Pure and without Python, hence a forecast: whether a node that runs again gives the value that it gave
 * before only the run can tell, and such nodes are named in `unless`.
 */
export function plannedReuse(question: ReuseQuestion): ReuseForecast[] {
  const { nodes } = indexGraph(question.graph);
  const forecasts: ReuseForecast[] = [];
  const runs = question.earlier.map((run) => ({
    run,
    nodes: new Map(run.nodes.map((node) => [node.node, node])),
    values: new Map<string, Value>(),
  }));
  for (const name of question.path) {
    const node = nodes.get(name);
    if (node === undefined) continue;
    const compared = runs.map((run) => compare(node, run, question));
    const forecast = forecastOf(node, compared, question);
    forecasts.push(forecast);
    for (const each of compared) each.beside.values.set(name, valueBeside(node, each, forecast));
  }
  return forecasts;
}

/** An earlier run beside the one that is planned. */
interface Beside {
  run: EarlierRun;
  nodes: ReadonlyMap<string, EarlierNode>;
  /** Of the nodes so far. */
  values: Map<string, Value>;
}

/** A node's value beside that of an earlier run; `unknown`: nodes run that may give the same again. */
interface Value {
  is: "same" | "unknown" | "different";
  unless: string[];
}

/** A node beside what it was in an earlier run. */
interface Compared {
  beside: Beside;
  before: EarlierNode | null;
  isOther: boolean;
  /** What it takes that has another value now. */
  changed: string[];
  unless: string[];
}

function compare(node: GraphNode, beside: Beside, { graph, now }: ReuseQuestion): Compared {
  const before = beside.nodes.get(node.name) ?? null;
  const taken = upstream(node, graph);
  const values = new Map(taken.map((name) => [name, beside.values.get(name) ?? givenValue(name, beside.run, now)]));
  return {
    beside,
    before,
    isOther: before !== null && before.codeVersion !== (node.codeVersion ?? null),
    changed: taken.filter((name) => values.get(name)?.is === "different"),
    unless: [...new Set(taken.flatMap((name) => values.get(name)?.unless ?? []))],
  };
}

function givenValue(name: string, { given, untold }: EarlierRun, now: GivenValues): Value {
  const isSame = untold.includes(name) || isDeepStrictEqual(own(given, name), own(now, name));
  return { is: isSame ? "same" : "different", unless: [] };
}

function own(values: GivenValues, name: string): Json | undefined {
  return Object.hasOwn(values, name) ? values[name] : undefined;
}

function forecastOf(node: GraphNode, compared: readonly Compared[], question: ReuseQuestion): ReuseForecast {
  const run = ([code, text]: Reason, branches: ReuseForecast["branches"] = null): ReuseForecast => {
    return { node: node.name, action: "run", code, text, unless: [], jobId: null, branches };
  };
  const forced = alwaysRuns(node, question);
  if (forced !== null) return run(forced);
  const restricted = ownOnly(node, question);
  const usable = restricted === null ? compared : compared.filter(({ beside }) => beside.run.sameJob);
  const hits = usable.filter((each) => isEqual(each) && (each.before?.stored ?? 0) > 0);
  const whole = hits.filter((each) => isWhole(each));
  const hit = whole.find(({ unless }) => unless.length === 0) ?? whole[0];
  if (hit !== undefined) {
    const { unless, beside } = hit;
    const text = unless.length === 0 ? "hit" : `hit, unless ${unless.join(", ")} gives another value than before`;
    const { jobId } = beside.run;
    return { node: node.name, action: "reuse", code: "hit", text, unless, jobId, branches: branchesOf(hit) };
  }
  const [partial] = hits.toSorted((one, other) => (other.before?.stored ?? 0) - (one.before?.stored ?? 0));
  const branches = partial === undefined ? null : branchesOf(partial);
  if (branches !== null) {
    const text = `${branches.of - branches.reused} of ${branches.of} branches have no stored result`;
    return run(["nothing_stored", text], branches);
  }
  return run(restricted ?? whyNot(usable));
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
function ownOnly(node: GraphNode, { mode, graph }: ReuseQuestion): Reason | null {
  if (mode !== "full") return null;
  if (node.effect != null) return ["loads_or_saves", "loads or saves data: it looks like it"];
  const { nodes } = indexGraph(graph);
  if ([...node.dependsOn, ...node.optionalDependsOn].some((name) => isComputed(nodes.get(name)))) return null;
  return ["no_upstream", "has no upstream nodes: what it reads may have changed"];
}

/** Why nothing was found: what differs from what is stored of the node and is most like it. */
function whyNot(compared: readonly Compared[]): Reason {
  const stored = compared.filter(({ before }) => (before?.stored ?? 0) > 0);
  const [alike] = stored
    .filter(({ isOther }) => !isOther)
    .toSorted((one, other) => one.changed.length - other.changed.length);
  if (alike !== undefined) return ["input_changed", `input changed: ${alike.changed.join(", ")}`];
  if (stored.length > 0) return ["code_changed", "code changed"];
  // Of a run without reuse nobody knows the code: nothing of it was to be stored.
  const omitted = compared.some((each) => isEqual(each) && (each.before?.valued ?? 0) > 0);
  return omitted ? ["not_reusable", "not reusable: its value was not stored"] : ["nothing_stored", "no stored result"];
}

function isEqual({ before, isOther, changed }: Compared): boolean {
  return before !== null && !isOther && changed.length === 0;
}

function isWhole(each: Compared): boolean {
  const branches = branchesOf(each);
  if (branches !== null) return branches.reused >= branches.of;
  return each.before !== null && each.before.stored === each.before.runs;
}

function branchesOf({ before, beside }: Compared): ReuseForecast["branches"] {
  if (before === null || before.expander === null) return null;
  const { expander } = before;
  return { expander, reused: before.stored, of: beside.nodes.get(expander)?.branches ?? before.runs };
}

/** The node's value, once it is known what becomes of it, beside that of one of the earlier runs. */
function valueBeside(node: GraphNode, each: Compared, { action, code }: ReuseForecast): Value {
  const gave = each.before !== null && each.before.valued > 0 && each.before.valued === each.before.runs;
  if (!gave || !isEqual(each) || behaviorOf(node) === "disable") return { is: "different", unless: [] };
  if (action === "reuse") return { is: each.unless.length === 0 ? "same" : "unknown", unless: each.unless };
  // Of what could not be stored, or not for each branch, nobody can say that it is equal.
  const again = code !== "nothing_stored" && (code !== "not_reusable" || isNeverKept(node));
  return again ? { is: "unknown", unless: [node.name] } : { is: "different", unless: [] };
}

/** It runs by its nature, and its value can be compared all the same. */
function isNeverKept(node: GraphNode): boolean {
  return node.kind === "expand" || node.codeVersion == null || behaviorOf(node) === "ignore";
}

/** Hamilton's `@cache(behavior=…)`. */
function behaviorOf({ tags }: GraphNode): unknown {
  return tags["cache.behavior"];
}

/** What a node's value depends on; for Hamilton that leaves out what is to be ignored. */
function upstream({ dependsOn, optionalDependsOn }: GraphNode, graph: Graph): string[] {
  const { nodes } = indexGraph(graph);
  return [...dependsOn, ...optionalDependsOn].filter((name) => {
    const node = nodes.get(name);
    return node === undefined || behaviorOf(node) !== "ignore";
  });
}
