import type { Graph, GraphNode } from "../runtime/protocol.ts";

/** A pipeline's graph under one config, to be asked by name. */
export interface GraphIndex {
  nodes: ReadonlyMap<string, GraphNode>;
  /** Nodes that run once per branch: between a `Parallelizable` node and the `Collect` that ends its block. */
  branched: ReadonlySet<string>;
  /** Nodes that take a name as an input or as an upstream node. */
  usedBy(name: string): string[];
}

// Descriptions are read-only and live in the catalogue's cache: what is derived from one lives as long as it does.
const indexes = new WeakMap<Graph, GraphIndex>();

export function indexGraph(graph: Graph): GraphIndex {
  const known = indexes.get(graph);
  if (known !== undefined) return known;
  const nodes = new Map(graph.nodes.map((node) => [node.name, node]));
  let users: Map<string, string[]> | null = null;
  const index: GraphIndex = {
    nodes,
    branched: branchedNodes(graph, nodes),
    usedBy: (name) => {
      users ??= usersOf(graph);
      return users.get(name) ?? [];
    },
  };
  indexes.set(graph, index);
  return index;
}

/** Made only when somebody asks: of a large graph it is large too. */
function usersOf(graph: Graph): Map<string, string[]> {
  const users = new Map<string, string[]>();
  for (const { name, dependsOn, optionalDependsOn } of graph.nodes) {
    for (const upstream of new Set([...dependsOn, ...optionalDependsOn])) {
      const known = users.get(upstream);
      if (known === undefined) users.set(upstream, [name]);
      else known.push(name);
    }
  }
  return users;
}

/** True for what Hamilton computes; inputs and config values are given. */
export function isComputed(node: GraphNode | undefined): boolean {
  return node !== undefined && node.kind !== "input" && node.kind !== "config";
}

export interface Upstream {
  /** The nodes that will run, in the graph's order: every node after those that it needs. */
  path: string[];
  /** The inputs that those nodes, or the results, cannot do without, unless something gives them a value. */
  needed: string[];
}

/**
 * What a run computes for these final variables, as Hamilton resolves it: all that they depend on, an optional input
 * left out when nothing gives it. Python applies the same rule; both read `test/protocol/plan-cases.json`.
 */
export function upstreamOf(graph: Graph, finalVars: readonly string[]): Upstream {
  const { nodes } = indexGraph(graph);
  const reached = new Set(finalVars.filter((name) => nodes.has(name)));
  const needed = new Set<string>();
  // A set that grows while it is walked: each node is visited once, and a deep graph needs no stack.
  for (const name of reached) {
    const node = nodes.get(name);
    if (node === undefined) continue;
    // An input among the results: Hamilton gives back what it was given, and fails when that is nothing.
    if (!isComputed(node)) needed.add(name);
    const optional = new Set(node.optionalDependsOn);
    for (const upstream of [...node.dependsOn, ...node.optionalDependsOn]) {
      if (isComputed(nodes.get(upstream))) reached.add(upstream);
      else if (!optional.has(upstream)) needed.add(upstream);
    }
  }
  return {
    path: graph.nodes.filter((node) => reached.has(node.name) && isComputed(node)).map((node) => node.name),
    needed: graph.nodes.filter((node) => needed.has(node.name) && node.kind === "input").map((node) => node.name),
  };
}

/** The `Parallelizable` nodes that a `Collect` leads back to, by every way on which none lies before. */
export function expandersOf(graph: Graph, collect: string): string[] {
  const { nodes } = indexGraph(graph);
  const reached = new Set([collect]);
  for (const name of reached) {
    const node = nodes.get(name);
    if (node === undefined || node.kind === "expand") continue;
    for (const upstream of [...node.dependsOn, ...node.optionalDependsOn]) reached.add(upstream);
  }
  return graph.nodes.filter((node) => node.kind === "expand" && reached.has(node.name)).map((node) => node.name);
}

/** The graph's order puts every node after what it needs, so one pass is enough. */
function branchedNodes(graph: Graph, nodes: ReadonlyMap<string, GraphNode>): Set<string> {
  const branched = new Set<string>();
  for (const node of graph.nodes) {
    if (node.kind === "collect" || !isComputed(node)) continue;
    const upstream = [...node.dependsOn, ...node.optionalDependsOn];
    if (upstream.some((name) => branched.has(name) || nodes.get(name)?.kind === "expand")) branched.add(node.name);
  }
  return branched;
}
