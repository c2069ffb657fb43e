import { getSchemaConfig } from "@pothos/plugin-drizzle";
import type { GraphQLResolveInfo } from "graphql";
import { builder } from "./builder.ts";
import type { Context } from "./context.ts";

/** Where in a connection the nodes are selected, for `queryFromInfo`: their relations are then read in the same statement. */
export function pageNodes(typeName: string, context: Context, info: GraphQLResolveInfo) {
  return {
    config: getSchemaConfig(builder),
    context,
    info,
    typeName,
    paths: [[{ name: "nodes" }], [{ name: "edges" }, { name: "node" }]],
  };
}
