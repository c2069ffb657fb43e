/** How jobs are linked by reruns: what one was made from, what was made from it, and what has made good for it. */
import { createContextCache } from "@pothos/core";
import type { Sql } from "../db/client.ts";
import type { JobState } from "../domain/lifecycle.ts";
import { builder } from "./builder.ts";
import type { Context } from "./context.ts";
import { Gathered } from "./gathered.ts";
import { jobRef } from "./job.ts";
import { type ListQuestion, NestedList, uuids } from "./nested-list.ts";
import { pageComplexity } from "./page.ts";

/** Reruns of reruns are followed so far, and so many of them. */
const deepest = 50;
const mostInChain = 1000;

builder.drizzleObjectField(
  jobRef,
  "rerunOf",
  (t) =>
    t.field({
      type: jobRef,
      nullable: true,
      description:
        "The job that it was made from by `rerunJob`; null when it was enqueued by itself, or when that one has been pruned.",
      select: { with: { request: { columns: { rerunOf: true } } } },
      resolve: ({ request: { rerunOf } }) => (rerunOf === null ? null : ({ id: rerunOf } as never)),
    }) as never, // the field types of the drizzle and the validation plugin do not know each other
);

builder.drizzleObjectField(jobRef, "reruns", (t) =>
  t.connection(
    {
      type: jobRef,
      description: "Jobs that were made from it by `rerunJob`, the first one first. Theirs are with them.",
      complexity: pageComplexity,
      select: { columns: { id: true } },
      resolve: ({ id }, page, context) => lists(context).page(`reruns ${id}`, { jobId: id }, page),
    },
    { name: "JobRerunsConnection", description: "A page of the reruns of a job." },
    { name: "JobRerunsConnectionEdge", description: "A rerun in its list." },
  ),
);

builder.drizzleObjectField(
  jobRef,
  "resolvedBy",
  (t) =>
    t.field({
      type: jobRef,
      nullable: true,
      description:
        "What has made good for it: of a job that failed, was cancelled or has expired the first of its reruns, and of theirs, that has succeeded; of one that has succeeded after a requeue, itself. Null when nothing has, and when there was nothing to make good.",
      select: { columns: { id: true, state: true, life: true } },
      resolve: async ({ id, state, life }, _args, context) => {
        if (state === "succeeded") return life > 1 ? ({ id } as never) : null;
        const mayBe: JobState[] = ["failed", "cancelled", "expired"];
        const found = mayBe.includes(state) ? await resolutions(context).ask(id) : null;
        return found === null ? null : ({ id: found } as never);
      },
    }) as never,
);

interface Row {
  id: string;
}

const lists = createContextCache(
  ({ db }: Context) =>
    new NestedList<{ jobId: string }, Row, string>(
      ({ id }) => id,
      (questions, limit, backwards) => readReruns(db.sql, questions, limit, backwards),
      uuids,
    ),
);

/** The keys of pages of many jobs, in one statement; what is selected of them the plugin loads, all at once. */
async function readReruns(
  sql: Sql,
  questions: readonly ({ jobId: string } & ListQuestion<string>)[],
  limit: number,
  backwards: boolean,
) {
  return await sql<(Row & { question: number })[]>`
    select q.question, r.job_id as id
    from jsonb_to_recordset(${sql.json(questions as never)}) as q (
      question int, "jobId" uuid, "after" uuid, "before" uuid
    )
    cross join lateral (
      select * from job_requests r
      where r.rerun_of = q."jobId" and r.job_id > q."after" and r.job_id < q."before"
      order by r.job_id ${backwards ? sql`desc` : sql``} limit ${limit}
    ) r
    order by q.question, r.job_id ${backwards ? sql`desc` : sql``}`;
}

const resolutions = createContextCache(
  ({ db }: Context) => new Gathered<string, string | null>((jobIds) => firstSucceeded(db.sql, jobIds)),
);

/** Of each of these jobs the first in its tree of reruns that has succeeded. A job is made from an older one: no circles. */
async function firstSucceeded(sql: Sql, jobIds: readonly string[]): Promise<(string | null)[]> {
  const rows = await sql<{ of: string; id: string }[]>`
    select q.id as of, found.id
    from (select distinct id from unnest(${jobIds as string[]}::uuid[]) as id) q
    cross join lateral (
      with recursive chain (id, depth) as (
        select r.job_id, 1 from job_requests r where r.rerun_of = q.id
        union all
        select r.job_id, c.depth + 1 from chain c join job_requests r on r.rerun_of = c.id where c.depth < ${deepest}
      )
      select j.id
      from (select id from chain limit ${mostInChain}) c
      join jobs j on j.id = c.id and j.state = 'succeeded'
      order by j.finished_at, j.id limit 1
    ) found`;
  const found = new Map(rows.map(({ of, id }) => [of, id]));
  return jobIds.map((id) => found.get(id) ?? null);
}
