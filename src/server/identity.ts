import { type Scope, scopes } from "../schema/context.ts";

/** Who calls, and what they may do. */
export interface Identity {
  /** Name of the actor: owner of idempotency keys, written into the audit. */
  name: string;
  scopes: ReadonlySet<Scope>;
}

/** Finds out who calls by what they have shown (a bearer token), or null: nobody we know. */
export type Identify = (token: string | null) => Promise<Identity | null> | Identity | null;

/** Without keys everybody on this machine is `local`, who may do everything. */
export const local: Identity = { name: "local", scopes: new Set(scopes) };

/** The token of an Authorization header; null when there is none. A token is never taken from a URL. */
export function bearerToken(header: string | undefined): string | null {
  const [scheme, token] = (header ?? "").split(" ", 2);
  return scheme?.toLowerCase() === "bearer" && token ? token : null;
}
