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

/**
 * Which jobs have changed, each once however often it did, until the subscriber takes it. Wake-ups with ids are followed
 * at once, past the horizon of the feed; what they missed comes by the feed. The number of a job's last event tells
 * whether a change has been announced already.
 */
export class Changes implements HeadObserver {
  readonly #reader: Reader;
  readonly #lookout: Lookout;
  readonly #subscribers = new Set<Subscriber>();
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
    const waiting = new Set<string>();
    const subscriber: Subscriber = {
      waiting,
      wants: jobMatcher(filter),
      stream: new Stream({
        take: () => {
          const [jobId] = waiting;
          if (jobId !== undefined) waiting.delete(jobId);
          return jobId;
        },
        leave: () => {
          waiting.clear();
          this.#subscribers.delete(subscriber);
          left();
        },
      }),
    };
    this.#subscribers.add(subscriber);
    return subscriber.stream;
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
      if (!subscriber.wants(job)) continue;
      subscriber.waiting.add(jobId);
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

interface Subscriber {
  waiting: Set<string>;
  wants(job: JobFacts): boolean;
  stream: Stream<string>;
}

function tooSlow(): LimitExceededError {
  return new LimitExceededError(
    `More than ${mostChangesWaiting} jobs have changed and were not taken. Load the list anew and subscribe again.`,
  );
}
