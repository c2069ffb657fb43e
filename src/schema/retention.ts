/** How long jobs are kept, what they take, and the prune that somebody asks for. */
import { BadInputError } from "../domain/errors.ts";
import { type FinalState, finalStates } from "../domain/lifecycle.ts";
import { leastRetentionMs, type Retention as RetentionShape } from "../domain/retention.ts";
import { countPrunable, type PruneCounts, pruneJobs } from "../jobs/prune.ts";
import { readStorage, type StoragePart as StoragePartShape } from "../jobs/storage.ts";
import { builder } from "./builder.ts";
import { boundedCount } from "./count.ts";
import { JobStateEnum } from "./job-state.ts";
import { limits } from "./limits.ts";
import { StateCount } from "./queue.ts";

const RetentionAge = builder.objectRef<{ state: FinalState; ageMs: number | null }>("RetentionAge").implement({
  description: "How long jobs in a final state are kept.",
  fields: (t) => ({
    state: t.expose("state", { type: JobStateEnum, description: "The state." }),
    ageMs: t.exposeFloat("ageMs", {
      nullable: true,
      description: "From the end of the job; null: for ever. `failure_ttl` in a YAML wins for failed jobs.",
    }),
  }),
});

const Retention = builder.objectRef<RetentionShape>("Retention").implement({
  description: "How long jobs that have ended are kept, as the answering server was started.",
  fields: (t) => ({
    ages: t.field({
      type: [RetentionAge],
      description: "By final state.",
      resolve: ({ ageMs }) => finalStates.map((state) => ({ state, ageMs: ageMs[state] })),
    }),
    keepLast: t.exposeInt("keepLast", {
      description: "So many of the last jobs of each pipeline that have ended are kept, whatever their age.",
    }),
  }),
});

builder.queryField("retention", (t) =>
  t.field({
    type: Retention,
    description: "How long jobs that have ended are kept.",
    authScopes: { read: true },
    resolve: (_root, _args, { server }) => server.retention,
  }),
);

const StoragePart = builder.objectRef<StoragePartShape>("StoragePart").implement({
  description: "What a part of the data takes.",
  fields: (t) => ({
    part: t.exposeString("part", {
      description:
        "`jobs` (with requests, tags and keys), `events`, `attempts` (with node runs), `artifacts` (their rows), `files` (in the artifact store), `failures`, `audit`, `metrics`, `pipelines` (with versions and sources).",
    }),
    bytes: t.exposeFloat("bytes", { description: "Bytes, of tables with their indexes." }),
    rows: t.exposeFloat("rows", {
      description: "About how many rows, as Postgres last counted; of `files` how many there are.",
    }),
  }),
});

builder.queryField("storage", (t) =>
  t.field({
    type: [StoragePart],
    description: "What each part of the data takes, the largest first.",
    authScopes: { read: true },
    complexity: 50,
    resolve: async (_root, _args, { db }) => await readStorage(db.readSql),
  }),
);

/** One call answers within a few seconds; whoever wants all of it asks again. */
const mostJobs = 5_000;
const longestMs = 2_000;

const PruneJobsInput = builder.inputType("PruneJobsInput", {
  description: "A prune out of turn: servers and workers do it by themselves every minute.",
  fields: (t) => ({
    dryRun: t.boolean({ description: "Only count what would be removed. False if absent." }),
    olderThanMs: t.float({
      description:
        "This once by this age, whatever the final state, and not by `retention`; at least 60000. The last jobs of each pipeline stay, and `failure_ttl` in a YAML goes on to count.",
    }),
  }),
});

interface Pruned {
  counts: PruneCounts;
  dryRun: boolean;
  more: boolean;
}

const PruneJobsSuccess = builder.objectRef<Pruned>("PruneJobsSuccess").implement({
  description: "What was removed, or would be.",
  fields: (t) => ({
    counts: t.field({
      type: [StateCount],
      description: "Jobs by state; states without any are left out.",
      resolve: ({ counts }) =>
        finalStates.flatMap((state) => (counts[state] > 0 ? [{ state, counted: counts[state] }] : [])),
    }),
    dryRun: t.exposeBoolean("dryRun", { description: "Nothing was removed." }),
    more: t.exposeBoolean("more", {
      description: `More are left to be removed: a call removes at most ${mostJobs}, and takes about ${longestMs / 1000} seconds.`,
    }),
  }),
});

builder.mutationField("pruneJobs", (t) =>
  t.field({
    type: PruneJobsSuccess,
    description: "Removes jobs that ended longer ago than they are kept, with their events, attempts and artifacts.",
    authScopes: { manage: true },
    errors: { types: [BadInputError], union: { description: "What was removed, or why nothing was." } },
    args: { input: t.arg({ type: PruneJobsInput, description: "Whether only to count, and by which age." }) },
    resolve: async (_root, { input }, { db, actor, server }) => {
      const retention = retentionOf(server.retention, input?.olderThanMs ?? null);
      if (input?.dryRun === true) {
        const counts = await countPrunable(db.readSql, retention, limits.count + 1);
        return { counts, dryRun: true, more: Object.values(counts).some((count) => !boundedCount(count).isExact) };
      }
      const done = await pruneJobs(db, retention, { actor, most: mostJobs, untilMs: performance.now() + longestMs });
      if (done === null) throw new Error("A prune that was asked for waits for its turn");
      return { counts: done.pruned, dryRun: false, more: done.more };
    },
  }),
);

function retentionOf(retention: RetentionShape, olderThanMs: number | null): RetentionShape {
  if (olderThanMs === null) return retention;
  if (olderThanMs < leastRetentionMs) {
    throw new BadInputError(`Jobs are kept for at least ${leastRetentionMs} ms.`, "input.olderThanMs");
  }
  const ageMs = { succeeded: olderThanMs, failed: olderThanMs, cancelled: olderThanMs, expired: olderThanMs };
  return { ...retention, ageMs };
}
