import type { ErrorKind } from "../domain/outcome.ts";
import type { Exceeded } from "../domain/run-limits.ts";
import type { RuntimeStartError } from "./errors.ts";
import { type Exit, exitText } from "./exit.ts";
import { errorOfLimit } from "./limit-error.ts";
import type { OpenNode } from "./progress.ts";
import type { ErrorInfo, RuntimeMessage } from "./protocol.ts";
import type { StopKind } from "./stop.ts";

/** What was wrong with a run, with the kinds that only the parent can see. */
export type RunError = Omit<ErrorInfo, "kind"> & { kind: ErrorKind };

/** That and why we have asked the run to end; `kind` is null when we have not. */
export interface Stopped {
  kind: StopKind | null;
  reason: string;
  timeoutMs: number | null;
  exceeded: Exceeded | null;
  /** Nodes that were being executed. */
  openNodes: readonly string[];
}

/** The error of a run that has told its end itself; null when it has succeeded. */
export function errorOfEnd(
  { outcome, error, storingStopped }: Extract<RuntimeMessage, { type: "ended" }>,
  stopped: Stopped,
): RunError | null {
  // Its nodes were through in time: how long it takes to keep their results is not the run's.
  if (error === null && storingStopped === true) return null;
  const isStop = error?.kind === "CANCELLED";
  if (stopped.kind === "CANCELLED") return isStop ? { ...error, ...stopWords(stopped) } : error;
  if (stopped.kind === "TIMEOUT" || stopped.kind === "LIMIT") {
    // Also when it has succeeded in the meantime: a limit that sometimes holds is none.
    const words = stopWords(stopped);
    if (error === null)
      return { ...noError, ...words, message: `${words.message} It ended a little later: it ${outcome}.` };
    if (isStop) return { ...error, ...words };
    return {
      ...error,
      ...words,
      message: `${words.message} When asked to stop it failed: ${error.type}: ${error.message}`,
    };
  }
  if (isStop) return { ...error, kind: "PIPELINE", message: "Interrupted by a SIGINT that was not ours." };
  return error;
}

/** The error of a run whose process is gone. */
export function errorOfExit(exit: Exit, stopped: Stopped, at: OpenNode | null, lastErrors: string | null): RunError {
  const where = { node: at?.node ?? null, branch: at?.branch ?? null };
  if (stopped.kind !== null) {
    const words = stopWords(stopped);
    const how = stopped.kind === "LIMIT" ? "It was killed." : "It did not stop by itself and was killed.";
    return { ...noError, ...where, ...words, message: `${words.message} ${how}` };
  }
  const message = `The Python process ${exitText(exit)}${at === null ? "" : ` in node ${at.node}`}.`;
  return { ...noError, ...where, kind: "WORKER_LOST", type: "RuntimeLost", message, traceback: lastErrors };
}

/** The error of a run that was stopped before it began. */
export function errorOfNoStart(reason: string): RunError {
  return { ...noError, kind: "CANCELLED", type: "Cancelled", message: reason };
}

/** The error of a run for which there was no Python. */
export function errorOfStart(error: RuntimeStartError): RunError {
  // That it was too slow or has died may be the machine's fault and different the next time.
  const kind = error.code === "RUNTIME_SILENT" || error.code === "RUNTIME_DIED" ? "WORKER_LOST" : "INVALID";
  return { ...noError, kind, type: error.name, message: error.message, hint: error.hint };
}

type Words = Pick<RunError, "kind" | "type" | "message"> & Partial<Pick<RunError, "classes" | "hint">>;

function stopWords({ kind, reason, timeoutMs, exceeded, openNodes }: Stopped): Words {
  if (kind === "CANCELLED") return { kind, type: "Cancelled", message: reason };
  if (exceeded !== null) return errorOfLimit(exceeded, openNodes);
  return {
    kind: "TIMEOUT",
    type: "Timeout",
    message: `The run took longer than its timeout of ${seconds(timeoutMs ?? 0)}.`,
  };
}

function seconds(ms: number): string {
  return `${ms / 1000} s`;
}

export const noError: Omit<RunError, "kind" | "type" | "message"> = {
  classes: [],
  traceback: null,
  node: null,
  branch: null,
  file: null,
  line: null,
  code: null,
  hint: null,
  problems: [],
};
