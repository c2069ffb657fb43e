import type { Sql } from "../db/client.ts";
import type { JsonObject } from "../domain/json.ts";
import type { Graph, PipelineDescription } from "../runtime/protocol.ts";
import { configHash } from "./variants.ts";

/** A pipeline as some code had it, under the config of a request. */
export interface CodeVersion {
  project: string;
  pipeline: string;
  codeHash: string;
  config: JsonObject;
}

/** Null where nobody knows it, or not any more. */
export type KnownGraph = Graph | null;

/**
 * The graphs of these versions, in their order, where they are still known: published now, last without an error or as an
 * earlier version, or told by a worker for exactly that config. Nobody is asked.
 */
export async function knownGraphs(sql: Sql, asked: readonly CodeVersion[]): Promise<KnownGraph[]> {
  // Many attempts have run the same: a graph may have thousands of nodes, and is read once.
  const names = asked.map(({ project, pipeline, codeHash, config }) =>
    JSON.stringify([project, pipeline, codeHash, configHash(config, {})]),
  );
  const distinct = new Map(asked.map((version, index) => [names[index], version]));
  const graphs = await graphsOf(sql, [...distinct.values()]);
  const found = new Map([...distinct.keys()].map((name, index) => [name, graphs[index] ?? null]));
  return names.map((name) => found.get(name) ?? null);
}

async function graphsOf(sql: Sql, versions: readonly CodeVersion[]): Promise<KnownGraph[]> {
  if (versions.length === 0) return [];
  const published = await publishedFor(sql, versions);
  const graphs = versions.map(({ config }, question) => {
    const { written, graph } = published.get(question) ?? unknown;
    return configHash(written, config) === configHash(written, {}) ? graph : null;
  });
  const open = versions.flatMap((version, question) =>
    graphs[question] === null
      ? [{ ...version, question, hash: configHash(published.get(question)?.written ?? {}, version.config) }]
      : [],
  );
  const variants = await variantsFor(sql, open);
  return graphs.map((graph, question) => graph ?? variants.get(question) ?? null);
}

interface Published {
  /** The config of its YAML. */
  written: JsonObject;
  /** Under that config; null when it was broken or never imported. */
  graph: Graph | null;
}

const unknown: Published = { written: {}, graph: null };

/** By question: what was published of exactly that code, best with a graph. */
async function publishedFor(sql: Sql, versions: readonly CodeVersion[]): Promise<Map<number, Published>> {
  const questions = versions.map(({ project, pipeline, codeHash }, question) => ({
    question,
    project,
    pipeline,
    codeHash,
  }));
  // The places in which it may stand, the likeliest first: coalesce looks no further than it has to, and the offset
  // keeps the planner from doing it once for each column.
  const rows = await sql<{ question: number; written: JsonObject | null; graph: Graph | null }[]>`
    select q.question, d.description -> 'config' as written, nullif(d.description -> 'graph', 'null') as graph
    from jsonb_to_recordset(${sql.json(questions)}) as q (question int, project text, pipeline text, "codeHash" text)
    left join pipelines p on p.project = q.project and p.name = q.pipeline
    cross join lateral (
      select coalesce(
        case when p.code_hash = q."codeHash" and p.description -> 'graph' <> 'null' then p.description end,
        case when p.last_good ->> 'codeHash' = q."codeHash" then p.last_good end,
        (
          select v.description from pipeline_versions v
          where v.project = q.project and v.pipeline = q.pipeline and v.code_hash = q."codeHash"
          order by v.number desc limit 1
        ),
        case when p.code_hash = q."codeHash" then p.description end
      ) as description offset 0
    ) d
    where d.description is not null`;
  return new Map(rows.map(({ question, written, graph }) => [question, { written: written ?? {}, graph }]));
}

/** By question: what workers have answered under that config. */
async function variantsFor(
  sql: Sql,
  asked: readonly (CodeVersion & { question: number; hash: string })[],
): Promise<Map<number, Graph>> {
  if (asked.length === 0) return new Map();
  const rows = await sql<{ question: number; description: PipelineDescription }[]>`
    select q.question, v.description
    from jsonb_to_recordset(${sql.json(asked as never)}) as q (
      question int, project text, pipeline text, "codeHash" text, hash text, config jsonb
    )
    cross join lateral (
      select v.description from variants v
      where v.project = q.project and v.pipeline = q.pipeline and v.code_hash = q."codeHash"
        and v.answered_at is not null
        -- Where its YAML's config is not known any more, only the very same request is found.
        and (v.config_hash = q.hash or v.config = q.config)
        and v.description ->> 'codeHash' = q."codeHash" and v.description -> 'graph' <> 'null'
      order by v.config_hash = q.hash desc limit 1
    ) v`;
  return new Map(rows.flatMap(({ question, description: { graph } }) => (graph === null ? [] : [[question, graph]])));
}
