import type { JobState } from "../domain/lifecycle.ts";
import type { ErrorKind } from "../domain/outcome.ts";
import type { RetryRequest } from "../domain/run-request.ts";
import { redacted } from "../domain/secrets.ts";
import { waitedMs } from "../domain/waited.ts";
import { jobCursor } from "../events/cursor.ts";
import { builder } from "./builder.ts";
import { JobStateEnum } from "./job-state.ts";
import { requireUuid } from "./node-ids.ts";
import { ErrorKindEnum, RunError, type RunErrorShape } from "./run-error.ts";
import { OnWorkerLost, RetryPolicy, RunOptions } from "./run-options.ts";
import { waitingFor } from "./waiting.ts";

interface ProgressShape {
  done: number;
  total: number | null;
  job: { id: string; project: string; pipeline: string; state: JobState; attempt: number };
}

export const Progress = builder.objectRef<ProgressShape>("Progress").implement({
  description: "How far the last attempt has come.",
  fields: (t) => ({
    done: t.exposeInt("done", { description: "Nodes and branches that have ended." }),
    total: t.exposeInt("total", { nullable: true, description: "Of how many; null before the graph is resolved." }),
  }),
});

export const RunPlan = builder.objectRef<{ codeHash: string; path: string[]; reused?: string[] }>("RunPlan").implement({
  description: "What was known of the run when it was accepted.",
  fields: (t) => ({
    codeHash: t.exposeString("codeHash", { description: "Hash of the code against which it was checked." }),
    nodes: t.exposeStringList("path", { description: "The nodes that take part, in order." }),
    reused: t.stringList({
      description: "Those of them whose values were to be taken from earlier jobs: an estimate, the start decides.",
      resolve: ({ reused = [] }) => reused,
    }),
    count: t.int({
      description: "How many nodes will run; branches are not multiplied.",
      resolve: ({ path, reused = [] }) => path.length - reused.length,
    }),
  }),
});

