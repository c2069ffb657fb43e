/** One server-sent event. */
export interface ServerSentEvent {
  event: string;
  id: string | null;
  // biome-ignore lint/suspicious/noExplicitAny: a test knows what it has asked for
  data: any;
}

export interface SseOptions {
  variables?: object;
  lastEventId?: string;
  /** By GET, as a browser's EventSource does it. */
  get?: boolean;
}

export interface SseClient extends AsyncIterableIterator<ServerSentEvent> {
  status: number;
  headers: Headers;
  /** Comments that have come: they keep the connection. */
  comments(): number;
  /** Goes away without a word. */
  leave(): void;
}

/** Subscribes over server-sent events, with nothing between the test and the bytes. */
export async function sse(
  url: string,
  query: string,
  { variables = {}, lastEventId, get = false }: SseOptions = {},
): Promise<SseClient> {
  const gone = new AbortController();
  const headers = { accept: "text/event-stream", ...(lastEventId !== undefined && { "last-event-id": lastEventId }) };
  const search = new URLSearchParams({ query, variables: JSON.stringify(variables) });
  const response = get
    ? await fetch(`${url}/graphql?${search}`, { headers, signal: gone.signal })
    : await fetch(`${url}/graphql`, {
        method: "POST",
        headers: { ...headers, "content-type": "application/json" },
        body: JSON.stringify({ query, variables }),
        signal: gone.signal,
      });
  let comments = 0;

  async function* read(): AsyncGenerator<ServerSentEvent> {
    let text = "";
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) {
      text += decoder.decode(chunk as Uint8Array, { stream: true });
      const blocks = text.split("\n\n");
      text = blocks.pop() ?? "";
      for (const block of blocks) {
        if (block.startsWith(":")) comments += 1;
        else yield eventOf(block);
      }
    }
  }

  return Object.assign(read(), {
    status: response.status,
    headers: response.headers,
    comments: () => comments,
    leave: () => gone.abort(),
  });
}

function eventOf(block: string): ServerSentEvent {
  const field = (name: string) =>
    block
      .split("\n")
      .find((line) => line.startsWith(`${name}:`))
      ?.slice(name.length + 1)
      .trim() ?? null;
  const data = field("data");
  return { event: field("event") ?? "message", id: field("id"), data: data ? JSON.parse(data) : null };
}
