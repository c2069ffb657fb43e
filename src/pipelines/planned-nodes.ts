import type { Graph, GraphNode } from "../runtime/protocol.ts";
import type { PipelineHistory } from "./history.ts";
import { listNames } from "./nearest.ts";
import { indexGraph } from "./path.ts";
import type { RunPlan } from "./plan.ts";

/** A node of a planned run, and what will become of it. */
export interface PlannedNode extends Pick<GraphNode, "name" | "kind" | "type" | "doc"> {
  /** `reuse`: its value of an earlier run is taken. */
  action: "run" | "reuse";
  /** Why, for a person. */
  reason: string;
  /** It runs once for each branch of a `Parallelizable` block. */
  inBlock: boolean;
  /** How often it will run, as far as earlier runs tell; null when they do not. */
  expectedRuns: number | null;
  /** Of one run of it: in a block, of one branch; null when it has never run. */
  expectedMs: number | null;
}

/** The nodes of a plan in the order in which they can run. */
export function plannedNodes(graph: Graph, plan: RunPlan, history: PipelineHistory): PlannedNode[] {
  const { nodes, branched } = indexGraph(graph);
  const path = plan.path.flatMap((name) => nodes.get(name) ?? []);
  const users = usersOf(path);
  const asked = new Set(plan.finalVars);
  return path.map(({ name, kind, type, doc }) => {
    const past = history.nodes.get(name);
    const inBlock = branched.has(name);
    const expander = past?.expander ?? null;
    return {
      name,
      kind,
      type,
      doc,
      action: "run",
      reason: asked.has(name) ? "asked for" : `needed by ${listNames(users.get(name) ?? [], { limit: 3 })}`,
      inBlock,
      expectedRuns: inBlock ? (expander === null ? null : (history.nodes.get(expander)?.branches ?? null)) : 1,
      expectedMs: past?.p50Ms ?? null,
    };
  });
}

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
