/** What happens within a run. */
import type { EventType } from "../domain/event-types.ts";
import { ArtifactKind } from "./artifact.ts";
import type { builder } from "./builder.ts";
import { type EventOf, eventType } from "./event-of.ts";
import { NodeReason } from "./node-reason.ts";
import { EventError } from "./run-error.ts";
import { ValueSummary, type ValueSummaryShape } from "./value-summary.ts";

eventType("run.resolved", "The graph is resolved: what will run is known, before the first node does.", (t) => ({
  codeHash: t.string({ description: "Hash of the code that runs.", resolve: ({ data }) => data.codeHash }),
  path: t.stringList({
    description: "The nodes that will run, in order; branches are not multiplied.",
    resolve: ({ data }) => data.path,
  }),
  finalVars: t.stringList({ description: "The final variables.", resolve: ({ data }) => data.finalVars }),
}));

eventType("node.started", "A node began.", (t) => ({
  ...nodeFields(t),
  reason: t.field({
    type: NodeReason,
    nullable: true,
    description: "Why it was not reused; null where reuse was not asked for.",
    resolve: ({ data }) => data.reason,
  }),
}));

eventType("node.reused", "A node's value was taken from what was computed before: it did not run.", (t) => ({
  ...nodeFields(t),
  reason: t.field({
    type: NodeReason,
    description: "Where the value comes from.",
    resolve: ({ data }) => data.reason,
  }),
  summary: t.field({
    type: ValueSummary,
    description: "What the value looks like.",
    resolve: ({ data }) => data.summary as unknown as ValueSummaryShape,
  }),
}));

eventType("node.expanded", "A `Parallelizable` node was expanded into branches.", (t) => ({
  ...nodeFields(t),
  count: t.int({ description: "How many branches.", resolve: ({ data }) => data.count }),
  nodes: t.stringList({ description: "The nodes that each branch runs.", resolve: ({ data }) => data.nodes }),
}));

eventType("node.succeeded", "A node has its value.", (t) => ({
  ...nodeFields(t),
  durationMs: t.float({ description: "How long it took.", resolve: ({ data }) => data.durationMs }),
  cpuMs: t.float({
    nullable: true,
    description: "Processor time that it took; null where it cannot be told apart.",
    resolve: ({ data }) => data.cpuMs,
  }),
  memoryGrowthBytes: t.float({
    nullable: true,
    description:
      "By how much its process' memory grew meanwhile, approximately; null when another node ran too, or it cannot be told.",
    resolve: ({ data }) => data.memoryGrowthBytes ?? null,
  }),
  summary: t.field({
    type: ValueSummary,
    description: "What the value looks like.",
    resolve: ({ data }) => data.summary as unknown as ValueSummaryShape,
  }),
  stored: t.boolean({
    nullable: true,
    description: "Whether a later run may take the value; null where reuse was not asked for.",
    resolve: ({ data }) => data.stored,
  }),
}));

eventType("node.failed", "A node raised an error.", (t) => ({
  ...nodeFields(t),
  durationMs: t.float({ description: "How long it took.", resolve: ({ data }) => data.durationMs }),
  error: t.field({ type: EventError, description: "What it raised.", resolve: ({ data }) => data.error }),
}));

eventType("log.line", "A line that the pipeline wrote or logged.", (t) => ({
  level: t.string({
    description: "`DEBUG`, `INFO`, `WARNING`, `ERROR` or `CRITICAL`.",
    resolve: ({ data }) => data.level,
  }),
  stream: t.string({ description: "`stdout`, `stderr`, `logging` or `loguru`.", resolve: ({ data }) => data.stream }),
  logger: t.string({
    nullable: true,
    description: "The logger's name; null for the standard streams.",
    resolve: ({ data }) => data.logger,
  }),
  text: t.string({
    nullable: true,
    description: "What it says. Null without the right `payloads`.",
    authScopes: { payloads: true },
    unauthorizedResolver: () => null,
    resolve: ({ data }) => data.text,
  }),
}));

eventType("log.dropped", "Log lines were left out.", (t) => ({
  lines: t.int({ description: "How many lines.", resolve: ({ data }) => data.lines }),
  bytes: t.float({ description: "How many bytes.", resolve: ({ data }) => data.bytes }),
  reason: t.string({ description: "Which limit was reached.", resolve: ({ data }) => data.reason }),
}));

eventType(
  "artifact.stored",
  "The run has ended, and something that it made is in the artifact store, or could not be kept. Small values are in the database and have no such event.",
  (t) => ({
    artifactId: t.id({
      description: "The artifact's id: `node(id:)` reads all of it.",
      resolve: ({ data }) => data.artifact,
    }),
    name: t.string({
      description: "The final variable; of a file its path within FLOWERPOWER_RUN_DIR; of a log `log`.",
      resolve: ({ data }) => data.name,
    }),
    kind: t.field({ type: ArtifactKind, description: "What it is.", resolve: ({ data }) => data.kind }),
    mediaType: t.string({
      nullable: true,
      description: "Its media type; null when it was not kept.",
      resolve: ({ data }) => data.mediaType,
    }),
    bytes: t.float({
      nullable: true,
      description: "Its length; null when it was not kept.",
      resolve: ({ data }) => data.bytes,
    }),
    omitted: t.string({
      nullable: true,
      description: "Why it was not kept; null when it was.",
      resolve: ({ data }) => data.omitted,
    }),
  }),
);

type NodeEvent = Extract<EventType, `node.${string}`>;
type Types = (typeof builder)["$inferSchemaTypes"];

/** The node that an event is about: it always has one. */
function nodeFields<T extends NodeEvent>(t: PothosSchemaTypes.ObjectFieldBuilder<Types, EventOf<T>>) {
  return { node: t.string({ description: "The node's name.", resolve: ({ node }) => node ?? "" }) };
}
