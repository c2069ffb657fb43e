import { NotFoundError } from "../domain/errors.ts";
import { idText } from "../domain/ids.ts";
import { badCursor } from "./cursor.ts";
import { Lookout, type LookoutOptions } from "./lookout.ts";
import { type BatchAnswer, type BatchEventRow, readBatchEvents } from "./read-batches.ts";
import type { Reader } from "./reader.ts";
import { Stream } from "./stream.ts";

/** Events that one follower is given at a time: there are few in the life of a batch. */
const mostAtOnce = 100;
const mostQuestions = 200;

interface Follower {
  batchId: string;
  /** Number of the last event that was read for it. */
  position: number;
  /** Read and not yet taken: nothing more is read before they are. */
  waiting: BatchEventRow[];
  stream: Stream<BatchEventRow>;
}

/** Those who follow the events of single batches: as `Followers` for jobs, of which there are many more. */
export class BatchFollowers {
  readonly #reader: Reader;
  readonly #lookout: Lookout;
  readonly #followers = new Set<Follower>();
  readonly #due = new Set<Follower>();

  constructor(reader: Reader, times: Pick<LookoutOptions, "pollMs" | "gapMs" | "failed">) {
    this.#reader = reader;
    this.#lookout = new Lookout(() => this.#look(), {
      ...times,
      needed: () => this.#followers.size > 0,
      poll: () => this.#markDue(null),
    });
  }

  get count(): number {
    return this.#followers.size;
  }

  follow(batchId: string, afterSeq: number): Stream<BatchEventRow> {
    const follower: Follower = {
      batchId,
      position: afterSeq,
      waiting: [],
      stream: new Stream({
        take: () => {
          const event = follower.waiting.shift();
          if (event !== undefined && follower.waiting.length === 0) this.#askFor(follower);
          return event;
        },
        leave: () => {
          this.#followers.delete(follower);
          this.#due.delete(follower);
        },
      }),
    };
    this.#followers.add(follower);
    this.#askFor(follower);
    return follower.stream;
  }

  /** Null: any batch may have something new. */
  ring(batchIds: readonly string[] | null): void {
    this.#markDue(batchIds === null ? null : new Set(batchIds));
    if (this.#due.size > 0) this.#lookout.ring();
  }

  async close(error: Error): Promise<void> {
    for (const { stream } of [...this.#followers]) stream.end(error);
    await this.#lookout.close();
  }

  #askFor(follower: Follower): void {
    this.#due.add(follower);
    this.#lookout.ring();
  }

  #markDue(batchIds: ReadonlySet<string> | null): void {
    for (const follower of this.#followers) {
      if (batchIds === null || batchIds.has(follower.batchId)) this.#due.add(follower);
    }
  }

  async #look(): Promise<number> {
    const asking = [...this.#due]
      .filter(({ waiting, stream }) => waiting.length === 0 && !stream.ending)
      .slice(0, mostQuestions);
    const questions = asking.map(({ batchId, position }) => ({ batchId, after: position }));
    if (asking.length === mostQuestions) for (const follower of asking) this.#due.delete(follower);
    else this.#due.clear(); // a ring from here on counts
    if (asking.length === 0) return Number.POSITIVE_INFINITY;
    const answers = await this.#reader.read((sql) => readBatchEvents(sql, questions, mostAtOnce));
    for (const [index, follower] of asking.entries()) {
      if (this.#followers.has(follower)) answerTo(follower, answers[index] as BatchAnswer);
    }
    return this.#due.size > 0 ? 0 : Number.POSITIVE_INFINITY;
  }
}

function answerTo(follower: Follower, { batch, events }: BatchAnswer): void {
  const { stream, batchId, position } = follower;
  if (batch === null) stream.end(new NotFoundError("batch", idText("batch", batchId), "batchId"));
  else if (position > batch.lastSeq) stream.end(badCursor("This cursor is ahead of its batch."));
  else {
    follower.position = events.at(-1)?.seq ?? position;
    follower.waiting.push(...events);
    // Events and state are of one snapshot: of a completed batch, what was read to its end ends with the completion.
    if (batch.completed && follower.position >= batch.lastSeq) stream.end();
    else stream.wake();
  }
}
