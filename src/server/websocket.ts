import { randomUUID } from "node:crypto";
import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";
import { handleProtocols, makeServer } from "graphql-ws";
import { type WebSocket, WebSocketServer } from "ws";
import type { Context } from "../schema/context.ts";
import { bearerToken, type Identify, type Identity } from "./identity.ts";
import type { Log } from "./log.ts";
import type { Operations, Prepared } from "./operations.ts";
import { type OriginRules, refuseForeign } from "./origin.ts";
import { SocketMessages } from "./socket-messages.ts";
import type { TransportLimits } from "./transport-limits.ts";

export interface WebSocketOptions {
  operations: Operations;
  origins: OriginRules;
  limits: TransportLimits;
  identify: Identify;
  log: Log;
  makeContext(identity: Identity, requestId: string, resumeAfter: null): Context;
}

interface Extra {
  socket: WebSocket;
  requestId: string;
  identity: Identity | null;
}

/** graphql-transport-ws on the server's own port and path. Returns what ends the sockets. */
export function serveWebSockets(
  http: Server,
  options: WebSocketOptions,
): { sockets(): number; close(): Promise<void> } {
  const { limits, log, origins } = options;
  const protocol = makeProtocol(options);
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: limits.messageBytes,
    perMessageDeflate: false,
    autoPong: false, // answered below, as everything else
    // Without our protocol the socket is opened all the same, so that its close code can say what is wrong (4406). One of
    // those that were offered has to be chosen for it: a client takes no other answer.
    handleProtocols: (offered) => handleProtocols(offered) || (offered.values().next().value ?? false),
  });

  /** Connections that HTTP has given away: it no longer closes them. */
  const duplexes = new Set<Duplex>();

  http.on("upgrade", (request: IncomingMessage, duplex: Duplex, head: Buffer) => {
    duplexes.add(duplex);
    duplex.on("error", () => duplex.destroy()).on("close", () => duplexes.delete(duplex));
    if ((request.url ?? "").split("?", 1)[0] !== "/graphql") return refuse(duplex, "404 Not Found");
    if (!http.listening) return refuse(duplex, "503 Service Unavailable");
    try {
      refuseForeign(request, origins);
    } catch {
      return refuse(duplex, "403 Forbidden");
    }
    server.handleUpgrade(request, duplex, head, (socket) => open(socket));
  });

  function open(socket: WebSocket): void {
    const messages = new SocketMessages(limits);
    const stopPinging = pingRegularly(socket, limits.pingMs);
    const extra: Extra = { socket, requestId: randomUUID(), identity: null };
    const failed = (error: unknown) => {
      log("error", "A WebSocket message failed", { requestId: extra.requestId, error: String(error) });
      end(socket, 4500, "Internal server error");
    };
    const closed = protocol.opened(
      {
        protocol: socket.protocol,
        // Resolved when the socket has taken it: a stream is asked for its next result only then.
        send: (text) => send(socket, messages.outgoing(text), limits.unreadBytes),
        close: (code = 1000, reason = "") => end(socket, code, reason),
        onMessage: (take) => {
          socket.on("message", (data, isBinary) => {
            if (isBinary) return end(socket, 4400, "Invalid message: not text");
            const incoming = messages.incoming(String(data));
            if ("close" in incoming) return end(socket, incoming.close.code, incoming.close.reason);
            if ("forward" in incoming) return void take(incoming.forward as never).catch(failed);
            if (extra.identity === null) return end(socket, 4401, "Unauthorized");
            void send(socket, JSON.stringify(incoming.reply), limits.unreadBytes);
          });
        },
      },
      extra,
    );
    socket.on("ping", (data) => {
      if (socket.readyState === socket.OPEN) socket.pong(data, false, () => listenAgain(socket, limits.unreadBytes));
      listenNoMore(socket, limits.unreadBytes);
    });
    socket.on("error", (error) =>
      log("info", "A WebSocket broke", { requestId: extra.requestId, error: error.message }),
    );
    socket.once("close", (code, reason) => {
      stopPinging();
      closed(code, String(reason)).catch(failed);
    });
  }

  return {
    sockets: () => server.clients.size,
    async close() {
      for (const socket of server.clients) end(socket, 1001, "The server is stopping");
      const gone = Promise.all([...duplexes].map((duplex) => new Promise((resolve) => duplex.once("close", resolve))));
      const timer = setTimeout(() => {
        for (const duplex of duplexes) duplex.destroy();
      }, 1000);
      await gone;
      clearTimeout(timer);
      server.close();
    },
  };
}

