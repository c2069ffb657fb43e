import type { IncomingMessage } from "node:http";
import { BadInputError, DomainError } from "../domain/errors.ts";

export class BodyTooLargeError extends DomainError {
  readonly code = "LIMIT_EXCEEDED";

  constructor(limit: number) {
    super(`The body is larger than ${limit.toLocaleString("en")} bytes.`);
  }
}

export class MediaTypeError extends DomainError {
  readonly code = "UNSUPPORTED_MEDIA_TYPE";
}

/**
 * The text of a JSON body, whether its length is announced or it comes in chunks.
 *
 * @throws MediaTypeError for anything but plain JSON in UTF-8: a form post would need no preflight
 * @throws BodyTooLargeError before more than the limit is kept
 */
export async function readJsonBody(request: IncomingMessage, limit: number): Promise<string> {
  refuseMediaType(request);
  if (Number(request.headers["content-length"] ?? 0) > limit) throw new BodyTooLargeError(limit);
  const chunks: Buffer[] = [];
  let bytes = 0;
  // Kept open when it is too long: whoever sends it is to be told.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > limit) throw new BodyTooLargeError(limit);
    chunks.push(chunk);
  }
  try {
    return utf8.decode(Buffer.concat(chunks));
  } catch {
    throw new BadInputError("The body is not UTF-8.");
  }
}

/** Reads what is still coming and keeps nothing of it. Resolves when all has come, or after so long. */
export async function discardBody(request: IncomingMessage, timeoutMs: number): Promise<void> {
  const over = Promise.withResolvers<void>();
  const timer = setTimeout(over.resolve, timeoutMs);
  request.once("end", over.resolve).once("close", over.resolve).resume();
  await over.promise;
  clearTimeout(timer);
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

function refuseMediaType({ headers }: IncomingMessage): void {
  const [type, ...parameters] = (headers["content-type"] ?? "").toLowerCase().split(";");
  if (type?.trim() !== "application/json") {
    throw new MediaTypeError("Send JSON: with the header `content-type: application/json`.");
  }
  const charset = parameters.map((parameter) => parameter.trim().split("=")).find(([name]) => name === "charset")?.[1];
  if (charset !== undefined && charset.replaceAll('"', "") !== "utf-8") throw new MediaTypeError("Send JSON in UTF-8.");
  const encoding = headers["content-encoding"]?.toLowerCase();
  if (encoding !== undefined && encoding !== "identity")
    throw new MediaTypeError("Send the body without a content encoding.");
}
