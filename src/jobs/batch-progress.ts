import type { Sql } from "../db/client.ts";
import { isFinal, type JobState } from "../domain/lifecycle.ts";

/** How far a batch has come. */
export interface BatchProgress {
  counts: Partial<Record<JobState, number>>;
  /** Jobs that have ended, those that were deleted since included. */
  done: number;
  total: number;
}

/** Of all these batches in one statement, which reads nothing but an index; in the order of the ids. */
export async function readBatchProgress(sql: Sql, batchIds: readonly string[]): Promise<BatchProgress[]> {
  const rows = await sql<{ id: string; total: number; counts: BatchProgress["counts"] | null }[]>`
    select b.id, b.total, c.counts
    from batches b
    left join lateral (
      select jsonb_object_agg(s.state, s.counted) as counts
      from (select j.state, count(*) as counted from jobs j where j.batch_id = b.id group by j.state) s
    ) c on true
    where b.id = any(${batchIds as string[]}::uuid[])`;
  const found = new Map(rows.map(({ id, total, counts }) => [id, progressOf(total, counts ?? {})]));
  return batchIds.map((id) => found.get(id) ?? { counts: {}, done: 0, total: 0 });
}

function progressOf(total: number, counts: BatchProgress["counts"]): BatchProgress {
  const open = Object.entries(counts).reduce(
    (sum, [state, count]) => sum + (isFinal(state as JobState) ? 0 : count),
    0,
  );
  return { counts, done: total - open, total };
}
