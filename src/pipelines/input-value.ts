import { Ajv2020, type ErrorObject, type ValidateFunction } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import stringify from "safe-stable-stringify";
import type { Problem } from "../domain/errors.ts";
import type { Json, JsonObject } from "../domain/json.ts";
import type { PipelineInput } from "../runtime/protocol.ts";
import { listNames, nearest } from "./nearest.ts";

const maxProblems = 10;
const maxCompiled = 1000;

/**
 * What is wrong with a value for an input, by the JSON Schema that Python published for its type. Paths reach into the value:
 * `input.inputs.stations.3`. A schema that cannot be compiled says nothing: Python checks the value at the start of the run.
 */
export function valueProblems(input: PipelineInput, value: Json): Problem[] {
  const validate = compiled(input.schema);
  if (validate === null || validate(value)) return [];
  const errors = told(validate.errors ?? []);
  const problems = errors.map((error) => problemOf(error, input));
  const distinct = new Map(problems.map((problem) => [`${problem.path} ${problem.message}`, problem]));
  return [...distinct.values()].slice(0, maxProblems);
}

// Schemas come from other people's types: what ajv does not know in them is left to Python.
const ajv = new Ajv2020({ strict: false, allErrors: true, verbose: true, addUsedSchema: false, logger: false });
addFormats.default(ajv);
// Python takes times without a zone, and `date-time` of JSON Schema would refuse them.
addFormats.default(ajv, ["iso-date-time", "iso-time"]);
for (const format of ["date-time", "time"]) {
  const lenient = ajv.formats[`iso-${format}`];
  if (lenient !== undefined) ajv.addFormat(format, lenient);
}

const byContent = new Map<string, ValidateFunction | null>();

function compiled(schema: JsonObject): ValidateFunction | null {
  const key = stringify(schema);
  const known = byContent.get(key);
  if (known !== undefined) return known;
  let validate: ValidateFunction | null;
  try {
    validate = ajv.compile(schema);
  } catch {
    // Made by a newer pydantic, or with a pattern that only Python reads.
    validate = null;
  } finally {
    // Ajv would keep every schema object that it has ever seen.
    ajv.removeSchema(schema);
  }
  const oldest = byContent.size >= maxCompiled ? byContent.keys().next().value : undefined;
  if (oldest !== undefined) byContent.delete(oldest);
  byContent.set(key, validate);
  return validate;
}

/**
 * The errors that a person needs. Of the branches of an `anyOf` only the one that fits the value's kind is told:
 * a wrong item in an optional list is a wrong item, not also "must be null".
 */
function told(errors: ErrorObject[]): ErrorObject[] {
  const choices = errors.filter((error) => error.keyword === "anyOf" || error.keyword === "oneOf");
  const fitting = new Map(choices.map((choice) => [choice, fittingBranch(choice, errors)]));
  return errors.filter((error) => {
    const around = choices.filter((choice) => choice !== error && error.schemaPath.startsWith(`${choice.schemaPath}/`));
    if (!around.every((choice) => fitting.get(choice) === branchOf(error, choice))) return false;
    return (fitting.get(error) ?? null) === null;
  });
}

/** The one branch whose own type (or list of values) fits the value, or null when there is none or more than one. */
function fittingBranch(choice: ErrorObject, errors: ErrorObject[]): string | null {
  const failed = errors.filter((error) => error !== choice && error.schemaPath.startsWith(`${choice.schemaPath}/`));
  const branches = new Set(failed.map((error) => branchOf(error, choice)));
  for (const error of failed) {
    const isOfValue = error.instancePath === choice.instancePath;
    if (isOfValue && /^(type|enum|const)$/.test(error.keyword)) branches.delete(branchOf(error, choice));
  }
  const [only, another] = branches;
  return only !== undefined && another === undefined ? only : null;
}

function branchOf(error: ErrorObject, choice: ErrorObject): string {
  return error.schemaPath.slice(choice.schemaPath.length + 1).split("/", 1)[0] ?? "";
}

