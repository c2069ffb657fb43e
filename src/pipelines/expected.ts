import { type NodeProgress, timeLeftMs } from "../domain/time-left.ts";
import { concurrencyOf, type KnownExecutor } from "./executor.ts";
import type { PipelineHistory } from "./history.ts";

/**
 * How long a run of these nodes will take, with what runs of the pipeline usually take beside their nodes; null when one of
 * them has never run. `expanded` tells of nodes that have said already how many branches there are.
 */
export function expectedMs(
  path: readonly string[],
  history: PipelineHistory,
  executor: KnownExecutor,
  expanded: ReadonlyMap<string, NodeProgress> = new Map(),
): number | null {
  const nodesMs = leftMs(path, history, executor, { progress: expanded, now: 0 });
  return nodesMs === null ? null : nodesMs + (history.besideNodesMs ?? 0);
}

/** How long the nodes will take that are not done; null when one of them has never run. */
export function leftMs(
  path: readonly string[],
  history: PipelineHistory,
  executor: KnownExecutor,
  run: { progress: ReadonlyMap<string, NodeProgress>; now: number },
): number | null {
  return timeLeftMs(path, { times: history.nodes, concurrency: concurrencyOf(executor) }, run);
}
