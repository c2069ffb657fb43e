import type { Sql } from "../db/client.ts";
import type { JsonObject } from "../domain/json.ts";
import type { NodeReason } from "../domain/reuse.ts";

/** An event of a run, as it goes into the log. */
export interface RunEventRow {
  jobId: string;
  attempt: number;
  runToken: string;
  /** The runtime's count within the run: what was recorded before is not recorded again. */
  sourceSeq: number;
  type: string;
  version: number;
  node: string | null;
  branch: string | null;
  occurredAt: string;
  data: JsonObject;
  /** By how much it changes the job's progress. */
  done: number;
  total: number;
}

/** What became of a node in this batch: later values replace earlier ones, nulls leave them. */
export interface NodeRunRow {
  jobId: string;
  attempt: number;
  runToken: string;
  node: string;
  branch: string;
  /** `sourceSeq` of its first event in this batch. */
  firstSeq: number;
  state: "running" | "succeeded" | "failed" | "reused";
  startedAt: string | null;
  endedAt: string | null;
  durationMs: number | null;
  cpuMs: number | null;
  memoryGrowthBytes: number | null;
  summary: JsonObject | null;
  error: JsonObject | null;
  inputs: JsonObject | null;
  branches: number | null;
  /** Why it was reused, or ran although reuse was asked for. */
  reason: NodeReason | null;
  /** Null: reuse was not asked for. */
  stored: boolean | null;
  codeVersion: string | null;
}

/** What the runtime resolved before the first node. */
export interface ContextRow {
  jobId: string;
  attempt: number;
  runToken: string;
  codeHash: string;
  context: JsonObject;
}

export interface RunBatch {
  events: readonly RunEventRow[];
  nodes: readonly NodeRunRow[];
  contexts: readonly ContextRow[];
}

/** A job whose events were recorded, and its last number. */
export interface Appended {
  jobId: string;
  seq: number;
  recorded: number;
}

/**
 * Records events of runs, of many jobs at once, in one statement. The job's row is locked first, so numbers have neither gaps
 * nor races; a batch that comes twice is recorded once; what an attempt that is over sends is refused and counted on it.
 */
export async function appendRunEvents(sql: Sql, batch: RunBatch): Promise<Appended[]> {
  if (batch.events.length === 0) return [];
  return await sql<Appended[]>`
    with input as materialized (
      select * from jsonb_to_recordset(${sql.json(batch.events as never)}) as i (
        "jobId" uuid, attempt int, "runToken" uuid, "sourceSeq" int, type text, version smallint, node text, branch text,
        "occurredAt" timestamptz, data jsonb, done int, total int
      )
    ), locked as materialized (
      select j.id, j.attempt, j.life, j.last_seq, j.source_seq, j.run_token
      from jobs j where j.id in (select "jobId" from input) order by j.id for no key update of j
    ), fresh as materialized (
      select i.*, l.life, (l.last_seq + row_number() over (partition by l.id order by i."sourceSeq"))::int as seq
      from input i join locked l on l.id = i."jobId" and l.attempt = i.attempt and l.run_token = i."runToken"
      where i."sourceSeq" > l.source_seq
    ), counted as materialized (
      select "jobId", max(seq) as seq, count(*)::int as recorded, max("sourceSeq") as source_seq,
        sum(done) as done, sum(total) as total
      from fresh group by 1
    ), recorded as (
      insert into events (
        job_id, seq, life, attempt, type, version, node, branch, recorded_at, occurred_at, source_seq, data
      )
      select "jobId", seq, life, attempt, type, version, node, branch, queue_now(), "occurredAt", "sourceSeq", data
      from fresh
    ), progressed as (
      update jobs j
      set last_seq = c.seq, source_seq = c.source_seq, nodes_done = j.nodes_done + c.done,
        -- Never less than what is done: a graph that runs more than it announced is odd, not an error.
        nodes_total = case when c.total = 0 and j.nodes_total is null then null
          else greatest(coalesce(j.nodes_total, 0) + c.total, j.nodes_done + c.done) end
      from counted c where j.id = c."jobId"
    ), resolved as (
      update attempts a set context = x.context, code_hash = x."codeHash"
      from jsonb_to_recordset(${sql.json(batch.contexts as never)}) as x (
        "jobId" uuid, attempt int, "runToken" uuid, "codeHash" text, context jsonb
      )
      where a.job_id = x."jobId" and a.attempt = x.attempt and a.run_token = x."runToken" and a.ended_at is null
    ), nodes as (
      insert into node_runs (
        job_id, attempt, node, branch, first_seq, state, started_at, ended_at, duration_ms, cpu_ms,
        memory_growth_bytes, summary, error, inputs, branches, reason, stored, code_version
      )
      select n."jobId", n.attempt, n.node, n.branch, n."firstSeq", n.state, n."startedAt", n."endedAt", n."durationMs",
        n."cpuMs", n."memoryGrowthBytes", n.summary, n.error, n.inputs, n.branches, n.reason, n.stored, n."codeVersion"
      from jsonb_to_recordset(${sql.json(batch.nodes as never)}) as n (
        "jobId" uuid, attempt int, "runToken" uuid, node text, branch text, "firstSeq" int, state text,
        "startedAt" timestamptz, "endedAt" timestamptz, "durationMs" float8, "cpuMs" float8, "memoryGrowthBytes" bigint,
        summary jsonb, error jsonb, inputs jsonb, branches int, reason jsonb, stored boolean, "codeVersion" text
      )
      join locked l on l.id = n."jobId" and l.attempt = n.attempt and l.run_token = n."runToken"
      -- With its events only: a batch that comes late a second time must not set a node back.
      join counted c on c."jobId" = n."jobId"
      on conflict (job_id, attempt, node, branch) do update set
        -- "running" is also what an event says that tells no state: a node that has ended may still be expanded into branches.
        state = case excluded.state when 'running' then node_runs.state else excluded.state end,
        started_at = coalesce(node_runs.started_at, excluded.started_at),
        ended_at = coalesce(excluded.ended_at, node_runs.ended_at),
        duration_ms = coalesce(excluded.duration_ms, node_runs.duration_ms),
        cpu_ms = coalesce(excluded.cpu_ms, node_runs.cpu_ms),
        memory_growth_bytes = coalesce(excluded.memory_growth_bytes, node_runs.memory_growth_bytes),
        summary = coalesce(excluded.summary, node_runs.summary),
        error = coalesce(excluded.error, node_runs.error),
        inputs = coalesce(excluded.inputs, node_runs.inputs),
        branches = coalesce(excluded.branches, node_runs.branches),
        reason = coalesce(excluded.reason, node_runs.reason),
        stored = coalesce(excluded.stored, node_runs.stored),
        code_version = coalesce(excluded.code_version, node_runs.code_version)
    ), refused as (
      update attempts a set events_refused = a.events_refused + r.count
      from (
        select i."jobId", i.attempt, i."runToken", count(*)::int as count
        from input i left join locked l on l.id = i."jobId" and l.attempt = i.attempt and l.run_token = i."runToken"
        where l.id is null group by 1, 2, 3
      ) r
      where a.job_id = r."jobId" and a.attempt = r.attempt
    )
    select "jobId", seq, recorded from counted`;
}
