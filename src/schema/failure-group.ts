/** Equal failures as one. */
import { createContextCache } from "@pothos/core";
import type { Sql } from "../db/client.ts";
import { idText } from "../domain/ids.ts";
import type { ErrorKind } from "../domain/outcome.ts";
import { groupKey } from "../jobs/failure-groups.ts";
import { builder } from "./builder.ts";
import type { Context } from "./context.ts";
import { Gathered } from "./gathered.ts";
import { jobRef } from "./job.ts";
import { ErrorKindEnum } from "./run-error.ts";

export const FailureGroup = builder.drizzleNode("failureGroups", {
  name: "FailureGroup",
  description:
    "Equal failures: attempts of one pipeline that ended in the same node, with the same class of error, by the same code.",
  id: { column: (group) => group.id, description: "Its id: `fail_…`." },
  fields: (t) => ({
    project: t.exposeString("project", { description: "The project." }),
    pipeline: t.exposeString("pipeline", { description: "The pipeline's name within its project." }),
    pipelineInfo: t.relation("pipelineRow", {
      nullable: true,
      description: "The pipeline as it is now; null when it is gone.",
    }),
    node: t.string({
      nullable: true,
      description: "The node that failed; null when it was none, or when that is not known.",
      select: { columns: { node: true } },
      resolve: ({ node }) => node || null,
    }),
    errorClass: t.exposeString("errorClass", { description: "The error's class as Python shows it: `ValueError`." }),
    errorKind: t.field({
      type: ErrorKindEnum,
      description: "Whose fault the last one was.",
      select: { columns: { errorKind: true } },
      resolve: ({ errorKind }) => errorKind as ErrorKind,
    }),
    codeHash: t.string({
      nullable: true,
      description: "Hash of the code that ran; null when it failed before the graph was resolved.",
      select: { columns: { codeHash: true } },
      resolve: ({ codeHash }) => codeHash || null,
    }),
    count: t.exposeFloat("count", { description: "How many attempts have ended so." }),
    firstSeenAt: t.expose("firstSeenAt", { type: "DateTime", description: "When the first one did." }),
    lastSeenAt: t.expose("lastSeenAt", { type: "DateTime", description: "When the last one did." }),
    lastMessage: t.exposeString("lastMessage", {
      description: "The message of the last one's error, its first 2000 letters.",
    }),
    lastJobId: t.id({
      description: "The id of the last one's job, also when that has been pruned.",
      select: { columns: { lastJobId: true } },
      resolve: ({ lastJobId }) => idText("job", lastJobId),
    }),
    isOpen: t.boolean({
      description: "Whether no later run of the pipeline has succeeded since the last one.",
      select: { columns: { closedAt: true } },
      resolve: ({ closedAt }) => closedAt === null,
    }),
    closedAt: t.expose("closedAt", {
      type: "DateTime",
      nullable: true,
      description: "Since when a later run of the pipeline has succeeded; null while it is open.",
    }),
    closedById: t.id({
      nullable: true,
      description: "The id of the job that succeeded then, also when that has been pruned; null while it is open.",
      select: { columns: { closedBy: true } },
      resolve: ({ closedBy }) => (closedBy === null ? null : idText("job", closedBy)),
    }),
    lastJob: t.relation("lastJob", {
      nullable: true,
      description: "The last one's job; null when it has been pruned.",
    }),
    closedBy: t.relation("closedByJob", {
      nullable: true,
      description: "The job that succeeded then; null while it is open, and when it has been pruned.",
    }),
  }),
});

builder.drizzleObjectField(
  jobRef,
  "failureGroup",
  (t) =>
    t.field({
      type: FailureGroup,
      nullable: true,
      description:
        "The equal failures among which its last attempt is; null when that has not failed, and when it was cancelled.",
      select: { columns: { id: true } },
      resolve: async ({ id }, _args, context) => {
        const found = await groups(context).ask(id);
        return found === null ? null : ({ id: found } as never);
      },
    }) as never, // the field types of the drizzle and the validation plugin do not know each other
);

const groups = createContextCache(({ db }: Context) => new Gathered((jobIds: string[]) => readGroups(db.sql, jobIds)));

/** Of each job the group of its last attempt, of all that are asked about in one statement. */
async function readGroups(sql: Sql, jobIds: readonly string[]): Promise<(string | null)[]> {
  const rows = await sql<{ jobId: string; id: string }[]>`
    with failed as (
      select ${groupKey(sql)}, j.id as job_id
      from jobs j join attempts a on a.job_id = j.id and a.attempt = j.attempt
      where j.id = any(${jobIds as string[]}::uuid[]) and a.outcome in ('retry', 'fail', 'rescue')
    )
    select f.job_id as "jobId", g.id
    from failed f
    join failure_groups g on g.project = f.project and g.pipeline = f.pipeline and g.node = f.node
      and g.error_class = f.error_class and g.code_hash = f.code_hash`;
  const found = new Map(rows.map(({ jobId, id }) => [jobId, id]));
  return jobIds.map((id) => found.get(id) ?? null);
}
