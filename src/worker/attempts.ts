import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { Database } from "../db/client.ts";
import { DomainError } from "../domain/errors.ts";
import { idText } from "../domain/ids.ts";
import type { JsonObject } from "../domain/json.ts";
import type { JobState } from "../domain/lifecycle.ts";
import { noRetry, type RetryPolicy } from "../domain/retry.ts";
import { hasVoidTicket, isDisabled } from "../jobs/admissible.ts";
import { storable } from "../pipelines/storable.ts";
import type { NumberedEvent } from "../runtime/event-queue.ts";
import type { RetrySetting } from "../runtime/protocol.ts";
import { StopRequest } from "../runtime/stop.ts";
import { type CancelledBy, decide, endOf, nobody, notRun } from "./ending.ts";
import { withResults } from "./given-results.ts";
import { type Executed, withheld } from "./kept.ts";
import { recordsOf } from "./record.ts";
import type { Held } from "./session.ts";
import type { Watched } from "./stalled.ts";
import type { Ticket } from "./tickets.ts";
import type { End, Started, Writes } from "./writes.ts";

/** Runs the pipeline of a started attempt. */
export type Execute = (
  started: Started,
  hooks: {
    signal: AbortSignal;
    onEvents(batch: NumberedEvent[]): Promise<void>;
    /** It has done something that is no event: used processor time. */
    onProgress?: () => void;
  },
) => Promise<Executed>;

/** The policy for a job whose attempt has failed, given the retry that its run has read from the pipeline's files. */
export type PolicyOf = (started: Started, written: RetrySetting | null) => Promise<RetryPolicy>;

export interface AttemptsOptions {
  db: Database;
  writes: Writes;
  execute: Execute;
  policyOf: PolicyOf;
  workerId(): string;
  /** Ends attempts of this worker, by their tokens, as lost. */
  giveBack(runTokens: string[]): Promise<void>;
  log(message: string, data: JsonObject): void;
  /** Waits before Postgres is asked again. */
  pause?: (ms: number) => Promise<unknown>;
}

const strayMs = 5000;

interface Running extends Watched {
  stop: AbortController;
  /** The attempt is another's or nobody's: nothing more of it is written. */
  superseded: boolean;
  /** The worker stops: what has not ended by itself is handed back. */
  releasing: boolean;
  /** The run is over and its end is being written. */
  ending: boolean;
}

/** The attempts that this worker runs. */
export class Attempts {
  readonly #running = new Map<string, Running>();
  /** Starts that are not answered yet, by their tokens. */
  readonly #starting = new Map<string, { givenBack: boolean }>();
  readonly #options: AttemptsOptions;
  #idle: (() => void) | null = null;
  #strays = new Map<string, number>();
  #releasing = false;
  #stopped = false;

  constructor(options: AttemptsOptions) {
    this.#options = options;
  }

  /** Attempts under way, with those that are about to begin. */
  get size(): number {
    return this.#running.size + this.#starting.size;
  }

