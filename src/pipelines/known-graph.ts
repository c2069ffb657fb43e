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

/** The graph of that version where it is still known: published now or last without an error, or asked for lately. Nobody is asked. */
export async function knownGraph(
  sql: Sql,
  { project, pipeline, codeHash, config }: CodeVersion,
): Promise<Graph | null> {
  const [row] = await sql<{ description: PipelineDescription; lastGood: PipelineDescription | null }[]>`
    select description, last_good as "lastGood" from pipelines where project = ${project} and name = ${pipeline}`;
  const published = [row?.description, row?.lastGood].find((one) => one?.codeHash === codeHash && one.graph !== null);
  const written = published?.config ?? {};
  const hash = configHash(written, config);
  if (published !== undefined && hash === configHash(written, {})) return published?.graph ?? null;
  const [variant] = await sql<{ description: PipelineDescription }[]>`
    select description from variants
    where project = ${project} and pipeline = ${pipeline} and code_hash = ${codeHash} and answered_at is not null
      -- Of code that is gone its YAML's config is not known: then only the very same request is found.
      and (config_hash = ${hash} or config = ${sql.json(config)})
      and description ->> 'codeHash' = ${codeHash}
    order by config_hash = ${hash} desc limit 1`;
  return variant?.description.graph ?? null;
}
