import type { Database } from "../db/client.ts";
import { DomainError } from "../domain/errors.ts";
import type { JsonObject } from "../domain/json.ts";
import { laneOf } from "../domain/lanes.ts";
import { type Rounds, startRounds } from "../events/rounds.ts";
import type { Wakeups } from "../events/wakeups.ts";
import type { GitStates } from "../pipelines/git.ts";
import { pruneVersions } from "../pipelines/prune-versions.ts";
import { type DescribedProject, publishProject } from "../pipelines/publish.ts";
import { storable } from "../pipelines/storable.ts";
import { answerVariant, pruneVariants } from "../pipelines/variants.ts";
import type { RuntimeChild } from "../runtime/child.ts";
import { describeProject } from "../runtime/describe.ts";
import type { Environment } from "../runtime/environment.ts";
import {
  type ErrorInfo,
  noJobQueueSettings,
  type PipelineDescription,
  type ProjectDescription,
} from "../runtime/protocol.ts";
import { noError } from "../runtime/run-error.ts";
import { signatureOf } from "./signature.ts";

/** A project that this worker serves: a name, and the folder that it means here. */
export interface ServedProject {
  name: string;
  dir: string;
  python: { path: string; source: string; version: string };
  /** The environment of its runtimes, read anew each time: env files change. */
  environment(): Environment;
}

export interface ProjectsOptions {
  db: Database;
  wakeups: Wakeups;
  projects: readonly ServedProject[];
  labels: readonly string[];
  workerId(): string;
  git: GitStates;
  /** A runtime of the project that is ready and has run nothing, to be ended by who takes it; null when none is there. */
  takeSpare(project: string): RuntimeChild | null;
  /** What this worker can serve from now on. */
  onLanes(lanes: string[]): void;
  log(message: string, data: JsonObject): void;
}

/** A project as it was last described. */
interface Known {
  signature: string;
  pipelines: readonly PipelineDescription[];
  /** When it is described again although nothing has changed, by the monotonic clock. */
  againAt: number;
  waitMs: number;
}

/** Between two looks at the folders, and at what servers ask. */
const lookMs = 1000;
/** What is broken is described again although no file has changed: a machine under load, a missing service. */
const mendMs = { first: 30_000, longest: 600_000 };
const pruneEveryMs = 3_600_000;

/**
 * Tells the database what this worker's projects are: describes them at the start and whenever their files change, answers
 * what servers ask about other configs, and serves the lanes of those that can run.
 */
export class Projects implements AsyncDisposable {
  /** Settles when each project was described once. */
  readonly published: Promise<void>;
  readonly #options: ProjectsOptions;
  readonly #known = new Map<string, Known>();
  readonly #usable = new Set<string>();
  /** Up to when what somebody has asked to be described again has been. */
  readonly #reloaded = new Map<string, string>();
  #prunedAt = Number.NEGATIVE_INFINITY;
  readonly #rounds: Rounds[];
  readonly #asked: { close(): void };
  readonly #closing = new AbortController();

