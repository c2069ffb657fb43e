import { hostname } from "node:os";
import type { ArtifactStore } from "../artifacts/store.ts";
import { type ArtifactLimits, artifactLimits } from "../domain/artifact-limits.ts";
import { idText } from "../domain/ids.ts";
import type { JsonObject } from "../domain/json.ts";
import { startRounds } from "../events/rounds.ts";
import type { JobsContext } from "../jobs/context.ts";
import { GitStates } from "../pipelines/git.ts";
import { openHistories } from "../pipelines/history.ts";
import { openRuntimes } from "../runtime/pool.ts";
import type { Grace } from "../runtime/stop.ts";
import { Attempts, type Execute, type PolicyOf } from "./attempts.ts";
import { executeIn, policyFrom } from "./execute.ts";
import { Projects, type ServedProject } from "./projects.ts";
import { giveBack } from "./rescue.ts";
import { pruneReuse, reuseLimits } from "./reuse-store.ts";
import { type Wish, WorkerSession } from "./session.ts";
import { claimStore } from "./shared-store.ts";
import { lookMsOf, type StallTimes, stallTimes, startStalls } from "./stalled.ts";
import { startSweep } from "./sweep.ts";
import { TicketTaker } from "./tickets.ts";
import { openWrites } from "./writes.ts";

export interface WorkerOptions {
  /** Runs at the same time. */
  slots: number;
  version: string;
  projects: readonly ServedProject[];
  /** It takes jobs that need some of these labels, or none. */
  labels?: readonly string[];
  /** Folder for the private folders of runs and for events that do not fit into memory. */
  workDir: string;
  /** For hashing values from the environment (see `cli/hash-key.ts`); null or absent: they are not hashed. */
  hashKey?: string | null;
  log(message: string, data: JsonObject): void;
  /** Where results are kept that are no small JSON; without it they are not. */
  store?: ArtifactStore | null;
  artifactLimits?: Partial<ArtifactLimits>;
  heartbeatMs?: number;
  /** When a run counts as stalled. */
  stalls?: Partial<StallTimes>;
  /** For stopping a run softly, then by force. */
  grace?: Grace;
  /** Fetch so many tickets at once: for many short jobs. */
  prefetch?: number;
  /** Serve these lanes with something else than pipelines: to measure all that is around them. */
  instead?: { lanes: string[]; execute: Execute };
}

export interface Worker {
  /** As people see it; changes when the worker was declared dead and came back. */
  readonly id: string;
  readonly host: string;
  readonly slots: number;
  /** Settles when its projects are described and their jobs are taken. */
  readonly ready: Promise<void>;
  /** Settles when somebody asks it to stop through the API. It takes nothing more then; whoever has started it stops it. */
  readonly stopAsked: Promise<Wish>;
  /** Attempts under way. */
  running(): number;
  /**
   * Takes nothing more, lets what runs finish for `graceMs`, hands the rest back uncounted, and ends. A second call with 0
   * ends the waiting.
   */
  stop(options: { graceMs: number }): Promise<void>;
}

