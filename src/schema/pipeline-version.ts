/** What a pipeline was, version by version. */
import { createContextCache } from "@pothos/core";
import type { Sql } from "../db/client.ts";
import type { pipelineVersions } from "../db/tables.ts";
import type { Json } from "../domain/json.ts";
import { redacted } from "../domain/secrets.ts";
import type { CataloguedPipeline } from "../pipelines/catalogue.ts";
import type { GitState as GitStateShape } from "../pipelines/git.ts";
import { builder } from "./builder.ts";
import { CodeModule } from "./code-module.ts";
import type { Context } from "./context.ts";
import { GitState } from "./git-state.ts";
import { Graph } from "./graph.ts";
import { type ListQuestion, NestedList } from "./nested-list.ts";
import { pageComplexity } from "./page.ts";
import { Pipeline } from "./pipeline.ts";

type Description = CataloguedPipeline["description"];

export const PipelineVersion = builder.drizzleNode("pipelineVersions", {
  name: "PipelineVersion",
  description: "What a pipeline was from one change of its code or YAML to the next. A broken state is no version.",
  id: { column: (version) => version.id, description: "Its id: `ver_…`." },
  fields: (t) => ({
    pipeline: t.relation("pipelineRow", {
      nullable: true,
      description: "The pipeline as it is now; null when it is gone.",
    }),
    number: t.exposeInt("number", {
      description: "From 1 for each pipeline. Code that comes back is a new version.",
    }),
    codeHash: t.exposeString("codeHash", { description: "Hash of its code and YAML." }),
    git: t.field({
      type: GitState,
      nullable: true,
      description: "The repository when it was first published; null when the project lies in none.",
      select: { columns: { git: true } },
      resolve: ({ git }) => git as GitStateShape | null,
    }),
    publishedAt: t.expose("publishedAt", { type: "DateTime", description: "When a worker first published it." }),
    lastSeenAt: t.expose("lastSeenAt", {
      type: "DateTime",
      description: "When a worker last published it; of one that was replaced: when.",
    }),
    modules: t.field({
      type: [CodeModule],
      description: "The files of the project that it is made of.",
      select: { columns: { description: true } },
      resolve: (row) => described(row).modules,
    }),
    graph: t.field({
      type: Graph,
      nullable: true,
      description: "Its graph under its own config; null when it has none.",
      select: { columns: { description: true } },
      resolve: (row) => described(row).graph,
    }),
    params: t.field({
      type: "JSON",
      nullable: true,
      description: "`params` of its YAML, references unresolved; what is named like a secret is hidden.",
      select: { columns: { description: true } },
      resolve: (row) => redacted(described(row).params as Json),
    }),
    finalVars: t.stringList({
      nullable: true,
      description: "Final variables of its YAML; null when none are set there.",
      select: { columns: { description: true } },
      resolve: (row) => described(row).finalVars,
    }),
  }),
});

function described({ description }: { description: unknown }): Description {
  return description as Description;
}

builder.drizzleObjectField(Pipeline, "versions", (t) =>
  t.connection(
    {
      type: PipelineVersion,
      description: "What it was, the first version first: `last: 1` is what it is now, or was when it was last whole.",
      complexity: pageComplexity,
      select: { columns: { project: true, name: true } },
      resolve: ({ project, name }, page, context) =>
        lists(context).page(`versions ${project}/${name}`, { project, pipeline: name }, page),
    },
    { name: "PipelineVersionsConnection", description: "A page of a pipeline's versions." },
    { name: "PipelineVersionsConnectionEdge", description: "A version in its list." },
  ),
);

type Row = Pick<typeof pipelineVersions.$inferSelect, "project" | "pipeline" | "number" | "id">;
interface Question {
  project: string;
  pipeline: string;
}

const lists = createContextCache(
  ({ db }: Context) =>
    new NestedList<Question, Row>(
      ({ number }) => number,
      (questions, limit, backwards) => readVersions(db.sql, questions, limit, backwards),
    ),
);

/** The keys of pages of many pipelines, in one statement; what is selected of them the plugin loads, all at once. */
async function readVersions(
  sql: Sql,
  questions: readonly (Question & ListQuestion)[],
  limit: number,
  backwards: boolean,
) {
  return await sql<(Row & { question: number })[]>`
    select q.question, v.project, v.pipeline, v.number, v.id
    from jsonb_to_recordset(${sql.json(questions as never)}) as q (
      question int, project text, pipeline text, "after" int, "before" int
    )
    cross join lateral (
      select * from pipeline_versions v
      where v.project = q.project and v.pipeline = q.pipeline and v.number > q."after" and v.number < q."before"
      order by v.number ${backwards ? sql`desc` : sql``} limit ${limit}
    ) v
    order by q.question, v.number ${backwards ? sql`desc` : sql``}`;
}
