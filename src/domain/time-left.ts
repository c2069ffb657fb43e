/** What earlier runs tell of a node. */
export interface NodeTime {
  /** Of one run of it: inside a `Parallelizable` block, of one branch. */
  p50Ms: number;
  /** The `Parallelizable` node in whose branches it runs; null outside of a block. */
  expander: string | null;
  /** Into how many branches it is usually expanded; null when it is no `Parallelizable`. */
  branches: number | null;
}

/** How far a node is in the run that is looked at. */
export interface NodeProgress {
  /** Runs of it that have ended: at most one, outside of a block. */
  ended: number;
  /** When the one that runs began, in milliseconds since 1970; null when none runs. */
  startedAt: number | null;
  expander: string | null;
  /** Into how many branches it was expanded; null while it was not. */
  branches: number | null;
}

export interface Expectation {
  times: ReadonlyMap<string, NodeTime>;
  /** Branches of a block that run at once; null when nobody knows. */
  concurrency: number | null;
}

/**
 * How long the nodes of a path will take, or, when the run is under way, those of them that are not done. FlowerPower runs
 * one node after the other, so times add up; only the branches of a block run at once, each going through its nodes in turn.
 * Null when a node that has still to run has never run before.
 */
export function timeLeftMs(
  path: readonly string[],
  expectation: Expectation,
  run: { progress: ReadonlyMap<string, NodeProgress>; now: number } = notBegun,
): number | null {
  let sum = 0;
  for (const node of path) {
    const left = nodeLeftMs(node, expectation, run);
    if (left === null) return null;
    sum += left;
  }
  return sum;
}

const notBegun = { progress: new Map<string, NodeProgress>(), now: 0 };

function nodeLeftMs(
  node: string,
  { times, concurrency }: Expectation,
  { progress, now }: { progress: ReadonlyMap<string, NodeProgress>; now: number },
): number | null {
  const time = times.get(node);
  const state = progress.get(node);
  const expander = state?.expander ?? time?.expander ?? null;
  if (expander === null) {
    if ((state?.ended ?? 0) > 0) return 0;
    if (time === undefined) return null;
    const elapsedMs = state?.startedAt == null ? 0 : now - state.startedAt;
    return Math.min(time.p50Ms, Math.max(0, time.p50Ms - elapsedMs));
  }
  const count = progress.get(expander)?.branches ?? times.get(expander)?.branches ?? null;
  if (count === null) return null;
  const left = count - (state?.ended ?? 0);
  if (left <= 0) return 0;
  if (time === undefined || concurrency === null) return null;
  return Math.ceil(left / concurrency) * time.p50Ms;
}
