/** What follows a pipeline's jobs by the YAML of others, and what has followed a job. */
import { createContextCache } from "@pothos/core";
import type { DependencyCondition } from "../domain/dependency.ts";
import { type FollowUpProblem, type FollowUpState, mostFollowUps } from "../domain/follow-up.ts";
import { Batch } from "./batch.ts";
import { builder } from "./builder.ts";
import type { Context } from "./context.ts";
import { DependencyConditionEnum } from "./dependency.ts";
import { jobRef } from "./job.ts";
import { Pipeline } from "./pipeline.ts";
import { Problem } from "./problem.ts";

/** Most pipelines have none or one. */
const few = { field: 1, multiplier: 2 };

interface RuleRow {
  project: string;
  pipeline: string;
  leader: string;
  when: DependencyCondition;
  inputs: Record<string, string>;
  problem: { path: string; message: string; suggestion: string | null } | null;
}

const FollowedInput = builder.objectRef<{ input: string; variable: string }>("FollowedInput").implement({
  description: "An input that is a result of the job that is followed.",
  fields: (t) => ({
    input: t.exposeString("input", { description: "The input." }),
    variable: t.exposeString("variable", { description: "The final variable of the job that is followed." }),
  }),
});

const FollowRule = builder.objectRef<RuleRow>("FollowRule").implement({
  description: "That a job of one pipeline is made whenever one of another has ended: `job_queue.after` of its YAML.",
  fields: (t) => ({
    pipeline: t.exposeString("pipeline", { description: "The pipeline that follows." }),
    follows: t.exposeString("leader", { description: "The pipeline of the same project that it follows." }),
    when: t.expose("when", { type: DependencyConditionEnum, description: "How a job of that one has to end." }),
    inputs: t.field({
      type: [FollowedInput],
      complexity: few,
      description: "Inputs that are results of that job.",
      resolve: ({ inputs }) => Object.entries(inputs).map(([input, variable]) => ({ input, variable })),
    }),
    problem: t.expose("problem", {
      type: Problem,
      nullable: true,
      description: "What is wrong with it: it makes no jobs then. Null when nothing is.",
    }),
  }),
});

builder.drizzleObjectField(
  Pipeline,
  "after",
  (t) =>
    t.field({
      type: [FollowRule],
      complexity: few,
      description: "What it follows, by its YAML.",
      select: { columns: { project: true, name: true } },
      resolve: async ({ project, name }, _args, context) =>
        (await rulesOf(context).ask(project)).filter(({ pipeline }) => pipeline === name),
    }) as never,
);

builder.drizzleObjectField(
  Pipeline,
  "followers",
  (t) =>
    t.field({
      type: [FollowRule],
      complexity: few,
      description: "What follows it, by the YAML of others.",
      select: { columns: { project: true, name: true } },
      resolve: async ({ project, name }, _args, context) =>
        (await rulesOf(context).ask(project)).filter(({ leader }) => leader === name),
    }) as never,
);

const rulesOf = createContextCache(
  ({ db }: Context) =>
    new Batch<string, RuleRow[]>(async (projects) => {
      const rows = await db.sql<RuleRow[]>`
        select project, pipeline, leader, run_when as "when", inputs, problem from follow_rules
        where project = any(${projects as string[]}) order by project, pipeline, position`;
      const byProject = Map.groupBy(rows, ({ project }) => project);
      return projects.map((project) => byProject.get(project) ?? []);
    }),
);

const FollowUpStateEnum = builder.enumType("FollowUpState", {
  description: "What has become of a job that is to follow another.",
  values: {
    OPEN: { value: "open", description: "It is to be enqueued." },
    ENQUEUED: { value: "enqueued", description: "There is a job." },
    REFUSED: { value: "refused", description: "It could not be enqueued, and is tried no more." },
  } as const satisfies { [S in FollowUpState as Uppercase<S>]: { value: S; description: string } },
});

const FollowUpProblemType = builder.objectRef<FollowUpProblem>("FollowUpProblem").implement({
  description: "Why a job that is to follow another was not enqueued, or not yet.",
  fields: (t) => ({
    code: t.exposeString("code", {
      description: "The code of the error: `INVALID_RUN`, `NOT_FOUND`, `QUEUE_FULL`, `PROJECT_DISABLED`, `CIRCLE`, …",
    }),
    message: t.exposeString("message", { description: "What is wrong, for a person." }),
    problems: t.field({
      type: [Problem],
      description: "Of a run that does not fit the pipeline: each thing that is wrong with it.",
      resolve: ({ problems }) => problems ?? [],
    }),
  }),
});

interface FollowUpRow {
  jobId: string;
  life: number;
  pipeline: string;
  when: DependencyCondition;
  state: FollowUpState;
  madeId: string | null;
  problem: FollowUpProblem | null;
  decidedAt: Date | null;
}

const FollowUp = builder.objectRef<FollowUpRow>("FollowUp").implement({
  description: "What follows the end of a life of a job, by the YAML of the pipeline that follows.",
  fields: (t) => ({
    life: t.exposeInt("life", { description: "The life of the job that has ended, from 1." }),
    pipeline: t.exposeString("pipeline", { description: "The pipeline that follows, of the same project." }),
    when: t.expose("when", { type: DependencyConditionEnum, description: "How the job had to end." }),
    state: t.expose("state", { type: FollowUpStateEnum, description: "What has become of it." }),
    job: t.field({
      type: jobRef,
      nullable: true,
      description: "The job that was made; null when there is none, or when it has been deleted.",
      resolve: ({ madeId }) => (madeId === null ? null : ({ id: madeId } as never)),
    }),
    problem: t.expose("problem", {
      type: FollowUpProblemType,
      nullable: true,
      description: "Why there is no job, or not yet; null when nothing is wrong.",
    }),
    decidedAt: t.expose("decidedAt", {
      type: "DateTime",
      nullable: true,
      description: "When it was enqueued or refused; null while it is open.",
    }),
  }),
});

builder.drizzleObjectField(
  jobRef,
  "followUps",
  (t) =>
    t.field({
      type: [FollowUp],
      description: `What follows its ends, the last life first: at most ${mostFollowUps}.`,
      complexity: 10,
      select: { columns: { id: true } },
      resolve: ({ id }, _args, context) => followUpsOf(context).ask(id),
    }) as never,
);

const followUpsOf = createContextCache(
  ({ db }: Context) =>
    new Batch<string, FollowUpRow[]>(async (jobIds) => {
      const rows = await db.sql<FollowUpRow[]>`
        select u.job_id as "jobId", u.life, u.pipeline, u.run_when as "when", u.state, m.id as "madeId", u.problem,
          u.decided_at as "decidedAt"
        from (select distinct id from unnest(${jobIds as string[]}::uuid[]) as id) q
        cross join lateral (
          select * from follow_ups u where u.job_id = q.id order by u.life desc, u.pipeline limit ${mostFollowUps}
        ) u
        left join jobs m on m.id = u.made_id
        order by u.job_id, u.life desc, u.pipeline`;
      const byJob = Map.groupBy(rows, ({ jobId }) => jobId);
      return jobIds.map((id) => byJob.get(id) ?? []);
    }),
);
