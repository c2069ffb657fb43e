import { queryFromInfo } from "@pothos/plugin-drizzle";
import { and, eq, sql } from "drizzle-orm";
import type { pipelines as pipelinesTable } from "../db/tables.ts";
import { NotFoundError } from "../domain/errors.ts";
import type { Json } from "../domain/json.ts";
import { redacted } from "../domain/secrets.ts";
import type { CataloguedPipeline } from "../pipelines/catalogue.ts";
import { runLimitsOf } from "../pipelines/policy.ts";
import { builder } from "./builder.ts";
import { Graph } from "./graph.ts";
import { type Keyset, pageComplexity, readPage } from "./page.ts";
import { pageNodes } from "./page-nodes.ts";
import { PipelineInput } from "./pipeline-input.ts";
import { Problem } from "./problem.ts";
import { RunError } from "./run-error.ts";
import { RunLimits } from "./run-limits.ts";

type Description = CataloguedPipeline["description"];
interface Described {
  description: unknown;
  lastGood: unknown;
}

export const PipelineStatus = builder.enumType("PipelineStatus", {
  description: "Whether a pipeline can be run.",
  values: {
    OK: { value: "ok", description: "It can be run." },
    BROKEN: {
      value: "broken",
      description: "Its module or configuration has an error; what is shown is its last good version.",
    },
    UNCONFIGURED: {
      value: "unconfigured",
      description: "A module without a YAML: it is listed, and imported only when `variant` or a run asks for it.",
    },
  } as const satisfies { [S in Description["status"] as Uppercase<S>]: { value: S; description: string } },
});

export const Pipeline = builder.drizzleNode("pipelines", {
  name: "Pipeline",
  description: "A FlowerPower pipeline of a project, as a worker last described it.",
  id: { column: (pipeline) => [pipeline.project, pipeline.name], description: "Its id: `pip_<project>/<name>`." },
  select: { columns: { description: true, lastGood: true, project: true, name: true } },
  fields: (t) => ({
    project: t.relation("projectRow", { description: "The project that it belongs to." }),
    name: t.exposeString("name", { description: "Its name within the project." }),
    qualifiedName: t.string({
      description: "Its unambiguous name: `project/name`.",
      resolve: ({ project, name }) => `${project}/${name}`,
    }),
    status: t.field({
      type: PipelineStatus,
      description: "Whether it can be run.",
      resolve: (row) => now(row).status,
    }),
    doc: t.string({
      nullable: true,
      description: "Its module's docstring; null when it has none.",
      resolve: (row) => shown(row).doc,
    }),
    codeHash: t.string({
      nullable: true,
      description: "Hash of its code and YAML; null when it could not be read.",
      resolve: (row) => now(row).codeHash,
    }),
    params: t.field({
      type: "JSON",
      nullable: true,
      description: "`params` of its YAML, references unresolved; what is named like a secret is hidden.",
      resolve: (row) => redacted(shown(row).params as Json),
    }),
    finalVars: t.stringList({
      nullable: true,
      description: "Final variables of its YAML; null when none are set there.",
      resolve: (row) => shown(row).finalVars,
    }),
    leaves: t.stringList({
      description: "Nodes that nothing depends on: final variables to choose from.",
      resolve: (row) => shown(row).leaves,
    }),
    inputs: t.field({
      type: [PipelineInput],
      description: "Inputs that a request may give.",
      resolve: (row) => shown(row).inputs,
    }),
    graph: t.field({
      type: Graph,
      nullable: true,
      description: "Its graph under its own config; null when it never could be described.",
      resolve: (row) => shown(row).graph,
    }),
    runLimits: t.field({
      type: RunLimits,
      description: "What a run of it may use.",
      select: { with: { projectRow: { columns: { description: true } } } },
      resolve: ({ projectRow, ...row }) =>
        runLimitsOf(projectRow?.description as unknown as CataloguedPipeline["project"], shown(row)),
    }),
    warnings: t.field({
      type: [Problem],
      description: "What FlowerPower ignores silently, and other things to look at.",
      resolve: (row) => now(row).warnings,
    }),
    error: t.field({
      type: RunError,
      nullable: true,
      description: "Why it is broken; null when it is not.",
      resolve: (row) => now(row).error,
    }),
    publishedAt: t.expose("publishedAt", { type: "DateTime", description: "When it last changed." }),
  }),
});

builder.queryField("pipeline", (t) =>
  t.drizzleField({
    type: Pipeline,
    nullable: true,
    description: "A pipeline by its name; null when there is none.",
    authScopes: { read: true },
    args: {
      name: t.arg.string({
        required: true,
        description: "`project/pipeline`, or a bare name that only one project has.",
      }),
    },
    resolve: async (query, _root, { name }, { db, jobs }) => {
      const found = await jobs.catalogue.pipeline(null, name, "name").catch(nullWhenMissing);
      if (found === null) return null;
      return await db.reads.query.pipelines.findFirst(
        query({ where: { project: found.projectName, name: found.name } }),
      );
    },
  }),
);

const PipelineFilter = builder.inputType("PipelineFilter", {
  description: "Which pipelines: those to which all of it applies.",
  fields: (t) => ({ project: t.string({ description: "Only pipelines of this project." }) }),
});

interface Key {
  project: string;
  name: string;
}

const keyset: Keyset<Key, Key> = {
  name: "pipelines",
  keyOf: ({ project, name }) => [project, name],
  parse: ([project, name, ...rest]) => (project && name && rest.length === 0 ? { project, name } : null),
};

builder.queryField("pipelines", (t) =>
  t.connection(
    {
      type: Pipeline,
      description: "Pipelines by project and name.",
      authScopes: { read: true },
      complexity: pageComplexity,
      args: { filter: t.arg({ type: PipelineFilter, description: "Which pipelines; without it: all." }) },
      resolve: (_root, { filter, ...page }, context, info) =>
        readPage(page, keyset, ({ limit, backwards, after, before }) => {
          const direction = backwards ? ("desc" as const) : ("asc" as const);
          const project = filter?.project ?? null;
          return context.db.reads.query.pipelines.findMany(
            queryFromInfo({
              ...pageNodes("Pipeline", context, info),
              columns: { project: true, name: true },
              where: {
                RAW: (row: typeof pipelinesTable) =>
                  and(
                    project === null ? undefined : eq(row.project, project),
                    after === null ? undefined : sql`(${row.project}, ${row.name}) > (${after.project}, ${after.name})`,
                    before === null
                      ? undefined
                      : sql`(${row.project}, ${row.name}) < (${before.project}, ${before.name})`,
                  ) ?? sql`true`,
              },
              orderBy: { project: direction, name: direction },
              limit,
            }),
          );
        }),
    },
    { name: "PipelinesConnection", description: "A page of pipelines." },
    { name: "PipelinesConnectionEdge", description: "A pipeline in its list." },
  ),
);

/** What is there now, with its error when it is broken. */
function now({ description }: Described): Description {
  return description as Description;
}

/** What can be shown of it: of a broken pipeline its last good version. */
function shown({ description, lastGood }: Described): Description {
  const present = description as Description;
  return present.status === "broken" ? ((lastGood as Description | null) ?? present) : present;
}

function nullWhenMissing(error: unknown): null {
  if (error instanceof NotFoundError) return null;
  throw error;
}
