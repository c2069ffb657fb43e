import { type Client, createClient } from "graphql-ws";
import { type AnsweredError, errorFrom, type QueueError, RequestError, UnavailableError } from "./errors.ts";
import type { TypedDocumentString } from "./generated/graphql.ts";
import type { Headers } from "./http.ts";
import { Inbox } from "./inbox.ts";

export interface SocketOptions {
  /** The GraphQL endpoint, with `http` or `ws`. */
  url: string;
  /** Sent as the payload of the connection: browsers cannot set headers of a WebSocket. */
  headers(): Headers | Promise<Headers>;
  /** A class like WebSocket, where there is no global one. */
  webSocketImpl?: unknown;
}

const pingEveryMs = 10_000;
const pongWithinMs = 5_000;
const acknowledgeWithinMs = 10_000;
/** An idle connection is kept a little for whoever follows the next job. */
const idleMs = 1_000;

/** One WebSocket for all subscriptions of a client: opened for the first, closed after the last, never retried here. */
export class Socket {
  readonly #options: SocketOptions;
  #client: Promise<Client> | null = null;
  #heardAt = performance.now();
  /** Called whenever a connection stands. */
  readonly onConnected = new Set<() => void>();

  constructor(options: SocketOptions) {
    this.#options = options;
  }

  /** When the server last gave a sign of life, by `performance.now()`. */
  get heardAt(): number {
    return this.#heardAt;
  }

  /** What a subscription yields, until it completes, is left, or the connection is lost (UnavailableError). */
  subscribe<Result, Variables, T>(
    document: TypedDocumentString<Result, Variables>,
    variables: Variables,
    pick: (result: Result) => T,
  ): Inbox<T> {
    const inbox = new Inbox<T>();
    this.#client ??= this.#open();
    this.#client.then(
      (client) => {
        const leave = client.subscribe(
          { query: document.toString(), variables: variables as Record<string, unknown> },
          {
            next: ({ data, errors }) => {
              if (errors?.length) inbox.fail(errorFrom(errors as readonly AnsweredError[]));
              else inbox.push(pick(data as Result));
            },
            error: (reason) => inbox.fail(lost(this.#options.url, reason)),
            complete: () => inbox.end(),
          },
        );
        inbox.onLeave(leave);
      },
      (error: Error) => inbox.fail(error),
    );
    return inbox;
  }

  async close(): Promise<void> {
    const client = await this.#client?.catch(() => null);
    await client?.dispose();
  }

  async #open(): Promise<Client> {
    let pongTimer: ReturnType<typeof setTimeout> | undefined;
    const heard = () => {
      this.#heardAt = performance.now();
    };
    const client = createClient({
      url: this.#options.url.replace(/^http/, "ws"),
      connectionParams: this.#options.headers,
      webSocketImpl: this.#options.webSocketImpl ?? globalThis.WebSocket ?? (await webSocketOfNode20()),
      retryAttempts: 0,
      lazyCloseTimeout: idleMs,
      connectionAckWaitTimeout: acknowledgeWithinMs,
      keepAlive: pingEveryMs,
      on: {
        connected: () => {
          heard();
          for (const listener of this.onConnected) listener();
        },
        message: heard,
        // A peer that has vanished without closing says nothing: ask, and do not wait for ever.
        ping: (received) => {
          if (!received) pongTimer = setTimeout(() => client.terminate(), pongWithinMs);
        },
        pong: (received) => {
          if (received) clearTimeout(pongTimer);
        },
        closed: () => clearTimeout(pongTimer),
      },
    });
    return client;
  }
}

/** Node 20 has no global WebSocket. Browsers never come here. */
async function webSocketOfNode20(): Promise<unknown> {
  const { WebSocket } = await import("ws");
  return WebSocket;
}

/** Codes with which a server refuses this client for good: another try would end the same. */
const refusals: Record<number, string> = {
  4400: "BAD_REQUEST",
  4401: "UNAUTHENTICATED",
  4403: "FORBIDDEN",
  4406: "SUBPROTOCOL_NOT_ACCEPTABLE",
  4429: "TOO_MANY_INITIALISATION_REQUESTS",
};

/** Why a subscription ended: refused by the server, or the connection is gone. */
function lost(url: string, reason: unknown): QueueError {
  if (Array.isArray(reason)) return errorFrom(reason as AnsweredError[]);
  const { code, reason: text } = (reason ?? {}) as { code?: unknown; reason?: unknown };
  const refusal = typeof code === "number" ? refusals[code] : undefined;
  if (refusal !== undefined) return new RequestError(String(text || refusal), refusal);
  return new UnavailableError(`The connection to ${url} is lost.`, null, { cause: reason });
}
