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
        const inner = `${field}.${part.name.value}`;
        fields.set(part, inner).set(part.name, inner);
        add(part.value, inner);
      }
    }
  }

  visit(document, {
    Argument(node) {
      fields.set(node, node.name.value).set(node.name, node.name.value);
      add(node.value, node.name.value);
    },
    VariableDefinition({ variable, defaultValue }) {
      if (defaultValue !== undefined) add(defaultValue, variable.name.value);
    },
  });
  return fields;
}
