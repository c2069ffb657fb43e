import { builder } from "./builder.ts";
import type { ServerInfo } from "./context.ts";
import { limits } from "./limits.ts";

const Limits = builder.objectRef<typeof limits>("Limits").implement({
  description: "What one operation may ask for.",
  fields: (t) => ({
    depth: t.exposeInt("depth", { description: "Fields within fields." }),
    aliases: t.exposeInt("aliases", { description: "Aliases in a document." }),
    directives: t.exposeInt("directives", { description: "Directives in a document." }),
    tokens: t.exposeInt("tokens", { description: "Words and signs of a document." }),
    cost: t.exposeInt("cost", {
      description: "One for each field, times the page sizes above it. Each answer shows its own in `extensions.cost`.",
    }),
    pageSize: t.exposeInt("pageSize", { description: "Items on a page." }),
  }),
});

const Server = builder.objectRef<ServerInfo>("Server").implement({
  description: "The process that answers.",
  fields: (t) => ({
    version: t.exposeString("version", { description: "Its version." }),
    postgresVersion: t.string({
      description: "Version of the Postgres behind it.",
      resolve: async (_server, _args, { db }) => {
        const [row] = await db.sql<{ version: string }[]>`select current_setting('server_version') as version`;
        return row?.version ?? "";
      },
    }),
    startedAt: t.expose("startedAt", { type: "DateTime", description: "When it started." }),
    now: t.field({
      type: "DateTime",
      description: "The time by the database's clock, which is the only one that counts.",
      resolve: (_s, _a, { db }) => new Date(db.now()),
    }),
    clockSkewMs: t.float({
      description: "How far its clock is behind the database's.",
      resolve: (_s, _a, { db }) => db.clockSkewMs(),
    }),
    actor: t.string({ description: "Who the caller is to it.", resolve: (_s, _a, { actor }) => actor.name }),
    scopes: t.stringList({ description: "What the caller may do.", resolve: (_s, _a, { scopes }) => [...scopes] }),
    limits: t.field({ type: Limits, description: "What one operation may ask for.", resolve: () => limits }),
  }),
});

builder.queryField("server", (t) =>
  t.field({
    type: Server,
    description: "The process that answers.",
    authScopes: { read: true },
    resolve: (_root, _args, { server }) => server,
  }),
);
