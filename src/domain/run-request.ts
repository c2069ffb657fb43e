import type { Dependency, InputFrom } from "./dependency.ts";
import type { FollowUpMode } from "./follow-up.ts";
import type { JsonObject } from "./json.ts";
import type { ReuseMode } from "./reuse.ts";

/** What somebody asks for when they enqueue a job: names and shapes are checked at the edge, meaning by `enqueue`. */
export interface RunRequest {
  project: string;
  pipeline: string;
  /** Merged by key over the pipeline's own, when the run starts. */
  inputs: JsonObject;
  /** Null: those of the pipeline's YAML. */
  finalVars: string[] | null;
  config: JsonObject;
  options: RunOptions;
  queue: string | null;
  /** 0–100, higher first; null: 50. */
  priority: number | null;
  tags: string[];
  /** Null: now. */
  runAt: Date | null;
  /** Instead of `runAt`: so long after it was taken, by the database's clock. What is absent is no part of the fingerprint. */
  runInMs?: number;
  /** Not started by then: expired. */
  expiresAt: Date | null;
  /** Instead of `expiresAt`. */
  expiresInMs?: number;
  /** To find it by. */
  metadata?: Metadata;
  unique?: Unique;
  timeoutMs: number | null;
  retry: RetryRequest | null;
  /** Null: `fail` where a retry of 0 is written or asked for, else `retry`. */
  onWorkerLost: "retry" | "fail" | null;
  /** Jobs that have to end first; absent: none. */
  dependsOn?: Dependency[];
  /** Inputs that are results of other jobs, which it waits for as well. */
  inputsFrom?: InputFrom[];
  idempotencyKey: string | null;
  onReplay: "return" | "new_if_failed";
  /** A label for the person behind an application. */
  requestedBy: string | null;
}

/** Small values by name. */
export type Metadata = Record<string, string | number | boolean>;

/** At most one job of the project has the key in the states that count. */
export interface Unique {
  key: string;
  /** What becomes of a call that finds one: it is the answer, it is replaced while it waits, or replaced and put off. */
  policy: "return_existing" | "replace_pending" | "debounce";
  /** debounce: due when there was no further call for so long. */
  debounceMs?: number;
  /** In which states a job counts; absent: also the running one for `return_existing`, only waiting ones for the others. */
  while?: "waiting" | "waiting_or_running";
}

/** What a run is made of: when it is due, what it waits for, who asks and under which key is nothing to it. */
export type PlanRequest = Omit<
  RunRequest,
  | "tags"
  | "metadata"
  | "unique"
  | "runAt"
  | "runInMs"
  | "expiresAt"
  | "expiresInMs"
  | "dependsOn"
  | "idempotencyKey"
  | "onReplay"
  | "requestedBy"
>;

/** The rest of FlowerPower's run config that a request may set. An absent one is the pipeline's own. */
export interface RunOptions {
  executor?: { type: string | null; maxWorkers: number | null; numCpus: number | null };
  logLevel?: "DEBUG" | "INFO" | "WARNING" | "ERROR" | "CRITICAL";
  runtime?: "warm" | "fresh";
  results?: "full" | "summary" | "none";
  reuse?: ReuseMode;
  /** At most so many jobs with the same key at the same time. Without a key of its own: the pipeline's, as its YAML tells its jobs apart. */
  concurrency?: { limit: number; key: string | null };
  /** Only workers that have all these labels take it. */
  needs?: string[];
  /** Nodes that run whatever is stored of them. */
  recompute?: string[];
  /** The jobs that this one was rerun from, nearest first: what they have stored may be taken. Set by a rerun, never asked for. */
  reuseFrom?: string[];
  /** Whether what its pipeline's followers say happens when it has ended; absent: it does. */
  followUps?: FollowUpMode;
  /** Pipelines whose jobs' ends have led to it, the nearest last. Set when it is made as a follow-up, never asked for. */
  follows?: string[];
  /** Of a rerun with the same code: the only code that it may run. */
  codeHash?: string;
}

/** A retry as the request has it; what is absent is FlowerPower's default. */
export interface RetryRequest {
  maxRetries: number;
  retryDelayMs?: number;
  jitterFactor?: number;
  retryExceptions?: string[];
  backoff?: "exponential" | "fixed";
  /** Instead of a delay that grows: before each further try, the last one for all that follow. */
  delaysMs?: number[];
  maxDelayMs?: number;
  /** Class names of errors that are never tried again. */
  nonRetryableExceptions?: string[];
}

/** Who asks. */
export interface Actor {
  /** `local` without keys; later `key:…`, `user:…`. Owner of idempotency keys. */
  name: string;
  requestId: string | null;
}
