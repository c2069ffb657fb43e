import { type DirectiveNode, type DocumentNode, GraphQLError, Kind, type SelectionSetNode } from "graphql";

/**
 * Errors for subscriptions whose field has a condition on it. Then there may be none, for which the library has no answer; the
 * specification forbids it too.
 */
export function conditionErrors({ definitions }: DocumentNode): GraphQLError[] {
  const fragments = new Map<string, SelectionSetNode>();
  for (const definition of definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition.selectionSet);
  }
  return definitions.flatMap((definition) =>
    definition.kind === Kind.OPERATION_DEFINITION && definition.operation === "subscription"
      ? conditionsOf(definition.selectionSet, new Map(fragments)).map(conditionError)
      : [],
  );
}

/** Those beside the root field, which may stand in fragments. Each is looked at once: they may spread one another. */
function conditionsOf(selectionSet: SelectionSetNode, fragments: Map<string, SelectionSetNode>): DirectiveNode[] {
  return selectionSet.selections.flatMap((selection) => {
    const found = (selection.directives ?? []).filter(({ name }) => name.value === "skip" || name.value === "include");
    if (selection.kind === Kind.INLINE_FRAGMENT) found.push(...conditionsOf(selection.selectionSet, fragments));
    if (selection.kind === Kind.FRAGMENT_SPREAD) {
      const spread = fragments.get(selection.name.value);
      fragments.delete(selection.name.value);
      if (spread !== undefined) found.push(...conditionsOf(spread, fragments));
    }
    return found;
  });
}

function conditionError(directive: DirectiveNode): GraphQLError {
  return new GraphQLError("The field of a subscription can be neither skipped nor included on a condition.", {
    nodes: directive,
    extensions: { code: "GRAPHQL_VALIDATION_FAILED" },
  });
}
