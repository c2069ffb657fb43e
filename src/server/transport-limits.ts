/** What one connection may do. Limits of a single operation are those of the schema (`schema/limits.ts`). */
export interface TransportLimits {
  bodyBytes: number;
  messageBytes: number;
  /** Nesting of the JSON of a body or message: beyond it, parsing could overflow the stack. */
  jsonDepth: number;
  headersTimeoutMs: number;
  /** For the whole request with its body. */
  bodyTimeoutMs: number;
  initTimeoutMs: number;
  /** From one ping to the next. A peer that has not answered by then is dropped. */
  pingMs: number;
  /** Comments on an idle stream of server-sent events, so that proxies keep it. */
  keepAliveMs: number;
  /** Of a WebSocket whose peer does not read: with more waiting to be sent, it is not listened to. */
  unreadBytes: number;
  subscriptionsPerSocket: number;
  socketsPerActor: number;
  operationIdLength: number;
  /** An answer that takes longer is given up. */
  answerMs: number;
  /** An answer that takes longer may mean that the database is away: it is asked. */
  suspicionMs: number;
  /** For what is under way when the server stops. */
  drainMs: number;
}

export const transportLimits: TransportLimits = {
  bodyBytes: 1024 * 1024,
  messageBytes: 1024 * 1024,
  jsonDepth: 200,
  headersTimeoutMs: 8_000,
  bodyTimeoutMs: 30_000,
  initTimeoutMs: 8_000,
  pingMs: 12_000,
  keepAliveMs: 12_000,
  unreadBytes: 4 * 1024 * 1024,
  subscriptionsPerSocket: 200,
  socketsPerActor: 1_000,
  operationIdLength: 64,
  answerMs: 5_000,
  suspicionMs: 1_000,
  drainMs: 8_000,
};
