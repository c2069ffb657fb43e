import { builder } from "./builder.ts";

export const Queue = builder.drizzleNode("queues", {
  name: "Queue",
  description: "A named line in which jobs wait.",
  id: { column: (queue) => queue.name, description: "Its id: `que_` and its name." },
  fields: (t) => ({
    name: t.exposeString("name", { description: "Its name." }),
    createdAt: t.expose("createdAt", { type: "DateTime", description: "When it was first used." }),
    pausedAt: t.expose("pausedAt", {
      type: "DateTime",
      nullable: true,
      description: "Since when it is paused; null when it is open.",
    }),
  }),
});

builder.queryField("queues", (t) =>
  t.drizzleField({
    type: ["queues"],
    description: "All queues, by name.",
    authScopes: { read: true },
    resolve: (query, _root, _args, { db }) => db.reads.query.queues.findMany(query({ orderBy: { name: "asc" } })),
  }),
);
