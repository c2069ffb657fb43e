import { setTimeout as delay } from "node:timers/promises";
import { NotFoundError } from "../domain/errors.ts";
import { noRunLimits, type RunLimits } from "../domain/run-limits.ts";
import { type ChildOptions, type RuntimeChild, startChild } from "./child.ts";
import type { Environment } from "./environment.ts";
import { RuntimeStartError } from "./errors.ts";
import { exitText } from "./exit.ts";
import { Member, type MemberState, type RuntimeLimits, type RuntimeProject } from "./member.ts";
import type { RunRequest } from "./protocol.ts";
import { notStarted, type RunEnded, type RunOptions, run } from "./run.ts";
import { errorOfNoStart, errorOfStart } from "./run-error.ts";
import { stopReason } from "./stop.ts";

export interface RuntimesOptions {
  projects: readonly RuntimeProject[];
  /** Runs at the same time. */
  slots: number;
  /** Idle runtimes to keep ready for each project in use, so that a lost one is replaced at once. */
  spares?: number;
  /** Of all projects together, those that start and leave included. */
  maxRuntimes?: number;
  limits?: Partial<RuntimeLimits>;
  log?: (message: string, data: { [key: string]: string | number }) => void;
  /** Other ways to start a child, for tests. */
  child?: Partial<ChildOptions>;
}

export const defaultLimits: RuntimeLimits = { runs: 500, rssBytes: 2 * 1024 ** 3, idleMs: 15 * 60_000 };
const leaveMs = 2000;

/** A runtime that one run has for itself, given back when it is disposed of. */
export interface Lease extends AsyncDisposable {
  readonly child: RuntimeChild;
  /** How its run has ended. Without that it is not used again. */
  ended(how: RunEnded): void;
}

export interface RuntimeStatus {
  project: string;
  pid: number | null;
  state: MemberState;
  runs: number;
  rssBytes: number | null;
}

interface Waiter {
  project: RuntimeProject;
  fresh: boolean;
  memory: RunLimits["memory"];
  resolve(lease: Lease): void;
  reject(error: unknown): void;
}

/** Opens the runtimes of a worker, and begins to warm them up. */
export function openRuntimes(options: RuntimesOptions): Runtimes {
  return new Runtimes(options);
}

/**
 * Warm Python processes, each of one project, one run at a time. Whatever happens (a runtime asked for, given back, ready,
 * gone) ends in `#settle`, which brings what there is in line with what is wanted.
 */
export class Runtimes {
  readonly #options: Required<Omit<RuntimesOptions, "limits">> & { limits: RuntimeLimits };
  readonly #projects: Map<string, RuntimeProject>;
  /** Projects in use, the latest last: they have spares. */
  readonly #inUse: Set<RuntimeProject>;
  /** Could not be started, or died unasked: no spare until somebody asks for it again. */
  readonly #broken = new Set<RuntimeProject>();
  /** As they were when a runtime was last asked for. */
  readonly #environments = new Map<RuntimeProject, Environment>();
  readonly #members = new Set<Member>();
  #waiters: Waiter[] = [];
  readonly #closing = new AbortController();
  #idleTimer: NodeJS.Timeout | undefined;

  constructor({ limits, ...options }: RuntimesOptions) {
    const { projects, slots, spares = 1 } = options;
    // Two projects that take turns have room for both; more of them make room for each other.
    const room = Math.max(1, slots * Math.min(2, projects.length) + spares);
    this.#options = {
      spares,
      maxRuntimes: room,
      log: () => {},
      child: {},
      ...options,
      limits: { ...defaultLimits, ...limits },
    };
    this.#projects = new Map(projects.map((project) => [project.name, project]));
    this.#inUse = new Set(projects.slice(0, slots).reverse());
    for (const project of this.#inUse) this.#environments.set(project, project.environment());
    this.#settle();
  }

  /**
   * Runs a pipeline in a runtime of its project. As with `run`, what goes wrong with it is in the value; so is a project whose
   * Python cannot start.
   */
  async run(project: string, request: RunRequest, options: RunOptions & { fresh?: boolean }): Promise<RunEnded> {
    const { fresh = false, signal, limits = noRunLimits } = options;
    let acquired: Lease;
    try {
      acquired = await this.acquire(project, { fresh, signal, memory: limits.memory });
    } catch (error) {
      if (signal.aborted) return notStarted(errorOfNoStart(stopReason(signal).reason));
      if (error instanceof RuntimeStartError) return notStarted(errorOfStart(error));
      throw error;
    }
    await using lease = acquired;
    const warn = (message: string) => this.#options.log(message, { project });
    const ended = await run(lease.child, request, { warn, ...options });
    lease.ended(ended);
    return ended;
  }

