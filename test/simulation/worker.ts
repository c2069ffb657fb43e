import type { Backend } from "../../src/backends/backend.ts";
import type { JsonObject } from "../../src/domain/json.ts";
import type { JobState } from "../../src/domain/lifecycle.ts";
import type { RetryRequest } from "../../src/domain/run-request.ts";
import type { NumberedEvent } from "../../src/runtime/event-queue.ts";
import type { RunEnded } from "../../src/runtime/run.ts";
import { noError, type RunError } from "../../src/runtime/run-error.ts";
import { Attempts } from "../../src/worker/attempts.ts";
import { heartbeat, heldOf } from "../../src/worker/session.ts";
import { openWrites, type Started } from "../../src/worker/writes.ts";
import { silentWakeups } from "../support/jobs.ts";
import type { SimulatedProcess } from "./process.ts";
import type { Random } from "./random.ts";
import { completeTicket, failTicket, takeTicket } from "./tickets.ts";

/** What workers have seen, as opposed to what is in the database. */
export interface Seen {
  ran: { jobId: string; attempt: number }[];
  ended: { jobId: string; attempt: number; state: JobState }[];
}

/** The worker's own parts over simulated statements; only the run of a pipeline is made up. */
export class SimulatedWorker {
  readonly process: SimulatedProcess;
  readonly slots = 2;
  readonly #poolId: string;
  readonly #random: Random;
  readonly #attempts: Attempts;
  readonly #seen: Seen;
  #id = "";
  #taking = 0;
  #beating = false;
  draining = false;

  constructor(process: SimulatedProcess, poolId: string, backend: Backend, random: Random, seen: Seen) {
    this.process = process;
    this.#poolId = poolId;
    this.#random = random;
    this.#seen = seen;
    const { db } = process;
    const writes = openWrites(db, backend, silentWakeups());
    this.#attempts = new Attempts({
      db,
      writes: {
        ...writes,
        end: async (end) => {
          const state = await writes.end(end);
          if (state !== null) seen.ended.push({ jobId: end.move.id, attempt: end.move.attempt, state });
          return state;
        },
      },
      execute: (started, hooks) => this.#run(started, hooks),
      policyOf: async ({ retry }) => ({
        maxAttempts: ((retry as RetryRequest | null)?.maxRetries ?? 0) + 1,
        delayMs: 1000,
        jitter: 0,
        exceptions: null,
      }),
      workerId: () => this.#id,
      giveBack: async () => {},
      log: () => {},
      pause: () => process.pause("waits to ask again"),
    });
  }

  get registered(): boolean {
    return this.#id !== "";
  }

  get canTake(): boolean {
    return this.registered && !this.draining && this.#taking < this.slots;
  }

  get busy(): boolean {
    return this.#taking > 0;
  }

  async register(): Promise<void> {
    const { db } = this.process;
    const id = db.ids.next();
    await this.#untilDone(async () => {
      await db.sql`
        insert into workers (id, process, host, pid, version, slots, projects, state, started_at, heartbeat_at, pool_id)
        values (${id}, 'elsewhere', 'elsewhere', 1, '0', 2, '[]', 'running', queue_now(), queue_now(), ${this.#poolId})
        on conflict do nothing`;
    });
    this.#id = id;
  }

  async beat(): Promise<void> {
    if (!this.registered || this.#beating) return;
    this.#beating = true;
    try {
      const askedAt = performance.now();
      const held = heldOf(await this.process.db.sql.unsafe(heartbeat, [this.#id, "running"]));
      if (held !== null) return this.#attempts.reconcile(held, askedAt);
      this.#attempts.supersedeAll();
      this.#id = "";
      await this.register();
    } catch {
      // The connection was lost: the next heartbeat tells.
    } finally {
      this.#beating = false;
    }
  }

  async take(): Promise<void> {
    const { sql } = this.process.db;
    this.#taking += 1;
    try {
      const taken = await takeTicket(sql, this.#poolId);
      if (taken === null) return;
      try {
        await this.#attempts.take(taken.payload);
      } catch {
        return await this.#untilDone(() => failTicket(sql, taken.id, this.#poolId));
      }
      await this.#untilDone(() => completeTicket(sql, taken.id));
    } catch {
      // A ticket that was taken, and whose answer was lost, is found abandoned when this pool is gone.
    } finally {
      this.#taking -= 1;
    }
  }

  /** Hands back what runs, as at the end of a drain. */
  drain(): void {
    this.draining = true;
    this.#attempts.releaseAll();
  }

  async #untilDone(work: () => Promise<unknown>): Promise<void> {
    for (;;) {
      try {
        await work();
        return;
      } catch {
        await this.process.pause("tries again");
      }
    }
  }

  /** A run of a few nodes that succeeds, fails, is stopped or loses its Python. */
  async #run(
    started: Started,
    { signal, onEvents }: { signal: AbortSignal; onEvents(batch: NumberedEvent[]): Promise<void> },
  ): Promise<RunEnded> {
    const { jobId, attempt } = started;
    this.#seen.ran.push({ jobId, attempt });
    let seq = 0;
    const tell = async (...bodies: JsonObject[]) =>
      await onEvents(bodies.map((body) => ({ seq: ++seq, at, body }) as unknown as NumberedEvent));
    const nodes = ["a", "b"].slice(0, this.#random.between(1, 2));
    const end = this.#random.next();
    await tell({ event: "run.resolved", data: { codeHash: "c0de", path: nodes, finalVars: ["b"], context: {} } });
    for (const node of nodes) {
      const named = { node, branch: null };
      await this.process.pause(`runs ${node}`);
      if (signal.aborted && end < 0.9) return failed("CANCELLED", seq, node === "b");
      const started = { event: "node.started", ...named, data: {} };
      if (end > 0.7 && node === nodes.at(-1)) {
        await tell(started);
        return failed(end > 0.9 ? "WORKER_LOST" : end > 0.85 ? "TIMEOUT" : "PIPELINE", seq, true);
      }
      await tell(started, { event: "node.succeeded", ...named, data: { durationMs: 1, cpuMs: null, summary: {} } });
    }
    const results = {
      b: { summary: { type: "int" }, value: attempt, omitted: null },
      // One that is told by an event of its own.
      c: { summary: { type: "object" }, artifact: null, omitted: "not kept: not JSON: object" },
    } as unknown as RunEnded["results"];
    return { ...failed("PIPELINE", seq, true), outcome: "succeeded", error: null, results };
  }
}

const at = "2026-11-23T10:00:00.000Z";

function failed(kind: RunError["kind"], events: number, nodeStarted: boolean): RunEnded {
  const error: RunError = { ...noError, kind, type: "Simulated", message: kind, classes: ["builtins.KeyError"] };
  return { outcome: "failed", error, results: {}, retry: null, events, nodeStarted, process: null, reusable: true };
}
