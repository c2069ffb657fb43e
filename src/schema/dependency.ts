/** What a job waits for, and what waits for it. */
import { createContextCache } from "@pothos/core";
import { z } from "zod";
import type { Sql } from "../db/client.ts";
import {
  type DependencyCondition,
  type DependencyPolicy,
  type InputFrom as InputFromShape,
  mostParents,
} from "../domain/dependency.ts";
import { idText } from "../domain/ids.ts";
import { builder } from "./builder.ts";
import type { Context } from "./context.ts";
import { Gathered } from "./gathered.ts";
import { jobRef } from "./job.ts";
import { type ListQuestion, NestedList, uuids } from "./nested-list.ts";
import { pageComplexity } from "./page.ts";

export const DependencyConditionEnum = builder.enumType("DependencyCondition", {
  description: "How a job has to have ended for the one that waits for it to run.",
  values: {
    SUCCEEDED: { value: "succeeded", description: "It has succeeded." },
    FAILED: { value: "failed", description: "It has failed. One that is cancelled or expires has not." },
    ENDED: { value: "ended", description: "It has ended, in whatever way." },
  } as const satisfies { [C in DependencyCondition as Uppercase<C>]: { value: C; description: string } },
});

export const DependencyPolicyEnum = builder.enumType("DependencyPolicy", {
  description: "What becomes of a job when one that it waits for has ended in another way than it should.",
  values: {
    CANCEL: { value: "cancel", description: "It is cancelled, and so is what waits for it." },
    BLOCK: {
      value: "block",
      description:
        "It goes on waiting: until the other one has been requeued and has ended as it should, or somebody cancels it.",
    },
  } as const satisfies { [P in DependencyPolicy as Uppercase<P>]: { value: P; description: string } },
});

export const DependencyInput = builder.inputType("DependencyInput", {
  description: "A job that has to end first.",
  fields: (t) => ({
    job: t.id({ required: true, description: "The job's id: `job_…`." }),
    when: t.field({
      type: DependencyConditionEnum,
      required: true,
      defaultValue: "succeeded",
      description: "How it has to end.",
    }),
    otherwise: t.field({
      type: DependencyPolicyEnum,
      required: true,
      defaultValue: "cancel",
      description: "What is done when it ends in another way.",
    }),
  }),
});

/** Checks the length of a list of parents before anything is read. */
export const parentList = z.array(z.unknown()).max(mostParents).nullish();

interface DependencyRow {
  jobId: string;
  parentId: string;
  when: DependencyCondition;
  otherwise: DependencyPolicy;
  resolvedAt: Date | null;
  isBatch: boolean;
}

const JobDependency = builder.objectRef<DependencyRow>("JobDependency").implement({
  description: "That one job waits for another, or has waited for it.",
  fields: (t) => ({
    parent: t.field({
      type: jobRef,
      nullable: true,
      description: "The job that has to end; null when it has been deleted, and when it is a batch.",
      resolve: async ({ parentId }, _args, context) =>
        (await isThere(context).ask(parentId)) ? ({ id: parentId } as never) : null,
    }),
    parentId: t.id({
      description: "Its id: `job_…`, or `bat_…` when it is a batch.",
      resolve: ({ parentId, isBatch }) => idText(isBatch ? "batch" : "job", parentId),
    }),
    job: t.field({
      type: jobRef,
      description: "The job that waits.",
      resolve: ({ jobId }) => ({ id: jobId }) as never,
    }),
    when: t.expose("when", { type: DependencyConditionEnum, description: "How the parent has to end." }),
    otherwise: t.expose("otherwise", {
      type: DependencyPolicyEnum,
      description: "What is done when it ends in another way.",
    }),
    resolvedAt: t.expose("resolvedAt", {
      type: "DateTime",
      nullable: true,
      description: "Since when the parent has ended as it should; null: it has not.",
    }),
  }),
});

