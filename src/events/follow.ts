import { NotFoundError } from "../domain/errors.ts";
import { idText } from "../domain/ids.ts";
import { type BufferLimits, EventBuffer } from "./buffer.ts";
import { badCursor } from "./cursor.ts";
import { Lookout, type LookoutOptions } from "./lookout.ts";
import { type EventRow, type JobAnswer, type JobQuestion, type ReadEvent, readJobs } from "./read.ts";
import type { Reader } from "./reader.ts";
import { Stream } from "./stream.ts";

/** Rows of one statement, whatever the number of jobs in it. */
const batchRows = 1_000;
const mostQuestions = 200;

/**
 * Those who follow single jobs. There is no hand-over from the table to memory that could lose an event: every follower
 * stands at a number, and one statement reads what follows those numbers, once for all who stand at the same. Whoever
 * keeps up stands where the others stand. Whoever is full is left out, and goes on from its own number when it has room.
 */
export class Followers {
  readonly #reader: Reader;
  readonly #limits: BufferLimits;
  readonly #lookout: Lookout;
  readonly #byJob = new Map<string, Set<Follower>>();
  /** Jobs that may have something new, in the order in which they are looked at. */
  readonly #due = new Set<string>();

  constructor(reader: Reader, limits: BufferLimits, times: Pick<LookoutOptions, "pollMs" | "gapMs" | "failed">) {
    this.#reader = reader;
    this.#limits = limits;
    this.#lookout = new Lookout(() => this.#look(), {
      ...times,
      needed: () => this.#byJob.size > 0,
      poll: () => this.#markDue(this.#byJob.keys()),
    });
  }

  get jobs(): number {
    return this.#byJob.size;
  }

  get count(): number {
    return this.#byJob.values().reduce((sum, followers) => sum + followers.size, 0);
  }

  /** Events that were read and not yet taken. */
  get waiting(): number {
    return this.#byJob.values().reduce((sum, followers) => sum + sizes(followers), 0);
  }

  follow(jobId: string, afterSeq: number): Stream<EventRow> {
    const follower: Follower = {
      position: afterSeq,
      buffer: new EventBuffer(this.#limits),
      stream: new Stream({
        take: () => this.#take(jobId, follower),
        leave: () => this.#remove(jobId, follower),
      }),
    };
    const followers = this.#byJob.get(jobId);
    if (followers === undefined) this.#byJob.set(jobId, new Set([follower]));
    else followers.add(follower);
    this.ring([jobId]);
    return follower.stream;
  }

  /** Null: any job may have something new. */
  ring(jobIds: readonly string[] | null): void {
    if (this.#markDue(jobIds ?? this.#byJob.keys())) this.#lookout.ring();
  }

  async close(error: Error): Promise<void> {
    for (const { stream } of [...this.#byJob.values()].flatMap((followers) => [...followers])) stream.end(error);
    await this.#lookout.close();
  }

  #markDue(jobIds: Iterable<string>): boolean {
    for (const jobId of jobIds) if (this.#byJob.has(jobId)) this.#due.add(jobId);
    return this.#due.size > 0;
  }

  #take(jobId: string, follower: Follower): EventRow | undefined {
    const wasFull = follower.buffer.full;
    const read = follower.buffer.take();
    if (wasFull && !follower.buffer.full) this.ring([jobId]);
    return read?.event;
  }

  #remove(jobId: string, follower: Follower): void {
    follower.buffer.clear();
    const followers = this.#byJob.get(jobId);
    followers?.delete(follower);
    if (followers?.size === 0) this.#byJob.delete(jobId);
  }

  async #look(): Promise<number> {
    const questions = this.#questions();
    if (questions.length === 0) return Number.POSITIVE_INFINITY;
    const limit = Math.max(4, Math.floor(batchRows / questions.length));
    const answers = await this.#reader.read((sql) => readJobs(sql, questions, limit));
    for (const [index, { jobId, followers }] of questions.entries()) {
      const answer = answers[index] as JobAnswer;
      if (answer.more) this.#due.add(jobId);
      for (const follower of followers) if (this.#byJob.get(jobId)?.has(follower)) answerTo(follower, jobId, answer);
    }
    return this.#due.size > 0 ? 0 : Number.POSITIVE_INFINITY;
  }

  /** What is to be read, once for all followers at the same number. A job is no longer due from here: a ring from now on counts. */
  #questions(): Question[] {
    const questions: Question[] = [];
    for (const jobId of this.#due) {
      if (questions.length >= mostQuestions) break;
      this.#due.delete(jobId);
      const byPosition = new Map<number, Question>();
      for (const follower of this.#byJob.get(jobId) ?? []) {
        if (follower.buffer.full || follower.stream.ending) continue;
        const question = byPosition.get(follower.position);
        if (question !== undefined) question.followers.push(follower);
        else if (questions.length + byPosition.size < mostQuestions) {
          byPosition.set(follower.position, { jobId, after: follower.position, followers: [follower] });
        } else this.#due.add(jobId);
      }
      questions.push(...byPosition.values());
    }
    return questions;
  }
}

interface Follower {
  /** Number of the last event that was put into its buffer. */
  position: number;
  buffer: EventBuffer<ReadEvent>;
  stream: Stream<EventRow>;
}

function sizes(followers: Set<Follower>): number {
  return followers.values().reduce((sum, { buffer }) => sum + buffer.size, 0);
}

interface Question extends JobQuestion {
  followers: Follower[];
}

function answerTo(follower: Follower, jobId: string, { job, events, more }: JobAnswer): void {
  const { buffer, position, stream } = follower;
  if (job === null) stream.end(new NotFoundError("job", idText("job", jobId), "jobId"));
  else if (position > job.lastSeq) stream.end(badCursor("This cursor is ahead of its job."));
  else {
    const taken = events.findIndex((read) => !buffer.add(read));
    const all = taken < 0;
    follower.position = (all ? events.at(-1) : events[taken - 1])?.event.seq ?? position;
    // Events and state are of one snapshot: in a final state, what was read ends with the terminal event of the job's
    // present life. An earlier life's terminal event does not end it, because its job was requeued.
    if (job.final && all && !more) stream.end();
    else stream.wake();
  }
}
