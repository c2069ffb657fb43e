import { randomUUID } from "node:crypto";
import { GraphQLError, type GraphQLErrorExtensions } from "graphql";
import { DomainError, UnavailableError } from "../domain/errors.ts";
import { isDatabaseAway } from "./database-errors.ts";
import type { Log } from "./log.ts";

/** HTTP status of each code, for an answer that holds nothing but errors. */
const statuses = new Map<string, number>([
  ["UNAUTHENTICATED", 401],
  ["FORBIDDEN", 403],
  ["NOT_FOUND", 404],
  ["METHOD_NOT_ALLOWED", 405],
  ["NOT_ACCEPTABLE", 406],
  ["CONFLICT", 409],
  ["CURSOR_EXPIRED", 410],
  ["GONE", 410],
  ["UNSUPPORTED_MEDIA_TYPE", 415],
  ["RANGE_NOT_SATISFIABLE", 416],
  ["STORE_UNREACHABLE", 503],
  ["STORE_UNUSABLE", 503],
  ["UNAVAILABLE", 503],
  ["INTERNAL_SERVER_ERROR", 500],
]);

const made = new WeakSet<GraphQLError>();

/**
 * An error as a client may see it, with a code. What a client can act on keeps its message; what is a bug of ours is logged
 * under an id, and the client gets the id: nothing of SQL, stacks or paths leaves the server.
 */
export function publicError(error: unknown, log: Log): GraphQLError {
  if (error instanceof GraphQLError && made.has(error)) return error;
  const described = describe(error, log);
  const { nodes, source, positions, path } = error instanceof GraphQLError ? error : {};
  const shown = new GraphQLError(described.message, {
    nodes: nodes ?? null,
    source: source ?? null,
    positions: positions ?? null,
    path: path ?? null,
    extensions: described.extensions,
  });
  made.add(shown);
  return shown;
}

/** Of an answer that holds nothing but these errors. */
export function httpStatus(errors: readonly GraphQLError[]): number {
  return Math.max(...errors.map(({ extensions }) => statuses.get(String(extensions.code)) ?? 400));
}

/** Seconds after which a client may try again; null when that is not the trouble. */
export function retryAfterSeconds(errors: readonly GraphQLError[]): number | null {
  const waits = errors.map(({ extensions }) => extensions.retryAfterMs).filter((ms) => typeof ms === "number");
  return waits.length === 0 ? null : Math.ceil(Math.max(...waits) / 1000);
}

function describe(error: unknown, log: Log): { message: string; extensions: GraphQLErrorExtensions } {
  const original = originalOf(error);
  if (original instanceof DomainError) return { message: original.message, extensions: extensionsOf(original) };
  if (isDatabaseAway(original)) {
    log("warning", "The database did not answer", { error: messageOf(original) });
    return describe(new UnavailableError("The database cannot be reached at the moment. Try again."), log);
  }
  // Of the parser, the validation or the coercion of variables: they speak of the caller's document.
  if (original instanceof GraphQLError) {
    return { message: original.message, extensions: { code: "BAD_USER_INPUT", ...original.extensions } };
  }
  const id = randomUUID();
  log("error", "A bug", {
    id,
    error: messageOf(original),
    stack: original instanceof Error ? original.stack : undefined,
  });
  return {
    message: `Something went wrong on the server. Its log says more under ${id}.`,
    extensions: { code: "INTERNAL_SERVER_ERROR", id },
  };
}

function extensionsOf(error: DomainError): GraphQLErrorExtensions {
  const { code, path } = error;
  return {
    code,
    ...(path !== null && { path }),
    ...("problems" in error && { problems: error.problems }),
    ...("suggestion" in error && error.suggestion !== null && { suggestion: error.suggestion }),
    ...(error instanceof UnavailableError && { retryAfterMs: error.retryAfterMs }),
  };
}

/** GraphQL wraps what a resolver throws, and so do libraries below it. */
function originalOf(error: unknown): unknown {
  let original = error;
  while (original instanceof GraphQLError && original.originalError != null) original = original.originalError;
  return original;
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message} (${messageOf(error.cause)})`;
}
