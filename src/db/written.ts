import type { SQL } from "drizzle-orm";
import { PgDialect } from "drizzle-orm/pg-core";
import type postgres from "postgres";

const dialect = new PgDialect();

/** What Drizzle has put together, as the text and the values of a statement: to be sent on a connection of ours, in its transaction. */
export function written(query: SQL): { text: string; values: postgres.ParameterOrJSON<never>[] } {
  const { sql, params } = dialect.sqlToQuery(query);
  return { text: sql, values: params as postgres.ParameterOrJSON<never>[] };
}
