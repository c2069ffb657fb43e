import type { Sql } from "../db/client.ts";
import { operationLimits } from "../domain/operation.ts";

/** Removes operations that ended long ago; what they did stays in the audit log. How many. */
export async function pruneOperations(sql: Sql): Promise<number> {
  const removed = await sql`
    delete from operations where id = any (array(
      select id from operations where finished_at < queue_now() - make_interval(secs => ${operationLimits.keptMs / 1000}::float8)
      order by finished_at limit 200 for update skip locked
    ))`;
  return removed.count;
}