const InputFrom = builder.objectRef<InputFromShape>("InputFrom").implement({
  description: "An input that is a result of another job.",
  fields: (t) => ({
    input: t.exposeString("input", { description: "The input." }),
    jobId: t.id({ description: "The id of the job whose result it is.", resolve: ({ jobId }) => idText("job", jobId) }),
    variable: t.exposeString("variable", { description: "The final variable of that job." }),
  }),
});

builder.drizzleObjectField(
  jobRef,
  "dependsOn",
  (t) =>
    t.field({
      type: [JobDependency],
      description: `The jobs that it waits for, or has waited for: at most ${mostParents}, by their ids.`,
      complexity: 10,
      select: { columns: { id: true } },
      resolve: ({ id }, _args, context) => parents(context).ask(id),
    }) as never,
);

builder.drizzleObjectField(
  jobRef,
  "inputsFrom",
  (t) =>
    t.field({
      type: [InputFrom],
      description: "Inputs that are results of other jobs, taken when it starts.",
      select: { with: { request: { columns: { inputsFrom: true } } } },
      resolve: ({ request: { inputsFrom } }) => inputsFrom ?? [],
    }) as never,
);

builder.drizzleObjectField(jobRef, "dependents", (t) =>
  t.connection(
    {
      type: JobDependency,
      description: "The jobs that wait for it, or have waited for it, the first one first.",
      complexity: pageComplexity,
      select: { columns: { id: true } },
      resolve: ({ id }, page, context) => dependents(context).page(`dependents ${id}`, { parentId: id }, page),
    },
    { name: "JobDependentsConnection", description: "A page of the jobs that wait for a job." },
    { name: "JobDependentsConnectionEdge", description: "A job that waits, in its list." },
  ),
);

const parents = createContextCache(
  ({ db }: Context) =>
    new Gathered<string, DependencyRow[]>(async (jobIds) => {
      const rows = await db.sql<DependencyRow[]>`
        select ${columns(db.sql)} from job_dependencies d
        where d.job_id = any(${jobIds as string[]}::uuid[]) order by d.job_id, d.parent_id`;
      const byJob = Map.groupBy(rows, ({ jobId }) => jobId);
      return jobIds.map((id) => byJob.get(id) ?? []);
    }),
);

const isThere = createContextCache(
  ({ db }: Context) =>
    new Gathered<string, boolean>(async (ids) => {
      const rows = await db.sql<{ id: string }[]>`select id from jobs where id = any(${ids as string[]}::uuid[])`;
      const found = new Set(rows.map(({ id }) => id));
      return ids.map((id) => found.has(id));
    }),
);

const dependents = createContextCache(
  ({ db }: Context) =>
    new NestedList<{ parentId: string }, DependencyRow, string>(
      ({ jobId }) => jobId,
      (questions, limit, backwards) => readDependents(db.sql, questions, limit, backwards),
      uuids,
    ),
);

async function readDependents(
  sql: Sql,
  questions: readonly ({ parentId: string } & ListQuestion<string>)[],
  limit: number,
  backwards: boolean,
) {
  return await sql<(DependencyRow & { question: number })[]>`
    select q.question, ${columns(sql)}
    from jsonb_to_recordset(${sql.json(questions as never)}) as q (
      question int, "parentId" uuid, "after" uuid, "before" uuid
    )
    cross join lateral (
      select * from job_dependencies d
      where d.parent_id = q."parentId" and d.job_id > q."after" and d.job_id < q."before"
      order by d.job_id ${backwards ? sql`desc` : sql``} limit ${limit}
    ) d
    order by q.question, d.job_id ${backwards ? sql`desc` : sql``}`;
}

function columns(sql: Sql) {
  return sql`d.job_id as "jobId", d.parent_id as "parentId", d.run_when as "when", d.otherwise, d.resolved_at as "resolvedAt",
    exists (select from batches b where b.id = d.parent_id) as "isBatch"`;
}