function makeProtocol({ operations, identify, limits, makeContext }: WebSocketOptions) {
  const socketsOf = new Map<string, number>();
  const count = (identity: Identity, change: number) => {
    const sockets = (socketsOf.get(identity.name) ?? 0) + change;
    if (sockets === 0) socketsOf.delete(identity.name);
    else socketsOf.set(identity.name, sockets);
    return sockets;
  };

  return makeServer<Record<string, unknown>, Extra>({
    connectionInitWaitTimeout: limits.initTimeoutMs,
    async onConnect({ connectionParams, extra }) {
      const identity = await identify(tokenOf(connectionParams));
      // Gone while we looked: nobody would take it off the count again.
      if (identity === null || extra.socket.readyState !== extra.socket.OPEN) return false;
      if (count(identity, 1) > limits.socketsPerActor) {
        count(identity, -1);
        end(extra.socket, 4429, `At most ${limits.socketsPerActor} sockets at a time`);
        return false;
      }
      extra.identity = identity;
      return true;
    },
    onClose({ extra }) {
      if (extra.identity !== null) count(extra.identity, -1);
    },
    // The library's own way would parse and validate by itself, without our limits.
    onSubscribe({ extra }, _id, { query, operationName = null, variables }) {
      if (extra.identity === null) throw new Error("A subscribe came through before the connection was acknowledged");
      const context = makeContext(extra.identity, extra.requestId, null);
      const found = operations.prepare({ query, operationName, variables: variables ?? {} }, context, {
        mayMutate: true,
      });
      return "prepared" in found ? found.prepared : found.refused;
    },
    execute: (args) => operations.perform(args as Prepared),
    subscribe: (args) => operations.perform(args as Prepared),
  });
}

/** The token of a connection_init: `{ token }`, or `{ authorization: "Bearer …" }` as in HTTP. */
function tokenOf(params: Readonly<Record<string, unknown>> | undefined): string | null {
  const { token, authorization } = params ?? {};
  if (typeof token === "string") return token;
  return typeof authorization === "string" ? bearerToken(authorization) : null;
}

/** Resolved when the socket has taken the text; at once when there is nothing to send or nobody to send it to. */
function send(socket: WebSocket, text: string | null, unreadBytes: number): Promise<void> {
  if (text === null || socket.readyState !== socket.OPEN) return Promise.resolve();
  return new Promise((resolve) => {
    // A send that fails is followed by the close of the socket, which ends its operations.
    socket.send(text, () => {
      listenAgain(socket, unreadBytes);
      resolve();
    });
    listenNoMore(socket, unreadBytes);
  });
}

/**
 * A peer that asks and does not read the answers is not listened to until it does: they would pile up here. When it never
 * reads, it does not answer our pings either, and is dropped.
 */
function listenNoMore(socket: WebSocket, unreadBytes: number): void {
  if (socket.bufferedAmount > unreadBytes) socket.pause();
}

function listenAgain(socket: WebSocket, unreadBytes: number): void {
  if (socket.isPaused && socket.bufferedAmount <= unreadBytes) socket.resume();
}

/** A close frame has room for 123 bytes of reason; a longer one would be an exception. */
function end(socket: WebSocket, code: number, reason: string): void {
  socket.close(code, Buffer.byteLength(reason) <= 123 ? reason : "");
}

/** Drops a peer that has not answered a ping by the time of the next one. */
function pingRegularly(socket: WebSocket, pingMs: number): () => void {
  let answered = true;
  socket.on("pong", () => {
    answered = true;
  });
  const timer = setInterval(() => {
    if (!answered) return socket.terminate();
    answered = false;
    socket.ping();
  }, pingMs);
  return () => clearInterval(timer);
}

function refuse(duplex: Duplex, status: string): void {
  // Whoever keeps its half open would keep the socket.
  duplex.once("finish", () => duplex.destroy());
  duplex.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
}
