/** One thing that is wrong with what somebody sent: where, what, and what was probably meant. */
export interface Problem {
  /** Path of the field, from the caller's point of view: `input.inputs.min_price`. */
  path: string;
  message: string;
  suggestion: string | null;
}

/**
 * Something a user can act on. Made where it is found, mapped once (`schema/errors.ts`, `cli`), never caught in between.
 * Whatever is not a DomainError is a bug of ours.
 */
export abstract class DomainError extends Error {
  abstract readonly code: string;
  /** The field that the error is about, where there is one. */
  readonly path: string | null;

  constructor(message: string, path: string | null = null, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.path = path;
  }
}

/** The same error about a field of a list: `input.queue` becomes `input.jobs.3.queue`. A copy: others may hold the first. */
export function placedAt<E extends DomainError>(error: E, place: string): E {
  const copy = Object.create(Object.getPrototypeOf(error), Object.getOwnPropertyDescriptors(error)) as E;
  const placed = (path: string) => path.replace(/^input\b/, place);
  const problems = "problems" in error ? (error.problems as Problem[]) : null;
  return Object.assign(
    copy,
    { path: error.path === null ? place : placed(error.path) },
    problems !== null && {
      problems: problems.map((problem) => ({ ...problem, path: placed(problem.path) })),
    },
  );
}

/** A named thing that does not exist. */
export class NotFoundError extends DomainError {
  readonly code = "NOT_FOUND";
  readonly suggestion: string | null;

  constructor(what: string, name: string, path: string | null, suggestion: string | null = null) {
    super(`There is no ${what} ${name}.${suggestion === null ? "" : ` Did you mean ${suggestion}?`}`, path);
    this.suggestion = suggestion;
  }
}

/** A value that cannot be used, whatever the state of the system. */
export class BadInputError extends DomainError {
  readonly code = "BAD_USER_INPUT";
}

/** The run that was asked for does not fit the pipeline. Nothing was stored. */
export class InvalidRunError extends DomainError {
  readonly code = "INVALID_RUN";
  readonly problems: Problem[];

  constructor(problems: Problem[]) {
    super(problems.map((problem) => problem.message).join(" "), problems[0]?.path ?? null);
    this.problems = problems;
  }
}

/** Somebody has switched the project off: its jobs are neither accepted nor started. */
export class ProjectDisabledError extends DomainError {
  readonly code = "PROJECT_DISABLED";
  readonly project: string;

  constructor(project: string, reason: string | null, path: string | null) {
    const because = reason === null ? "" : ` (${reason})`;
    super(
      `The project ${project} is disabled${because}: its jobs are not accepted. Enable it first: flowerpower-queue project enable ${project}`,
      path,
    );
    this.project = project;
  }
}

/** As many jobs wait in the queue as it may hold. */
export class QueueFullError extends DomainError {
  readonly code = "QUEUE_FULL";
  readonly queue: string;

  constructor(queue: string, backlogLimit: number, path: string | null) {
    super(
      `The queue ${queue} takes no more: ${backlogLimit} jobs wait in it, which is its limit. Try again when some have started, or raise it: flowerpower-queue queue set ${queue} --backlog N`,
      path,
    );
    this.queue = queue;
  }
}

/** There is a queue of that name already. */
export class QueueExistsError extends DomainError {
  readonly code = "CONFLICT";
  readonly queue: string;

  constructor(queue: string, path: string | null) {
    super(`There is a queue ${queue} already. Change it: flowerpower-queue queue set ${queue}`, path);
    this.queue = queue;
  }
}

/** The idempotency key belongs to another request. */
export class IdempotencyConflictError extends DomainError {
  readonly code = "CONFLICT";
  readonly jobId: string;

  constructor(key: string, jobId: string) {
    super(
      `The idempotency key ${key} was used before with another request. Use a new key, or send the same request.`,
      "input.idempotencyKey",
    );
    this.jobId = jobId;
  }
}

/** Some of the jobs that were asked for together cannot be made, so none was. */
export class JobsRefusedError extends DomainError {
  readonly code = "JOBS_REFUSED";
  readonly refused: readonly { index: number; error: DomainError }[];
  readonly count: number;

  /** `more`: others were not looked at any more. */
  constructor(refused: readonly { index: number; error: DomainError }[], count: number, more = false) {
    super(
      `${more ? "At least " : ""}${refused.length} of ${count} jobs cannot be made, so nothing was stored. The first: ${refused[0]?.error.message ?? ""}`,
      refused[0]?.error.path ?? "input.jobs",
    );
    this.refused = refused;
    this.count = count;
  }
}

/** The job is in a state from which this cannot be done. */
export class JobStateError extends DomainError {
  readonly code = "CONFLICT";
  readonly state: string;

  constructor(jobId: string, state: string, consequence: string) {
    super(`The job ${jobId} is ${state} and ${consequence}.`, "input.id");
    this.state = state;
  }
}

/** The worker has ended or is about to, so that nothing else can be asked of it. */
export class WorkerStateError extends DomainError {
  readonly code = "CONFLICT";
  readonly state: string;

  constructor(workerId: string, state: string) {
    const is = state === "stopped" ? "has stopped" : state === "dead" ? "is dead" : "was asked to stop";
    super(`The worker ${workerId} ${is}: nothing else can be asked of it. Start another one.`, "input.id");
    this.state = state;
  }
}

/** A job is to run with the code that it ran with, and that code is gone: only what is in the project's folder can be run. */
export class CodeChangedError extends DomainError {
  readonly code = "CODE_CHANGED";
  /** Hash of the code with which the job ran; null when it never came to that. */
  readonly ran: string | null;
  /** Hash of the code that is published now; null when it could not be read. */
  readonly published: string | null;

  constructor(jobId: string, ran: string | null, published: string | null) {
    super(
      ran === null
        ? `It is not known with which code the job ${jobId} ran, so it cannot be run with the same. Rerun it with the current code.`
        : `The code with which the job ${jobId} ran is no longer what is published, and old code is not kept. Put it back into the project's folder, or rerun the job with the current code.`,
      "input.code",
    );
    this.ran = ran;
    this.published = published;
  }
}

/** A cursor that this server never gave out, or gave out for something else. */
export class BadCursorError extends DomainError {
  readonly code = "BAD_CURSOR";
}

/** A cursor older than what is kept. Start again without one, or from `floor`. */
export class CursorExpiredError extends DomainError {
  readonly code = "CURSOR_EXPIRED";
}

/** More than a documented limit allows. */
export class LimitExceededError extends DomainError {
  readonly code = "LIMIT_EXCEEDED";
}

/** Something that we need is away: try again after `retryAfterMs`. */
export class UnavailableError extends DomainError {
  readonly code = "UNAVAILABLE";
  readonly retryAfterMs: number;

  constructor(message: string, retryAfterMs = 1000, options?: ErrorOptions) {
    super(message, null, options);
    this.retryAfterMs = retryAfterMs;
  }
}
