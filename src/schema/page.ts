import { BadCursorError, BadInputError } from "../domain/errors.ts";
import { limits } from "./limits.ts";

export interface PageArgs {
  first?: number | null | undefined;
  last?: number | null | undefined;
  after?: string | null | undefined;
  before?: string | null | undefined;
}

/** What to read for a page: one row more than is shown, which tells whether there is another page. */
export interface PageRequest<Key> {
  limit: number;
  /** Read from the end: the rows come in the other order. */
  backwards: boolean;
  after: Key | null;
  before: Key | null;
}

/** A keyset: how a row's place in the list becomes a cursor and back. Null: the text is no such place. */
export interface Keyset<Row, Key> {
  /** Names the list and its order, so that a cursor of another list is noticed. */
  name: string;
  keyOf(row: Row): readonly string[];
  parse(parts: readonly string[]): Key | null;
}

/** Reads one page of a list that is ordered by a unique key. Stable under inserts: it goes on where the last row was. */
export async function readPage<KeyRow, Row extends KeyRow, Key>(
  args: PageArgs,
  keyset: Keyset<KeyRow, Key>,
  read: (request: PageRequest<Key>) => Promise<Row[]>,
) {
  const backwards = args.last != null;
  if (backwards && args.first != null) throw new BadInputError("Give `first` or `last`, not both.", "first");
  const size = pageSize(backwards ? args.last : args.first, backwards ? "last" : "first");
  const after = cursorKey(args.after, keyset, "after");
  const before = cursorKey(args.before, keyset, "before");

  const rows = await read({ limit: size + 1, backwards, after, before });
  const more = rows.length > size;
  const shown = rows.slice(0, size);
  if (backwards) shown.reverse();
  // The drizzle plugin has read what is selected of a node; the type knows only the key.
  const edges = shown.map((node) => ({ node: node as never, cursor: encodeCursor(keyset, node) }));
  return {
    edges,
    pageInfo: {
      hasNextPage: backwards ? before !== null : more,
      hasPreviousPage: backwards ? more : after !== null,
      startCursor: edges.at(0)?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
  };
}

/** What a page costs: its size times its fields. Wrong sizes cost the most; they are refused when the field is resolved. */
export function pageComplexity({ first, last }: PageArgs) {
  const size = first ?? last ?? limits.defaultPageSize;
  return { field: 1, multiplier: size >= 0 && size <= limits.pageSize ? size : limits.pageSize };
}

export function pageSize(size: number | null | undefined, path: string): number {
  if (size == null) return limits.defaultPageSize;
  if (size >= 0 && size <= limits.pageSize) return size;
  throw new BadInputError(`A page has from 0 to ${limits.pageSize} items, not ${size}.`, path);
}

function encodeCursor<Row, Key>(keyset: Keyset<Row, Key>, row: Row): string {
  return Buffer.from([keyset.name, ...keyset.keyOf(row)].join("\n")).toString("base64url");
}

function cursorKey<Row, Key>(text: string | null | undefined, keyset: Keyset<Row, Key>, path: string): Key | null {
  if (text == null) return null;
  const plain = text.length > 1000 ? "" : Buffer.from(text, "base64url").toString();
  const [name, ...parts] = plain.split("\n");
  // Node skips what is not base64; two texts for one cursor would be one too many. And no name of ours holds a NUL, which
  // Postgres would refuse.
  const made = Buffer.from(plain).toString("base64url") === text && !plain.includes("\u0000");
  const key = made && name === keyset.name ? keyset.parse(parts) : null;
  if (key !== null) return key;
  throw new BadCursorError("This is no cursor of this list in this order. Use one as it was given out, or none.", path);
}
