import type { ExecutionResult, GraphQLError, GraphQLSchema } from "graphql";
import { createYoga, type Plugin } from "graphql-yoga";
import type { Context } from "../schema/context.ts";
import type { Log } from "./log.ts";
import type { Operations } from "./operations.ts";
import type { OperationParams } from "./params.ts";
import { httpStatus, publicError, retryAfterSeconds } from "./public-error.ts";
import { eventStream, once } from "./sse.ts";

/** What our HTTP front hands over with a request that it has checked. */
export interface Handover {
  params: OperationParams;
  operationContext: Context;
}

export interface YogaOptions {
  schema: GraphQLSchema;
  operations: Operations;
  graphiql: boolean;
  keepAliveMs: number;
  log: Log;
}

/**
 * Yoga as the HTTP layer: content negotiation, answers, GraphiQL. What it would do with bodies, batches, forms, CORS and
 * errors is turned off: our front has read and checked the request, and `Operations` runs it, as for WebSockets.
 */
export function makeYoga({ schema, operations, graphiql, keepAliveMs, log }: YogaOptions) {
  return createYoga<Handover>({
    schema,
    graphqlEndpoint: "/graphql",
    landingPage: false,
    logging: false,
    cors: false,
    multipart: false,
    batching: false,
    parserAndValidationCache: false,
    maskedErrors: { maskError: (error) => publicError(error, log) },
    graphiql: graphiql && { title: "FlowerPower Job Queue", subscriptionsProtocol: "WS", defaultQuery },
    // The whole of it from our own disk: the page works without the internet. Loaded only when somebody opens it (18 MB).
    renderGraphiQL: async (options) => (await import("@graphql-yoga/render-graphiql")).renderGraphiQL(options),
    plugins: [useOperations(operations), useAnswers(keepAliveMs)],
  });
}

const defaultQuery = `{
  jobs(first: 10) {
    nodes { id project pipeline state progress { done total } createdAt }
  }
}
`;

function useOperations(operations: Operations): Plugin<object, Handover> {
  return {
    onRequestParse({ setRequestParser, serverContext }) {
      const { params } = serverContext as Handover;
      setRequestParser(() => ({ ...params, operationName: params.operationName ?? undefined }) as never);
    },
    onParams({ request, context, setParamsHandler }) {
      const { params, operationContext } = context as unknown as Handover;
      const mayMutate = request.method === "POST";
      setParamsHandler(async () => (await operations.run(params, operationContext, { mayMutate })) as never);
    },
  };
}

/** Status and headers of an answer by its errors, and subscriptions as server-sent events only. */
function useAnswers(keepAliveMs: number): Plugin<object, Handover> {
  return {
    onResultProcess({ request, result, setResult, setResultProcessor }) {
      const streamed = (request.headers.get("accept") ?? "").includes("text/event-stream");
      if (Symbol.asyncIterator in result) {
        const results = result as AsyncIterableIterator<ExecutionResult>;
        if (!streamed) void results.return?.();
        setResultProcessor(
          (_result, { Response }) => (streamed ? answer(results, 200, Response) : notAcceptable(Response)),
          "text/event-stream",
        );
      } else if (streamed) {
        const single = result as ExecutionResult;
        setResultProcessor(
          (_result, { Response }) =>
            answer(once(single), holdsData(single) ? 200 : httpStatus(single.errors ?? []), Response),
          "text/event-stream",
        );
      } else {
        setResult(withHttp(result as ExecutionResult) as never);
      }

      function answer(results: AsyncIterator<ExecutionResult>, status: number, Response: typeof globalThis.Response) {
        return new Response(eventStream(results, { keepAliveMs, signal: request.signal }), {
          status,
          headers: {
            "content-type": "text/event-stream; charset=utf-8",
            "cache-control": "no-cache, no-transform",
            "x-accel-buffering": "no",
          },
        });
      }
    },
  };
}

function notAcceptable(Response: typeof globalThis.Response) {
  const message = "A subscription needs a WebSocket, or the header `accept: text/event-stream`.";
  return new Response(JSON.stringify({ errors: [{ message, extensions: { code: "NOT_ACCEPTABLE" } }] }), {
    status: 406,
    headers: { "content-type": "application/json; charset=utf-8" },
  });
}

/** An answer without data gets a status of its own; Yoga reads it from here, and leaves `http` out of the body. */
function withHttp(result: ExecutionResult): ExecutionResult {
  if (result.errors === undefined || holdsData(result)) return result;
  const [first, ...others] = result.errors;
  if (first === undefined) return result;
  const seconds = retryAfterSeconds(result.errors);
  const http = {
    status: httpStatus(result.errors),
    // By the specification, who accepts only `application/json` is told of these by 200.
    spec: result.errors.every(isDocumentError),
    headers: {
      ...(seconds !== null && { "retry-after": String(seconds) }),
      ...(result.errors.some(({ extensions }) => extensions.code === "METHOD_NOT_ALLOWED") && { allow: "POST" }),
    },
  };
  return {
    ...result,
    errors: [withExtension(first, { http }), ...others.map((error) => withExtension(error, { http: { spec: true } }))],
  };
}

/** A client that asked for one nullable thing and got null with an error has got nothing. */
function holdsData({ data }: ExecutionResult): boolean {
  return data != null && Object.values(data).some((value) => value !== null);
}

function isDocumentError({ extensions }: GraphQLError): boolean {
  return extensions.code === "GRAPHQL_PARSE_FAILED" || extensions.code === "GRAPHQL_VALIDATION_FAILED";
}

/** Changed in place: Yoga takes only errors of its own class for errors, and a copy would lose what it is. */
function withExtension(error: GraphQLError, extension: Record<string, unknown>): GraphQLError {
  Object.assign(error.extensions, extension);
  return error;
}
