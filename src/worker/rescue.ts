import type { Backend } from "../backends/backend.ts";
import type { Database, Sql } from "../db/client.ts";
import { withRetries } from "../db/retry.ts";
import { idText } from "../domain/ids.ts";
import type { JsonObject } from "../domain/json.ts";
import { outcomeOf } from "../domain/outcome.ts";
import { noRetry } from "../domain/retry.ts";
import { type Rounds, startRounds } from "../events/rounds.ts";
import type { JobsContext } from "../jobs/context.ts";
import { keepFailureGroups } from "../jobs/failure-groups.ts";
import { type Move, transition } from "../jobs/transition.ts";
import { hasEnded } from "./process-identity.ts";
import { workerLock } from "./session.ts";

export interface RescueTimes {
  /** Between two looks. */
  lookMs: number;
  /** Without a heartbeat for this long a worker is dead, whatever else is seen. */
  leaseMs: number;
  /** Without its lock, a worker is dead after this long without a heartbeat. */
  silentMs: number;
}
export const rescueTimes: RescueTimes = { lookMs: 1000, leaseMs: 30_000, silentMs: 1500 };

/** Milliseconds of this process's clocks: the steady one may stand still while the machine is suspended, the wall's goes on. */
export interface Clocks {
  steady(): number;
  wall(): number;
}
const ownClocks: Clocks = { steady: () => performance.now(), wall: () => Date.now() };

interface Suspect {
  id: string;
  pid: number;
  process: string;
  silentMs: number;
  /** The very heartbeat by which it is judged. */
  heardAt: string;
  locked: boolean;
}

/** When a look was answered, by each clock: this process's two and the database's. */
interface Moment {
  steady: number;
  wall: number;
  /** Null before the first answer. */
  database: number | null;
}

/**
 * Finds workers that have died and gives their jobs back. Any number of processes may look; one of them declares a worker dead.
 *
 * Three things tell: the process has ended (certain, but only seen on its own host), its advisory lock has fallen (a hint: a
 * restart of Postgres drops all of them), its heartbeat is older than the lease. After a restart of Postgres or of this
 * process, when this process or Postgres was away (stopped, suspended, slow to answer), and when a clock has jumped, everybody
 * gets one full lease to be heard again.
 */
export class Rescuer {
  readonly #db: Database;
  readonly #backend: Backend;
  readonly #times: RescueTimes;
  readonly #unlocked = new Set<string>();
  readonly #clocks: Clocks;
  #lastLook: Moment;
  #trustFrom: number;

  constructor(db: Database, backend: Backend, times: RescueTimes = rescueTimes, clocks: Clocks = ownClocks) {
    this.#db = db;
    this.#backend = backend;
    this.#times = times;
    this.#clocks = clocks;
    this.#lastLook = { steady: clocks.steady(), wall: clocks.wall(), database: null };
    this.#trustFrom = this.#lastLook.steady + times.leaseMs;
  }

  /** The database could not be reached: what it says of others' heartbeats means nothing for one lease. */
  wasAway(): void {
    this.#trustFrom = this.#clocks.steady() + this.#times.leaseMs;
    this.#unlocked.clear();
  }

