/** What differs between two versions of a pipeline. */
import { BadInputError, NotFoundError } from "../domain/errors.ts";
import type { Json } from "../domain/json.ts";
import { hidden, isSecretName, redacted } from "../domain/secrets.ts";
import {
  type ChangeKind,
  comparePipelineVersions,
  type ModuleChange as ModuleChangeShape,
  type NodeAspect,
  type NodeChange as NodeChangeShape,
  type PipelineComparison as PipelineComparisonShape,
  type ValueChange as ValueChangeShape,
} from "../pipelines/compare-versions.ts";
import { builder } from "./builder.ts";
import { GraphNode, type GraphNodeShape, inGraph } from "./graph.ts";
import { PipelineVersion } from "./pipeline-version.ts";

const ChangeKindEnum = builder.enumType("ChangeKind", {
  description: "How something differs.",
  values: {
    ADDED: { value: "added", description: "Only the later one has it." },
    REMOVED: { value: "removed", description: "Only the earlier one has it." },
    CHANGED: { value: "changed", description: "Both have it, and it is not the same." },
  } as const satisfies { [K in ChangeKind as Uppercase<K>]: { value: K; description: string } },
});

const NodeAspectEnum = builder.enumType("NodeAspect", {
  description: "What of a node differs.",
  values: {
    SOURCE: { value: "source", description: "The text of its function." },
    KIND: { value: "kind", description: "What it is: a function, an input …" },
    TYPE: { value: "type", description: "Its type." },
    DEPENDENCIES: { value: "dependencies", description: "What it needs." },
    TAGS: { value: "tags", description: "Hamilton's tags." },
    DOC: { value: "doc", description: "Its docstring." },
  } as const satisfies { [A in NodeAspect as Uppercase<A>]: { value: A; description: string } },
});

/** Its nodes each in their graph. */
type NodeChangeInGraphs = Omit<NodeChangeShape, "from" | "to"> & Record<"from" | "to", GraphNodeShape | null>;

const NodeChange = builder.objectRef<NodeChangeInGraphs>("NodeChange").implement({
  description: "A node that differs between two versions of a pipeline.",
  fields: (t) => ({
    name: t.exposeString("name", { description: "Its name." }),
    change: t.expose("change", { type: ChangeKindEnum, description: "How it differs." }),
    aspects: t.expose("aspects", { type: [NodeAspectEnum], description: "Of a changed node: in what it differs." }),
    from: t.expose("from", { type: GraphNode, nullable: true, description: "As it was; null when it was not there." }),
    to: t.expose("to", { type: GraphNode, nullable: true, description: "As it became; null when it is gone." }),
    diff: t.exposeString("diff", {
      nullable: true,
      description:
        "Unified diff of its function's source. Null when that is the same or not of the project's own code, and without the right `payloads`.",
      authScopes: { payloads: true },
      unauthorizedResolver: () => null,
    }),
  }),
});

const ModuleChange = builder.objectRef<ModuleChangeShape>("ModuleChange").implement({
  description: "A file of the project that differs between two versions of a pipeline.",
  fields: (t) => ({
    file: t.exposeString("file", { description: "Its path within the project." }),
    change: t.expose("change", { type: ChangeKindEnum, description: "How it differs." }),
    fromHash: t.exposeString("fromHash", {
      nullable: true,
      description: "SHA-256 before; null when it was not there.",
    }),
    toHash: t.exposeString("toHash", { nullable: true, description: "SHA-256 after; null when it is gone." }),
  }),
});

const ValueChange = builder.objectRef<ValueChangeShape>("ValueChange").implement({
  description: "A value of a pipeline's YAML that differs between two versions, references unresolved.",
  fields: (t) => ({
    path: t.exposeString("path", { description: "Where: `params.station.limit`, `run.config.mode`." }),
    change: t.expose("change", { type: ChangeKindEnum, description: "How it differs." }),
    from: t.field({
      type: "JSON",
      nullable: true,
      description: "What was written; null when nothing was. What is named like a secret is hidden.",
      resolve: ({ path, from }) => shown(path, from),
    }),
    to: t.field({
      type: "JSON",
      nullable: true,
      description: "What is written; null when nothing is. What is named like a secret is hidden.",
      resolve: ({ path, to }) => shown(path, to),
    }),
  }),
});

function shown(path: string, value: Json): Json {
  return value !== null && path.split(".").some(isSecretName) ? hidden : redacted(value);
}

function nodeIn({ description }: PipelineComparisonShape["from"], node: NodeChangeShape["from"]) {
  return node === null || description.graph === null ? null : inGraph(description.graph, node);
}

/** By its key the drizzle plugin loads what is selected of it. */
function keyOf({ project, pipeline, number }: PipelineComparisonShape["from"]) {
  return { project, pipeline, number };
}

const PipelineComparison = builder.objectRef<PipelineComparisonShape>("PipelineComparison").implement({
  description: "What differs between two versions of a pipeline, and nothing else.",
  fields: (t) => ({
    from: t.field({
      type: PipelineVersion,
      description: "The version that was compared with.",
      resolve: ({ from }) => keyOf(from) as never,
    }),
    to: t.field({
      type: PipelineVersion,
      description: "The version that was compared.",
      resolve: ({ to }) => keyOf(to) as never,
    }),
    nodes: t.field({
      type: [NodeChange],
      description: "Nodes of the graph under the YAML's config.",
      resolve: ({ nodes, from, to }) =>
        nodes.map((node) => ({ ...node, from: nodeIn(from, node.from), to: nodeIn(to, node.to) })),
    }),
    modules: t.expose("modules", { type: [ModuleChange], description: "Files of the project." }),
    params: t.expose("params", { type: [ValueChange], description: "`params` of the YAML." }),
    run: t.expose("run", {
      type: [ValueChange],
      description: "`run` of the YAML: inputs, config, final variables, executor, retry …",
    }),
  }),
});

builder.queryField("comparePipelineVersions", (t) =>
  t.field({
    type: PipelineComparison,
    description: "What differs between two versions of a pipeline: code, graph and YAML.",
    authScopes: { read: true },
    errors: {
      types: [NotFoundError, BadInputError],
      union: { description: "The difference, or why there is none to tell." },
    },
    args: {
      pipeline: t.arg.string({
        required: true,
        description: "`project/pipeline`, or a bare name that only one project has.",
      }),
      from: t.arg.int({ required: true, description: "The number of the version to compare with." }),
      to: t.arg.int({ required: true, description: "The number of the version to compare." }),
    },
    complexity: { field: 20 },
    resolve: (_root, args, { db, jobs }) => comparePipelineVersions(db, jobs.catalogue, args),
  }),
);