  /**
   * A runtime of the project: a warm one, or (`fresh`) one that has not run anything. With a limit on memory one in which
   * earlier runs have left little of their own. Waits while all are busy. Throws a RuntimeStartError when the project's
   * Python cannot serve, and the signal's reason when that comes first.
   */
  async acquire(
    name: string,
    {
      fresh = false,
      signal,
      memory = null,
    }: { fresh?: boolean; signal?: AbortSignal; memory?: RunLimits["memory"] } = {},
  ): Promise<Lease> {
    const project = this.#projects.get(name);
    if (project === undefined) throw new NotFoundError("project", name, null);
    this.#closing.signal.throwIfAborted();
    signal?.throwIfAborted();
    this.#environments.set(project, project.environment());
    this.#inUse.delete(project);
    this.#inUse.add(project);

    const { promise, resolve, reject } = Promise.withResolvers<Lease>();
    const waiter: Waiter = { project, fresh, memory, resolve, reject };
    const giveUp = () => {
      this.#waiters = this.#waiters.filter((other) => other !== waiter);
      reject(signal?.reason);
    };
    signal?.addEventListener("abort", giveUp, { once: true });
    this.#waiters.push(waiter);
    this.#settle();
    try {
      return await promise;
    } finally {
      signal?.removeEventListener("abort", giveUp);
    }
  }

