import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as after } from "node:timers/promises";
import type { ArtifactStore } from "../artifacts/store.ts";
import type { Database } from "../db/client.ts";
import { DomainError, UnavailableError } from "../domain/errors.ts";
import { type Retention, retentionDefaults } from "../domain/retention.ts";
import type { Tail } from "../events/tail.ts";
import type { JobsContext } from "../jobs/context.ts";
import type { Context } from "../schema/context.ts";
import { schema } from "../schema/index.ts";
import { DatabaseProbe } from "./database-probe.ts";
import { makeDownloads } from "./download.ts";
import { makeFront } from "./front.ts";
import { readiness } from "./health.ts";
import { type Identify, type Identity, local } from "./identity.ts";
import { jsonLines, type Log } from "./log.ts";
import { Operations } from "./operations.ts";
import { isLoopback } from "./origin.ts";
import { StoreProbe } from "./store-probe.ts";
import { type TransportLimits, transportLimits } from "./transport-limits.ts";
import { serveWebSockets } from "./websocket.ts";
import { makeYoga } from "./yoga.ts";

export interface ServerOptions {
  db: Database;
  jobs: JobsContext;
  tail: Tail;
  version: string;
  /** Without keys only an address of this machine. */
  host?: string;
  /** 0: any free one. */
  port?: number;
  /** Origins of pages that may use it, beside its own. */
  allowOrigins?: readonly string[];
  /** The store of the artifacts that it hands out. */
  artifacts?: ArtifactStore | null;
  /** How long jobs that have ended are kept: what `pruneJobs` goes by. */
  retention?: Retention;
  /** Without it there are no keys, and everybody on this machine is `local`. */
  identify?: Identify;
  log?: Log;
  /** Smaller ones, for tests. */
  limits?: Partial<TransportLimits>;
}

export interface RunningServer extends AsyncDisposable {
  /** `http://127.0.0.1:4000`; the API is at `/graphql`. */
  url: string;
  /** Takes nothing new, ends streams with an error that carries their cursor, and is done within ten seconds. */
  close(): Promise<void>;
  /** What is open at present. */
  open(): { streams: number; sockets: number };
}

/** Somebody on the network could do everything. */
export class UnprotectedServerError extends DomainError {
  readonly code = "UNPROTECTED";

  constructor(host: string) {
    super(
      `Without keys the server serves only this machine, and ${host} is more. Use --host 127.0.0.1, or make a key first.`,
    );
  }
}

export class PortInUseError extends DomainError {
  readonly code = "PORT_IN_USE";

  constructor(host: string, port: number) {
    super(`Port ${port} of ${host} is in use. Choose another one: --port 0 takes any that is free.`);
  }
}

/**
 * What `startServer` would refuse of an address, for whoever has much to do before it.
 *
 * @throws UnprotectedServerError, PortInUseError
 */
export async function requireAddress(host: string, port: number): Promise<void> {
  if (!isLoopback(host)) throw new UnprotectedServerError(host);
  const probe = createServer();
  const listening = once(probe, "listening");
  probe.listen(port, host);
  try {
    await listening;
  } catch (error) {
    // What else is wrong with it the server tells.
    if ((error as NodeJS.ErrnoException).code === "EADDRINUSE") throw new PortInUseError(host, port);
    return;
  }
  probe.close();
  await once(probe, "close");
}

/**
 * Serves the API: GraphQL over HTTP, WebSocket and server-sent events at `/graphql`, artifacts at
 * `/artifacts/<id>`, `/health` and `/ready`.
 *
 * @throws UnprotectedServerError, PortInUseError
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { db, jobs, tail, version, host = "127.0.0.1", port = 0, allowOrigins = [] } = options;
  const log = options.log ?? jsonLines((line) => void process.stderr.write(line));
  const limits = { ...transportLimits, ...options.limits };
  if (options.identify === undefined && !isLoopback(host)) throw new UnprotectedServerError(host);
  const identify = options.identify ?? (() => local);
  const startedAt = new Date(db.now());
  const origins = { host, allowOrigins };
  let stopping = false;

  const probe = new DatabaseProbe(db.url, 700);
  const store = options.artifacts ?? null;
  const retention = options.retention ?? retentionDefaults;
  const storeProbe = new StoreProbe(db, store);
  const deadline = { ...limits, databaseAnswers: () => probe.answers() };
  const operations = new Operations(schema, deadline, log);
  const graphiql = isLoopback(host);
  const yoga = makeYoga({ schema, operations, graphiql, keepAliveMs: limits.keepAliveMs, log });
  const makeContext = (identity: Identity, requestId: string, resumeAfter: string | null): Context => ({
    actor: { name: identity.name, requestId },
    // Asked anew for each event of a stream: rights may be taken away while it is open.
    get scopes() {
      return identity.scopes;
    },
    db,
    jobs,
    tail,
    server: { version, startedAt, artifactProblem: () => storeProbe.problem(), retention },
    resumeAfter,
  });
  const front = makeFront({
    origins,
    limits,
    graphiql,
    identify,
    log,
    makeContext,
    download: makeDownloads({ db, store }),
    yoga: (request, response, handover) => yoga(request, response, handover as never),
    routes: new Map<string, () => Promise<{ status: number; body: unknown }>>([
      ["/health", async () => ({ status: 200, body: { status: "ok" } })],
      [
        "/ready",
        async () => {
          const body = await readiness(db, probe, storeProbe, stopping);
          return { status: body.ready ? 200 : 503, body };
        },
      ],
    ]),
  });
  const http = createServer(
    {
      headersTimeout: limits.headersTimeoutMs,
      requestTimeout: limits.headersTimeoutMs + limits.bodyTimeoutMs,
      connectionsCheckingInterval: 500,
      keepAliveTimeout: 30_000,
    },
    (request, response) => void front(request, response),
  );
  const sockets = serveWebSockets(http, { operations, origins, limits, identify, log, makeContext });
  await listen(http, host, port);

  let closed: Promise<void> | null = null;
  const close = async () => {
    stopping = true;
    const done = new Promise((resolve) => http.close(resolve));
    // A kept connection is idle again when its answer is through; whoever has not taken it by then never will.
    const idle = setInterval(() => http.closeIdleConnections(), 50);
    const late = setTimeout(() => http.closeAllConnections(), limits.drainMs);
    await Promise.race([operations.stop(stoppingError()), after(goodbyeMs, undefined, { ref: false })]);
    await sockets.close();
    await done;
    clearInterval(idle);
    clearTimeout(late);
    await probe[Symbol.asyncDispose]();
  };
  const closeOnce = () => {
    closed ??= close();
    return closed;
  };
  return {
    url: urlOf(http),
    open: () => ({ streams: operations.streams, sockets: sockets.sockets() }),
    close: closeOnce,
    [Symbol.asyncDispose]: closeOnce,
  };
}

async function listen(http: Server, host: string, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    http.once("error", (error: NodeJS.ErrnoException) => {
      reject(error.code === "EADDRINUSE" ? new PortInUseError(host, port) : error);
    });
    http.listen(port, host, resolve);
  });
}

/** A client that takes nothing any more cannot be told that it is over. */
const goodbyeMs = 1000;

function stoppingError(): UnavailableError {
  return new UnavailableError("This server is stopping. Resume after the last cursor, here or on another one.");
}

function urlOf(http: Server): string {
  const { address, family, port } = http.address() as AddressInfo;
  return `http://${family === "IPv6" ? `[${address}]` : address}:${port}`;
}