export const jobRef = builder.drizzleNode("jobs", {
  name: "Job",
  description: "One request to run one pipeline with one run config.",
  id: { column: (job) => job.id, description: "Its id: `job_…`. Ids sort by when the jobs were made." },
  fields: (t) => ({
    project: t.exposeString("project", { description: "The project." }),
    pipeline: t.exposeString("pipeline", { description: "The pipeline's name within its project." }),
    pipelineInfo: t.relation("pipelineRow", {
      nullable: true,
      description: "The pipeline as it is now; null when it is gone.",
    }),
    queue: t.exposeString("queue", { description: "The queue in which it waits." }),
    state: t.expose("state", { type: JobStateEnum, description: "Where it is in its life." }),
    priority: t.exposeInt("priority", { description: "From 0 to 100; higher is taken first." }),
    concurrencyKey: t.exposeString("concurrencyKey", {
      nullable: true,
      description:
        "Of the jobs with this key only `concurrencyLimit` may be with workers at the same time; null: no such limit.",
    }),
    needs: t.stringList({
      description: "Labels that a worker must have to take it; none: any worker does.",
      select: { columns: { needs: true } },
      resolve: ({ needs }) => needs ?? [],
    }),
    concurrencyLimit: t.exposeInt("concurrencyLimit", {
      nullable: true,
      description:
        "How many jobs with `concurrencyKey` may be with workers at the same time, it included; null: any number.",
    }),

    inputs: t.field({
      type: "JSONObject",
      nullable: true,
      description:
        "Inputs that the request gave; merged over the pipeline's own. What is named like a secret is hidden. Null without the right `payloads`.",
      authScopes: { payloads: true },
      unauthorizedResolver: () => null,
      select: { with: { request: { columns: { inputs: true } } } },
      resolve: ({ request }) => redacted(request.inputs),
    }),
    config: t.field({
      type: "JSONObject",
      nullable: true,
      description:
        "Hamilton config that the request gave; merged over the pipeline's own. What is named like a secret is hidden. Null without the right `payloads`.",
      authScopes: { payloads: true },
      unauthorizedResolver: () => null,
      select: { with: { request: { columns: { config: true } } } },
      resolve: ({ request }) => redacted(request.config),
    }),
    finalVars: t.stringList({
      nullable: true,
      description: "Final variables that the request asked for; null: the pipeline's own.",
      select: { with: { request: { columns: { finalVars: true } } } },
      resolve: ({ request }) => request.finalVars,
    }),
    options: t.field({
      type: RunOptions,
      description: "Options of the run as asked for.",
      select: { with: { request: { columns: { options: true } } } },
      resolve: ({ request }) => request.options,
    }),
    retry: t.field({
      type: RetryPolicy,
      nullable: true,
      description: "The retry as asked for; null: the one that is written in the pipeline's YAML, else none.",
      select: { with: { request: { columns: { retry: true } } } },
      resolve: ({ request }) => request.retry as RetryRequest | null,
    }),
    timeoutMs: t.int({
      nullable: true,
      description: "After so long an attempt is stopped; null: never.",
      select: { with: { request: { columns: { timeoutMs: true } } } },
      resolve: ({ request }) => request.timeoutMs,
    }),
    onWorkerLost: t.field({
      type: OnWorkerLost,
      description: "What becomes of it when its worker dies.",
      select: { columns: { onWorkerLost: true } },
      resolve: ({ onWorkerLost }) => onWorkerLost as "retry" | "fail",
    }),
    tags: t.stringList({
      description: "Words to find it by.",
      select: { with: { request: { columns: { tags: true } } } },
      resolve: ({ request }) => request.tags,
    }),
    uniqueKey: t.exposeString("uniqueKey", {
      nullable: true,
      description: "At most one job of the project is asked for with this key at a time; null: no such rule.",
    }),
    metadata: t.field({
      type: "JSONObject",
      description: "What else it is found by, as it was given.",
      select: { with: { request: { columns: { metadata: true } } } },
      resolve: ({ request }) => request.metadata ?? {},
    }),
    actor: t.string({
      description: "Who enqueued it.",
      select: { with: { request: { columns: { actor: true } } } },
      resolve: ({ request }) => request.actor,
    }),
    requestedBy: t.string({
      nullable: true,
      description: "The person behind an application, as the application said; null when it did not.",
      select: { with: { request: { columns: { requestedBy: true } } } },
      resolve: ({ request }) => request.requestedBy,
    }),
    plan: t.field({
      type: RunPlan,
      nullable: true,
      description:
        "What was known of the run when it was accepted; null: not yet validated, it is checked when it starts.",
      select: { with: { request: { columns: { plan: true } } } },
      resolve: ({ request }) => request.plan,
    }),
    validated: t.boolean({
      description: "Whether it was checked against the pipeline's graph when it was accepted.",
      select: { with: { request: { columns: { plan: true } } } },
      resolve: ({ request }) => request.plan !== null,
    }),

    attempt: t.exposeInt("attempt", {
      description: "Number of the last attempt that was started; 0 before the first.",
    }),
    life: t.exposeInt("life", { description: "From 1; each requeue opens the next." }),
    failures: t.exposeInt("failures", { description: "Failed attempts of this life, held against `maxAttempts`." }),
    losses: t.exposeInt("losses", { description: "Workers lost in this life, held against `maxLosses`." }),
    maxAttempts: t.exposeInt("maxAttempts", { description: "With so many failures it fails." }),
    maxLosses: t.exposeInt("maxLosses", { description: "With so many lost workers it fails." }),

    createdAt: t.expose("createdAt", { type: "DateTime", description: "When it was enqueued." }),
    runAt: t.expose("runAt", { type: "DateTime", description: "When it is, or was, next due." }),
    expiresAt: t.expose("expiresAt", {
      type: "DateTime",
      nullable: true,
      description: "Not started by then, it expires; null: never.",
    }),
    startedAt: t.expose("startedAt", {
      type: "DateTime",
      nullable: true,
      description: "Start of the first attempt of this life; null before.",
    }),
    finishedAt: t.expose("finishedAt", {
      type: "DateTime",
      nullable: true,
      description: "When it ended; null while it lives.",
    }),
    cancelRequestedAt: t.expose("cancelRequestedAt", {
      type: "DateTime",
      nullable: true,
      description: "When somebody asked for it to be stopped; null when nobody did.",
    }),
    // Milliseconds are floats: an Int ends after 25 days, and one such job would fail the whole list.
    waitedMs: t.float({
      nullable: true,
      description:
        "From when it was due, or was enqueued when that was later, to its first start; null before. Of a job that was tried again: from its creation.",
      select: { columns: { createdAt: true, runAt: true, startedAt: true, attempt: true } },
      resolve: (job) => waitedMs(job),
    }),
    runMs: t.float({
      nullable: true,
      description: "From its first start to its end; null before.",
      select: { columns: { startedAt: true, finishedAt: true } },
      resolve: ({ startedAt, finishedAt }) =>
        startedAt === null || finishedAt === null ? null : finishedAt.getTime() - startedAt.getTime(),
    }),
    stalledAt: t.expose("stalledAt", {
      type: "DateTime",
      nullable: true,
      description:
        "Since when its run seems to have stalled: no event and no processor time for 10 minutes, or three times as long as nearly all runs before. Null when it goes on, and when none runs.",
    }),
    waitingFor: t.string({
      nullable: true,
      description:
        "Why it waits, in words: `no worker has project x`, `job_…: one job at a time with the key shop/load`. Null when it does not wait, or only for a free slot.",
      select: {
        columns: {
          id: true,
          state: true,
          project: true,
          queue: true,
          runAt: true,
          ticketedAt: true,
          concurrencyKey: true,
          concurrencyLimit: true,
          needs: true,
        },
      },
      resolve: (job, _args, context) => waitingFor(job, context),
    }),
    progress: t.field({
      type: Progress,
      description: "How far the last attempt has come.",
      select: {
        columns: {
          nodesDone: true,
          nodesTotal: true,
          id: true,
          project: true,
          pipeline: true,
          state: true,
          attempt: true,
        },
      },
      resolve: ({ nodesDone, nodesTotal, ...job }) => ({ done: nodesDone, total: nodesTotal, job }),
    }),

    errorKind: t.field({
      type: ErrorKindEnum,
      nullable: true,
      description: "Whose fault the last failure is; null when there was none.",
      select: { columns: { errorKind: true } },
      resolve: ({ errorKind }) => errorKind as ErrorKind | null,
    }),
    error: t.field({
      type: RunError,
      nullable: true,
      description: "Why the last attempt did not succeed; null when it did, while it runs, and before the first.",
      select: { with: { lastAttempt: { columns: { error: true } } } },
      resolve: ({ lastAttempt }) => (lastAttempt?.error ?? null) as RunErrorShape | null,
    }),
    worker: t.relation("worker", {
      nullable: true,
      description: "Who runs it, or ran it last; null before the first attempt.",
    }),
    lastAttempt: t.relation("lastAttempt", {
      nullable: true,
      description: "The attempt under way, else the last one; null before the first.",
    }),
    results: t.relation("results", {
      description: "What is kept of the final variables of the last attempt.",
      query: { orderBy: { name: "asc" } },
    }),
    lastCursor: t.string({
      description: "Cursor of its last event: `jobEvents` after it shows what is new from here on.",
      select: { columns: { id: true, lastSeq: true } },
      resolve: ({ id, lastSeq }) => jobCursor({ jobId: id, seq: lastSeq }),
    }),
  }),
});

builder.queryField("job", (t) =>
  t.drizzleField({
    type: jobRef,
    nullable: true,
    description: "A job by its id; null when there is none.",
    authScopes: { read: true },
    args: { id: t.arg.id({ required: true, description: "The job's id: `job_…`." }) },
    resolve: (query, _root, { id }, { db }) =>
      db.reads.query.jobs.findFirst(query({ where: { id: requireUuid("job", id, "id") } })),
  }),
);
