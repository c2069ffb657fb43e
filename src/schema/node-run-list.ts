/** The nodes and branches of an attempt, page by page. */
import { createContextCache } from "@pothos/core";
import type { Sql } from "../db/client.ts";
import type { nodeRuns } from "../db/tables.ts";
import { Attempt } from "./attempt.ts";
import { builder } from "./builder.ts";
import type { Context } from "./context.ts";
import { jobRef } from "./job.ts";
import { type ListQuestion, NestedList } from "./nested-list.ts";
import { NodeRun, NodeRunState } from "./node-run.ts";
import { type PageArgs, pageComplexity } from "./page.ts";

const NodeRunFilter = builder.inputType("NodeRunFilter", {
  description: "Which node runs: those to which all of it applies.",
  fields: (t) => ({
    node: t.string({ description: "Only runs of this node: more than one when it ran in branches." }),
    states: t.field({
      type: [NodeRunState],
      description: "Only runs in one of these states. An empty list fits none.",
    }),
  }),
});
type Filter = typeof NodeRunFilter.$inferInput;

const NodeRunsConnectionEdge = builder.edgeObject({
  type: NodeRun,
  name: "NodeRunsConnectionEdge",
  description: "A node or branch in its list.",
});
const NodeRunsConnection = builder.connectionObject(
  { type: NodeRun, name: "NodeRunsConnection", description: "A page of the nodes and branches of an attempt." },
  NodeRunsConnectionEdge,
);

builder.drizzleObjectField(Attempt, "nodeRuns", (t) =>
  t.connection(
    {
      type: NodeRun,
      description: "Its nodes and their branches, in the order in which they began.",
      complexity: pageComplexity,
      args: { filter: t.arg({ type: NodeRunFilter, description: "Which of them; without it: all." }) },
      select: { columns: { jobId: true, attempt: true } },
      resolve: ({ jobId, attempt }, args, context) => pageOf(jobId, attempt, args, context),
    },
    NodeRunsConnection,
    NodeRunsConnectionEdge,
  ),
);

builder.drizzleObjectField(jobRef, "nodeRuns", (t) =>
  t.connection(
    {
      type: NodeRun,
      description: "Nodes and branches of its last attempt, in the order in which they began.",
      complexity: pageComplexity,
      args: { filter: t.arg({ type: NodeRunFilter, description: "Which of them; without it: all." }) },
      select: { columns: { id: true, attempt: true } },
      resolve: ({ id, attempt }, args, context) => pageOf(id, attempt, args, context),
    },
    NodeRunsConnection,
    NodeRunsConnectionEdge,
  ),
);

type Row = Pick<typeof nodeRuns.$inferSelect, "jobId" | "attempt" | "node" | "branch" | "id" | "firstSeq">;
interface Question {
  jobId: string;
  attempt: number;
  node: string | null;
  states: readonly string[] | null;
}

function pageOf(
  jobId: string,
  attempt: number,
  { filter, ...page }: PageArgs & { filter?: Filter | null | undefined },
  context: Context,
) {
  const { node = null, states = null } = filter ?? {};
  return lists(context).page(`nodeRuns ${jobId} ${attempt}`, { jobId, attempt, node, states }, page);
}

const lists = createContextCache(
  ({ db }: Context) =>
    new NestedList<Question, Row>(
      ({ firstSeq }) => firstSeq,
      (questions, limit, backwards) => readRuns(db.readSql, questions, limit, backwards),
    ),
);

/** The keys of pages of many attempts, in one statement; what is selected of them the plugin loads, all at once. */
export function readRuns(sql: Sql, questions: readonly (Question & ListQuestion)[], limit: number, backwards: boolean) {
  return sql<(Row & { question: number })[]>`
    select q.question, r.job_id as "jobId", r.attempt, r.node, r.branch, r.id, r.first_seq as "firstSeq"
    from jsonb_to_recordset(${JSON.stringify(questions)}::jsonb) as q (
      question int, "jobId" uuid, attempt int, node text, states text[], "after" int, "before" int
    )
    cross join lateral (
      select * from node_runs n
      where n.job_id = q."jobId" and n.attempt = q.attempt and n.first_seq > q."after" and n.first_seq < q."before"
        and (q.node is null or n.node = q.node) and (q.states is null or n.state = any (q.states))
      order by n.first_seq ${backwards ? sql`desc` : sql``} limit ${limit}
    ) r
    order by q.question, r.first_seq ${backwards ? sql`desc` : sql``}`;
}
