/** What Postgres did, as `explain (analyze, format json)` tells it. */
export interface PlanNode {
  [key: string]: unknown;
  Plans?: PlanNode[];
}

export function planNodes(plan: PlanNode): PlanNode[] {
  return [plan, ...(plan.Plans ?? []).flatMap(planNodes)];
}

/** Each node with its index, from the outside in. */
export function planText(plan: PlanNode): string {
  return planNodes(plan)
    .map((node) =>
      [node["Node Type"], node["Index Name"], node["Relation Name"], `${node["Actual Rows"]}×${node["Actual Loops"]}`]
        .filter(Boolean)
        .join(" "),
    )
    .join(" < ");
}

/** Rows that were looked at, used or not, in tables and indexes. */
export function rowsRead(plan: PlanNode): number {
  return planNodes(plan)
    .filter((node) => /Scan$/.test(String(node["Node Type"])) && node["Relation Name"] !== undefined)
    .reduce((sum, node) => {
      const removed = Number(node["Rows Removed by Filter"] ?? 0) + Number(node["Rows Removed by Index Recheck"] ?? 0);
      return sum + (Number(node["Actual Rows"]) + removed) * Number(node["Actual Loops"]);
    }, 0);
}
