import { createHash } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import stringify from "safe-stable-stringify";
import type { Database, Sql } from "../db/client.ts";
import type { JsonObject } from "../domain/json.ts";
import type { PipelineDescription } from "../runtime/protocol.ts";
import type { CataloguedPipeline } from "./catalogue.ts";
import { storable } from "./storable.ts";
import { keepSources } from "./versions.ts";

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
 * and its answer kept. So it is for a module without a YAML, which is imported only now. Null when nobody has answered in time: the run is not yet validated, and is checked when it starts.
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
  const isImported = description.status !== "unconfigured";
  if (isImported && hash === configHash(description.config, {})) return description;
  // What is broken under the YAML's config may be whole under another: a value that a decorator wants may be missing there.
  if (project.error !== null || codeHash === null) return description;
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
  key: VariantKey,
): Promise<{ description: PipelineDescription; isCurrent: boolean } | null> {
  const [row] = await sql<{ description: PipelineDescription; isCurrent: boolean }[]>`
    select description,
      description->>'codeHash' = code_hash
        and (description->>'status' = 'ok' or answered_at > queue_now() - make_interval(secs => ${brokenSeconds}))
        as "isCurrent"
    from variants where ${isKey(sql, key)} and answered_at is not null`;
  return row ?? null;
}

/** Puts the question where workers find it. False when none is there to answer, or too many questions are open. */
async function ask(sql: Sql, key: VariantKey, config: JsonObject): Promise<boolean> {
  const [project, pipeline, codeHash, hash] = key;
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
      update variants set asked_at = queue_now(), claimed_at = null, answered_at = null, description = null
      where ${isKey(sql, key)} and answered_at is not null and (select yes from served)
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

/** Who has not answered in this time is gone: longer than a description may take. */
const claimSeconds = 90;

interface Question {
  key: VariantKey;
  config: JsonObject;
}

/**
 * Answers the oldest question about these projects; false when there is none. `describe` has to have a time limit of its own.
 *
 * Of several workers one answers a question: who has claimed it. A lock of its row would do that too, but in a transaction
 * that stays open while Python describes, and the feed of all jobs would wait for it.
 */
export async function answerVariant(
  db: Database,
  projects: readonly string[],
  describe: DescribeVariant,
): Promise<boolean> {
  const open = await claimOldest(db.sql, projects);
  if (open === null) return false;
  const [project, pipeline] = open.key;
  try {
    const description = await describe(project, pipeline, open.config);
    await settle(db, open.key, description);
    return true;
  } catch (error) {
    await giveBack(db.sql, open.key).catch(() => {}); // else it is free when the claim has grown old
    throw error;
  }
}

/** The oldest question that nobody is answering, from now on ours; null when there is none. */
async function claimOldest(sql: Sql, projects: readonly string[]): Promise<Question | null> {
  const [open] = await sql<Question[]>`
    with oldest as materialized (
      select project, pipeline, code_hash, config_hash from variants
      where answered_at is null and project = any(${projects as string[]}::text[])
        and (claimed_at is null or claimed_at < queue_now() - make_interval(secs => ${claimSeconds}))
      order by asked_at limit 1 for update skip locked
    )
    update variants v set claimed_at = queue_now() from oldest o
    where v.project = o.project and v.pipeline = o.pipeline and v.code_hash = o.code_hash and v.config_hash = o.config_hash
    returning jsonb_build_array(v.project, v.pipeline, v.code_hash, v.config_hash) as key, v.config`;
  return open ?? null;
}

async function giveBack(sql: Sql, key: VariantKey): Promise<void> {
  await sql`update variants set claimed_at = null where ${isKey(sql, key)} and answered_at is null`;
}

async function settle({ sql }: Database, key: VariantKey, description: PipelineDescription | null): Promise<void> {
  if (description === null) await sql`delete from variants where ${isKey(sql, key)}`;
  else {
    // First, so that nobody who has the answer finds more answers than are kept.
    await makeRoom(sql, key);
    await sql.begin(async (tx) => {
      const [kept] = await keepSources(tx, key[0], [description]);
      await tx`
        update variants set answered_at = queue_now(), description = ${tx.json(storable(kept) as never)}
        where ${isKey(tx, key)}`;
    });
  }
}

/** Answers that are kept for one pipeline: each holds a whole graph, and whoever asks may vary the config without end. */
const mostAnswers = 200;

/** Forgets the oldest answers until there is room for one more. */
async function makeRoom(sql: Sql, [project, pipeline]: VariantKey): Promise<void> {
  await sql`
    delete from variants v using (
      select code_hash, config_hash from variants
      where project = ${project} and pipeline = ${pipeline} and answered_at is not null
      order by asked_at desc offset ${mostAnswers - 1}
    ) old
    where v.project = ${project} and v.pipeline = ${pipeline}
      and v.code_hash = old.code_hash and v.config_hash = old.config_hash`;
}

function isKey(sql: Sql, [project, pipeline, codeHash, hash]: VariantKey) {
  return sql`project = ${project} and pipeline = ${pipeline} and code_hash = ${codeHash} and config_hash = ${hash}`;
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
