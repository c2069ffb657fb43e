import type { JobEvent, JobState, JobSummary } from "../client/client.ts";
import type { NodeReasonFragment, RegressionFragment, ValueSummaryFragment } from "../client/generated/graphql.ts";
import { duration } from "./units.ts";

export type NodeState = "waiting" | "running" | "succeeded" | "reused" | "failed" | "stopped";
/** Why a node was reused, or ran although reuse was asked for. */
export type NodeReason = NodeReasonFragment;

/** The branches of a node inside a `Parallelizable` block, told as one. */
export interface Branches {
  /** Null before the block has been expanded. */
  total: number | null;
  done: number;
  failed: number;
  /** Of those that are done. */
  reused: number;
  running: Set<string>;
  /** Of those that are done. */
  durationsMs: number[];
  slowest: { branch: string; ms: number } | null;
}

export interface NodeView {
  name: string;
  state: NodeState;
  startedAt: number | null;
  durationMs: number | null;
  summary: ValueSummaryFragment | null;
  /** That it was slower than usual; null when it was not, and while it is followed: nobody has held it against others yet. */
  regression: RegressionFragment | null;
  error: { type: string; message: string } | null;
  /** Null where reuse was not asked for, and in branches. */
  reason: NodeReason | null;
  branches: Branches | null;
}

/** What is known of a job's present attempt: all that its picture is drawn from. */
export interface RunView {
  jobId: string;
  /** `project/pipeline`. */
  name: string;
  state: JobState;
  attempt: number;
  waitingFor: string | null;
  /** In the order in which they run. */
  nodes: Map<string, NodeView>;
  /** Nodes and branches that have ended, and of how many; null before the graph is resolved. */
  done: number;
  total: number | null;
  startedAt: number | null;
  endedAt: number | null;
  /** How long it would go on at a certain time; null when nobody knows. */
  left: { ms: number; at: number } | null;
  log: { lines: number; node: string | null; level: string; text: string } | null;
  /** What became of earlier attempts, and who asked for it to be cancelled. */
  note: string | null;
  /** How many events it was made from. */
  events: number;
  /** The number of the last one: equal, unless some were missed. */
  lastSeq: number;
}

/** The picture before the first event: the events tell the rest. */
export function startView(job: Pick<JobSummary, "id" | "project" | "pipeline">, waitingFor: string | null): RunView {
  return {
    jobId: job.id,
    name: `${job.project}/${job.pipeline}`,
    state: "QUEUED",
    attempt: 0,
    waitingFor,
    nodes: new Map(),
    done: 0,
    total: null,
    startedAt: null,
    endedAt: null,
    left: null,
    log: null,
    note: null,
    events: 0,
    lastSeq: 0,
  };
}

/** What an event changes in the picture. */
export function apply(view: RunView, event: JobEvent): void {
  view.events += 1;
  view.lastSeq = event.seq;
  const change = changes[event.__typename] as Change<JobEvent> | undefined;
  change?.(view, event, Date.parse(event.occurredAt));
}

type Change<E extends JobEvent> = (view: RunView, event: E, at: number) => void;

const changes: { [T in JobEvent["__typename"]]?: Change<Extract<JobEvent, { __typename: T }>> } = {
  JobEnqueued: (view, { state }) => {
    view.state = state;
  },
  JobScheduled: (view) => {
    view.state = "SCHEDULED";
  },
  JobQueued: (view) => {
    view.state = "QUEUED";
  },
  JobPostponed: (view) => {
    view.state = "SCHEDULED";
  },
  JobUpdated: (view, { actor, reason, changes }) => {
    view.note = `${actor} changed ${changes.map(({ field }) => field).join(", ")}${reason === null ? "" : `: ${reason}`}`;
  },
  JobRequeued: (view, { actor, reason }) => {
    view.state = "QUEUED";
    view.note = `${actor} requeued it${reason === null ? "" : `: ${reason}`}`;
  },
  JobStarted: (view, { attempt }, at) => beginAttempt(view, attempt ?? view.attempt + 1, at),
  RunResolved: (view, { path }) => {
    for (const name of path) nodeOf(view, name);
    view.total = path.length;
  },
  NodeExpanded: (view, { nodes, count }) => {
    for (const name of nodes) branchesOf(view, name).total = count;
    view.total = (view.total ?? view.nodes.size) + (count - 1) * nodes.length;
  },
  NodeStarted: (view, event, at) => nodeStarted(view, event, at),
  NodeReused: (view, event) => nodeReused(view, event),
  NodeSucceeded: (view, event) => nodeSucceeded(view, event),
  NodeFailed: (view, event) => nodeFailed(view, event),
  LogLine: (view, { node, level, text }) => {
    view.log = { lines: (view.log?.lines ?? 0) + 1, node, level, text: text ?? "" };
  },
  JobRetryPlanned: (view, { attempt, error }) => {
    view.state = "RETRYABLE";
    view.note = `attempt ${attempt} failed and is tried again: ${error.type}: ${error.message}`;
    stopNodes(view);
  },
  JobRescued: (view, { attempt, error }) => {
    view.state = "QUEUED";
    view.note = `attempt ${attempt} lost its worker and runs again: ${error.message}`;
    stopNodes(view);
  },
  JobReleased: (view, { attempt, releasedFor }) => {
    view.state = "QUEUED";
    view.note = `attempt ${attempt} was handed back: ${releasedFor}`;
    stopNodes(view);
  },
  JobStalled: (view, { stalledFor, forMs, p95Ms }) => {
    view.note =
      stalledFor === "SLOW" && p95Ms !== null
        ? `it seems to have stalled: it has run for ${duration(forMs)}, nearly all runs before took less than ${duration(p95Ms)}`
        : `it seems to have stalled: no event and no processor time for ${duration(forMs)}`;
  },
  JobCancelRequested: (view, { actor, reason }) => {
    view.note = `${actor} asked to cancel it${reason === null ? "" : `: ${reason}`}`;
  },
  JobSucceeded: (view, _event, at) => end(view, "SUCCEEDED", at),
  JobFailed: (view, _event, at) => end(view, "FAILED", at),
  JobCancelled: (view, _event, at) => end(view, "CANCELLED", at),
  JobExpired: (view, _event, at) => end(view, "EXPIRED", at),
};

