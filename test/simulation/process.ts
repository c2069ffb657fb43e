import type postgres from "postgres";
import type { Database } from "../../src/db/client.ts";
import type { IdSource } from "../../src/domain/ids.ts";
import type { Actor, Fate, Scheduler } from "./scheduler.ts";

type AnyFunction = (...args: unknown[]) => unknown;
type Query = postgres.PendingQuery<postgres.Row[]>;

/** Thrown into the transactions of a process that has died, so that they are rolled back as by its closed connections. */
class Died extends Error {}

const never = new Promise<never>(() => {});
const singleStatement: Fate[] = ["dies before", "dies after", "dies during", "not sent", "answer lost"];
const inTransaction: Fate[] = ["dies before", "dies after", "not sent", "answer lost"];

function connectionLost(): Error {
  return Object.assign(new Error("write CONNECTION_CLOSED"), { code: "CONNECTION_CLOSED" });
}

/** A process of the product: each of its statements is a step of the schedule, at which it may die or lose its connection. */
export class SimulatedProcess implements Actor {
  readonly name: string;
  readonly db: Database;
  dead = false;
  stalled = false;
  readonly #scheduler: Scheduler;
  /** Ends the transactions that are open when the process dies. */
  readonly #open = new Set<() => void>();
  readonly #mourners: (() => void)[] = [];

  constructor(name: string, real: Database, scheduler: Scheduler, ids: IdSource, now: () => number) {
    this.name = name;
    this.#scheduler = scheduler;
    // A dead process's statement is never answered here: nobody may take that for a database that is away.
    this.db = { ...real, ids, now, sql: this.#wrap(real.sql), suspect: async () => {} };
  }

  /** Waits for its turn to do something that is not a statement. */
  async pause(what: string): Promise<void> {
    await this.#scheduler.turn(this, what);
  }

  die(): void {
    if (this.dead) return;
    this.dead = true;
    this.#scheduler.forget(this);
    for (const end of this.#open) end();
    for (const tell of this.#mourners) tell();
  }

  /** Calls who has asked this process for something, when it dies. */
  onDeath(tell: () => void): void {
    this.#mourners.push(tell);
  }

  #wrap(sql: postgres.Sql): postgres.Sql {
    return new Proxy(sql, {
      apply: (target, self, args) => {
        const made = Reflect.apply(target as unknown as AnyFunction, self, args) as Query;
        return isTagged(args) ? this.#gate(made, (send) => this.#statement(labelOf(args), send)) : made;
      },
      get: (target, key) => {
        if (key === "begin")
          return (work: (tx: postgres.TransactionSql) => Promise<unknown>) => this.#begin(target, work);
        if (key === "unsafe") {
          return (text: string, values: never[]) =>
            this.#gate(target.unsafe(text, values), (send) => this.#statement(brief(text), send));
        }
        return Reflect.get(target, key) as unknown;
      },
    });
  }

  /** Makes a query that is sent when `sendIn` lets it: awaited once or more, it is sent once. As a part of others it stays. */
  #gate(query: Query, sendIn: (send: () => Promise<unknown>) => Promise<unknown>): Query {
    const original = query.then.bind(query) as (a: unknown, b: unknown) => unknown;
    let sent: Promise<unknown> | null = null;
    const run = () => (sent ??= sendIn(() => new Promise((resolve, reject) => original(resolve, reject))));
    return Object.assign(query, {
      // biome-ignore lint/suspicious/noThenProperty: a query is sent when it is awaited, which is what is held up here.
      then: (a: never, b: never) => run().then(a, b),
      catch: (b: never) => run().catch(b),
      finally: (c: never) => run().finally(c),
    });
  }

  async #statement(label: string, send: () => Promise<unknown>): Promise<unknown> {
    if (this.dead) return await never;
    const fate = await this.#scheduler.turn(this, label, singleStatement);
    if (fate === "not sent") throw connectionLost();
    if (fate === "dies before") return await this.#dead();
    const answered = this.#scheduler.sent();
    const answer = send().finally(answered);
    if (fate === "dies during") {
      answer.catch(() => {});
      return await this.#dead();
    }
    try {
      await answer;
    } catch (error) {
      if (fate === "dies after" || this.dead) return await this.#dead();
      throw error;
    }
    if (fate === "dies after" || this.dead) return await this.#dead();
    if (fate === "answer lost") throw connectionLost();
    return await answer;
  }

