import { CursorExpiredError } from "../domain/errors.ts";
import { type BufferLimits, EventBuffer } from "./buffer.ts";
import { comparePositions, type FeedPosition, feedCursor, parseFeedCursor } from "./cursor.ts";
import { type FeedFilter, jobMatcher } from "./filter.ts";
import { Lookout, type LookoutOptions } from "./lookout.ts";
import { type EventRow, type FeedAnswer, type FeedEvent, readFeed } from "./read.ts";
import type { Reader } from "./reader.ts";
import { Stream } from "./stream.ts";

/** One event of the feed; or a mark, which has none and says how far the feed has come: at its start, and when it is quiet. */
export interface FeedItem {
  /** Resumes after this item, in any process. */
  cursor: string;
  event: EventRow | null;
}

export interface FeedOptions extends Pick<LookoutOptions, "pollMs" | "gapMs" | "failed"> {
  /** After so long without an event for a subscriber, it gets a mark when the feed has moved. */
  quietMs: number;
  limits: BufferLimits;
}

/** Who else wants what comes in at the head of the feed. */
export interface HeadObserver {
  readonly needed: boolean;
  recorded(events: readonly FeedEvent[]): void;
  /** The feed has skipped events, because they were pruned before they were read. */
  skipped(error: Error): void;
}

const batchRows = 500;
const shortestHoldPauseMs = 5;
const longestHoldPauseMs = 100;

/**
 * The feed of all jobs. Its head is read once for all who keep up with it. Whoever is behind, by an old cursor or because
 * its buffer was full, is served from the table up to the head; a batch goes to everybody who stands within it.
 */
export class Feed {
  readonly #reader: Reader;
  readonly #options: FeedOptions;
  readonly #observer: HeadObserver;
  readonly #lookout: Lookout;
  /** In the order in which those who are behind take turns. */
  readonly #subscribers = new Set<Subscriber>();
  #epoch = "";
  /** Everything up to here was read; null while nobody is interested, so that nobody starts from an old one. */
  #head: FeedPosition | null = null;
  #headDueAt = Number.POSITIVE_INFINITY;
  #horizon = 0n;
  #holdPauseMs = 0;
  #heldSince: number | null = null;
  #behindSince: number | null = null;
  #starting = Promise.withResolvers<void>();

