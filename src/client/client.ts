/// <reference lib="esnext.disposable" preserve="true" />
/**
 * The typed client of FlowerPower Job Queue, for Node from 20 and for browsers. Its types come from the server's schema.
 *
 *     const client = createClient({ url: "http://127.0.0.1:4000/graphql" });
 *     const { job } = await client.enqueue({ pipeline: "flights/daily_report", inputs: { day: "2013-07-10" } });
 *     for await (const event of client.watch(job.id)) {
 *       if (event.__typename === "NodeSucceeded") console.log(event.node, event.durationMs);
 *     }
 */
import { withRetries } from "./backoff.ts";
import { type BatchCalls, batchCalls } from "./batches.ts";
import { type Download, download } from "./download.ts";
import { type EnqueuedItem, enqueueAll, enqueueGood } from "./enqueue-many.ts";
import { errorOf, JobStateError } from "./errors.ts";
import { type FeedItem, feed } from "./feed.ts";
import {
  type ArtifactFragment,
  CancelJobDocument,
  CompareJobsDocument,
  type CompareJobsQuery,
  EnqueueJobDocument,
  type EnqueueJobInput,
  type EnqueueJobMutation,
  EnqueueJobsDocument,
  type EnqueueJobsInput,
  type FailureFilter,
  type FailureGroupFragment,
  FailuresDocument,
  type FeedFilter,
  JobArtifactsDocument,
  JobByRefDocument,
  JobDocument,
  type JobFilter,
  JobHistoryDocument,
  type JobOrder,
  type JobPlanFragment,
  type JobSummaryFragment,
  JobsDocument,
  LastAttemptDocument,
  type ListedJobFragment,
  type NodeRunFilter,
  type NodeRunFragment,
  NodeRunsDocument,
  PlanJobDocument,
  type PlanJobInput,
  PlanRequeueDocument,
  PlanRerunDocument,
  RequeueJobDocument,
  type RequeueJobInput,
  type RequeueJobMutation,
  RerunJobDocument,
  type RerunJobInput,
  type TypedDocumentString,
} from "./generated/graphql.ts";
import { type Headers, type Http, post } from "./http.ts";
import { pages } from "./pages.ts";
import { Socket } from "./socket.ts";
import type { Stream } from "./stream.ts";
import { type Job, type JobEvent, type Watch, watch } from "./watch.ts";

/** Events of a page: all fields of all types together cost about 170 each, of the 5,000 that one operation may. */
const historyPage = 25;
/** Likewise: a node run costs about 80. */
const nodeRunsPage = 50;
const artifactsPage = 100;
const failuresPage = 100;

export type { Batch, BatchDone, BatchEvent, EnqueuedBatch, ListedBatch } from "./batches.ts";
export type { Download } from "./download.ts";
export type { EnqueuedItem } from "./enqueue-many.ts";
export {
  AmbiguousRefError,
  BadInputError,
  CodeChangedError,
  IdempotencyConflictError,
  InvalidRunError,
  JobStateError,
  JobsRefusedError,
  NotFoundError,
  type Problem,
  ProjectDisabledError,
  QueueError,
  QueueExistsError,
  QueueFullError,
  RequestError,
  UnavailableError,
  WorkerStateError,
} from "./errors.ts";
export type { FeedItem } from "./feed.ts";
export type {
  BatchFilter,
  EnqueueBatchInput,
  EnqueueJobInput,
  FailureFilter,
  FeedFilter,
  JobFilter,
  JobOrder,
  JobState,
  NodeRunFilter,
  PlanJobInput,
  RerunJobInput,
  TypedDocumentString,
} from "./generated/graphql.ts";
export type { Stream } from "./stream.ts";
export { isFinal, type Job, type JobEvent, type Watch } from "./watch.ts";

/** A job as an enqueue or a cancel answers it. */
export type JobSummary = JobSummaryFragment;
/** A job in a list: also how long it will take. */
export type ListedJob = ListedJobFragment;
/** What a run would do. */
export type JobPlan = JobPlanFragment;
/** A node, or a branch of it, in the last attempt of a job. */
export type NodeRun = NodeRunFragment;
/** Something that a run has left: a result, a file, the whole log. */
export type Artifact = ArtifactFragment;
/** Equal failures as one. */
export type FailureGroup = FailureGroupFragment;
/** What differs between two jobs. */
export type JobComparison = Extract<CompareJobsQuery["compareJobs"], { __typename: "JobComparison" }>;
/** A job in its next life, with the cursor behind which `watch` tells of that life alone. */
export type Requeued = Extract<RequeueJobMutation["requeueJob"], { __typename: "RequeueJobSuccess" }>;
/** A job that was accepted, whether by this call or an earlier one with the same key, and what will run. */
export type Enqueued = Extract<EnqueueJobMutation["enqueueJob"], { __typename: "EnqueueJobSuccess" }>;
export interface ClientOptions {
  /** The GraphQL endpoint, `http://127.0.0.1:4000/graphql`. */
  url: string;
  /** For all requests, also of subscriptions; a function is asked each time. */
  headers?: Record<string, string> | (() => Record<string, string> | Promise<Record<string, string>>);
  /** While the server cannot be reached, calls are tried again for so long. 10 s unless said. */
  retryForMs?: number;
  fetch?: typeof globalThis.fetch;
  /** A class like WebSocket, where the global one is not to be used. */
  webSocketImpl?: unknown;
}

