import { randomUUID } from "node:crypto";
import postgres from "postgres";

export interface PoolTimes {
  /** Without an answer for this long a connection is taken for dead: TCP itself may need a quarter of an hour to say so. */
  deadlineMs: number;
  lookEveryMs: number;
}
export const poolTimes: PoolTimes = { deadlineMs: 10_000, lookEveryMs: 5_000 };

/** What has not been answered by then never will be: Postgres is away, and a process that stops has five seconds in all. */
const closeSeconds = 1;

/**
 * A pool of connections that is made anew when it no longer answers: a peer that vanished without a word (a network cut, a
 * machine that lost its power) leaves connections that look alive. What waited on them fails, and is tried again by its callers.
 */
export class Pool implements AsyncDisposable {
  readonly #open: () => postgres.Sql;
  readonly #url: string;
  readonly #name: string;
  readonly #options: postgres.Options<Record<string, never>>;
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
    this.#url = url;
    this.#deadlineMs = deadlineMs;
    // A name of its own in pg_stat_activity, by which its connections can be told from others'.
    this.#name = `${options.connection?.application_name} ${randomUUID().slice(0, 8)}`;
    this.#options = { ...options, connection: { ...options.connection, application_name: this.#name } };
    this.#open = () => postgres(url, this.#options);
    this.#sql = this.#open();
    this.#timer = setInterval(() => void this.#look(onAlive), lookEveryMs).unref();
  }

  /** The pool of now: never to be kept. */
  get sql(): postgres.Sql {
    return this.#sql;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await this.#sql.end({ timeout: closeSeconds });
  }

  async #look(onAlive: (sql: postgres.Sql) => Promise<void>): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    const sql = this.#sql;
    // A refusal is an answer: whoever asks hears it, and the pool connects again by itself.
    const answered = onAlive(sql).catch(() => {});
    if (!(await inTime(answered, this.#deadlineMs))) await this.suspect();
    this.#looking = false;
  }

  /** Somebody waits for an answer longer than usual: makes the pool anew when it is unheard, and leaves a busy one alone. */
  async suspect(): Promise<void> {
    const sql = this.#sql;
    if (!(await this.#isDead()) || this.#sql !== sql) return;
    this.renewals += 1;
    this.#sql = this.#open();
    void sql.end({ timeout: 0 }).catch(() => {});
  }

  /** Postgres answers on a new connection, and none of the pool's has anything to do: not busy, but unheard. */
  async #isDead(): Promise<boolean> {
    const sql = postgres(this.#url, { ...this.#options, max: 1 });
    let dead = false;
    const asked = sql`
      select not exists (
        select 1 from pg_stat_activity
        where application_name = ${this.#name} and state = 'active' and pid <> pg_backend_pid()
      ) as dead`.then(([row]) => {
      dead = row?.dead === true;
    });
    await inTime(
      asked.catch(() => {}),
      this.#deadlineMs,
    );
    void sql.end({ timeout: 0 }).catch(() => {});
    return dead;
  }
}

async function inTime(work: Promise<unknown>, ms: number): Promise<boolean> {
  const late = Promise.withResolvers<false>();
  const timer = setTimeout(() => late.resolve(false), ms);
  const done = await Promise.race([work.then(() => true), late.promise]);
  clearTimeout(timer);
  return done;
}
