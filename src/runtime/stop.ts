import type { Exceeded } from "../domain/run-limits.ts";
import type { RuntimeChild } from "./child.ts";
import { protocolVersion } from "./protocol.ts";

/** How long each way of stopping a run is given before the next one. */
export interface Grace {
  /** From the request to stop at the next node until KeyboardInterrupt. */
  softMs: number;
  /** From there until the process group is killed. */
  interruptMs: number;
}
export const defaultGrace: Grace = { softMs: 10_000, interruptMs: 5_000 };

/** The `reason` of the AbortSignal that stops a run. Anything else stops it as this does by default. */
export class StopRequest {
  readonly reason: string;
  /** Kill at once: what the run does is no longer wanted (its attempt was given to another worker). */
  readonly now: boolean;

  constructor(reason: string, { now = false } = {}) {
    this.reason = reason;
    this.now = now;
  }
}

/** What an aborted signal asks for. */
export function stopReason({ reason }: AbortSignal): StopRequest {
  return reason instanceof StopRequest
    ? reason
    : new StopRequest(reason instanceof Error ? reason.message : String(reason));
}

export type StopKind = "CANCELLED" | "TIMEOUT" | "LIMIT";

/**
 * Ends a run that must end: at the next node, then by KeyboardInterrupt, then by death. The clock is here and not in
 * Python, where no timer fires while a call into C holds the interpreter.
 */
export class Stopping implements Disposable {
  /** Why the run was asked to end; the first reason counts. Null as long as it was not. */
  kind: StopKind | null = null;
  reason = "";
  /** The limit, when that is why. */
  exceeded: Exceeded | null = null;
  /** The process has been interrupted: what that has left behind in it nobody knows. */
  interrupted = false;
  readonly #child: RuntimeChild;
  readonly #run: string;
  readonly #grace: Grace;
  #timer: NodeJS.Timeout | undefined;
  #deadline: NodeJS.Timeout | undefined;
  #listening: (() => void) | null = null;

  constructor(child: RuntimeChild, run: string, grace: Grace) {
    this.#child = child;
    this.#run = run;
    this.#grace = grace;
  }

  after(timeoutMs: number): void {
    // A Node timer of more than 2^31 ms fires at once.
    const partMs = Math.min(timeoutMs, 2 ** 31 - 1);
    const rest = timeoutMs - partMs;
    this.#deadline = setTimeout(() => (rest > 0 ? this.after(rest) : this.#askTo("TIMEOUT", "timeout")), partMs);
  }

  on(signal: AbortSignal): void {
    const stop = () => {
      const { reason, now } = stopReason(signal);
      this.#askTo("CANCELLED", reason);
      if (now) this.#kill();
    };
    signal.addEventListener("abort", stop, { once: true });
    this.#listening = () => signal.removeEventListener("abort", stop);
  }

  /** Ends it at once: what it would do until the next node it may no longer do. */
  beyond(exceeded: Exceeded): void {
    if (this.kind === null) {
      this.kind = "LIMIT";
      this.exceeded = exceeded;
    }
    this.#kill();
  }

  /** The run is over: it can no longer be too late. */
  end(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#deadline);
    this.#listening?.();
  }

  [Symbol.dispose](): void {
    this.end();
  }

  #askTo(kind: StopKind, reason: string): void {
    if (this.kind !== null) return;
    this.kind = kind;
    this.reason = reason;
    this.#child.send({ v: protocolVersion, type: "cancel", run: this.#run, reason });
    this.#timer = setTimeout(() => this.#interrupt(), this.#grace.softMs);
  }

  #interrupt(): void {
    this.interrupted = true;
    this.#child.interrupt();
    this.#timer = setTimeout(() => this.#kill(), this.#grace.interruptMs);
  }

  #kill(): void {
    clearTimeout(this.#timer);
    this.interrupted = true;
    this.#child.kill();
  }
}
