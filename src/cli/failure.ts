import { QueueError, UnavailableError as ServerAway } from "../client/client.ts";
import { InvalidRunError } from "../client/errors.ts";
import { DomainError, UnavailableError } from "../domain/errors.ts";

/** How the command ends, as shells, cron and CI read it. */
export const exitCodes = {
  succeeded: 0,
  failed: 1,
  /** What was asked for cannot be: a flag, an input, a name. */
  usage: 2,
  /** The job was cancelled, or expired before it began. */
  cancelled: 3,
  /** The API, or the database, cannot be reached: try again later (EX_TEMPFAIL). */
  unreachable: 75,
  /** Ctrl-C. */
  interrupted: 130,
} as const;

/** What somebody typed cannot be used. */
export class UsageError extends DomainError {
  readonly code = "USAGE";
}

/** Codes of errors about what somebody typed. By code, so that API commands need not load what finds projects. */
const typed: ReadonlySet<string> = new Set(["USAGE", "BAD_PROJECT"]);

/** The command has said all there is to say, and ends with this code. */
export class Exit extends Error {
  readonly exitCode: number;

  constructor(exitCode: number) {
    super(`exit ${exitCode}`);
    this.exitCode = exitCode;
  }
}

/** What to say about an error, and how to end. Anything that is not expected is told with its stack: a bug of ours. */
export function describeFailure(error: unknown): { message: string; exitCode: number } {
  if (error instanceof ServerAway) {
    const message = `${error.message} Start one with: flowerpower-queue up (or name it with --url).`;
    return { message, exitCode: exitCodes.unreachable };
  }
  if (error instanceof InvalidRunError) return { message: problemList(error), exitCode: exitCodes.usage };
  if (error instanceof QueueError) {
    const isOurs = error.code === "INTERNAL_SERVER_ERROR";
    return { message: error.message, exitCode: isOurs ? exitCodes.failed : exitCodes.usage };
  }
  if (error instanceof DomainError && typed.has(error.code))
    return { message: error.message, exitCode: exitCodes.usage };
  if (error instanceof UnavailableError) return { message: error.message, exitCode: exitCodes.unreachable };
  if (error instanceof DomainError) return { message: withHint(error), exitCode: exitCodes.failed };
  return { message: unexpected(error), exitCode: exitCodes.failed };
}

function problemList({ problems, message }: InvalidRunError): string {
  if (problems.length === 0) return message;
  return ["The run does not fit the pipeline; nothing was stored.", ...problems.map(problemLine)].join("\n");
}

/** A problem of a request, with what was probably meant. */
export function problemLine(
  problem: Pick<InvalidRunError["problems"][number], "path" | "message" | "suggestion">,
): string {
  return `  ${problem.path.replace(/^input\./, "")}: ${problem.message}${meant(problem)}`;
}

/** A name is what was meant; a command is what to do. */
function meant({ suggestion, message }: Pick<InvalidRunError["problems"][number], "message" | "suggestion">): string {
  if (suggestion === null || message.includes("Did you mean")) return "";
  return /\s/.test(suggestion) ? `\n    ${suggestion}` : ` Did you mean ${suggestion}?`;
}

function withHint(error: DomainError): string {
  const hint = "hint" in error && typeof error.hint === "string" ? `\n${error.hint}` : "";
  return `${error.message}${hint}`;
}

function unexpected(error: unknown): string {
  if (!(error instanceof Error)) return `Unexpected: ${String(error)}`;
  const cause = error.cause instanceof Error ? `\nCaused by: ${error.cause.stack}` : "";
  return `Unexpected, and a bug of ours: ${error.stack ?? error.message}${cause}`;
}
