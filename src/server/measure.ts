import { complexityFromQuery } from "@pothos/plugin-complexity";
import { type ExecutionArgs, type GraphQLError, Kind, type OperationDefinitionNode } from "graphql";
import { limits } from "../schema/limits.ts";
import { overLimit } from "./document.ts";

/** What an operation costs with these variables, or why it is not executed. */
export function measure(args: ExecutionArgs): { cost: number; error: GraphQLError | null } {
  const { schema, document, variableValues, operationName, contextValue } = args;
  const definitions = document.definitions.filter(
    (definition) =>
      definition.kind !== Kind.OPERATION_DEFINITION || operationName == null || named(definition, operationName),
  );
  const { complexity: cost, depth } = complexityFromQuery(
    { ...document, definitions },
    { schema, ctx: contextValue as object, variables: { ...variableValues } },
  );
  // Written so that a cost beyond all numbers is refused as well.
  if (!(depth <= limits.depth)) return { cost, error: overLimit("depth", depth) };
  if (!(cost <= limits.cost)) return { cost, error: overLimit("cost", cost) };
  return { cost, error: null };
}

function named({ name }: OperationDefinitionNode, operationName: string): boolean {
  return name?.value === operationName;
}
