import { FeedDocument, type FeedFilter, type FeedSubscription } from "./generated/graphql.ts";
import { type ResumeOptions, resume } from "./resume.ts";
import type { Socket } from "./socket.ts";
import { type Stream, stream } from "./stream.ts";
import type { JobEvent } from "./watch.ts";

/** An event of any job, with the cursor from which the feed resumes after it. */
export interface FeedItem {
  cursor: string;
  event: JobEvent;
}

type Sent = FeedSubscription["feed"];

export function feed(socket: Socket, filter: FeedFilter | null, options: ResumeOptions): Stream<FeedItem> {
  async function* read(signal: AbortSignal): AsyncGenerator<FeedItem, void, undefined> {
    const source = {
      open: (after: string | null) => socket.subscribe(FeedDocument, { filter, after }, ({ feed }) => feed),
      cursorOf: ({ cursor }: Sent) => cursor,
      isOver: async () => false, // it has no end
      heardAt: () => socket.heardAt,
      onConnected: socket.onConnected,
    };
    for await (const { cursor, event } of resume<Sent>(source, { ...options, signal })) {
      // A mark only says how far the feed has come: resuming needs it, people do not.
      if (event !== null) yield { cursor, event };
    }
  }
  return stream(read, options.signal);
}
