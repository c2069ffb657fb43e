import type { Database, Sql } from "../db/client.ts";
import { DomainError } from "../domain/errors.ts";
import type { JsonObject } from "../domain/json.ts";
import { namePattern } from "../domain/lanes.ts";
import type { PipelineDescription, ProjectDescription } from "../runtime/protocol.ts";
import { storeFollowRules } from "./follow-rules.ts";
import type { GitState } from "./git.ts";
import { storable } from "./storable.ts";
import { keepSources, recordVersions } from "./versions.ts";

/** A project as a worker has described it. */
export interface DescribedProject {
  /** The name under which it is registered. */
  name: string;
  project: ProjectDescription;
  pipelines: readonly PipelineDescription[];
  /** Python and packages, as the runtime told them. */
  environment: JsonObject;
  /** The repository that its folder lies in; null or absent when it lies in none. */
  git?: GitState | null;
}

/** What a publish has changed. */
export interface Published {
  /** Pipelines that are new, or whose code, settings or error are not what they were. */
  changed: string[];
  removed: string[];
}

/**
 * Makes a described project the one that everybody sees, in one transaction. The last publisher wins.
 * A pipeline that is broken now keeps its last good description beside the error; one whose file is gone is removed
 * (its jobs keep what they ran). A project that could not be described itself retires nothing.
 */
export async function publishProject(
  db: Database,
  workerId: string | null,
  described: DescribedProject,
): Promise<Published> {
  const { name, project, environment, git = null } = described;
  return await db.sql.begin(async (sql) => {
    // The project's row first: it makes publishers of one project take turns.
    await sql`
      insert into projects (name, id, description, environment, published_at, published_by)
      values (${name}, ${db.ids.next()}, ${json(sql, project)}, ${json(sql, environment)}, queue_now(), ${workerId})
      on conflict (name) do update set description = excluded.description, environment = excluded.environment,
        published_at = excluded.published_at, published_by = excluded.published_by`;
    await createQueues(sql, queuesOf(described));
    const pipelines = await keepSources(sql, name, described.pipelines);
    const changed = await upsertPipelines(sql, { ...described, pipelines });
    await recordVersions(sql, () => db.ids.next(), name, pipelines, git);
    const removed = project.error === null ? await removeVanished(sql, described) : [];
    await storeFollowRules(sql, name);
    return { changed, removed };
  });
}

/** Those that it declares, and those that its own settings send jobs to. */
function queuesOf({ project, pipelines }: DescribedProject): string[] {
  const named = [project, ...pipelines].flatMap(({ jobQueue }) => (jobQueue.queue === null ? [] : [jobQueue.queue]));
  return [...new Set([...project.queues, ...named])];
}

async function createQueues(sql: Sql, names: readonly string[]): Promise<void> {
  // A name that cannot be part of a lane is one of the project's errors.
  const usable = names.filter((name) => namePattern.test(name)).toSorted();
  if (usable.length === 0) return;
  await sql`
    insert into queues (name, created_at) select name, queue_now() from unnest(${usable}::text[]) as name
    on conflict (name) do nothing`;
}

async function upsertPipelines(sql: Sql, { name, pipelines }: DescribedProject): Promise<string[]> {
  const rows = pipelines.map((description) => ({ name: description.name, description }));
  const changed = await sql<{ name: string }[]>`
    insert into pipelines (project, name, status, code_hash, description, last_good, published_at)
    select ${name}, p.name, p.description->>'status', p.description->>'codeHash', p.description,
      case when p.description->>'status' = 'ok' then p.description end, queue_now()
    from jsonb_to_recordset(${json(sql, rows)}) as p(name text, description jsonb)
    on conflict (project, name) do update set status = excluded.status, code_hash = excluded.code_hash,
      description = excluded.description, published_at = excluded.published_at,
      last_good = case when excluded.status = 'broken' then pipelines.last_good else excluded.last_good end
    where pipelines.description <> excluded.description
    returning name`;
  return changed.map((row) => row.name).toSorted();
}

async function removeVanished(sql: Sql, { name, project, pipelines }: DescribedProject): Promise<string[]> {
  const present = [...project.pipelines, ...pipelines].map((pipeline) => pipeline.name);
  const removed = await sql<{ name: string }[]>`
    delete from pipelines where project = ${name} and name <> all (${present}::text[]) returning name`;
  return removed.map((row) => row.name).toSorted();
}

function json(sql: Sql, value: object) {
  return sql.json(storable(value) as never);
}

/** Another worker on this host serves another folder under that name. */
export class ProjectClaimedError extends DomainError {
  readonly code = "PROJECT_CLAIMED";

  constructor(name: string, root: string, claimedRoot: string) {
    super(
      `The name ${name} belongs to ${claimedRoot}, which a worker on this machine is serving. ` +
        `Register ${root} under another name: --project OTHER=${root}`,
    );
  }
}

/** A worker that has not been heard of for so long claims nothing. */
const leaseSeconds = 30;

/**
 * Refuses a folder whose name a live worker on the same host uses for another folder: jobs of one would run in the other.
 * To be called in the transaction that registers the worker: two that start at once take turns.
 *
 * @throws ProjectClaimedError
 */
export async function refuseClaimedProjects(
  sql: Sql,
  worker: { id: string; host: string },
  projects: readonly { name: string; root: string }[],
): Promise<void> {
  await sql`
    select pg_advisory_xact_lock(hashtextextended('flowerpower_queue.project ' || name, 0))
    from (select unnest(${projects.map((project) => project.name)}::text[]) as name order by name) as names`;
  const [claim] = await sql<{ name: string; root: string; claimed: string }[]>`
    select mine.name, mine.root, theirs.root as claimed
    from workers w
    cross join jsonb_to_recordset(w.projects) as theirs(name text, root text)
    join jsonb_to_recordset(${sql.json(projects as never)}) as mine(name text, root text) on mine.name = theirs.name
    where w.host = ${worker.host} and w.id <> ${worker.id} and w.ended_at is null
      and w.heartbeat_at > queue_now() - make_interval(secs => ${leaseSeconds}) and theirs.root <> mine.root
    order by mine.name limit 1`;
  if (claim !== undefined) throw new ProjectClaimedError(claim.name, claim.root, claim.claimed);
}
