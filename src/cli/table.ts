/** Rows as columns that stand below each other; widths are counted before anything is coloured. */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  paint: (text: string, column: number, row: number | null) => string = (text) => text,
): string[] {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[], index: number | null) =>
    cells
      .map((cell, column) => {
        const isLast = column === cells.length - 1;
        const gap = isLast ? "" : " ".repeat((widths[column] ?? 0) - cell.length + 2);
        return `${paint(cell, column, index)}${gap}`;
      })
      .join("")
      .trimEnd();
  return [line(head, null), ...rows.map((row, index) => line(row, index))];
}
