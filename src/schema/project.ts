import { queryFromInfo } from "@pothos/plugin-drizzle";
import { and, gt, lt, sql } from "drizzle-orm";
import type { projects as projectsTable } from "../db/tables.ts";
import type { CataloguedPipeline } from "../pipelines/catalogue.ts";
import { builder } from "./builder.ts";
import { livingWorkers } from "./living-workers.ts";
import { type Keyset, pageComplexity, readPage } from "./page.ts";
import { pageNodes } from "./page-nodes.ts";
import { Problem } from "./problem.ts";
import { ProjectEnvironment } from "./project-environment.ts";
import { RunError } from "./run-error.ts";
import { Worker } from "./worker.ts";

type Description = CataloguedPipeline["project"];

const ProjectExecutor = builder.objectRef<NonNullable<Description["executors"]>[number]>("ProjectExecutor").implement({
  description: "What can run the branches of `Parallelizable` nodes.",
  fields: (t) => ({
    type: t.exposeString("type", { description: "Its name: `threadpool`, `processpool`, `ray` …" }),
    available: t.boolean({
      description: "Whether the project's environment has what it needs.",
      resolve: ({ install }) => install === null,
    }),
    install: t.exposeString("install", {
      nullable: true,
      description: "The command that installs what it needs; null when it is available.",
    }),
  }),
});

export const Project = builder.drizzleNode("projects", {
  name: "Project",
  description: "A registered FlowerPower project, as a worker last described it.",
  id: { column: (project) => project.id, description: "Its id: `prj_…`." },
  fields: (t) => ({
    name: t.exposeString("name", { description: "The name under which it is registered." }),
    environment: t.field({
      type: ProjectEnvironment,
      description: "The Python environment in which its pipelines run.",
      select: { columns: { environment: true } },
      resolve: ({ environment }) => environment,
    }),
    executors: t.field({
      type: [ProjectExecutor],
      nullable: true,
      description: "What can run branches in its environment; null when an older worker described it.",
      select: { columns: { description: true } },
      resolve: ({ description }) => (description as unknown as Description).executors ?? null,
    }),
    warnings: t.field({
      type: [Problem],
      description: "What FlowerPower ignores silently, and other things to look at.",
      select: { columns: { description: true } },
      resolve: ({ description }) => (description as unknown as Description).warnings,
    }),
    error: t.field({
      type: RunError,
      nullable: true,
      description: "Why the project as a whole is broken; null when it is not.",
      select: { columns: { description: true } },
      resolve: ({ description }) => (description as unknown as Description).error,
    }),
    disabledAt: t.expose("disabledAt", {
      type: "DateTime",
      nullable: true,
      description: "Since when its jobs are neither accepted nor started; null: they are.",
    }),
    disabledReason: t.exposeString("disabledReason", {
      nullable: true,
      description: "Why it is disabled, as whoever did it said; null when they said nothing, and when it is not.",
    }),
    publishedAt: t.expose("publishedAt", { type: "DateTime", description: "When a worker last described it." }),
    pipelines: t.relation("pipelines", {
      description: "Its pipelines, by name.",
      query: { orderBy: { name: "asc" } },
    }),
    workers: t.field({
      type: [Worker],
      description: "Living workers that serve it.",
      select: { columns: { name: true } },
      resolve: async ({ name }, _args, context) => {
        const workers = await livingWorkers(context);
        // The plugin loads what is selected of them, all at once.
        return workers.filter(({ projects }) => projects.includes(name)).map(({ id }) => ({ id }) as never);
      },
    }),
  }),
});

builder.queryField("project", (t) =>
  t.drizzleField({
    type: Project,
    nullable: true,
    description: "A project by its name; null when there is none.",
    authScopes: { read: true },
    args: { name: t.arg.string({ required: true, description: "The name under which it is registered." }) },
    resolve: (query, _root, { name }, { db }) => db.reads.query.projects.findFirst(query({ where: { name } })),
  }),
);

const keyset: Keyset<{ name: string }, string> = {
  name: "projects",
  keyOf: ({ name }) => [name],
  parse: ([name, ...rest]) => (name && rest.length === 0 ? name : null),
};

builder.queryField("projects", (t) =>
  t.connection(
    {
      type: Project,
      description: "Projects by name.",
      authScopes: { read: true },
      complexity: pageComplexity,
      resolve: (_root, page, context, info) =>
        readPage(page, keyset, ({ limit, backwards, after, before }) =>
          context.db.reads.query.projects.findMany(
            queryFromInfo({
              ...pageNodes("Project", context, info),
              columns: { name: true },
              where: {
                RAW: (row: typeof projectsTable) =>
                  and(
                    after === null ? undefined : gt(row.name, after),
                    before === null ? undefined : lt(row.name, before),
                  ) ?? sql`true`,
              },
              orderBy: { name: backwards ? "desc" : "asc" },
              limit,
            }),
          ),
        ),
    },
    { name: "ProjectsConnection", description: "A page of projects." },
    { name: "ProjectsConnectionEdge", description: "A project in its list." },
  ),
);
