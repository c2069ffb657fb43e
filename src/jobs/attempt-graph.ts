import type { Sql } from "../db/client.ts";
import { type CodeVersion, type KnownGraph, knownGraphs } from "../pipelines/known-graph.ts";

/** An attempt by its key. */
export interface AttemptKey {
  jobId: string;
  attempt: number;
}

/** The graphs that these attempts have run, in their order. */
export async function graphsOf(sql: Sql, attempts: readonly AttemptKey[]): Promise<KnownGraph[]> {
  const ran = await ranBy(sql, attempts);
  const graphs = await knownGraphs(
    sql,
    ran.map(({ version }) => version),
  );
  const found = new Map(ran.map(({ question }, index) => [question, graphs[index] ?? null]));
  return attempts.map((_, question) => found.get(question) ?? null);
}

/** What each attempt has run, as far as it came to know. */
async function ranBy(sql: Sql, attempts: readonly AttemptKey[]): Promise<{ question: number; version: CodeVersion }[]> {
  const questions = attempts.map(({ jobId, attempt }, question) => ({ question, jobId, attempt }));
  const rows = await sql<(CodeVersion & { question: number })[]>`
    select q.question, j.project, j.pipeline, a.code_hash as "codeHash", r.config
    from jsonb_to_recordset(${sql.json(questions)}) as q (question int, "jobId" uuid, attempt int)
    join attempts a on a.job_id = q."jobId" and a.attempt = q.attempt and a.code_hash is not null
    join jobs j on j.id = a.job_id
    join job_requests r on r.job_id = j.id`;
  return rows.map(({ question, ...version }) => ({ question, version }));
}
