import type { JobEvent } from "../client/client.ts";
import { branchName, errorText, nodeDetail } from "./frame.ts";
import type { RunView } from "./run-view.ts";
import { printable, type Symbols } from "./terminal.ts";
import { clock, counted, duration } from "./units.ts";

/**
 * What to print for an event where lines cannot be redrawn: one line per node that ended (branches together), one per turn in
 * the job's life, null for the rest. `view` has taken the event already.
 */
export function plainLine(view: RunView, event: JobEvent, symbols: Symbols): string | null {
  const text = sentence(view, event, symbols);
  return text === null ? null : `${clock(new Date(event.occurredAt))}  ${text}`;
}

function sentence(view: RunView, event: JobEvent, symbols: Symbols): string | null {
  switch (event.__typename) {
    case "JobStarted":
      return `${view.name} ${view.jobId} started, attempt ${view.attempt}`;
    case "RunResolved":
      return `${counted(event.path.length, "node")} will run`;
    case "NodeSucceeded":
      return succeeded(view, event, symbols);
    case "NodeReused":
      return reused(view, event, symbols);
    case "NodeFailed": {
      const where = event.branch === null ? event.node : `${event.node} ${branchName(event.branch)}`;
      return `${symbols.failed} ${where}  ${duration(event.durationMs)}  ${printable(errorText(event.error))}`;
    }
    case "JobRetryPlanned":
    case "JobRescued":
    case "JobReleased":
    case "JobRequeued":
    case "JobStalled":
    case "JobUpdated":
    case "JobCancelRequested":
      return printable(view.note ?? "");
    case "JobSucceeded":
    case "JobFailed":
    case "JobCancelled":
    case "JobExpired":
      return ended(view);
    default:
      return null;
  }
}

function succeeded(
  view: RunView,
  event: Extract<JobEvent, { __typename: "NodeSucceeded" }>,
  symbols: Symbols,
): string | null {
  const node = view.nodes.get(event.node);
  if (node === undefined || node.state !== "succeeded") return null; // a branch of which others still run
  const count = node.branches === null ? "" : ` ${node.branches.done}/${node.branches.total}`;
  const time = node.durationMs === null ? "" : `  ${duration(node.durationMs)}`;
  const detail = nodeDetail(node, symbols);
  const progress = view.total === null ? "" : `[${view.done}/${view.total}] `;
  return `${progress}${symbols.ok} ${event.node}${count}${time}${detail === "" ? "" : `  ${detail}`}`;
}

function reused(
  view: RunView,
  event: Extract<JobEvent, { __typename: "NodeReused" }>,
  symbols: Symbols,
): string | null {
  const node = view.nodes.get(event.node);
  if (node === undefined || (node.state !== "reused" && node.state !== "succeeded")) return null; // others still run
  const count = node.branches === null ? "" : ` ${node.branches.done}/${node.branches.total}`;
  const progress = view.total === null ? "" : `[${view.done}/${view.total}] `;
  const sign = node.state === "reused" ? symbols.reused : symbols.ok;
  return `${progress}${sign} ${event.node}${count}  ${nodeDetail(node, symbols)}`.trimEnd();
}

function ended(view: RunView): string {
  const took =
    view.startedAt === null || view.endedAt === null ? "" : ` after ${duration(view.endedAt - view.startedAt)}`;
  return `${view.name} ${view.jobId} ${view.state.toLowerCase()}${took}`;
}
