/** From the request to the first node, and from a node's end in Python to a WebSocket client. */
import { createClient } from "graphql-ws";
import WebSocket from "ws";
import { enqueueDocument, openServed, poster } from "./served.ts";
import { type Ground, type Line, quantile } from "./support.ts";

const count = 200;

interface Told {
  __typename: string;
  jobId: string;
  occurredAt: string;
  node?: string;
}

export async function latency(ground: Ground): Promise<Line[]> {
  await using database = await ground.database();
  await using served = await openServed(database, 2);
  const post = poster(served.server.url);
  const client = createClient({ url: `${served.server.url.replace("http", "ws")}/graphql`, webSocketImpl: WebSocket });
  const delivery: number[] = [];
  const toFirstNode: number[] = [];
  const whole: number[] = [];
  let sentAt = 0;
  let seenFirst = false;
  let ended: () => void = () => {};
  const subscribed = Promise.withResolvers<void>();
  const stop = client.subscribe<{ feed: { event: Told | null } }>(
    { query: await feedDocument() },
    {
      next({ data }) {
        subscribed.resolve();
        const event = data?.feed.event;
        if (event == null) return;
        const at = Date.parse(event.occurredAt);
        if (event.__typename === "NodeStarted" && !seenFirst) {
          seenFirst = true;
          toFirstNode.push(at - sentAt);
        }
        if (event.__typename === "NodeSucceeded") delivery.push(Date.now() - at);
        if (event.__typename === "JobSucceeded") {
          whole.push(Date.now() - sentAt);
          ended();
        }
      },
      error: (error) => subscribed.reject(error),
      complete() {},
    },
  );
  await subscribed.promise;
  for (let n = 0; n < count + 20; n += 1) {
    if (n === 20) for (const values of [delivery, toFirstNode, whole]) values.length = 0;
    const end = new Promise<void>((resolve) => (ended = resolve));
    seenFirst = false;
    sentAt = Date.now();
    await post(enqueueDocument, { input: { project: "bench", pipeline: "six" } });
    await end;
  }
  stop();
  await client.dispose();
  const lines = (what: string, values: number[]): Line[] => [
    { what: `${what}, median`, value: quantile(values, 0.5), unit: "ms" },
    { what: `${what}, p99`, value: quantile(values, 0.99), unit: "ms" },
  ];
  return [
    ...lines("enqueue request sent → first node starts", toFirstNode),
    ...lines("node ends in Python → event at a WebSocket client", delivery),
    ...lines("enqueue request sent → job succeeded at the client", whole),
  ];
}

async function feedDocument(): Promise<string> {
  return `subscription { feed { cursor event { __typename jobId occurredAt } } }`;
}
