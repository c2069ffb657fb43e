import { DomainError } from "../domain/errors.ts";
import type { JsonObject } from "../domain/json.ts";
import { type Ended, type Outcome, outcomeOf } from "../domain/outcome.ts";
import type { RetryPolicy } from "../domain/retry.ts";
import type { RunEnded } from "../runtime/run.ts";
import { noError, type RunError } from "../runtime/run-error.ts";
import { artifactRows, type Executed } from "./kept.ts";
import { eventError } from "./record.ts";
import type { End, Started } from "./writes.ts";

/** Who asked for a cancel, and why. */
export interface CancelledBy {
  actor: string | null;
  reason: string | null;
}
export const nobody: CancelledBy = { actor: null, reason: null };

/** What becomes of the job of an attempt whose run has ended. `releasing`: the worker stops and has stopped what still ran. */
export function decide(started: Started, ended: RunEnded, policy: RetryPolicy, releasing: boolean): Outcome {
  return outcomeOf(wasReleased(ended, releasing) ?? howItEnded(ended), started, policy);
}

function howItEnded({ error }: RunEnded): Ended {
  if (error === null) return { outcome: "succeeded" };
  const { kind, classes, retryAfterMs } = error;
  return { outcome: "failed", kind, classes, retryAfterMs };
}

/** A run that fails by itself while the worker stops has failed; one that the worker has stopped is handed back. */
function wasReleased({ error, nodeStarted }: RunEnded, releasing: boolean): Ended | null {
  const isOurs = releasing && error !== null && ["CANCELLED", "WORKER_LOST"].includes(error.kind);
  return isOurs ? { outcome: "released", nodeStarted } : null;
}

/** The end of an attempt as it is written: the move with its event, with what the run leaves. */
export function endOf(
  started: Started,
  ended: Executed,
  outcome: Outcome,
  told: { policy: RetryPolicy; cancelledBy: CancelledBy; now: number },
): End {
  const { error } = ended;
  // What a failed run has left may show why; values it has none.
  const left = { artifacts: artifactRows(ended), storedMs: ended.left?.storedMs ?? null };
  const { maxAttempts } = told.policy;
  const { transition: name, failures, losses, delayMs } = outcome;
  const { jobId: id, attempt, runToken } = started;
  const move = { id, attempt, failures, losses, maxAttempts };
  const because = error ?? stopped;
  const failed = { ...move, errorKind: because.kind, error: because as unknown as JsonObject };
  switch (name) {
    case "succeed":
      return { name, runToken, ...left, move: { ...move, data: {} } };
    case "retry": {
      const runAt = new Date(told.now + delayMs).toISOString();
      const data = { error: eventError(because), failures, maxAttempts, runAt };
      return { name, runToken, ...left, move: { ...failed, delayMs, data } };
    }
    case "rescue":
      return { name, runToken, ...left, move: { ...failed, data: { error: eventError(because), losses } } };
    case "release":
      // Handed back, not failed: the attempt has no error.
      return { name, runToken, ...left, move: { ...move, data: { reason: "the worker stopped" } } };
    case "stop":
      return { name, runToken, ...left, move: { ...failed, data: told.cancelledBy } };
    case "fail": {
      // What the worker has stopped and may not hand back: a node may have had its effect.
      const final = because.kind === "CANCELLED" ? stoppedByDrain(because) : because;
      const data = { error: eventError(final) };
      return {
        name,
        runToken,
        ...left,
        move: { ...move, errorKind: final.kind, error: final as unknown as JsonObject, data },
      };
    }
  }
}

/** How a run ended that could not begin (no Python, no FlowerPower), or in which we have a bug. */
export function notRun(error: unknown): RunEnded {
  const known = error instanceof DomainError;
  const isError = error instanceof Error;
  const told: RunError = {
    ...noError,
    kind: known ? "INVALID" : "WORKER_LOST",
    type: isError ? error.name : "Error",
    message: isError ? error.message : String(error),
    traceback: known || !isError ? null : (error.stack ?? null),
    hint: isError && "hint" in error && typeof error.hint === "string" ? error.hint : null,
  };
  return {
    outcome: "failed",
    error: told,
    results: {},
    retry: null,
    events: 0,
    nodeStarted: false,
    process: null,
    reusable: false,
  };
}

const stopped: RunError = {
  ...noError,
  kind: "WORKER_LOST",
  type: "WorkerStopped",
  message: "The worker stopped before the run did.",
};

/** Nothing may run twice here, and a node had begun: the drain has ended it. */
function stoppedByDrain(error: RunError): RunError {
  return {
    ...error,
    kind: "WORKER_LOST",
    type: "StoppedByDrain",
    message: "Stopped by drain: the worker had to stop, and a run that may have had its effect is not started again.",
  };
}
