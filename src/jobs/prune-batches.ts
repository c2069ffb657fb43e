import type { Sql } from "../db/client.ts";

/** Forgets completed batches of which no job is left, with their events. */
export async function pruneBatches(sql: Sql): Promise<void> {
  await sql`
    delete from batches b where b.completed_at is not null and not (select exists (
      select from jobs j where j.batch_id = b.id
    ))`;
}
