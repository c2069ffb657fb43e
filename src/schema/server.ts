import type { TailHealth } from "../events/tail.ts";
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

const HorizonHolder = builder.objectRef<NonNullable<TailHealth["horizonHolder"]>>("HorizonHolder").implement({
  description: "The oldest open transaction that may still record events: the feed waits for it.",
  fields: (t) => ({
    pid: t.exposeInt("pid", {
      nullable: true,
      description: "Its process on the Postgres server; null when that is hidden.",
    }),
    application: t.exposeString("application", {
      nullable: true,
      description: "The application's name; null when that is hidden.",
    }),
    user: t.exposeString("user", { nullable: true, description: "The database's user; null when that is hidden." }),
    state: t.exposeString("state", {
      nullable: true,
      description: "What it is doing: `idle in transaction`; null when that is hidden.",
    }),
    heldMs: t.exposeFloat("heldMs", {
      nullable: true,
      description: "Since when it is open; null when that is hidden.",
    }),
  }),
});

const ServerHealth = builder.objectRef<TailHealth>("ServerHealth").implement({
  description: "How this process is doing as a reader of events.",
  fields: (t) => ({
    followers: t.exposeInt("followers", { description: "Open streams of single jobs." }),
    feedSubscribers: t.exposeInt("feedSubscribers", { description: "Open streams of the feed." }),
    changeSubscribers: t.exposeInt("changeSubscribers", { description: "Open streams of changed jobs." }),
    failedReads: t.exposeInt("failedReads", { description: "Reads of events that have failed so far." }),
    feedLagMs: t.exposeFloat("feedLagMs", {
      description: "Since when the feed is behind what is recorded, whatever the reason.",
    }),
    feedHeldMs: t.exposeFloat("feedHeldMs", {
      description: "Since when events are held back because an older transaction is open.",
    }),
    horizonHolder: t.field({
      type: HorizonHolder,
      nullable: true,
      description: "Who holds events back; null when nobody does.",
      resolve: ({ horizonHolder }) => horizonHolder,
    }),
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
    health: t.field({
      type: ServerHealth,
      description: "How it is doing as a reader of events.",
      resolve: (_server, _args, { tail }) => tail.health(),
    }),
    artifactProblem: t.string({
      nullable: true,
      description:
        "Why it cannot hand out artifacts that the workers keep, and what to do; null when it can, or when there are none.",
      resolve: (server) => server.artifactProblem(),
    }),
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
