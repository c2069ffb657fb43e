import type { Database, Sql } from "../db/client.ts";
import { sourcesLock } from "./versions.ts";

/** Versions of a pipeline that are kept whether anything has run them or not. */
export const keptVersions = 100;
const batchSize = 200;

/**
 * Forgets, one batch of each, versions that are neither among the last of their pipeline nor the code of a kept attempt, what is
 * known of the sources of code that is gone, and texts that nothing has any more. True when there may be more.
 */
export async function pruneVersions(db: Database): Promise<boolean> {
  const versions = await forgetVersions(db.sql);
  const sources = await forgetSources(db);
  return versions === batchSize || sources;
}

async function forgetVersions(sql: Sql): Promise<number> {
  const removed = await sql`
    delete from pipeline_versions where id = any (array(
      select v.id from pipeline_versions v
      join (
        select project, pipeline, max(number) as last from pipeline_versions group by 1, 2
      ) p on p.project = v.project and p.pipeline = v.pipeline
      where v.number <= p.last - ${keptVersions}::int and (
        -- Numbers have no gaps among the last ones. Of code that has come back the newest version is enough.
        exists (
          select from pipeline_versions n
          where n.project = v.project and n.pipeline = v.pipeline and n.code_hash = v.code_hash and n.number > v.number
        ) or ${isNotOfAnAttempt(sql, sql`v.code_hash`)}
      )
      limit ${batchSize}::int for update of v skip locked))`;
  return removed.count;
}

/** By the index, for each row that is left: joined, Postgres might read all attempts. */
function isNotOfAnAttempt(sql: Sql, codeHash: ReturnType<Sql>) {
  return sql`(select true from attempts a where a.code_hash = ${codeHash} limit 1) is null`;
}

const sourcesAtOnce = batchSize * 10;

async function forgetSources(db: Database): Promise<boolean> {
  return await db.sql.begin(async (sql) => {
    const [{ locked } = { locked: false }] = await sql<{ locked: boolean }[]>`
      select pg_try_advisory_xact_lock(${sourcesLock(sql)}) as locked`;
    // Somebody publishes: the next round comes.
    if (!locked) return false;
    const known = await sql`
      -- What is published now is the last version, or was asked for as a variant.
      delete from code_sources where ctid = any (array(
        select c.ctid from code_sources c
        where not exists (
          select from pipeline_versions v
          where v.project = c.project and v.pipeline = c.pipeline and v.code_hash = c.code_hash
        ) and not exists (
          select from variants v where v.project = c.project and v.pipeline = c.pipeline and v.code_hash = c.code_hash
        ) and ${isNotOfAnAttempt(sql, sql`c.code_hash`)}
        limit ${sourcesAtOnce}::int))`;
    const texts = await sql`
      delete from node_sources where hash = any (array(
        select s.hash from node_sources s
        where not exists (select from code_sources c where c.hash = s.hash)
        limit ${sourcesAtOnce}::int))`;
    return known.count === sourcesAtOnce || texts.count === sourcesAtOnce;
  });
}
