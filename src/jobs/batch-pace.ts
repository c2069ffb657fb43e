import type { Sql } from "../db/client.ts";
import { type BatchPace, batchTimeLeftMs } from "../domain/batch.ts";
import type { JobsContext } from "./context.ts";

/** What is known of the time that a batch takes. */
export interface BatchTimes {
  /** When the first of its jobs was started that run or have ended in its present life; null: none. */
  startedAt: Date | null;
  /** Until its last job will have ended; null: nobody knows, or it has. */
  leftMs: number | null;
}

/** Of all these batches in one statement beside the histories, in the order of the ids. */
export async function readBatchTimes(context: JobsContext, batchIds: readonly string[]): Promise<BatchTimes[]> {
  const rows = await batchPaceSql(context.db.sql, batchIds);
  const found = new Map(
    await Promise.all(
      rows.map(async ({ id, startedAt, project, pipeline, ...pace }): Promise<[string, BatchTimes]> => {
        const usual = pace.open === 0 || pace.ended > 0 ? null : await usualRunMs(context, project, pipeline);
        return [id, { startedAt, leftMs: batchTimeLeftMs(pace, usual) }];
      }),
    ),
  );
  return batchIds.map((id) => found.get(id) ?? { startedAt: null, leftMs: null });
}

async function usualRunMs({ histories }: JobsContext, project: string | null, pipeline: string | null) {
  if (project === null || pipeline === null) return null;
  return (await histories.of({ project, pipeline })).run?.p50Ms ?? null;
}

/** Reads the rows of a batch's jobs by their index: some milliseconds for 10,000. */
export function batchPaceSql(sql: Sql, batchIds: readonly string[]) {
  return sql<(BatchPace & { id: string; project: string | null; pipeline: string | null; startedAt: Date | null })[]>`
    select b.id, b.project, b.pipeline, p.open, p.running, p.ended, p.started_at as "startedAt",
      (extract(epoch from queue_now() - p.started_at) * 1000)::float8 as "sinceFirstStartMs",
      (extract(epoch from queue_now() - p.ended_at) * 1000)::float8 as "sinceLastEndMs"
    from batches b
    cross join lateral (
      select (count(*) filter (where j.finished_at is null))::int as open,
        (count(*) filter (where j.state = 'running'))::int as running,
        (count(*) filter (where j.started_at is not null and j.finished_at >= b.opened_at))::int as ended,
        min(j.started_at) filter (where j.state = 'running' or j.finished_at >= b.opened_at) as started_at,
        max(j.finished_at) filter (where j.started_at is not null) as ended_at
      from jobs j where j.batch_id = b.id
    ) p
    where b.id = any(${batchIds as string[]}::uuid[])`;
}
