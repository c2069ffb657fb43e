import { builder } from "./builder.ts";

const WorkerState = builder.enumType("WorkerState", {
  description: "Where a worker is in its life.",
  values: {
    RUNNING: { value: "running", description: "It takes jobs." },
    DRAINING: { value: "draining", description: "It finishes what it has and takes nothing new." },
    STOPPED: { value: "stopped", description: "It has ended in good order." },
    DEAD: { value: "dead", description: "It vanished; others have taken over its jobs." },
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
    running: t.relation("running", {
      description: "Jobs that it runs at present.",
      query: { orderBy: { id: "asc" }, limit: 100 },
    }),
  }),
});

builder.queryField("workers", (t) =>
  t.drizzleField({
    type: ["workers"],
    description: "The workers that live, the oldest first.",
    authScopes: { read: true },
    resolve: (query, _root, _args, { db }) =>
      db.reads.query.workers.findMany(
        query({ where: { endedAt: { isNull: true } }, orderBy: { id: "asc" }, limit: 1000 }),
      ),
  }),
);
