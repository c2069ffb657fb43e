import type { JsonObject } from "../domain/json.ts";
import type { NodeEffect } from "../domain/reuse.ts";
import type { CataloguedPipeline } from "../pipelines/catalogue.ts";
import { indexGraph } from "../pipelines/path.ts";
import { builder } from "./builder.ts";
import { nodeSource } from "./node-source.ts";

type GraphShape = NonNullable<CataloguedPipeline["description"]["graph"]>;
/** A node, with the graph that it is in. */
export type GraphNodeShape = GraphShape["nodes"][number] & { graph: GraphShape };

export function inGraph(graph: GraphShape, node: GraphShape["nodes"][number]): GraphNodeShape {
  return { ...node, graph };
}

export const GraphNodeKind = builder.enumType("GraphNodeKind", {
  description: "What a node of a graph is.",
  values: {
    FUNCTION: { value: "function", description: "A function of the pipeline's modules." },
    INPUT: { value: "input", description: "Given by the run's inputs." },
    CONFIG: { value: "config", description: "Given by the run's config." },
    EXPAND: {
      value: "expand",
      description: "A `Parallelizable`: everything up to its collect runs once for each item.",
    },
    COLLECT: { value: "collect", description: "Brings the branches of a `Parallelizable` together." },
  } as const satisfies { [K in GraphNodeShape["kind"] as Uppercase<K>]: { value: K; description: string } },
});

const NodeEffectEnum = builder.enumType("NodeEffect", {
  description: "What a node does with the world outside of the run, by its tags or by what its code looks like.",
  values: {
    LOADS: { value: "loads", description: "It loads data, as its decorator or tag says." },
    SAVES: { value: "saves", description: "It saves data, as its decorator or tag says." },
    MAY_LOAD: { value: "may_load", description: "Its code looks as if it loads data." },
    MAY_SAVE: { value: "may_save", description: "Its code looks as if it saves data, or it returns nothing." },
  } as const satisfies { [K in NodeEffect as Uppercase<K>]: { value: K; description: string } },
});

export const GraphNode = builder.objectRef<GraphNodeShape>("GraphNode").implement({
  description: "A node of a pipeline's graph.",
  fields: (t) => ({
    name: t.exposeString("name", { description: "Its name." }),
    kind: t.expose("kind", { type: GraphNodeKind, description: "What it is." }),
    type: t.exposeString("type", { description: "Its type, as Python code writes it." }),
    doc: t.exposeString("doc", { nullable: true, description: "Its docstring; null when it has none." }),
    tags: t.field({ type: "JSONObject", description: "Hamilton's tags.", resolve: ({ tags }) => tags as JsonObject }),
    dependsOn: t.exposeStringList("dependsOn", { description: "Nodes that it needs." }),
    optionalDependsOn: t.exposeStringList("optionalDependsOn", {
      description: "Nodes that it takes when they are there.",
    }),
    upstream: t.stringList({
      description: "Nodes that it takes a value of: those that it needs and those that it may do without.",
      resolve: ({ dependsOn, optionalDependsOn }) => [...dependsOn, ...optionalDependsOn],
    }),
    downstream: t.stringList({
      description: "Nodes that take its value.",
      resolve: ({ graph, name }) => indexGraph(graph).usedBy(name),
    }),
    async: t.boolean({
      nullable: true,
      description:
        "Whether it is `async def`, and so runs through Hamilton's async driver; null when an older worker described it.",
      resolve: (node) => node.async ?? null,
    }),
    module: t.exposeString("module", {
      nullable: true,
      description: "The module of its function; null when it has none.",
    }),
    function: t.exposeString("function", { nullable: true, description: "Its function; null when it has none." }),
    file: t.exposeString("file", {
      nullable: true,
      description: "The project's file with its function; null when outside of it.",
    }),
    line: t.exposeInt("line", { nullable: true, description: "Line of its function, from 1; null when it has none." }),
    codeHash: t.exposeString("codeHash", {
      nullable: true,
      description: "Hash of its function's source; null when it has none.",
    }),
    codeVersion: t.string({
      nullable: true,
      description:
        "Hash of all of the project's code that its function leads to: helpers, classes, constants. Null when it cannot be told.",
      resolve: ({ codeVersion }) => codeVersion,
    }),
    effect: t.field({
      type: NodeEffectEnum,
      nullable: true,
      description: "What it does with the world outside of the run; null when nothing is known of that.",
      resolve: ({ effect }) => effect,
    }),
  }),
});

builder.objectField(GraphNode, "source", (t) =>
  t.string({
    nullable: true,
    description:
      "The text of its function as it is in this version, at most 64 KiB. Null when it is not of the project's own code, and without the right `payloads`.",
    authScopes: { payloads: true },
    unauthorizedResolver: () => null,
    resolve: ({ codeHash }, _args, context) => (codeHash === null ? null : nodeSource(context, codeHash)),
  }),
);

export const Graph = builder.objectRef<GraphShape>("Graph").implement({
  description: "The Hamilton graph of a pipeline under one config.",
  fields: (t) => ({
    nodes: t.field({
      type: [GraphNode],
      description: "Its nodes, in an order in which they could run.",
      resolve: (graph) => graph.nodes.map((node) => inGraph(graph, node)),
    }),
  }),
});
