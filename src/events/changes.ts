import { LimitExceededError } from "../domain/errors.ts";
import type { HeadObserver } from "./feed.ts";
import { type JobFilter, jobMatcher } from "./filter.ts";
import { Lookout, type LookoutOptions } from "./lookout.ts";
import { type FeedEvent, type JobFacts, readChangedJobs } from "./read.ts";
import type { Reader } from "./reader.ts";
import { Stream } from "./stream.ts";

/** Jobs waiting for one subscriber that doesn't take them. */
export const mostChangesWaiting = 10_000;
/** Jobs whose last announced number is remembered; a forgotten one is announced once too often. */
const mostRemembered = 20_000;
const batchJobs = 1_000;
/** A batch whose jobs change all the time is told once in so long: its progress is counted anew each time. */
const batchPaceMs = 250;

/**
 * Which jobs have changed, each once however often it did, until the subscriber takes it. Wake-ups with ids are followed
 * at once, past the horizon of the feed; what they missed comes by the feed. The number of a job's last event tells
 * whether a change has been announced already.
 */
export class Changes implements HeadObserver {
  readonly #reader: Reader;
  readonly #lookout: Lookout;
  readonly #subscribers = new Set<Subscriber>();
  readonly #watchedBatches = new Map<Subscriber, ReadonlySet<string>>();
  readonly #announced = new Map<string, number>();
  #rungFor = new Set<string>();

  constructor(reader: Reader, times: Pick<LookoutOptions, "gapMs" | "failed">) {
    this.#reader = reader;
    // No poll: the feed has one.
    this.#lookout = new Lookout(() => this.#look(), {
      ...times,
      pollMs: Number.POSITIVE_INFINITY,
      needed: () => false,
      poll: () => {},
    });
  }

  get needed(): boolean {
    return this.#subscribers.size > 0;
  }

  get count(): number {
    return this.#subscribers.size;
  }

  /** `left` is called when the subscriber has gone. */
  subscribe(filter: JobFilter, left: () => void): Stream<string> {
    const wants = jobMatcher(filter);
    return this.#subscribe((job) => (wants(job) ? job.jobId : null), 0, left).stream;
  }

  /** Ids of these batches: all at once, then when one of their jobs has changed or they themselves have. */
  subscribeBatches(batchIds: readonly string[], left: () => void): Stream<string> {
    const watched = new Set(batchIds);
    const told = ({ batchId }: JobFacts) => (batchId !== null && watched.has(batchId) ? batchId : null);
    const subscriber = this.#subscribe(told, batchPaceMs, () => {
      this.#watchedBatches.delete(subscriber);
      left();
    });
    this.#watchedBatches.set(subscriber, watched);
    for (const batchId of watched) subscriber.waiting.add(batchId);
    return subscriber.stream;
  }

  /** Batches that somebody watches. */
  get watchedBatches(): Set<string> {
    return new Set(this.#watchedBatches.values().flatMap((ids) => ids.values()));
  }

  batchChanged(batchId: string): void {
    for (const [subscriber, watched] of this.#watchedBatches) {
      if (!watched.has(batchId)) continue;
      subscriber.waiting.add(batchId);
      subscriber.stream.wake();
    }
  }

  /** `told` names what the subscriber hears of a job that has changed; null: nothing. One thing is told at most every `paceMs`. */
  #subscribe(told: Subscriber["told"], paceMs: number, left: () => void): Subscriber {
    const waiting = paceMs === 0 ? new Waiting() : new PacedWaiting(paceMs, () => subscriber.stream.wake());
    const subscriber: Subscriber = {
      waiting,
      told,
      stream: new Stream({
        take: () => waiting.take(),
        leave: () => {
          waiting.clear();
          this.#subscribers.delete(subscriber);
          left();
        },
      }),
    };
    this.#subscribers.add(subscriber);
    return subscriber;
  }

  ring(jobIds: readonly string[] | null): void {
    if (!this.needed || jobIds === null) return; // "everywhere" is the feed's to find out
    for (const jobId of jobIds) this.#rungFor.add(jobId);
    this.#lookout.ring();
  }

  recorded(events: readonly FeedEvent[]): void {
    if (!this.needed) return;
    for (const read of events) this.#announce(read, read.event.seq);
  }

  skipped(error: Error): void {
    for (const { stream } of this.#subscribers) stream.end(error);
  }

  async close(error: Error): Promise<void> {
    this.skipped(error);
    await this.#lookout.close();
  }

  async #look(): Promise<number> {
    const rungFor = this.#rungFor.values().take(batchJobs).toArray();
    for (const jobId of rungFor) this.#rungFor.delete(jobId); // a ring from here on counts
    if (rungFor.length === 0 || !this.needed) return Number.POSITIVE_INFINITY;
    const jobs = await this.#reader.read((sql) => readChangedJobs(sql, rungFor));
    for (const job of jobs) this.#announce(job, job.lastSeq);
    return this.#rungFor.size > 0 ? 0 : Number.POSITIVE_INFINITY;
  }

  #announce(job: JobFacts, seq: number): void {
    const { jobId } = job;
    if (seq <= (this.#announced.get(jobId) ?? 0)) return;
    this.#announced.delete(jobId); // to the end: the ones that changed last are remembered
    this.#announced.set(jobId, seq);
    if (this.#announced.size > mostRemembered) {
      const [oldest] = this.#announced.keys();
      if (oldest !== undefined) this.#announced.delete(oldest);
    }
    for (const subscriber of this.#subscribers) {
      const told = subscriber.told(job);
      if (told === null) continue;
      subscriber.waiting.add(told);
      subscriber.stream.wake();
      if (subscriber.waiting.size > mostChangesWaiting) this.#giveUp(subscriber);
    }
  }

  #giveUp(subscriber: Subscriber): void {
    this.#subscribers.delete(subscriber);
    subscriber.waiting.clear();
    subscriber.stream.end(tooSlow());
  }
}

/** What has changed and was not taken, each once. */
class Waiting extends Set<string> {
  take(): string | undefined {
    const [id] = this;
    if (id !== undefined) this.delete(id);
    return id;
  }
}

/** The same, where each is given out at most so often: what changes in between is told once, and late. */
class PacedWaiting extends Waiting {
  readonly #paceMs: number;
  readonly #ready: () => void;
  readonly #nextAt = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;

  /** `ready` is called when one may be taken that could not be before. */
  constructor(paceMs: number, ready: () => void) {
    super();
    this.#paceMs = paceMs;
    this.#ready = ready;
  }

  override take(): string | undefined {
    const now = performance.now();
    let soonest = Number.POSITIVE_INFINITY;
    for (const id of this) {
      const at = this.#nextAt.get(id) ?? now;
      soonest = Math.min(soonest, at);
      if (at > now) continue;
      this.delete(id);
      this.#nextAt.set(id, now + this.#paceMs);
      return id;
    }
    clearTimeout(this.#timer);
    if (this.size > 0) this.#timer = setTimeout(this.#ready, soonest - now);
    return undefined;
  }

  override clear(): void {
    clearTimeout(this.#timer);
    super.clear();
  }
}

interface Subscriber {
  waiting: Waiting;
  told(job: JobFacts): string | null;
  stream: Stream<string>;
}

function tooSlow(): LimitExceededError {
  return new LimitExceededError(
    `More than ${mostChangesWaiting} jobs have changed and were not taken. Load the list anew and subscribe again.`,
  );
}