  constructor(options: ProjectsOptions) {
    this.#options = options;
    // Rounds of its own for each: a module that takes its time, or cannot be published, holds up its own project only.
    const own = options.projects.map((served) => this.#startProject(served));
    this.published = Promise.all(own.map(({ first }) => first)).then(() => {});
    const common = this.#startRounds("serving lanes", async () => {
      await this.#serveLanes();
      await this.#prune();
      return lookMs;
    });
    this.#rounds = [...own.map(({ rounds }) => rounds), common];
    this.#asked = options.wakeups.subscribe("describe", () => {
      for (const rounds of this.#rounds) rounds.wake();
    });
  }

  /** What is being described is given up: a module that takes its time must not keep a worker from ending. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#asked.close();
    this.#closing.abort(new Error("The worker stops."));
    await Promise.all(this.#rounds.map((rounds) => rounds[Symbol.asyncDispose]()));
  }

  #startProject(served: ServedProject): { rounds: Rounds; first: Promise<void> } {
    const first = Promise.withResolvers<void>();
    const rounds = this.#startRounds(`publishing ${served.name}`, async () => {
      const changed = await this.#publishChanged(served);
      if (changed) await this.#serveLanes();
      first.resolve();
      // One at a time: whoever asks much must not keep a change from being seen.
      return (await this.#answer(served)) ? 0 : lookMs;
    });
    return { rounds, first: first.promise };
  }

  #startRounds(what: string, round: () => Promise<number>): Rounds {
    return startRounds(round, (error) => {
      if (!this.#closing.signal.aborted) this.#options.log(`${what} failed`, { error: String(error) });
    });
  }

  async #publishChanged(served: ServedProject): Promise<boolean> {
    const { dir, python } = served;
    const known = this.#known.get(served.name);
    const look = { dir, python: python.path, env: served.environment() };
    const before = { ...look, pipelines: known?.pipelines ?? [] };
    const signature = await signatureOf(before);
    const reload = await this.#reloadAsked(served.name);
    // At its start a worker describes everything anyway.
    const isReload = known !== undefined && reload !== null && this.#reloaded.get(served.name) !== reload;
    if (known?.signature === signature && performance.now() < known.againAt && !isReload) return false;
    const { project, pipelines } = await this.#publish(served, signature, isReload);
    const isBroken = project.error !== null || pipelines.some(({ status }) => status === "broken");
    const waitMs = known?.signature === signature ? Math.min(known.waitMs * 2, mendMs.longest) : mendMs.first;
    // A file that was written meanwhile may have come too late for the description.
    const isCurrent = (await signatureOf(before)) === signature;
    this.#known.set(served.name, {
      signature: isCurrent ? await signatureOf({ ...look, pipelines }) : signature,
      pipelines,
      waitMs,
      againAt: isBroken ? performance.now() + waitMs : Number.POSITIVE_INFINITY,
    });
    if (reload !== null) {
      this.#reloaded.set(served.name, reload);
      await this.#options.db.sql`
        update projects set reloaded_at = greatest(reloaded_at, ${reload}::timestamptz) where name = ${served.name}`;
    }
    return true;
  }

  /** When somebody last asked for it to be described again; null when nobody has. */
  async #reloadAsked(project: string): Promise<string | null> {
    const [row] = await this.#options.db.sql<{ at: string | null }[]>`
      select reload_asked_at::text as at from projects where name = ${project}`;
    return row?.at ?? null;
  }

  async #publish(served: ServedProject, signature: string, isReload: boolean): Promise<Omit<DescribedProject, "name">> {
    const { db, wakeups, workerId, log } = this.#options;
    // Whoever asks may have installed something: a process that was started before may not see it.
    const described = await this.#describe(served, { inNewProcess: isReload });
    const { error } = described.project;
    if (error === null) this.#usable.add(served.name);
    else this.#usable.delete(served.name);
    const { path, version, source } = served.python;
    const told = described.environment as { python?: JsonObject };
    const environment = { ...told, python: { executable: path, version, ...told.python, source } };
    const git = await this.#options.git.of(served, signature);
    const { changed, removed } = await publishProject(db, workerId(), {
      name: served.name,
      ...described,
      environment,
      git,
    });
    await db.sql`
      update workers set environments = environments || ${db.sql.json({ [served.name]: storable(environment) } as never)}
      where id = ${workerId()}`;
    wakeups.ring("describe");
    log("project published", { project: served.name, changed, removed, error: error?.message ?? null });
    return described;
  }

  /** For each project and queue: the lane of jobs that need no labels, and one for each set of needed labels that this worker has. */
  async #serveLanes(): Promise<void> {
    const { sql } = this.#options.db;
    const lines = await sql<{ queue: string; needs: string[] | null }[]>`
      select q.name as queue, s.needs
      from queues q cross join (
        select null::text[] as needs
        union all select labels from label_sets where labels <@ ${[...this.#options.labels]}::text[]
      ) s
      order by q.name, s.needs nulls first`;
    const lanesOf = (project: string) => lines.map(({ queue, needs }) => laneOf(project, queue, needs));
    this.#options.onLanes([...this.#usable].flatMap(lanesOf));
  }

  async #prune(): Promise<void> {
    if (performance.now() - this.#prunedAt < pruneEveryMs) return;
    await pruneVariants(this.#options.db.sql);
    // One batch a round, until there is no more to do.
    if (!(await pruneVersions(this.#options.db))) this.#prunedAt = performance.now();
  }

  /** Answers the oldest question about it; false when there is none. */
  async #answer(served: ServedProject): Promise<boolean> {
    return await answerVariant(this.#options.db, [served.name], async (_project, pipeline, config) => {
      const { pipelines } = await this.#describe(served, { pipelines: [pipeline], config });
      return pipelines.find(({ name }) => name === pipeline) ?? null;
    });
  }

  /** What a project is; one whose Python cannot even start is described by that error. */
  async #describe(
    { name, dir, python, environment }: ServedProject,
    { inNewProcess = false, ...only }: { pipelines?: string[]; config?: JsonObject; inNewProcess?: boolean } = {},
  ): Promise<Omit<DescribedProject, "name">> {
    const { signal } = this.#closing;
    // Before a spare is taken, which somebody has to end.
    signal.throwIfAborted();
    const spare = inNewProcess ? null : this.#options.takeSpare(name);
    try {
      return await describeProject({ dir, python: python.path, env: environment(), signal, spare, ...only });
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      return { project: { ...nothing, error: unstartable(error) }, pipelines: [], environment: {} };
    }
  }
}

const nothing: ProjectDescription = {
  name: null,
  jobQueue: noJobQueueSettings,
  queues: [],
  warnings: [],
  error: null,
  pipelines: [],
};

function unstartable(error: DomainError): ErrorInfo {
  const hint = "hint" in error && typeof error.hint === "string" ? error.hint : null;
  return { ...noError, kind: "INVALID", type: error.name, message: error.message, hint };
}
