import type { Job, NodeRun } from "../client/client.ts";
import { expanderOfBranch } from "../domain/branch.ts";
import { waitingText } from "./jobs.ts";
import { type NodeState, type NodeView, type RunView, startView } from "./run-view.ts";

/** The picture of a job as it is stored, without going through its events. `nodeRuns`: all of its last attempt. */
export function viewOf(job: Job, nodeRuns: readonly NodeRun[]): RunView {
  const planned = job.lastAttempt?.path ?? job.plan?.nodes ?? [];
  const runs = Map.groupBy(nodeRuns, ({ node }) => node);
  const names = new Set([...planned, ...runs.keys()]);
  const expanded = new Map(nodeRuns.map(({ node, branches }) => [node, branches]));
  const isOver = job.finishedAt !== null;
  const viewed = (name: string) => nodeView(runs.get(name) ?? [], { name, expanded, isOver });
  return {
    ...startView(job, waitingText(job)),
    state: job.state,
    attempt: job.attempt,
    nodes: new Map([...names].map((name) => [name, viewed(name)])),
    done: job.progress.done,
    total: job.progress.total,
    startedAt: job.startedAt === null ? null : Date.parse(job.startedAt),
    endedAt: job.finishedAt === null ? null : Date.parse(job.finishedAt),
    left: job.progress.leftMs === null ? null : { ms: job.progress.leftMs, at: Date.now() },
  };
}

const states: Record<NodeRun["state"], NodeState> = {
  RUNNING: "running",
  SUCCEEDED: "succeeded",
  REUSED: "reused",
  FAILED: "failed",
  STOPPED: "stopped",
};

interface Around {
  name: string;
  /** Into how many branches each node was expanded that was. */
  expanded: ReadonlyMap<string, number | null>;
  /** The job has ended: what has not begun will not. */
  isOver: boolean;
}

function nodeView(runs: readonly NodeRun[], { name, ...around }: Around): NodeView {
  const inBranches = runs.filter(({ branch }) => branch !== null);
  const [run] = runs;
  const plain: NodeView = {
    name,
    state: run === undefined ? "waiting" : states[run.state],
    startedAt: run?.startedAt == null ? null : Date.parse(run.startedAt),
    durationMs: run?.durationMs ?? null,
    summary: run?.summary ?? null,
    regression: run?.regression ?? null,
    error: run?.error ?? null,
    reason: run?.reason ?? null,
    branches: null,
  };
  return inBranches.length === 0 ? plain : folded(plain, inBranches, around);
}

/** Branches of one node as one line. */
function folded(node: NodeView, runs: readonly NodeRun[], { expanded, isOver }: Omit<Around, "name">): NodeView {
  const expander = expanderOfBranch(runs[0]?.branch ?? null);
  const total = (expander === null ? null : expanded.get(expander)) ?? runs.length;
  const inState = (state: NodeState) => runs.filter((run) => states[run.state] === state);
  const reused = inState("reused");
  const done = [...inState("succeeded"), ...reused];
  const [failed] = inState("failed");
  const ran = done.filter(({ durationMs }) => durationMs !== null);
  const slowest = ran.toSorted((a, b) => (b.durationMs ?? 0) - (a.durationMs ?? 0))[0];
  const worst = (["failed", "running", "stopped"] as const).find((state) => inState(state).length > 0);
  const whole = reused.length === runs.length ? "reused" : "succeeded";
  return {
    ...node,
    state: worst ?? (runs.length < total ? (isOver ? "stopped" : "running") : whole),
    reason: null,
    error: failed?.error ?? null,
    regression: worstOf(runs),
    branches: {
      total,
      done: done.length,
      failed: inState("failed").length,
      reused: reused.length,
      running: new Set(inState("running").map(({ branch }) => branch ?? "")),
      durationsMs: ran.map(({ durationMs }) => durationMs ?? 0),
      slowest: slowest === undefined ? null : { branch: slowest.branch ?? "", ms: slowest.durationMs ?? 0 },
    },
  };
}

/** That of the branch which was the most slower than usual. */
function worstOf(runs: readonly NodeRun[]): NodeRun["regression"] {
  const slow = runs.flatMap(({ regression }) => regression ?? []);
  return slow.toSorted((a, b) => b.factor - a.factor)[0] ?? null;
}
