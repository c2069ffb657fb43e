import type { Backend } from "../../src/backends/backend.ts";
import { graphileWorker } from "../../src/backends/graphile-worker/backend.ts";
import type { Database } from "../../src/db/client.ts";
import { ticketSchema } from "../../src/db/migrate.ts";
import { IdSource } from "../../src/domain/ids.ts";
import type { RunRequest } from "../../src/domain/run-request.ts";
import { actOnBatch } from "../../src/jobs/act-on-batch.ts";
import { admit, findLostTickets } from "../../src/jobs/admit.ts";
import { cancelJob } from "../../src/jobs/cancel.ts";
import { completeBatches } from "../../src/jobs/complete-batch.ts";
import type { JobsContext } from "../../src/jobs/context.ts";
import { enqueueJob } from "../../src/jobs/enqueue.ts";
import { type BatchRequest, enqueueBatch } from "../../src/jobs/enqueue-batch.ts";
import { requeueJob } from "../../src/jobs/requeue.ts";
import { Rescuer, type RescueTimes, reclaimAbandoned } from "../../src/worker/rescue.ts";
import { jobsContext, runRequest, tester } from "../support/jobs.ts";
import { violationsAtTheEnd, violationsNow } from "./invariants.ts";
import { SimulatedProcess } from "./process.ts";
import { Random } from "./random.ts";
import { Scheduler } from "./scheduler.ts";
import { type Seen, SimulatedWorker } from "./worker.ts";

/** Postgres has to have been up for a lease before a rescuer trusts what it reads. */
export const times: RescueTimes = { lookMs: 60_000, leaseMs: 3000, silentMs: 500 };
const backend: Backend = graphileWorker;

/** One after the other the processes of a place: when one has died, another takes its place. */
interface Place {
  name: string;
  real: Database;
  process: SimulatedProcess;
  worker: SimulatedWorker | null;
  context: JobsContext;
  rescuer: Rescuer;
  /** It does one thing at a time of what every process does now and then. */
  tending: boolean;
  /** Calls of clients under way: each may hold a connection, and there are only so many. */
  calls: number;
}

/** A batch that somebody asks for under a key, again and again until it is answered. */
interface AskedBatch {
  request: BatchRequest;
  busy: boolean;
  batchId: string | null;
}

interface Asked {
  request: RunRequest;
  busy: boolean;
  /** Null: not answered yet. */
  jobId: string | null;
}

/** What every process does now and then. */
type Task = "admit" | "look" | "reclaim" | "find lost" | "complete";

/** The product in small: two workers, a server, their clients and an operator, for the length of one schedule. */
export class World {
  readonly random: Random;
  readonly scheduler: Scheduler;
  readonly #monitor: Database;
  readonly #ids: IdSource;
  readonly #since: string;
  readonly #places: Place[] = [];
  readonly #asked: Asked[] = [];
  readonly #batch: AskedBatch | null;
  readonly #seen: Seen = { ran: [], ended: [] };
  #now: number;
  #incarnations = 0;
  #paused = false;
  #ticketsWereLost = false;
  /** Leases end again and again: whoever stands still is given up, and comes back while another does its work. */
  readonly #hasty: boolean;

  constructor(seed: number, monitor: Database, pools: readonly Database[], startMs: number) {
    this.random = new Random(seed);
    this.#monitor = monitor;
    this.#now = startMs;
    this.#ids = new IdSource(() => this.#now);
    this.#since = this.#ids.next();
    this.scheduler = new Scheduler(this.random, monitor.sql);
    this.#hasty = this.random.chance(0.3);
    this.scheduler.faults = { left: this.random.between(1, 4), chance: this.random.pick([0.02, 0.05, 0.1]) };
    for (const [i, real] of pools.entries()) this.#places.push(this.#arrive(i === 0 ? "server" : `worker ${i}`, real));
    for (let jobs = this.random.between(1, 4); jobs > 0; jobs -= 1) this.#asked.push(this.#somethingToAsk());
    this.#batch = this.random.chance(0.3) ? { request: this.#someBatch(), busy: false, batchId: null } : null;
  }

  get nowMs(): number {
    return this.#now;
  }

