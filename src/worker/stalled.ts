import type { Database } from "../db/client.ts";
import { type Rounds, startRounds } from "../events/rounds.ts";
import type { Wakeups } from "../events/wakeups.ts";
import type { PipelineHistory } from "../pipelines/history.ts";

export interface StallTimes {
  /** A run that has told nothing and used no processor time for so long is stalled. */
  afterMs: number;
  /** So is one that takes so many times the p95 of its pipeline, but not before `leastSlowMs`. */
  slowFactor: number;
  leastSlowMs: number;
}

export const stallTimes: StallTimes = { afterMs: 600_000, slowFactor: 3, leastSlowMs: 60_000 };

/** An attempt under way, as far as it can stall. Times by the monotonic clock. */
export interface Watched {
  jobId: string;
  attempt: number;
  runToken: string;
  project: string;
  pipeline: string;
  startedAt: number;
  progressAt: number;
  /** Why it is flagged at present. */
  stalled: StallReason | null;
  /** The event was written: once per attempt. */
  stallTold: boolean;
}

export type StallReason = { kind: "no_progress"; forMs: number } | { kind: "slow"; forMs: number; p95Ms: number };

export interface StallsOptions {
  db: Database;
  wakeups: Wakeups;
  underWay(): readonly Watched[];
  historyOf(run: Pick<Watched, "project" | "pipeline">): Promise<PipelineHistory>;
  times: StallTimes;
  onError(error: Error): void;
}

/** Between two looks at what runs. */
export function lookMsOf({ afterMs }: StallTimes): number {
  return Math.min(afterMs / 5, 10_000);
}

/** Flags runs that have stalled, and takes the flag back when they go on. */
export function startStalls(options: StallsOptions): Rounds {
  return startRounds(async () => {
    await look(options);
    return lookMsOf(options.times);
  }, options.onError);
}

async function look({ db, wakeups, underWay, historyOf, times }: StallsOptions): Promise<void> {
  const changed: { run: Watched; reason: StallReason | null }[] = [];
  for (const run of underWay()) {
    const reason = await reasonOf(run, historyOf, times);
    if ((reason === null) !== (run.stalled === null)) changed.push({ run, reason });
  }
  const stalled = changed.flatMap(({ run, reason }) =>
    reason === null ? [] : [{ id: run.jobId, runToken: run.runToken, reason, tell: !run.stallTold }],
  );
  const goesOn = changed.flatMap(({ run, reason }) => (reason === null ? [run.runToken] : []));
  if (stalled.length > 0) await flag(db, stalled);
  if (goesOn.length > 0) await takeBack(db, goesOn);
  for (const { run, reason } of changed) {
    run.stalled = reason;
    run.stallTold ||= reason !== null;
  }
  wakeups.ring(
    "events",
    changed.map(({ run }) => run.jobId),
  );
}

async function reasonOf(
  run: Watched,
  historyOf: StallsOptions["historyOf"],
  { afterMs, slowFactor, leastSlowMs }: StallTimes,
): Promise<StallReason | null> {
  const now = performance.now();
  const silentMs = Math.round(now - run.progressAt);
  if (silentMs >= afterMs) return { kind: "no_progress", forMs: silentMs };
  const runMs = Math.round(now - run.startedAt);
  if (runMs < leastSlowMs) return null;
  const p95Ms = (await historyOf(run)).run?.p95Ms ?? null;
  return p95Ms !== null && runMs > slowFactor * p95Ms ? { kind: "slow", forMs: runMs, p95Ms } : null;
}

/** Under the jobs' row locks, in their order, as all that numbers events. An attempt that is over is not flagged. */
async function flag(
  { sql }: Database,
  stalled: { id: string; runToken: string; reason: StallReason; tell: boolean }[],
): Promise<void> {
  await sql`
    with input as materialized (
      select * from jsonb_to_recordset(${sql.json(stalled as never)}) as i (id uuid, "runToken" uuid, reason jsonb, tell boolean)
    ), locked as materialized (
      select j.id from jobs j where j.id in (select id from input) order by j.id for no key update of j
    ), flagged as (
      update jobs j set stalled_at = queue_now(), last_seq = j.last_seq + i.tell::int
      from input i, locked l
      where j.id = i.id and l.id = j.id and j.run_token = i."runToken"
      returning j.id, j.last_seq as seq, j.life, j.attempt, i.reason, i.tell
    )
    insert into events (job_id, seq, life, attempt, type, version, recorded_at, occurred_at, data)
    select id, seq, life, attempt, 'job.stalled', 1, queue_now(), queue_now(), reason from flagged where tell`;
}

async function takeBack({ sql }: Database, runTokens: string[]): Promise<void> {
  await sql`
    update jobs set stalled_at = null where id in (
      select id from jobs where stalled_at is not null and run_token = any(${runTokens}::uuid[])
      order by id for no key update
    )`;
}
