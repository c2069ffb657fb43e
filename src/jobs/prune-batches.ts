import type { Sql } from "../db/client.ts";

/** Batches of one statement. */
export const pruneBatchesAtOnce = 200;
/** What a key promises. */
const keptHours = 24;

/**
 * Forgets completed batches of which no job is left, with their events: a bounded number, the oldest first. One with a key stays for
 * a day, as long as the key is good. `after` is where an earlier call ended; null is returned when it has come to the end.
 */
export async function pruneBatches(sql: Sql, after: string | null = null): Promise<string | null> {
  const [looked] = await sql<{ last: string | null; count: number }[]>`
    with next as materialized (
      select b.id, b.completed_at, b.idempotency_key from batches b
      where b.id > ${after ?? "00000000-0000-0000-0000-000000000000"}::uuid order by b.id limit ${pruneBatchesAtOnce}
    ), forgotten as (
      delete from batches b using next n
      where b.id = n.id and n.completed_at is not null
        and (n.idempotency_key is null or b.created_at < queue_now() - make_interval(hours => ${keptHours}))
        and not (select exists (select from jobs j where j.batch_id = n.id))
    )
    select (select id from next order by id desc limit 1) as last, (select count(*) from next)::int as count`;
  return looked === undefined || looked.count < pruneBatchesAtOnce ? null : looked.last;
}
