import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { DomainError } from "../domain/errors.ts";
import type { Context } from "../schema/context.ts";
import { type Acceptance, acceptanceOf, mediaTypes, prefersPage } from "./accept.ts";
import { BodyTooLargeError, discardBody, readJsonBody } from "./body.ts";
import { bearerToken, type Identify, type Identity } from "./identity.ts";
import { parseJsonText } from "./json-text.ts";
import type { Log } from "./log.ts";
import { corsHeaders, type OriginRules, refuseForeign } from "./origin.ts";
import { type OperationParams, operationParams } from "./params.ts";
import { httpStatus, publicError, retryAfterSeconds } from "./public-error.ts";
import type { TransportLimits } from "./transport-limits.ts";
import type { Handover } from "./yoga.ts";

export interface FrontOptions {
  origins: OriginRules;
  limits: TransportLimits;
  graphiql: boolean;
  identify: Identify;
  log: Log;
  makeContext(identity: Identity, requestId: string, resumeAfter: string | null): Context;
  /** Answers a checked request. */
  yoga(request: IncomingMessage, response: ServerResponse, handover: Partial<Handover>): Promise<void> | void;
  /** Answers `/artifacts/<id>`. */
  download(request: IncomingMessage, response: ServerResponse, identity: Identity, id: string): Promise<void>;
  /** Answers other paths, as JSON. */
  routes: Map<string, () => Promise<{ status: number; body: unknown }>>;
}

/** Nothing is done by such a method. */
export class MethodError extends DomainError {
  readonly code = "METHOD_NOT_ALLOWED";
}

/** It takes nothing that we could answer. */
export class NotAcceptableError extends DomainError {
  readonly code = "NOT_ACCEPTABLE";
}

/** Nobody we know. */
export class UnauthenticatedError extends DomainError {
  readonly code = "UNAUTHENTICATED";
}

/**
 * What stands before Yoga: who may speak to this server at all, which paths there are, and bodies that are read and checked
 * before anything is done with them.
 */
export function makeFront(options: FrontOptions) {
  const { origins, graphiql, log, routes } = options;

  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const requestId = requestIdOf(request);
    response.setHeader("x-request-id", requestId);
    response.setHeader("x-content-type-options", "nosniff");
    if (origins.allowOrigins.length > 0) response.setHeader("vary", "origin");
    try {
      refuseForeign(request, origins);
      for (const [name, value] of Object.entries(corsHeaders(request, origins))) response.setHeader(name, value);
      const path = pathOf(request);
      const route = routes.get(path);
      const artifact = /^\/artifacts\/([^/]+)$/.exec(path)?.[1];
      if (route === undefined && artifact === undefined && path !== "/graphql")
        return answer(response, 404, { error: "There is nothing here. The API is at /graphql." });
      const methods = path === "/graphql" ? ["GET", "POST"] : ["GET", "HEAD"];
      if (request.method === "OPTIONS") return empty(response, 204, methods);
      if (!methods.includes(request.method ?? "")) {
        response.setHeader("allow", methods.join(", "));
        throw new MethodError(`Use one of these methods here: ${methods.join(", ")}.`);
      }
      if (route !== undefined) {
        const { status, body } = await route();
        return answer(response, status, body);
      }
      if (artifact !== undefined) {
        return await options.download(request, response, await identified(request, options), artifact);
      }
      if (graphiql && wantsPage(request)) return await options.yoga(request, response, {});
      const acceptance = acceptanceOf(request.headers.accept);
      // Before anything is read or done: what nobody takes is not to be made.
      if (acceptance === null)
        throw new NotAcceptableError(`Answers are of one of these types: ${mediaTypes.join(", ")}.`);
      const handover = await checked(request, requestId, acceptance, options);
      await options.yoga(request, response, handover);
    } catch (error) {
      if (response.headersSent) {
        log("error", "An answer broke off", { requestId, error: String(error) });
        return void response.destroy();
      }
      // Gone in the middle of its body, or dropped because it did not come: there is nobody to tell.
      if (request.destroyed && !request.complete) return;
      await refuse(request, response, error, log);
    }
  };
}