  /** What runs and has not ended. */
  underWay(): Watched[] {
    return [...this.#running.values()].filter(({ ending, superseded }) => !ending && !superseded);
  }

  has(jobId: string): boolean {
    return [...this.#running.values()].some((running) => running.jobId === jobId);
  }

  /**
   * Runs the attempt that a ticket is for, from its start to its end in the database. Throws only when the ticket has to stay:
   * Postgres could not be asked, or this worker may not start anything.
   */
  async take(ticket: Ticket): Promise<void> {
    const { db, writes, workerId } = this.#options;
    const runToken = randomUUID();
    const worker = workerId();
    const start = { givenBack: false };
    this.#starting.set(runToken, start);
    try {
      // The same token each time: a start whose answer was lost is found again.
      const started = await this.#untilAnswered(() =>
        writes.start({
          id: ticket.job,
          attempt: ticket.attempt - 1,
          runToken,
          attemptId: db.ids.next(),
          workerId: worker,
          data: { worker: idText("worker", worker) },
        }),
      );
      if (started === null) await this.#refuseToWaste(ticket);
      // The answer may come after the heartbeat that has found the attempt and nobody running it.
      else if (!start.givenBack) await this.#run(started, runToken);
    } finally {
      this.#starting.delete(runToken);
      if (this.size === 0) this.#idle?.();
    }
  }

  async #run(started: Started, runToken: string): Promise<void> {
    const running: Running = {
      jobId: started.jobId,
      attempt: started.attempt,
      runToken,
      project: started.project,
      pipeline: started.pipeline,
      startedAt: performance.now(),
      progressAt: performance.now(),
      stalled: null,
      stallTold: false,
      stop: new AbortController(),
      superseded: false,
      releasing: false,
      ending: false,
    };
    this.#starting.delete(runToken);
    this.#running.set(runToken, running);
    if (this.#releasing) this.#release(running);
    try {
      const ended = await this.#execute(started, running);
      running.ending = true;
      await this.#end(started, running, ended);
    } finally {
      this.#running.delete(runToken);
    }
  }

  /** Compares with what the database says that this worker runs, as it was asked at `askedAt`. */
  reconcile(held: readonly Held[], askedAt: number): void {
    const known = new Map(held.map((one) => [one.runToken, one]));
    for (const running of this.#running.values()) {
      const one = known.get(running.runToken);
      if (one?.cancelRequested === true) {
        running.stop.abort(new StopRequest(one.cancelReason ?? "cancelled on request"));
      } else if (one === undefined && running.startedAt < askedAt && !running.ending) {
        this.#supersede(running);
      }
    }
    this.#giveBackStrays(held.filter(({ runToken }) => !this.#running.has(runToken)));
  }

  /**
   * Attempts that are ours in the database and that we do not run: a start whose answer was lost, an end that could not be
   * written. After a while in which nothing could have been under way they are given back like those of a lost worker.
   */
  #giveBackStrays(unknown: readonly Held[]): void {
    const now = performance.now();
    const seen = new Map(unknown.map(({ runToken }) => [runToken, this.#strays.get(runToken) ?? now]));
    this.#strays = seen;
    const old = [...seen].filter(([, since]) => now - since > strayMs).map(([runToken]) => runToken);
    if (old.length === 0) return;
    for (const runToken of old) {
      const start = this.#starting.get(runToken);
      if (start !== undefined) start.givenBack = true;
    }
    this.#options.log("stray attempts given back", { count: old.length });
    this.#options
      .giveBack(old)
      .catch((error) => this.#options.log("stray attempts not given back", { error: String(error) }));
  }

  /** All of them belong to others now: this worker was declared dead. */
  supersedeAll(): void {
    for (const running of this.#running.values()) this.#supersede(running);
  }

  /** Stops what still runs, to be handed back. */
  releaseAll(): void {
    this.#releasing = true;
    for (const running of this.#running.values()) this.#release(running);
  }

  #release(running: Running): void {
    running.releasing = true;
    running.stop.abort(new StopRequest("the worker stops", { now: true }));
  }

  /** Resolves when none runs. */
  async idle(): Promise<void> {
    while (this.size > 0) await new Promise<void>((resolve) => (this.#idle = resolve));
  }

  /** Gives up writing to a database that is away: what could not be written is rescued later. */
  abandon(): void {
    this.#stopped = true;
    this.supersedeAll();
  }

  #supersede(running: Running): void {
    running.superseded = true;
    this.#options.log("attempt superseded", { job: idText("job", running.jobId) });
    running.stop.abort(new StopRequest("the attempt was given to another worker", { now: true }));
  }

  async #execute(started: Started, running: Running): Promise<Executed> {
    const onProgress = () => {
      running.progressAt = performance.now();
    };
    const onEvents = async (told: NumberedEvent[]) => {
      onProgress();
      const batch = recordsOf({ jobId: started.jobId, attempt: started.attempt, runToken: running.runToken }, told);
      await this.#persist(running, () => this.#options.writes.append(batch));
    };
    try {
      const ended = await this.#options.execute(withResults(started), {
        signal: running.stop.signal,
        onEvents,
        onProgress,
      });
      // The last words of a process that has crashed may be anything.
      return { ...ended, error: storable(ended.error) };
    } catch (error) {
      return notRun(error);
    }
  }

  async #end(started: Started, running: Running, ended: Executed): Promise<void> {
    if (running.superseded) return;
    const end = await this.#endOf(started, running, ended);
    const state = await this.#writeEnd(running, end);
    if (state == null) {
      this.#options.log("late end refused", { job: idText("job", started.jobId), attempt: started.attempt });
    }
  }

  /** What a run leaves is no reason to lose its end: when the database refuses it, the end is written without it. */
  async #writeEnd(running: Running, end: End): Promise<JobState | null> {
    const write = (one: End) => this.#persist(running, () => this.#options.writes.end(one));
    try {
      return await write(end);
    } catch (error) {
      const job = idText("job", running.jobId);
      this.#options.log("an end was refused", { job, error: String(error instanceof Error ? error.stack : error) });
      return await write({ ...end, artifacts: withheld(end.artifacts) });
    }
  }

  async #endOf(started: Started, running: Running, ended: Executed): Promise<End> {
    const read = await this.#persist(running, () => this.#options.policyOf(started, ended.retry));
    const policy = read ?? noRetry;
    const outcome = decide(started, ended, policy, running.releasing);
    const cancelledBy = outcome.transition === "stop" ? await this.#whoCancelled(running) : nobody;
    return endOf(started, ended, outcome, { policy, cancelledBy, now: this.#options.db.now() });
  }

  /** Who asked for the cancel that stopped this run, from the log. */
  async #whoCancelled(running: Running): Promise<CancelledBy> {
    const asked = await this.#persist(running, async () => {
      const [row] = await this.#options.db.sql<{ data: CancelledBy }[]>`
        select data from events where job_id = ${running.jobId} and type = 'job.cancel_requested'
        order by seq desc limit 1`;
      return row?.data;
    });
    return asked ?? nobody;
  }

  /** A start was refused: says why by throwing when the ticket must not be used up. */
  async #refuseToWaste(ticket: Ticket): Promise<void> {
    const { sql } = this.#options.db;
    const [job] = await sql<{ waits: boolean }[]>`
      with held as (
        -- Disabled, paused or limited since the ticket was made: admission makes another when it may.
        update jobs j set ticketed_at = null
        where j.id = ${ticket.job} and j.state = 'queued' and j.attempt = ${ticket.attempt - 1}
          and (${isDisabled(sql, "j")} or ${hasVoidTicket(sql, "j")})
        returning j.id
      )
      select not exists (select from held) and state = 'queued' and attempt = ${ticket.attempt - 1}
        and (expires_at is null or started_at is not null or expires_at > queue_now()) as waits
      from jobs where id = ${ticket.job}`;
    if (job?.waits === true) throw new Error("This worker was declared dead and may not start anything yet.");
  }

  /**
   * Writes, again and again while Postgres is away, until it is written or no longer wanted (null). The run itself goes on
   * meanwhile: its events wait in memory and in a file.
   */
  async #persist<T>(running: Running, write: () => Promise<T>): Promise<T | null> {
    try {
      return await this.#untilAnswered(write, running);
    } catch (error) {
      if (running.superseded || this.#stopped) return null;
      throw error;
    }
  }

  async #untilAnswered<T>(ask: () => Promise<T>, running?: Running): Promise<T> {
    for (let waitMs = 100; ; waitMs = Math.min(waitMs * 2, 5000)) {
      try {
        return await ask();
      } catch (error) {
        if (isPermanent(error) || this.#stopped || running?.superseded === true) throw error;
        this.#options.log("Postgres did not answer, asking again", { error: String(error) });
        await (this.#options.pause ?? delay)(waitMs);
      }
    }
  }
}

/**
 * Sent again it would end in the same way: Postgres has understood and refused the statement, or we have a bug. What may pass
 * is a connection that was lost, a conflict, a lack of resources, somebody's intervention, and the system itself.
 */
export function isPermanent(error: unknown): boolean {
  if (error instanceof DomainError || error instanceof TypeError || error instanceof RangeError) return true;
  const code = (error as { code?: unknown }).code;
  return typeof code === "string" && /^[0-9A-Z]{5}$/.test(code) && !/^(08|40|53|55|57|58|XX|EPIPE$)/.test(code);
}
