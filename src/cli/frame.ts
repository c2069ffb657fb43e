import type { JobState } from "../client/client.ts";
import type { RegressionFragment } from "../client/generated/graphql.ts";
import type { Branches, NodeReason, NodeState, NodeView, RunView } from "./run-view.ts";
import { summaryText } from "./summary-text.ts";
import { clip, type Paint, padded, printable, type Symbols, type Terminal, widthOf } from "./terminal.ts";
import { duration } from "./units.ts";

export type Canvas = Pick<Terminal, "paint" | "symbols"> & { columns: number; rows: number };

/** Milliseconds between two pictures of the sign that turns. */
export const turnMs = 120;
const barWidth = 10;
/** Lines around the nodes. */
const frameRows = 5;

/** A job as lines of a terminal: its head, a line for each node, what it says. `now` in milliseconds since 1970. */
export function frame(view: RunView, canvas: Canvas, now: number): string[] {
  const nodes = [...view.nodes.values()];
  const { shown, hidden } = chosen(nodes, canvas.rows - frameRows);
  const nameWidth = Math.min(
    Math.max(...shown.map((node) => widthOf(nodeName(node))), 0),
    Math.floor(canvas.columns / 3),
  );
  const lines = shown.map((node, index) => {
    const isLast = index === shown.length - 1 && hidden === null;
    return nodeLine(node, isLast, nameWidth, canvas, now);
  });
  if (hidden !== null) lines.push(`${canvas.symbols.last} ${canvas.paint("dim", hidden)}`);
  return [headLine(view, canvas, now), ...lines, ...remarks(view, canvas)];
}

/** The last letters of an id: enough to name a job by. */
export function shortId(id: string, { ellipsis }: Symbols): string {
  return `${ellipsis}${id.slice(-6)}`;
}

export const stateColours: Record<JobState, Paint> = {
  SCHEDULED: "cyan",
  BLOCKED: "yellow",
  QUEUED: "cyan",
  RUNNING: "blue",
  RETRYABLE: "yellow",
  SUCCEEDED: "green",
  FAILED: "red",
  CANCELLED: "yellow",
  EXPIRED: "yellow",
};

function headLine(view: RunView, { paint, symbols, columns }: Canvas, now: number): string {
  const id = shortId(view.jobId, symbols);
  const attempt = view.attempt === 0 ? "" : `attempt ${view.attempt}`;
  const remaining = timeLeft(view, now);
  // There is no room for both, and of the first attempt its number says least.
  const first = remaining === "" ? attempt : view.attempt === 1 ? remaining : `${attempt}  ${remaining}`;
  const progress = view.total === null ? "" : `${bar(view.done, view.total, symbols)} ${view.done}/${view.total}`;
  const took = view.startedAt === null ? "" : duration(Math.max(0, (view.endedAt ?? now) - view.startedAt));
  const right = [first, progress, took].filter((part) => part !== "").join("  ");
  const room = columns - id.length - view.state.length - right.length - 6;
  const name = clip(view.name, Math.max(room, 8), symbols.ellipsis);
  const left = `${name}  ${id}  ${view.state}`;
  const gap = " ".repeat(Math.max(2, columns - left.length - right.length));
  return `${paint("bold", name)}  ${paint("dim", id)}  ${paint(stateColours[view.state], view.state)}${right === "" ? "" : gap}${right}`;
}

/** Counted down since it was told; nothing in the last half second, and beyond it. */
function timeLeft({ left, state }: RunView, now: number): string {
  const ms = left === null || state !== "RUNNING" ? 0 : left.ms - (now - left.at);
  return ms < 500 ? "" : `~${duration(ms)} left`;
}

function bar(done: number, total: number, { full, empty }: Symbols): string {
  const filled = total === 0 ? barWidth : Math.floor((done / total) * barWidth);
  return full.repeat(filled) + empty.repeat(barWidth - filled);
}

const nodeColours: Record<NodeState, Paint> = {
  waiting: "dim",
  running: "blue",
  succeeded: "green",
  reused: "cyan",
  failed: "red",
  stopped: "yellow",
};

function nodeLine(node: NodeView, isLast: boolean, nameWidth: number, canvas: Canvas, now: number): string {
  const { paint, symbols, columns } = canvas;
  const name = padded(clip(nodeName(node), nameWidth, symbols.ellipsis), nameWidth);
  const time = nodeTime(node, now).padStart(9);
  const detail = clip(nodeDetail(node, symbols), columns - nameWidth - 17, symbols.ellipsis);
  const icon = paint(nodeColours[node.state], sign(node.state, symbols, now));
  const shownName = node.state === "waiting" ? paint("dim", name) : name;
  const shownDetail = node.state === "failed" ? paint("red", detail) : detail;
  return `${isLast ? symbols.last : symbols.branch} ${icon} ${shownName} ${time}   ${shownDetail}`.trimEnd();
}

function nodeName({ name, branches }: NodeView): string {
  return branches === null ? printable(name) : `${printable(name)} ${branches.done}/${branches.total ?? "?"}`;
}