async function checked(
  request: IncomingMessage,
  requestId: string,
  acceptance: Acceptance,
  options: FrontOptions,
): Promise<Handover> {
  const { limits, makeContext } = options;
  const identity = await identified(request, options);
  const params = request.method === "GET" ? paramsOfUrl(request, limits) : await paramsOfBody(request, limits);
  const lastEventId = request.headers["last-event-id"];
  const resumeAfter = typeof lastEventId === "string" && lastEventId !== "" ? lastEventId : null;
  return { params, operationContext: makeContext(identity, requestId, resumeAfter), acceptance };
}

async function identified({ headers }: IncomingMessage, { identify }: FrontOptions): Promise<Identity> {
  const identity = await identify(bearerToken(headers.authorization));
  if (identity !== null) return identity;
  throw new UnauthenticatedError("This key is not known. Send one as `authorization: Bearer …`.");
}

async function paramsOfBody(
  request: IncomingMessage,
  { bodyBytes, jsonDepth }: TransportLimits,
): Promise<OperationParams> {
  const text = await readJsonBody(request, bodyBytes);
  return operationParams(parseJsonText(text, jsonDepth, "The body"));
}

function paramsOfUrl(request: IncomingMessage, { jsonDepth }: TransportLimits): OperationParams {
  const search = new URLSearchParams((request.url ?? "").split("?", 2)[1] ?? "");
  const json = (name: string) => {
    const text = search.get(name);
    return text === null || text === "" ? undefined : parseJsonText(text, jsonDepth, `\`${name}\``, name);
  };
  return operationParams({
    query: search.get("query"),
    // Here an empty text is no name.
    operationName: search.get("operationName") || null,
    variables: json("variables"),
    extensions: json("extensions"),
  });
}

async function refuse(request: IncomingMessage, response: ServerResponse, error: unknown, log: Log): Promise<void> {
  const shown = publicError(error, log);
  const seconds = retryAfterSeconds([shown]);
  if (seconds !== null) response.setHeader("retry-after", String(seconds));
  const modern = acceptanceOf(request.headers.accept)?.mediaType === "application/graphql-response+json";
  const status = error instanceof BodyTooLargeError ? 413 : httpStatus([shown]);
  const type = modern ? "application/graphql-response+json" : "application/json";
  if (request.complete) return answer(response, status, { errors: [shown] }, type);
  // The connection cannot be used again. The answer is through before it ends: closed while the client still sends, it would
  // be reset, and the client would see that instead.
  response.setHeader("connection", "close");
  head(response, status, { errors: [shown] }, type);
  await discardBody(request, lingerMs);
  response.end();
}

const lingerMs = 1000;

function answer(response: ServerResponse, status: number, body: unknown, type?: string): void {
  head(response, status, body, type);
  response.end();
}

/** All of the answer, without its end. */
function head(response: ServerResponse, status: number, body: unknown, type = "application/json"): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    "content-type": `${type}; charset=utf-8`,
    "content-length": Buffer.byteLength(text),
    "cache-control": "no-store",
  });
  response.write(text);
}

function empty(response: ServerResponse, status: number, methods: string[]): void {
  response.writeHead(status, { allow: methods.join(", ") });
  response.end();
}

function pathOf({ url = "/" }: IncomingMessage): string {
  return url.split("?", 1)[0] ?? "/";
}

/** A browser that opens the address, and no client that asks something. */
function wantsPage({ method, headers }: IncomingMessage): boolean {
  return method === "GET" && prefersPage(headers.accept) && (headers.accept ?? "").includes("text/html");
}

/** The caller's own id of the request, when it is one that can be written anywhere. */
function requestIdOf({ headers }: IncomingMessage): string {
  const given = headers["x-request-id"];
  return typeof given === "string" && /^[\w.:-]{1,128}$/.test(given) ? given : randomUUID();
}
