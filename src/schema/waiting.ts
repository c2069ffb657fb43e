import { createContextCache } from "@pothos/core";
import { howEnded } from "../domain/dependency.ts";
import { idText } from "../domain/ids.ts";
import { isFinal, type JobState } from "../domain/lifecycle.ts";
import type { Context } from "./context.ts";
import { Gathered } from "./gathered.ts";
import { type LivingWorker, livingWorkers } from "./living-workers.ts";

interface Waiting {
  id: string;
  state: JobState;
  project: string;
  queue: string;
  runAt: Date;
  ticketedAt: Date | null;
  concurrencyKey: string | null;
  concurrencyLimit: number | null;
  needs: string[] | null;
}

/** Why a job waits, in a person's words; null when it does not wait, or only for a free slot of a worker. */
export async function waitingFor(job: Waiting, context: Context): Promise<string | null> {
  if (job.state === "scheduled" || job.state === "retryable") return `due ${job.runAt.toISOString()}`;
  if (job.state === "blocked") return await parentsOf(job, context);
  if (job.state !== "queued") return null;
  const [queues, disabled, workers] = await Promise.all([
    hinderingQueues(context),
    disabledProjects(context),
    livingWorkers(context),
  ]);
  const queue = queues.get(job.queue);
  if (disabled.has(job.project)) return `project ${job.project} is disabled`;
  if (queue?.pausedAt != null) return pauseOf(queue);
  const serving = workers.filter(({ projects }) => projects.includes(job.project));
  if (serving.length === 0) return `no worker has project ${job.project}`;
  const able = serving.filter(({ labels }) => (job.needs ?? []).every((label) => labels.includes(label)));
  if (able.length === 0) return missingLabels(job.needs ?? [], serving);
  if (able.every(({ draining }) => draining)) return `no worker of project ${job.project} takes jobs: they drain`;
  if (job.ticketedAt !== null) return null;
  return (await holdersOf(job, context)) ?? limitOf(queue) ?? `its turn in queue ${job.queue}`;
}

/** Labels that nobody has; or that no single worker has together. */
function missingLabels(needs: readonly string[], serving: readonly LivingWorker[]): string {
  const unknown = needs.filter((label) => !serving.some(({ labels }) => labels.includes(label)));
  if (unknown.length === 0) return `no worker has all the labels ${needs.join(", ")}`;
  return `no worker has the ${unknown.length === 1 ? "label" : "labels"} ${unknown.join(", ")}`;
}

/** The jobs that a blocked one waits for, with how each has to end where that is not plain. */
async function parentsOf({ id }: Waiting, context: Context): Promise<string> {
  const parents = await openParents(context).ask(id);
  if (parents.length === 0) return "other jobs";
  const named = parents.slice(0, mostNamed).map(({ parentId, runWhen, state, isBatch }) => {
    const how = runWhen === "succeeded" ? "" : runWhen === "failed" ? " to fail" : " to end";
    return isBatch ? `${idText("batch", parentId)}${how}` : `${idText("job", parentId)}${how}${whyNot(state)}`;
  });
  const more = parents.length > mostNamed ? ` and ${parents.length - mostNamed} more` : "";
  return `${named.join(", ")}${more}`;
}

/** Of a parent that has ended, and not as it should. */
function whyNot(state: JobState | null): string {
  if (state === null) return ", which has been deleted";
  return isFinal(state) ? `, which ${howEnded[state]}` : "";
}

interface OpenParent {
  parentId: string;
  runWhen: string;
  state: JobState | null;
  isBatch: boolean;
}

const openParents = createContextCache(
  ({ db }: Context) =>
    new Gathered<string, OpenParent[]>(async (jobIds) => {
      const rows = await db.sql<(OpenParent & { jobId: string })[]>`
        select d.job_id as "jobId", d.parent_id as "parentId", d.run_when as "runWhen", p.state, b.id is not null as "isBatch"
        from job_dependencies d left join jobs p on p.id = d.parent_id left join batches b on b.id = d.parent_id
        where d.job_id = any(${jobIds as string[]}::uuid[]) and d.resolved_at is null order by d.job_id, d.parent_id`;
      const byJob = Map.groupBy(rows, ({ jobId }) => jobId);
      return jobIds.map((id) => byJob.get(id) ?? []);
    }),
);

/** A queue that is paused or lets only so much pass. */
interface HinderingQueue {
  name: string;
  pausedAt: Date | null;
  pausedUntil: Date | null;
  pauseReason: string | null;
  concurrencyLimit: number | null;
  rateLimit: number | null;
  ratePeriodMs: number | null;
  admitted: number;
}

function pauseOf({ name, pausedUntil, pauseReason }: HinderingQueue): string {
  const until = pausedUntil === null ? "" : ` until ${pausedUntil.toISOString()}`;
  return `queue ${name} is paused${until}${pauseReason === null ? "" : `: ${pauseReason}`}`;
}

function limitOf(queue: HinderingQueue | undefined): string | null {
  if (queue === undefined) return null;
  const { name, concurrencyLimit, admitted, rateLimit, ratePeriodMs } = queue;
  if (concurrencyLimit !== null && admitted >= concurrencyLimit) {
    return `its turn in queue ${name}, which has ${admitted} of ${concurrencyLimit} jobs with workers`;
  }
  return rateLimit === null ? null : `its turn in queue ${name}, which starts ${rateLimit} jobs in ${ratePeriodMs} ms`;
}

/** The jobs that have its key, when as many of them are with workers as may be. */
async function holdersOf({ concurrencyKey: key, concurrencyLimit: limit }: Waiting, context: Context) {
  if (key === null || limit === null) return null;
  const holders = await keyHolders(context).ask(key);
  if (holders.length < limit) return null;
  const named = holders.slice(0, mostNamed).map((id) => idText("job", id));
  const more = holders.length > mostNamed ? ` and ${holders.length - mostNamed} more` : "";
  return `${named.join(", ")}${more}: ${limit === 1 ? "one job" : `${limit} jobs`} at a time with the key ${key}`;
}

const mostNamed = 3;

const keyHolders = createContextCache(
  ({ db }: Context) =>
    new Gathered<string, string[]>(async (keys) => {
      const rows = await db.sql<{ key: string; ids: string[] }[]>`
        select concurrency_key as key, array_agg(id order by ticketed_at, id) as ids from jobs
        where concurrency_key = any(${keys}::text[]) and ticketed_at is not null group by 1`;
      const byKey = new Map(rows.map(({ key, ids }) => [key, ids]));
      return keys.map((key) => byKey.get(key) ?? []);
    }),
);

const disabledProjects = createContextCache(async ({ db }: Context) => {
  const rows = await db.sql<{ name: string }[]>`select name from projects where disabled_at is not null`;
  return new Set(rows.map(({ name }) => name));
});

/** Read once per operation, however many jobs ask. */
const hinderingQueues = createContextCache(async ({ db }: Context) => {
  const rows = await db.sql<HinderingQueue[]>`
    select name, paused_at as "pausedAt", paused_until as "pausedUntil", pause_reason as "pauseReason",
      concurrency_limit as "concurrencyLimit", rate_limit as "rateLimit", rate_period_ms as "ratePeriodMs",
      case when concurrency_limit is null then 0 else (
        select count(*)::int from jobs j where j.queue = q.name and j.ticketed_at is not null
      ) end as admitted
    from queues q where paused_at is not null or concurrency_limit is not null or rate_limit is not null`;
  return new Map(rows.map((row) => [row.name, row]));
});