export interface CallOptions {
  signal?: AbortSignal | undefined;
}

export interface EnqueueManyOptions extends CallOptions {
  /** `REJECT_ALL` (unless said): one call of at most 1,000 runs, all or none. `REJECT_FAILED`: those that can be made. */
  onError?: "REJECT_ALL" | "REJECT_FAILED";
}

export interface FollowOptions extends CallOptions {
  /** Only what came after the event with this cursor. */
  after?: string | null | undefined;
  /** Throw UnavailableError when the server has been away for so long; until then the stream resumes by itself. 5 min unless said. */
  giveUpAfterMs?: number;
  /** Told when the connection is lost, and when the stream goes on. */
  onConnection?: (state: "lost" | "resumed") => void;
}

export interface DownloadOptions extends CallOptions {
  start?: number;
  end?: number;
}

export interface JobsOptions extends CallOptions {
  /** Newest first unless said. */
  orderBy?: JobOrder;
  /** Jobs read at once, at most 100. */
  pageSize?: number;
}

export interface Client extends BatchCalls<FollowOptions>, AsyncDisposable {
  /**
   * Asks for a run, and resolves when the job is stored. Each call has an idempotency key of its own (or the given one), which
   * tries after a network error use again: however often it is sent, there is one job.
   *
   * @throws InvalidRunError, NotFoundError, ProjectDisabledError, QueueFullError, IdempotencyConflictError, BadInputError, UnavailableError
   */
  enqueue(input: EnqueueJobInput, options?: CallOptions): Promise<Enqueued>;
  /**
   * Asks for many runs, and resolves when their jobs are stored, with what became of each in their order. Keys as of `enqueue`.
   * With `REJECT_FAILED` there may be any number: they go in parts, each stored before the next is sent.
   *
   * @throws JobsRefusedError when one cannot be made and all are to be rejected then; BadInputError, UnavailableError
   */
  enqueueMany(inputs: readonly EnqueueJobInput[], options?: EnqueueManyOptions): Promise<EnqueuedItem[]>;
  /**
   * What a run would do, how long it would take and what is wrong with it. Nothing is stored, nothing runs.
   *
   * @throws NotFoundError, BadInputError
   */
  plan(input: PlanJobInput, options?: CallOptions): Promise<JobPlan>;
  /**
   * The events of a job, from the first one or after a cursor, until it has ended. Resumes by itself when the connection is
   * lost or the server restarts: no event is missing, none comes twice. Leaving the loop closes the subscription.
   */
  watch(jobId: string, options?: FollowOptions): Watch;
  /** The job, or null when there is none. */
  job(jobId: string, options?: CallOptions): Promise<Job | null>;
  /**
   * The job that people call `@last`, `daily_report@last`, `flights/daily_report@last`, or by the last 6 or more characters of
   * its id.
   *
   * @throws NotFoundError, AmbiguousRefError, BadInputError
   */
  find(ref: string, options?: CallOptions): Promise<Job>;
  /** Jobs, read page by page as they are taken. */
  jobs(filter?: JobFilter, options?: JobsOptions): AsyncGenerator<ListedJob, void, undefined>;
  /** What has happened to a job so far, read page by page as it is taken. */
  history(jobId: string, options?: CallOptions): AsyncGenerator<JobEvent, void, undefined>;
  /** Nodes and branches of a job's last attempt, in the order in which they began, read page by page as they are taken. */
  nodeRuns(jobId: string, filter?: NodeRunFilter, options?: CallOptions): AsyncGenerator<NodeRun, void, undefined>;
  /** What a job's last attempt has left, kept or not, read page by page as it is taken. */
  artifacts(jobId: string, options?: CallOptions): AsyncGenerator<Artifact, void, undefined>;
  /**
   * The bytes of an artifact, by its id: all of them, or from `start` up to before `end`.
   *
   * @throws NotFoundError, UnavailableError, RequestError (`GONE`: it was removed, `FORBIDDEN`)
   */
  download(artifactId: string, options?: DownloadOptions): Promise<Download>;
  /**
   * Stops a job: at once when it waits, by its worker when it runs.
   *
   * @throws NotFoundError, JobStateError
   */
  cancel(jobId: string, reason?: string, options?: CallOptions): Promise<JobSummary>;
  /**
   * Gives a job that did not succeed another life: the same request, due now. Sent once: a second time it would be refused.
   *
   * @throws NotFoundError, JobStateError, UnavailableError
   */
  requeue(jobId: string, input?: Omit<RequeueJobInput, "id">, options?: CallOptions): Promise<Requeued>;
  /**
   * What a job would do when it is requeued, and what of its earlier attempts it would reuse.
   *
   * @throws NotFoundError, JobStateError, CodeChangedError
   */
  planRequeue(jobId: string, options?: CallOptions): Promise<JobPlan>;
  /**
   * Makes a new job from one that has ended, with what is different. As safe to send twice as `enqueue`.
   *
   * @throws InvalidRunError, NotFoundError, JobStateError, CodeChangedError, IdempotencyConflictError, UnavailableError
   */
  rerun(input: RerunJobInput, options?: CallOptions): Promise<Enqueued>;
  /**
   * What a rerun would do, how long it would take and what is wrong with it, without storing or running anything.
   *
   * @throws InvalidRunError, NotFoundError, JobStateError, CodeChangedError
   */
  planRerun(input: RerunJobInput, options?: CallOptions): Promise<JobPlan>;
  /**
   * What differs between two jobs.
   *
   * @throws NotFoundError
   */
  compare(a: string, b: string, options?: CallOptions): Promise<JobComparison>;
  /** Equal failures as one each, those that were seen last first, read page by page as they are taken. */
  failures(filter?: FailureFilter, options?: CallOptions): AsyncGenerator<FailureGroup, void, undefined>;
  /** The events of all jobs, from now on or after a cursor, for ever. Resumes by itself like `watch`. */
  feed(filter?: FeedFilter, options?: FollowOptions): Stream<FeedItem>;
  /** Any query or mutation with its types, as codegen makes them. Not tried again unless `idempotent`. */
  request<Result, Variables>(
    document: TypedDocumentString<Result, Variables>,
    variables: Variables,
    options?: CallOptions & { idempotent?: boolean },
  ): Promise<Result>;
  /** Ends all subscriptions. */
  close(): Promise<void>;
}

