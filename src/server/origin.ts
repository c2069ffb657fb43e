import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";
import { DomainError } from "../domain/errors.ts";

/** A page or a name that may not speak to this server. */
export class ForeignOriginError extends DomainError {
  readonly code = "FORBIDDEN";
}

export interface OriginRules {
  /** The address that the server is bound to. */
  host: string;
  /** Origins beside its own whose pages may use it; `*` for any. */
  allowOrigins: readonly string[];
}

export function isLoopback(host: string): boolean {
  const name = host.replace(/^\[|\]$/g, "").toLowerCase();
  return (
    name === "localhost" ||
    name.endsWith(".localhost") ||
    name === "::1" ||
    (isIP(name) === 4 && name.startsWith("127."))
  );
}

/**
 * Refuses pages of other origins, and, where only this machine is served, other names than its own: a page may let its
 * own name point here (DNS rebinding), and then its origin looks like ours.
 *
 * @throws ForeignOriginError
 */
export function refuseForeign({ headers }: IncomingMessage, { host, allowOrigins }: OriginRules): void {
  const called = headers.host ?? "";
  if (isLoopback(host) && !isLoopback(nameOf(called))) {
    throw new ForeignOriginError("This server answers only to the names of this machine: localhost, 127.0.0.1.");
  }
  const { origin } = headers;
  if (origin === undefined || isAllowed(origin, allowOrigins) || isOwn(origin, called)) return;
  throw new ForeignOriginError(
    `Pages of ${JSON.stringify(origin.slice(0, 200))} may not use this server. Start it with --allow-origin to let them.`,
  );
}

/** Headers that let a page of an allowed origin read the answer; none for everybody else. */
export function corsHeaders({ headers }: IncomingMessage, { allowOrigins }: OriginRules): Record<string, string> {
  const { origin } = headers;
  if (origin === undefined || !isAllowed(origin, allowOrigins)) return {};
  return {
    "access-control-allow-origin": origin,
    "access-control-allow-methods": "GET, HEAD, POST",
    "access-control-allow-headers":
      "authorization, content-type, if-none-match, if-range, last-event-id, range, x-request-id",
    "access-control-expose-headers": "content-disposition, content-range, etag, retry-after, x-request-id",
    "access-control-max-age": "600",
  };
}

function isAllowed(origin: string, allowOrigins: readonly string[]): boolean {
  return allowOrigins.includes("*") || allowOrigins.includes(origin);
}

function isOwn(origin: string, called: string): boolean {
  return called !== "" && (origin === `http://${called}` || origin === `https://${called}`);
}

/** The name in a Host header, without its port. */
function nameOf(called: string): string {
  const end = called.lastIndexOf(":");
  return end > called.lastIndexOf("]") ? called.slice(0, end) : called;
}
