import { BadInputError } from "../domain/errors.ts";
import { parseExactJson, RefusedJsonError } from "../domain/json.ts";

/**
 * JSON as somebody has sent it. Every way in which it can be wrong is the sender's mistake, told without their text.
 *
 * @param what how messages call it
 * @param at the field that it was sent in, where it was one
 */
export function parseJsonText(text: string, maxDepth: number, what: string, at: string | null = null): unknown {
  if (nestedDeeper(text, maxDepth)) throw new BadInputError(`${what} is nested deeper than ${maxDepth} levels.`, at);
  try {
    return parseExactJson(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    // Our own messages name the number or the key; the parser's would quote pieces of the body.
    if (error instanceof RefusedJsonError) throw new RefusedValueError(error);
    throw new BadInputError(`${what} is not valid JSON.`, at);
  }
}

/** JSON that JavaScript would read otherwise than it is written. */
export class RefusedValueError extends BadInputError {
  constructor(refused: RefusedJsonError) {
    super(refused.message, fieldOf(refused.path), { cause: refused });
  }
}

/** As a caller calls it, wherever the variables were sent: `input.inputs.day`. */
function fieldOf(path: readonly string[]): string | null {
  const variables = path[0] === "payload" ? 1 : 0;
  const field = path[variables] === "variables" ? path.slice(variables + 1) : path;
  return field.length === 0 ? null : field.join(".");
}

/** Whether brackets outside of strings nest deeper than that. Runs over the text once, before anything recursive does. */
function nestedDeeper(text: string, maxDepth: number): boolean {
  let depth = 0;
  let inString = false;
  for (let index = 0; index < text.length; index += 1) {
    const character = text.charCodeAt(index);
    if (inString) {
      if (character === backslash) index += 1;
      else if (character === quote) inString = false;
    } else if (character === quote) {
      inString = true;
    } else if (character === openBracket || character === openBrace) {
      depth += 1;
      if (depth > maxDepth) return true;
    } else if (character === closeBracket || character === closeBrace) {
      depth -= 1;
    }
  }
  return false;
}

const [quote, backslash] = [0x22, 0x5c];
const [openBracket, closeBracket] = [0x5b, 0x5d];
const [openBrace, closeBrace] = [0x7b, 0x7d];
