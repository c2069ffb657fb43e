/** What one operation may ask for. Each is checked before any work is done, and published by `server { limits }`. */
export const limits = {
  /** Fields within fields. */
  depth: 12,
  aliases: 30,
  directives: 50,
  /** Words and signs of the query text. */
  tokens: 1000,
  /** One for each field, times the page sizes above it. */
  cost: 5000,
  pageSize: 100,
  defaultPageSize: 20,
  /** What a list without pages is taken to hold when the cost is counted. */
  assumedListSize: 10,
  /** Counts are exact up to here. */
  count: 10_000,
} as const;
