import { setImmediate } from "node:timers/promises";
import type { TransactionSql } from "postgres";
import stringify from "safe-stable-stringify";
import type { Sql } from "../db/client.ts";
import { withRetries } from "../db/retry.ts";
import {
  BadInputError,
  type DomainError,
  IdempotencyConflictError,
  InvalidRunError,
  JobsRefusedError,
  NotFoundError,
  ProjectDisabledError,
  placedAt,
  QueueFullError,
} from "../domain/errors.ts";
import { idText } from "../domain/ids.ts";
import type { JobState } from "../domain/lifecycle.ts";
import type { Actor, RunRequest } from "../domain/run-request.ts";
import { nearest } from "../pipelines/nearest.ts";
import { planAlike } from "../pipelines/plan-alike.ts";
import type { JobsContext } from "./context.ts";
import { type Enqueued, expires, fingerprintOf, isReplaceable, newJob } from "./enqueue.ts";
import { type Inserted, insertJobs, isRefused, type NewJob } from "./insert.ts";
import { goneParents } from "./parents.ts";
import { type StoredUnique, storeUnique } from "./unique.ts";

/** So many jobs are taken at once. */
export const mostJobs = 1000;

/** What becomes of the good jobs when others cannot be made: nothing is stored, or the good ones are. */
export type OnError = "reject_all" | "reject_failed";

/** What became of one of the jobs that were asked for together. */
export type Outcome = Enqueued | DomainError;

/** One of the jobs that are asked for. */
interface Entry {
  index: number;
  request: RunRequest;
  fingerprint: string;
  /** Made, if it can be. */
  job: NewJob | null;
  /** The job that has its key, and makes room for another one. */
  replaces: string | null;
  /** Later ones with the same key and request: they get its answer. */
  equal: Entry[];
}

type Outcomes = Map<Entry, Outcome>;

/**
 * Makes many jobs in one transaction, each checked as `enqueueJob` checks it, and tells of each what became of it, in their
 * order; the paths of errors are those of `input.jobs`. Equal idempotency keys make one job, as of calls at the same moment.
 * What could not be read as a request comes as its error.
 *
 * @throws JobsRefusedError when one cannot be made and all are to be rejected then: nothing was stored
 */
export async function enqueueJobs(
  context: JobsContext,
  actor: Actor,
  asked: readonly (RunRequest | DomainError)[],
  onError: OnError,
): Promise<Outcome[]> {
  const outcomes: (Outcome | undefined)[] = asked.map((request) => (isError(request) ? request : undefined));
  const entries = asked.flatMap((request, index) => (isError(request) ? [] : [newEntry(request, index)]));
  const settle = (some: Outcomes) => {
    for (const [{ index }, outcome] of some) outcomes[index] = outcome;
  };

  settle(await answeredBefore(context.db.sql, actor, entries));
  const open = () => entries.filter(({ index }) => outcomes[index] === undefined);
  settle(await checkAll(context, actor, open()));
  settle(joinEqual(open()));
  if (onError === "reject_all") refuseAny(outcomes);

  const first = open().filter((entry) => !entries.some(({ equal }) => equal.includes(entry)));
  const stored = await withRetries(() =>
    context.db.sql.begin(async (sql) => {
      const made = await store(context, sql, actor, first);
      if (onError === "reject_all") refuseAny(merged(outcomes, made.outcomes));
      return made;
    }),
  );
  settle(stored.outcomes);
  wake(context, stored, first);
  return outcomes.map((outcome, index) => placed(outcome as Outcome, index));
}

function newEntry(request: RunRequest, index: number): Entry {
  return { index, request, fingerprint: fingerprintOf(request), job: null, replaces: null, equal: [] };
}

function isError<T extends object>(value: T | DomainError): value is DomainError {
  return value instanceof Error;
}

function placed(outcome: Outcome, index: number): Outcome {
  return isError(outcome) ? placedAt(outcome, `input.jobs.${index}`) : outcome;
}

function merged(outcomes: readonly (Outcome | undefined)[], some: Outcomes): (Outcome | undefined)[] {
  const all = [...outcomes];
  for (const [{ index }, outcome] of some) all[index] = outcome;
  return all;
}

function refuseAny(outcomes: readonly (Outcome | undefined)[]): void {
  const refused = outcomes.flatMap((outcome, index) => {
    const error = outcome === undefined ? null : placed(outcome, index);
    return error !== null && isError(error) ? [{ index, error }] : [];
  });
  if (refused.length > 0) throw new JobsRefusedError(refused, outcomes.length);
}

