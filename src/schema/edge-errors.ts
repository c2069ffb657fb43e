import { DomainError, type Problem } from "../domain/errors.ts";

/** What concerns the call and not a pipeline or a job is a top-level error, never data. */

export class ForbiddenError extends DomainError {
  readonly code = "FORBIDDEN";

  constructor(field: string) {
    super(`You may not use ${field}. Ask whoever runs this server for a key with the right scope.`);
  }
}

/** An input has the right types and still cannot be meant: too long, out of range, not a name. */
export class ShapeError extends DomainError {
  readonly code = "BAD_USER_INPUT";
  readonly problems: Problem[];

  constructor(problems: Problem[]) {
    super(problems.map((problem) => problem.message).join(" "), problems[0]?.path ?? null);
    this.problems = problems;
  }
}

interface Issue {
  readonly message: string;
  readonly path?: ReadonlyArray<PropertyKey | { readonly key: PropertyKey }> | undefined;
}

/** The issues of a validation as problems with the path that the caller knows. */
export function problemsOf(issues: readonly Issue[]): Problem[] {
  return issues.map(({ message, path = [] }) => {
    const at = path.map((part) => String(typeof part === "object" ? part.key : part)).join(".");
    return { path: at, message: at === "" ? message : `${at}: ${message}.`, suggestion: null };
  });
}
