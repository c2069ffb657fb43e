import type { RunLimits } from "../domain/run-limits.ts";
import type { RuntimeChild } from "./child.ts";
import type { Environment } from "./environment.ts";
import { residentBytes } from "./memory.ts";
import type { RunEnded } from "./run.ts";

/** A project whose pipelines are run. */
export interface RuntimeProject {
  name: string;
  dir: string;
  python: { path: string };
  /** The environment of its runtimes, asked for each time one is needed: those that have another one are replaced. */
  environment(): Environment;
}

export type MemberState = "starting" | "idle" | "busy" | "leaving";

export interface RuntimeLimits {
  /** Runs after which a runtime is replaced. */
  runs: number;
  /** Memory beyond which it is. */
  rssBytes: number;
  /** Time without a run after which it is. */
  idleMs: number;
}

/** The part of a run's limit on memory that earlier runs may have taken of it. */
const mostLeftBehind = 0.25;

/** One of a worker's runtimes. */
export class Member {
  state: MemberState = "starting";
  child: RuntimeChild | null = null;
  runs = 0;
  /** By the monotonic clock, when it last ran something; 0 when it never has. */
  usedAt = 0;
  readonly project: RuntimeProject;
  /** The environment with which it was started. */
  readonly stamp: string;
  /** Settles when the process has gone, or could not be started. */
  readonly gone: Promise<void>;
  readonly end: () => void;
  #toldBytes: number | null = null;
  #freshBytes = 0;

  constructor(project: RuntimeProject, stamp: string) {
    this.project = project;
    this.stamp = stamp;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.gone = promise;
    this.end = resolve;
  }

  begin(child: RuntimeChild): void {
    this.child = child;
    this.state = "idle";
    this.#freshBytes = residentBytes(child.pid) ?? 0;
  }

  /** Whether it can take such a run. What others have left in it must not break a limit of this one. */
  isFit({ fresh, memory }: { fresh: boolean; memory: RunLimits["memory"] }): boolean {
    if (this.runs === 0) return true;
    if (fresh) return false;
    return memory === null || (this.rssBytes() ?? 0) - this.#freshBytes <= memory.most * mostLeftBehind;
  }

  /** Makes it idle, or says why it may not run anything else. */
  takeBack(ended: RunEnded | null, fresh: boolean, limits: RuntimeLimits): string | null {
    this.usedAt = performance.now();
    // What its first run has imported the project's runs need: only what comes on top is left behind.
    if (this.runs === 1) this.#freshBytes = this.rssBytes() ?? this.#freshBytes;
    this.#toldBytes = ended?.process?.rssBytes ?? null;
    const threads = ended?.process?.threads ?? [];
    if (ended === null || !ended.reusable) return "its last run was ended by force";
    if (fresh) return "the pipeline asks for a fresh one each time";
    if (threads.length > 0) return `its last run left threads behind: ${threads.join(", ")}`;
    if (this.runs >= limits.runs) return `it has run ${this.runs} times`;
    if ((this.#toldBytes ?? 0) > limits.rssBytes) return `it holds ${Math.round((this.#toldBytes ?? 0) / 1e6)} MB`;
    this.state = "idle";
    return null;
  }

  /** Memory that it holds: as the system says, else as its last run has told. */
  rssBytes(): number | null {
    return (this.child === null ? null : residentBytes(this.child.pid)) ?? this.#toldBytes;
  }
}
