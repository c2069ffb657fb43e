/** The attempts of a job, page by page. */
import { createContextCache } from "@pothos/core";
import type { Sql } from "../db/client.ts";
import type { attempts } from "../db/tables.ts";
import { Attempt } from "./attempt.ts";
import { builder } from "./builder.ts";
import type { Context } from "./context.ts";
import { jobRef } from "./job.ts";
import { type ListQuestion, NestedList } from "./nested-list.ts";
import { pageComplexity } from "./page.ts";

builder.drizzleObjectField(jobRef, "attempts", (t) =>
  t.connection(
    {
      type: Attempt,
      description: "Its attempts, the first one first.",
      complexity: pageComplexity,
      select: { columns: { id: true } },
      resolve: ({ id }, page, context) => lists(context).page(`attempts ${id}`, { jobId: id }, page),
    },
    { name: "AttemptsConnection", description: "A page of a job's attempts." },
    { name: "AttemptsConnectionEdge", description: "An attempt in its list." },
  ),
);

type Row = Pick<typeof attempts.$inferSelect, "jobId" | "attempt" | "id">;

const lists = createContextCache(
  ({ db }: Context) =>
    new NestedList<{ jobId: string }, Row>(
      ({ attempt }) => attempt,
      (questions, limit, backwards) => readAttempts(db.readSql, questions, limit, backwards),
    ),
);

/** The keys of pages of many jobs, in one statement; what is selected of them the plugin loads, all at once. */
async function readAttempts(
  sql: Sql,
  questions: readonly ({ jobId: string } & ListQuestion)[],
  limit: number,
  backwards: boolean,
) {
  return await sql<(Row & { question: number })[]>`
    select q.question, a.job_id as "jobId", a.attempt, a.id
    from jsonb_to_recordset(${JSON.stringify(questions)}::jsonb) as q (
      question int, "jobId" uuid, "after" int, "before" int
    )
    cross join lateral (
      select * from attempts a
      where a.job_id = q."jobId" and a.attempt > q."after" and a.attempt < q."before"
      order by a.attempt ${backwards ? sql`desc` : sql``} limit ${limit}
    ) a
    order by q.question, a.attempt ${backwards ? sql`desc` : sql``}`;
}
