import { clip } from "./terminal.ts";

/**
 * Rows as columns that stand below each other. Widths are counted before anything is coloured; the last column takes what is
 * left of the line.
 */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  columns = Number.POSITIVE_INFINITY,
  ellipsis = "",
  paint: (text: string, column: number, row: number | null) => string = (text) => text,
): string[] {
  // One long name must not push all other columns out of the line.
  const most = Math.max(Math.floor(columns / 2), 8);
  const widths = head.map((title, column) =>
    Math.min(Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)), most),
  );
  const before = widths.slice(0, -1).reduce((sum, width) => sum + width + 2, 0);
  const line = (cells: readonly string[], index: number | null) =>
    cells
      .map((cell, column) => {
        if (column === cells.length - 1)
          return paint(clip(cell, Math.max(columns - before, 8), ellipsis), column, index);
        const width = widths[column] ?? 0;
        const text = clip(cell, width, ellipsis);
        return paint(text, column, index) + " ".repeat(Math.max(width - text.length, 0) + 2);
      })
      .join("")
      .trimEnd();
  return [line(head, null), ...rows.map((row, index) => line(row, index))];
}