  #dead(): Promise<never> {
    this.die();
    return never;
  }

  async #begin(sql: postgres.Sql, work: (tx: postgres.TransactionSql) => Promise<unknown>): Promise<unknown> {
    if (this.dead) return await never;
    let answered = this.#scheduler.sent();
    const died = Promise.withResolvers<never>();
    died.promise.catch(() => {});
    const transaction = { answering: false, broken: false };
    // What Postgres is at is waited for: it may wait for a lock, and the rollback comes behind it on the same connection.
    const end = () => {
      if (!transaction.answering) died.reject(new Died());
    };
    this.#open.add(end);
    let answerLost = false;
    const outcome = await sql
      .begin(async (tx) => {
        answered();
        try {
          const done = await Promise.race([work(this.#wrapTransaction(tx, transaction, died.promise)), died.promise]);
          const fate = await Promise.race([this.#scheduler.turn(this, "commit", inTransaction), died.promise]);
          if (fate === "not sent") throw connectionLost();
          if (fate === "dies before") this.die();
          if (this.dead) throw new Died();
          if (fate === "answer lost") answerLost = true;
          this.#open.delete(end);
          if (fate === "dies after") this.die();
          return done;
        } finally {
          answered = this.#scheduler.sent(); // the commit, or the rollback
        }
      })
      .then(
        (result) => ({ result }),
        (error: unknown) => ({ error }),
      );
    answered();
    this.#open.delete(end);
    if (this.dead) return await never;
    if (answerLost) throw connectionLost();
    if ("error" in outcome) throw outcome.error;
    return outcome.result;
  }

  /** Statements of a transaction go over one connection, one after the other, and are lost together with it. */
  #wrapTransaction(
    tx: postgres.TransactionSql,
    transaction: { answering: boolean; broken: boolean },
    died: Promise<never>,
  ): postgres.TransactionSql {
    let last: Promise<unknown> = Promise.resolve();
    const statement = async (label: string, send: () => Promise<unknown>) => {
      if (transaction.broken) throw connectionLost();
      const fate = await Promise.race([this.#scheduler.turn(this, label, inTransaction), died]);
      if (fate === "dies before") this.die();
      if (this.dead) throw new Died();
      if (fate === "not sent") transaction.broken = true;
      if (transaction.broken) throw connectionLost();
      const answered = this.#scheduler.sent();
      transaction.answering = true;
      const answer = await send().finally(() => {
        transaction.answering = false;
        answered();
      });
      if (fate === "dies after") this.die();
      if (this.dead) throw new Died();
      if (fate === "answer lost") transaction.broken = true;
      if (transaction.broken) throw connectionLost();
      return answer;
    };
    const queued = (label: string, send: () => Promise<unknown>) => {
      const mine = last.then(() => statement(label, send));
      last = mine.catch(() => {});
      return mine;
    };
    return new Proxy(tx, {
      apply: (target, self, args) => {
        const made = Reflect.apply(target as unknown as AnyFunction, self, args) as Query;
        return isTagged(args) ? this.#gate(made, (send) => queued(labelOf(args), send)) : made;
      },
    });
  }
}

function isTagged(args: unknown[]): args is [TemplateStringsArray, ...unknown[]] {
  return Array.isArray((args[0] as TemplateStringsArray | undefined)?.raw);
}

function labelOf([strings]: [TemplateStringsArray, ...unknown[]]): string {
  return brief(strings.join("?"));
}

function brief(text: string): string {
  const words = text.replaceAll(/\s+/g, " ").trim();
  return words.length > 60 ? `${words.slice(0, 60)}…` : words;
}