/** Replays, and keys of other requests. Marks those whose job of then makes room for another one. */
async function answeredBefore(sql: Sql, actor: Actor, entries: readonly Entry[]): Promise<Outcomes> {
  const outcomes: Outcomes = new Map();
  const keys = entries.flatMap(({ request }) => request.idempotencyKey ?? []);
  if (keys.length === 0) return outcomes;
  const rows = await sql<{ key: string; jobId: string; fingerprint: string; state: JobState | null }[]>`
    select k.key, k.job_id as "jobId", k.fingerprint, j.state
    from idempotency_keys k left join jobs j on j.id = k.job_id
    where k.owner = ${actor.name} and k.key = any(${keys})`;
  const holders = new Map(rows.map((row) => [row.key, row]));
  for (const entry of entries) {
    const { idempotencyKey: key, onReplay } = entry.request;
    const holder = key === null ? undefined : holders.get(key);
    if (key === null || holder === undefined) continue;
    const { jobId, fingerprint, state } = holder;
    if (fingerprint !== entry.fingerprint) outcomes.set(entry, new IdempotencyConflictError(key, idText("job", jobId)));
    else if (isReplaceable(onReplay, state)) entry.replaces = jobId;
    else outcomes.set(entry, { jobId, replayed: true });
  }
  return outcomes;
}

/** So many are checked before others get their turn on this thread. */
const checkedAtOnce = 50;
/** How long workers are waited for, over all that is to be described. */
const describeMs = 2000;

/** Makes the job of each, or says why it cannot be made. */
async function checkAll(context: JobsContext, actor: Actor, entries: readonly Entry[]): Promise<Outcomes> {
  const outcomes: Outcomes = new Map();
  const shared = askedOnce(context);
  for (let at = 0; at < entries.length; at += checkedAtOnce) {
    await Promise.all(
      entries.slice(at, at + checkedAtOnce).map(async (entry) => {
        try {
          entry.job = await newJob(shared, actor, entry.request, entry.fingerprint);
        } catch (error) {
          if (!isOfOne(error)) throw error;
          outcomes.set(entry, error);
        }
      }),
    );
    await setImmediate();
  }
  return outcomes;
}

/** Whether an error is about one of the jobs, and not about the call. */
export function isOfOne(error: unknown): error is DomainError {
  return [InvalidRunError, NotFoundError, ProjectDisabledError, BadInputError, QueueFullError].some(
    (type) => error instanceof type,
  );
}

/**
 * For many requests at once: each pipeline is read once, and described once under each config, as is all that is read of other jobs;
 * plans that are alike are worked out once. What no worker has described in time is not yet validated.
 */
export function askedOnce(context: JobsContext): JobsContext {
  const { catalogue } = context;
  const tooLate = AbortSignal.timeout(describeMs);
  const inTime = new Promise<null>((resolve) => tooLate.addEventListener("abort", () => resolve(null), { once: true }));
  return {
    ...context,
    catalogue: { ...catalogue, pipeline: once((...asked) => catalogue.pipeline(...asked)) },
    describe: once(
      (pipeline, config) => Promise.race([context.describe(pipeline, config), inTime]),
      ({ projectName, name }, config) => stringify([projectName, name, config]),
    ),
    plan: planAlike(),
    earlierRuns: once((sources) => context.earlierRuns(sources)),
    parents: once((jobIds) => context.parents(jobIds)),
  };
}

function once<Args extends unknown[], Result>(
  ask: (...args: Args) => Promise<Result>,
  keyOf: (...args: Args) => string = (...args) => stringify(args) as string,
): (...args: Args) => Promise<Result> {
  const answers = new Map<string, Promise<Result>>();
  return (...args) => {
    const key = keyOf(...args);
    const known = answers.get(key);
    if (known !== undefined) return known;
    const answer = ask(...args);
    answers.set(key, answer);
    return answer;
  };
}

/** Of those with one key the first is made and the others get its answer, or conflict with it. */
function joinEqual(entries: readonly Entry[]): Outcomes {
  const outcomes: Outcomes = new Map();
  const firsts = new Map<string, Entry>();
  for (const entry of entries) {
    const key = entry.request.idempotencyKey;
    const first = key === null ? undefined : firsts.get(key);
    if (key === null) continue;
    if (first === undefined) firsts.set(key, entry);
    else if (first.fingerprint === entry.fingerprint) first.equal.push(entry);
    else outcomes.set(entry, new IdempotencyConflictError(key, first.job?.shownId ?? ""));
  }
  return outcomes;
}

interface Stored {
  outcomes: Outcomes;
  inserted: Inserted[];
  /** Waiting jobs whose place others have taken. */
  replaced: string[];
}

