import { statSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Database } from "../db/client.ts";
import { DomainError } from "../domain/errors.ts";
import type { JsonObject } from "../domain/json.ts";
import { laneOf } from "../domain/lanes.ts";
import { type Rounds, startRounds } from "../events/rounds.ts";
import type { Wakeups } from "../events/wakeups.ts";
import { type DescribedProject, publishProject } from "../pipelines/publish.ts";
import { answerVariants, pruneVariants } from "../pipelines/variants.ts";
import type { RuntimeChild } from "../runtime/child.ts";
import { describeProject } from "../runtime/describe.ts";
import type { Environment } from "../runtime/environment.ts";
import { type ErrorInfo, noJobQueueSettings, type ProjectDescription } from "../runtime/protocol.ts";
import { noError } from "../runtime/run-error.ts";

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
  workerId(): string;
  /** A runtime of the project that is ready and has run nothing, to be ended by who takes it; null when none is there. */
  takeSpare(project: string): RuntimeChild | null;
  /** What this worker can serve from now on. */
  onLanes(lanes: string[]): void;
  log(message: string, data: JsonObject): void;
}

/** Between two looks at the folders, and at what servers ask. */
const lookMs = 1000;
const mostFiles = 2000;
const pruneEveryMs = 3_600_000;

/**
 * Tells the database what this worker's projects are: describes them at the start and whenever their files change, answers
 * what servers ask about other configs, and serves the lanes of those that can run.
 */
export class Projects implements AsyncDisposable {
  /** Settles when each project was described once. */
  readonly published: Promise<void>;
  readonly #options: ProjectsOptions;
  readonly #signatures = new Map<string, string>();
  readonly #usable = new Set<string>();
  #prunedAt = 0;
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
      await this.#answer(served);
    });
    return { rounds, first: first.promise };
  }

  #startRounds(what: string, round: () => Promise<void>): Rounds {
    return startRounds(
      async () => {
        await round();
        return lookMs;
      },
      (error) => {
        if (!this.#closing.signal.aborted) this.#options.log(`${what} failed`, { error: String(error) });
      },
    );
  }

  async #publishChanged(served: ServedProject): Promise<boolean> {
    const signature = await signatureOf(served.dir);
    if (this.#signatures.get(served.name) === signature) return false;
    await this.#publish(served);
    this.#signatures.set(served.name, signature);
    return true;
  }

  async #publish(served: ServedProject): Promise<void> {
    const { db, wakeups, workerId, log } = this.#options;
    const described = await this.#describe(served);
    const { error } = described.project;
    if (error === null) this.#usable.add(served.name);
    else this.#usable.delete(served.name);
    const { path, version, source } = served.python;
    const told = described.environment as { python?: JsonObject };
    const environment = { ...told, python: { executable: path, version, ...told.python, source } };
    const { changed, removed } = await publishProject(db, workerId(), { name: served.name, ...described, environment });
    wakeups.ring("describe");
    log("project published", { project: served.name, changed, removed, error: error?.message ?? null });
  }

  async #serveLanes(): Promise<void> {
    const queues = await this.#options.db.sql<{ name: string }[]>`select name from queues order by name`;
    this.#options.onLanes([...this.#usable].flatMap((project) => queues.map(({ name }) => laneOf(project, name))));
  }

  async #prune(): Promise<void> {
    if (performance.now() - this.#prunedAt < pruneEveryMs) return;
    this.#prunedAt = performance.now();
    await pruneVariants(this.#options.db.sql);
  }

  async #answer(served: ServedProject): Promise<void> {
    await answerVariants(this.#options.db, [served.name], async (_project, pipeline, config) => {
      const { pipelines } = await this.#describe(served, { pipelines: [pipeline], config });
      return pipelines.find(({ name }) => name === pipeline) ?? null;
    });
  }

  /** What a project is; one whose Python cannot even start is described by that error. */
  async #describe(
    { name, dir, python, environment }: ServedProject,
    only: { pipelines?: string[]; config?: JsonObject } = {},
  ): Promise<Omit<DescribedProject, "name">> {
    const { signal } = this.#closing;
    const spare = this.#options.takeSpare(name);
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

/** Changes when a file that may matter is added, removed or written. */
async function signatureOf(dir: string): Promise<string> {
  const parts: string[] = [];
  for (const [folder, recursive] of [
    ["conf", true],
    ["pipelines", true],
    [".", false],
  ] as const) {
    const entries = await readdir(join(dir, folder), { recursive, withFileTypes: true }).catch(() => []);
    for (const entry of entries.slice(0, mostFiles)) {
      if (!entry.isFile() || !/\.(py|ya?ml)$|^\.env$/.test(entry.name)) continue;
      const path = join(entry.parentPath, entry.name);
      const stat = statSync(path, { throwIfNoEntry: false });
      if (stat !== undefined) parts.push(`${path} ${stat.mtimeMs} ${stat.size}`);
    }
  }
  return parts.sort().join("\n");
}
