import { type ExecutionResult, GraphQLError } from "graphql";
import type { Acceptance, MediaType } from "./accept.ts";
import type { OperationResult } from "./operations.ts";
import { httpStatus, retryAfterSeconds } from "./public-error.ts";
import { once } from "./sse.ts";

/** An answer over HTTP: one result as JSON, or results as they come. */
export type HttpAnswer = {
  status: number;
  mediaType: MediaType;
  headers: Record<string, string>;
} & ({ result: ExecutionResult } | { results: AsyncIterator<ExecutionResult> });

/** How a result is told to a client that takes these media types. A stream that it does not take is left. */
export function answerTo(result: OperationResult, acceptance: Acceptance): HttpAnswer {
  if (!(Symbol.asyncIterator in result)) return answerOnce(result, acceptance);
  if (acceptance.streams) {
    return { status: 200, mediaType: "text/event-stream", headers: streamHeaders, results: result };
  }
  void result.return();
  return answerOnce(
    { errors: [new GraphQLError(needsStream, { extensions: { code: "NOT_ACCEPTABLE" } })] },
    acceptance,
  );
}

const needsStream = "A subscription needs a WebSocket, or the header `accept: text/event-stream`.";
const streamHeaders = { "cache-control": "no-cache, no-transform", "x-accel-buffering": "no" };

function answerOnce(whole: ExecutionResult, { mediaType, legacy }: Acceptance): HttpAnswer {
  const result = withoutNothing(whole);
  const { errors = [] } = result;
  const status = statusOf(result, legacy);
  const seconds = retryAfterSeconds(errors);
  const headers = {
    "cache-control": "no-store",
    ...(seconds !== null && { "retry-after": String(seconds) }),
    ...(status === 405 && { allow: "POST" }),
  };
  if (mediaType !== "text/event-stream") return { status, mediaType, headers, result };
  return {
    // What is wrong with an operation is told by the stream: a browser shows nothing of one that begins with 400.
    status: status === 405 || status >= 500 ? status : 200,
    mediaType,
    headers: { ...headers, ...streamHeaders },
    results: once(result),
  };
}

/**
 * A client that asked for one nullable thing and got null with an error has got nothing. By the specification an answer with
 * data is a success, whatever else went wrong: what is refused, or could not be read, must not look like one.
 */
function withoutNothing(result: ExecutionResult): ExecutionResult {
  const { data, errors = [] } = result;
  if (data == null || errors.length === 0) return result;
  return Object.values(data).every((value) => value === null) ? { ...result, data: null } : result;
}

function statusOf({ data, errors = [] }: ExecutionResult, legacy: boolean): number {
  if (data != null || errors.length === 0) return 200;
  // Such a client looks into the answer only when it is a 200.
  if (legacy && errors.every(isDocumentError)) return 200;
  return httpStatus(errors);
}

function isDocumentError({ extensions }: GraphQLError): boolean {
  return extensions.code === "GRAPHQL_PARSE_FAILED" || extensions.code === "GRAPHQL_VALIDATION_FAILED";
}
