import { createHash } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import stringify from "safe-stable-stringify";
import type { Database, Sql } from "../db/client.ts";
import type { JsonObject } from "../domain/json.ts";
import type { PipelineDescription } from "../runtime/protocol.ts";
import type { CataloguedPipeline } from "./catalogue.ts";
import { storable } from "./storable.ts";

export interface AskOptions {
  /** Tells workers to look for unanswered variants. */
  ring(): void;
  /** How long to wait for an answer. */
  waitMs?: number;
  signal?: AbortSignal;
}

const firstPauseMs = 10;
const longestPauseMs = 100;
/** Asked for and not answered: beyond this many a project's workers are behind, and one more question helps nobody. */
const maxUnanswered = 100;
/** A worker that has not been heard of for so long answers nothing. */
const leaseSeconds = 30;
/** What was broken may have been mended without a change of code: a package was installed. */
const brokenSeconds = 30;

/**
 * The pipeline as it is under a request's config. Published for the config of its YAML; for another one a worker is asked,
 * and its answer kept. Null when nobody has answered in time: the run is not yet validated, and is checked when it starts.
 */
export async function variantOf(
  db: Database,
  pipeline: CataloguedPipeline,
  config: JsonObject,
  options: AskOptions,
): Promise<PipelineDescription | null> {
  const { description, project } = pipeline;
  const { codeHash } = description;
  const hash = configHash(description.config, config);
  if (hash === configHash(description.config, {})) return description;
  // What is broken under the YAML's config may be whole under another: a value that a decorator wants may be missing there.
  if (project.error !== null || description.status === "unconfigured" || codeHash === null) return description;
  const key: VariantKey = [pipeline.projectName, pipeline.name, codeHash, hash];
  const known = await answerTo(db.sql, key);
  if (known?.isCurrent) return known.description;
  if (!(await ask(db.sql, key, config))) return null;
  options.ring();
  return await answered(db.sql, key, options);
}

type VariantKey = [project: string, pipeline: string, codeHash: string, configHash: string];

/** Two requests that lead to the same config have the same graph. */
export function configHash(written: JsonObject, requested: JsonObject): string {
  return createHash("sha256")
    .update(stringify({ ...written, ...requested }))
    .digest("hex");
}

async function answerTo(
  sql: Sql,
  [project, pipeline, codeHash, hash]: VariantKey,
): Promise<{ description: PipelineDescription; isCurrent: boolean } | null> {
  const [row] = await sql<{ description: PipelineDescription; isCurrent: boolean }[]>`
    select description,
      description->>'codeHash' = code_hash
        and (description->>'status' = 'ok' or answered_at > queue_now() - make_interval(secs => ${brokenSeconds}))
        as "isCurrent"
    from variants
    where project = ${project} and pipeline = ${pipeline} and code_hash = ${codeHash} and config_hash = ${hash}
      and answered_at is not null`;
  return row ?? null;
}

/** Puts the question where workers find it. False when none is there to answer, or too many questions are open. */
async function ask(sql: Sql, [project, pipeline, codeHash, hash]: VariantKey, config: JsonObject): Promise<boolean> {
  const [row] = await sql<{ asked: boolean }[]>`
    with served as (
      select exists (
        select from workers
        where ended_at is null and heartbeat_at > queue_now() - make_interval(secs => ${leaseSeconds})
          and projects @> jsonb_build_array(jsonb_build_object('name', ${project}::text))
      ) and (
        select count(*) from variants where project = ${project} and answered_at is null
      ) < ${maxUnanswered} as yes
    ), asked as (
      insert into variants (project, pipeline, code_hash, config_hash, config, asked_at)
      select ${project}, ${pipeline}, ${codeHash}, ${hash}, ${sql.json(config)}, queue_now() from served where yes
      on conflict do nothing
    ), asked_again as (
      -- Not "on conflict do update", which would wait for the worker that is answering.
      update variants set asked_at = queue_now(), answered_at = null, description = null
      where project = ${project} and pipeline = ${pipeline} and code_hash = ${codeHash} and config_hash = ${hash}
        and answered_at is not null and (select yes from served)
    )
    select yes as asked from served`;
  return row?.asked === true;
}

async function answered(sql: Sql, key: VariantKey, options: AskOptions): Promise<PipelineDescription | null> {
  const { waitMs = 2000, signal } = options;
  const until = performance.now() + waitMs;
  for (let pauseMs = firstPauseMs; performance.now() < until; pauseMs = Math.min(pauseMs * 1.5, longestPauseMs)) {
    await delay(Math.min(pauseMs, until - performance.now()), undefined, signal === undefined ? {} : { signal });
    const answer = await answerTo(sql, key);
    if (answer !== null) return answer.description;
  }
  return null;
}

/**
 * Describes one pipeline under a config, in a runtime of its project. What is wrong with it is in the description; null when
 * the project has it no longer, or cannot be described at all.
 */
export type DescribeVariant = (
  project: string,
  pipeline: string,
  config: JsonObject,
) => Promise<PipelineDescription | null>;

/**
 * Answers what is asked about these projects, oldest first, and returns how many questions it has settled.
 * The question's row is locked while the pipeline is described, so that of several workers one does; `describe` has to have
 * a time limit of its own, and a worker that dies lets go of the row.
 */
export async function answerVariants(
  db: Database,
  projects: readonly string[],
  describe: DescribeVariant,
): Promise<number> {
  for (let count = 0; ; count += 1) {
    const more = await db.sql.begin(async (sql) => {
      const [open] = await sql<{ key: string; project: string; pipeline: string; config: JsonObject }[]>`
        select ctid::text as key, project, pipeline, config from variants
        where answered_at is null and project in ${sql([...projects])}
        order by asked_at limit 1 for update skip locked`;
      if (open === undefined) return false;
      const description = await describe(open.project, open.pipeline, open.config);
      // The row cannot have moved: it is locked.
      if (description === null) await sql`delete from variants where ctid = ${open.key}::tid`;
      else {
        await sql`
          update variants set answered_at = queue_now(), description = ${sql.json(storable(description) as never)}
          where ctid = ${open.key}::tid`;
      }
      return true;
    });
    if (!more) return count;
  }
}

/** Removes what nobody asks for any more: unanswered for an hour, of code that is gone for a day, and anything after a week. */
export async function pruneVariants(sql: Sql): Promise<number> {
  const removed = await sql`
    delete from variants where ctid = any (array(
      select v.ctid from variants v
      where (v.answered_at is null and v.asked_at < queue_now() - interval '1 hour')
        or v.asked_at < queue_now() - interval '7 days'
        or (v.asked_at < queue_now() - interval '1 day' and not exists (
          select from pipelines p
          where p.project = v.project and p.name = v.pipeline and p.code_hash = v.code_hash
        ))
      limit 1000 for update skip locked))`;
  return removed.count;
}
