import {
  coerceInputValue,
  GraphQLError,
  type GraphQLSchema,
  isInputType,
  isNonNullType,
  type OperationDefinitionNode,
  print,
  typeFromAST,
  type VariableDefinitionNode,
} from "graphql";

const mostErrors = 20;
const longestMessage = 300;

/**
 * What is wrong with the variables of an operation, each with the path of its field. The execution would say it too, but in
 * the words of the type alone: which of forty fields is no whole number, it would not say.
 */
export function variableErrors(
  schema: GraphQLSchema,
  { variableDefinitions = [] }: OperationDefinitionNode,
  variables: Record<string, unknown>,
): GraphQLError[] {
  const errors: GraphQLError[] = [];
  try {
    for (const definition of variableDefinitions) {
      checkVariable(schema, definition, variables, (message, path) => {
        errors.push(variableError(definition, message, path));
        // Half a million mistakes would keep the process for seconds: the look for more is broken off.
        if (errors.length === mostErrors) throw enough;
      });
    }
  } catch (error) {
    if (error !== enough) throw error;
  }
  return errors;
}

const enough = new Error("enough errors");

function checkVariable(
  schema: GraphQLSchema,
  { variable, type: typeNode, defaultValue }: VariableDefinitionNode,
  variables: Record<string, unknown>,
  refuse: (message: string, path: readonly (string | number)[]) => void,
): void {
  const name = variable.name.value;
  const type = typeFromAST(schema, typeNode);
  if (!isInputType(type)) return; // the validation has said so
  const given = Object.hasOwn(variables, name);
  const value = given ? variables[name] : undefined;
  if (given ? value === null : defaultValue === undefined) {
    if (!isNonNullType(type)) return;
    refuse(`The variable $${name} is ${given ? "null" : "missing"}, and ${print(typeNode)} is needed.`, [name]);
  } else if (given) {
    coerceInputValue(value, type, (path, _value, error) => refuse(error.message, [name, ...path]));
  }
}

function variableError(
  definition: VariableDefinitionNode,
  message: string,
  path: readonly (string | number)[],
): GraphQLError {
  // The messages of types quote the value, which may be a megabyte.
  return new GraphQLError(message.slice(0, longestMessage), {
    nodes: definition,
    extensions: { code: "BAD_USER_INPUT", path: path.join(".") },
  });
}
