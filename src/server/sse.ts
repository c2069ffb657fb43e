import type { ExecutionResult } from "graphql";

export interface EventStreamOptions {
  keepAliveMs: number;
  /** Aborted when the client has left. */
  signal: AbortSignal;
}

/**
 * Results as server-sent events (graphql-sse, distinct connections): `next` for each, then `complete`. A result with a cursor
 * carries it as its id, which a browser sends back as `Last-Event-ID` when it reconnects. A result is taken from the stream
 * only when the client has room for it; when the client leaves, the stream is left too, even while it waits.
 */
export function eventStream(
  results: AsyncIterator<ExecutionResult>,
  { keepAliveMs, signal }: EventStreamOptions,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let keepAlive: NodeJS.Timeout | undefined;
  const leave = () => {
    clearInterval(keepAlive);
    void results.return?.();
  };
  return new ReadableStream<Uint8Array>({
    start(controller) {
      const comment = () => {
        if ((controller.desiredSize ?? 0) > 0) controller.enqueue(encoder.encode(":\n\n"));
      };
      comment(); // so that the headers go out before the first event
      keepAlive = setInterval(comment, keepAliveMs);
      signal.addEventListener("abort", leave, { once: true });
    },
    async pull(controller) {
      const { done, value } = await results.next();
      if (signal.aborted) return;
      if (!done) return controller.enqueue(encoder.encode(nextEvent(value)));
      clearInterval(keepAlive);
      signal.removeEventListener("abort", leave);
      controller.enqueue(encoder.encode("event: complete\ndata:\n\n"));
      controller.close();
    },
    cancel: leave,
  });
}

/** A single result as a stream of one. */
export async function* once(result: ExecutionResult): AsyncGenerator<ExecutionResult> {
  yield result;
}

function nextEvent(result: ExecutionResult): string {
  const { cursor } = result.extensions ?? {};
  const id = typeof cursor === "string" ? `id: ${cursor}\n` : "";
  return `event: next\n${id}data: ${JSON.stringify(result)}\n\n`;
}