function problemOf(error: ErrorObject, input: PipelineInput): Problem {
  const steps = error.instancePath.split("/").slice(1).map(unescapePointer);
  const label = [input.name, ...steps].join(".");
  const at = `input.inputs.${label}`;
  const problem = (message: string, suggestion: string | null = null, path = at): Problem => ({
    path,
    message: `${message}.`,
    suggestion,
  });
  // The input's own type is worth telling; that of an item inside it is not known by a Python name.
  const type = steps.length === 0 ? ` (${input.type})` : "";
  const params = error.params as Record<string, unknown>;
  switch (error.keyword) {
    case "type":
    case "anyOf":
    case "oneOf":
    case "enum": {
      const found = typeof error.data === "string" ? nearest(error.data, textsOf(error.parentSchema)) : null;
      const not = error.keyword === "enum" || found !== null ? "" : `, not ${kindOf(error.data)}`;
      return problem(`${label} takes ${expected(error.parentSchema)}${type}${not}`, found);
    }
    case "format":
    case "pattern":
      return problem(`${label} takes ${expected(error.parentSchema)}${type}`);
    case "required": {
      const missing = String(params.missingProperty);
      return problem(`${label} lacks ${missing}`, null, `${at}.${missing}`);
    }
    case "additionalProperties": {
      const extra = String(params.additionalProperty);
      const known = Object.keys((error.parentSchema?.properties ?? {}) as object);
      return problem(`${label} has no field ${extra}`, nearest(extra, known), `${at}.${extra}`);
    }
    default:
      return problem(`${label} ${error.message ?? `does not fit ${error.keyword}`}${type}`);
  }
}

function unescapePointer(step: string): string {
  return step.replaceAll("~1", "/").replaceAll("~0", "~");
}

const kinds = new Map([
  ["integer", "a whole number"],
  ["number", "a number"],
  ["string", "a text"],
  ["boolean", "true or false"],
  ["array", "a list"],
  ["object", "an object"],
  ["null", "null"],
]);

const formats = new Map([
  ["date", "a date such as 2024-06-01"],
  ["date-time", "a date and time such as 2024-06-01T08:00:00Z"],
  ["time", "a time such as 08:00:00"],
  ["duration", "a duration such as PT1H30M"],
  ["uuid", "a UUID"],
  ["byte", "bytes in base64"],
]);

/** What a schema takes, in words. */
function expected(schema: unknown): string {
  const { type, format, examples, enum: values } = asSchema(schema);
  const choices = choicesOf(schema).filter((choice) => !isNotFinite(choice));
  if (choices.length > 0) return [...new Set(choices.map(expected))].join(" or ");
  if (Array.isArray(values))
    return `one of ${listNames(
      values.map((value) => JSON.stringify(value)),
      { limit: 20, last: "or" },
    )}`;
  if (typeof format === "string" && formats.has(format)) return formats.get(format) ?? format;
  const types = [type].flat().map((one) => kinds.get(String(one)) ?? "another kind of value");
  const example = Array.isArray(examples) && examples.length > 0 ? ` such as ${examples[0]}` : "";
  return types.join(" or ") + example;
}

/** The texts that a schema lists, to find what was meant by one that it does not. */
function textsOf(schema: unknown): string[] {
  const { enum: values } = asSchema(schema);
  const own = Array.isArray(values) ? values.filter((value): value is string => typeof value === "string") : [];
  return [...own, ...choicesOf(schema).flatMap(textsOf)];
}

function choicesOf(schema: unknown): unknown[] {
  const { anyOf, oneOf } = asSchema(schema);
  const choices = anyOf ?? oneOf;
  return Array.isArray(choices) ? choices : [];
}

/** The texts by which a float that JSON has no number for is sent: not what somebody needs to hear of. */
function isNotFinite(schema: unknown): boolean {
  const { enum: values } = asSchema(schema);
  return Array.isArray(values) && values.includes("NaN");
}

function asSchema(schema: unknown): Record<string, unknown> {
  return typeof schema === "object" && schema !== null ? (schema as Record<string, unknown>) : {};
}

function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "number") return Number.isInteger(value) ? "a whole number" : "a number with a fraction";
  return kinds.get(typeof value) ?? "an object";
}
