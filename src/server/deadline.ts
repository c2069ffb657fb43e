import { UnavailableError } from "../domain/errors.ts";

export interface Deadline {
  /** After so long the database is asked whether it is there. */
  suspicionMs: number;
  answerMs: number;
  databaseAnswers(): Promise<boolean>;
}

/**
 * The answer, or UnavailableError: soon when the database is away, and after a few seconds whatever the reason. The work
 * goes on behind it, because a statement that was sent cannot be unsent.
 */
export async function withinDeadline<T>(
  work: Promise<T>,
  { suspicionMs, answerMs, databaseAnswers }: Deadline,
): Promise<T> {
  const late = Promise.withResolvers<never>();
  const suspicion = setTimeout(async () => {
    if (await databaseAnswers()) return;
    late.reject(new UnavailableError(`The database does not answer at the moment. ${tryAgain}`));
  }, suspicionMs);
  const end = setTimeout(() => {
    late.reject(new UnavailableError(`There was no answer within ${answerMs} ms. ${tryAgain}`));
  }, answerMs);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(suspicion);
    clearTimeout(end);
    late.promise.catch(() => {}); // the suspicion may come true after the answer
    work.catch(() => {}); // and the work may fail after we have given up on it
  }
}

const tryAgain = "Try again; a mutation with the same idempotency key is done once.";
