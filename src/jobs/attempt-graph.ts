import type { Sql } from "../db/client.ts";
import type { JsonObject } from "../domain/json.ts";
import type { CataloguedPipeline } from "../pipelines/catalogue.ts";
import { configHash } from "../pipelines/variants.ts";

export type Graph = NonNullable<CataloguedPipeline["description"]["graph"]>;

/** An attempt by its key. */
export interface AttemptKey {
  jobId: string;
  attempt: number;
}

/**
 * The graphs that these attempts have run, in their order: as workers have published them for exactly that code and config.
 * Null where nobody has, or where what was published is gone: code changes, and other configs are forgotten after a week.
 */
export async function graphsOf(sql: Sql, attempts: readonly AttemptKey[]): Promise<(Graph | null)[]> {
  const found = await publishedFor(sql, attempts);
  const graphs = found.map((row) => row !== undefined && row.hash === configHash(row.config, {}) && row.graph);
  const variants = await variantsFor(
    sql,
    found.flatMap((row, question) => (row === undefined || graphs[question] ? [] : [{ ...row, question }])),
  );
  return attempts.map((_, question) => graphs[question] || (variants.get(question) ?? null));
}

interface Published {
  project: string;
  pipeline: string;
  codeHash: string;
  /** Hash of the config that the attempt had. */
  hash: string;
  /** Of the YAML. */
  config: JsonObject;
  graph: Graph | null;
}

/** What is published for the code that each attempt has run, under the config of its YAML. */
async function publishedFor(sql: Sql, attempts: readonly AttemptKey[]): Promise<(Published | undefined)[]> {
  const questions = attempts.map(({ jobId, attempt }, question) => ({ question, jobId, attempt }));
  const rows = await sql<(Omit<Published, "hash"> & { question: number; requested: JsonObject })[]>`
    select q.question, j.project, j.pipeline, a.code_hash as "codeHash", r.config as requested,
      d.description -> 'config' as config, nullif(d.description -> 'graph', 'null') as graph
    from jsonb_to_recordset(${sql.json(questions)}) as q (question int, "jobId" uuid, attempt int)
    join attempts a on a.job_id = q."jobId" and a.attempt = q.attempt
    join jobs j on j.id = a.job_id
    join job_requests r on r.job_id = j.id
    join pipelines p on p.project = j.project and p.name = j.pipeline
    cross join lateral (
      select case when p.code_hash = a.code_hash then p.description else p.last_good end as description
    ) d
    where d.description ->> 'codeHash' = a.code_hash`;
  const found: (Published | undefined)[] = attempts.map(() => undefined);
  for (const { question, requested, ...row } of rows) {
    found[question] = { ...row, hash: configHash(row.config, requested) };
  }
  return found;
}

/** By question: what workers have answered for other configs. */
async function variantsFor(
  sql: Sql,
  asked: readonly (Published & { question: number })[],
): Promise<Map<number, Graph | null>> {
  if (asked.length === 0) return new Map();
  const keys = asked.map(({ question, project, pipeline, codeHash, hash }) => ({
    question,
    project,
    pipeline,
    codeHash,
    hash,
  }));
  const rows = await sql<{ question: number; graph: Graph | null }[]>`
    select q.question, nullif(v.description -> 'graph', 'null') as graph
    from jsonb_to_recordset(${sql.json(keys)}) as q (
      question int, project text, pipeline text, "codeHash" text, hash text
    )
    join variants v on v.project = q.project and v.pipeline = q.pipeline and v.code_hash = q."codeHash"
      and v.config_hash = q.hash
    where v.description ->> 'codeHash' = q."codeHash"`;
  return new Map(rows.map(({ question, graph }) => [question, graph]));
}
