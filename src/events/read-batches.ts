import type postgres from "postgres";
import type { batchEvents } from "../db/tables.ts";

/** An event of a batch as it stands in the table. */
export type BatchEventRow = typeof batchEvents.$inferSelect;

/** Asks for what follows `after` in one batch. */
export interface BatchQuestion {
  batchId: string;
  after: number;
}

export interface BatchAnswer {
  events: BatchEventRow[];
  /** Null: there is no such batch (any more). */
  batch: { lastSeq: number; completed: boolean } | null;
}

/** Answers all questions in one statement, in their order; events and states are of one snapshot. */
export async function readBatchEvents(
  sql: postgres.Sql,
  questions: readonly BatchQuestion[],
  limit: number,
): Promise<BatchAnswer[]> {
  const rows = await sql<
    (BatchEventRow & { question: number; lastSeq: number | null; completed: boolean; batchId: string | null })[]
  >`
    select q.question::int, b.last_seq as "lastSeq", b.completed_at is not null as completed, e.batch_id as "batchId", e.seq,
      e.type, e.version, e.recorded_at as "recordedAt", e.data
    from unnest(
      ${questions.map(({ batchId }) => batchId)}::uuid[], ${questions.map(({ after }) => after)}::int[]
    ) with ordinality as q (batch_id, after, question)
    left join flowerpower_queue.batches b on b.id = q.batch_id
    left join lateral (
      select * from flowerpower_queue.batch_events
      where batch_id = q.batch_id and seq > q.after order by seq limit ${limit}
    ) e on true
    order by q.question, e.seq`;
  const answers = questions.map((): BatchAnswer => ({ events: [], batch: null }));
  for (const { question, lastSeq, completed, batchId, ...event } of rows) {
    const answer = answers[question - 1];
    if (answer === undefined) throw new Error("An answer without a question");
    if (lastSeq !== null) answer.batch = { lastSeq, completed };
    if (batchId !== null) answer.events.push({ batchId, ...event });
  }
  return answers;
}

/** The number of the last event of each of these batches that is there. */
export async function readLastBatchEvents(
  sql: postgres.Sql,
  batchIds: readonly string[],
): Promise<Map<string, number>> {
  const rows = await sql<{ id: string; lastSeq: number }[]>`
    select id, last_seq as "lastSeq" from flowerpower_queue.batches where id = any(${batchIds as string[]}::uuid[])`;
  return new Map(rows.map(({ id, lastSeq }) => [id, lastSeq]));
}
