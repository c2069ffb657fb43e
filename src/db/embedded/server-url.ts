import { readPassword, superuser } from "./data-directory.ts";

/** With the database that every Postgres has: our tables live in schemas of their own. */
export function serverUrl(data: string, port: number): string {
  return `postgres://${superuser}:${readPassword(data)}@127.0.0.1:${port}/postgres`;
}