  /**
   * A runtime that is ready and has run nothing, for good: whoever takes it ends it. Null when none is there. Another one is
   * started in its place.
   */
  takeSpare(name: string): RuntimeChild | null {
    const project = this.#projects.get(name);
    if (project === undefined || this.#closing.signal.aborted) return null;
    this.#environments.set(project, project.environment());
    this.#replaceStale(project);
    const spare = this.#of(project, "idle").find(({ runs }) => runs === 0);
    if (spare === undefined) return null;
    this.#forget(spare);
    this.#settle();
    return spare.child;
  }

  /** What there is now, for health. */
  status(): RuntimeStatus[] {
    return [...this.#members].map((member) => ({
      project: member.project.name,
      pid: member.child?.pid ?? null,
      state: member.state,
      runs: member.runs,
      rssBytes: member.rssBytes(),
    }));
  }

  /** Ends all of them: idle ones by themselves, busy ones when they have finished or `graceMs` have passed. */
  async close(graceMs = leaveMs): Promise<void> {
    this.#closing.abort(new Error("The worker stops."));
    clearTimeout(this.#idleTimer);
    for (const { reject } of this.#waiters.splice(0)) reject(this.#closing.signal.reason);
    for (const member of this.#members) if (member.state === "idle") this.#leave(member, "the worker stops");
    const gone = Promise.all([...this.#members].map((member) => member.gone));
    const late = new AbortController();
    await Promise.race([gone, delay(graceMs, null, late)]);
    late.abort();
    for (const member of this.#members) member.child?.kill();
    await gone;
  }

  #settle(): void {
    if (this.#closing.signal.aborted) return;
    for (const project of new Set(this.#waiters.map((waiter) => waiter.project))) this.#replaceStale(project);
    this.#waiters = this.#waiters.filter((waiter) => !this.#serve(waiter));
    this.#startForWaiters();
    // Starting a process takes milliseconds, for which who has just been served should not wait.
    setImmediate(() => this.#startSpares());
    this.#watchIdle();
  }

  #replaceStale(project: RuntimeProject): void {
    const stamp = stampOf(this.#environmentOf(project));
    for (const member of this.#of(project, "idle")) {
      if (member.stamp !== stamp) this.#leave(member, "its environment has changed");
    }
  }

  #serve(waiter: Waiter): boolean {
    const idle = this.#of(waiter.project, "idle").filter((one) => one.isFit(waiter));
    // The latest used: its caches are the warmest, and the others become old enough to leave.
    const [member] = idle.sort((a, b) => b.usedAt - a.usedAt);
    if (member === undefined) return false;
    waiter.resolve(this.#lend(member, waiter.fresh));
    return true;
  }

  #lend(member: Member, fresh: boolean): Lease {
    const { child } = member;
    if (child === null) throw new Error("Only a runtime that is ready can be lent.");
    member.state = "busy";
    member.runs += 1;
    let ended: RunEnded | null = null;
    return {
      child,
      ended: (how) => {
        ended = how;
      },
      [Symbol.asyncDispose]: async () => {
        if (member.state !== "busy") return;
        const reason = member.takeBack(ended, fresh, this.#options.limits);
        if (reason !== null || this.#closing.signal.aborted) this.#leave(member, reason ?? "the worker stops");
        this.#settle();
      },
    };
  }

  #startForWaiters(): void {
    const missing: RuntimeProject[] = [];
    for (const [project, waiters] of Map.groupBy(this.#waiters, (waiter) => waiter.project)) {
      const coming = this.#of(project, "starting").length;
      missing.push(...waiters.slice(coming).map(() => project));
    }
    const room = this.#options.maxRuntimes - this.#members.size;
    for (const project of missing.splice(0, room)) this.#start(project);
    // The rest must wait for room: it is made by who was not needed for longest.
    const leaving = [...this.#members].filter(({ state }) => state === "leaving").length;
    const idle = [...this.#members].filter(({ state }) => state === "idle").sort((a, b) => a.usedAt - b.usedAt);
    for (const member of idle.slice(0, Math.max(0, missing.length - leaving))) {
      this.#leave(member, "another project needs its place");
    }
  }

  #startSpares(): void {
    if (this.#closing.signal.aborted) return;
    for (const project of [...this.#inUse].reverse()) {
      const waiting = this.#waiters.filter((waiter) => waiter.project === project).length;
      const coming = Math.max(0, this.#of(project, "starting").length - waiting);
      const missing = this.#options.spares - coming - this.#of(project, "idle").length;
      for (let i = 0; i < missing && this.#members.size < this.#options.maxRuntimes; i += 1) {
        if (!this.#broken.has(project)) this.#start(project);
      }
    }
  }

  #start(project: RuntimeProject): void {
    const env = this.#environmentOf(project);
    const { name, dir, python } = project;
    const member = new Member(project, stampOf(env));
    this.#members.add(member);
    const options = { dir, python: python.path, env, signal: this.#closing.signal, ...this.#options.child };
    startChild(options).then(
      (child) => {
        member.begin(child);
        this.#broken.delete(project);
        child.exited.then((exit) => this.#lost(member, exitText(exit)));
        if (this.#closing.signal.aborted) this.#leave(member, "the worker stops");
        this.#settle();
      },
      (error: unknown) => {
        this.#forget(member);
        this.#broken.add(project);
        const waiter = this.#waiters.find((one) => one.project === project);
        this.#waiters = this.#waiters.filter((one) => one !== waiter);
        if (waiter !== undefined) waiter.reject(error);
        else this.#options.log("runtime not started", { project: name, error: String(error) });
        this.#settle();
      },
    );
  }

  #lost(member: Member, how: string): void {
    if (member.state !== "leaving") {
      this.#options.log("runtime lost", { project: member.project.name, how, runs: member.runs });
      // One that dies before it was ever needed would do so again and again.
      if (member.runs === 0) this.#broken.add(member.project);
    }
    this.#forget(member);
    this.#settle();
  }

  #leave(member: Member, reason: string): void {
    this.#options.log("runtime replaced", { project: member.project.name, reason, runs: member.runs });
    member.state = "leaving";
    void member.child?.shutdown(leaveMs);
  }

  #forget(member: Member): void {
    member.state = "leaving";
    this.#members.delete(member);
    member.end();
  }

  #watchIdle(): void {
    clearTimeout(this.#idleTimer);
    const { idleMs } = this.#options.limits;
    // One that has not run anything yet holds little and is what a spare is for.
    const used = [...this.#members].filter(({ state, runs }) => state === "idle" && runs > 0);
    const [oldest] = used.sort((a, b) => a.usedAt - b.usedAt);
    if (oldest === undefined) return;
    const leave = () => {
      if (oldest.state === "idle") this.#leave(oldest, "it was idle for long");
      this.#settle();
    };
    this.#idleTimer = setTimeout(leave, Math.max(0, oldest.usedAt + idleMs - performance.now())).unref();
  }

  #environmentOf(project: RuntimeProject): Environment {
    return this.#environments.get(project) ?? project.environment();
  }

  #of(project: RuntimeProject, state: MemberState): Member[] {
    return [...this.#members].filter((member) => member.project === project && member.state === state);
  }
}

function stampOf(env: Environment): string {
  return JSON.stringify(Object.entries(env).sort());
}
