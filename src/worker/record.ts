import { type EventType, eventTypes } from "../domain/event-types.ts";
import type { JsonObject } from "../domain/json.ts";
import type { ContextRow, NodeRunRow, RunBatch, RunEventRow } from "../events/append.ts";
import type { NumberedEvent } from "../runtime/event-queue.ts";
import type { ErrorInfo, RunEvent } from "../runtime/protocol.ts";
import type { RunError } from "../runtime/run-error.ts";

/** Whose events they are. */
export interface RunOf {
  jobId: string;
  attempt: number;
  runToken: string;
}

/** A feed shows the beginning of a message; the whole of it is on the attempt and the node run. */
const messageLength = 2000;

/** What a runtime has told, as rows: events for the log, the state of each node, the resolved context. */
export function recordsOf(run: RunOf, told: readonly NumberedEvent[]): RunBatch {
  const events: RunEventRow[] = [];
  const nodes = new Map<string, NodeRunRow>();
  const contexts: ContextRow[] = [];
  for (const { seq, at, body } of told) {
    const { type, data, done = 0, total = 0 } = stored(body);
    const node = "node" in body ? body.node : null;
    const branch = "branch" in body ? body.branch : null;
    events.push({
      ...run,
      sourceSeq: seq,
      type,
      version: eventTypes[type].version,
      node,
      branch,
      occurredAt: at,
      data,
      done,
      total,
    });
    if (body.event === "run.resolved") {
      const { codeHash, path, finalVars, context } = body.data;
      contexts.push({ ...run, codeHash, context: { ...(context as JsonObject), path, finalVars } });
    } else if (node !== null && body.event !== "log") {
      const key = `${node}\n${branch ?? ""}`;
      const row = nodes.get(key) ?? { ...emptyNode, ...run, node, branch: branch ?? "", firstSeq: seq };
      nodes.set(key, Object.assign(row, nodeChange(body, at)));
    }
  }
  return { events, nodes: [...nodes.values()], contexts };
}

/** One batch of several. */
export function joined(batches: readonly RunBatch[]): RunBatch {
  return {
    events: batches.flatMap((batch) => batch.events),
    nodes: batches.flatMap((batch) => batch.nodes),
    contexts: batches.flatMap((batch) => batch.contexts),
  };
}

/** An error as a feed shows it. */
export function eventError({ kind, type, message, node }: RunError | ErrorInfo): {
  kind: RunError["kind"];
  type: string;
  message: string;
  node: string | null;
} {
  const cut = message.length > messageLength ? `${message.slice(0, messageLength).toWellFormed()} …` : message;
  return { kind, type, message: cut, node };
}

const emptyNode = {
  state: "running",
  startedAt: null,
  endedAt: null,
  durationMs: null,
  cpuMs: null,
  memoryGrowthBytes: null,
  summary: null,
  error: null,
  inputs: null,
  branches: null,
  reason: null,
  stored: null,
  codeVersion: null,
} as const;

/** An event of the protocol as it is stored, and by how much it changes the progress. */
function stored(body: RunEvent): { type: EventType; data: JsonObject; done?: number; total?: number } {
  switch (body.event) {
    case "run.resolved": {
      const { codeHash, path, finalVars } = body.data;
      return { type: "run.resolved", data: { codeHash, path, finalVars }, total: path.length };
    }
    case "node.started":
      return { type: "node.started", data: body.data as JsonObject };
    case "node.reused": {
      const { reason, summary } = body.data;
      return { type: "node.reused", data: { reason, summary } as JsonObject, done: 1 };
    }
    case "node.expanded": {
      const { count, nodes } = body.data;
      // The path counts each node of the block once.
      return { type: "node.expanded", data: { count, nodes }, total: (count - 1) * nodes.length };
    }
    case "node.succeeded": {
      const { codeVersion: _codeVersion, ...data } = body.data;
      return { type: "node.succeeded", data: data as JsonObject, done: 1 };
    }
    case "node.failed":
      return {
        type: "node.failed",
        data: { durationMs: body.data.durationMs, error: eventError(body.data.error) },
      };
    case "log":
      return { type: "log.line", data: body.data };
    case "log.dropped":
      return { type: "log.dropped", data: body.data };
  }
}

function nodeChange(body: RunEvent, at: string): Partial<NodeRunRow> {
  switch (body.event) {
    case "node.started":
      return { startedAt: at, reason: body.data.reason ?? null };
    case "node.reused": {
      const { reason, summary, stored = true, codeVersion = null } = body.data;
      return { state: "reused", endedAt: at, reason, summary: summary as JsonObject, stored, codeVersion };
    }
    case "node.expanded":
      return { branches: body.data.count };
    case "node.succeeded": {
      const { durationMs, cpuMs, memoryGrowthBytes = null, summary, stored = null, codeVersion = null } = body.data;
      return {
        state: "succeeded",
        endedAt: at,
        durationMs,
        cpuMs,
        memoryGrowthBytes,
        summary: summary as JsonObject,
        stored,
        codeVersion,
      };
    }
    case "node.failed": {
      const { durationMs, memoryGrowthBytes = null, error, inputs } = body.data;
      return {
        state: "failed",
        endedAt: at,
        durationMs,
        memoryGrowthBytes,
        error: error as JsonObject,
        inputs: inputs as unknown as JsonObject,
      };
    }
    default:
      return {};
  }
}
