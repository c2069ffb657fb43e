import { DomainError } from "../domain/errors.ts";
import { idText } from "../domain/ids.ts";
import type { Json } from "../domain/json.ts";
import type { Started } from "./writes.ts";

/** An input that is a result of another job, as that has left it. */
export interface GivenResult {
  input: string;
  jobId: string;
  variable: string;
  /** The job is still there. */
  isThere: boolean;
  /** The value is kept with the job: it is small JSON. */
  hasValue: boolean;
  value: Json;
  /** It is kept as a file. */
  isFile: boolean;
  /** Why it is not kept. */
  omitted: string | null;
}

/** A result that the run was to take is not there, or cannot be handed on. */
export class ResultMissingError extends DomainError {
  readonly code = "RESULT_MISSING";

  constructor({ input, jobId, variable }: GivenResult, why: string) {
    super(
      `The input ${input} was to be the result ${variable} of ${idText("job", jobId)}: ${why}`,
      `input.inputs.${input}`,
    );
  }
}

/**
 * A started attempt with the results of other jobs among its inputs.
 *
 * @throws ResultMissingError when one of them is not there or is no small JSON
 */
export function withResults(started: Started): Started {
  const { given } = started;
  if (given === null) return started;
  const taken = given.map((result): [string, Json] => {
    const why = whyMissing(result);
    if (why !== null) throw new ResultMissingError(result, why);
    return [result.input, result.value];
  });
  return { ...started, inputs: { ...started.inputs, ...Object.fromEntries(taken) } };
}

function whyMissing({ isThere, hasValue, isFile, omitted }: GivenResult): string | null {
  if (!isThere) return "that job has been deleted.";
  if (hasValue) return null;
  if (isFile)
    return "it is kept as a file. Only small JSON can be an input: let that job return its path or a summary.";
  return omitted === null ? "that job has left no such result." : `it was not kept: ${omitted}`;
}
