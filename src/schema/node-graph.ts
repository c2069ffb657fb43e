/** What a node is in the graph that its attempt has run. */
import { createContextCache } from "@pothos/core";
import { type AttemptKey, graphsOf } from "../jobs/attempt-graph.ts";
import type { KnownGraph } from "../pipelines/known-graph.ts";
import { indexGraph } from "../pipelines/path.ts";
import type { Context } from "./context.ts";
import { Gathered } from "./gathered.ts";
import { inGraph } from "./graph.ts";

/** The graph that an attempt has run; null when it is not known, or not any more. */
export function attemptGraph(attempt: AttemptKey, context: Context): Promise<KnownGraph> {
  return graphs(context)(attempt);
}

/** The node of a run in its graph; null when that graph is not known, or not any more. */
export async function graphNodeOf({ node, ...attempt }: AttemptKey & { node: string }, context: Context) {
  const graph = await graphs(context)(attempt);
  const found = graph === null ? undefined : indexGraph(graph).nodes.get(node);
  return graph === null || found === undefined ? null : inGraph(graph, found);
}

/** Each attempt's graph once per operation, and those of all attempts together, however many nodes ask. */
const graphs = createContextCache(({ db }: Context) => {
  const batch = new Gathered<AttemptKey, KnownGraph>((attempts) => graphsOf(db.sql, attempts));
  const known = new Map<string, Promise<KnownGraph>>();
  return ({ jobId, attempt }: AttemptKey) => {
    const name = `${jobId} ${attempt}`;
    const graph = known.get(name) ?? batch.ask({ jobId, attempt });
    known.set(name, graph);
    return graph;
  };
});
