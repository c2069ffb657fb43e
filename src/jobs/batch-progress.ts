import type { Sql } from "../db/client.ts";
import { type BatchProgress, batchTimeLeftMs } from "../domain/batch.ts";
import { isFinal, type JobState } from "../domain/lifecycle.ts";

export interface BatchStanding extends BatchProgress {
  timeLeftMs: number | null;
}

/** How far batches have come, of all in one statement that the index (batch, state) answers; in the order of the ids. */
export async function readBatchProgress(sql: Sql, batchIds: readonly string[]): Promise<BatchStanding[]> {
  const rows = await sql<
    { id: string; total: number; elapsedMs: number; reopened: boolean; counts: Partial<Record<JobState, number>> }[]
  >`
    select b.id, b.total, extract(epoch from queue_now() - b.created_at)::float8 * 1000 as "elapsedMs",
      exists (select from batch_events e where e.batch_id = b.id and e.type = 'batch.reopened') as reopened,
      coalesce(c.counts, '{}') as counts
    from batches b
    left join lateral (
      select jsonb_object_agg(state, counted) as counts
      from (select j.state, count(*) as counted from jobs j where j.batch_id = b.id group by j.state) s
    ) c on true
    where b.id = any(${batchIds as string[]}::uuid[])`;
  const found = new Map(
    rows.map(({ id, total, elapsedMs, reopened, counts }) => {
      const open = Object.entries(counts).reduce((sum, [state, n]) => sum + (isFinal(state as JobState) ? 0 : n), 0);
      const progress = { counts, total, done: total - open };
      return [id, { ...progress, timeLeftMs: batchTimeLeftMs(progress, elapsedMs, reopened) }];
    }),
  );
  return batchIds.map((id) => found.get(id) ?? { counts: {}, done: 0, total: 0, timeLeftMs: null });
}
