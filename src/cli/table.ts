import { clip, widthOf } from "./terminal.ts";

/** A column before the last gives its letters to others down to this width, and never more. */
const narrowest = 16;
/** What the last column has at least, where it has so much to say. */
const leastLast = 12;

/**
 * Rows as columns that stand below each other. Widths are counted before anything is coloured; the last column takes what is
 * left of the line. Where long names would leave it nothing, the widest of the other columns are cut.
 */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  columns = Number.POSITIVE_INFINITY,
  ellipsis = "",
  paint: (text: string, column: number, row: number | null) => string = (text) => text,
): string[] {
  const wanted = head.map((title, column) =>
    Math.max(widthOf(title), ...rows.map((row) => widthOf(row[column] ?? ""))),
  );
  const widths = fitted(wanted, head, columns);
  const before = widths.slice(0, -1).reduce((sum, width) => sum + width + 2, 0);
  const line = (cells: readonly string[], index: number | null) =>
    cells
      .map((cell, column) => {
        if (column === cells.length - 1)
          return paint(clip(cell, Math.max(columns - before, 8), ellipsis), column, index);
        const width = widths[column] ?? 0;
        const shown = clip(cell, width, ellipsis);
        return paint(shown, column, index) + " ".repeat(width - widthOf(shown) + 2);
      })
      .join("")
      .trimEnd();
  return [line(head, null), ...rows.map((row, index) => line(row, index))];
}

/** Widths with which the last column has room too: the widest give first. */
function fitted(wanted: readonly number[], head: readonly string[], columns: number): number[] {
  const widths = [...wanted];
  const last = Math.min(widths.at(-1) ?? 0, leastLast);
  const others = widths.slice(0, -1);
  let over = others.reduce((sum, width) => sum + width + 2, 0) + last - columns;
  const mayGive = (column: number) => (widths[column] ?? 0) > Math.max(narrowest, widthOf(head[column] ?? ""));
  for (; over > 0; over -= 1) {
    const giving = others.map((_, column) => column).filter(mayGive);
    const widest = giving.toSorted((a, b) => (widths[b] ?? 0) - (widths[a] ?? 0))[0];
    if (widest === undefined) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  return widths;
}
