import { Logger, runTaskList, type Task, type TaskList, type WorkerPool } from "graphile-worker";
import pg from "pg";
import { ticketSchema } from "../db/migrate.ts";

/** What a ticket says: the job, and the number of the attempt that it is for. */
export interface Ticket {
  job: string;
  attempt: number;
}

export interface TicketOptions {
  url: string;
  slots: number;
  /** Fetch more tickets than are run at once: for many short jobs. Others wait longer meanwhile. */
  prefetch?: number;
  /** Runs the ticket's attempt. It never throws: what goes wrong with a job is written on the job. */
  take(ticket: Ticket): Promise<void>;
  /** Told before the first ticket is taken. */
  onPool(poolId: string): Promise<void>;
  onError(error: Error): void;
}

/** No ticket is ever put here: a list of lanes must not be empty. */
const idleLane = "idle";

/**
 * Takes tickets from graphile-worker's tables. Lanes may be added while it runs: graphile-worker looks at the list of tasks
 * before each fetch. When its pool gives up (Postgres was away for long), a new one is made.
 */
export class TicketTaker {
  readonly #options: TicketOptions;
  readonly #tasks: TaskList = { [idleLane]: async () => {} };
  #wanted: ReadonlySet<string> = new Set();
  #held = false;
  /** The pool's name stands in the worker's row: a ticket that it locks can be found there. */
  #named = false;
  readonly #pgPool: pg.Pool;
  #pool: WorkerPool | null = null;
  #stopping = false;
  #done: Promise<void> = Promise.resolve();

  constructor(options: TicketOptions) {
    this.#options = options;
    this.#pgPool = new pg.Pool({
      connectionString: options.url,
      max: Math.min(options.slots + 2, 8),
      application_name: "flowerpower-queue tickets",
    });
    this.#pgPool.on("error", options.onError);
    this.#pgPool.on("connect", (client) => client.on("error", options.onError));
  }

  async start(): Promise<void> {
    await this.#open();
    this.#done = this.#keepOpen();
  }

  /** Serves these lanes from now on, and no others. */
  serve(lanes: readonly string[]): void {
    this.#wanted = new Set(lanes);
    this.#apply();
  }

  /** Takes no tickets until it is told to take them again. Those that it has are done. */
  hold(): void {
    if (this.#held) return;
    this.#held = true;
    this.#apply();
  }

  takeAgain(): void {
    if (!this.#held) return;
    this.#held = false;
    this.#apply();
  }

  /** Takes no more tickets; resolves when those that were taken are done. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#pool?.gracefulShutdown("the worker stops");
    await this.#done;
    await this.#pgPool.end();
  }

  async #open(): Promise<void> {
    const { slots, prefetch, onPool } = this.#options;
    // Without lanes at first: a ticket must not be locked by a pool whose name is not yet in the worker's row.
    this.#named = false;
    this.#apply();
    this.#pool = runTaskList(
      {
        concurrency: slots,
        schema: ticketSchema,
        noHandleSignals: true,
        pollInterval: 500,
        logger: new Logger(() => () => {}),
        preset: {
          worker: { completeJobBatchDelay: 0, ...(prefetch === undefined ? {} : { localQueue: { size: prefetch } }) },
        },
      },
      this.#tasks,
      this.#pgPool,
    );
    await onPool(this.#pool.id);
    this.#named = true;
    this.#apply();
    this.#pool.nudge(slots);
  }

  /**
   * graphile-worker fetches for the lanes that it can enumerate. One that is no longer served keeps its task unseen: a ticket
   * of a fetch that was under way is still done.
   */
  #apply(): void {
    const value: Task = (payload) => this.#options.take(payload as Ticket);
    const served = this.#named && !this.#held ? this.#wanted : new Set<string>();
    let added = 0;
    for (const lane of new Set(Object.getOwnPropertyNames(this.#tasks)).union(served)) {
      if (lane === idleLane) continue;
      const enumerable = served.has(lane);
      if (enumerable && !Object.keys(this.#tasks).includes(lane)) added += 1;
      Object.defineProperty(this.#tasks, lane, { value, enumerable, configurable: true });
    }
    if (added > 0 && !this.#stopping) this.#pool?.nudge(this.#options.slots);
  }

  async #keepOpen(): Promise<void> {
    while (!this.#stopping) {
      try {
        await this.#pool?.promise;
      } catch (error) {
        this.#options.onError(error as Error);
      }
      for (let waitMs = 500; !this.#stopping; waitMs = Math.min(waitMs * 2, 5000)) {
        await new Promise((resolve) => setTimeout(resolve, waitMs));
        if (this.#stopping) return;
        try {
          await this.#open();
          break;
        } catch (error) {
          this.#options.onError(error as Error);
          // Made and not told of: it must not take anything.
          Promise.resolve(this.#pool?.gracefulShutdown("its name could not be written")).catch(() => {});
        }
      }
    }
  }
}
