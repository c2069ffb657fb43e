import postgres from "postgres";

export interface PoolTimes {
  /** Without an answer for this long a connection is taken for dead: TCP itself may need a quarter of an hour to say so. */
  deadlineMs: number;
  lookEveryMs: number;
}
export const poolTimes: PoolTimes = { deadlineMs: 10_000, lookEveryMs: 5_000 };

/**
 * A pool of connections that is made anew when it no longer answers: a peer that vanished without a word (a network cut, a
 * machine that lost its power) leaves connections that look alive. What waited on them fails, and is tried again by its callers.
 */
export class Pool implements AsyncDisposable {
  readonly #open: () => postgres.Sql;
  readonly #timer: NodeJS.Timeout;
  readonly #deadlineMs: number;
  #sql: postgres.Sql;
  #looking = false;
  /** How often it was made anew. */
  renewals = 0;

  constructor(
    url: string,
    options: postgres.Options<Record<string, never>>,
    onAlive: (sql: postgres.Sql) => Promise<void>,
    { deadlineMs, lookEveryMs }: PoolTimes = poolTimes,
  ) {
    this.#deadlineMs = deadlineMs;
    this.#open = () => postgres(url, options);
    this.#sql = this.#open();
    this.#timer = setInterval(() => void this.#look(onAlive), lookEveryMs).unref();
  }

  /** The pool of now: never to be kept. */
  get sql(): postgres.Sql {
    return this.#sql;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await this.#sql.end({ timeout: 5 });
  }

  async #look(onAlive: (sql: postgres.Sql) => Promise<void>): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    const sql = this.#sql;
    const late = Promise.withResolvers<"late">();
    const timer = setTimeout(() => late.resolve("late"), this.#deadlineMs);
    // A refusal is an answer: whoever asks hears it, and the pool connects again by itself.
    const answered = onAlive(sql).catch(() => {});
    if ((await Promise.race([answered, late.promise])) === "late") {
      this.renewals += 1;
      this.#sql = this.#open();
      void sql.end({ timeout: 0 }).catch(() => {});
    }
    clearTimeout(timer);
    this.#looking = false;
  }
}
