import type { Database } from "../db/client.ts";
import { DomainError, UnavailableError } from "../domain/errors.ts";
import { BatchLookout } from "./batch-lookout.ts";
import { type BufferLimits, bufferLimits } from "./buffer.ts";
import { Changes } from "./changes.ts";
import { Feed, type FeedItem } from "./feed.ts";
import type { FeedFilter, JobFilter } from "./filter.ts";
import { Followers } from "./follow.ts";
import { BatchFollowers } from "./follow-batches.ts";
import { type EventRow, type HorizonHolder, readHorizonHolder } from "./read.ts";
import type { BatchEventRow } from "./read-batches.ts";
import { Reader } from "./reader.ts";
import type { Wakeups } from "./wakeups.ts";

/** An async iterator that can be left while it waits, by `return()` or `await using`. */
export type EventStream<T> = AsyncIterableIterator<T> & AsyncDisposable;

/**
 * The one reader of the event log in a process: it reads each batch once, for all who follow. When the database is away,
 * streams wait until it is back.
 */
export interface Tail extends AsyncDisposable {
  /**
   * A job's events after the given number (0: all), then each new one, until the job's present life has ended. Throws
   * NotFoundError for a job that is not there, BadCursorError for a number that the job has not reached, from `next()`.
   */
  follow(jobId: string, afterSeq: number): EventStream<EventRow>;
  /**
   * The events of all jobs after the cursor, each once, in an order that never changes. Without a cursor from now on: all
   * that is recorded after the promise is resolved, and first a mark, from which can be resumed when nothing comes.
   * Rejects with BadCursorError, CursorExpiredError or UnavailableError.
   */
  feed(after: string | null, filter?: FeedFilter): Promise<EventStream<FeedItem>>;
  /**
   * Ids of jobs that change after the promise is resolved, each once until it is taken: read the job then, and it is at
   * least as new. Rejects with UnavailableError.
   */
  changes(filter?: JobFilter): Promise<EventStream<string>>;
  /** A batch's events after the given number, then each new one, until it is complete. Throws as `follow` does, from `next()`. */
  followBatch(batchId: string, afterSeq: number): EventStream<BatchEventRow>;
  /**
   * Ids of these batches as they or their jobs change after the promise is resolved, each once until it is taken. Rejects with
   * UnavailableError.
   */
  batchChanges(batchIds: readonly string[]): Promise<EventStream<string>>;
  /** Answers within two seconds, whatever the database does. */
  health(): Promise<TailHealth>;
  /** Ends all streams with UnavailableError: whoever reads them resumes elsewhere. */
  close(): Promise<void>;
}

export interface TailHealth {
  followers: number;
  batchFollowers: number;
  followedJobs: number;
  feedSubscribers: number;
  changeSubscribers: number;
  /** Events in memory that subscribers have not taken yet. */
  waitingEvents: number;
  /** Statements so far. */
  reads: number;
  failedReads: number;
  lastError: string | null;
  /** Since when the feed has been behind what is recorded, whatever the reason. */
  feedLagMs: number;
  /** Since when recorded events have been held back because an older transaction is open. */
  feedHeldMs: number;
  /** The oldest open transaction that may still write; null when there is none, or when the database is away. */
  horizonHolder: HorizonHolder | null;
}

export interface TailOptions {
  /** Behind lost wake-ups. */
  pollMs?: number;
  /** Least time between two reads of one kind. */
  gapMs?: number;
  quietMs?: number;
  limits?: BufferLimits;
}

const longestWaitMs = 2_000;

/** Opens the tail of this process. Close it before the wake-ups and the database. */
export function openTail(db: Pick<Database, "url">, wakeups: Wakeups, options: TailOptions = {}): Tail {
  const { pollMs = 2_000, gapMs = 2, quietMs = 15_000, limits = bufferLimits } = options;
  let failedReads = 0;
  let lastError: string | null = null;
  let closed = false;
  const failed = (error: Error) => {
    failedReads += 1;
    lastError = error.message;
  };
  const reader = new Reader(db.url);
  const followers = new Followers(reader, limits, { pollMs, gapMs, failed });
  const changes = new Changes(reader, { gapMs, failed });
  const batchFollowers = new BatchFollowers(reader, { pollMs, gapMs, failed });
  const batchLookout = new BatchLookout(reader, changes, { pollMs, gapMs, failed });
  const feed = new Feed(reader, changes, { pollMs, gapMs, quietMs, limits, failed });
  const rung = wakeups.subscribe("events", (jobIds) => {
    followers.ring(jobIds);
    changes.ring(jobIds);
    feed.ring();
  });
  const rungForBatches = wakeups.subscribe("batch", (batchIds) => {
    batchFollowers.ring(batchIds);
    batchLookout.ring();
  });

  const refuseWhenClosed = () => {
    if (closed) throw stopping();
  };
  const close = async () => {
    if (closed) return;
    closed = true;
    rung.close();
    rungForBatches.close();
    await Promise.all([followers, batchFollowers, batchLookout, changes, feed].map((part) => part.close(stopping())));
    await reader.close();
  };
  return {
    follow(jobId, afterSeq) {
      refuseWhenClosed();
      return followers.follow(jobId, afterSeq);
    },
    async feed(after, filter = {}) {
      refuseWhenClosed();
      const position = after === null ? null : await inTime(feed.positionOf(after), ignore);
      const { stream, placed } = feed.subscribe(position, filter);
      await inTime(placed, () => void stream.return());
      return stream;
    },
    async changes(filter = {}) {
      refuseWhenClosed();
      const stream = changes.subscribe(filter, () => feed.left());
      await inTime(feed.started(), () => void stream.return());
      return stream;
    },
    followBatch(batchId, afterSeq) {
      refuseWhenClosed();
      return batchFollowers.follow(batchId, afterSeq);
    },
    async batchChanges(batchIds) {
      refuseWhenClosed();
      const stream = changes.subscribeBatches(batchIds, () => feed.left());
      await inTime(Promise.all([feed.started(), batchLookout.seen()]), () => void stream.return());
      return stream;
    },
    async health() {
      const holder = await inTime(
        reader.read((sql) => readHorizonHolder(sql)),
        ignore,
      ).catch((error: Error) => {
        lastError = error.message;
        return null;
      });
      return {
        followers: followers.count,
        batchFollowers: batchFollowers.count,
        followedJobs: followers.jobs,
        feedSubscribers: feed.count,
        changeSubscribers: changes.count,
        waitingEvents: followers.waiting + feed.waiting,
        reads: reader.reads,
        failedReads,
        lastError,
        feedLagMs: feed.delays.lagMs,
        feedHeldMs: feed.delays.heldMs,
        horizonHolder: holder,
      };
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** What is not there in two seconds, because the database is away or slow, is unavailable; `giveUp` lets go of it. */
async function inTime<T>(answer: Promise<T>, giveUp: () => void): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new UnavailableError("The event log did not answer in time.")),
    longestWaitMs,
  );
  try {
    return await Promise.race([answer, late.promise]);
  } catch (error) {
    giveUp();
    if (error instanceof DomainError) throw error;
    throw new UnavailableError("The event log cannot be read at the moment.", 1000, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

function stopping(): UnavailableError {
  return new UnavailableError("This server is stopping. Resume with the last cursor.");
}

function ignore(): void {}
