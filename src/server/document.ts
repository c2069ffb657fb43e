import { type DocumentNode, GraphQLError, type GraphQLSchema, Kind, parse, validate, visit } from "graphql";
import { isInexact } from "../domain/json.ts";
import { limits } from "../schema/limits.ts";
import { literalFields } from "./literal-fields.ts";
import { textProblem } from "./params.ts";
import { conditionErrors } from "./subscription-conditions.ts";

/** A document that may be executed, or why it may not. */
export interface CheckedDocument {
  document: DocumentNode | null;
  errors: readonly GraphQLError[];
}

const mostCached = 500;
const longestCached = 20_000;
const mostErrors = 20;

/**
 * Parses and validates documents, and holds them against the limits that need no variables: first those that are cheap to
 * know, so that nothing costly is done for a document that is refused anyway. What was checked once is remembered.
 */
export class Documents {
  readonly #schema: GraphQLSchema;
  readonly #checked = new Map<string, CheckedDocument>();

  constructor(schema: GraphQLSchema) {
    this.#schema = schema;
  }

  check(text: string): CheckedDocument {
    const known = this.#checked.get(text);
    if (known !== undefined) return known;
    const checked = check(text, this.#schema);
    if (checked.errors.length === 0 && text.length <= longestCached) {
      const [oldest] = this.#checked.keys();
      if (this.#checked.size >= mostCached && oldest !== undefined) this.#checked.delete(oldest);
      this.#checked.set(text, checked);
    }
    return checked;
  }
}

function check(text: string, schema: GraphQLSchema): CheckedDocument {
  let document: DocumentNode;
  try {
    document = parse(text, { maxTokens: limits.tokens });
  } catch (error) {
    if (!(error instanceof GraphQLError)) throw error;
    return { document: null, errors: [parseError(error)] };
  }
  const tooLarge = sizeErrors(document);
  if (tooLarge.length > 0) return { document: null, errors: tooLarge };
  const refused = [...literalErrors(document), ...conditionErrors(document)];
  if (refused.length > 0) return { document: null, errors: withFields(refused, document) };
  const invalid = validate(schema, document, undefined, { maxErrors: mostErrors });
  return { document, errors: withFields(invalid.map(validationError), document) };
}

function parseError(error: GraphQLError): GraphQLError {
  // The parser has no other sign of it.
  if (error.message.includes("Document contains more")) return overLimit("tokens", null);
  return coded(error, "GRAPHQL_PARSE_FAILED");
}

function validationError(error: GraphQLError): GraphQLError {
  // It has given up comparing fields with one another.
  if (error.message === "Validation aborted.") {
    return new GraphQLError("The document selects too many fields under one name.", {
      extensions: { code: "LIMIT_EXCEEDED" },
    });
  }
  return coded(error, "GRAPHQL_VALIDATION_FAILED");
}

function sizeErrors(document: DocumentNode): GraphQLError[] {
  let aliases = 0;
  let directives = 0;
  visit(document, {
    Field(node) {
      if (node.alias !== undefined) aliases += 1;
    },
    Directive() {
      directives += 1;
    },
  });
  return [
    ...(aliases > limits.aliases ? [overLimit("aliases", aliases)] : []),
    ...(directives > limits.directives ? [overLimit("directives", directives)] : []),
  ];
}

/** Numbers that would be rounded, texts that cannot be stored, keys that JavaScript treats in a way of its own. */
function literalErrors(document: DocumentNode): GraphQLError[] {
  const errors: GraphQLError[] = [];
  const refuse = (message: string, nodes: GraphQLError["nodes"]) => {
    if (errors.length === mostErrors) return;
    errors.push(new GraphQLError(message, { nodes: nodes ?? null, extensions: { code: "BAD_USER_INPUT" } }));
  };
  const number = (node: { value: string }) => {
    if (isInexact(Number(node.value), node.value)) {
      refuse(`The number ${node.value.slice(0, 40)} cannot be held exactly. Send it as a string.`, [node as never]);
    }
  };
  visit(document, {
    [Kind.INT]: number,
    [Kind.FLOAT]: number,
    [Kind.STRING](node) {
      const problem = textProblem(node.value);
      if (problem !== null) refuse(`A text ${problem}`, [node]);
    },
    [Kind.OBJECT_FIELD](node) {
      if (node.name.value === "__proto__") refuse('The key "__proto__" is not allowed.', [node]);
    },
  });
  return errors;
}

/** Says of errors about a literal in which argument or input field it stands: `input.inputs.day`. */
function withFields(errors: GraphQLError[], document: DocumentNode): GraphQLError[] {
  if (errors.length === 0) return errors;
  const fields = literalFields(document);
  for (const { nodes, extensions } of errors) {
    const field = nodes?.[0] === undefined ? undefined : fields.get(nodes[0]);
    if (field !== undefined) extensions.path = field;
  }
  return errors;
}

/** An error about one of the limits of an operation. */
export function overLimit(
  limit: "tokens" | "aliases" | "directives" | "depth" | "cost",
  found: number | null,
): GraphQLError {
  const has = found === null ? "has more" : `has ${found.toLocaleString("en")}`;
  return new GraphQLError(
    `The operation ${has} ${limit === "depth" || limit === "cost" ? `in ${limit}` : limit}; ${limits[limit].toLocaleString("en")} are allowed.`,
    { extensions: { code: "LIMIT_EXCEEDED", limit, allowed: limits[limit], ...(found !== null && { found }) } },
  );
}

function coded(error: GraphQLError, code: string): GraphQLError {
  error.extensions.code = code;
  return error;
}
