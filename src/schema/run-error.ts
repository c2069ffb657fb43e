import type { Problem as ProblemShape } from "../domain/errors.ts";
import type { EventError as EventErrorShape } from "../domain/event-types.ts";
import { type ErrorKind, errorKinds } from "../domain/outcome.ts";
import { builder } from "./builder.ts";
import { Problem } from "./problem.ts";

/** ErrorInfo of the runtime protocol, its kind widened by what happens outside of Python. */
export interface RunErrorShape {
  kind: ErrorKind;
  type: string;
  message: string;
  traceback?: string | null;
  node?: string | null;
  branch?: string | null;
  file?: string | null;
  line?: number | null;
  code?: string | null;
  excerpt?: { from: number; lines: string[] } | null | undefined;
  hint?: string | null;
  problems?: ProblemShape[];
}

const kindDescriptions: Record<ErrorKind, string> = {
  PIPELINE: "The pipeline's own code.",
  TIMEOUT: "It took longer than its timeout.",
  WORKER_LOST: "The worker or its Python process died.",
  CANCELLED: "It was stopped on request.",
  INVALID: "The run did not fit the pipeline as it was at the start.",
};

export const ErrorKindEnum = builder.enumType("ErrorKind", {
  description: "Why an attempt did not succeed.",
  values: Object.fromEntries(
    errorKinds.map((kind) => [kind, { value: kind, description: kindDescriptions[kind] }]),
  ) as {
    [K in ErrorKind]: { value: K; description: string };
  },
});

export const RunError = builder.objectRef<RunErrorShape>("RunError").implement({
  description: "Why an attempt or a node failed.",
  fields: (t) => ({
    kind: t.field({ type: ErrorKindEnum, description: "Whose fault it is.", resolve: ({ kind }) => kind }),
    type: t.exposeString("type", { description: "The error's class as Python shows it: `ValueError`." }),
    message: t.exposeString("message", { description: "The error's message." }),
    traceback: t.exposeString("traceback", {
      nullable: true,
      description: "Python's traceback; null when there is none.",
    }),
    node: t.exposeString("node", { nullable: true, description: "The node that failed; null when none had begun." }),
    branch: t.exposeString("branch", {
      nullable: true,
      description: "The branch of a `Parallelizable` node; null outside of one.",
    }),
    file: t.exposeString("file", {
      nullable: true,
      description: "The project's file in which it happened; null when outside of the project.",
    }),
    line: t.exposeInt("line", { nullable: true, description: "The line in `file`, from 1." }),
    code: t.exposeString("code", { nullable: true, description: "The text of that line." }),
    hint: t.exposeString("hint", {
      nullable: true,
      description: "What to run or change; null when that is not known.",
    }),
    problems: t.field({
      type: [Problem],
      description: "Of an invalid run: each thing that is wrong. Else empty.",
      resolve: ({ problems }) => problems ?? [],
    }),
  }),
});

export const EventError = builder.objectRef<EventErrorShape>("EventError").implement({
  description: "Why something failed, in short. The whole of it is `Attempt.error` and `NodeRun.error`.",
  fields: (t) => ({
    kind: t.field({ type: ErrorKindEnum, description: "Whose fault it is.", resolve: ({ kind }) => kind }),
    type: t.exposeString("type", { description: "The error's class as Python shows it." }),
    message: t.exposeString("message", { description: "The error's message." }),
    node: t.exposeString("node", { nullable: true, description: "The node that failed; null when none had begun." }),
  }),
});
