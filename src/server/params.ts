import { BadInputError } from "../domain/errors.ts";

/** What a request for an operation holds. */
export interface OperationParams {
  query: string;
  operationName: string | null;
  variables: Record<string, unknown>;
}

/** A request that is none: by HTTP it is refused, by WebSocket the socket is closed. */
export class RequestShapeError extends BadInputError {}

/**
 * Checks the shape of a request, and that its texts can be stored. `extensions` may be sent and are ignored, and so is
 * whatever else it holds: a later version of the protocol may have more.
 *
 * @throws RequestShapeError for the shape, BadInputError for a text
 */
export function operationParams(value: unknown): OperationParams {
  if (Array.isArray(value)) throw new RequestShapeError("Batches of operations are not supported. Send one at a time.");
  if (!isObject(value)) throw new RequestShapeError("The request is not a JSON object.");
  const { query, operationName = null, variables, extensions } = value;
  if (typeof query !== "string") throw new RequestShapeError("A `query` is missing, or is not a text.", "query");
  if (operationName !== null && typeof operationName !== "string") {
    throw new RequestShapeError("`operationName` is not a text.", "operationName");
  }
  if (variables != null && !isObject(variables)) {
    throw new RequestShapeError("`variables` is not an object.", "variables");
  }
  if (extensions != null && !isObject(extensions)) {
    throw new RequestShapeError("`extensions` is not an object.", "extensions");
  }
  const checked = variables ?? {};
  refuseText(checked, "");
  return { query, operationName, variables: checked };
}

/** Refuses texts that Postgres cannot store, with their path: as a key, as a value, at any depth. */
function refuseText(value: unknown, path: string): void {
  if (typeof value === "string") {
    const problem = textProblem(value);
    if (problem !== null) throw new BadInputError(`${path} ${problem}`, path);
  } else if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) refuseText(item, `${path}.${index}`);
  } else if (isObject(value)) {
    for (const [key, item] of Object.entries(value)) {
      const problem = textProblem(key);
      if (problem !== null)
        throw new BadInputError(`A key of ${path === "" ? "the variables" : path} ${problem}`, path);
      refuseText(item, path === "" ? key : `${path}.${key}`);
    }
  }
}

/** Why a text cannot be stored; null when it can. */
export function textProblem(text: string): string | null {
  if (text.includes("\u0000")) return "contains the character U+0000, which cannot be stored.";
  if (!text.isWellFormed()) return "contains half of a surrogate pair, which is not valid Unicode.";
  return null;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
