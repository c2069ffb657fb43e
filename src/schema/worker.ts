import { createContextCache } from "@pothos/core";
import type { JsonObject } from "../domain/json.ts";
import { builder } from "./builder.ts";
import type { Context } from "./context.ts";
import { Gathered } from "./gathered.ts";
import { ProjectEnvironment } from "./project-environment.ts";
import { WorkerState } from "./worker-state.ts";

const ServedProject = builder
  .objectRef<{ name: string; root: string; environment: JsonObject | null }>("ServedProject")
  .implement({
    description: "A project as one worker has it.",
    fields: (t) => ({
      name: t.exposeString("name", { description: "The name under which it is registered." }),
      root: t.exposeString("root", { description: "The folder that the name means on the worker's machine." }),
      environment: t.expose("environment", {
        type: ProjectEnvironment,
        nullable: true,
        description: "Python and packages there; null as long as the worker has not described the project.",
      }),
    }),
  });

const WorkerRequest = builder.enumType("WorkerRequest", {
  description: "What somebody has asked of a worker.",
  values: {
    DRAIN: { value: "drain", description: "To finish what it has, take nothing new, and stay." },
    STOP: { value: "stop", description: "To finish what it has within a time, hand back the rest, and end." },
  } as const,
});

export const Worker = builder.drizzleNode("workers", {
  name: "Worker",
  description: "A process that runs jobs.",
  id: { column: (worker) => worker.id, description: "Its id: `wkr_…`." },
  fields: (t) => ({
    host: t.exposeString("host", { description: "The machine it runs on." }),
    pid: t.exposeInt("pid", { description: "Its process id on that machine." }),
    version: t.exposeString("version", { description: "Its version." }),
    slots: t.exposeInt("slots", { description: "How many jobs it runs at a time." }),
    projects: t.stringList({
      description: "Projects that it serves.",
      select: { columns: { projects: true } },
      resolve: ({ projects }) => projects.map(({ name }) => name),
    }),
    served: t.field({
      type: [ServedProject],
      description: "The projects that it serves, with their folders and Python environments as this worker has them.",
      select: { columns: { projects: true, environments: true } },
      resolve: ({ projects, environments }) =>
        projects.map(({ name, root }) => ({ name, root, environment: environments[name] ?? null })),
    }),
    labels: t.exposeStringList("labels", {
      description: "It takes jobs that need some of these labels, or none.",
    }),
    queues: t.stringList({
      description: "Queues whose jobs it takes, by name: all that there are; none when it has ended.",
      select: { columns: { endedAt: true } },
      resolve: async ({ endedAt }, _args, context) => (endedAt === null ? await queueNames(context) : []),
    }),
    freeSlots: t.int({
      description: "How many jobs more it could run now; 0 unless it takes jobs.",
      complexity: 5,
      select: { columns: { id: true, slots: true, state: true } },
      resolve: async ({ id, slots, state }, _args, context) =>
        state === "running" ? Math.max(0, slots - (await runningCounts(context).ask(id))) : 0,
    }),
    state: t.field({
      type: WorkerState,
      description: "Where it is in its life.",
      select: { columns: { state: true } },
      resolve: ({ state }) => state as "running",
    }),
    artifactStore: t.string({
      nullable: true,
      description: "Where it keeps artifacts; null when it keeps none.",
      select: { with: { storeRow: { columns: { url: true } } } },
      resolve: ({ storeRow }) => storeRow?.url ?? null,
    }),
    artifactProblem: t.exposeString("storeProblem", {
      nullable: true,
      description:
        "Why it keeps no artifacts at present: a full disk, a store that does not answer. Null when it does.",
    }),
    startedAt: t.expose("startedAt", { type: "DateTime", description: "When it started." }),
    heartbeatAt: t.expose("heartbeatAt", { type: "DateTime", description: "When it was last heard of." }),
    endedAt: t.expose("endedAt", {
      type: "DateTime",
      nullable: true,
      description: "When it stopped or vanished; null while it lives.",
    }),
    wanted: t.field({
      type: WorkerRequest,
      nullable: true,
      description: "What somebody has asked of it; null: that it takes jobs.",
      select: { columns: { wanted: true } },
      resolve: ({ wanted }) => wanted,
    }),
    wantedAt: t.expose("wantedAt", {
      type: "DateTime",
      nullable: true,
      description: "When that was asked; null when nothing was.",
    }),
    wantedBy: t.exposeString("wantedBy", { nullable: true, description: "Who asked; null when nobody did." }),
    wantedReason: t.exposeString("wantedReason", {
      nullable: true,
      description: "Why, as whoever asked said; null when they said nothing.",
    }),
    running: t.relation("running", {
      description: "Jobs that it runs at present.",
      query: { orderBy: { id: "asc" }, limit: 100 },
    }),
  }),
});

/** Read once per operation, however many workers ask. */
const queueNames = createContextCache(async ({ db }: Context) => {
  const rows = await db.sql<{ name: string }[]>`select name from queues order by name`;
  return rows.map(({ name }) => name);
});

/** How many jobs each of those workers runs that ask together. */
const runningCounts = createContextCache(
  ({ db }: Context) =>
    new Gathered<string, number>(async (ids) => {
      const rows = await db.sql<{ id: string; running: number }[]>`
        select worker_id as id, count(*)::int as running from jobs
        where state = 'running' and worker_id = any(${ids}::uuid[]) group by 1`;
      const byId = new Map(rows.map(({ id, running }) => [id, running]));
      return ids.map((id) => byId.get(id) ?? 0);
    }),
);
