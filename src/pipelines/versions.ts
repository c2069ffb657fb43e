import type { Database, Sql } from "../db/client.ts";
import type { JsonObject } from "../domain/json.ts";
import type { PipelineDescription } from "../runtime/protocol.ts";
import type { GitState } from "./git.ts";
import { storable } from "./storable.ts";

/**
 * Records what is published as versions: a pipeline whose code hash is not that of its last version gets the next number,
 * whether that code has been there before or not; of others it is only noted that they were seen. What is broken is no version.
 * To be called in the transaction that publishes, which has the project's row.
 */
export async function recordVersions(
  sql: Sql,
  nextId: () => string,
  project: string,
  pipelines: readonly PipelineDescription[],
  git: GitState | null,
): Promise<void> {
  const rows = pipelines
    .filter(({ status, codeHash }) => status === "ok" && codeHash !== null)
    .map((description) => ({ id: nextId(), name: description.name, codeHash: description.codeHash, description }));
  if (rows.length === 0) return;
  await sql`
    with published as (
      select p.*, l.number, l.code_hash from jsonb_to_recordset(${sql.json(storable(rows) as never)}) as p (
        id uuid, name text, "codeHash" text, description jsonb
      )
      left join lateral (
        select v.number, v.code_hash from pipeline_versions v
        where v.project = ${project} and v.pipeline = p.name order by v.number desc limit 1
      ) l on true
    ), seen as (
      -- The one that is replaced was there until now.
      update pipeline_versions v set last_seen_at = queue_now() from published p
      where v.project = ${project} and v.pipeline = p.name and v.number = p.number
    )
    insert into pipeline_versions (
      project, pipeline, number, id, code_hash, git, description, published_at, last_seen_at
    )
    select ${project}, p.name, coalesce(p.number, 0) + 1, p.id, p."codeHash", ${git === null ? null : sql.json(git as never)},
      p.description, queue_now(), queue_now()
    from published p where p.code_hash is distinct from p."codeHash"`;
}

/**
 * Takes the source texts out of descriptions, which are read often, and keeps each once under its hash, with the code that
 * has it. To be called in the transaction that stores the descriptions: what it keeps must not be pruned before that.
 */
export async function keepSources(
  sql: Sql,
  project: string,
  descriptions: readonly PipelineDescription[],
): Promise<PipelineDescription[]> {
  const rows = descriptions.flatMap(({ name, codeHash, sources }) =>
    codeHash === null
      ? []
      : Object.entries(sources ?? {}).map(([hash, source]) => ({ pipeline: name, codeHash, hash, source })),
  );
  if (rows.length > 0) {
    await sql`select pg_advisory_xact_lock_shared(${sourcesLock(sql)})`;
    await sql`
      with found as materialized (
        select * from jsonb_to_recordset(${sql.json(storable(rows) as never)}) as s (
          pipeline text, "codeHash" text, hash text, source text
        )
      ), texts as (
        insert into node_sources (hash, source) select distinct on (hash) hash, source from found order by hash
        on conflict do nothing
      )
      insert into code_sources (project, pipeline, code_hash, hash)
      select ${project}, pipeline, "codeHash", hash from found order by pipeline, "codeHash", hash
      on conflict do nothing`;
  }
  return descriptions.map(({ sources: _sources, ...description }) => description);
}

/** Held shared by who keeps sources, alone by who removes those that nothing has. */
export function sourcesLock(sql: Sql) {
  return sql`hashtextextended('flowerpower_queue.node_sources', 0)`;
}

/** A version of a pipeline as it was published. */
export interface PipelineVersion {
  id: string;
  project: string;
  pipeline: string;
  number: number;
  codeHash: string;
  git: GitState | null;
  description: PipelineDescription;
}

/** One version by its number; null when there is none. */
export async function findVersion(
  { sql }: Database,
  project: string,
  pipeline: string,
  number: number,
): Promise<PipelineVersion | null> {
  const [row] = await sql<(Omit<PipelineVersion, "git"> & { git: JsonObject | null })[]>`
    select id, project, pipeline, number, code_hash as "codeHash", git, description from pipeline_versions
    where project = ${project} and pipeline = ${pipeline} and number = ${number}`;
  return (row as PipelineVersion | undefined) ?? null;
}

/** The source texts that are kept of these hashes. */
export async function sourcesOf(
  { sql }: Pick<Database, "sql">,
  hashes: readonly string[],
): Promise<Map<string, string>> {
  const rows = await sql<{ hash: string; source: string }[]>`
    select hash, source from node_sources where hash = any(${hashes as string[]}::text[])`;
  return new Map(rows.map(({ hash, source }) => [hash, source]));
}
