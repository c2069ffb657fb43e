import type { GraphQLFormattedError } from "graphql";
import { DomainError } from "../domain/errors.ts";
import { InexactNumberError } from "../domain/json.ts";
import { parseJsonText, RefusedValueError } from "./json-text.ts";
import { operationParams, RequestShapeError } from "./params.ts";
import type { TransportLimits } from "./transport-limits.ts";

/** What becomes of a message: it goes on to the protocol, is answered at once, or ends the socket. */
export type Incoming =
  | { forward: Record<string, unknown> }
  | { reply: Record<string, unknown> }
  | { close: { code: number; reason: string } };

const clientTypes = new Set<unknown>(["connection_init", "ping", "pong"]);

/**
 * The ids of one socket's operations. A client may use an id again as soon as it has completed it; towards the protocol
 * library each operation gets a number of its own, so that what a former operation still sends is never taken for the new
 * one's. It goes nowhere: after a client's `complete` it hears nothing more of that operation.
 */
export class SocketMessages {
  readonly #limits: TransportLimits;
  readonly #numbers = new Map<string, string>();
  readonly #ids = new Map<string, string>();
  #last = 0;

  constructor(limits: TransportLimits) {
    this.#limits = limits;
  }

  incoming(text: string): Incoming {
    let message: unknown;
    try {
      message = parseJsonText(text, this.#limits.jsonDepth, "The message");
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      const refused = refusal(text, error);
      if (refused !== null) return refused;
      message = JSON.parse(text);
    }
    if (typeof message !== "object" || message === null) return { close: invalid("not an object") };
    const { type, id } = message as Record<string, unknown>;
    if (type === "subscribe") return this.#subscribe(message as Record<string, unknown>, id);
    if (type === "complete") return this.#complete(id);
    // The library would take what only a server says for a failure of its own.
    if (!clientTypes.has(type)) return { close: invalid("not one that a client sends") };
    return { forward: message as Record<string, unknown> };
  }

  /** A message of the protocol library as the client is to see it; null when it has completed that operation. */
  outgoing(text: string): string | null {
    const message = JSON.parse(text) as { type: string; id?: string };
    if (message.id === undefined) return text;
    const id = this.#ids.get(message.id);
    if (id === undefined) return null;
    if (message.type === "complete" || message.type === "error") this.#forget(id, message.id);
    return JSON.stringify({ ...message, id });
  }

  #subscribe(message: Record<string, unknown>, id: unknown): Incoming {
    const { operationIdLength, subscriptionsPerSocket } = this.#limits;
    if (typeof id !== "string" || id === "") return { close: invalid("no id") };
    if (id.length > operationIdLength) return { close: invalid(`an id has at most ${operationIdLength} characters`) };
    if (this.#numbers.has(id)) return { close: { code: 4409, reason: alreadyExists(id) } };
    if (this.#numbers.size >= subscriptionsPerSocket) {
      return reject(id, "LIMIT_EXCEEDED", `A socket has at most ${subscriptionsPerSocket} operations at a time.`);
    }
    try {
      operationParams(message.payload);
    } catch (error) {
      if (error instanceof RequestShapeError) return { close: invalid(error.message) };
      if (!(error instanceof DomainError)) throw error;
      return reject(id, error.code, error.message, error.path);
    }
    this.#last += 1;
    const number = String(this.#last);
    this.#numbers.set(id, number);
    this.#ids.set(number, id);
    return { forward: { ...message, id: number } };
  }

  #complete(id: unknown): Incoming {
    if (typeof id !== "string" || id === "") return { close: invalid("no id") };
    const number = this.#numbers.get(id);
    // Unknown to the library too: its operation has ended in the meantime.
    if (number === undefined) return { forward: { type: "complete", id: "0" } };
    this.#forget(id, number);
    return { forward: { type: "complete", id: number } };
  }

  #forget(id: string, number: string): void {
    this.#numbers.delete(id);
    this.#ids.delete(number);
  }
}

/**
 * What becomes of JSON that JavaScript would read otherwise: an operation is refused, where it can be told which. Null when it
 * does no harm: a ping may carry any number, nothing is made of it.
 */
function refusal(text: string, error: DomainError): Incoming | null {
  if (!(error instanceof RefusedValueError)) return { close: invalid("not valid JSON") };
  const { type, id } = JSON.parse(text) as { type?: unknown; id?: unknown };
  if (type === "subscribe" && typeof id === "string" && id !== "" && id.length <= 64) {
    return reject(id, error.code, error.message, error.path);
  }
  return error.cause instanceof InexactNumberError ? null : { close: invalid("not valid JSON") };
}

function reject(id: string, code: string, message: string, path: string | null = null): Incoming {
  const error: GraphQLFormattedError = { message, extensions: { code, ...(path !== null && { path }) } };
  return { reply: { id, type: "error", payload: [error] } };
}

/** A close frame has room for 123 bytes of reason, and a short id may be long in bytes. */
function alreadyExists(id: string): string {
  const reason = `Subscriber for ${id} already exists`;
  return Buffer.byteLength(reason) <= 123 ? reason : "Subscriber already exists";
}

function invalid(why: string): { code: number; reason: string } {
  return { code: 4400, reason: `Invalid message: ${why}` };
}
