import postgres from "postgres";

/** Asks the database whether it answers, on a connection of its own: the pools may be busy, and still be well. */
export class DatabaseProbe implements AsyncDisposable {
  readonly #sql: postgres.Sql;
  readonly #timeoutMs: number;
  #asking: Promise<boolean> | null = null;

  constructor(url: string, timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
    this.#sql = postgres(url, {
      max: 1,
      onnotice: () => {},
      connect_timeout: 1,
      idle_timeout: 30,
      max_lifetime: null,
      backoff: () => 0.05,
      connection: { application_name: "flowerpower-queue probe" },
    });
  }

  /** One question at a time, however many want to know. */
  answers(): Promise<boolean> {
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = null;
    });
    return this.#asking;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#sql.end({ timeout: 1 });
  }

  async #ask(): Promise<boolean> {
    const late = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => late.resolve(false), this.#timeoutMs);
    const asked = this.#sql`select 1`.then(
      () => true,
      () => false,
    );
    try {
      return await Promise.race([asked, late.promise]);
    } finally {
      clearTimeout(timer);
    }
  }
}
