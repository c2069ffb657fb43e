import type { ExecutionResult, GraphQLSchema } from "graphql";
import { createYoga, type Plugin } from "graphql-yoga";
import type { Context } from "../schema/context.ts";
import type { Acceptance } from "./accept.ts";
import { answerTo } from "./answer.ts";
import type { Log } from "./log.ts";
import type { OperationResult, Operations } from "./operations.ts";
import type { OperationParams } from "./params.ts";
import { publicError } from "./public-error.ts";
import { eventStream } from "./sse.ts";

/** What our HTTP front hands over with a request that it has checked. */
export interface Handover {
  params: OperationParams;
  operationContext: Context;
  acceptance: Acceptance;
}

export interface YogaOptions {
  schema: GraphQLSchema;
  operations: Operations;
  graphiql: boolean;
  keepAliveMs: number;
  log: Log;
}

/**
 * Yoga as the HTTP layer: responses and GraphiQL. What it would do with bodies, batches, forms, CORS, media types and errors
 * is turned off: our front has read and checked the request, and `Operations` runs it, as for WebSockets.
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
      setParamsHandler(async () => {
        const result = await operations.run(params, operationContext, { mayMutate });
        if (Symbol.asyncIterator in result) leaveWith(request.signal, result);
        return result as never;
      });
    },
  };
}

/** Nobody else would leave the stream of a client that went before its answer began: Yoga then makes no answer at all. */
function leaveWith(signal: AbortSignal, results: AsyncIterator<ExecutionResult>): void {
  const leave = () => void results.return?.();
  if (signal.aborted) leave();
  else signal.addEventListener("abort", leave, { once: true });
}

/** Answers in the media type that the client takes, with the status that its errors ask for. */
function useAnswers(keepAliveMs: number): Plugin<object, Handover> {
  return {
    onResultProcess({ request, result, serverContext, setResultProcessor }) {
      const { acceptance } = serverContext as Handover;
      const answer = answerTo(result as OperationResult, acceptance);
      setResultProcessor((_result, { Response }) => {
        const { status, mediaType, headers } = answer;
        const body =
          "results" in answer
            ? eventStream(answer.results, { keepAliveMs, signal: request.signal })
            : JSON.stringify(answer.result);
        return new Response(body, { status, headers: { "content-type": `${mediaType}; charset=utf-8`, ...headers } });
      }, "application/json");
    },
  };
}
