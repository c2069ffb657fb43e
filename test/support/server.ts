import { type Client, createClient } from "graphql-ws";
import { WebSocket } from "ws";
import { graphileWorker } from "../../src/backends/graphile-worker/backend.ts";
import type { Database } from "../../src/db/client.ts";
import { openTail, type TailOptions } from "../../src/events/tail.ts";
import { openWakeups } from "../../src/events/wakeups.ts";
import { type JobsContext, openJobs } from "../../src/jobs/context.ts";
import { openCatalogue } from "../../src/pipelines/catalogue.ts";
import { type RunningServer, type ServerOptions, startServer } from "../../src/server/start.ts";

/** Answers of a GraphQL server, as far as tests look at them. */
export interface Answer<Data = Record<string, unknown>> {
  status: number;
  headers: Headers;
  data: Data;
  errors: { message: string; path?: (string | number)[]; extensions: Record<string, unknown> }[] | undefined;
  extensions: Record<string, unknown> | undefined;
}

export interface TestServer extends RunningServer {
  jobs: JobsContext;
  /** What the server has logged. */
  logged: { level: string; message: string; fields: Record<string, unknown> }[];
  /** Sends an operation over HTTP. */
  // biome-ignore lint/suspicious/noExplicitAny: a test knows what it has asked for
  post<Data = any>(query: string, variables?: object, headers?: Record<string, string>): Promise<Answer<Data>>;
  /** Subscribes over a WebSocket of its own. Leaving the iterator closes the socket. */
  // biome-ignore lint/suspicious/noExplicitAny: a test knows what it has asked for
  subscribe<Data = any>(query: string, variables?: Record<string, unknown>): AsyncGenerator<SubscriptionResult<Data>>;
}

export type SubscriptionResult<Data> = Pick<Answer<Data>, "data" | "errors" | "extensions">;

export type TestServerOptions = Partial<Omit<ServerOptions, "db" | "jobs" | "tail">> & { tailOptions?: TailOptions };

/** The real server on a free port, with its own wake-ups and tail, as a process of its own would have them. */
export async function testServer(
  db: Database,
  { tailOptions, ...options }: TestServerOptions = {},
): Promise<TestServer> {
  const wakeups = await openWakeups(db);
  const tail = openTail(db, wakeups, tailOptions);
  const jobs = openJobs({ db, backend: graphileWorker, wakeups, catalogue: openCatalogue(db) });
  const logged: TestServer["logged"] = [];
  const server = await startServer({
    db,
    jobs,
    tail,
    version: "0.0.0-test",
    log: (level, message, fields = {}) => logged.push({ level, message, fields }),
    ...options,
  });
  return {
    ...server,
    jobs,
    logged,
    async post(query, variables, headers = {}) {
      const response = await fetch(`${server.url}/graphql`, {
        method: "POST",
        headers: { "content-type": "application/json", accept: "application/graphql-response+json", ...headers },
        body: JSON.stringify({ query, variables }),
      });
      return {
        status: response.status,
        headers: response.headers,
        ...((await response.json()) as Omit<Answer, "status" | "headers">),
      } as never;
    },
    async *subscribe(query, variables) {
      const client = socketClient(server.url);
      try {
        yield* client.iterate({ query, ...(variables && { variables }) }) as unknown as AsyncIterable<never>;
      } finally {
        await client.dispose();
      }
    },
    async [Symbol.asyncDispose]() {
      await server.close();
      await tail.close();
      await wakeups.close();
    },
  };
}

/** The official client of the protocol, which does not reconnect by itself. */
export function socketClient(url: string, connectionParams: Record<string, unknown> = {}): Client {
  return createClient({
    url: `${url.replace("http", "ws")}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams,
    retryAttempts: 0,
    lazy: true,
  });
}
