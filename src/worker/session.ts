import { hostname } from "node:os";
import pg from "pg";
import type { Database } from "../db/client.ts";
import { refuseClaimedProjects } from "../pipelines/publish.ts";
import { processIdentity } from "./process-identity.ts";
import { refuseOtherStores, type WorkerStore } from "./shared-store.ts";

/** Advisory locks of workers: "fpwk", and the worker's number. */
export const workerLock = 0x66_70_77_6b;

export interface SessionOptions {
  slots: number;
  version: string;
  projects: { name: string; root: string }[];
  labels?: readonly string[];
  /** Where it keeps artifacts. */
  store?: WorkerStore | null;
  heartbeatMs?: number;
}

const goodbyeMs = 2000;

/** An attempt that the database says this worker runs. */
export interface Held {
  jobId: string;
  attempt: number;
  runToken: string;
  cancelRequested: boolean;
  cancelReason: string | null;
}

/** What somebody has asked of this worker through the API; null: that it takes jobs. */
export interface Wish {
  wanted: "drain" | "stop" | null;
  /** How long runs may go on when it is to stop; null: as long as it was started with. */
  graceMs: number | null;
  by: string | null;
  reason: string | null;
}

export interface SessionEvents {
  /** With each heartbeat, after `beat`. */
  wished(wish: Wish): void;
  /** After each heartbeat: what this worker runs according to the database, as of the moment `askedAt` (performance.now). */
  beat(held: readonly Held[], askedAt: number): void;
  /** This worker was declared dead: what it runs belongs to others, or to nobody. A new session has begun under a new id. */
  superseded(): void;
  failed(error: Error): void;
}

/**
 * A worker's presence in the database: its row, the advisory lock that falls when the process dies, and the heartbeat, all on
 * one connection of its own. The heartbeat's answer also brings what a lost notice would have brought.
 */
export class WorkerSession implements AsyncDisposable {
  #id = "";
  #lockNumber = 0;
  #poolId: string | null = null;
  #state: "running" | "draining" = "running";
  #client: pg.Client | null = null;
  #locked = false;
  #timer: NodeJS.Timeout | null = null;
  #beating: Promise<void> | null = null;
  /** Somebody asked for a heartbeat while one was under way. */
  #again = false;
  /** Heartbeats in a row that have failed: another one follows sooner. */
  #failures = 0;
  #closed = false;
  readonly #db: Database;
  readonly #options: SessionOptions;
  readonly #events: SessionEvents;

  private constructor(db: Database, options: SessionOptions, events: SessionEvents) {
    this.#db = db;
    this.#options = options;
    this.#events = events;
  }

  static async open(db: Database, options: SessionOptions, events: SessionEvents): Promise<WorkerSession> {
    const session = new WorkerSession(db, options, events);
    await session.#register();
    session.#schedule();
    return session;
  }

  get id(): string {
    return this.#id;
  }

  /** Tells under which name this worker locks tickets. To be awaited before it may take any. */
  async setPool(poolId: string): Promise<void> {
    this.#poolId = poolId;
    await this.#db.sql`update workers set pool_id = ${poolId} where id = ${this.#id}`;
  }