function sign(state: NodeState, symbols: Symbols, now: number): string {
  if (state === "running") return symbols.running[Math.floor(now / turnMs) % symbols.running.length] as string;
  return {
    waiting: symbols.waiting,
    succeeded: symbols.ok,
    reused: symbols.reused,
    failed: symbols.failed,
    stopped: symbols.stopped,
  }[state];
}

/** How long it took; of one that runs for more than a second, how long it has been running. */
function nodeTime(node: NodeView, now: number): string {
  if (node.branches !== null) return "";
  if (node.durationMs !== null) return duration(node.durationMs);
  const runningMs = node.state === "running" && node.startedAt !== null ? now - node.startedAt : 0;
  return runningMs < 1000 ? "" : duration(runningMs);
}

/** What a node has to say for itself, in a few words. */
export function nodeDetail(node: NodeView, symbols: Symbols): string {
  if (node.error !== null) return printable(errorText(node.error));
  const detail = node.branches !== null ? branchDetail(node.branches) : valueDetail(node, symbols);
  return [detail, slowText(node.regression)].filter((part) => part !== "").join(", ");
}

function valueDetail({ summary, reason }: NodeView, symbols: Symbols): string {
  const value = summary === null ? "" : summaryText(summary, symbols);
  const why = reason === null ? "" : reasonText(reason, symbols);
  return [value, why].filter((part) => part !== "").join(", ");
}

/** `2.4 times as long as usual (p95 412 ms)`. */
export function slowText(regression: RegressionFragment | null): string {
  if (regression === null) return "";
  return `${regression.factor.toFixed(1)} times as long as usual (p95 ${duration(regression.baselineP95Ms)})`;
}

/** `reused: …k7fq2m, attempt 1` or why it ran: `code changed`. That nothing is stored yet is how every node begins. */
function reasonText({ code, text, jobId, attempt }: NodeReason, symbols: Symbols): string {
  if (code === "NOTHING_STORED") return "";
  return code === "HIT" && jobId !== null ? `reused: ${shortId(jobId, symbols)}, attempt ${attempt}` : printable(text);
}

/** `ValueError: no flour`, or the class alone where it says nothing. */
export function errorText({ type, message }: { type: string; message: string }): string {
  return message === "" ? type : `${type}: ${message}`;
}

function branchDetail({ running, reused, durationsMs, slowest }: Branches): string {
  const parts = running.size > 0 ? [`${running.size} running`] : [];
  if (reused > 0) parts.push(`${reused} reused`);
  if (slowest !== null) {
    const sorted = durationsMs.toSorted((a, b) => a - b);
    parts.push(`median ${duration(sorted[Math.floor(sorted.length / 2)] as number)}`);
    parts.push(`slowest ${branchName(slowest.branch)} ${duration(slowest.ms)}`);
  }
  return parts.join(", ");
}

/** `#7` of `expand-airport.7.block-airport`. */
export function branchName(branch: string): string {
  const [, index] = /\.(\d+)\.block-/.exec(branch) ?? [];
  return index === undefined ? printable(branch) : `#${index}`;
}

/** The nodes for which there is room: those that run or failed first, then what ended last, then what comes next. */
function chosen(nodes: NodeView[], room: number): { shown: NodeView[]; hidden: string | null } {
  if (nodes.length <= room) return { shown: nodes, hidden: null };
  const rank = { failed: 0, running: 1, stopped: 2, succeeded: 3, reused: 3, waiting: 4 } as const;
  const order = nodes
    .map((node, index) => ({ node, index, nearness: node.state === "succeeded" ? -index : index }))
    .sort((a, b) => rank[a.node.state] - rank[b.node.state] || a.nearness - b.nearness);
  const kept = new Set(order.slice(0, Math.max(room - 1, 1)).map(({ node }) => node));
  const rest = nodes.filter((node) => !kept.has(node));
  const waiting = rest.filter(({ state }) => state === "waiting").length;
  const ended = rest.length - waiting;
  const parts = [ended > 0 ? `${ended} done` : null, waiting > 0 ? `${waiting} waiting` : null];
  return {
    shown: nodes.filter((node) => kept.has(node)),
    hidden: `${rest.length} more nodes: ${parts.filter((part) => part !== null).join(", ")}`,
  };
}

/** What it waits for, what happened to earlier attempts, the last line of its log. */
function remarks(view: RunView, { paint, symbols, columns }: Canvas): string[] {
  const lines: string[] = [];
  if (view.waitingFor !== null) lines.push(`  waiting: ${printable(view.waitingFor)}`);
  if (view.note !== null) lines.push(`  note: ${printable(view.note)}`);
  if (view.log !== null) {
    const count = `(${view.log.lines} ${view.log.lines === 1 ? "line" : "lines"}: logs ${view.jobId.slice(-6)})`;
    const from = view.log.node === null ? "" : `${printable(view.log.node)}  `;
    const head = `  log  ${from}${view.log.level}  `;
    const text = clip(printable(view.log.text), columns - head.length - count.length - 2, symbols.ellipsis);
    lines.push(`${head}${text}  ${count}`);
  }
  return lines.map((line) => paint("dim", clip(line, columns, symbols.ellipsis)));
}
