/** How long a pipeline and its nodes took in the last runs that succeeded. */
import { BadInputError } from "../domain/errors.ts";
import { idText } from "../domain/ids.ts";
import {
  historyLength,
  type NodeHistory as NodeHistoryShape,
  type PipelineHistory as PipelineHistoryShape,
} from "../pipelines/history.ts";
import { builder } from "./builder.ts";
import { type Keyset, pageComplexity, readPage } from "./page.ts";
import { Pipeline } from "./pipeline.ts";

const PastRun = builder.objectRef<PipelineHistoryShape["runs"][number]>("PastRun").implement({
  description: "A run that succeeded.",
  fields: (t) => ({
    jobId: t.id({ description: "The job.", resolve: ({ jobId }) => idText("job", jobId) }),
    codeHash: t.exposeString("codeHash", {
      nullable: true,
      description: "Hash of the code that ran; null when it is not known.",
    }),
    runMs: t.exposeFloat("runMs", { description: "How long the attempt took that succeeded." }),
    waitedMs: t.exposeFloat("waitedMs", {
      nullable: true,
      description: "How long the job had waited; null when it is not known.",
    }),
    hasReused: t.exposeBoolean("hasReused", {
      description: "Whether nodes of it were reused: then how long it took is part of no median.",
    }),
  }),
});

const PastNodeRun = builder.objectRef<NodeHistoryShape["runs"][number]>("PastNodeRun").implement({
  description: "A node in a run that succeeded.",
  fields: (t) => ({
    jobId: t.id({ description: "The job.", resolve: ({ jobId }) => idText("job", jobId) }),
    codeHash: t.exposeString("codeHash", {
      nullable: true,
      description: "Hash of the pipeline's code that ran; null when it is not known.",
    }),
    functionHash: t.exposeString("functionHash", {
      nullable: true,
      description: "Hash of the node's own function as it ran: another one, other code. Null when it is not known.",
    }),
    durationMs: t.exposeFloat("durationMs", {
      description: "How long it took; in a block: the median of its branches.",
    }),
    branches: t.exposeInt("branches", {
      nullable: true,
      description: "Into how many branches it was expanded; null when it was not.",
    }),
  }),
});

const NodeHistory = builder.objectRef<NodeHistoryShape>("NodeHistory").implement({
  description: "How long a node took in the last runs. A node that was reused did not run.",
  fields: (t) => ({
    node: t.exposeString("node", { description: "The node's name in the pipeline." }),
    runs: t.int({ description: "In how many of the runs it ran.", resolve: ({ runs }) => runs.length }),
    p50Ms: t.exposeFloat("p50Ms", { description: "Its median duration; in a block: of one branch." }),
    p95Ms: t.exposeFloat("p95Ms", {
      description: "The duration that one in twenty exceeded; in a block: of one branch.",
    }),
    expander: t.exposeString("expander", {
      nullable: true,
      description: "The `Parallelizable` node in whose branches it runs; null outside of a block.",
    }),
    branches: t.exposeInt("branches", {
      nullable: true,
      description: "Into how many branches it is usually expanded; null when it is no `Parallelizable`.",
    }),
    bytes: t.exposeFloat("bytes", {
      nullable: true,
      description: "Typical size of its value in memory; null where it was never known.",
    }),
    recent: t.field({
      type: [PastNodeRun],
      description: "Its last runs, the newest first.",
      args: {
        last: t.arg.int({ required: true, defaultValue: 20, description: `How many, at most ${historyLength.most}.` }),
      },
      complexity: ({ last }) => ({ field: 1, multiplier: Math.min(Math.max(last, 0), historyLength.most) }),
      resolve: ({ runs }, { last }) => runs.slice(0, checked(last)),
    }),
  }),
});

const PipelineHistory = builder.objectRef<PipelineHistoryShape>("PipelineHistory").implement({
  description: "How long a pipeline took in the last runs that succeeded. Some seconds old at most.",
  fields: (t) => ({
    runs: t.int({ description: "How many runs were looked at.", resolve: ({ runs }) => runs.length }),
    wholeRuns: t.exposeInt("wholeRuns", {
      description: "In how many of them nothing was reused: `p50Ms` and `p95Ms` are of those.",
    }),
    p50Ms: t.float({
      nullable: true,
      description: "Median duration of the attempt that succeeded; null without a whole run.",
      resolve: ({ run }) => run?.p50Ms ?? null,
    }),
    p95Ms: t.float({
      nullable: true,
      description: "The duration that one in twenty exceeded; null without a whole run.",
      resolve: ({ run }) => run?.p95Ms ?? null,
    }),
    waitedP50Ms: t.float({
      nullable: true,
      description: "Median time from when a job was due to its start; null without a run.",
      resolve: ({ waited }) => waited?.p50Ms ?? null,
    }),
    waitedP95Ms: t.float({
      nullable: true,
      description: "The time until its start that one in twenty exceeded; null without a run.",
      resolve: ({ waited }) => waited?.p95Ms ?? null,
    }),
    recent: t.field({
      type: [PastRun],
      description: "The last runs, the newest first.",
      args: {
        last: t.arg.int({ required: true, defaultValue: 20, description: `How many, at most ${historyLength.most}.` }),
      },
      complexity: ({ last }) => ({ field: 1, multiplier: Math.min(Math.max(last, 0), historyLength.most) }),
      resolve: ({ runs }, { last }) => runs.slice(0, checked(last)),
    }),
    nodes: t.connection(
      {
        type: NodeHistory,
        description: "Its nodes, in the order in which they run; those that only older runs had stand behind.",
        complexity: pageComplexity,
        resolve: ({ nodes }, page) =>
          readPage(page, keyset, async ({ limit, backwards, after, before }) => {
            const placed = [...nodes.values()].map((node, place) => ({ ...node, place }));
            const between = placed.slice(after === null ? 0 : after + 1, before ?? undefined);
            return (backwards ? between.reverse() : between).slice(0, limit);
          }),
      },
      { name: "NodeHistoriesConnection", description: "A page of the nodes of a history." },
      { name: "NodeHistoriesConnectionEdge", description: "A node in its list." },
    ),
  }),
});

const keyset: Keyset<{ place: number }, number> = {
  name: "node histories",
  keyOf: ({ place }) => [String(place)],
  parse: ([place = "", ...rest]) => (/^\d{1,9}$/.test(place) && rest.length === 0 ? +place : null),
};

builder.drizzleObjectField(
  Pipeline,
  "history",
  (t) =>
    t.field({
      type: PipelineHistory,
      description: "How long it and its nodes took in the last runs that succeeded.",
      args: {
        last: t.arg.int({
          required: true,
          defaultValue: historyLength.default,
          description: `How many runs to look at, at most ${historyLength.most}; of a pipeline with very many nodes fewer are.`,
        }),
      },
      // Up to so many index probes as it has nodes times runs.
      complexity: { field: 50 },
      select: { columns: { project: true, name: true } },
      resolve: ({ project, name }, { last }, { jobs }) =>
        jobs.histories.of({ project, pipeline: name, last: Math.max(1, checked(last)) }),
    }) as never, // the field types of the drizzle and the validation plugin do not know each other
);

function checked(last: number): number {
  if (last >= 0 && last <= historyLength.most) return last;
  throw new BadInputError(`From 0 to ${historyLength.most} runs can be looked at, not ${last}.`, "last");
}
