import { connect, type Database } from "../db/client.ts";
import { migrate } from "../db/migrate.ts";
import { DomainError, UnavailableError } from "../domain/errors.ts";
import { isDatabaseAway } from "../server/database-errors.ts";
import type { Cli } from "./cli.ts";
import { UsageError } from "./failure.ts";

/** The database answers, and not as we need it. */
export class DatabaseRefusedError extends DomainError {
  readonly code = "DATABASE_REFUSED";
}

/** Brings the database to the present schema and connects. What goes wrong is told without the password. */
export async function openDatabase(url: string): Promise<Database> {
  try {
    await migrate(url);
    return await connect(url);
  } catch (error) {
    throw readable(error, url);
  }
}

/** Several processes share a database of the user's: ours belongs to one `up`. */
export function requireDatabaseUrl({ config }: Pick<Cli, "config">): string {
  if (config.databaseUrl !== null) return config.databaseUrl;
  throw new UsageError(
    "DATABASE_URL is not set. Servers and workers meet in a Postgres; for all in one process use: flowerpower-queue up",
  );
}

export function readable(error: unknown, url: string): unknown {
  if (error instanceof DomainError) return error;
  const place = placeOf(url);
  if (isDatabaseAway(error)) {
    return new UnavailableError(
      `The database at ${place} cannot be reached (${messageOf(error)}). Is it up, and is DATABASE_URL right?`,
      1000,
      { cause: error },
    );
  }
  const { code } = error as { code?: unknown };
  // What Postgres itself refuses has a code of five letters: a wrong password, a missing database or right.
  if (typeof code !== "string" || !/^[0-9A-Z]{5}$/.test(code)) return error;
  return new DatabaseRefusedError(`The database at ${place} refuses: ${messageOf(error)}.`, null, { cause: error });
}

/** `host:port/name`, without user and password. */
export function placeOf(url: string): string {
  const { host, pathname } = new URL(url);
  return `${host}${pathname}`;
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.message || ("code" in error ? String(error.code) : error.name);
}
