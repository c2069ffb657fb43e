/** The `Parallelizable` node whose branch this is: `city` of `expand-city.3.block-city`. Null for what is no branch. */
export function expanderOfBranch(branch: string | null): string | null {
  return /^expand-(.+)\.\d+\.block-/.exec(branch ?? "")?.[1] ?? null;
}
