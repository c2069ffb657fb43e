import { type StructuredPatchHunk, structuredPatch } from "diff";

/** Beyond this many changed lines the shortest way is not looked for: the texts are told as wholly different. */
const mostChanges = 1000;
const contextLines = 3;

/**
 * The difference of two texts as `diff -u` writes it, without the file names; null when they are equal. A text may be missing:
 * then the other one is all added or all removed. Whether the last line ends is not compared.
 */
export function unifiedDiff(from: string | null, to: string | null): string | null {
  const [before, after] = [ended(from ?? ""), ended(to ?? "")];
  if (before === after) return null;
  const options = { context: contextLines, maxEditLength: mostChanges };
  const hunks = structuredPatch("", "", before, after, "", "", options)?.hunks ?? [replaced(before, after)];
  return hunks.map(textOf).join("\n");
}

/** Texts that end in the middle of a line would differ by a remark about that. */
function ended(text: string): string {
  return text === "" || text.endsWith("\n") ? text : `${text}\n`;
}

function replaced(before: string, after: string): StructuredPatchHunk {
  const [removed, added] = [before, after].map((text) => text.split("\n").slice(0, -1)) as [string[], string[]];
  return {
    oldStart: 1,
    oldLines: removed.length,
    newStart: 1,
    newLines: added.length,
    lines: [...removed.map((line) => `-${line}`), ...added.map((line) => `+${line}`)],
  };
}

function textOf({ oldStart, oldLines, newStart, newLines, lines }: StructuredPatchHunk): string {
  return [`@@ -${range(oldStart, oldLines)} +${range(newStart, newLines)} @@`, ...lines].join("\n");
}

/** No line at all comes after the line before. */
function range(start: number, count: number): string {
  return count === 1 ? `${start}` : `${count === 0 ? start - 1 : start},${count}`;
}
