import type { QueueFragment } from "../client/generated/graphql.ts";
import { retryText } from "./plan-view.ts";
import { table } from "./table.ts";
import { printable, type Terminal } from "./terminal.ts";
import { duration, localTime } from "./units.ts";

const waiting = ["SCHEDULED", "BLOCKED", "QUEUED", "RETRYABLE"];

/** All queues for a person. */
export function queueTable(queues: readonly QueueFragment[], { paint, columns, symbols }: Terminal): string[] {
  const rows = queues.map((queue) => [
    printable(queue.name),
    countOf(queue, waiting),
    countOf(queue, ["RUNNING"]),
    perMinute(queue),
    queue.pausedAt === null ? "open" : "paused",
    limitText(queue).join(", "),
  ]);
  return table(
    ["QUEUE", "WAITING", "RUNNING", "ENDED/MIN", "IS", "LETS PASS"],
    rows,
    columns,
    symbols.ellipsis,
    (text, column, row) => {
      if (row === null) return paint("dim", text);
      return column === 4 && text.trim() === "paused" ? paint("yellow", text) : text;
    },
  );
}

/** One queue for a person. */
export function queueLines(queue: QueueFragment, { paint }: Terminal): string[] {
  const { pausedAt, pausedUntil, pauseReason, oldestWaitingAt } = queue;
  const until = pausedUntil === null ? "" : ` until ${localTime(pausedUntil)}`;
  const state =
    pausedAt === null
      ? "open"
      : `paused since ${localTime(pausedAt)}${until}${pauseReason === null ? "" : `: ${pauseReason}`}`;
  const jobs = queue.counts.map(
    ({ state, count: { value, isExact } }) => `${value}${isExact ? "" : "+"} ${state.toLowerCase()}`,
  );
  const facts: [string, string][] = [
    ["is", state],
    ["lets pass", limitText(queue).join(", ") || "whatever comes"],
    ["jobs", jobs.join(", ") || "none"],
    ["ended", `${perMinute(queue)} a minute`],
    ["defaults", defaultsText(queue.jobDefaults).join(", ")],
    ["oldest", oldestWaitingAt === null ? "" : `queued, due since ${localTime(oldestWaitingAt)}`],
  ];
  const told = facts.filter(([, value]) => value !== "");
  return [
    paint("bold", printable(queue.name)),
    ...told.map(([name, value]) => `  ${paint("dim", name.padEnd(9))}  ${printable(value)}`),
  ];
}

/** What its jobs are run with. */
function defaultsText(defaults: QueueFragment["jobDefaults"]): string[] {
  if (defaults === null) return [];
  const { priority, timeoutMs, ttlMs, retry, onWorkerLost, needs } = defaults;
  return [
    ...(priority === null ? [] : [`priority ${priority}`]),
    ...(timeoutMs === null ? [] : [`timeout ${duration(timeoutMs)}`]),
    ...(ttlMs === null ? [] : [`expires ${duration(ttlMs)} after it is due`]),
    ...(retry === null ? [] : [`retries: ${retryText(withDefaults(retry))}`]),
    ...(onWorkerLost === null ? [] : [`worker lost: ${onWorkerLost.toLowerCase()}`]),
    ...(needs === null ? [] : [`needs ${needs.join(", ")}`]),
  ];
}

type Retry = NonNullable<NonNullable<QueueFragment["jobDefaults"]>["retry"]>;

/** Where the queue does not say how long the delay is, it is a second. */
function withDefaults(retry: Retry) {
  return {
    ...retry,
    retryDelayMs: retry.retryDelayMs ?? 1000,
    backoff: retry.backoff ?? ("EXPONENTIAL" as const),
    nonRetryableExceptions: retry.nonRetryableExceptions ?? [],
  };
}

/** One digit where it tells something. */
function perMinute({ endedPerMinute }: QueueFragment): string {
  return endedPerMinute < 10 ? String(Math.round(endedPerMinute * 10) / 10) : String(Math.round(endedPerMinute));
}

function limitText({ concurrencyLimit, rateLimit, backlogLimit }: QueueFragment): string[] {
  return [
    ...(concurrencyLimit === null ? [] : [`${concurrencyLimit} at a time`]),
    ...(rateLimit === null ? [] : [`${rateLimit.jobs} in ${duration(rateLimit.periodMs)}`]),
    ...(backlogLimit === null ? [] : [`${backlogLimit} waiting`]),
  ];
}

function countOf({ counts }: QueueFragment, states: readonly string[]): string {
  const found = counts.filter(({ state }) => states.includes(state));
  const sum = found.reduce((total, { count }) => total + count.value, 0);
  return `${sum}${found.every(({ count }) => count.isExact) ? "" : "+"}`;
}
