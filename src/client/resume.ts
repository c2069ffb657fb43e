import { backOff } from "./backoff.ts";
import { UnavailableError } from "./errors.ts";
import type { Inbox } from "./inbox.ts";

export interface Source<T> {
  /** Opens the stream after a cursor; null: from its start. */
  open(after: string | null): Inbox<T>;
  cursorOf(item: T): string;
  /** The server has completed the stream: whether that was its end. */
  isOver(): Promise<boolean>;
  /** When the server was last heard, by `performance.now()`. */
  heardAt(): number;
  /** Called whenever the connection stands again. */
  onConnected: Set<() => void>;
}

export interface ResumeOptions {
  after: string | null;
  /** Throw UnavailableError when the server has been away for so long. */
  giveUpAfterMs: number;
  signal: AbortSignal;
  /** Told when the connection is lost, and when the stream goes on. */
  onConnection(state: "lost" | "resumed"): void;
}

/** A stream that outlives its connections: opened again after its last item, so that none is missing and none comes twice. */
export async function* resume<T>(source: Source<T>, options: ResumeOptions): AsyncGenerator<T, void, undefined> {
  const { signal } = options;
  let cursor = options.after;
  let tries = 0;
  let lostAt: number | null = null;
  const goesOn = () => {
    if (lostAt !== null) options.onConnection("resumed");
    lostAt = null;
  };
  const isLost = (error: unknown) => {
    if (!(error instanceof UnavailableError)) throw error;
    if (lostAt === null) options.onConnection("lost");
    lostAt ??= performance.now();
    if (performance.now() - Math.max(lostAt, source.heardAt()) >= options.giveUpAfterMs) throw error;
  };

  source.onConnected.add(goesOn);
  try {
    while (!signal.aborted) {
      const inbox = source.open(cursor);
      const leave = () => inbox.leave();
      signal.addEventListener("abort", leave, { once: true });
      try {
        for (let item = await inbox.take(); item !== null; item = await inbox.take()) {
          goesOn();
          tries = 0;
          cursor = source.cursorOf(item);
          yield item;
        }
        if (inbox.overflowed) continue;
        if (signal.aborted || (await source.isOver())) return;
      } catch (error) {
        if (signal.aborted) return;
        isLost(error);
      } finally {
        signal.removeEventListener("abort", leave);
        inbox.leave();
      }
      await backOff(tries, signal).catch(() => {}); // left meanwhile: the loop ends
      tries += 1;
    }
  } finally {
    source.onConnected.delete(goesOn);
  }
}
