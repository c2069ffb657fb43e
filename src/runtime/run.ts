import { noRunLimits, type RunLimits } from "../domain/run-limits.ts";
import type { RuntimeChild } from "./child.ts";
import { CpuWatch } from "./cpu-watch.ts";
import { EventQueue, type NumberedEvent, type QueueLimits } from "./event-queue.ts";
import type { Exit } from "./exit.ts";
import { LimitWatch } from "./limit-watch.ts";
import { Progress } from "./progress.ts";
import type { RetrySetting, RunFile, RunRequest, RunResult, RuntimeMessage } from "./protocol.ts";
import { errorOfEnd, errorOfExit, errorOfNoStart, type RunError } from "./run-error.ts";
import { defaultGrace, type Grace, Stopping, stopReason } from "./stop.ts";

export interface RunOptions {
  /** Takes the run's events in order, one batch at a time. The run never waits for it. When it throws the run is killed. */
  onEvents: (batch: NumberedEvent[]) => Promise<void> | void;
  /** No limit when null. */
  timeoutMs: number | null;
  /** What it may use; beyond it is killed. */
  limits?: RunLimits;
  /** Told when its processes have used processor time, looked at every `cpuLookMs`. */
  onCpu?: () => void;
  cpuLookMs?: number;
  /** Stops the run; its reason is a StopRequest. */
  signal: AbortSignal;
  /** Told what whoever runs this system should know. */
  warn?: (message: string) => void;
  grace?: Grace;
  queue: QueueLimits;
}

type EndedMessage = Extract<RuntimeMessage, { type: "ended" }>;

export interface RunEnded {
  outcome: "succeeded" | "failed";
  error: RunError | null;
  results: Record<string, RunResult>;
  /** What it has left behind beside its results, when it was asked to keep that. */
  left?: { files: RunFile[]; log: RunFile | null; storedMs: number | null };
  /** The retry that YAML or environment asked for when the run started; null when none did, or when it was not told. */
  retry: RetrySetting | null;
  /** Events that the run has told: all were handed to `onEvents`, but for log lines that were left out. */
  events: number;
  /** Something of the pipeline may have had its effect. */
  nodeStarted: boolean;
  /** Null when the run has not told its end itself. */
  process: EndedMessage["process"] | null;
  /** The child may run something else. */
  reusable: boolean;
}

/**
 * Runs one pipeline in the child and returns how it ended, after all its events were taken. Whatever the pipeline does,
 * to itself or to its process, is in the value and never thrown.
 */
export async function run(child: RuntimeChild, request: RunRequest, options: RunOptions): Promise<RunEnded> {
  const { signal, timeoutMs, limits = noRunLimits, grace = defaultGrace } = options;
  if (signal.aborted) return notStarted(errorOfNoStart(stopReason(signal).reason));

  const progress = new Progress();
  using events = new EventQueue(options.queue);
  using stopping = new Stopping(child, request.id, grace);
  // Before the request: what is used from here on is the run's.
  using limitWatch = new LimitWatch(
    child.pid,
    limits,
    (exceeded) => stopping.beyond(exceeded),
    (error) => options.warn?.(`what a run uses cannot be seen, so its limits do not hold: ${String(error)}`),
  );
  using _cpuWatch =
    options.onCpu === undefined ? null : new CpuWatch(child.pid, options.cpuLookMs ?? 10_000, options.onCpu);
  const answer = Promise.withResolvers<EndedMessage | { type: "exit"; exit: Exit }>();
  const hangUp = child.converse(request, (message, bytes) => {
    const fault = progress.see(message, request.id);
    if (fault !== null) child.fail(fault);
    else if (message.type === "event") events.push(message, bytes);
    else if (message.type === "ended") answer.resolve(message);
  });
  const delivered = deliver(events, options.onEvents);
  // Nobody takes the events any more: it is thrown below, when the process has gone.
  delivered.catch(() => child.kill());
  stopping.on(signal);
  if (timeoutMs !== null) stopping.after(timeoutMs);

  const forget = child.onExit((exit) => answer.resolve({ type: "exit", exit }));
  const ended = await answer.promise;
  forget();
  hangUp();
  // From here on only the consumer takes time, and that is not the run's.
  stopping.end();
  limitWatch[Symbol.dispose]();
  events.end();
  await delivered;

  const { kind, reason, exceeded } = stopping;
  const { nodeStarted, onlyOpenNode, openNodes } = progress;
  const stopped = { kind, reason, timeoutMs, exceeded, openNodes };
  const told = { ...nothing, events: progress.events, nodeStarted };
  if (ended.type === "exit")
    return { ...told, error: errorOfExit(ended.exit, stopped, onlyOpenNode, child.lastErrors) };
  const error = errorOfEnd(ended, stopped);
  return {
    ...told,
    outcome: error === null ? "succeeded" : "failed",
    error,
    results: ended.results,
    left: { files: ended.files ?? [], log: ended.log ?? null, storedMs: ended.storedMs ?? null },
    retry: ended.retry,
    process: ended.process,
    reusable: !stopping.interrupted,
  };
}

/** The end of a run that never began. */
export function notStarted(error: RunError): RunEnded {
  return { ...nothing, error, reusable: true };
}

async function deliver(events: EventQueue, onEvents: RunOptions["onEvents"]): Promise<void> {
  for (let batch = await events.next(); batch !== null; batch = await events.next()) await onEvents(batch);
}

const nothing: Omit<RunEnded, "error"> = {
  outcome: "failed",
  results: {},
  retry: null,
  events: 0,
  nodeStarted: false,
  process: null,
  reusable: false,
};
