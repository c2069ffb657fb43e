import { BadInputError } from "../domain/errors.ts";
import { parseExactJson } from "../domain/json.ts";

/** JSON as somebody has sent it. Every way in which it can be wrong is the sender's mistake, told without their text. */
export function parseJsonText(text: string, maxDepth: number, what: string): unknown {
  if (nestedDeeper(text, maxDepth)) throw new BadInputError(`${what} is nested deeper than ${maxDepth} levels.`);
  try {
    return parseExactJson(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    // Our own messages name the number or the key; the parser's would quote pieces of the body.
    const ours = error.message.startsWith("The ");
    throw new BadInputError(ours ? error.message : `${what} is not valid JSON.`);
  }
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
