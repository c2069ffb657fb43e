import type { ValueSummaryFragment } from "../client/generated/graphql.ts";
import { printable, type Symbols } from "./terminal.ts";
import { bytes, grouped } from "./units.ts";

/** A value in a few words: `DataFrame 48 213 × 9, 3.4 MB`, `float 0.173`, `dict of 4: {'is_valid': True, …}`. */
export function summaryText(summary: ValueSummaryFragment, symbols: Symbols): string {
  const type = printable(summary.type.split(".").at(-1) ?? summary.type);
  const size = (count: number) => grouped(count, symbols.thousands);
  const preview = summary.preview === null ? null : printable(summary.preview);
  if (summary.shape !== null) {
    const shape = summary.shape.map(size).join(` ${symbols.times} `);
    return `${type} ${shape}${summary.bytes === null ? "" : `, ${bytes(summary.bytes)}`}`;
  }
  if (type === "str" || type === "NoneType") return preview ?? type;
  if (summary.length !== null) return `${type} of ${size(summary.length)}${preview === null ? "" : `: ${preview}`}`;
  return preview === null ? type : `${type} ${preview}`;
}

/** What a table looks like, in lines of at most so many columns; none for values that are told in one. */
export function previewLines({ shape, preview }: ValueSummaryFragment, columns: number): string[] {
  if (shape === null || preview === null) return [];
  const lines: string[] = [];
  for (const word of printable(preview).split(/(?<=[,;] )/)) {
    const last = lines.at(-1);
    if (last === undefined || last.length + word.trimEnd().length > columns) lines.push(word);
    else lines[lines.length - 1] = last + word;
  }
  return lines.map((line) => line.trimEnd());
}
