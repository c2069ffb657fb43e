import SchemaBuilder from "@pothos/core";
import ComplexityPlugin from "@pothos/plugin-complexity";
import DrizzlePlugin from "@pothos/plugin-drizzle";
import ErrorsPlugin from "@pothos/plugin-errors";
import RelayPlugin from "@pothos/plugin-relay";
import ScopeAuthPlugin from "@pothos/plugin-scope-auth";
import ValidationPlugin from "@pothos/plugin-validation";
import { getTableConfig } from "drizzle-orm/pg-core";
import { relations } from "../db/relations.ts";
import type { Json, JsonObject } from "../domain/json.ts";
import type { Context, Scope } from "./context.ts";
import { ForbiddenError, problemsOf, ShapeError } from "./edge-errors.ts";
import { limits } from "./limits.ts";
import { decodeNodeId, encodeNodeId } from "./node-ids.ts";

/** The page size is counted where the connection is selected. */
const counted = { field: 0, multiplier: 1 };

/** The schema's builder: plugins, scalars' types and the roots, and no types of ours. */
export const builder = new SchemaBuilder<{
  Context: Context;
  DrizzleRelations: typeof relations;
  AuthScopes: Record<Scope, boolean>;
  DefaultFieldNullability: false;
  DefaultEdgesNullability: { list: false; items: false };
  DefaultNodeNullability: false;
  Scalars: {
    ID: { Input: string; Output: string };
    DateTime: { Input: Date; Output: Date };
    JSON: { Input: Json; Output: Json };
    JSONObject: { Input: JsonObject; Output: JsonObject };
  };
}>({
  // The first wraps the others: what a field's rights or validation throw is seen by the errors plugin, which lets it fly
  // because no field lists those errors.
  plugins: [ErrorsPlugin, ScopeAuthPlugin, ValidationPlugin, RelayPlugin, DrizzlePlugin, ComplexityPlugin],
  defaultFieldNullability: false,
  errors: {
    directResult: true,
    defaultUnionOptions: { name: ({ fieldName }) => `${capital(fieldName)}Result` },
  },
  scopeAuth: {
    authorizeOnSubscribe: true,
    authScopes: ({ scopes }) => ({
      read: scopes.has("read"),
      enqueue: scopes.has("enqueue"),
      manage: scopes.has("manage"),
      admin: scopes.has("admin"),
      payloads: scopes.has("payloads"),
    }),
    unauthorizedError: (_parent, _context, info) => new ForbiddenError(`${info.parentType.name}.${info.fieldName}`),
  },
  validation: { validationError: (failure) => new ShapeError(problemsOf(failure.issues)) },
  relay: {
    cursorType: "String",
    encodeGlobalID: encodeNodeId,
    decodeGlobalID: decodeNodeId,
    nodeTypeOptions: { description: "Anything with an id of its own." },
    idFieldOptions: { description: "Its id, which says by its prefix what it is." },
    nodeQueryOptions: {
      description: "The object with this id, whatever its type; null when there is none.",
      authScopes: { read: true },
      resolve: async (_root, { id }, _context, _info, load) => await nullWhenMissing(load(id)),
      args: {
        id: {
          description:
            "An id as this API shows it: `job_…`, `att_…`, `art_…`, `que_default`, `pip_bikes/daily_report`.",
        },
      },
    },
    nodesQueryOptions: false,
    nodesOnConnection: { description: "The items of the page, without their cursors.", complexity: counted },
    pageInfoTypeOptions: { description: "Where a page lies in its list." },
    hasNextPageFieldOptions: { description: "Whether items follow this page." },
    hasPreviousPageFieldOptions: { description: "Whether items come before this page." },
    startCursorFieldOptions: { description: "Cursor of the first item; null when the page is empty." },
    endCursorFieldOptions: { description: "Cursor of the last item; null when the page is empty." },
    firstArgOptions: {
      description: `How many items from the start, at most ${limits.pageSize}. Without \`first\` and \`last\`: ${limits.defaultPageSize}.`,
    },
    lastArgOptions: { description: `How many items from the end, at most ${limits.pageSize}.` },
    afterArgOptions: { description: "Only items after this cursor." },
    beforeArgOptions: { description: "Only items before this cursor." },
    edgesFieldOptions: {
      description: "The items of the page with their cursors.",
      complexity: counted,
      nullable: { list: false, items: false },
    },
    nodeFieldOptions: { description: "The item.", nullable: false },
    cursorFieldOptions: { description: "Where the item lies in this list. Opaque." },
    pageInfoFieldOptions: { description: "Where this page lies in the list." },
  },
  drizzle: {
    client: (context: Context) => context.db.reads,
    getTableConfig,
    relations,
    maxConnectionSize: limits.pageSize,
    defaultConnectionSize: limits.defaultPageSize,
  },
  // Only the measure is the plugin's: the limit is held before execution, by the server (`server/limits.ts`).
  complexity: { disabled: true, defaultComplexity: 1, defaultListMultiplier: limits.assumedListSize },
});

builder.queryType({ description: "Everything that can be read." });
builder.mutationType({ description: "Everything that can be done. Each returns its success or a typed error." });
builder.subscriptionType({ description: "Everything that can be watched, over WebSocket or server-sent events." });

/** The loader of the drizzle plugin takes a row that is not there for an error, and has no other sign of it. */
async function nullWhenMissing(loading: unknown): Promise<unknown> {
  try {
    return await loading;
  } catch (error) {
    if (error instanceof Error && /^Model \w+\(.*\) not found$/s.test(error.message)) return null;
    throw error;
  }
}

function capital(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1);
}
