import { type AnsweredError, errorFrom, RequestError, UnavailableError } from "./errors.ts";
import type { Http } from "./http.ts";

/** An artifact on its way. */
export interface Download {
  /** Under which the server would save it. */
  fileName: string;
  mediaType: string;
  /** Of what comes. */
  bytes: number;
  body: ReadableStream<Uint8Array>;
}

/** Begins to fetch an artifact. Throws UnavailableError when it may be tried again. */
export async function download(
  http: Http,
  id: string,
  range: { start?: number; end?: number },
  signal: AbortSignal,
): Promise<Download> {
  // Beside the GraphQL endpoint, wherever a proxy has put that.
  const url = new URL(`artifacts/${encodeURIComponent(id)}`, http.url);
  const response = await ask(http, url.href, { ...(await http.headers()), ...rangeHeader(range) }, signal);
  if (!response.ok || response.body === null) throw await refusal(response, url.href);
  const { headers } = response;
  return {
    fileName: fileNameOf(headers.get("content-disposition") ?? "") ?? id,
    mediaType: headers.get("content-type") ?? "application/octet-stream",
    bytes: Number(headers.get("content-length")),
    body: response.body,
  };
}

async function ask(http: Http, url: string, headers: Record<string, string>, signal: AbortSignal): Promise<Response> {
  try {
    return await http.fetch(url, { headers, signal });
  } catch (error) {
    signal.throwIfAborted();
    throw new UnavailableError(`Nothing answers at ${url}.`, null, { cause: error });
  }
}

function rangeHeader({ start, end }: { start?: number; end?: number }): Record<string, string> {
  if (start === undefined && end === undefined) return {};
  return { range: `bytes=${start ?? 0}-${end === undefined ? "" : end - 1}` };
}

async function refusal(response: Response, url: string): Promise<Error> {
  const text = await response.text();
  try {
    return errorFrom((JSON.parse(text) as { errors: AnsweredError[] }).errors);
  } catch {
    return new RequestError(`${url} answers ${response.status}, and not as a FlowerPower Job Queue.`, "NOT_GRAPHQL");
  }
}

function fileNameOf(disposition: string): string | null {
  const name = /filename\*=UTF-8''([^;]+)/i.exec(disposition)?.[1];
  return name === undefined ? null : decodeURIComponent(name);
}
