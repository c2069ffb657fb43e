import { NotFoundError } from "./errors.ts";
import {
  type JobDetailsFragment,
  type JobEventFragment,
  JobEventsDocument,
  type JobState,
} from "./generated/graphql.ts";
import { type ResumeOptions, resume } from "./resume.ts";
import type { Socket } from "./socket.ts";
import { type Stream, stream } from "./stream.ts";

/** A job with its attempts, node runs and results. */
export type Job = JobDetailsFragment;
/** Something that happened to a job; `__typename` tells which. */
export type JobEvent = JobEventFragment;

/** What happens to a job: see `Client.watch`. */
export interface Watch extends Stream<JobEvent> {
  /** The job as it ended. Whoever wants only that awaits it without iterating. */
  readonly job: Promise<Job>;
}

export interface WatchParts {
  socket: Socket;
  /** The job as it is now; null when there is none. */
  read(jobId: string, signal: AbortSignal): Promise<Job | null>;
}

export type WatchSettings = Omit<ResumeOptions, "signal"> & { signal: AbortSignal };

/** Whether a job in this state has come to its end. */
export function isFinal(state: JobState): boolean {
  return state === "SUCCEEDED" || state === "FAILED" || state === "CANCELLED" || state === "EXPIRED";
}

export function watch(jobId: string, parts: WatchParts, settings: WatchSettings): Watch {
  /** What an iteration has come to: null when it was left early. */
  let iteration: Promise<Job | null> | null = null;
  let job: Promise<Job> | null = null;

  async function* read(signal: AbortSignal): AsyncGenerator<JobEvent, void, undefined> {
    let done: (job: Job | null) => void = () => {};
    let fail: (error: unknown) => void = () => {};
    iteration = new Promise((resolve, reject) => {
      done = resolve;
      fail = reject;
    });
    iteration.catch(() => {}); // the iteration throws it
    let found: Job | null = null;
    const source = {
      open: (after: string | null) =>
        parts.socket.subscribe(JobEventsDocument, { jobId, after }, ({ jobEvents }) => jobEvents),
      cursorOf: ({ cursor }: JobEvent) => cursor,
      async isOver() {
        found = await parts.read(jobId, signal);
        if (found === null) throw new NotFoundError(`There is no job ${jobId}.`, "id");
        return isFinal(found.state);
      },
      heardAt: () => parts.socket.heardAt,
      onConnected: parts.socket.onConnected,
    };
    try {
      yield* resume(source, { ...settings, signal });
    } catch (error) {
      fail(error);
      throw error;
    } finally {
      done(found);
    }
  }

  async function end(): Promise<Job> {
    const found = await iteration;
    if (found !== null) return found;
    const own = watch(jobId, parts, settings);
    for await (const _ of own);
    return await own.job;
  }

  const events = stream(read, settings.signal);
  return Object.defineProperty(events, "job", { get: () => (job ??= end()) }) as Watch;
}
