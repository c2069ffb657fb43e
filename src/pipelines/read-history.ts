import { sql } from "drizzle-orm";
import type { Database } from "../db/client.ts";
import type { KnownExecutor } from "./executor.ts";

/** Which runs are asked for: the last ones of a pipeline that succeeded, or the last ones before a job. */
export interface HistoryQuestion {
  project: string;
  pipeline: string;
  /** How many runs. */
  last: number;
  /** Only jobs that were enqueued before this one; null: all. */
  before: string | null;
}

/** An attempt that succeeded, with its nodes. */
export interface PastRun {
  jobId: string;
  codeHash: string | null;
  runMs: number;
  createdAt: Date;
  runAt: Date;
  startedAt: Date | null;
  attempt: number;
  executor: KnownExecutor;
  /** Some of its nodes were reused: how long it took says nothing of a run of all of them. */
  hasReused: boolean;
  /** Those that ran. */
  nodes: PastNode[];
}

export interface PastNode {
  node: string;
  /** Of a node in a block: of some of its branches. */
  durationsMs: number[];
  /** Sizes of its values, where they were known. */
  bytes: number[];
  /** Into how many branches it was expanded; null when it was not. */
  branches: number | null;
  /** One of the branches in which it ran; null outside of a block. */
  branch: string | null;
  /** Hash of its function as it ran; null when it is not known. */
  functionHash: string | null;
}

/** Of each node of a run so many branches are looked at, the first ones by name. */
export const sampledBranches = 20;
/** Of pipelines with many nodes fewer runs are looked at, but never fewer than so many. */
const [mostNodes, leastRuns] = [20_000, 10];
const lastId = "ffffffff-ffff-ffff-ffff-ffffffffffff";

/**
 * Answers several questions in one statement, the newest run first. Every step is an index probe per row of the step before
 * (hence the laterals with a limit, which a planner cannot turn into a scan), and the rows of each are bounded.
 */
export async function readHistories(db: Database, questions: readonly HistoryQuestion[]): Promise<PastRun[][]> {
  const asked = questions.map((one, question) => ({ ...one, question, before: one.before ?? lastId }));
  const rows = (await db.reads.execute(historySql(asked))) as unknown as Row[];
  const answers = questions.map((): PastRun[] => []);
  for (const row of rows) answers[row.question]?.push(runOf(row));
  return answers;
}

export function historySql(asked: readonly (HistoryQuestion & { question: number })[]) {
  // The state comes with the question: a planner that knew it for the usual one would not use the index that has it, and
  // read all jobs of a pipeline that always fails.
  const questions = asked.map((one) => ({ ...one, state: "succeeded" }));
  return sql`
    with runs as (
      select q.question, j.id, j.attempt, j.created_at, j.run_at, j.started_at, a.code_hash, a.context,
        extract(epoch from a.ended_at - a.started_at) * 1000 as run_ms,
        row_number() over newest as place,
        coalesce(sum(jsonb_array_length(a.context -> 'path')) over newest, 0) as nodes
      from jsonb_to_recordset(${JSON.stringify(questions)}::jsonb) as q (
        question int, project text, pipeline text, state job_state, "last" int, "before" uuid
      )
      cross join lateral (
        select j.id, j.attempt, j.created_at, j.run_at, j.started_at from jobs j
        where j.project = q.project and j.pipeline = q.pipeline and j.state = q.state and j.id < q."before"
        order by j.id desc limit q."last"
      ) j
      cross join lateral (
        select a.code_hash, a.context, a.started_at, a.ended_at from attempts a
        where a.job_id = j.id and a.attempt = j.attempt limit 1
      ) a
      where a.context is not null
      window newest as (partition by q.question order by j.id desc)
    )
    select r.question, r.id as "jobId", r.attempt, r.code_hash as "codeHash", r.run_ms::float8 as "runMs",
      extract(epoch from r.created_at)::float8 as created, extract(epoch from r.run_at)::float8 as due,
      extract(epoch from r.started_at)::float8 as started, r.context -> 'executor' as executor,
      p.nodes, coalesce(p.has_reused, false) as "hasReused"
    from runs r
    cross join lateral (
      select bool_or(n.reused) as has_reused,
        jsonb_agg(
          jsonb_build_array(p.node, n.durations, n.bytes, n.branches, n.branch, r.context -> 'nodes' ->> p.node)
          order by p.place
        ) filter (where n.durations is not null) as nodes
      from jsonb_array_elements_text(r.context -> 'path') with ordinality as p (node, place)
      cross join lateral (
        select jsonb_agg(s.duration_ms) filter (where s.state = 'succeeded' and s.duration_ms is not null) as durations,
          jsonb_agg(s.bytes) filter (where s.state = 'succeeded' and s.bytes is not null) as bytes,
          max(s.branches) as branches, max(nullif(s.branch, '')) as branch, bool_or(s.state = 'reused') as reused
        from (
          select n.state, n.duration_ms, n.summary -> 'bytes' as bytes, n.branches, n.branch from node_runs n
          where n.job_id = r.id and n.attempt = r.attempt and n.node = p.node
          order by n.branch limit ${sampledBranches}
        ) s
      ) n
    ) p
    where r.place <= ${leastRuns} or r.nodes <= ${mostNodes}
    order by r.question, r.id desc`;
}

interface Row {
  question: number;
  jobId: string;
  attempt: number;
  codeHash: string | null;
  runMs: number;
  /** Seconds since 1970. */
  created: number;
  due: number;
  started: number | null;
  executor: { type?: string; max_workers?: number } | null;
  hasReused: boolean;
  nodes: [string, number[], (number | null)[] | null, number | null, string | null, string | null][] | null;
}

function runOf({ jobId, attempt, codeHash, runMs, created, due, started, executor, hasReused, nodes }: Row): PastRun {
  return {
    jobId,
    attempt,
    codeHash,
    runMs,
    createdAt: new Date(created * 1000),
    runAt: new Date(due * 1000),
    startedAt: started === null ? null : new Date(started * 1000),
    executor: { type: executor?.type ?? null, maxWorkers: executor?.max_workers ?? null },
    hasReused,
    nodes: (nodes ?? []).map(([node, durationsMs, bytes, branches, branch, functionHash]) => ({
      node,
      durationsMs,
      bytes: (bytes ?? []).filter((size) => size !== null),
      branches,
      branch,
      functionHash,
    })),
  };
}