/** Makes the jobs, and finds those that others have made under the same keys in the meantime. */
async function store(context: JobsContext, sql: Sql, actor: Actor, entries: readonly Entry[]): Promise<Stored> {
  const { backend } = context;
  const outcomes: Outcomes = new Map();
  const inserted: Inserted[] = [];
  const replaced: string[] = [];
  const settle = (entry: Entry, outcome: Outcome) => {
    outcomes.set(entry, outcome);
    for (const equal of entry.equal) outcomes.set(equal, isError(outcome) ? outcome : { ...outcome, replayed: true });
  };
  for (;;) {
    await refuseUnknownQueues(
      sql,
      entries.filter((entry) => !outcomes.has(entry)),
      settle,
    );
    const gone = await goneParents(
      sql,
      entries.flatMap((entry) => (outcomes.has(entry) ? [] : (entry.job ?? []))),
    );
    for (const entry of entries) {
      const error = gone.get(entry.job?.id ?? "");
      if (error !== undefined) settle(entry, error);
    }
    const open = entries.filter((entry) => !outcomes.has(entry));
    if (open.length === 0) return { outcomes, inserted, replaced };
    await setAside(sql, actor, open);
    for (const entry of open.filter(({ request }) => request.unique !== undefined).toSorted(byUniqueKey)) {
      const stored = await storeOneUnique(context, sql, actor, entry);
      if (stored === null) continue;
      settle(entry, isError(stored) ? stored : stored.enqueued);
      if (isError(stored)) continue;
      if (stored.inserted !== null) inserted.push(stored.inserted);
      if (stored.enqueued.replaced !== undefined) replaced.push(stored.enqueued.replaced);
    }
    const made = await insertJobs(
      sql,
      backend,
      open.flatMap(({ job, request }) => (job === null || request.unique !== undefined ? [] : job)),
    );
    const byId = new Map(made.map((job) => [job.id, job]));
    for (const entry of open) {
      const job = byId.get(entry.job?.id ?? "");
      if (job === undefined) continue;
      if (isRefused(job)) settle(entry, new QueueFullError(entry.job?.queue ?? "", job.backlogLimit, "input.queue"));
      else {
        inserted.push(job);
        settle(entry, { jobId: job.id, replayed: false });
      }
    }
    const lost = open.filter((entry) => !outcomes.has(entry));
    for (const [entry, outcome] of await answeredBefore(sql, actor, lost)) settle(entry, outcome);
  }
}

/** In one order for all callers, so that they wait for each other and never in a circle. Equal keys in the order of the call. */
function byUniqueKey(one: Entry, other: Entry): number {
  const key = ({ job, request }: Entry) => `${job?.project}/${request.unique?.key}`;
  return key(one) < key(other) ? -1 : key(one) > key(other) ? 1 : one.index - other.index;
}

/** Undone by itself when it cannot be made; null when its idempotency key was taken in the meantime. */
async function storeOneUnique(
  context: JobsContext,
  sql: Sql,
  actor: Actor,
  { job, request: { unique } }: Entry,
): Promise<StoredUnique | DomainError | null> {
  if (job === null || unique === undefined) return null;
  try {
    return await (sql as TransactionSql).savepoint(async (inner) => {
      const stored = await storeUnique(context, inner, actor, job, unique);
      if (stored === null) throw new KeyTaken();
      return stored;
    });
  } catch (error) {
    if (error instanceof KeyTaken) return null;
    if (isOfOne(error)) return error;
    throw error;
  }
}

class KeyTaken extends Error {}

async function refuseUnknownQueues(
  sql: Sql,
  entries: readonly Entry[],
  refuse: (entry: Entry, error: DomainError) => void,
): Promise<void> {
  if (entries.length === 0) return;
  const rows = await sql<{ name: string }[]>`select name from queues order by name`;
  const names = rows.map(({ name }) => name);
  const known = new Set(names);
  for (const entry of entries) {
    const queue = entry.job?.queue ?? "";
    if (!known.has(queue)) refuse(entry, new NotFoundError("queue", queue, "input.queue", nearest(queue, names)));
  }
}

/** Frees the keys of the holders that were seen, and of no others. */
async function setAside(sql: Sql, actor: Actor, entries: readonly Entry[]): Promise<void> {
  const aside = entries.flatMap(({ replaces, request }) =>
    replaces === null ? [] : [{ job_id: replaces, key: request.idempotencyKey }],
  );
  if (aside.length === 0) return;
  await sql`
    delete from idempotency_keys k using jsonb_to_recordset(${sql.json(aside)}) as a (job_id uuid, key text)
    where k.owner = ${actor.name} and k.key = a.key and k.job_id = a.job_id`;
}

function wake({ wakeups }: JobsContext, { inserted, replaced }: Stored, entries: readonly Entry[]): void {
  if (inserted.length === 0) return;
  wakeups.ring("events", [...inserted.map(({ id }) => id), ...replaced]);
  const expiring = entries.some(({ job }) => job !== null && expires(job));
  const waits = inserted.some(({ held, state }) => held || state === "scheduled");
  if (expiring || waits || replaced.length > 0) wakeups.ring("admit");
}