function beginAttempt(view: RunView, attempt: number, at: number): void {
  Object.assign(view, {
    state: "RUNNING",
    attempt,
    startedAt: at,
    endedAt: null,
    waitingFor: null,
    done: 0,
    total: null,
    left: null,
  });
  view.nodes.clear();
}

function end(view: RunView, state: JobState, at: number): void {
  view.state = state;
  view.endedAt = at;
  view.waitingFor = null;
  stopNodes(view);
}

/** What still ran when the attempt ended was stopped. */
function stopNodes(view: RunView): void {
  for (const node of view.nodes.values()) {
    if (node.state === "running") node.state = "stopped";
    node.branches?.running.clear();
  }
}

function nodeStarted(view: RunView, event: Extract<JobEvent, { __typename: "NodeStarted" }>, at: number): void {
  const { node: name, branch, whyRun } = event;
  const node = nodeOf(view, name);
  node.startedAt ??= at;
  if (node.state !== "failed") node.state = "running";
  if (branch === null) node.reason = whyRun ?? null;
  else branchesOf(view, name).running.add(branch);
}

function nodeReused(view: RunView, event: Extract<JobEvent, { __typename: "NodeReused" }>): void {
  const node = nodeOf(view, event.node);
  view.done += 1;
  if (event.branch === null) {
    node.state = "reused";
    node.reason = event.whyReused;
    node.summary = event.summary;
    return;
  }
  const branches = branchesOf(view, event.node);
  branches.done += 1;
  branches.reused += 1;
  if (branches.done === branches.total) node.state = branches.reused === branches.done ? "reused" : "succeeded";
  else if (node.state === "waiting") node.state = "running";
}

function nodeSucceeded(view: RunView, event: Extract<JobEvent, { __typename: "NodeSucceeded" }>): void {
  const node = nodeOf(view, event.node);
  view.done += 1;
  if (event.branch === null) {
    node.state = "succeeded";
    node.durationMs = event.durationMs;
    node.summary = event.summary;
    return;
  }
  const branches = branchesOf(view, event.node);
  branches.running.delete(event.branch);
  branches.done += 1;
  branches.durationsMs.push(event.durationMs);
  if (branches.slowest === null || event.durationMs > branches.slowest.ms) {
    branches.slowest = { branch: event.branch, ms: event.durationMs };
  }
  if (branches.done === branches.total) node.state = "succeeded";
}

function nodeFailed(view: RunView, event: Extract<JobEvent, { __typename: "NodeFailed" }>): void {
  const node = nodeOf(view, event.node);
  node.state = "failed";
  node.error = event.error;
  node.durationMs = event.durationMs;
  if (event.branch === null) return;
  const branches = branchesOf(view, event.node);
  branches.running.delete(event.branch);
  branches.failed += 1;
}

function nodeOf(view: RunView, name: string): NodeView {
  const known = view.nodes.get(name);
  if (known !== undefined) return known;
  const node: NodeView = {
    name,
    state: "waiting",
    startedAt: null,
    durationMs: null,
    summary: null,
    regression: null,
    error: null,
    reason: null,
    branches: null,
  };
  view.nodes.set(name, node);
  return node;
}

function branchesOf(view: RunView, name: string): Branches {
  const node = nodeOf(view, name);
  node.branches ??= { total: null, done: 0, failed: 0, reused: 0, running: new Set(), durationsMs: [], slowest: null };
  return node.branches;
}