  /** Runs the schedule; what was violated, empty when all is well. */
  async run(): Promise<string[]> {
    await this.#setClock();
    if (this.#batch !== null) {
      this.#askForBatch(this.#places[0] as Place);
      await this.#steps(20);
    }
    for (let picks = this.random.between(30, 70); picks > 0; picks -= 1) {
      if (this.scheduler.waiting === 0 || this.random.chance(0.3)) await this.#act();
      await this.scheduler.step();
      if (picks % 10 === 0 && !this.#ticketsWereLost) {
        const wrong = await violationsNow(this.#monitor.sql, this.#since);
        if (wrong.length > 0) return wrong;
      }
    }
    const unfinished = await this.#comeToRest();
    if (unfinished.length > 0) return unfinished;
    return await violationsAtTheEnd(this.#monitor.sql, this.#since, {
      accepted: new Set(this.#asked.flatMap(({ jobId }) => jobId ?? [])),
      ...this.#seen,
    });
  }

  #arrive(name: string, real: Database): Place {
    this.#incarnations += 1;
    const process = new SimulatedProcess(
      `${name}.${this.#incarnations}`,
      real,
      this.scheduler,
      this.#ids,
      () => this.#now,
    );
    const clock = () => this.#now;
    const pool = `pool-${this.#since}-${this.#incarnations}`;
    const worker =
      name === "server" ? null : new SimulatedWorker(process, pool, backend, this.#ownRandom(), this.#seen);
    void worker?.register();
    const rescuer = new Rescuer(process.db, backend, times, { steady: clock, wall: clock });
    return { name, real, process, worker, context: jobsContext(process.db), rescuer, tending: false, calls: 0 };
  }

  /** What happens in a run does not depend on which of two runs has begun first. */
  #ownRandom(): Random {
    return new Random(this.random.between(0, 2 ** 31));
  }

  #somethingToAsk(): Asked {
    const { random } = this;
    const in_ = (ms: number) => new Date(this.#now + ms);
    const request = runRequest({
      idempotencyKey: random.chance(0.6) ? `${this.#since}-${random.between(1, 2)}` : null,
      onReplay: random.pick(["return", "new_if_failed"]),
      runAt: random.chance(0.3) ? in_(random.between(-1000, 5000)) : null,
      expiresAt: random.chance(0.15) ? in_(random.between(500, 5000)) : null,
      retry: random.chance(0.5) ? { maxRetries: random.between(0, 2), retryDelayMs: 1000 } : null,
      onWorkerLost: random.chance(0.2) ? "fail" : "retry",
      priority: random.pick([null, 0, 100]),
    });
    // Two with one key ask for the same, or one of them is refused.
    const same = this.#asked.find((other) => other.request.idempotencyKey === request.idempotencyKey);
    const keyed = request.idempotencyKey !== null && same !== undefined;
    return { request: keyed ? same.request : request, busy: false, jobId: null };
  }

  /** Somebody begins something, or time passes. */
  async #act(): Promise<void> {
    const { random } = this;
    const place = random.pick(this.#places);
    const what = random.next();
    if (place.process.dead) {
      if (what < 0.5) this.#replace(place);
    } else if (this.#batch?.batchId != null && random.chance(0.4)) {
      this.#busyWithBatch(this.#batch.batchId);
    } else if (place.worker?.busy && !place.process.stalled && random.chance(this.#hasty ? 0.5 : 0.1)) {
      await this.#eclipse(place);
    } else if (what < 0.12) {
      await this.#pass(random.pick(this.#hasty ? [4000] : [1, 100, 900, 2500, 4000]));
    } else if (what < 0.2) {
      place.process.stalled = !place.process.stalled;
      this.scheduler.note(`${place.process.name} ${place.process.stalled ? "stands still" : "goes on"}`);
    } else if (what < 0.35) {
      this.#tend(place);
    } else if (place.worker !== null) {
      if (what < 0.5) void place.worker.beat();
      else if (what < 0.53) place.worker.drain();
      else this.#work(place);
    } else if (what < 0.7) {
      if (this.random.chance(0.3)) this.#askForBatch(place);
      else this.#ask(place);
    } else if (what < 0.85) {
      this.#cancel(place);
    } else if (what < 0.88) {
      this.#requeue(place);
    } else if (what < 0.92) {
      await this.#pauseQueue(!this.#paused);
    } else if (what < 0.94) {
      await this.#loseATicket();
    }
  }

  /** A worker stands still for longer than its lease, in the middle of a run; others take over, then it goes on. */
  async #eclipse(place: Place): Promise<void> {
    this.scheduler.note(`${place.process.name} stands still for a lease`);
    place.process.stalled = true;
    const others = this.#places.filter((other) => other !== place && !other.process.dead && !other.process.stalled);
    for (let half = 0; half < 2; half += 1) {
      await this.#pass(times.leaseMs / 2 + 100);
      for (const { worker } of others) void worker?.beat();
      await this.#steps(6);
    }
    for (const other of others) this.#tend(other, "look");
    await this.#steps(15);
    for (const other of others) this.#work(other);
    await this.#steps(this.random.between(5, 20));
    place.process.stalled = false;
    this.scheduler.note(`${place.process.name} goes on`);
  }

