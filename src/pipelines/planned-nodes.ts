import type { NodeReasonCode } from "../domain/reuse.ts";
import type { NodeProgress } from "../domain/time-left.ts";
import type { Graph, GraphNode } from "../runtime/protocol.ts";
import type { PipelineHistory } from "./history.ts";
import { listNames } from "./nearest.ts";
import { indexGraph } from "./path.ts";
import type { RunPlan } from "./plan.ts";
import type { ReuseForecast } from "./reuse.ts";

/** A node of a planned run, and what will become of it. */
export interface PlannedNode extends Pick<GraphNode, "name" | "kind" | "type" | "doc"> {
  /** `reuse`: its value of an earlier run is taken. */
  action: "run" | "reuse";
  /** Why, for a person. */
  reason: string;
  /** Why it is reused, or runs although reuse is asked for; null where it is not. */
  reasonCode: NodeReasonCode | null;
  /** The job whose value is to be taken. */
  reusedFrom: string | null;
  /** Nodes that run and, when they give another value than before, make this one run too. */
  unless: string[];
  /** It runs once for each branch of a `Parallelizable` block. */
  inBlock: boolean;
  /** Of a node in a block: the branches whose values are to be taken. */
  reusedBranches: number | null;
  /** How often it will run, as far as earlier runs tell; null when they do not. */
  expectedRuns: number | null;
  /** Of one run of it: in a block, of one branch; null when it has never run. */
  expectedMs: number | null;
}

/** The nodes of a plan in the order in which they can run. Without a forecast all of them run. */
export function plannedNodes(
  graph: Graph,
  plan: RunPlan,
  history: PipelineHistory,
  forecasts: readonly ReuseForecast[] = [],
): PlannedNode[] {
  const { nodes, branched } = indexGraph(graph);
  const path = plan.path.flatMap((name) => nodes.get(name) ?? []);
  const users = usersOf(path);
  const asked = new Set(plan.finalVars);
  const forecastOf = new Map(forecasts.map((forecast) => [forecast.node, forecast]));
  return path.map(({ name, kind, type, doc }) => {
    const forecast = forecastOf.get(name);
    const inBlock = branched.has(name);
    const reusedBranches = inBlock && forecast !== undefined ? (forecast.branches?.reused ?? 0) : null;
    const needed = asked.has(name) ? "asked for" : `needed by ${listNames(users.get(name) ?? [], { limit: 3 })}`;
    return {
      name,
      kind,
      type,
      doc,
      action: forecast?.action ?? "run",
      reason: forecast?.text ?? needed,
      reasonCode: forecast?.code ?? null,
      reusedFrom: forecast?.jobId ?? null,
      unless: forecast?.unless ?? [],
      inBlock,
      reusedBranches,
      expectedRuns: expectedRuns(name, inBlock, history, forecast),
      expectedMs: history.nodes.get(name)?.p50Ms ?? null,
    };
  });
}

function expectedRuns(
  name: string,
  inBlock: boolean,
  history: PipelineHistory,
  forecast: ReuseForecast | undefined,
): number | null {
  if (forecast?.action === "reuse") return 0;
  if (!inBlock) return 1;
  if (forecast?.branches != null) return forecast.branches.of - forecast.branches.reused;
  const expander = history.nodes.get(name)?.expander ?? null;
  return expander === null ? null : (history.nodes.get(expander)?.branches ?? null);
}

/** What is reused as if it had ended already: it takes no time. */
export function reusedProgress(forecasts: readonly ReuseForecast[]): Map<string, NodeProgress> {
  const progress = new Map<string, NodeProgress>();
  for (const { node, action, branches } of forecasts) {
    const ended = branches?.reused ?? (action === "reuse" ? 1 : 0);
    if (ended === 0) continue;
    progress.set(node, { ...notBegun, ended, expander: branches?.expander ?? null });
    if (branches !== null) progress.set(branches.expander, { ...notBegun, branches: branches.of });
  }
  return progress;
}

const notBegun: NodeProgress = { ended: 0, startedAt: null, expander: null, branches: null };

/** Who takes the value of each node. */
function usersOf(path: readonly GraphNode[]): Map<string, string[]> {
  const users = new Map<string, string[]>();
  for (const { name, dependsOn, optionalDependsOn } of path) {
    for (const upstream of [...dependsOn, ...optionalDependsOn]) {
      const known = users.get(upstream);
      if (known === undefined) users.set(upstream, [name]);
      else known.push(name);
    }
  }
  return users;
}
