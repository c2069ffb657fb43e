import { createContextCache } from "@pothos/core";
import type { JobState } from "../domain/lifecycle.ts";
import type { Context } from "./context.ts";
import { livingWorkers } from "./living-workers.ts";

interface Waiting {
  state: JobState;
  project: string;
  queue: string;
  runAt: Date;
  ticketedAt: Date | null;
}

/** Why a job waits, in a person's words; null when it does not wait, or only for a free slot of a worker. */
export async function waitingFor(job: Waiting, context: Context): Promise<string | null> {
  if (job.state === "scheduled" || job.state === "retryable") return `due ${job.runAt.toISOString()}`;
  if (job.state === "blocked") return "other jobs";
  if (job.state !== "queued") return null;
  const [paused, disabled, workers] = await Promise.all([
    pausedQueues(context),
    disabledProjects(context),
    livingWorkers(context),
  ]);
  if (disabled.has(job.project)) return `project ${job.project} is disabled`;
  if (paused.has(job.queue)) return `queue ${job.queue} is paused`;
  if (!workers.some(({ projects }) => projects.includes(job.project))) return `no worker has project ${job.project}`;
  return job.ticketedAt === null ? `its turn in queue ${job.queue}` : null;
}

const disabledProjects = createContextCache(async ({ db }: Context) => {
  const rows = await db.sql<{ name: string }[]>`select name from projects where disabled_at is not null`;
  return new Set(rows.map(({ name }) => name));
});

/** Read once per operation, however many jobs ask. */
const pausedQueues = createContextCache(async ({ db }: Context) => {
  const rows = await db.sql<{ name: string }[]>`select name from queues where paused_at is not null`;
  return new Set(rows.map(({ name }) => name));
});
