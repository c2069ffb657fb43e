import { type AnsweredError, errorFrom, RequestError, UnavailableError } from "./errors.ts";
import type { TypedDocumentString } from "./generated/graphql.ts";

export type Headers = Record<string, string>;

export interface Http {
  url: string;
  fetch: typeof globalThis.fetch;
  /** Asked before each request: a token may have been renewed. */
  headers(): Headers | Promise<Headers>;
}

/** After so long without an answer a try is given up. */
const answerWithinMs = 30_000;
const awayStatuses = [429, 502, 503, 504];

/** One operation over HTTP, tried once. Throws UnavailableError when it may be tried again. */
export async function post<Result, Variables>(
  http: Http,
  document: TypedDocumentString<Result, Variables>,
  variables: Variables,
  signal: AbortSignal,
): Promise<Result> {
  const response = await exchange(http, JSON.stringify({ query: document.toString(), variables }), signal);
  const answer = parse(response.text);
  if (answer?.errors?.length) throw errorFrom(answer.errors);
  if (answer?.data) return answer.data as Result;
  if (awayStatuses.includes(response.status)) {
    throw new UnavailableError(`${http.url} answers ${response.status}: try again later.`);
  }
  throw new RequestError(`${http.url} answers ${response.status}, and not as a FlowerPower Job Queue.`, "NOT_GRAPHQL");
}

async function exchange(http: Http, body: string, signal: AbortSignal): Promise<{ status: number; text: string }> {
  const headers = {
    "content-type": "application/json",
    accept: "application/graphql-response+json, application/json",
    ...(await http.headers()),
  };
  try {
    const response = await http.fetch(http.url, {
      method: "POST",
      headers,
      body,
      signal: AbortSignal.any([signal, AbortSignal.timeout(answerWithinMs)]),
    });
    return { status: response.status, text: await response.text() };
  } catch (error) {
    signal.throwIfAborted();
    throw new UnavailableError(`Nothing answers at ${http.url}.`, null, { cause: error });
  }
}

function parse(text: string): { data?: unknown; errors?: AnsweredError[] } | null {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
