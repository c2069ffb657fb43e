import type { Sql } from "../db/client.ts";
import { type EventData, eventTypes } from "../domain/event-types.ts";
import { type IdSource, idText } from "../domain/ids.ts";
import { yieldsToCancel } from "../domain/lifecycle.ts";
import type { ArtifactRow } from "./kept.ts";
import type { End } from "./writes.ts";

/**
 * Records what attempts leave, each with its event. To be sent between the lock of the jobs and the moves that end their
 * attempts: the events come before the one that ends the attempt, and the rows are those of attempts that end as it was decided.
 * Of others (a cancel came first, or the attempt was given up) nothing is kept: their files belong to nobody, and are swept.
 */
export async function recordArtifacts(tx: Sql, ids: IdSource, ends: readonly End[]): Promise<void> {
  const rows = ends.flatMap(({ runToken, artifacts }) => artifacts.map((row) => recorded(row, runToken, ids.next())));
  if (rows.length === 0) return;
  const ending = ends.map(({ name, move, runToken, storedMs }) => {
    return { jobId: move.id, runToken, yields: yieldsToCancel(name), storedMs };
  });
  await tx`
    with ending as materialized (
      select j.id as job_id, j.attempt, j.life, j.last_seq, j.run_token, e."storedMs" as stored_ms
      from jsonb_to_recordset(${tx.json(ending)}) as e ("jobId" uuid, "runToken" uuid, yields boolean, "storedMs" float8)
      join jobs j on j.id = e."jobId" and j.run_token = e."runToken"
      -- The same question that the move decides by.
      where not (e.yields and j.cancel_requested_at is not null)
    ), timed as (
      update attempts a set stored_ms = e.stored_ms
      from ending e where a.job_id = e.job_id and a.attempt = e.attempt and e.stored_ms is not null
    ), kept as materialized (
      select e.job_id, e.attempt, e.life, e.last_seq, r.*
      from jsonb_to_recordset(${tx.json(rows as never)}) as r (
        id uuid, "runToken" uuid, name text, kind text, position int, "mediaType" text, uri text, store uuid, bytes bigint,
        sha256 text, schema jsonb, preview jsonb, summary jsonb, "hasValue" boolean, value jsonb, omitted text,
        "ttlMs" float8, event jsonb
      )
      join ending e on e.run_token = r."runToken"
    ), told as materialized (
      select *, (last_seq + row_number() over (partition by job_id order by position))::int as seq
      from kept where event is not null
    ), logged as (
      insert into events (job_id, seq, life, attempt, type, version, node, recorded_at, occurred_at, data)
      select job_id, seq, life, attempt, 'artifact.stored', ${eventTypes["artifact.stored"].version},
        case kind when 'result' then name end, queue_now(), queue_now(), event
      from told
    ), numbered as (
      update jobs j set last_seq = t.seq
      from (select job_id, max(seq) as seq from told group by 1) t where j.id = t.job_id
    )
    insert into artifacts (id, job_id, attempt, name, kind, position, media_type, uri, store, bytes, sha256, schema, preview,
      summary, has_value, value, omitted, expires_at)
    select id, job_id, attempt, name, kind, position,
      case when "hasValue" then 'application/json' else "mediaType" end, uri, store,
      case when "hasValue" then octet_length(coalesce(value::text, 'null')) else bytes end,
      case when "hasValue" then encode(sha256(convert_to(coalesce(value::text, 'null'), 'UTF8')), 'hex') else sha256 end,
      schema, preview, summary, "hasValue", value, omitted,
      case when "hasValue" or uri is not null then queue_now() + "ttlMs" * interval '1 millisecond' end
    from kept`;
}

/** The row with its id, and the data of its event: a value that is in the database has none. */
function recorded(row: ArtifactRow, runToken: string, id: string) {
  const { name, kind, mediaType, bytes, omitted, hasValue } = row;
  const event: EventData<"artifact.stored"> | null = hasValue
    ? null
    : { artifact: idText("artifact", id), name, kind, mediaType, bytes, omitted };
  return { ...row, id, runToken, event };
}
