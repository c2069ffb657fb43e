import type { Fragment } from "../backends/backend.ts";
import type { Sql } from "../db/client.ts";
import { idText } from "../domain/ids.ts";
import type { JsonObject } from "../domain/json.ts";
import type { Actor } from "../domain/run-request.ts";

/** Records who has done something to jobs, one entry each, in the caller's transaction. */
export async function auditJobs(
  sql: Sql,
  { name, requestId }: Actor,
  action: string,
  jobIds: readonly string[],
  data: JsonObject,
): Promise<void> {
  if (jobIds.length === 0) return;
  await sql`
    insert into audit (at, actor, action, target, request_id, data)
    select queue_now(), ${name}, ${action}, t.id, ${requestId}, ${sql.json(data)}
    from unnest(${jobIds.map((id) => idText("job", id))}::text[]) as t (id)`;
}

/** An insert without its FROM, which records who has done something to the queues of a CTE with the column `name`. */
export function auditedQueue(sql: Sql, { name, requestId }: Actor, action: string, data: object): Fragment {
  return sql`
    insert into audit (at, actor, action, target, request_id, data)
    select queue_now(), ${name}, ${action}, 'que_' || name, ${requestId}, ${sql.json(data as JsonObject)}`;
}
