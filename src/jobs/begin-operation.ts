import { withRetries } from "../db/retry.ts";
import { idText } from "../domain/ids.ts";
import { operationLimits } from "../domain/operation.ts";
import type { Actor } from "../domain/run-request.ts";
import { requireQueue } from "./bulk.ts";
import { type BulkAct, storedEditOf } from "./bulk-act.ts";
import type { JobsContext } from "./context.ts";
import { type JobFilter, storedFilterOf } from "./filter.ts";
import { countJobs, type Meant } from "./matching.ts";

/**
 * Has something done to all jobs that fit now, chunk by chunk, by whatever process is there. Its id; it is stored, and goes on
 * also when this process dies.
 *
 * @throws NotFoundError when the queue that they are to be moved to does not exist
 */
export async function beginOperation(
  context: Pick<JobsContext, "db" | "wakeups">,
  actor: Actor,
  act: BulkAct,
  filter: JobFilter,
): Promise<string> {
  await requireQueue(context, act);
  const { db, wakeups } = context;
  const id = db.ids.next();
  const matched = await countMatched(context, { verb: act.verb, filter });
  const edit = storedEditOf(act);
  const stored = storedFilterOf(filter);
  await withRetries(
    () => db.sql`
      with made as (
        insert into operations (id, verb, filter, edit, reason, actor, request_id, matched, matched_is_exact, created_at)
        values (${id}, ${act.verb}, ${db.sql.json(stored)}, ${edit === null ? null : db.sql.json(edit)}, ${act.reason}, ${actor.name},
          ${actor.requestId}, ${matched.value}, ${matched.isExact}, queue_now())
      )
      insert into audit (at, actor, action, target, request_id, data)
      values (queue_now(), ${actor.name}, 'operation.start', ${idText("operation", id)}, ${actor.requestId},
        ${db.sql.json({ verb: act.verb, filter: stored, edit, reason: act.reason, matched: matched.value })})`,
  );
  wakeups.ring("operation", [id]);
  return id;
}

/** Only to tell how far it is: what takes too long to count is told as "more than fit into one call". */
async function countMatched(
  { db }: Pick<JobsContext, "db">,
  meant: Meant,
): Promise<{ value: number; isExact: boolean }> {
  const { counted, countWithinMs, jobsOfACall } = operationLimits;
  try {
    const found = await db.sql.begin(async (tx) => {
      await tx`select set_config('statement_timeout', ${String(countWithinMs)}, true)`;
      return await countJobs(tx, meant, counted + 1);
    });
    return { value: Math.min(found, counted), isExact: found <= counted };
  } catch (error) {
    if ((error as { code?: string }).code !== "57014") throw error;
    return { value: jobsOfACall, isExact: false };
  }
}
