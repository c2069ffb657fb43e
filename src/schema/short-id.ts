/** Ids as people type them: their last letters. */
import type { Sql } from "../db/client.ts";
import { BadInputError, DomainError, NotFoundError } from "../domain/errors.ts";
import { type IdKind, idPrefixes, idText } from "../domain/ids.ts";
import { builder } from "./builder.ts";
import { ErrorInterface } from "./errors.ts";

/** A short reference fits several things. */
export class AmbiguousRefError extends DomainError {
  readonly code = "AMBIGUOUS";
  readonly candidates: string[];

  constructor(ref: string, things: string, candidates: string[]) {
    super(`${ref} fits several ${things}. Give more of the id.`, "ref");
    this.candidates = candidates;
  }
}

builder.objectType(AmbiguousRefError, {
  name: "AmbiguousRefError",
  description: "A short reference fits several jobs, or several batches.",
  interfaces: [ErrorInterface],
  fields: (t) => ({
    candidates: t.idList({
      description: "Ids that it fits, the newest first.",
      resolve: ({ candidates }) => candidates,
    }),
  }),
});

/** Ends of ids are looked for among the newest only: no index can answer it. */
export const searched = 20_000;
export const shortestEnd = 6;

/** Where short references are looked for. */
export interface Searched {
  kind: Extract<IdKind, "job" | "batch">;
  /** The ids, the newest first, as a statement. */
  newest(sql: Sql): ReturnType<Sql>;
  /** What is taken beside an id, for whoever has typed something else. */
  taken: string;
}

/**
 * The UUID of the one whose id ends so.
 *
 * @throws BadInputError, NotFoundError, AmbiguousRefError
 */
export async function findByEnd(sql: Sql, ref: string, { kind, newest, taken }: Searched): Promise<string> {
  const prefix = `${idPrefixes[kind]}_`;
  const end = ref.startsWith(prefix) ? ref.slice(prefix.length) : ref;
  if (!new RegExp(`^[0-9a-hjkmnp-tv-z]{${shortestEnd},26}$`).test(end)) {
    throw new BadInputError(
      `${JSON.stringify(ref.slice(0, 80))} is no reference to a ${kind}. Use an id, its last ${shortestEnd} or more characters, ${taken}.`,
      "ref",
    );
  }
  const rows = await sql<{ id: string }[]>`
    select id from (${newest(sql)} limit ${searched}) newest where replace(id::text, '-', '') like ${`%${hexEnd(end)}`}`;
  const fitting = rows.map(({ id }) => id).filter((id) => idText(kind, id).endsWith(end));
  const [only, another] = fitting;
  if (only === undefined) throw new NotFoundError(kind, ref, "ref");
  if (another === undefined) return only;
  const things = kind === "job" ? "jobs" : "batches";
  throw new AmbiguousRefError(
    ref,
    things,
    fitting.slice(0, 10).map((id) => idText(kind, id)),
  );
}

const alphabet = "0123456789abcdefghjkmnpqrstvwxyz";

/** The hexadecimal digits that the end of an id fixes: each character holds five bits. */
function hexEnd(end: string): string {
  const bits = [...end].reduce((value, character) => value * 32n + BigInt(alphabet.indexOf(character)), 0n);
  const digits = Math.min(32, Math.floor((end.length * 5) / 4));
  return (bits & ((1n << BigInt(digits * 4)) - 1n)).toString(16).padStart(digits, "0");
}
