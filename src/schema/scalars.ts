import { GraphQLError, Kind, type ValueNode } from "graphql";
import { isInexact, type Json, type JsonObject } from "../domain/json.ts";
import { builder } from "./builder.ts";

const isoTime = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})$/;
const earliestTimeMs = Date.UTC(1970, 0, 1);
/** Beyond it neither ISO 8601 with four digits nor Postgres reads what JavaScript writes. */
export const latestTimeMs = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

builder.scalarType("DateTime", {
  description:
    "An instant, ISO 8601. Given in UTC with milliseconds; taken with `Z` or an offset, never without a zone, from 1970 to 9999.",
  serialize: (value) => value.toISOString(),
  parseValue: (value) => {
    if (typeof value === "string") return parseTime(value);
    throw new GraphQLError("A DateTime is a string.");
  },
  parseLiteral: (node) => {
    if (node.kind === Kind.STRING) return parseTime(node.value, node);
    throw new GraphQLError("A DateTime is a string.", { nodes: node });
  },
});

builder.scalarType("JSON", {
  description: "Any JSON value. Numbers that JavaScript would round are refused: send them as strings.",
  serialize: (value) => value,
  parseValue: (value) => value as Json,
  parseLiteral: literal,
});

builder.scalarType("JSONObject", {
  description: "A JSON object. Numbers that JavaScript would round are refused: send them as strings.",
  serialize: (value) => value,
  parseValue: (value) => object(value as Json),
  parseLiteral: (node, variables) => object(literal(node, variables), node),
});

/** A date that exists, at a time that exists, with its zone. `Date.parse` would take the 31st of February for the 3rd of March. */
export function parseTime(text: string, node?: ValueNode): Date {
  const time = isoTime.test(text) ? Date.parse(text) : Number.NaN;
  const [year, month, day] = text.slice(0, 10).split("-").map(Number) as [number, number, number];
  const real = day <= new Date(Date.UTC(year, month, 0)).getUTCDate() && !text.includes("T24");
  if (Number.isNaN(time) || !real || time < earliestTimeMs || time > latestTimeMs) {
    throw new GraphQLError(
      `${JSON.stringify(text.slice(0, 60))} is not a time like 2026-11-23T09:30:00Z or 2026-11-23T10:30:00+01:00.`,
      { nodes: node ?? null },
    );
  }
  return new Date(time);
}

function object(value: Json, node?: ValueNode): JsonObject {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  throw new GraphQLError("A JSON object is needed.", { nodes: node ?? null });
}

function literal(node: ValueNode, variables: Record<string, unknown> | null | undefined): Json {
  switch (node.kind) {
    case Kind.NULL:
      return null;
    case Kind.BOOLEAN:
    case Kind.STRING:
      return node.value;
    case Kind.INT:
    case Kind.FLOAT: {
      const value = Number(node.value);
      if (isInexact(value, node.value)) {
        throw new GraphQLError(`The number ${node.value.slice(0, 40)} cannot be held exactly. Send it as a string.`, {
          nodes: node,
        });
      }
      return value;
    }
    case Kind.LIST:
      return node.values.map((item) => literal(item, variables));
    case Kind.OBJECT:
      return Object.fromEntries(node.fields.map((field) => [field.name.value, literal(field.value, variables)]));
    case Kind.VARIABLE:
      return (variables?.[node.name.value] ?? null) as Json;
    default:
      throw new GraphQLError("An enum value is not JSON.", { nodes: node });
  }
}