  constructor(reader: Reader, observer: HeadObserver, options: FeedOptions) {
    this.#reader = reader;
    this.#observer = observer;
    this.#options = options;
    this.#lookout = new Lookout(() => this.#look(), {
      ...options,
      needed: () => this.#needed,
      poll: () => {
        this.#headDueAt = 0;
      },
      failed: (error) => {
        this.#behindSince ??= performance.now();
        options.failed(error);
      },
    });
  }

  get count(): number {
    return this.#subscribers.size;
  }

  /** Events that were read and not yet taken. */
  get waiting(): number {
    return this.#subscribers.values().reduce((sum, { buffer }) => sum + buffer.size, 0);
  }

  /** Since when events are held back by the horizon, and since when the head is behind for whatever reason. */
  get delays(): { heldMs: number; lagMs: number } {
    const age = (since: number | null) => (since === null ? 0 : performance.now() - since);
    return { heldMs: age(this.#heldSince), lagMs: age(this.#behindSince) };
  }

  /** Resolves when the feed knows its head: whatever is recorded from then on comes by. */
  async started(): Promise<void> {
    if (this.#head !== null) return;
    this.ring();
    await this.#starting.promise;
  }

  /** Where a cursor stands, after a look whether the log still reaches back to it. */
  async positionOf(cursor: string): Promise<FeedPosition> {
    const { epoch, ...position } = parseFeedCursor(cursor);
    const feed = await this.#reader.read((sql) => readFeed(sql, null, null, 0));
    // With the same epoch and from the future: the database was set back in time without becoming another one.
    if (epoch !== feed.epoch || position.xid > feed.next) throw restored();
    if (comparePositions(position, feed.floor) < 0) throw pruned();
    return position;
  }

  /** A subscriber after the position, or from now on: then from the moment in which `placed` is resolved. */
  subscribe(position: FeedPosition | null, filter: FeedFilter): { stream: Stream<FeedItem>; placed: Promise<void> } {
    const subscriber = this.#subscriber(position, filter);
    this.#subscribers.add(subscriber);
    this.ring();
    return { stream: subscriber.stream, placed: subscriber.placed.promise };
  }

  ring(): void {
    if (!this.#needed) return;
    this.#headDueAt = 0;
    this.#lookout.ring();
  }

  /** To be called when somebody has left: without anybody, the head grows old and is forgotten. */
  left(): void {
    if (this.#needed || this.#head === null) return;
    this.#head = null;
    this.#behindSince = null;
    this.#heldSince = null;
    this.#starting = Promise.withResolvers();
  }

  async close(error: Error): Promise<void> {
    this.#starting.promise.catch(() => {}); // perhaps nobody waits for it
    this.#starting.reject(error);
    for (const subscriber of this.#subscribers) {
      subscriber.placed.reject(error);
      subscriber.stream.end(error);
    }
    await this.#lookout.close();
  }

  get #needed(): boolean {
    return this.#subscribers.size > 0 || this.#observer.needed;
  }

  #subscriber(position: FeedPosition | null, filter: FeedFilter): Subscriber {
    const matches = jobMatcher(filter);
    const types = filter.types == null ? null : new Set(filter.types);
    const placed = Promise.withResolvers<void>();
    placed.promise.catch(() => {}); // rejected at close, perhaps after everybody has gone
    if (position !== null) placed.resolve();
    const subscriber: Subscriber = {
      position,
      buffer: new EventBuffer(this.#options.limits),
      mark: null,
      lastAt: performance.now(),
      lastPosition: position,
      placed,
      wants: (read) => matches(read) && (types === null || types.has(read.event.type)),
      stream: new Stream({
        take: () => this.#take(subscriber),
        leave: () => {
          subscriber.buffer.clear();
          this.#subscribers.delete(subscriber);
          this.left();
        },
      }),
    };
    return subscriber;
  }

  #take(subscriber: Subscriber): FeedItem | undefined {
    const { buffer, mark } = subscriber;
    const wasFull = buffer.full;
    const read = mark === null ? buffer.take() : undefined;
    if (wasFull && !buffer.full) this.#lookout.ring();
    const position = mark ?? read?.position;
    if (position === undefined) return undefined;
    subscriber.mark = null;
    subscriber.lastAt = performance.now();
    subscriber.lastPosition = position;
    return { cursor: feedCursor(this.#epoch, position), event: read?.event ?? null };
  }

  async #look(): Promise<number> {
    if (!this.#needed) return Number.POSITIVE_INFINITY;
    if (this.#head === null || performance.now() >= this.#headDueAt) await this.#readHead();
    const behind = await this.#readForOneBehind();
    this.#markQuietOnes();
    return behind ? 0 : Math.max(0, this.#headDueAt - performance.now());
  }

  async #readHead(): Promise<void> {
    const head = this.#head;
    this.#headDueAt = Number.POSITIVE_INFINITY; // a ring from here on counts
    const answer = await this.#reader.read((sql) => readFeed(sql, head, null, batchRows));
    this.#epoch = answer.epoch;
    this.#planHead(answer);
    if (head !== null && comparePositions(head, answer.floor) < 0) return this.#skip(answer);
    const reached = { xid: answer.horizon, id: 0n };
    const end = (answer.more ? answer.events.at(-1)?.position : undefined) ?? later(head ?? reached, reached);
    if (!this.#needed) return;
    this.#head = end;
    if (head !== null) this.#deliver(answer.events, head, end);
    this.#observer.recorded(answer.events);
    if (!answer.more) this.#placeNewOnes(end);
  }

  #planHead({ more, heldBack, horizon }: FeedAnswer): void {
    const now = performance.now();
    const stuck = heldBack && horizon === this.#horizon;
    this.#horizon = horizon;
    this.#holdPauseMs = stuck ? Math.min(this.#holdPauseMs * 2, longestHoldPauseMs) : shortestHoldPauseMs;
    if (more) this.#headDueAt = 0;
    else if (heldBack) this.#headDueAt = Math.min(this.#headDueAt, now + this.#holdPauseMs);
    this.#heldSince = stuck ? (this.#heldSince ?? now) : null;
    this.#behindSince = more || heldBack ? (this.#behindSince ?? now) : null;
  }

  /** Serves whose turn it is of those behind the head, and with the same rows the others who stand there. */
  async #readForOneBehind(): Promise<boolean> {
    const head = this.#head;
    if (head === null) return false;
    const isBehind = ({ position, buffer, stream }: Subscriber) =>
      position !== null && !buffer.full && !stream.ending && comparePositions(position, head) < 0;
    const next = this.#subscribers.values().find(isBehind);
    if (next === undefined || next.position === null) return false;
    this.#subscribers.delete(next);
    this.#subscribers.add(next);
    const start = next.position;
    const answer = await this.#reader.read((sql) => readFeed(sql, start, head, batchRows));
    if (comparePositions(start, answer.floor) < 0) next.stream.end(pruned());
    else this.#deliver(answer.events, start, (answer.more ? answer.events.at(-1)?.position : undefined) ?? head);
    return this.#subscribers.values().some(isBehind);
  }

  /** Hands out what was read after `start` up to `end`, to all with room who stand at `start` or further on. */
  #deliver(events: readonly FeedEvent[], start: FeedPosition, end: FeedPosition): void {
    for (const subscriber of this.#subscribers) {
      const { position, buffer, stream } = subscriber;
      if (position === null || buffer.full || stream.ending) continue;
      if (comparePositions(position, start) < 0 || comparePositions(position, end) >= 0) continue;
      subscriber.position = fill(subscriber, position, events) ?? end;
      stream.wake();
    }
  }

  #placeNewOnes(end: FeedPosition): void {
    this.#starting.resolve();
    for (const subscriber of this.#subscribers) {
      if (subscriber.position !== null) continue;
      subscriber.position = end;
      subscriber.mark = end;
      subscriber.placed.resolve();
      subscriber.stream.wake();
    }
  }

  /** A subscriber that hears nothing for long would come back with an old cursor, and read through all that it skipped. */
  #markQuietOnes(): void {
    const now = performance.now();
    for (const subscriber of this.#subscribers) {
      const { position, lastPosition, lastAt, buffer, stream } = subscriber;
      if (buffer.size > 0 || position === null || now - lastAt < this.#options.quietMs) continue;
      if (lastPosition !== null && comparePositions(position, lastPosition) <= 0) continue;
      subscriber.mark = position;
      stream.wake();
    }
  }

  #skip(answer: FeedAnswer): void {
    this.#head = { xid: answer.horizon, id: 0n };
    this.#headDueAt = 0;
    this.#observer.skipped(pruned());
  }
}

interface Subscriber {
  /** Everything up to here is in its buffer, was delivered or is not wanted; null: it begins with the next head. */
  position: FeedPosition | null;
  buffer: EventBuffer<FeedEvent>;
  /** To be given before what is in the buffer, all of which comes after it. */
  mark: FeedPosition | null;
  /** When it got its last item, and where that was. */
  lastAt: number;
  lastPosition: FeedPosition | null;
  placed: PromiseWithResolvers<void>;
  wants(read: FeedEvent): boolean;
  stream: Stream<FeedItem>;
}

/** Returns how far the subscriber has come when its buffer is full, or null when all that it wants had room. */
function fill(
  { buffer, wants }: Subscriber,
  position: FeedPosition,
  events: readonly FeedEvent[],
): FeedPosition | null {
  let reached = position;
  for (const read of events) {
    if (comparePositions(read.position, position) <= 0) continue;
    if (wants(read) && !buffer.add(read)) return reached;
    reached = read.position;
  }
  return null;
}

function later(a: FeedPosition, b: FeedPosition): FeedPosition {
  return comparePositions(a, b) < 0 ? b : a;
}

function restored(): CursorExpiredError {
  return new CursorExpiredError(
    "This cursor is from before the database was restored. Begin again without a cursor.",
    "after",
  );
}

function pruned(): CursorExpiredError {
  return new CursorExpiredError(
    "Events after this cursor were pruned by retention. Begin again without a cursor.",
    "after",
  );
}
