/** What attempts leave behind, page by page. */
import { createContextCache } from "@pothos/core";
import type { Sql } from "../db/client.ts";
import type { artifacts } from "../db/tables.ts";
import { Artifact } from "./artifact.ts";
import { Attempt } from "./attempt.ts";
import { builder } from "./builder.ts";
import type { Context } from "./context.ts";
import { jobRef } from "./job.ts";
import { type ListQuestion, NestedList } from "./nested-list.ts";
import { pageComplexity } from "./page.ts";

const ArtifactsConnectionEdge = builder.edgeObject({
  type: Artifact,
  name: "ArtifactsConnectionEdge",
  description: "An artifact in its list.",
});
const ArtifactsConnection = builder.connectionObject(
  { type: Artifact, name: "ArtifactsConnection", description: "A page of what an attempt has left." },
  ArtifactsConnectionEdge,
);

builder.drizzleObjectField(Attempt, "artifacts", (t) =>
  t.connection(
    {
      type: Artifact,
      description: "What it has left, kept or not: its results, then files, then a log that was cut.",
      complexity: pageComplexity,
      select: { columns: { jobId: true, attempt: true } },
      resolve: ({ jobId, attempt }, page, context) =>
        lists(context).page(`artifacts ${jobId} ${attempt}`, { jobId, attempt }, page),
    },
    ArtifactsConnection,
    ArtifactsConnectionEdge,
  ),
);

builder.drizzleObjectField(jobRef, "artifacts", (t) =>
  t.connection(
    {
      type: Artifact,
      description: "What its last attempt has left, kept or not: results, then files, then a log that was cut.",
      complexity: pageComplexity,
      select: { columns: { id: true, attempt: true } },
      resolve: ({ id, attempt }, page, context) =>
        lists(context).page(`artifacts ${id} ${attempt}`, { jobId: id, attempt }, page),
    },
    ArtifactsConnection,
    ArtifactsConnectionEdge,
  ),
);

interface Question {
  jobId: string;
  attempt: number;
}
type Row = Pick<typeof artifacts.$inferSelect, "id"> & { position: number };

const lists = createContextCache(
  ({ db }: Context) =>
    new NestedList<Question, Row>(
      ({ position }) => position,
      (questions, limit, backwards) => readArtifacts(db.sql, questions, limit, backwards),
    ),
);

/** The keys of pages of many attempts, in one statement; what is selected of them the plugin loads, all at once. */
async function readArtifacts(
  sql: Sql,
  questions: readonly (Question & ListQuestion)[],
  limit: number,
  backwards: boolean,
) {
  return await sql<(Row & { question: number })[]>`
    select q.question, r.id, r.position
    from jsonb_to_recordset(${sql.json(questions as never)}) as q (
      question int, "jobId" uuid, attempt int, "after" int, "before" int
    )
    cross join lateral (
      select * from artifacts a
      where a.job_id = q."jobId" and a.attempt = q.attempt and a.position > q."after" and a.position < q."before"
      order by a.position ${backwards ? sql`desc` : sql``} limit ${limit}
    ) r
    order by q.question, r.position ${backwards ? sql`desc` : sql``}`;
}
