import type { Sql } from "../db/client.ts";

/** Tables by the part that they are shown as. */
const tablesOf = {
  jobs: ["jobs", "job_requests", "job_tags", "idempotency_keys", "follow_ups"],
  events: ["events"],
  attempts: ["attempts", "node_runs"],
  artifacts: ["artifacts"],
  failures: ["failure_groups"],
  audit: ["audit"],
  metrics: ["metrics"],
  pipelines: ["projects", "pipelines", "pipeline_versions", "variants", "code_sources", "node_sources"],
} as const;

export interface StoragePart {
  part: keyof typeof tablesOf | "files";
  bytes: number;
  /** Of the first table of the part, as Postgres last estimated. */
  rows: number;
}

/** What each part takes. Files are added up from an index that holds those which are kept. */
export async function readStorage(sql: Sql): Promise<StoragePart[]> {
  const named = Object.entries(tablesOf).flatMap(([part, tables]) =>
    tables.map((table, index) => ({ part, table, index })),
  );
  return await sql<StoragePart[]>`
    select t.part, sum(pg_total_relation_size(c.oid))::float8 as bytes,
      sum(case when t.index = 0 then greatest(c.reltuples, 0) else 0 end)::float8 as rows
    from unnest(
      ${named.map(({ part }) => part)}::text[], ${named.map(({ table }) => table)}::text[],
      ${named.map(({ index }) => index)}::int[]
    ) as t (part, name, index)
    join pg_class c on c.relname = t.name and c.relnamespace = 'flowerpower_queue'::regnamespace
    group by t.part
    union all
    select 'files', coalesce(sum(bytes), 0)::float8, count(*)::float8
    from flowerpower_queue.artifacts where uri is not null and removed_at is null
    order by 2 desc, 1`;
}
