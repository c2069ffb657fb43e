import { BadInputError, errorOf, JobsRefusedError, type QueueError } from "./errors.ts";
import type {
  EnqueuedItemFragment,
  EnqueueJobInput,
  EnqueueJobsInput,
  EnqueueJobsMutation,
} from "./generated/graphql.ts";

type Answer = EnqueueJobsMutation["enqueueJobs"];
type Enqueued = Extract<EnqueuedItemFragment["result"], { __typename: "EnqueuedJob" }>;

/** What became of one of the runs that were asked for together. */
export interface EnqueuedItem {
  /** Its place among them, from 0. */
  index: number;
  /** Null when there is none. */
  job: Enqueued["job"] | null;
  replayed: boolean;
  /** Why there is no job; null when there is one. */
  error: QueueError | null;
}

/** The API takes so many in one call, and a body of 1 MiB. */
const mostJobs = 1000;
const mostBytes = 900_000;
/** Inputs of a wrong shape are found one by one. */
const mostShapeErrors = 100;

type Send = (input: EnqueueJobsInput) => Promise<Answer>;

/** All in one call, or none of them. */
export async function enqueueAll(send: Send, jobs: readonly EnqueueJobInput[]): Promise<EnqueuedItem[]> {
  if (jobs.length === 0) return [];
  return itemsOf(await send({ jobs: [...jobs], onError: "REJECT_ALL" }));
}

/** Those that can be made, in as many calls as it takes. */
export async function enqueueGood(send: Send, jobs: readonly EnqueueJobInput[]): Promise<EnqueuedItem[]> {
  const items: EnqueuedItem[] = [];
  for (let from = 0; from < jobs.length; ) {
    const part = firstPart(jobs, from);
    items.push(...(await enqueuePart(send, part, from)));
    from += part.length;
  }
  return items;
}

function firstPart(jobs: readonly EnqueueJobInput[], from: number): EnqueueJobInput[] {
  const part: EnqueueJobInput[] = [];
  let bytes = 0;
  for (const job of jobs.slice(from, from + mostJobs)) {
    bytes += new TextEncoder().encode(JSON.stringify(job)).length + 1;
    if (bytes > mostBytes && part.length > 0) break;
    part.push(job);
  }
  return part;
}

/** An input of a wrong shape is refused with the whole call, which has stored nothing then: it is left out of the next try. */
async function enqueuePart(send: Send, part: readonly EnqueueJobInput[], offset: number): Promise<EnqueuedItem[]> {
  const refused: EnqueuedItem[] = [];
  let open = part.map((job, index) => ({ job, index: offset + index }));
  while (open.length > 0) {
    try {
      const sent = open;
      const answer = await send({ jobs: sent.map(({ job }) => job), onError: "REJECT_FAILED" });
      const made = itemsOf(answer).map((item) => ({ ...item, index: sent[item.index]?.index ?? item.index }));
      return [...refused, ...made].toSorted((one, other) => one.index - other.index);
    } catch (error) {
      const at = error instanceof BadInputError ? shapePlace(error.path) : null;
      const wrong = at === null ? undefined : open[at];
      if (wrong === undefined || refused.length === mostShapeErrors) throw error;
      refused.push({ index: wrong.index, job: null, replayed: false, error: error as QueueError });
      open = open.filter((entry) => entry !== wrong);
    }
  }
  return refused.toSorted((one, other) => one.index - other.index);
}

function shapePlace(path: string | null): number | null {
  const [, index] = /^input\.jobs\.(\d+)(\.|$)/.exec(path ?? "") ?? [];
  return index === undefined ? null : Number(index);
}

function itemsOf(answer: Answer): EnqueuedItem[] {
  const items = answer.items.map(({ index, result }) =>
    result.__typename === "EnqueuedJob"
      ? { index, job: result.job, replayed: result.replayed, error: null }
      : { index, job: null, replayed: false, error: errorOf(result) },
  );
  if (answer.__typename === "EnqueueJobsSuccess") return items;
  const refused = items.flatMap(({ index, error }) => (error === null ? [] : [{ index, error }]));
  throw new JobsRefusedError(answer.message, answer.path, refused);
}
