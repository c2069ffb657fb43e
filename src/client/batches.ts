import { errorOf, JobsRefusedError, NotFoundError } from "./errors.ts";
import {
  BatchByRefDocument,
  BatchChangedDocument,
  type BatchDetailsFragment,
  BatchDocument,
  type BatchEventFragment,
  BatchEventsDocument,
  BatchesDocument,
  type BatchFilter,
  type BatchFragment,
  BatchHistoryDocument,
  CancelBatchDocument,
  EnqueueBatchDocument,
  type EnqueueBatchInput,
  type EnqueueBatchMutation,
  RequeueBatchDocument,
  type TypedDocumentString,
} from "./generated/graphql.ts";
import { pages } from "./pages.ts";
import { type ResumeOptions, resume } from "./resume.ts";
import type { Socket } from "./socket.ts";
import { type Stream, stream } from "./stream.ts";

/** Jobs enqueued together, as one object; with the job that waits for them. */
export type Batch = BatchDetailsFragment;
/** A batch in a list. */
export type ListedBatch = BatchFragment;
/** Something that happened to a batch as a whole; `__typename` tells what. */
export type BatchEvent = BatchEventFragment;
/** A batch that was accepted, or what it would be. */
export type EnqueuedBatch = Extract<EnqueueBatchMutation["enqueueBatch"], { __typename: "EnqueueBatchSuccess" }>;

/** What became of a batch on which something was done. */
export interface BatchDone {
  batch: Batch;
  /** To how many of its jobs it was done, and to how many not: they had moved on meanwhile. */
  done: number;
  failed: number;
}

interface CallOptions {
  signal?: AbortSignal | undefined;
}

/** What can be asked of batches: see `Client`. */
export interface BatchCalls<Follow> {
  /**
   * Asks for up to 10,000 runs as one batch, all or none, and resolves when its jobs are stored. Keys as of `enqueue`.
   *
   * @throws JobsRefusedError when some do not fit their pipelines; InvalidRunError, NotFoundError, ProjectDisabledError,
   *   QueueFullError, IdempotencyConflictError, BadInputError, UnavailableError
   */
  enqueueBatch(input: EnqueueBatchInput, options?: CallOptions): Promise<EnqueuedBatch>;
  /** The batch, or null when there is none. */
  batch(batchId: string, options?: CallOptions): Promise<Batch | null>;
  /**
   * The batch that people call `@last`, `shop/report@last`, or by the last 6 or more characters of its id.
   *
   * @throws NotFoundError, AmbiguousRefError, BadInputError
   */
  findBatch(ref: string, options?: CallOptions): Promise<Batch>;
  /** Batches, the newest first, read page by page as they are taken. */
  batches(
    filter?: BatchFilter,
    options?: CallOptions & { pageSize?: number },
  ): AsyncGenerator<ListedBatch, void, undefined>;
  /**
   * A batch as it is, then as it changes, until it is complete: the last one given has ended. Resumes by itself like `watch`;
   * what it was while the connection was lost is not told.
   *
   * @throws NotFoundError, UnavailableError
   */
  watchBatch(batchId: string, options?: Follow): Stream<Batch>;
  /** The events of a batch as a whole, from the first one or after a cursor, until it is complete. Resumes like `watch`. */
  followBatch(batchId: string, options?: Follow): Stream<BatchEvent>;
  /** What has happened to a batch as a whole so far, read page by page as it is taken. */
  batchHistory(batchId: string, options?: CallOptions): AsyncGenerator<BatchEvent, void, undefined>;
  /**
   * Stops what of a batch has not ended. As safe to send twice as once.
   *
   * @throws NotFoundError
   */
  cancelBatch(batchId: string, reason?: string, options?: CallOptions): Promise<BatchDone>;
  /**
   * Gives the jobs of a batch that did not succeed another life. Sent once: what has failed again would be given another.
   *
   * @throws NotFoundError, UnavailableError
   */
  requeueBatch(batchId: string, reason?: string, options?: CallOptions): Promise<BatchDone>;
}

interface Parts<Follow> {
  socket: Socket;
  /** For what may be sent twice, and for what may not. */
  send: Send;
  sendOnce: Send;
  newKey(): string;
  settings(options: Follow): ResumeOptions;
}

type Send = <Result, Variables>(
  document: TypedDocumentString<Result, Variables>,
  variables: Variables,
  options?: CallOptions,
) => Promise<Result>;

