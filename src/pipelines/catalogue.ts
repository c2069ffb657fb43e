import type { Database } from "../db/client.ts";
import { BadInputError, NotFoundError } from "../domain/errors.ts";
import type { QueueDefaults } from "../domain/queue-defaults.ts";
import type { PipelineDescription, ProjectDescription } from "../runtime/protocol.ts";
import { listNames, nearest } from "./nearest.ts";

/** A pipeline as workers have published it. Shared by all who ask: never to be changed. */
export interface CataloguedPipeline {
  /** The name under which the project is registered. */
  projectName: string;
  name: string;
  project: ProjectDescription;
  /** What is there now, with its error when it is broken. */
  description: PipelineDescription;
  /** The last description without an error, null when there never was one. */
  lastGood: PipelineDescription | null;
  publishedAt: Date;
  /** Why the project is disabled, null within when no reason was given; null or absent: it is not disabled. */
  disabled?: { reason: string | null } | null;
  /** What queues say of their jobs, by their names; null or absent: none says anything. */
  queues?: Readonly<Record<string, QueueDefaults>> | null;
}

/** What this process knows of projects and pipelines, and of the queues' defaults: read from Postgres, never from a folder. */
export interface Catalogue {
  /**
   * The pipeline of that name. Without a project the name is `project/pipeline`, or a bare one that only one project has.
   * Errors are about the field in which the caller has named it.
   *
   * @throws NotFoundError naming the project or the pipeline, with what was probably meant
   * @throws BadInputError when several projects have a pipeline of that bare name
   */
  pipeline(project: string | null, name: string, field?: string): Promise<CataloguedPipeline>;
  /** The same by its exact name, or null. */
  find(project: string, name: string): Promise<CataloguedPipeline | null>;
  /** Something was published: read it anew. */
  invalidate(): void;
}

export interface CatalogueOptions {
  /** For how long a pipeline is taken from memory, should the wake-up be lost. */
  timeToLiveMs?: number;
  /** Milliseconds of a clock that only grows. */
  clock?: () => number;
}

const maxCached = 500;

export function openCatalogue(db: Database, options: CatalogueOptions = {}): Catalogue {
  const { timeToLiveMs = 2000, clock = () => performance.now() } = options;
  // The promise is kept, so that a burst of requests after a publish is one read.
  let cache = new Map<string, { readAt: number; found: Promise<CataloguedPipeline | null> }>();

  async function find(project: string, name: string): Promise<CataloguedPipeline | null> {
    const key = `${project}/${name}`;
    const cached = cache.get(key);
    if (cached !== undefined && clock() - cached.readAt < timeToLiveMs) return await cached.found;
    const held = cache;
    const found = read(db, project, name);
    const forget = () => held.get(key)?.found === found && held.delete(key);
    const oldest = held.size >= maxCached ? held.keys().next().value : undefined;
    if (oldest !== undefined) held.delete(oldest);
    held.set(key, { readAt: clock(), found });
    // What is not there is asked for again at once: it may be published any moment. So is what could not be read.
    found.then((pipeline) => pipeline ?? forget(), forget);
    return await found;
  }

  return {
    find,
    async pipeline(project, name, field = "input.pipeline") {
      const [projectName, pipelineName] = project === null ? await resolve(db, name, field) : [project, name];
      const found = await find(projectName, pipelineName);
      const projectField = project === null ? field : "input.project";
      if (found === null) throw await notFound(db, projectName, pipelineName, { field, projectField });
      return found;
    },
    invalidate() {
      // A new map, not a cleared one: a read that is under way must not put what is old into it.
      cache = new Map();
    },
  };
}

async function read(db: Database, project: string, name: string): Promise<CataloguedPipeline | null> {
  const [row] = await db.sql<CataloguedPipeline[]>`
    select p.project as "projectName", p.name, r.description as project, p.description, p.last_good as "lastGood",
      p.published_at as "publishedAt",
      case when r.disabled_at is not null then jsonb_build_object('reason', r.disabled_reason) end as disabled,
      (select jsonb_object_agg(q.name, q.job_defaults) from queues q where q.job_defaults is not null) as queues
    from pipelines p join projects r on r.name = p.project
    where p.project = ${project} and p.name = ${name}`;
  return row ?? null;
}

/** Project and pipeline of `project/pipeline`, or of a bare name that one project has. */
async function resolve(db: Database, name: string, field: string): Promise<[project: string, pipeline: string]> {
  const slash = name.indexOf("/");
  if (slash >= 0) return [name.slice(0, slash), name.slice(slash + 1)];
  const holders = await db.sql<{ project: string }[]>`
    select project from pipelines where name = ${name} order by project limit 20`;
  const [only, another] = holders;
  if (only === undefined) {
    const meant = nearest(name, await pipelineNames(db));
    throw new NotFoundError("pipeline", name, field, meant);
  }
  if (another !== undefined) {
    const candidates = holders.map(({ project }) => `${project}/${name}`);
    throw new BadInputError(
      `Several projects have a pipeline ${name}. Say which: ${listNames(candidates, { limit: 20, last: "or" })}.`,
      field,
    );
  }
  return [only.project, name];
}

/** Which of the two does not exist, and what was probably meant. The project may have a field of its own. */
async function notFound(
  db: Database,
  project: string,
  name: string,
  { field, projectField }: { field: string; projectField: string },
): Promise<NotFoundError> {
  const projects = (await db.sql<{ name: string }[]>`select name from projects order by name`).map((row) => row.name);
  if (!projects.includes(project)) {
    return new NotFoundError("project", project, projectField, nearest(project, projects));
  }
  const rows = await db.sql<{ project: string; name: string }[]>`
    select project, name from pipelines where project = ${project} or name = ${name} order by project, name`;
  const own = rows.filter((row) => row.project === project).map((row) => row.name);
  const elsewhere = rows.find((row) => row.name === name);
  const meant = nearest(name, own) ?? (elsewhere === undefined ? null : `${elsewhere.project}/${name}`);
  return new NotFoundError("pipeline", `${project}/${name}`, field, meant);
}

async function pipelineNames(db: Database): Promise<string[]> {
  const rows = await db.sql<{ name: string }[]>`select distinct name from pipelines order by name`;
  return rows.map((row) => row.name);
}
