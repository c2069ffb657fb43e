import type { Sql } from "../db/client.ts";
import { type BatchEventData, type BatchEventType, batchEventTypes } from "../domain/batch-event-types.ts";
import { idText } from "../domain/ids.ts";
import type { JsonObject } from "../domain/json.ts";
import type { Actor } from "../domain/run-request.ts";

/** Records a fact about a batch under its next number: its row is locked from here to the end of the transaction. */
export async function appendBatchEvent<T extends BatchEventType>(
  sql: Sql,
  batchId: string,
  type: T,
  data: BatchEventData<T>,
): Promise<void> {
  await sql`
    with numbered as (
      update batches set last_seq = last_seq + 1 where id = ${batchId} returning id, last_seq
    )
    insert into batch_events (batch_id, seq, type, version, recorded_at, data)
    select id, last_seq, ${type}, ${batchEventTypes[type].version}, queue_now(), ${sql.json(data as JsonObject)} from numbered`;
}

/** Records who has done something to a batch as a whole, in the caller's transaction. */
export async function auditBatch(
  sql: Sql,
  { name, requestId }: Actor,
  action: string,
  batchId: string,
  data: JsonObject,
): Promise<void> {
  await sql`
    insert into audit (at, actor, action, target, request_id, data)
    values (queue_now(), ${name}, ${action}, ${idText("batch", batchId)}, ${requestId}, ${sql.json(data)})`;
}