export function createClient(options: ClientOptions): Client {
  const { url, retryForMs = 10_000 } = options;
  const headers = async (): Promise<Headers> =>
    typeof options.headers === "function" ? await options.headers() : (options.headers ?? {});
  const http: Http = { url, fetch: options.fetch ?? globalThis.fetch.bind(globalThis), headers };
  const socket = new Socket({ url, headers, webSocketImpl: options.webSocketImpl });
  const closed = new AbortController();

  const within = (signal?: AbortSignal) =>
    signal === undefined ? closed.signal : AbortSignal.any([signal, closed.signal]);

  /** For what may be sent twice. */
  const send = <Result, Variables>(
    document: TypedDocumentString<Result, Variables>,
    variables: Variables,
    { signal }: CallOptions = {},
  ): Promise<Result> =>
    withRetries(() => post(http, document, variables, within(signal)), { forMs: retryForMs, signal: within(signal) });

  const follow = ({ after = null, giveUpAfterMs = 300_000, onConnection = () => {}, signal }: FollowOptions) => ({
    after,
    giveUpAfterMs,
    onConnection,
    signal: within(signal),
  });

  const sendOnce: typeof send = (document, variables, { signal } = {}) =>
    post(http, document, variables, within(signal));

  const readJob = async (id: string, call?: CallOptions) => (await send(JobDocument, { id }, call)).job;

  return {
    ...batchCalls<FollowOptions>({ socket, send, sendOnce, newKey, settings: follow }),

    async enqueue(input, call) {
      const keyed = { ...input, idempotencyKey: input.idempotencyKey ?? newKey() };
      const { enqueueJob } = await send(EnqueueJobDocument, { input: keyed }, call);
      if (enqueueJob.__typename !== "EnqueueJobSuccess") throw errorOf(enqueueJob);
      return enqueueJob;
    },

    async enqueueMany(inputs, { onError = "REJECT_ALL", ...call } = {}) {
      const keyed = inputs.map((input) => ({ ...input, idempotencyKey: input.idempotencyKey ?? newKey() }));
      const ask = async (input: EnqueueJobsInput) => (await send(EnqueueJobsDocument, { input }, call)).enqueueJobs;
      return await (onError === "REJECT_ALL" ? enqueueAll(ask, keyed) : enqueueGood(ask, keyed));
    },

    async plan(input, call) {
      const { planJob } = await send(PlanJobDocument, { input }, call);
      if (planJob.__typename !== "JobPlan") throw errorOf(planJob);
      return planJob;
    },

    watch: (jobId, options = {}) =>
      watch(jobId, { socket, read: (id, signal) => readJob(id, { signal }) }, follow(options)),

    job: readJob,

    async find(ref, call) {
      const { jobByRef } = await send(JobByRefDocument, { ref }, call);
      if (jobByRef.__typename !== "Job") throw errorOf(jobByRef);
      return jobByRef;
    },

    jobs: (filter, { orderBy = "ID_DESC", pageSize = 50, ...call } = {}) =>
      pages(async (after) => {
        const variables = { first: pageSize, after, filter: filter ?? null, orderBy };
        return (await send(JobsDocument, variables, call)).jobs;
      }),

    history: (id, call) =>
      pages(
        async (after) => (await send(JobHistoryDocument, { id, first: historyPage, after }, call)).job?.events ?? null,
      ),

    async *nodeRuns(id, filter, call) {
      // Of the attempt of now, also when another one begins between two pages.
      const attempt = (await send(LastAttemptDocument, { id }, call)).job?.lastAttempt?.id;
      if (attempt === undefined) return;
      yield* pages(async (after) => {
        const variables = { attempt, first: nodeRunsPage, after, filter: filter ?? null };
        const { node } = await send(NodeRunsDocument, variables, call);
        return node !== null && "nodeRuns" in node ? node.nodeRuns : null;
      });
    },

    artifacts: (id, call) =>
      pages(async (after) => {
        const variables = { id, first: artifactsPage, after };
        return (await send(JobArtifactsDocument, variables, call)).job?.artifacts ?? null;
      }),

    download: (id, { signal, ...range } = {}) =>
      withRetries(() => download(http, id, range, within(signal)), { forMs: retryForMs, signal: within(signal) }),

    async cancel(id, reason, { signal } = {}) {
      const input = { id, reason: reason ?? null };
      return await withRetries(
        async (tries) => {
          const { cancelJob } = await post(http, CancelJobDocument, { input }, within(signal));
          if (cancelJob.__typename === "CancelJobSuccess") return cancelJob.job;
          const error = errorOf(cancelJob);
          // The answer to an earlier try was lost on its way: this is what it did.
          const done = tries > 0 && error instanceof JobStateError && error.state === "CANCELLED";
          const job = done ? await readJob(id, { signal }) : null;
          if (job === null) throw error;
          return job;
        },
        { forMs: retryForMs, signal: within(signal) },
      );
    },

    async requeue(id, input, { signal } = {}) {
      const { requeueJob } = await post(http, RequeueJobDocument, { input: { id, ...input } }, within(signal));
      if (requeueJob.__typename !== "RequeueJobSuccess") throw errorOf(requeueJob);
      return requeueJob;
    },

    async planRequeue(id, call) {
      const { planRequeue } = await send(PlanRequeueDocument, { input: { id } }, call);
      if (planRequeue.__typename !== "JobPlan") throw errorOf(planRequeue);
      return planRequeue;
    },

    async rerun(input, call) {
      const keyed = { ...input, idempotencyKey: input.idempotencyKey ?? newKey() };
      const { rerunJob } = await send(RerunJobDocument, { input: keyed }, call);
      if (rerunJob.__typename !== "RerunJobSuccess") throw errorOf(rerunJob);
      return { ...rerunJob, replaced: null, __typename: "EnqueueJobSuccess" };
    },

    async planRerun(input, call) {
      const { planRerun } = await send(PlanRerunDocument, { input }, call);
      if (planRerun.__typename === "JobPlan") return planRerun;
      if (planRerun.__typename !== "InvalidRunError") throw errorOf(planRerun);
      throw errorOf({ ...planRerun, problems: planRerun.refused });
    },

    async compare(a, b, call) {
      const { compareJobs } = await send(CompareJobsDocument, { a, b }, call);
      if (compareJobs.__typename !== "JobComparison") throw errorOf(compareJobs);
      return compareJobs;
    },

    failures: (filter, call) =>
      pages(async (after) => {
        const variables = { first: failuresPage, after, filter: filter ?? null };
        return (await send(FailuresDocument, variables, call)).failures;
      }),

    feed: (filter, options = {}) => feed(socket, filter ?? null, follow(options)),

    request: (document, variables, { idempotent = false, signal } = {}) =>
      idempotent ? send(document, variables, { signal }) : post(http, document, variables, within(signal)),

    async close() {
      closed.abort();
      await socket.close();
    },
    async [Symbol.asyncDispose]() {
      await this.close();
    },
  };
}

function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
