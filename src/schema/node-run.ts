import type { JsonObject } from "../domain/json.ts";
import { builder } from "./builder.ts";
import { GraphNode } from "./graph.ts";
import { graphNodeOf } from "./node-graph.ts";
import { NodeReason } from "./node-reason.ts";
import { nodeRunSource } from "./node-source.ts";
import { RunError, type RunErrorShape } from "./run-error.ts";
import { ValueSummary, type ValueSummaryShape } from "./value-summary.ts";

export const NodeRunState = builder.enumType("NodeRunState", {
  description: "What became of a node in a run.",
  values: {
    RUNNING: { value: "running", description: "It is running." },
    SUCCEEDED: { value: "succeeded", description: "It has a value." },
    FAILED: { value: "failed", description: "It raised an error." },
    REUSED: { value: "reused", description: "Its value of an earlier run was taken." },
    STOPPED: { value: "stopped", description: "The run ended while it was running." },
  } as const,
});

export const NodeRun = builder.drizzleNode("nodeRuns", {
  name: "NodeRun",
  description: "One node, or one branch of it, within an attempt.",
  id: { column: (run) => run.id, description: "Its id: `node_…`." },
  fields: (t) => ({
    job: t.relation("job", { description: "The job that it is part of." }),
    attempt: t.exposeInt("attempt", { description: "The number of the attempt that it is part of." }),
    node: t.exposeString("node", { description: "The node's name in the pipeline." }),
    branch: t.string({
      nullable: true,
      description: "The branch of a `Parallelizable` node; null outside of one.",
      select: { columns: { branch: true } },
      resolve: ({ branch }) => (branch === "" ? null : branch),
    }),
    state: t.field({
      type: NodeRunState,
      description: "What became of it.",
      select: { columns: { state: true } },
      resolve: ({ state }) => state as "running",
    }),
    startedAt: t.expose("startedAt", {
      type: "DateTime",
      nullable: true,
      description: "When it began; null when that was not seen.",
    }),
    endedAt: t.expose("endedAt", {
      type: "DateTime",
      nullable: true,
      description: "When it ended; null while it runs.",
    }),
    durationMs: t.exposeFloat("durationMs", { nullable: true, description: "How long it took; null while it runs." }),
    cpuMs: t.exposeFloat("cpuMs", {
      nullable: true,
      description: "Processor time that it took; null where it cannot be told apart.",
    }),
    memoryGrowthBytes: t.float({
      nullable: true,
      description:
        "By how much the memory of its process grew while it ran, approximately: less than nothing where memory was given back. Null while it runs, when another node ran in the process at some time meanwhile, and where it cannot be told.",
      select: { columns: { memoryGrowthBytes: true } },
      resolve: ({ memoryGrowthBytes }) => memoryGrowthBytes,
    }),
    summary: t.field({
      type: ValueSummary,
      nullable: true,
      description: "What its value looks like; null until it has one.",
      select: { columns: { summary: true } },
      resolve: ({ summary }) => summary as ValueSummaryShape | null,
    }),
    error: t.field({
      type: RunError,
      nullable: true,
      description: "Why it failed; null unless it did.",
      select: { columns: { error: true } },
      resolve: ({ error }) => error as RunErrorShape | null,
    }),
    inputs: t.field({
      type: "JSONObject",
      nullable: true,
      description:
        "Of a failed node: summaries of what it was called with, by name. Null for others, and without the right `payloads`.",
      authScopes: { payloads: true },
      unauthorizedResolver: () => null,
      select: { columns: { inputs: true } },
      resolve: ({ inputs }) => inputs as JsonObject | null,
    }),
    graphNode: t.field({
      type: GraphNode,
      nullable: true,
      description:
        "The node in the graph that ran: what it is, its docs and tags, what is upstream and downstream of it. Null when no version of that code is known any more, or not under that config.",
      select: { columns: { jobId: true, attempt: true, node: true } },
      resolve: ({ jobId, attempt, node }, _args, context) => graphNodeOf({ jobId, attempt, node }, context),
    }),
    reason: t.field({
      type: NodeReason,
      nullable: true,
      description: "Why it was reused, or ran although reuse was asked for; null where it was not.",
      select: { columns: { reason: true } },
      resolve: ({ reason }) => reason,
    }),
    stored: t.exposeBoolean("stored", {
      nullable: true,
      description: "Whether a later run may take its value; null where reuse was not asked for, and until it has one.",
    }),
    source: t.string({
      nullable: true,
      description:
        "The text of its function as it ran, at most 64 KiB. Null when it is not of the project's own code, when that version was never published, and without the right `payloads`.",
      authScopes: { payloads: true },
      unauthorizedResolver: () => null,
      select: { columns: { jobId: true, attempt: true, node: true } },
      resolve: ({ jobId, attempt, node }, _args, context) => nodeRunSource(context, { jobId, attempt, node }),
    }),
    branches: t.exposeInt("branches", {
      nullable: true,
      description: "Into how many branches it was expanded; null when it was not.",
    }),
  }),
});
