import type { Database } from "../db/client.ts";
import { coalesce } from "../db/coalesce.ts";
import { expanderOfBranch } from "../domain/branch.ts";
import { quantile } from "../domain/quantile.ts";
import { type NodeTime, timeLeftMs } from "../domain/time-left.ts";
import { waitedMs } from "../domain/waited.ts";
import { concurrencyOf, type KnownExecutor, unknownExecutor } from "./executor.ts";
import { type HistoryQuestion, type PastNode, type PastRun, readHistories } from "./read-history.ts";

/** How long things took, in milliseconds. */
export interface Times {
  p50Ms: number;
  p95Ms: number;
}

/** One node over the runs in which it ran. */
export interface NodeHistory extends NodeTime, Times {
  node: string;
  /** The newest first. Of a node in a block: the median of the branches that were looked at. */
  runs: readonly {
    jobId: string;
    /** Of the pipeline's code, and of the node's own function. */
    codeHash: string | null;
    functionHash: string | null;
    durationMs: number;
    branches: number | null;
  }[];
  /** Typical size of its value in memory; null where it was never known. */
  bytes: number | null;
}

/**
 * The last runs of a pipeline that succeeded, whatever code they ran: that other code is slower is to be seen. What was reused
 * did not run, and a run in which something was reused does not tell how long one takes.
 */
export interface PipelineHistory {
  /** The newest first. */
  runs: readonly {
    jobId: string;
    codeHash: string | null;
    runMs: number;
    waitedMs: number | null;
    hasReused: boolean;
  }[];
  /** How many of them reused nothing. */
  wholeRuns: number;
  /** Of those; null without one. */
  run: Times | null;
  waited: Times | null;
  /** What a run takes beside its nodes: reading the code, starting, keeping results. Null without a run that reused nothing. */
  besideNodesMs: number | null;
  /** By name, in the order of the newest run that has them. */
  nodes: ReadonlyMap<string, NodeHistory>;
  /** As the newest run has resolved it. */
  executor: KnownExecutor;
}

export interface HistoryOptions {
  /** For how long an answer is taken from memory. */
  timeToLiveMs?: number;
  /** Milliseconds of a clock that only grows. */
  clock?: () => number;
}

/** What this process knows of earlier runs. */
export interface Histories {
  of(question: Pick<HistoryQuestion, "project" | "pipeline"> & Partial<HistoryQuestion>): Promise<PipelineHistory>;
}

/** Runs that are looked at unless more are asked for, and at most; and for how long what was read is taken from memory. */
export const historyLength = { default: 50, most: 200, keptMs: 5000 } as const;
const maxCached = 100;
/** Questions that are answered by one statement. */
const together = 50;

/**
 * Histories, kept for some seconds: a plan, a page of jobs and every picture of a running one ask for the same. What is asked
 * for at the same time is read at once.
 */
export function openHistories(db: Database, options: HistoryOptions = {}): Histories {
  const { timeToLiveMs = historyLength.keptMs, clock = () => performance.now() } = options;
  const cache = new Map<string, { readAt: number; found: Promise<PipelineHistory> }>();
  const read = coalesce((questions: HistoryQuestion[]) => readHistories(db, questions), { most: together });

  return {
    async of({ project, pipeline, last = historyLength.default, before = null }) {
      const key = JSON.stringify([project, pipeline, last, before]);
      const cached = cache.get(key);
      if (cached !== undefined && clock() - cached.readAt < timeToLiveMs) return await cached.found;
      const found = read({ project, pipeline, last, before }).then(historyOf);
      const entry = { readAt: clock(), found };
      cache.delete(key);
      // In the order in which they were read: what is too old, or too much, stands first.
      for (const [old, { readAt }] of cache) {
        if (cache.size < maxCached && entry.readAt - readAt < timeToLiveMs) break;
        cache.delete(old);
      }
      cache.set(key, entry);
      const forget = () => cache.get(key) === entry && cache.delete(key);
      // The first run may end any moment: what is empty is asked for again at once. So is what could not be read.
      found.then(({ runs }) => runs.length > 0 || forget(), forget);
      return await found;
    },
  };
}

/** The newest run first. */
export function historyOf(runs: readonly PastRun[]): PipelineHistory {
  const told = runs.map((run) => ({
    jobId: run.jobId,
    codeHash: run.codeHash,
    runMs: run.runMs,
    waitedMs: waitedMs(run),
    hasReused: run.hasReused,
  }));
  const whole = runs.filter(({ hasReused }) => !hasReused);
  return {
    runs: told,
    wholeRuns: whole.length,
    run: timesOf(whole.map(({ runMs }) => runMs)),
    waited: timesOf(told.flatMap((run) => run.waitedMs ?? [])),
    besideNodesMs: quantile(whole.flatMap(besideNodes), 0.5),
    nodes: nodeHistories(runs),
    executor: runs[0]?.executor ?? unknownExecutor,
  };
}

/** How much longer a run took than its nodes. None when nobody knows how its branches were spread. */
function besideNodes({ runMs, nodes, executor }: PastRun): number[] {
  const times = new Map(
    nodes.map(({ node, durationsMs, branch, branches }) => [
      node,
      { p50Ms: quantile(durationsMs, 0.5) ?? 0, expander: expanderOfBranch(branch), branches },
    ]),
  );
  const nodesMs = timeLeftMs([...times.keys()], { times, concurrency: concurrencyOf(executor) });
  return nodesMs === null ? [] : [Math.max(0, runMs - nodesMs)];
}

function nodeHistories(runs: readonly PastRun[]): Map<string, NodeHistory> {
  const found = new Map<string, { run: PastRun; past: PastNode }[]>();
  for (const run of runs) {
    for (const past of run.nodes) {
      const known = found.get(past.node);
      if (known === undefined) found.set(past.node, [{ run, past }]);
      else known.push({ run, past });
    }
  }
  return new Map([...found].map(([node, seen]) => [node, nodeHistory(node, seen)]));
}

function nodeHistory(node: string, seen: readonly { run: PastRun; past: PastNode }[]): NodeHistory {
  const median = (values: readonly number[]) => quantile(values, 0.5);
  const times = timesOf(seen.flatMap(({ past }) => past.durationsMs)) ?? { p50Ms: 0, p95Ms: 0 };
  return {
    node,
    ...times,
    runs: seen.map(({ run: { jobId, codeHash }, past }) => ({
      jobId,
      codeHash,
      functionHash: past.functionHash,
      durationMs: median(past.durationsMs) ?? 0,
      branches: past.branches,
    })),
    bytes: median(seen.flatMap(({ past }) => past.bytes)),
    branches: median(seen.flatMap(({ past }) => past.branches ?? [])),
    expander: expanderOfBranch(seen[0]?.past.branch ?? null),
  };
}

function timesOf(values: readonly number[]): Times | null {
  const [p50Ms, p95Ms] = [quantile(values, 0.5), quantile(values, 0.95)];
  return p50Ms === null || p95Ms === null ? null : { p50Ms, p95Ms };
}
