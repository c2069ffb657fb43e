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
    const wanted = new Set([...lanes, idleLane]);
    const task: Task = async (payload) => {
      try {
        await this.#options.take(payload as Ticket);
      } catch (error) {
        // graphile-worker gives the ticket out again, and tells nobody: its logger is silent.
        this.#options.onError(error as Error);
        throw error;
      }
    };
    let added = 0;
    for (const lane of wanted) {
      if (Object.hasOwn(this.#tasks, lane)) continue;
      this.#tasks[lane] = task;
      added += 1;
    }
    for (const lane of Object.keys(this.#tasks)) if (!wanted.has(lane)) delete this.#tasks[lane];
    if (added > 0 && !this.#stopping) this.#pool?.nudge(this.#options.slots);
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
    const lanes = Object.entries(this.#tasks);
    // Without lanes at first: a ticket must not be locked by a pool whose name is not yet in the worker's row.
    for (const lane of Object.keys(this.#tasks)) if (lane !== idleLane) delete this.#tasks[lane];
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
    for (const [lane, task] of lanes) this.#tasks[lane] = task;
    this.#pool.nudge(slots);
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
