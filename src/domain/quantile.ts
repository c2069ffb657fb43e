/** The smallest of the values that is no less than a part `q` of them: a value that was seen, never one in between. Null without any. */
export function quantile(values: readonly number[], q: number): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * q) - 1)] ?? null;
}