/** Starts a worker: it is seen in the database, describes its projects, and takes their jobs. */
export async function startWorker(context: JobsContext, options: WorkerOptions): Promise<Worker> {
  const { db, backend, wakeups, catalogue } = context;
  const { slots, version, log } = options;
  const served = options.projects.map(({ name, dir }) => ({ name, root: dir }));
  const store = options.store ?? null;
  const stalls = { ...stallTimes, ...options.stalls };
  const claimed = store === null ? null : await claimStore(db.sql, store);
  let session: WorkerSession;
  const hurried = Promise.withResolvers<void>();
  let stopping: Promise<void> | null = null;
  const stopAsked = Promise.withResolvers<Wish>();
  const git = new GitStates();
  const runtimes = openRuntimes({ projects: options.projects, slots, log });
  const attempts = new Attempts({
    db,
    writes: openWrites(db, backend, wakeups),
    execute:
      options.instead?.execute ??
      executeIn({
        runtimes,
        catalogue,
        workDir: options.workDir,
        store: claimed,
        limits: options.artifactLimits ?? {},
        now: () => db.now(),
        projects: options.projects,
        git,
        hashKey: options.hashKey ?? null,
        cpuLookMs: lookMsOf(stalls),
        ...graceOf(options),
      }),
    policyOf: policyOf(options, policyFrom(catalogue)),
    workerId: () => session.id,
    async giveBack(runTokens) {
      const reason = "it lost track of this attempt";
      const jobIds = await giveBack(db, backend, session.id, reason, runTokens);
      wakeups.ring("events", jobIds);
    },
    log,
  });
  session = await WorkerSession.open(
    db,
    {
      slots,
      version,
      projects: served,
      labels: options.labels ?? [],
      store: claimed,
      ...(options.heartbeatMs ? { heartbeatMs: options.heartbeatMs } : {}),
    },
    {
      beat: (held, askedAt) => attempts.reconcile(held, askedAt),
      wished: (wish) => follow(wish),
      superseded: () => attempts.supersedeAll(),
      failed: (error) => log("heartbeat failed", { error: String(error) }),
    },
  );
  const asked = wakeups.subscribe("worker", (workerIds) => {
    if (workerIds === null || workerIds.includes(session.id)) session.beatNow();
  });
  const cancels = wakeups.subscribe("cancel", (jobIds) => {
    if (jobIds === null || jobIds.some((id) => attempts.has(id))) session.beatNow();
  });
  const tickets = new TicketTaker({
    url: db.url,
    slots,
    ...(options.prefetch === undefined ? {} : { prefetch: options.prefetch }),
    take: (ticket) => attempts.take(ticket),
    onPool: (poolId) => session.setPool(poolId),
    onError: (error) => log("taking tickets failed", { error: String(error) }),
  });
  await tickets.start();

  /** Does what somebody has asked of this worker. Told again and again: with each heartbeat. */
  function follow(wish: Wish): void {
    if (stopping !== null && wish.wanted !== "stop") return;
    if (wish.wanted === null) tickets.takeAgain();
    else tickets.hold();
    session.say(wish.wanted === null ? "running" : "draining");
    if (wish.wanted !== "stop") return;
    stopAsked.resolve(wish);
    if (wish.graceMs === 0) hurried.resolve();
  }

  const projects = new Projects({
    db,
    wakeups,
    projects: options.projects,
    labels: options.labels ?? [],
    workerId: () => session.id,
    git,
    takeSpare: (project) => runtimes.takeSpare(project),
    onLanes: (lanes) => tickets.serve([...lanes, ...(options.instead?.lanes ?? [])]),
    log,
  });
  const sweep = startSweep({
    db,
    store: store === null || claimed === null ? null : { ...claimed, files: store },
    workDir: options.workDir,
    freeBytes: options.artifactLimits?.freeBytes ?? artifactLimits.freeBytes,
    workerId: () => session.id,
    log,
  });

  const histories = openHistories(db);
  const stalled = startStalls({
    db,
    wakeups,
    underWay: () => attempts.underWay(),
    historyOf: ({ project, pipeline }) => histories.of({ project, pipeline }),
    times: stalls,
    onError: (error) => log("looking for stalled runs failed", { error: String(error) }),
  });
  const pruning = startRounds(
    async () => {
      const { entries, bytes } = await pruneReuse(options.workDir);
      if (entries > 0) log("reuse pruned", { entries, bytes });
      return reuseLimits.everyMs;
    },
    (error) => log("pruning what is kept for reuse failed", { error: String(error) }),
  );

  async function stop(graceMs: number): Promise<void> {
    // First of all: nothing that follows may take so long that another ticket is taken.
    const told = (error: unknown) => log("stopping in order failed", { error: String(error) });
    const stopped = tickets.stop().catch(told);
    const pruned = Promise.resolve(pruning[Symbol.asyncDispose]()).catch(told);
    const undescribed = Promise.all([projects, sweep, stalled].map((one) => one[Symbol.asyncDispose]())).then(
      () => {},
      told,
    );
    // Not awaited: it is for those who look, and Postgres may be away.
    void session.drain().catch(told);
    await atMost(graceMs, Promise.race([attempts.idle(), hurried.promise]));
    attempts.releaseAll();
    // What cannot be handed back within this time, because Postgres is away, is rescued when it is there again.
    await atMost(handBackMs, attempts.idle());
    attempts.abandon();
    cancels.close();
    asked.close();
    await Promise.all([
      runtimes.close(leaveMs),
      atMost(leaveMs, stopped),
      atMost(leaveMs, undescribed),
      atMost(leaveMs, pruned),
    ]);
    await atMost(leaveMs, session[Symbol.asyncDispose]());
  }

  return {
    get id() {
      return idText("worker", session.id);
    },
    host: hostname(),
    slots,
    ready: projects.published,
    stopAsked: stopAsked.promise,
    running: () => attempts.size,
    async stop({ graceMs }) {
      if (graceMs === 0) hurried.resolve();
      stopping ??= stop(graceMs);
      await stopping;
    },
  };
}

/** After the grace five seconds are left for all that follows, whatever is away or hangs. */
const handBackMs = 2000;
const leaveMs = 1000;

async function atMost(ms: number, work: Promise<void>): Promise<void> {
  await Promise.race([work, new Promise((resolve) => setTimeout(resolve, ms).unref())]);
}

function graceOf({ grace }: WorkerOptions): { grace?: Grace } {
  return grace === undefined ? {} : { grace };
}

/** What is run instead of pipelines is in no catalogue. */
function policyOf(options: WorkerOptions, ofPipelines: PolicyOf): PolicyOf {
  if (options.instead === undefined) return ofPipelines;
  return async () => ({ maxAttempts: 1, delayMs: 1000, jitter: 0, exceptions: null });
}
