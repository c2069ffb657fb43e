import { artifactLimits } from "../src/domain/artifact-limits.ts";
import { jsonLimits } from "../src/domain/json.ts";
import { priorities, priorityStepSeconds } from "../src/domain/lanes.ts";
import { finalStates } from "../src/domain/lifecycle.ts";
import { operationLimits } from "../src/domain/operation.ts";
import { regressionRule } from "../src/domain/regression.ts";
import { retentionDefaults } from "../src/domain/retention.ts";
import { noRetry } from "../src/domain/retry.ts";
import { cpuText, memoryText } from "../src/domain/run-limits.ts";
import { bufferLimits } from "../src/events/buffer.ts";
import { metricsKeptMs } from "../src/jobs/metrics.ts";
import { pruneBatch } from "../src/jobs/prune.ts";
import { countEveryMs, pruneEveryMs } from "../src/jobs/retention.ts";
import { historyLength } from "../src/pipelines/history.ts";
import { jobDefaults } from "../src/pipelines/policy.ts";
import { sampledBranches } from "../src/pipelines/read-history.ts";
import { limitLookMs } from "../src/runtime/limit-watch.ts";
import { defaultLimits } from "../src/runtime/pool.ts";
import { defaultGrace } from "../src/runtime/stop.ts";
import { limits } from "../src/schema/limits.ts";
import { transportLimits } from "../src/server/transport-limits.ts";
import { rescueTimes } from "../src/worker/rescue.ts";
import { reuseLimits } from "../src/worker/reuse-store.ts";
import { sweepMs } from "../src/worker/sweep.ts";

const endedAs = { succeeded: "succeeded", failed: "failed", cancelled: "been cancelled", expired: "expired" } as const;

type Row = readonly [what: string, value: string, note: string];

/** Every default and limit that somebody may meet, from the constants that hold them. */
export function defaultsPage(): string {
  return `# Defaults and limits

Made from the code by \`npm run docs\`. What a request says wins over the pipeline's YAML, that over \`conf/project.yml\`, that over these.

## A job
${table([
  ["queue", jobDefaults.queue, ""],
  [
    "priority",
    String(jobDefaults.priority),
    `${priorities.lowest}–${priorities.highest}, higher is taken first; a point is worth ${priorityStepSeconds} s of waiting`,
  ],
  ["retries", String(noRetry.maxAttempts - 1), "FlowerPower's implicit three do not count; a written `retry` does"],
  [
    "delay of a retry that is asked for",
    ms(noRetry.delayMs),
    `doubles each time, up to 1 h; lengthened at random by up to ${noRetry.jitter * 100} %`,
  ],
  ["lost workers", String(jobDefaults.maxLosses), "then it fails; with a written retry of 0 the first one ends it"],
  ["timeout", jobDefaults.timeoutMs === null ? "none" : ms(jobDefaults.timeoutMs), ""],
  ["memory", most(jobDefaults.maxMemoryBytes, memoryText), "`max_memory`; over all processes of the run"],
  ["processor time", most(jobDefaults.maxCpuMs, cpuText), "`max_cpu`; over all processes of the run"],
  ["time to live", "none", "`expiresAt`"],
  ["runtime", jobDefaults.runtime, "`fresh`: a new Python process for the run"],
  ["results", jobDefaults.results, ""],
  ["reuse", jobDefaults.reuse, "`resume`: of the job's earlier attempts; `full`: of every job ([reuse.md](reuse.md))"],
  ["idempotency key", "at least 24 h", "and as long as its job"],
])}

## What is kept
${table([
  ...finalStates.map(
    (state): Row => [
      `a job that has ${endedAs[state]}`,
      retentionDefaults.ageMs[state] === null ? "for ever" : days(retentionDefaults.ageMs[state]),
      state === "failed" ? "`--keep`, `FLOWERPOWER_QUEUE_KEEP`; `failure_ttl`" : "`--keep`, `FLOWERPOWER_QUEUE_KEEP`",
    ],
  ),
  ["the last jobs of a pipeline", String(retentionDefaults.keepLast), "`--keep last=N`; whatever their age"],
  ["an operation", `${days(operationLimits.keptMs)} from its end`, "its entries in the audit log stay"],
  ["pruning", `every ${ms(pruneEveryMs)}, ${pruneBatch} jobs a transaction`, "one process at a time"],
  [
    "metrics",
    `minutes ${days(metricsKeptMs.minute)}, hours ${days(metricsKeptMs.hour)}, days ${days(metricsKeptMs.day)}`,
    `counted every ${ms(countEveryMs)}`,
  ],
])}

## A run
${table([
  [
    "stopping",
    `at the next node, after ${ms(defaultGrace.softMs)} by KeyboardInterrupt, after ${ms(defaultGrace.interruptMs)} more by SIGKILL`,
    "cancel and timeout alike",
  ],
  [
    "beyond its memory or processor time",
    `killed at once, looked at every ${ms(limitLookMs)}`,
    "`MemoryLimitExceeded` is not tried again unless it is named, `CpuLimitExceeded` as any exception",
  ],
  [
    "a warm runtime is replaced after",
    `${defaultLimits.runs} runs, above ${defaultLimits.rssBytes / 1024 ** 3} GiB, or idle for ${ms(defaultLimits.idleMs)}`,
    "also when its environment changes, or when a run leaves threads behind",
  ],
  [
    "result kept as a value",
    `${artifactLimits.inlineBytes / 1024} KiB of JSON`,
    "larger ones, and what is no JSON: as a file (docs/artifacts.md)",
  ],
  [
    "files of a run",
    `${artifactLimits.bytes / 1e6} MB each, ${artifactLimits.totalBytes / 1e6} MB together; ${artifactLimits.files} left in its folder`,
    "larger ones: summary only",
  ],
  ["results and files are kept for", days(jobDefaults.resultTtlMs), "`result_ttl`; the row stays with its job"],
  ["a log that was cut is kept whole for", days(jobDefaults.logTtlMs), "`log_ttl`"],
  ["keeping them", `within ${ms(artifactLimits.storingMs)}`, "after the run has ended; a cancel ends it at once"],
  ["free disk", `${artifactLimits.freeBytes / 1e9} GB`, "with less nothing more is kept, and runs go on"],
  [
    "log of a run",
    "16 KB a line, 10,000 lines or 5 MB",
    "head and tail are kept; what is left out is an event with its count, and the whole text a file",
  ],
  [
    "values kept for reuse",
    `${days(reuseLimits.maxAgeMs)} unused, ${gib(reuseLimits.maxBytes)}, ${reuseLimits.maxEntries} values`,
    `on each worker's host; looked at every ${ms(reuseLimits.everyMs)}, least recently used go first`,
  ],
  [
    "a value kept for reuse",
    `up to ${gib(reuseLimits.maxEntryBytes)}`,
    `nothing is stored with less than ${gib(reuseLimits.minFreeBytes)} of free disk`,
  ],
])}

