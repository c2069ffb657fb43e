import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { graphileWorker } from "../../src/backends/graphile-worker/backend.ts";
import { connect, type Database } from "../../src/db/client.ts";
import { isTerminalEvent } from "../../src/domain/event-types.ts";
import type { JsonObject } from "../../src/domain/json.ts";
import type { JobState } from "../../src/domain/lifecycle.ts";
import type { RunRequest } from "../../src/domain/run-request.ts";
import type { EventRow } from "../../src/events/read.ts";
import { openTail, type Tail } from "../../src/events/tail.ts";
import { openWakeups } from "../../src/events/wakeups.ts";
import { type JobsContext, openJobs } from "../../src/jobs/context.ts";
import { enqueueJob } from "../../src/jobs/enqueue.ts";
import { openCatalogue } from "../../src/pipelines/catalogue.ts";
import { testDatabase } from "./database.ts";
import { Processes, type TestProcess } from "./processes.ts";
import { testPython } from "./python.ts";
import { examples } from "./runtimes.ts";
import type { WorkerSetup } from "./worker-process.ts";

/** A running system for one test: a database, workers as processes of their own, and this process as the server. */
export interface Ground extends AsyncDisposable {
  db: Database;
  jobs: JobsContext;
  tail: Tail;
  processes: Processes;
  /** A folder of the test's own. */
  folder: string;
  /** Starts a worker for the project `faults`. It takes jobs from the moment in which it says "ready". */
  worker(setup?: Partial<WorkerSetup>): TestProcess;
  /** Enqueues a run of a pipeline of `faults` and follows it. */
  enqueue(pipeline: string, inputs?: JsonObject, request?: Partial<RunRequest>): Promise<FollowedJob>;
  /** Follows a job from its beginning. */
  follow(jobId: string): FollowedJob;
}

