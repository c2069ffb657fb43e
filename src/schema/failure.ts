/** Why an attempt failed, gathered: the node at the root of it, what it was called with, its code, what never ran because of it. */
import { createContextCache } from "@pothos/core";
import type { Sql } from "../db/client.ts";
import type { JsonObject } from "../domain/json.ts";
import { Attempt, neverRan } from "./attempt.ts";
import { builder } from "./builder.ts";
import type { Context } from "./context.ts";
import { Gathered } from "./gathered.ts";
import { jobRef } from "./job.ts";
import { RunError, type RunErrorShape } from "./run-error.ts";

/** A failed attempt, with what is known of the node at the root of its failure. */
interface FailureShape {
  jobId: string;
  attempt: number;
  context: JsonObject | null;
  error: RunErrorShape;
  node: string | null;
  branch: string | null;
  inputs: JsonObject | null;
}

interface CodeLineShape {
  number: number;
  text: string;
  isFailing: boolean;
}

const CodeLine = builder.objectRef<CodeLineShape>("CodeLine").implement({
  description: "A line of a project's code.",
  fields: (t) => ({
    number: t.exposeInt("number", { description: "Its number in the file, from 1." }),
    text: t.exposeString("text", { description: "What it says, without the end of the line." }),
    isFailing: t.exposeBoolean("isFailing", { description: "Whether it is the line in which it happened." }),
  }),
});

const Failure = builder.objectRef<FailureShape>("Failure").implement({
  description: "Why an attempt failed: its root, and what came of it.",
  fields: (t) => ({
    node: t.exposeString("node", {
      nullable: true,
      description: "The node that failed first; null when none had begun, or when it was none.",
    }),
    branch: t.exposeString("branch", {
      nullable: true,
      description: "The branch of a `Parallelizable` node; null outside of one.",
    }),
    error: t.expose("error", { type: RunError, description: "What was wrong." }),
    inputs: t.field({
      type: "JSONObject",
      nullable: true,
      description:
        "Summaries of what the node was called with, by name. Null when it did not fail by itself, and without the right `payloads`.",
      authScopes: { payloads: true },
      unauthorizedResolver: () => null,
      resolve: ({ inputs }) => inputs,
    }),
    code: t.field({
      type: [CodeLine],
      description:
        "The lines of `error.file` around `error.line`, as they were when it happened. Empty when it was outside of the project.",
      resolve: ({ error }) => codeLines(error),
    }),
    neverRan: t.stringList({
      nullable: true,
      description: "Nodes of the run's path that never began, in order. Null before the graph is resolved.",
      resolve: (failure, _args, operation) => neverRan(failure, operation),
    }),
  }),
});

builder.drizzleObjectField(
  Attempt,
  "failure",
  (t) =>
    t.field({
      type: Failure,
      nullable: true,
      description: "Why it did not succeed, gathered; null when it did, and while it runs.",
      select: { columns: { jobId: true, attempt: true, error: true, context: true } },
      resolve: failureOf,
    }) as never, // the field types of the drizzle and the validation plugin do not know each other
);

builder.drizzleObjectField(
  jobRef,
  "failure",
  (t) =>
    t.field({
      type: Failure,
      nullable: true,
      description:
        "Why the last attempt did not succeed, gathered; null when it did, while it runs, and before the first.",
      select: { with: { lastAttempt: { columns: { jobId: true, attempt: true, error: true, context: true } } } },
      resolve: ({ lastAttempt }, args, context) =>
        lastAttempt === null ? null : failureOf(lastAttempt, args, context),
    }) as never,
);

interface AttemptRow {
  jobId: string;
  attempt: number;
  error: JsonObject | null;
  context: JsonObject | null;
}

async function failureOf(
  { jobId, attempt, error, context }: AttemptRow,
  _args: object,
  operation: Context,
): Promise<FailureShape | null> {
  if (error === null) return null;
  const told = error as unknown as RunErrorShape;
  const [node, branch] = [told.node ?? null, told.branch ?? null];
  const root = await roots(operation).ask({ jobId, attempt, node, branch });
  return {
    jobId,
    attempt,
    context,
    error: told,
    // A timeout names no node; one may have failed before it.
    node: node ?? root?.node ?? null,
    branch: node === null ? root?.branch || null : branch,
    inputs: root?.inputs ?? null,
  };
}

function codeLines({ line, code, excerpt }: RunErrorShape): CodeLineShape[] {
  if (line == null) return [];
  // Of a run before there were excerpts, the line alone.
  const { from, lines } = excerpt ?? { from: line, lines: code == null ? [] : [code] };
  return lines.map((text, index) => ({ number: from + index, text, isFailing: from + index === line }));
}

interface RootQuestion {
  jobId: string;
  attempt: number;
  node: string | null;
  branch: string | null;
}

interface Root {
  node: string;
  branch: string;
  inputs: JsonObject | null;
}

const roots = createContextCache(
  ({ db }: Context) => new Gathered((asked: RootQuestion[]) => readRoots(db.sql, asked)),
);

/** Of each attempt the failed run of the node that its error names, or of the one that failed first when it names none. */
async function readRoots(sql: Sql, asked: readonly RootQuestion[]): Promise<(Root | null)[]> {
  const rows = await sql<(Root & { question: number })[]>`
    select q.question, r.node, r.branch, r.inputs
    from jsonb_to_recordset(${sql.json(asked.map((one, question) => ({ ...one, question })) as never)}) as q (
      question int, "jobId" uuid, attempt int, node text, branch text
    )
    cross join lateral (
      select n.node, n.branch, n.inputs from node_runs n
      where n.job_id = q."jobId" and n.attempt = q.attempt and n.state = 'failed'
        and (q.node is null or (n.node = q.node and n.branch = coalesce(q.branch, '')))
      order by n.ended_at, n.first_seq limit 1
    ) r`;
  const found = new Map(rows.map(({ question, ...root }) => [question, root]));
  return asked.map((_, question) => found.get(question) ?? null);
}
