import { randomUUID } from "node:crypto";
import type { Database, Sql } from "../../src/db/client.ts";
import type { JsonObject } from "../../src/domain/json.ts";
import type { JobState } from "../../src/domain/lifecycle.ts";
import { insertWorker } from "./factories.ts";

/** A node that has run: how long it took, or how long each of its branches took. */
export interface PastNode {
  node: string;
  durationMs?: number;
  /** Durations of its branches, of the block that the named node opens. */
  branches?: { of: string; durationsMs: number[] };
  /** Into how many branches it was expanded. */
  expanded?: number;
  bytes?: number | null;
  state?: "succeeded" | "reused" | "running";
  /** Milliseconds ago. */
  startedAgoMs?: number;
}

export interface PastRunOptions {
  project: string;
  pipeline: string;
  state: JobState;
  nodes: PastNode[];
  path: string[];
  runMs: number;
  waitedMs: number;
  codeHash: string;
  executor: JsonObject;
  options: JsonObject;
  plan: { codeHash: string; path: string[]; reused?: string[] } | null;
}

/** A job with an attempt of these nodes, ended unless its state is `running`, waiting when it is `queued`. Returns its id. */
export async function insertPastRun(db: Database, given: Partial<PastRunOptions> = {}): Promise<string> {
  const { project = "bakery", pipeline = "bread", state = "succeeded", nodes = [], runMs = 10, waitedMs = 0 } = given;
  const { path = nodes.map(({ node }) => node), codeHash = "c0de", options = {}, plan = null } = given;
  const { executor = { type: "threadpool", max_workers: 4, num_cpus: 2 } } = given;
  const id = db.ids.next();
  const running = state === "running";
  const attempt = state === "queued" ? 0 : 1;
  await db.sql.begin(async (sql) => {
    const workerId = await insertWorker(sql);
    await sql`
      insert into jobs (id, project, pipeline, queue, state, priority, attempt, max_attempts, max_losses, on_worker_lost,
        last_seq, worker_id, run_token, created_at, run_at, started_at, finished_at, error_kind)
      values (${id}, ${project}, ${pipeline}, 'default', ${state}, 50, ${attempt}, 1, 3, 'retry', 0, ${workerId},
        ${running ? randomUUID() : null}, queue_now(), queue_now(),
        ${attempt === 0 ? null : sql`queue_now() + ${waitedMs} * interval '1 ms'`},
        ${running || attempt === 0 ? null : sql`queue_now()`}, ${state === "failed" ? "PIPELINE" : null})`;
    await sql`
      insert into job_requests (job_id, inputs, config, options, tags, actor, plan)
      values (${id}, '{}', '{}', ${sql.json(options)}, '[]', 'test', ${plan === null ? null : sql.json(plan)})`;
    if (attempt === 0) return;
    await sql`
      insert into attempts (job_id, attempt, id, life, run_token, worker_id, started_at, ended_at, outcome, code_hash, context)
      values (${id}, 1, ${randomUUID()}, 1, ${randomUUID()}, ${workerId}, queue_now(),
        ${running ? null : sql`queue_now() + ${runMs} * interval '1 ms'`}, ${running ? null : state === "failed" ? "fail" : "succeed"},
        ${codeHash}, ${sql.json({ path, executor } as never)})`;
    await insertNodeRuns(sql, id, nodes);
  });
  return id;
}

/** Node runs of the first attempt of a job. */
export async function insertNodeRuns(sql: Sql, jobId: string, nodes: readonly PastNode[]): Promise<void> {
  const rows = nodes.flatMap(
    ({ node, durationMs = 1, branches, expanded = null, bytes = null, startedAgoMs, ...run }) => {
      const { state = "succeeded" } = run;
      const row = { node, state, branches: expanded, bytes, startedAgoMs: startedAgoMs ?? null };
      if (branches === undefined)
        return [{ ...row, branch: "", durationMs: state === "succeeded" ? durationMs : null }];
      return branches.durationsMs.map((ms, index) => ({
        ...row,
        branch: `expand-${branches.of}.${index}.block-${branches.of}`,
        durationMs: state === "succeeded" ? ms : null,
      }));
    },
  );
  await sql`
    insert into node_runs (job_id, attempt, node, branch, first_seq, state, started_at, duration_ms, summary, branches)
    select ${jobId}, 1, r.node, r.branch,
      (select coalesce(max(first_seq), 0) from node_runs where job_id = ${jobId}) + row_number() over (),
      r.state, queue_now() - r."startedAgoMs" * interval '1 ms', r."durationMs",
      case when r.state = 'succeeded' then jsonb_build_object('type', 'int', 'bytes', r.bytes) end, r.branches
    from jsonb_to_recordset(${sql.json(rows)}) as r (
      node text, branch text, state text, "durationMs" float8, bytes int, branches int, "startedAgoMs" float8
    )`;
}