  /** A heartbeat now: its answer says which runs are to be cancelled. */
  beatNow(): void {
    if (this.#timer === null || this.#closed) return;
    clearTimeout(this.#timer);
    this.#again = true;
    if (this.#beating === null) this.#run();
  }

  /** What it says of itself from the next heartbeat on. */
  say(state: "running" | "draining"): void {
    if (this.#state === state) return;
    this.#state = state;
    this.beatNow();
  }

  async drain(): Promise<void> {
    this.#state = "draining";
    await this.#db.sql`update workers set state = 'draining' where id = ${this.#id} and ended_at is null`;
  }

  /** Ends the session in order. What it still runs is rescued by others. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#beating;
    // Where nothing answers, nothing is waited for: the row is found dead by the next rescue, the lock falls with the socket.
    const late = new Promise((resolve) => setTimeout(resolve, goodbyeMs).unref());
    await Promise.race([this.#signOff(), late]);
    this.#client?.connection.stream.destroy();
  }

  async #signOff(): Promise<void> {
    try {
      await this.#db.sql`
        update workers set state = 'stopped', ended_at = queue_now()
        where id = ${this.#id} and ended_at is null
          and not exists (select 1 from jobs where worker_id = ${this.#id} and state = 'running')`;
      await this.#client?.end();
    } catch (error) {
      this.#events.failed(error as Error);
    }
  }

  async #register(): Promise<void> {
    const { slots, version, projects, labels = [], store = null } = this.#options;
    const identity = processIdentity(process.pid) ?? `${hostname()}/${process.pid}`;
    const id = this.#db.ids.next();
    const poolId = this.#poolId;
    const before = this.#id === "" ? null : this.#id;
    this.#lockNumber = await this.#db.sql.begin(async (tx) => {
      await refuseClaimedProjects(tx, { id, host: hostname() }, projects);
      await refuseOtherStores(tx, { id, host: hostname() }, store);
      const [row] = await tx<{ lockNumber: number }[]>`
        insert into workers (id, host, pid, process, version, slots, projects, store, pool_id, state, started_at,
          heartbeat_at, labels, environments, wanted, wanted_at, wanted_by, wanted_reason, stop_grace_ms)
        select ${id}, ${hostname()}, ${process.pid}, ${identity}, ${version}, ${slots}, ${tx.json(projects)},
          ${store?.id ?? null}, ${poolId}, ${this.#state}, queue_now(), queue_now(), ${[...labels]}::text[],
          -- What was asked of the worker that was declared dead is asked of this one: it is the same process.
          coalesce(w.environments, '{}'), w.wanted, w.wanted_at, w.wanted_by, w.wanted_reason, w.stop_grace_ms
        from (select 1) one left join workers w on w.id = ${before}
        returning lock_number as "lockNumber"`;
      if (row === undefined) throw new Error("the worker's row was not inserted");
      return row.lockNumber;
    });
    this.#id = id;
    // The pool was replaced meanwhile, and its name went to the row of before.
    if (this.#poolId !== null && this.#poolId !== poolId) await this.setPool(this.#poolId);
    await this.#connect();
  }

  /** Opens the connection that holds the lock. */
  async #connect(): Promise<void> {
    await this.#client?.end().catch(() => {});
    const client = new pg.Client({
      connectionString: this.#db.url,
      application_name: `flowerpower-queue worker ${this.#lockNumber}`,
      connectionTimeoutMillis: 5000,
      query_timeout: 5000,
      keepAlive: true,
    });
    client.on("error", () => {}); // its end follows
    client.on("end", () => this.#lost(client));
    this.#client = client;
    await client.connect();
    await client.query("set search_path to flowerpower_queue, public");
    this.#locked = false;
    await this.#lock(client);
  }

  /** With the connection the lock has fallen: back at once, before those who look take it for a sign of death. */
  #lost(client: pg.Client): void {
    // During a heartbeat that fails by itself, and is followed by another one soon.
    if (this.#client !== client || this.#beating !== null) return;
    this.#client = null;
    this.beatNow();
  }

  /**
   * Without waiting: Postgres may not have noticed yet that the connection of before is gone, and then holds the lock for it.
   * A heartbeat that waited for that would be missed.
   */
  async #lock(client: pg.Client): Promise<void> {
    if (this.#locked) return;
    const { rows } = await client.query<{ locked: boolean }>(
      "select pg_try_advisory_lock($1::int, $2::int) as locked",
      [workerLock, this.#lockNumber],
    );
    this.#locked = rows[0]?.locked === true;
  }

  #schedule(): void {
    if (this.#closed) return;
    const { heartbeatMs = 1000 } = this.#options;
    const waitMs = this.#failures === 0 ? heartbeatMs : Math.min(50 * 2 ** this.#failures, heartbeatMs);
    this.#timer = setTimeout(() => this.#run(), this.#again ? 0 : waitMs);
    this.#again = false;
  }

  #run(): void {
    this.#again = false;
    this.#beating = this.#beat().finally(() => {
      this.#beating = null;
      this.#schedule();
    });
  }

  async #beat(): Promise<void> {
    try {
      if (this.#client === null) await this.#connect();
      const askedAt = performance.now();
      const answer = await this.#ask();
      if (answer === null) {
        this.#events.superseded();
        await this.#register();
      } else {
        this.#events.beat(answer.held, askedAt);
        this.#events.wished(answer.wish);
        await this.#lock(this.#client as pg.Client);
      }
      this.#failures = 0;
    } catch (error) {
      this.#failures += 1;
      this.#events.failed(error as Error);
      const client = this.#client;
      this.#client = null;
      // Not awaited: a half-open connection never says good-bye.
      client?.end().catch(() => {});
    }
  }

  /** Writes the heartbeat and reads what this worker runs; null when it was declared dead. */
  async #ask(): Promise<{ held: Held[]; wish: Wish } | null> {
    const { rows } = await (this.#client as pg.Client).query<HeartbeatRow & Wish>(heartbeat, [this.#id, this.#state]);
    const held = heldOf(rows);
    return held === null ? null : { held, wish: rows[0] as Wish };
  }
}

type HeartbeatRow = Held & { alive: boolean };

/** The heartbeat of worker `$1`, which says that its state is `$2`. */
export const heartbeat = `
  with beat as (
    update workers set heartbeat_at = queue_now(), state = $2 where id = $1 and ended_at is null
    returning wanted, stop_grace_ms, wanted_by, wanted_reason
  )
  select b.alive is true as alive, b.wanted, b.stop_grace_ms as "graceMs", b.wanted_by as by, b.wanted_reason as reason,
    j.id as "jobId", j.attempt, j.run_token as "runToken",
    j.cancel_requested_at is not null as "cancelRequested",
    case when j.cancel_requested_at is not null then (
      select e.data ->> 'reason' from events e
      where e.job_id = j.id and e.type = 'job.cancel_requested' order by e.seq desc limit 1
    ) end as "cancelReason"
  from (select 1) one left join (select true as alive, * from beat) b on true
  left join jobs j on j.worker_id = $1 and j.state = 'running'`;

/** What a worker runs, by the answer to its heartbeat; null when it was declared dead. */
export function heldOf(rows: readonly HeartbeatRow[]): Held[] | null {
  if (rows[0]?.alive !== true) return null;
  return rows.filter((row) => row.jobId !== null);
}