const defaultPageSize = 50;
const eventsPageSize = 100;

export function batchCalls<Follow extends object>(parts: Parts<Follow>): BatchCalls<Follow> {
  const { socket, send, sendOnce, newKey, settings } = parts;
  const read = async (id: string, call?: CallOptions) => (await send(BatchDocument, { id }, call)).batch;
  return {
    async enqueueBatch(input, call) {
      const keyed = { ...input, idempotencyKey: input.idempotencyKey ?? newKey() };
      const { enqueueBatch } = await send(EnqueueBatchDocument, { input: keyed }, call);
      if (enqueueBatch.__typename === "EnqueueBatchSuccess") return enqueueBatch;
      throw enqueueBatch.__typename === "JobsRefusedError" ? refusedOf(enqueueBatch) : errorOf(enqueueBatch);
    },

    batch: read,

    async findBatch(ref, call) {
      const { batchByRef } = await send(BatchByRefDocument, { ref }, call);
      if (batchByRef.__typename !== "Batch") throw errorOf(batchByRef);
      return batchByRef;
    },

    batches: (filter, { pageSize = defaultPageSize, ...call } = {}) =>
      pages(
        async (after) =>
          (await send(BatchesDocument, { first: pageSize, after, filter: filter ?? null }, call)).batches,
      ),

    watchBatch: (batchId, options) => watchBatch(batchId, socket, read, settings(options ?? ({} as Follow))),

    followBatch(batchId, options) {
      const given = settings(options ?? ({} as Follow));
      const source = {
        open: (after: string | null) =>
          socket.subscribe(BatchEventsDocument, { batchId, after }, ({ batchEvents }) => batchEvents),
        cursorOf: ({ cursor }: BatchEvent) => cursor,
        isOver: async () => (await existing(batchId, read, given.signal)).state !== "RUNNING",
        heardAt: () => socket.heardAt,
        onConnected: socket.onConnected,
      };
      return stream((signal) => resume(source, { ...given, signal }), given.signal);
    },

    batchHistory: (id, call) =>
      pages(
        async (after) =>
          (await send(BatchHistoryDocument, { id, first: eventsPageSize, after }, call)).batch?.events ?? null,
      ),

    async cancelBatch(id, reason, call) {
      const { cancelBatch } = await send(CancelBatchDocument, { input: { id, reason: reason ?? null } }, call);
      if (cancelBatch.__typename !== "CancelBatchSuccess") throw errorOf(cancelBatch);
      return cancelBatch;
    },

    async requeueBatch(id, reason, call) {
      const { requeueBatch } = await sendOnce(RequeueBatchDocument, { input: { id, reason: reason ?? null } }, call);
      if (requeueBatch.__typename !== "RequeueBatchSuccess") throw errorOf(requeueBatch);
      return requeueBatch;
    },
  };
}

type Read = (batchId: string, options: CallOptions) => Promise<Batch | null>;

function watchBatch(batchId: string, socket: Socket, read: Read, settings: ResumeOptions): Stream<Batch> {
  async function* follow(signal: AbortSignal): AsyncGenerator<Batch, void, undefined> {
    await existing(batchId, read, signal);
    const source = {
      open: () => socket.subscribe(BatchChangedDocument, { ids: [batchId] }, ({ batchChanged }) => batchChanged),
      // It begins with the batch as it is, wherever it was left.
      cursorOf: () => "",
      isOver: async () => false,
      heardAt: () => socket.heardAt,
      onConnected: socket.onConnected,
    };
    for await (const batch of resume<Batch>(source, { ...settings, signal })) {
      yield batch;
      if (batch.state !== "RUNNING") return;
    }
  }
  return stream(follow, settings.signal);
}

async function existing(batchId: string, read: Read, signal: AbortSignal): Promise<Batch> {
  const batch = await read(batchId, { signal });
  if (batch === null) throw new NotFoundError(`There is no batch ${batchId}.`, "id");
  return batch;
}

type Refused = Extract<EnqueueBatchMutation["enqueueBatch"], { __typename: "JobsRefusedError" }>;

function refusedOf({ message, path, items }: Refused): JobsRefusedError {
  const refused = items.flatMap(({ index, result }) =>
    result.__typename === "EnqueuedJob" ? [] : [{ index, error: errorOf(result) }],
  );
  return new JobsRefusedError(message, path, refused);
}
