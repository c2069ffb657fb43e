import pg from "pg";

/** What a connection that listens tells its owner. */
export interface ListenerEvents {
  notice(payload: string): void;
  /** It listens again after it was away: whatever was told in between is lost. */
  reconnected(): void;
}

export interface ListenerHealth {
  /** Null while there is no connection. */
  connectedSince: Date | null;
  reconnects: number;
  lastError: string | null;
}

export interface ListenerTimes {
  /** Between two signs of life. */
  beatMs?: number;
  /** For each answer, also to connect. */
  deadlineMs?: number;
}

const longestPauseMs = 2_000;

/**
 * A connection of its own that listens to one channel and comes back when it was lost. A connection that is only half
 * open tells nobody, so it is asked for a sign of life and given up when it doesn't answer.
 */
export class Listener {
  readonly #url: string;
  readonly #channel: string;
  readonly #events: ListenerEvents;
  readonly #beatMs: number;
  readonly #deadlineMs: number;
  #client: pg.Client | null = null;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  #failures = 0;
  readonly health: ListenerHealth = { connectedSince: null, reconnects: 0, lastError: null };

  constructor(url: string, channel: string, events: ListenerEvents, times: ListenerTimes = {}) {
    this.#url = url;
    this.#channel = channel;
    this.#events = events;
    this.#beatMs = times.beatMs ?? 5_000;
    this.#deadlineMs = times.deadlineMs ?? 5_000;
  }

  /** Connects once; rejects when that fails. From then on it comes back by itself. */
  async open(): Promise<void> {
    const client = new pg.Client({
      connectionString: this.#url,
      application_name: "flowerpower-queue wake-ups",
      connectionTimeoutMillis: this.#deadlineMs,
      query_timeout: this.#deadlineMs,
      keepAlive: true,
    });
    this.#client = client;
    // Both come for the same loss; the second finds another client, or none, and is ignored.
    client.on("error", (error) => this.#lose(client, error));
    client.on("end", () => this.#lose(client, new Error("The connection was closed")));
    client.on("notification", ({ payload }) => this.#events.notice(payload ?? ""));
    try {
      await client.connect();
      await client.query(`listen ${this.#channel}`);
    } catch (error) {
      if (this.#client === client) this.#client = null;
      destroy(client);
      throw error;
    }
    if (this.#closed) return destroy(client);
    this.#failures = 0;
    this.health.connectedSince = new Date();
    this.#beatAfter(client);
  }

  /** Lets go of the connection without waiting for an answer. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    const client = this.#client;
    this.#client = null;
    this.health.connectedSince = null;
    if (client !== null) destroy(client);
  }

  #beatAfter(client: pg.Client): void {
    this.#timer = setTimeout(() => {
      client.query("select 1").then(
        () => this.#client === client && this.#beatAfter(client),
        (error) => this.#lose(client, error),
      );
    }, this.#beatMs);
  }

  #lose(client: pg.Client, error: Error): void {
    // While it is being opened, open() itself reports the loss.
    if (this.#client !== client || this.health.connectedSince === null) return;
    this.#client = null;
    this.health.connectedSince = null;
    this.health.lastError = error.message;
    clearTimeout(this.#timer);
    destroy(client);
    this.#comeBack();
  }

  #comeBack(): void {
    if (this.#closed) return;
    const pauseMs = Math.min(50 * 2 ** this.#failures, longestPauseMs);
    this.#failures += 1;
    this.#timer = setTimeout(() => {
      this.open().then(
        () => {
          if (this.#closed) return;
          this.health.reconnects += 1;
          this.#events.reconnected();
        },
        (error: Error) => {
          this.health.lastError = error.message;
          this.#comeBack();
        },
      );
    }, pauseMs);
  }
}

/** Ends a connection that may be dead: nothing is awaited from it. */
function destroy(client: pg.Client): void {
  client.on("error", () => {}); // a socket that is torn down may still complain
  client.end().catch(() => {});
  client.connection.stream.destroy();
}