## How long it takes
${table([
  [
    "history",
    `the last ${historyLength.default} runs that succeeded`,
    `at most ${historyLength.most}; of a node in a block ${sampledBranches} branches of each; kept for ${ms(historyLength.keptMs)}`,
  ],
  [
    "a regression",
    `more than ${regressionRule.factor} × the p95 of the ${regressionRule.runs} runs before, and ${ms(regressionRule.leastMs)} above it`,
    `from ${regressionRule.leastRuns} runs on`,
  ],
])}

## Workers
${table([
  ["heartbeat", "1 s", ""],
  [
    "a worker is dead",
    `when its process has ended (same host), when its connection is gone and it was silent for ${ms(rescueTimes.silentMs)}, or after ${ms(rescueTimes.leaseMs)} without a heartbeat`,
    `looked at every ${ms(rescueTimes.lookMs)}`,
  ],
  ["after a restart of Postgres", `${ms(rescueTimes.leaseMs)} in which nobody is declared dead`, ""],
  [
    "expired artifacts and orphans",
    `looked for every ${ms(sweepMs)}, 500 at a time`,
    "every worker; those of a store that it reaches",
  ],
  ["drain", "30 s", "then what runs is handed back uncounted"],
])}

## Many jobs at once
${table([
  [
    "within a call",
    `up to ${operationLimits.jobsOfACall} jobs`,
    "more that fit a filter become an operation ([bulk.md](bulk.md))",
  ],
  ["an operation", `${operationLimits.chunk} jobs a transaction`, "by any server or worker"],
  [
    "its process has died",
    `another one goes on after ${ms(operationLimits.leaseMs)} at the latest`,
    "at once after one that has stopped in order",
  ],
  [
    "a chunk that fails",
    `${operationLimits.tries} tries, with pauses from ${ms(operationLimits.firstPauseMs)} to ${ms(operationLimits.longestPauseMs)}`,
    `a locked job is waited for ${ms(operationLimits.lockTimeoutMs)}; then the operation has failed`,
  ],
  [
    "counting its jobs",
    `up to ${operationLimits.counted}, within ${ms(operationLimits.countWithinMs)}`,
    `the reasons of the first ${operationLimits.problems} to which it was not done are kept`,
  ],
])}

## What is sent
${table([
  [
    "inputs, config",
    `${jsonLimits.bytes / 1024} KiB, ${jsonLimits.depth} levels, ${jsonLimits.keys} keys`,
    "integers beyond 2^53 are refused, not rounded",
  ],
  [
    "query",
    `depth ${limits.depth}, aliases ${limits.aliases}, directives ${limits.directives}, tokens ${limits.tokens}, cost ${limits.cost}`,
    "the cost is in `extensions.cost`",
  ],
  ["page", `${limits.defaultPageSize}, at most ${limits.pageSize}`, `counts are exact up to ${limits.count}`],
  ["body, message", `${transportLimits.bodyBytes / 1024} KiB, ${transportLimits.messageBytes / 1024} KiB`, ""],
  ["headers, body", `within ${ms(transportLimits.headersTimeoutMs)}, ${ms(transportLimits.bodyTimeoutMs)}`, ""],
  [
    "WebSocket",
    `${transportLimits.subscriptionsPerSocket} subscriptions, ${transportLimits.socketsPerActor} sockets`,
    `init within ${ms(transportLimits.initTimeoutMs)}, ping every ${ms(transportLimits.pingMs)}`,
  ],
  [
    "a WebSocket that is not read",
    `${transportLimits.unreadBytes / 1024} KiB`,
    "with more to be sent, it is not listened to until it is read",
  ],
  [
    "a slow subscriber",
    `${bufferLimits.items} events or ${bufferLimits.bytes / 1e6} MB`,
    "beyond it is served from the table, at its own pace",
  ],
  ["an answer", ms(transportLimits.answerMs), "then `UNAVAILABLE`"],
])}
`;
}

function table(rows: readonly Row[]): string {
  return `| | default | |\n| --- | --- | --- |\n${rows.map((row) => `| ${row.join(" | ")} |`).join("\n")}`;
}

function most(value: number | null, text: (value: number) => string): string {
  return value === null ? "no limit" : text(value);
}

function days(value: number): string {
  return `${value / 86_400_000} days`;
}

function gib(bytes: number): string {
  return `${bytes / 1024 ** 3} GiB`;
}

function ms(value: number): string {
  if (value % 60_000 === 0) return `${value / 60_000} min`;
  return value >= 1000 ? `${value / 1000} s` : `${value} ms`;
}
