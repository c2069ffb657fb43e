import type { EnqueueJobMutation, JobState } from "./generated/graphql.ts";

type InvalidRun = Extract<EnqueueJobMutation["enqueueJob"], { __typename: "InvalidRunError" }>;
/** One thing that is wrong with a request: where, what, and what was probably meant. */
export type Problem = InvalidRun["problems"][number];

/** What went wrong with a call: for programs by its class and `code`, for people by `message`. */
export abstract class QueueError extends Error {
  abstract readonly code: string;
  /** The field that the error is about, `input.inputs.min_price`; null when it is about none. */
  readonly path: string | null;

  constructor(message: string, path: string | null = null, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.path = path;
  }
}

/** The run that was asked for does not fit the pipeline: each thing that is wrong is in `problems`. Nothing was stored. */
export class InvalidRunError extends QueueError {
  readonly code = "INVALID_RUN";
  readonly problems: readonly Problem[];

  constructor(message: string, path: string | null, problems: readonly Problem[]) {
    super(message, path);
    this.problems = problems;
  }
}

/** A named thing that does not exist. */
export class NotFoundError extends QueueError {
  readonly code = "NOT_FOUND";
  /** The nearest name that exists; null when none is near. */
  readonly suggestion: string | null;

  constructor(message: string, path: string | null, suggestion: string | null = null) {
    super(message, path);
    this.suggestion = suggestion;
  }
}

/** The idempotency key was used before, for another request. */
export class IdempotencyConflictError extends QueueError {
  readonly code = "CONFLICT";
  /** The job that was made with the key; null when it has been pruned. */
  readonly jobId: string | null;

  constructor(message: string, path: string | null, jobId: string | null) {
    super(message, path);
    this.jobId = jobId;
  }
}

/** Some of the runs that were asked for together cannot be made, so none was. */
export class JobsRefusedError extends QueueError {
  readonly code = "JOBS_REFUSED";
  /** Those that cannot be made, by their place in the call. */
  readonly refused: readonly { index: number; error: QueueError }[];

  constructor(message: string, path: string | null, refused: readonly { index: number; error: QueueError }[]) {
    super(message, path);
    this.refused = refused;
  }
}

/** The job is in a state from which this cannot be done. */
export class JobStateError extends QueueError {
  readonly code = "CONFLICT";
  readonly state: JobState;

  constructor(message: string, path: string | null, state: JobState) {
    super(message, path);
    this.state = state;
  }
}

/** A job is to run with the code that it ran with, and that code is gone. */
export class CodeChangedError extends QueueError {
  readonly code = "CODE_CHANGED";
  /** Hashes of the code with which it ran, and of what is published now; null where that is not known. */
  readonly ran: string | null;
  readonly published: string | null;

  constructor(message: string, path: string | null, hashes: { ran: string | null; published: string | null }) {
    super(message, path);
    this.ran = hashes.ran;
    this.published = hashes.published;
  }
}

/** Several jobs are meant by one reference. */
export class AmbiguousRefError extends QueueError {
  readonly code = "AMBIGUOUS";
  readonly candidates: readonly string[];

  constructor(message: string, path: string | null, candidates: readonly string[]) {
    super(message, path);
    this.candidates = candidates;
  }
}

/** A value that cannot be used, whatever the state of the system. */
export class BadInputError extends QueueError {
  readonly code = "BAD_USER_INPUT";
}

/** Somebody has disabled the project: its jobs are not accepted until it is enabled. */
export class ProjectDisabledError extends QueueError {
  readonly code = "PROJECT_DISABLED";
}

/** As many jobs wait in the queue as it may hold. The same call may succeed later. */
export class QueueFullError extends QueueError {
  readonly code = "QUEUE_FULL";
}

/** The worker has ended or was asked to stop. */
export class WorkerStateError extends QueueError {
  readonly code = "CONFLICT";
}

/** The operation has ended. */
export class OperationStateError extends QueueError {
  readonly code = "CONFLICT";
}

/** There is a queue of that name already. */
export class QueueExistsError extends QueueError {
  readonly code = "CONFLICT";
}

/** The server cannot be reached, or something that it needs is away. The same call may succeed later. */
export class UnavailableError extends QueueError {
  readonly code = "UNAVAILABLE";
}

/** Any other refusal of the server; `code` says which: `FORBIDDEN`, `LIMIT_EXCEEDED`, `CURSOR_EXPIRED` … */
export class RequestError extends QueueError {
  readonly code: string;

  constructor(message: string, code: string, path: string | null = null, options?: ErrorOptions) {
    super(message, path, options);
    this.code = code;
  }
}

/** An entry of `errors` in an answer. */
export interface AnsweredError {
  message: string;
  extensions?: { code?: unknown; path?: unknown } | null;
}

/** The first of an answer's `errors` as an error of ours. */
export function errorFrom(errors: readonly AnsweredError[]): QueueError {
  const { message = "The server answered with an error.", extensions } = errors[0] ?? {};
  const code = typeof extensions?.code === "string" ? extensions.code : "INTERNAL_SERVER_ERROR";
  const path = typeof extensions?.path === "string" ? extensions.path : null;
  switch (code) {
    case "UNAVAILABLE":
      return new UnavailableError(message, path);
    case "NOT_FOUND":
      return new NotFoundError(message, path);
    case "BAD_USER_INPUT":
      return new BadInputError(message, path);
    default:
      return new RequestError(message, code, path);
  }
}

/** A typed error of a result union, as the documents select it. */
export type ErrorResult = { code: string; message: string; path: string | null } & (
  | { __typename: "InvalidRunError"; problems: readonly Problem[] }
  | { __typename: "NotFoundError"; suggestion: string | null }
  | { __typename: "IdempotencyConflictError"; existingJob: { id: string } | null }
  | { __typename: "JobStateError"; state: JobState }
  | { __typename: "CodeChangedError"; ran: string | null; published: string | null }
  | { __typename: "AmbiguousRefError"; candidates: readonly string[] }
  | { __typename: "ProjectDisabledError" }
  | { __typename: "QueueFullError" }
  | { __typename: "QueueExistsError" }
  | { __typename: "WorkerStateError" }
  | { __typename: "OperationStateError" }
  | { __typename: "BadInputError" }
);

/** The class for each typed error of a result union. */
export function errorOf(result: ErrorResult): QueueError {
  const { message, path } = result;
  switch (result.__typename) {
    case "InvalidRunError":
      return new InvalidRunError(message, path, result.problems);
    case "NotFoundError":
      return new NotFoundError(message, path, result.suggestion);
    case "IdempotencyConflictError":
      return new IdempotencyConflictError(message, path, result.existingJob?.id ?? null);
    case "JobStateError":
      return new JobStateError(message, path, result.state);
    case "CodeChangedError":
      return new CodeChangedError(message, path, result);
    case "AmbiguousRefError":
      return new AmbiguousRefError(message, path, result.candidates);
    case "ProjectDisabledError":
      return new ProjectDisabledError(message, path);
    case "QueueFullError":
      return new QueueFullError(message, path);
    case "QueueExistsError":
      return new QueueExistsError(message, path);
    case "OperationStateError":
      return new OperationStateError(message, path);
    case "WorkerStateError":
      return new WorkerStateError(message, path);
    case "BadInputError":
      return new BadInputError(message, path);
    default:
      // A server newer than this client may know more errors.
      return new RequestError((result as { message: string }).message, (result as { code: string }).code, path);
  }
}