  async #steps(most: number): Promise<void> {
    for (let step = 0; step < most && (await this.scheduler.step()); ) step += 1;
  }

  #replace(place: Place): void {
    Object.assign(place, this.#arrive(place.name, place.real));
    this.scheduler.note(`${place.process.name} has come`);
  }

  #work({ worker }: Place): void {
    if (worker === null) return;
    if (worker.canTake) void worker.take();
  }

  /** What every process does now and then. */
  #tend(place: Place, which: Task = this.#anyTask()): void {
    if (place.tending) return;
    const { db } = place.process;
    const { rescuer } = place;
    place.tending = true;
    const doing = {
      admit: () => admit(db, backend),
      look: () => rescuer.look(),
      reclaim: () => reclaimAbandoned(db, backend, 0),
      complete: () => completeBatches(place.context, null),
      "find lost": () => this.#findLost(db),
    }[which]();
    doing
      .catch(() => rescuer.wasAway())
      .finally(() => {
        place.tending = false;
      });
  }

  #anyTask(): Task {
    if (this.#hasty && this.random.chance(0.5)) return "look";
    return this.random.pick(["admit", "look", "reclaim", "find lost"]);
  }

  /** Sometimes at once, as if a minute had passed for graphile-worker too: then a ticket in a slow hand is given out twice. */
  #findLost(db: Database): Promise<string[]> {
    const atOnce = this.scheduler.faults.left === 0 || this.random.chance(0.2);
    if (atOnce) this.#ticketsWereLost = true;
    return findLostTickets(db.sql, backend, atOnce ? 0 : 60_000);
  }

  #ask(place: Place): void {
    const open = this.#asked.filter(({ busy, jobId }) => !busy && jobId === null);
    if (open.length === 0) return;
    const asked = this.random.pick(open);
    asked.busy = true;
    this.#letWait(asked);
    enqueueJob(place.context, tester, asked.request)
      .then(({ jobId }) => {
        asked.jobId = jobId;
      })
      .catch(() => {}) // unknown: who has a key asks again, who has none may find it done twice
      .finally(() => {
        asked.busy = false;
      });
    // A client whose server has died hears of it.
    place.process.onDeath(() => {
      asked.busy = false;
    });
  }

  /** Two or three jobs, and one that waits for all of them, whatever becomes of them. */
  #someBatch(): BatchRequest {
    const runs = Array.from({ length: this.random.between(2, 3) }, () => runRequest());
    return {
      name: null,
      runs,
      placeOf: (index) => `input.jobs.${index}`,
      commonPlace: null,
      idempotencyKey: `batch ${this.#since}`,
      fingerprint: "the same",
      onComplete: {
        request: runRequest(),
        when: this.random.pick(["succeeded", "failed", "ended"] as const),
        otherwise: "cancel",
      },
    };
  }

  #askForBatch(place: Place): void {
    const batch = this.#batch;
    if (batch === null || batch.busy || batch.batchId !== null) return;
    batch.busy = true;
    enqueueBatch(place.context, tester, batch.request, false)
      .then(({ batchId }) => {
        batch.batchId = batchId;
      })
      .catch(() => {}) // unknown: it is asked for again
      .finally(() => {
        batch.busy = false;
      });
    place.process.onDeath(() => {
      batch.busy = false;
    });
  }

  /** Some jobs wait for one that is there, whatever it is at. Not those with a key, of which two ask for the same. */
  #letWait(asked: Asked): void {
    const parent = this.#knownJob();
    if (parent === null || asked.request.idempotencyKey !== null || !this.random.chance(0.7)) return;
    const when = this.random.pick(["succeeded", "succeeded", "failed", "ended"] as const);
    asked.request = { ...asked.request, dependsOn: [{ jobId: parent, when, otherwise: "cancel" }] };
  }

  #cancel(place: Place): void {
    const jobId = this.#knownJob();
    if (jobId === null) return;
    this.#call(place, () => cancelJob(place.context, tester, { jobId, reason: null }));
  }

  /** Two people and two processes at once: all jobs of a batch are stopped, given another life, and looked at whether they have ended. */
  #busyWithBatch(batchId: string): void {
    for (const place of this.#places.filter(({ process }) => !process.dead)) {
      const verb = this.random.pick(["cancel", "requeue"] as const);
      if (this.random.chance(0.5)) this.#tend(place, "complete");
      else this.#call(place, () => actOnBatch(place.context, tester, batchId, { verb, reason: null }));
    }
  }

  /** A person opens the next life of a job that has ended. */
  #requeue(place: Place): void {
    const jobId = this.#knownJob();
    if (jobId === null) return;
    this.#call(place, () => requeueJob(place.context, tester, { jobId, reason: null, expiresAt: null }));
  }

  #call(place: Place, work: () => Promise<unknown>): void {
    if (place.calls === 2) return;
    place.calls += 1;
    work()
      .catch(() => {}) // the job may have ended, or the connection be lost: both are the caller's to hear
      .finally(() => {
        place.calls -= 1;
      });
  }

  #knownJob(): string | null {
    const known = this.#asked.flatMap(({ jobId }) => jobId ?? []);
    return known.length === 0 ? null : this.random.pick(known);
  }

  async #pauseQueue(paused: boolean): Promise<void> {
    this.#paused = paused;
    this.scheduler.note(paused ? "queue paused" : "queue open");
    const { sql } = this.#monitor;
    await sql`update queues set paused_at = ${paused ? sql`queue_now()` : null} where name = 'default'`;
  }

  /** A hand deletes a ticket. */
  async #loseATicket(): Promise<void> {
    const { sql } = this.#monitor;
    const lost = await sql`
      delete from ${sql(ticketSchema)}._private_jobs where id = (
        select id from ${sql(ticketSchema)}._private_jobs where locked_at is null order by id limit 1 for update skip locked)`;
    if (lost.count === 0) return;
    this.#ticketsWereLost = true;
    this.scheduler.note("a ticket is lost");
  }

  async #pass(ms: number): Promise<void> {
    this.#now += ms;
    this.scheduler.note(`${ms} ms pass`);
    await this.#setClock();
  }

  async #setClock(): Promise<void> {
    await this.#monitor.sql`update sim_clock set at = ${new Date(this.#now)}`;
  }

  /** Nothing goes wrong any more, those who have died are replaced: all has to come to its end within bounds. */
  async #comeToRest(): Promise<string[]> {
    this.scheduler.note("--- from here on nothing goes wrong");
    this.scheduler.faults.left = 0;
    if (this.#paused) await this.#pauseQueue(false);
    for (const place of this.#places) {
      place.process.stalled = false;
      if (place.process.dead) this.#replace(place);
    }
    for (let round = 1; ; round += 1) {
      await this.#runAll();
      if (await this.#isOver()) break;
      if (round > 60) return await this.#stuck();
      await this.#pass(2500);
      for (const place of this.#places) {
        if (place.worker?.draining && !place.worker.busy) this.#retire(place);
        void place.worker?.beat();
      }
      await this.#runAll();
      const tending = this.random.pick(this.#places);
      const seldom = round % 2 === 0 ? (["reclaim", "find lost"] as const) : [];
      for (const which of ["look", ...seldom, "admit", "complete"] as const) {
        this.#tend(tending, which);
        await this.#runAll();
      }
      for (const place of this.#places) {
        this.#ask(place);
        this.#askForBatch(place);
      }
      await this.#runAll();
      for (const place of this.#places) this.#work(place);
    }
    // All workers leave; what their hands still hold is cleared away.
    for (const { process } of this.#places) process.die();
    await this.scheduler.settle();
    await this.#monitor.sql`update workers set state = 'stopped', ended_at = queue_now() where ended_at is null`;
    await reclaimAbandoned(this.#monitor, backend, 0);
    return [];
  }

  /** A worker that has drained ends, and another begins. */
  #retire(place: Place): void {
    place.process.die();
    this.#replace(place);
  }

  async #runAll(): Promise<void> {
    while (await this.scheduler.step());
  }

  async #isOver(): Promise<boolean> {
    const unanswered = this.#asked.some(
      ({ jobId, busy, request }) => busy || (jobId === null && request.idempotencyKey),
    );
    if (unanswered || this.#asked.some(({ jobId }) => jobId === null)) return false;
    if (this.#batch !== null && (this.#batch.busy || this.#batch.batchId === null)) return false;
    const { sql } = this.#monitor;
    const [row] = await sql<{ over: boolean }[]>`
      select not exists (select 1 from jobs where id > ${this.#since} and finished_at is null)
        and not exists (select 1 from batches where id > ${this.#since} and completed_at is null)
        and not exists (select 1 from ${sql(ticketSchema)}.jobs where key is not null) as over`;
    return row?.over === true;
  }

  async #stuck(): Promise<string[]> {
    const { sql } = this.#monitor;
    const jobs = await sql<{ text: string }[]>`
      select row_to_json(j)::text as text from jobs j where id > ${this.#since} and finished_at is null`;
    const tickets = await sql<{ text: string }[]>`select row_to_json(t)::text as text from ${sql(ticketSchema)}.jobs t`;
    return ["not all came to its end", ...[...jobs, ...tickets].map(({ text }) => text)];
  }
}
