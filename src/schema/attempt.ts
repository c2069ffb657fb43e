import { createContextCache } from "@pothos/core";
import type { JsonObject } from "../domain/json.ts";
import type { AttemptEnd } from "../domain/lifecycle.ts";
import type { ErrorKind } from "../domain/outcome.ts";
import { redacted } from "../domain/secrets.ts";
import { builder } from "./builder.ts";
import type { Context } from "./context.ts";
import { Gathered } from "./gathered.ts";
import { ErrorKindEnum, RunError, type RunErrorShape } from "./run-error.ts";

const AttemptOutcome = builder.enumType("AttemptOutcome", {
  description: "How an attempt ended.",
  values: {
    SUCCEED: { value: "succeed", description: "It succeeded." },
    RETRY: { value: "retry", description: "It failed, and another one follows." },
    FAIL: { value: "fail", description: "It failed, and the job with it." },
    RELEASE: { value: "release", description: "Its worker stopped and handed the job back." },
    RESCUE: { value: "rescue", description: "Its worker died; the job was queued again." },
    STOP: { value: "stop", description: "It was stopped on request." },
  } as const satisfies { [E in AttemptEnd as Uppercase<E>]: { value: E; description: string } },
});

export const Attempt = builder.drizzleNode("attempts", {
  name: "Attempt",
  description: "The n-th try at a job, by one worker.",
  id: { column: (attempt) => attempt.id, description: "Its id: `att_…`." },
  fields: (t) => ({
    job: t.relation("job", { description: "The job that it is a try at." }),
    number: t.exposeInt("attempt", { description: "From 1, over all lives of the job." }),
    life: t.exposeInt("life", { description: "The life of the job that it belongs to: each requeue opens the next." }),
    outcome: t.field({
      type: AttemptOutcome,
      nullable: true,
      description: "How it ended; null while it runs.",
      select: { columns: { outcome: true } },
      resolve: ({ outcome }) => outcome as AttemptEnd | null,
    }),
    startedAt: t.expose("startedAt", { type: "DateTime", description: "When a worker began it." }),
    endedAt: t.expose("endedAt", {
      type: "DateTime",
      nullable: true,
      description: "When it ended; null while it runs.",
    }),
    durationMs: t.int({
      nullable: true,
      description: "From start to end; null while it runs.",
      select: { columns: { startedAt: true, endedAt: true } },
      resolve: ({ startedAt, endedAt }) => (endedAt === null ? null : endedAt.getTime() - startedAt.getTime()),
    }),
    errorKind: t.field({
      type: ErrorKindEnum,
      nullable: true,
      description: "Whose fault it is that it did not succeed; null when it did, and while it runs.",
      select: { columns: { errorKind: true } },
      resolve: ({ errorKind }) => errorKind as ErrorKind | null,
    }),
    error: t.field({
      type: RunError,
      nullable: true,
      description: "Why it did not succeed; null when it did, and while it runs.",
      select: { columns: { error: true } },
      resolve: ({ error }) => error as RunErrorShape | null,
    }),
    worker: t.relation("worker", { description: "Who ran it." }),
    codeHash: t.exposeString("codeHash", {
      nullable: true,
      description: "Hash of the code that ran; null before the graph is resolved.",
    }),
    context: t.field({
      type: "JSONObject",
      nullable: true,
      description:
        "All that is needed to run it again: the resolved run config with the source of each value, versions, code. Null before the graph is resolved, and without the right `payloads`.",
      authScopes: { payloads: true },
      unauthorizedResolver: () => null,
      select: { columns: { context: true } },
      resolve: ({ context }) => redacted(context as JsonObject | null),
    }),
    path: t.stringList({
      nullable: true,
      description:
        "The nodes that the run computes, in order; branches are not multiplied. Null before the graph is resolved.",
      select: { columns: { context: true } },
      resolve: ({ context }) => pathOf(context),
    }),
    neverRan: t.stringList({
      nullable: true,
      description:
        "Nodes of its path that never began, in order; while it runs: that have not begun yet. Null before the graph is resolved.",
      select: { columns: { jobId: true, attempt: true, context: true } },
      resolve: (attempt, _args, operation) => neverRan(attempt, operation),
    }),
    results: t.relation("results", {
      description: "What is kept of its final variables.",
      query: { orderBy: { name: "asc" } },
    }),
    storedMs: t.exposeFloat("storedMs", {
      nullable: true,
      description:
        "How long its artifacts took to be kept, after its run had ended; null when there were none to keep.",
    }),
    eventsRefused: t.exposeInt("eventsRefused", {
      description: "Events that came after its end and were not recorded.",
    }),
  }),
});

/** Nodes of an attempt's path that have not begun, in order; null before the graph is resolved. */
export async function neverRan(
  { jobId, attempt, context }: { jobId: string; attempt: number; context: JsonObject | null },
  operation: Context,
): Promise<string[] | null> {
  const path = pathOf(context);
  if (path === null) return null;
  const began = await begunNodes(operation).ask({ jobId, attempt });
  return path.filter((node) => !began.has(node));
}

function pathOf(context: JsonObject | null): string[] | null {
  return (context?.path as string[] | undefined) ?? null;
}

/** Names of the nodes that have begun in an attempt: of all attempts that are asked about in one statement. */
const begunNodes = createContextCache(
  ({ db }: Context) =>
    new Gathered<{ jobId: string; attempt: number }, Set<string>>(async (questions) => {
      const asked = JSON.stringify(questions.map((one, question) => ({ ...one, question })));
      const rows = await db.readSql<{ question: number; nodes: string[] }[]>`
        select q.question, array(
          select distinct n.node from node_runs n where n.job_id = q."jobId" and n.attempt = q.attempt
        ) as nodes
        from jsonb_to_recordset(${asked}::jsonb) as q (
          question int, "jobId" uuid, attempt int
        )`;
      const answers = new Map(rows.map(({ question, nodes }) => [question, new Set(nodes)]));
      return questions.map((_, question) => answers.get(question) ?? new Set<string>());
    }),
);
