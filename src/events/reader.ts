import postgres from "postgres";

const deadlineMs = 10_000;

/**
 * The tail's own connections: its reads wait for nobody's transaction, and nobody waits for its reads. A read that is not
 * answered in time has a dead connection, which postgres.js doesn't notice by itself; then all of them are made anew.
 */
export class Reader {
  readonly #url: string;
  #sql: postgres.Sql;
  /** Statements so far. */
  reads = 0;

  constructor(url: string) {
    this.#url = url;
    this.#sql = open(url);
  }

  async read<T>(statement: (sql: postgres.Sql) => Promise<T>): Promise<T> {
    const sql = this.#sql;
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      if (this.#sql === sql) this.#sql = open(this.#url);
      void sql.end({ timeout: 0 });
      late.reject(new Error(`Postgres did not answer a read of events within ${deadlineMs} ms`));
    }, deadlineMs);
    this.reads += 1;
    try {
      return await Promise.race([statement(sql), late.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  async close(): Promise<void> {
    await this.#sql.end({ timeout: 1 });
  }
}

function open(url: string): postgres.Sql {
  return postgres(url, {
    max: 3,
    onnotice: () => {},
    connect_timeout: 5,
    idle_timeout: 0,
    max_lifetime: null,
    // The default grows to 20 s; after an outage we are back sooner.
    backoff: (failures: number) => Math.min(0.05 * 2 ** failures, 2),
    connection: { application_name: "flowerpower-queue tail", search_path: "flowerpower_queue, public" },
  });
}
