import { type ASTNode, type DocumentNode, Kind, type ValueNode, visit } from "graphql";

/** Where each literal of a document stands: the argument or input field, as `input.inputs.day`. */
export function literalFields(document: DocumentNode): Map<ASTNode, string> {
  const fields = new Map<ASTNode, string>();

  function add(value: ValueNode, field: string): void {
    fields.set(value, field);
    if (value.kind === Kind.LIST) {
      for (const [index, item] of value.values.entries()) add(item, `${field}.${index}`);
    } else if (value.kind === Kind.OBJECT) {
      for (const part of value.fields) {
        fields.set(part, `${field}.${part.name.value}`);
        add(part.value, `${field}.${part.name.value}`);
      }
    }
  }

  visit(document, {
    Argument(node) {
      fields.set(node, node.name.value);
      add(node.value, node.name.value);
    },
    VariableDefinition({ variable, defaultValue }) {
      if (defaultValue !== undefined) add(defaultValue, variable.name.value);
    },
  });
  return fields;
}