  /** One look: the jobs that were given back or ended. */
  async look(): Promise<string[]> {
    const { suspects, postgresUpMs, databaseMs } = await this.#suspects();
    // The clocks are read after the answer: one that has waited while Postgres stood still is about the time before.
    const answered = { steady: this.#clocks.steady(), wall: this.#clocks.wall(), database: databaseMs };
    if (this.#sinceLastLookMs(answered) > this.#times.lookMs * 5 + 2000) this.wasAway();
    this.#lastLook = answered;
    const trusting = answered.steady >= this.#trustFrom && postgresUpMs > this.#times.leaseMs;
    const rescued: string[] = [];
    for (const suspect of suspects) {
      const reason = this.#verdict(suspect, trusting);
      if (reason !== null) rescued.push(...(await bury(this.#db, this.#backend, suspect.id, reason, suspect.heardAt)));
    }
    this.#forget(suspects);
    rescued.push(...(await this.#orphans()));
    return rescued;
  }

  /** By whichever clock says the most. */
  #sinceLastLookMs({ steady, wall, database }: Moment): number {
    const last = this.#lastLook;
    const ofDatabase = database === null || last.database === null ? 0 : database - last.database;
    return Math.max(steady - last.steady, wall - last.wall, ofDatabase);
  }

  /** Why this worker is dead, or null as long as it may live. */
  #verdict(suspect: Suspect, trusting: boolean): string | null {
    if (hasEnded(suspect.process, suspect.pid)) return "its process has ended";
    if (!trusting) return null;
    const seconds = (suspect.silentMs / 1000).toFixed(1);
    if (suspect.silentMs > this.#times.leaseMs) return `it has not been heard of for ${seconds} s`;
    if (suspect.locked) return null;
    if (this.#unlocked.has(suspect.id)) return `its connection is gone and it has not been heard of for ${seconds} s`;
    this.#unlocked.add(suspect.id);
    return null;
  }

  /** Attempts that a worker began in the very moment in which it was declared dead, or signed off with. */
  async #orphans(): Promise<string[]> {
    const gone = await this.#db.sql<{ id: string }[]>`
      select distinct w.id from jobs j join workers w on w.id = j.worker_id
      where j.state = 'running' and w.ended_at is not null order by w.id`;
    const ended: string[] = [];
    for (const { id } of gone) {
      ended.push(...(await giveBack(this.#db, this.#backend, id, "it was declared dead")));
    }
    return ended;
  }

  #forget(suspects: readonly Suspect[]): void {
    const unlocked = new Set(suspects.filter(({ locked }) => !locked).map(({ id }) => id));
    for (const id of this.#unlocked) if (!unlocked.has(id)) this.#unlocked.delete(id);
  }

  async #suspects(): Promise<{ suspects: Suspect[]; postgresUpMs: number; databaseMs: number }> {
    const rows = await this.#db.sql<(Suspect & { postgresUpMs: number; databaseMs: number })[]>`
      select w.id, w.pid, w.process, extract(epoch from queue_now() - w.heartbeat_at)::float8 * 1000 as "silentMs",
        w.heartbeat_at::text as "heardAt",
        exists (
          select 1 from pg_locks l
          where l.locktype = 'advisory' and l.granted and l.classid = ${workerLock}::int and l.objid = w.lock_number
            and l.database = (select oid from pg_database where datname = current_database())
        ) as locked,
        extract(epoch from now() - pg_postmaster_start_time())::float8 * 1000 as "postgresUpMs",
        extract(epoch from queue_now())::float8 * 1000 as "databaseMs"
      from (select 1) always
      left join workers w on w.ended_at is null and (
        w.heartbeat_at < queue_now() - make_interval(secs => ${this.#times.silentMs / 1000}::float8)
        -- From before the database's clock was set back: who lives has been heard of since.
        or w.heartbeat_at > queue_now() + interval '5 seconds'
      )
      order by w.id`;
    const [{ postgresUpMs, databaseMs } = { postgresUpMs: 0, databaseMs: 0 }] = rows;
    return { suspects: rows.filter(({ id }) => id !== null), postgresUpMs, databaseMs };
  }
}

/**
 * Declares a worker dead and decides on all that it had, in one transaction: the first who does it does all of it. With
 * `heardAt`, its last heartbeat as it was judged by, only when it has not been heard of since.
 */
export async function bury(
  db: Database,
  backend: Backend,
  workerId: string,
  reason: string,
  heardAt: string | null = null,
): Promise<string[]> {
  return await withRetries(() =>
    db.sql.begin(async (tx) => {
      const [dead] = await tx<{ poolId: string | null }[]>`
        update workers set state = 'dead', ended_at = queue_now()
        where id = ${workerId} and ended_at is null and heartbeat_at = coalesce(${heardAt}::timestamptz, heartbeat_at)
        returning pool_id as "poolId"`;
      if (dead === undefined) return [];
      const jobIds = await endLostAttempts(tx, backend, workerId, reason);
      if (dead.poolId !== null) await voidTickets(tx, backend, [dead.poolId]);
      // Behind the tickets, whose jobs are locked too: jobs come first.
      await keepFailureGroups(tx, jobIds);
      return jobIds;
    }),
  );
}

/** Tickets in the hands of nobody who lives: a pool that was replaced, or whose worker never wrote its name. */
export async function reclaimAbandoned(db: Database, backend: Backend, leaseMs = rescueTimes.leaseMs): Promise<void> {
  await backend.sweep(db.sql);
  const holders = await backend.holders(db.sql, leaseMs);
  if (holders.length === 0) return;
  const alive = await db.sql<{ poolId: string | null }[]>`
    select pool_id as "poolId" from workers where ended_at is null`;
  const living = new Set(alive.map(({ poolId }) => poolId));
  const gone = holders.filter((holder) => !living.has(holder));
  if (gone.length > 0) await withRetries(() => db.sql.begin((tx) => voidTickets(tx, backend, gone)));
}

/** Ends a worker's running attempts as lost, all of them or those with these tokens. The worker itself may live. */
export async function giveBack(
  db: Database,
  backend: Backend,
  workerId: string,
  reason: string,
  runTokens: string[] | null = null,
): Promise<string[]> {
  return await withRetries(() =>
    db.sql.begin(async (tx) => {
      const jobIds = await endLostAttempts(tx, backend, workerId, reason, runTokens);
      await keepFailureGroups(tx, jobIds);
      return jobIds;
    }),
  );
}

/** Ends running attempts as lost: all of a worker's, or those with these tokens. The caller keeps the failure groups. */
export async function endLostAttempts(
  sql: Sql,
  backend: Backend,
  workerId: string,
  reason: string,
  runTokens: string[] | null = null,
): Promise<string[]> {
  const lost = await sql<
    {
      id: string;
      attempt: number;
      failures: number;
      losses: number;
      maxLosses: number;
      onWorkerLost: "retry" | "fail";
      node: string | null;
    }[]
  >`
    select j.id, j.attempt, j.failures, j.losses, j.max_losses as "maxLosses", j.on_worker_lost as "onWorkerLost",
      (select min(n.node) from node_runs n
        where n.job_id = j.id and n.attempt = j.attempt and n.state = 'running' having count(*) = 1) as node
    from jobs j
    where j.worker_id = ${workerId} and j.state = 'running'
      and (${runTokens === null} or j.run_token = any(${runTokens ?? []}::uuid[]))
    order by j.id for no key update`;
  const message = `The worker ${idText("worker", workerId)} was lost: ${reason}.`;
  const moves = lost.map((job) => {
    const {
      transition: name,
      failures,
      losses,
    } = outcomeOf({ outcome: "failed", kind: "WORKER_LOST", classes: [] }, job, noRetry);
    const error = { kind: "WORKER_LOST" as const, type: "WorkerLost", message, node: job.node };
    const told = { ...error, classes: [], traceback: null, branch: null, file: null, line: null, code: null };
    return {
      name: name as "rescue" | "fail",
      move: {
        id: job.id,
        attempt: job.attempt,
        failures,
        losses,
        errorKind: "WORKER_LOST" as const,
        error: { ...told, hint: hintFor(job.onWorkerLost, name), problems: [] } as JsonObject,
        data: name === "rescue" ? { error, losses } : { error },
      } as Move,
    };
  });
  const moved = await Promise.all(
    (["rescue", "fail"] as const).map((name) => {
      const group = moves.filter((one) => one.name === name).map(({ move }) => move);
      return transition(sql, backend, name, group as Move<typeof name>[]);
    }),
  );
  // With what has waited for one that is lost for good.
  const following = moved.flat().filter(({ follows }) => follows);
  return [...lost, ...following].map(({ id }) => id);
}

function hintFor(onWorkerLost: "retry" | "fail", name: string): string | null {
  if (name === "rescue") return null;
  return onWorkerLost === "fail"
    ? "It may have run partly. It is not started again because onWorkerLost is fail."
    : "It has lost its worker as often as maxLosses allows: does it run out of memory, or kill its process?";
}

/** Removes the holders' tickets; jobs that still wait are left without one, and admission gives them a new one. */
async function voidTickets(sql: Sql, backend: Backend, holders: readonly string[]): Promise<void> {
  const tickets = await backend.reclaim(sql, holders);
  if (tickets.length === 0) return;
  await sql`
    with held as materialized (
      select j.id from jobs j
      join jsonb_to_recordset(${sql.json(tickets)}) as t (id uuid, attempt int) on t.id = j.id and t.attempt = j.attempt
      where j.state = 'queued' order by j.id for no key update of j
    )
    update jobs j set ticketed_at = null from held h where j.id = h.id`;
}

/** Looks for dead workers again and again. Every server and worker does this. */
export function startRescue(
  { db, backend, wakeups }: Pick<JobsContext, "db" | "backend" | "wakeups">,
  log: (message: string, data: JsonObject) => void,
  times: RescueTimes = rescueTimes,
): Rounds {
  const rescuer = new Rescuer(db, backend, times);
  let reclaimedAt = performance.now();

  async function round(): Promise<number> {
    const jobIds = await rescuer.look();
    if (performance.now() - reclaimedAt > times.leaseMs) {
      reclaimedAt = performance.now();
      await reclaimAbandoned(db, backend, times.leaseMs);
    }
    if (jobIds.length > 0) {
      log("jobs of a lost worker given back", { jobs: jobIds.map((id) => idText("job", id)) });
      wakeups.ring("events", jobIds);
      wakeups.ring("admit");
    }
    return times.lookMs;
  }

  return startRounds(round, (error) => {
    rescuer.wasAway();
    log("looking for lost workers failed", { error: String(error) });
  });
}