export async function openGround({ databaseUrl }: { databaseUrl?: string } = {}): Promise<Ground> {
  await using opened = new AsyncDisposableStack();
  const folder = opened.adopt(await mkdtemp(join(tmpdir(), "fpq-e2e-")), (path) =>
    rm(path, { recursive: true, force: true }),
  );
  const python = await testPython();
  const db = opened.use(databaseUrl === undefined ? await testDatabase() : await connect(databaseUrl));
  const wakeups = opened.use(await openWakeups(db));
  const jobs = openJobs({ db, backend: graphileWorker, wakeups, catalogue: openCatalogue(db) });
  const tail = opened.use(openTail(db, wakeups));
  const processes = opened.use(new Processes());
  const resources = opened.move();
  let workers = 0;
  return {
    db,
    jobs,
    tail,
    processes,
    folder,
    worker(setup = {}) {
      workers += 1;
      const whole: WorkerSetup = {
        databaseUrl: db.url,
        python,
        projects: [{ name: "faults", dir: join(examples, "faults") }],
        workDir: join(folder, `worker-${workers}`),
        ...setup,
      };
      return processes.start(join(import.meta.dirname, "worker-process.ts"), [JSON.stringify(whole)]);
    },
    async enqueue(pipeline, inputs = {}, request = {}) {
      const { jobId } = await enqueueJob(jobs, { name: "test", requestId: null }, requestOf(pipeline, inputs, request));
      return new FollowedJob(db, tail, jobId);
    },
    follow: (jobId) => new FollowedJob(db, tail, jobId),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

/** The request of a run of `faults`, with nothing set but what is given. */
export function requestOf(pipeline: string, inputs: JsonObject = {}, request: Partial<RunRequest> = {}): RunRequest {
  return {
    project: "faults",
    pipeline,
    inputs,
    finalVars: null,
    config: {},
    options: {},
    queue: null,
    priority: null,
    tags: [],
    runAt: null,
    expiresAt: null,
    timeoutMs: null,
    retry: null,
    onWorkerLost: null,
    idempotencyKey: null,
    onReplay: "return",
    requestedBy: null,
    ...request,
  };
}

export interface JobRow {
  state: JobState;
  attempt: number;
  failures: number;
  losses: number;
  errorKind: string | null;
  nodesDone: number;
  nodesTotal: number | null;
  workerId: string | null;
}

export interface AttemptRow {
  attempt: number;
  outcome: string | null;
  errorKind: string | null;
  error: { message: string; type: string; node: string | null; hint: string | null } | null;
  workerId: string;
  startedAt: Date;
  endedAt: Date | null;
  refused: number;
  context: JsonObject | null;
}

/** A job and its events, as somebody sees them who follows it from the beginning. */
export class FollowedJob {
  readonly id: string;
  readonly events: EventRow[] = [];
  readonly #db: Database;
  readonly #waiting = new Set<() => void>();
  #error: unknown = null;
  #over = false;

  constructor(db: Database, tail: Tail, id: string) {
    this.id = id;
    this.#db = db;
    void this.#follow(tail);
  }

  /** The first event of this type (of this attempt, of this node), recorded already or still to come. */
  async event(type: string, of: { node?: string; attempt?: number } = {}, withinMs = 30_000): Promise<EventRow> {
    const find = () =>
      this.events.find(
        (event) =>
          event.type === type &&
          (of.node === undefined || event.node === of.node) &&
          (of.attempt === undefined || event.attempt === of.attempt),
      );
    await this.#wait(() => find() !== undefined, `${type} ${JSON.stringify(of)}`, withinMs);
    return find() as EventRow;
  }

  /** Waits for the end of the job and checks its log: no gap, nothing twice, one terminal event, the last. */
  async ended(withinMs = 60_000): Promise<JobRow> {
    await this.#wait(() => this.#over, "its end", withinMs);
    checkLog(this.events);
    return await this.row();
  }

  async row(): Promise<JobRow> {
    const [row] = await this.#db.sql<JobRow[]>`
      select state, attempt, failures, losses, error_kind as "errorKind", nodes_done as "nodesDone",
        nodes_total as "nodesTotal", worker_id as "workerId"
      from jobs where id = ${this.id}`;
    return row as JobRow;
  }

  async attempts(): Promise<AttemptRow[]> {
    return await this.#db.sql<AttemptRow[]>`
      select attempt, outcome, error_kind as "errorKind", error, worker_id as "workerId", started_at as "startedAt",
        ended_at as "endedAt", events_refused as refused, context
      from attempts where job_id = ${this.id} order by attempt`;
  }

  async results(): Promise<{ [name: string]: unknown }> {
    const rows = await this.#db.sql<{ name: string; value: unknown }[]>`
      select name, value from artifacts where job_id = ${this.id} and kind = 'result' order by name`;
    return Object.fromEntries(rows.map(({ name, value }) => [name, value]));
  }

  /** Types of its events, those of its nodes with their names. */
  types(): string[] {
    return this.events.map(({ type, node }) => (node === null ? type : `${type} ${node}`));
  }

  async #follow(tail: Tail): Promise<void> {
    try {
      for await (const event of tail.follow(this.id, 0)) {
        this.events.push(event);
        this.#look();
      }
    } catch (error) {
      this.#error = error;
    }
    this.#over = true;
    this.#look();
  }

  #look(): void {
    for (const look of this.#waiting) look();
  }

  async #wait(condition: () => boolean, what: string, withinMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const look = () => {
      if (condition() || this.#over) resolve();
    };
    this.#waiting.add(look);
    const timer = setTimeout(resolve, withinMs);
    look();
    await promise;
    clearTimeout(timer);
    this.#waiting.delete(look);
    if (this.#error !== null) throw this.#error;
    if (condition()) return;
    throw new Error(
      `The job ${this.id} did not come to ${what} within ${withinMs} ms: ${JSON.stringify(await this.row())} ${this.types().join(", ")}`,
    );
  }
}

/** What holds for the log of every job that has ended. */
export function checkLog(events: readonly EventRow[]): void {
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
  expect(events.filter(({ type }) => isTerminalEvent(type)).map(({ seq }) => seq)).toEqual([events.length]);
}
