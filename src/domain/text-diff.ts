/** Lines beyond this many are not compared one by one: the texts are told as wholly different. */
const mostLines = 4000;
const contextLines = 3;

interface Step {
  kind: " " | "-" | "+";
  line: string;
}

/**
 * The difference of two texts as `diff -u` writes it, without the file names; null when they are equal. A text may be missing:
 * then the other one is all added or all removed.
 */
export function unifiedDiff(from: string | null, to: string | null): string | null {
  if (from === to) return null;
  const steps = stepsBetween(linesOf(from), linesOf(to));
  return hunksOf(steps).join("\n");
}

function linesOf(text: string | null): string[] {
  if (text === null || text === "") return [];
  return (text.endsWith("\n") ? text.slice(0, -1) : text).split("\n");
}

/** The shortest way from one to the other: lines that are kept, removed and added, in order. */
function stepsBetween(from: string[], to: string[]): Step[] {
  let start = 0;
  while (start < from.length && start < to.length && from[start] === to[start]) start += 1;
  let end = 0;
  const most = Math.min(from.length, to.length) - start;
  while (end < most && from.at(-1 - end) === to.at(-1 - end)) end += 1;
  const kept = (lines: string[]): Step[] => lines.map((line) => ({ kind: " ", line }));
  return [
    ...kept(from.slice(0, start)),
    ...between(from.slice(start, from.length - end), to.slice(start, to.length - end)),
    ...kept(from.slice(from.length - end)),
  ];
}

/** By the lengths of the longest common parts of all that follows, from the end backwards. */
function between(from: string[], to: string[]): Step[] {
  const removed = (line: string): Step => ({ kind: "-", line });
  const added = (line: string): Step => ({ kind: "+", line });
  if (from.length + to.length > mostLines) return [...from.map(removed), ...to.map(added)];
  const width = to.length + 1;
  const common = new Uint16Array((from.length + 1) * width);
  const at = (row: number, column: number) => common[row * width + column] ?? 0;
  for (let row = from.length - 1; row >= 0; row -= 1) {
    for (let column = to.length - 1; column >= 0; column -= 1) {
      common[row * width + column] =
        from[row] === to[column] ? at(row + 1, column + 1) + 1 : Math.max(at(row + 1, column), at(row, column + 1));
    }
  }
  const steps: Step[] = [];
  let row = 0;
  let column = 0;
  while (row < from.length || column < to.length) {
    if (row < from.length && column < to.length && from[row] === to[column]) {
      steps.push({ kind: " ", line: from[row++] as string });
      column += 1;
    } else if (column >= to.length || (row < from.length && at(row + 1, column) >= at(row, column + 1))) {
      steps.push(removed(from[row++] as string));
    } else {
      steps.push(added(to[column++] as string));
    }
  }
  return steps;
}

/** Changes with the lines around them; changes that are near to each other share them. */
function hunksOf(steps: Step[]): string[] {
  const changed = steps.flatMap(({ kind }, index) => (kind === " " ? [] : [index]));
  const ranges: { first: number; last: number }[] = [];
  for (const index of changed) {
    const open = ranges.at(-1);
    if (open !== undefined && index - open.last <= 2 * contextLines) open.last = index;
    else ranges.push({ first: index, last: index });
  }
  return ranges.map(({ first, last }) => {
    const begin = Math.max(first - contextLines, 0);
    const hunk = steps.slice(begin, last + contextLines + 1);
    const before = steps.slice(0, begin);
    const range = (without: "+" | "-") => {
      const count = hunk.filter(({ kind }) => kind !== without).length;
      const start = before.filter(({ kind }) => kind !== without).length + (count === 0 ? 0 : 1);
      return count === 1 ? `${start}` : `${start},${count}`;
    };
    return [`@@ -${range("+")} +${range("-")} @@`, ...hunk.map(({ kind, line }) => kind + line)].join("\n");
  });
}
