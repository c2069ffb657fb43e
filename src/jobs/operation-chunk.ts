import type { Sql } from "../db/client.ts";
import { idText } from "../domain/ids.ts";
import type { JsonObject } from "../domain/json.ts";
import { type BulkVerb, operationLimits, type StoredProblem } from "../domain/operation.ts";
import { apart, changeSingly, ringChanged } from "./bulk.ts";
import { type BulkAct, type BulkProblem, readStoredAct, storedProblem } from "./bulk-act.ts";
import { bulkBatch } from "./bulk-batch.ts";
import type { JobsContext } from "./context.ts";
import { readStoredFilter } from "./filter.ts";
import { lockFitting, type Meant, meantAmong, nextJobs } from "./matching.ts";

interface Row {
  verb: BulkVerb;
  filter: JsonObject;
  edit: JsonObject | null;
  reason: string | null;
  actor: string;
  requestId: string | null;
  cursor: string | null;
  createdAt: Date;
}

/** What became of a chunk. */
interface Chunk {
  done: number;
  problems: BulkProblem[];
  /** The last job that was looked at; null: none is left. */
  last: string | null;
  changed: string[];
}

/**
 * Does an operation's next chunk, with how far it is in the same transaction: killed in between, nothing of both has happened.
 * Its row is locked all the while, so that nobody else does the same chunk, and a stop comes before or after it. Nothing when
 * the holder has lost it.
 *
 * @throws DomainError when what was stored is not understood, or cannot be done any more
 */
export async function doChunk(context: JobsContext, id: string, holder: string): Promise<void> {
  const { db, wakeups } = context;
  const changed = await db.sql.begin(async (tx) => {
    await tx`select set_config('lock_timeout', ${String(operationLimits.lockTimeoutMs)}, true)`;
    const [operation] = await tx<Row[]>`
      select verb, filter, edit, reason, actor, request_id as "requestId", cursor, created_at as "createdAt" from operations
      where id = ${id} and state = 'running' and holder = ${holder} for update`;
    if (operation === undefined) return null;
    const act = readStoredAct(operation.verb, operation.edit, operation.reason);
    const meant = { verb: act.verb, filter: readStoredFilter(operation.filter), madeBy: operation.createdAt };
    const chunk = await nextChunk(tx, context, { ...operation, id }, act, meant);
    await record(tx, id, chunk);
    return { act, ids: chunk.changed };
  });
  if (changed === null) return;
  ringChanged(context, changed.act, changed.ids);
  wakeups.ring("operation", [id]);
}

async function nextChunk(
  tx: Sql,
  context: JobsContext,
  { id, actor: name, requestId, cursor }: Row & { id: string },
  act: BulkAct,
  meant: Meant,
): Promise<Chunk> {
  const actor = { name, requestId };
  const ids = await nextJobs(tx, meant, cursor, operationLimits.chunk);
  const last = ids.at(-1) ?? null;
  const { together, oneByOne } = await apart(context, act, ids);
  // In transactions of their own, before this one locks a job: done again after a kill, they change and record nothing.
  const single = await changeSingly(context, actor, act, oneByOne);
  const chosen = await lockFitting(tx, meant, together);
  const { done, problems, following, cancelled } = await bulkBatch(tx, context, actor, act, chosen, {
    operation: idText("operation", id),
  });
  // What waited for a cancelled job is cancelled with it, and then fits no more: it was meant all the same.
  const told = new Set(done);
  const meantToo = await meantAmong(
    tx,
    meant,
    cancelled.filter((jobId) => !told.has(jobId)),
  );
  return {
    done: done.length + meantToo.length + single.done.length,
    problems: [...problems, ...single.problems],
    last,
    changed: [...done, ...following],
  };
}

/** How far it is; over, when no job was left. */
async function record(tx: Sql, id: string, { done, problems, last }: Chunk): Promise<void> {
  const sample = problems.slice(0, operationLimits.problems).map(storedProblem) satisfies StoredProblem[];
  await tx`
    update operations set
      done = done + ${done}, failed = failed + ${problems.length}, cursor = coalesce(${last}::uuid, cursor), failures = 0, error = null,
      problems = (
        select coalesce(jsonb_agg(problem order by n), '[]') from (
          select problem, n from jsonb_array_elements(problems || ${tx.json(sample as never)}) with ordinality as each (problem, n)
          order by n limit ${operationLimits.problems}
        ) first_of_all
      ),
      state = ${last === null ? "succeeded" : "running"}, finished_at = ${last === null ? tx`queue_now()` : null},
      holder = ${last === null ? null : tx`holder`},
      lease_until = ${last === null ? null : tx`queue_now() + make_interval(secs => ${operationLimits.leaseMs / 1000}::float8)`}
    where id = ${id}`;
}
