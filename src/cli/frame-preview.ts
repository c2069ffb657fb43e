import type { Job } from "../client/client.ts";
import { table } from "./table.ts";
import { clip, printable, type Terminal } from "./terminal.ts";
import { grouped } from "./units.ts";

type FrameArtifact = Pick<NonNullable<Job["results"][number]["artifact"]>, "schema" | "preview">;

const mostRows = 10;
const widestCell = 24;

/** The first rows of a frame as a table, as many columns as fit; none for what is no frame, or may not be seen. */
export function frameLines({ schema, preview }: FrameArtifact, rows: number | null, terminal: Terminal): string[] {
  if (schema === null || !Array.isArray(preview)) return [];
  const { symbols, paint, columns } = terminal;
  const cell = (value: unknown) => clip(printable(cellText(value)), widestCell, symbols.ellipsis);
  const head = schema.map(({ name }) => cell(name));
  const shown = (preview as unknown[][]).slice(0, mostRows).map((row) => row.map(cell));
  const fitting = countFitting(head, shown, columns - 4);
  const lines = table(
    head.slice(0, fitting),
    shown.map((row) => row.slice(0, fitting)),
    columns - 2,
    symbols.ellipsis,
    (text, _column, row) => (row === null ? paint("dim", text) : text),
  );
  const more = (rows ?? preview.length) - shown.length;
  const hidden = [
    more > 0 ? `${grouped(more, symbols.thousands)} more rows` : null,
    fitting < head.length ? `${head.length - fitting} more columns` : null,
  ].filter((part) => part !== null);
  return hidden.length === 0 ? lines : [...lines, paint("dim", `${symbols.ellipsis} ${hidden.join(", ")}`)];
}

/** How many columns stand beside each other in so much room; at least one. */
function countFitting(head: readonly string[], rows: readonly (readonly string[])[], room: number): number {
  let used = 0;
  for (const [index, title] of head.entries()) {
    used += Math.max(title.length, ...rows.map((row) => row[index]?.length ?? 0)) + 2;
    if (used > room + 2) return Math.max(index, 1);
  }
  return head.length;
}

function cellText(value: unknown): string {
  if (value === null) return "null";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
