/**
 * The product's tables, in the Postgres schema `flowerpower_queue`. graphile-worker keeps its own in `flowerpower_tickets`.
 * Indexes are plain ascending: Postgres walks them backwards, and `DESC` indexes would not serve Drizzle's order.
 * Times have milliseconds, because cursors in JavaScript have no more.
 */
import { sql } from "drizzle-orm";
import {
  bigint,
  boolean,
  check,
  customType,
  doublePrecision,
  foreignKey,
  index,
  integer,
  jsonb,
  pgSchema,
  primaryKey,
  smallint,
  text,
  timestamp,
  unique,
  uniqueIndex,
  uuid,
} from "drizzle-orm/pg-core";
import { dependencyConditions, dependencyPolicies, type InputFrom } from "../domain/dependency.ts";
import { followedEventTypes, terminalEventTypes } from "../domain/event-types.ts";
import type { Json, JsonObject } from "../domain/json.ts";
import { priorityStepSeconds } from "../domain/lanes.ts";
import { finalStates, jobStates } from "../domain/lifecycle.ts";
import { errorKinds } from "../domain/outcome.ts";
import type { NodeReason } from "../domain/reuse.ts";

export const schema = pgSchema("flowerpower_queue");

const at = (name: string) => timestamp(name, { withTimezone: true, precision: 3, mode: "date" });
const listed = (values: readonly string[]) => sql.raw(values.map((value) => `'${value}'`).join(", "));

/** A 64-bit transaction id, as text: it is compared by Postgres, never by us. */
const xid8 = customType<{ data: string; driverData: string }>({ dataType: () => "xid8" });

export const jobState = schema.enum("job_state", jobStates);

/** A registered project, as the last worker that described it has seen it. */
export const projects = schema.table("projects", {
  name: text().primaryKey(),
  id: uuid().notNull().unique(),
  /** ProjectDescription of the runtime protocol. */
  description: jsonb().$type<JsonObject>().notNull(),
  /** Python's version and path choice, FlowerPower's and Hamilton's version, as told by the runtime. */
  environment: jsonb().$type<JsonObject>().notNull(),
  publishedAt: at("published_at").notNull(),
  publishedBy: uuid("published_by"),
  /** Since when its jobs are neither accepted nor started; null: they are. */
  disabledAt: at("disabled_at"),
  disabledReason: text("disabled_reason"),
  /** When somebody last asked its workers to describe it again, whether a file has changed or not. */
  reloadAskedAt: at("reload_asked_at"),
  /** The last such request that a worker has answered. */
  reloadedAt: at("reloaded_at"),
});

/** A pipeline of a project, as last described. */
export const pipelines = schema.table(
  "pipelines",
  {
    project: text()
      .notNull()
      .references(() => projects.name, { onDelete: "cascade" }),
    name: text().notNull(),
    status: text().notNull(),
    codeHash: text("code_hash"),
    /** PipelineDescription of the runtime protocol: what is there now, with its error when it is broken. */
    description: jsonb().$type<JsonObject>().notNull(),
    /** The last description without an error: what `graph` and `inputs` show while the pipeline is broken. */
    lastGood: jsonb("last_good").$type<JsonObject>(),
    publishedAt: at("published_at").notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.project, t.name] }),
    check("pipelines_status", sql`${t.status} in ('ok', 'broken', 'unconfigured')`),
  ],
);

/** What a pipeline was, one row for each change of its code hash; a broken state is none. */
export const pipelineVersions = schema.table(
  "pipeline_versions",
  {
    project: text().notNull(),
    pipeline: text().notNull(),
    /** From 1 for each pipeline; code that comes back is a new version. */
    number: integer().notNull(),
    id: uuid().notNull().unique(),
    codeHash: text("code_hash").notNull(),
    /** GitState of the project's folder when it was first published; null when it lies in no repository. */
    git: jsonb().$type<JsonObject>(),
    /** PipelineDescription as it was first published, sources left out. */
    description: jsonb().$type<JsonObject>().notNull(),
    publishedAt: at("published_at").notNull(),
    lastSeenAt: at("last_seen_at").notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.project, t.pipeline, t.number] }),
    index("pipeline_versions_code").on(t.project, t.pipeline, t.codeHash),
  ],
);

/** Which functions some code of a pipeline has, under any config: as long as that code is known, their texts are kept. */
export const codeSources = schema.table(
  "code_sources",
  {
    project: text().notNull(),
    pipeline: text().notNull(),
    codeHash: text("code_hash").notNull(),
    /** Of a text in `node_sources`. */
    hash: text().notNull(),
  },
  (t) => [primaryKey({ columns: [t.project, t.pipeline, t.codeHash, t.hash] }), index("code_sources_hash").on(t.hash)],
);

/** Source texts of nodes' functions by their hash: each is kept once, whatever versions and pipelines have it. */
export const nodeSources = schema.table("node_sources", {
  hash: text().primaryKey(),
  source: text().notNull(),
});

/** What a pipeline looks like under a config other than its YAML's; asked for by a server, answered by a worker. */
export const variants = schema.table(
  "variants",
  {
    project: text().notNull(),
    pipeline: text().notNull(),
    codeHash: text("code_hash").notNull(),
    configHash: text("config_hash").notNull(),
    config: jsonb().$type<JsonObject>().notNull(),
    askedAt: at("asked_at").notNull(),
    /** When a worker began to answer it; it is another's to answer when that has taken too long. */
    claimedAt: at("claimed_at"),
    answeredAt: at("answered_at"),
    /** PipelineDescription under that config; null until a worker has answered. */
    description: jsonb().$type<JsonObject>(),
  },
  (t) => [
    primaryKey({ columns: [t.project, t.pipeline, t.codeHash, t.configHash] }),
    index("variants_asked").on(t.project, t.askedAt).where(sql`${t.answeredAt} is null`),
  ],
);

/** A named line in which jobs wait. Limits come with the queue API; pausing is part of admission from the start. */
export const queues = schema.table(
  "queues",
  {
    name: text().primaryKey(),
    createdAt: at("created_at").notNull(),
    /** Since when nothing of it is started; null: it is open. */
    pausedAt: at("paused_at"),
    /** When it opens by itself; null: when somebody resumes it. */
    pausedUntil: at("paused_until"),
    pauseReason: text("pause_reason"),
    /** How many of its jobs may be with workers at the same time, over all of them; null: any number. */
    concurrencyLimit: integer("concurrency_limit"),
    /** How many of its jobs may be given to workers within `rate_period_ms`; null: any number. */
    rateLimit: integer("rate_limit"),
    ratePeriodMs: integer("rate_period_ms"),
    /** The token bucket of the rate limit: what was in it when it was last looked into. Null: it is full. */
    rateTokens: doublePrecision("rate_tokens"),
    rateFilledAt: at("rate_filled_at"),
    /** With so many jobs waiting it takes no more; null: any number. */
    backlogLimit: integer("backlog_limit"),
    /** Tickets from before are void: they were given before there was a limit, or under a higher one. */
    ticketsSince: at("tickets_since"),
  },
  (t) => [
    check("queues_paused", sql`${t.pausedAt} is not null or (${t.pausedUntil} is null and ${t.pauseReason} is null)`),
    check(
      "queues_limits",
      sql`${t.concurrencyLimit} > 0 and ${t.rateLimit} > 0 and ${t.ratePeriodMs} > 0 and ${t.backlogLimit} > 0`,
    ),
    check("queues_rate", sql`(${t.rateLimit} is null) = (${t.ratePeriodMs} is null)`),
    check("queues_rate_tokens", sql`(${t.rateTokens} is null) = (${t.rateFilledAt} is null)`),
  ],
);

/** Each set of labels that a job has ever needed: workers learn from it which lanes there are. */
export const labelSets = schema.table("label_sets", { labels: text().array().primaryKey() });

/** A worker process, alive or gone. */
export const workers = schema.table(
  "workers",
  {
    id: uuid().primaryKey(),
    /** Number of its advisory lock: it falls when the process dies. */
    lockNumber: integer("lock_number").notNull().generatedAlwaysAsIdentity().unique(),
    /** The name under which graphile-worker locks tickets; changes when the pool is rebuilt. */
    poolId: text("pool_id"),
    host: text().notNull(),
    pid: integer().notNull(),
    /** Names the process beyond doubt to others on the same host: boot, process namespace, pid and start time. */
    process: text().notNull(),
    version: text().notNull(),
    slots: integer().notNull(),
    /** Projects that it serves, with the folder's identity on its host. */
    projects: jsonb().$type<{ name: string; root: string }[]>().notNull(),
    state: text().notNull(),
    /** The Python environment of each project as this worker has it: ProjectEnvironment by the project's name. */
    environments: jsonb().$type<{ [project: string]: JsonObject }>().notNull().default({}),
    /** It takes jobs that need some of these, or none. */
    labels: text().array().notNull().default(sql`'{}'`),
    /** Where it keeps artifacts, and why it does not at present. */
    store: uuid(),
    storeProblem: text("store_problem"),
    /** What somebody has asked of it, and when, who and why: it does so with its next heartbeat. Null: to take jobs. */
    wanted: text().$type<"drain" | "stop">(),
    wantedAt: at("wanted_at"),
    wantedBy: text("wanted_by"),
    wantedReason: text("wanted_reason"),
    /** How long its runs may go on when it is asked to stop; null: as long as it was started with. */
    stopGraceMs: integer("stop_grace_ms"),
    startedAt: at("started_at").notNull(),
    heartbeatAt: at("heartbeat_at").notNull(),
    endedAt: at("ended_at"),
  },
  (t) => [
    check("workers_state", sql`${t.state} in ('running', 'draining', 'stopped', 'dead')`),
    check("workers_wanted", sql`${t.wanted} in ('drain', 'stop')`),
    check(
      "workers_wanted_by",
      sql`(${t.wanted} is null) = (${t.wantedAt} is null) and (${t.wanted} is null) = (${t.wantedBy} is null)`,
    ),
    check("workers_stop_grace", sql`${t.stopGraceMs} is null or (${t.wanted} = 'stop' and ${t.stopGraceMs} >= 0)`),
    check("workers_ended", sql`(${t.endedAt} is not null) = (${t.state} in ('stopped', 'dead'))`),
    index("workers_alive").on(t.heartbeatAt).where(sql`${t.endedAt} is null`),
  ],
);

/** One request to run one pipeline with one run config. Narrow: every flush of events updates it. */
export const jobs = schema.table(
  "jobs",
  {
    id: uuid().primaryKey(),
    project: text().notNull(),
    pipeline: text().notNull(),
    queue: text()
      .notNull()
      .references(() => queues.name),
    state: jobState().notNull(),
    priority: smallint().notNull(),
    /** The last attempt that was started; only grows. The fence of every write by a worker. */
    attempt: integer().notNull().default(0),
    /** From enqueue or requeue to a final state; a requeue opens the next. */
    life: integer().notNull().default(1),
    /** Failed attempts and lost workers of this life, held against the next two. */
    failures: integer().notNull().default(0),
    losses: integer().notNull().default(0),
    maxAttempts: integer("max_attempts").notNull(),
    maxLosses: integer("max_losses").notNull(),
    onWorkerLost: text("on_worker_lost").notNull(),
    /** The number of the job's last event. */
    lastSeq: integer("last_seq").notNull(),
    /** The running attempt's last event by the runtime's count, and the token of its start. */
    sourceSeq: integer("source_seq").notNull().default(0),
    runToken: uuid("run_token"),
    workerId: uuid("worker_id").references(() => workers.id),
    /** Nodes that the running or last attempt has finished, of how many; null before the graph is resolved. */
    nodesDone: integer("nodes_done").notNull().default(0),
    nodesTotal: integer("nodes_total"),
    createdAt: at("created_at").notNull(),
    /** When it is (next) due. */
    runAt: at("run_at").notNull(),
    expiresAt: at("expires_at"),
    /** Since when a ticket exists; null while the job waits for its time, its queue or other jobs. */
    ticketedAt: at("ticketed_at"),
    /**
     * Its place among those that wait: when it became due, so much earlier as its priority says. Milliseconds, by which a
     * ticket of the default backend is ordered too.
     */
    turn: bigint({ mode: "number" }).generatedAlwaysAs(
      sql`(extract(epoch from run_at at time zone 'UTC') * 1000)::bigint - priority::bigint * ${sql.raw(String(priorityStepSeconds * 1000))}`,
    ),
    /** At most `concurrency_limit` jobs with this key are with workers at the same time, whatever their queues; null: no such limit. */
    concurrencyKey: text("concurrency_key"),
    concurrencyLimit: integer("concurrency_limit"),
    /** Only workers that have all these labels take it; each once, in order. Null: any worker. */
    needs: text().array(),
    /** No other job that is asked for with this key of its project is made while this one waits (or runs); null: no such rule. */
    uniqueKey: text("unique_key"),
    /** Start of the first attempt of this life. */
    startedAt: at("started_at"),
    finishedAt: at("finished_at"),
    cancelRequestedAt: at("cancel_requested_at"),
    /** Since when the running attempt seems to have stalled; null: it goes on, or none runs. */
    stalledAt: at("stalled_at"),
    /** Kind of the last failed attempt's error. */
    errorKind: text("error_kind"),
    /** Parents of a blocked job that have not ended as they should. Two that end at once both count it down. */
    waitingFor: smallint("waiting_for").notNull().default(0),
    /** Some job waits, or has waited, for this one: whoever ends it looks who. */
    hasDependents: boolean("has_dependents").notNull().default(false),
  },
  (t) => [
    check("jobs_waiting_for", sql`${t.waitingFor} >= 0`),
    check("jobs_priority", sql`${t.priority} between 0 and 100`),
    check("jobs_counters", sql`${t.attempt} >= 0 and ${t.life} >= 1 and ${t.failures} >= 0 and ${t.losses} >= 0`),
    check("jobs_limits", sql`${t.maxAttempts} >= 1 and ${t.maxLosses} >= 1`),
    check("jobs_on_worker_lost", sql`${t.onWorkerLost} in ('retry', 'fail')`),
    check("jobs_error_kind", sql`${t.errorKind} in (${listed(errorKinds)})`),
    check("jobs_finished", sql`(${t.finishedAt} is not null) = (${t.state} in (${listed(finalStates)}))`),
    check("jobs_running", sql`(${t.state} = 'running') = (${t.runToken} is not null)`),
    check("jobs_worker", sql`${t.state} <> 'running' or (${t.workerId} is not null and ${t.attempt} > 0)`),
    check("jobs_stalled", sql`${t.stalledAt} is null or ${t.state} = 'running'`),
    check("jobs_ticketed", sql`${t.ticketedAt} is null or ${t.state} in ('queued', 'running')`),
    check(
      "jobs_concurrency",
      sql`(${t.concurrencyKey} is null) = (${t.concurrencyLimit} is null) and ${t.concurrencyLimit} > 0`,
    ),
    check("jobs_nodes", sql`${t.nodesDone} >= 0 and (${t.nodesTotal} is null or ${t.nodesTotal} >= ${t.nodesDone})`),
    // Every list that the API offers is ordered by id, finishedAt or runAt.
    index("jobs_state_id").on(t.state, t.id),
    index("jobs_project_id").on(t.project, t.id),
    index("jobs_pipeline_id").on(t.project, t.pipeline, t.id),
    index("jobs_pipeline_state_id").on(t.project, t.pipeline, t.state, t.id),
    index("jobs_queue_id").on(t.queue, t.id),
    index("jobs_queue_state_id").on(t.queue, t.state, t.id),
    index("jobs_finished_at").on(t.finishedAt, t.id).where(sql`${t.finishedAt} is not null`),
    index("jobs_run_at").on(t.runAt, t.id),
    // What admission asks: what is due, what is due and has no ticket, what has expired.
    index("jobs_due").on(t.runAt).where(sql`${t.state} in ('scheduled', 'retryable')`),
    index("jobs_held").on(t.queue, t.turn).where(sql`${t.state} = 'queued' and ${t.ticketedAt} is null`),
    index("jobs_held_keyed")
      .on(t.queue)
      .where(sql`${t.state} = 'queued' and ${t.ticketedAt} is null and ${t.concurrencyKey} is not null`),
    // What limits count: jobs that are with workers or on their way to them.
    index("jobs_admitted").on(t.queue, t.ticketedAt).where(sql`${t.ticketedAt} is not null`),
    index("jobs_admitted_keyed")
      .on(t.concurrencyKey)
      .where(sql`${t.ticketedAt} is not null and ${t.concurrencyKey} is not null`),
    index("jobs_ticketed_at").on(t.ticketedAt).where(sql`${t.state} = 'queued' and ${t.ticketedAt} is not null`),
    index("jobs_expiring")
      .on(t.expiresAt)
      .where(sql`${t.expiresAt} is not null and ${t.state} in ('scheduled', 'blocked', 'queued')`),
    index("jobs_stalled_id").on(t.id).where(sql`${t.stalledAt} is not null`),
    index("jobs_unique").on(t.project, t.uniqueKey).where(sql`${t.uniqueKey} is not null and ${t.finishedAt} is null`),
    index("jobs_worker_id").on(t.workerId).where(sql`${t.state} = 'running'`),
  ],
);

/** What the request said. Inputs, plan and tags are changed by an update of a job that waits; nothing else is. */
export const jobRequests = schema.table(
  "job_requests",
  {
    jobId: uuid("job_id")
      .primaryKey()
      .references(() => jobs.id, { onDelete: "cascade" }),
    inputs: jsonb().$type<JsonObject>().notNull(),
    /** Null: those of the pipeline's YAML. */
    finalVars: jsonb("final_vars").$type<string[]>(),
    config: jsonb().$type<JsonObject>().notNull(),
    /** executor, logLevel, runtime, results, reuse: what was asked for; an absent one is the pipeline's. */
    options: jsonb().$type<JsonObject>().notNull(),
    /** Only a retry that was asked for; null: the pipeline's written one, else none. */
    retry: jsonb().$type<JsonObject>(),
    timeoutMs: integer("timeout_ms"),
    tags: jsonb().$type<string[]>().notNull(),
    /** As it was given; `job_metadata` is what is searched. */
    metadata: jsonb().$type<Record<string, string | number | boolean>>(),
    actor: text().notNull(),
    requestedBy: text("requested_by"),
    /**
     * What was known of the pipeline when the request was accepted, or null: not yet validated. `reused`: the nodes whose values
     * the first attempt was to take from earlier jobs; absent where there were none.
     */
    plan: jsonb().$type<{ codeHash: string; path: string[]; reused?: string[] }>(),
    /** The job that it was made from; null when it was asked for by itself, or when that one has been pruned. */
    rerunOf: uuid("rerun_of").references(() => jobs.id, { onDelete: "set null" }),
    /** Inputs that are results of other jobs; null when there are none. */
    inputsFrom: jsonb("inputs_from").$type<InputFrom[]>(),
  },
  (t) => [index("job_requests_rerun_of").on(t.rerunOf, t.jobId).where(sql`${t.rerunOf} is not null`)],
);

/** Which jobs a job waits for, or has waited for. A parent is named without a foreign key: it may be pruned before its children. */
export const jobDependencies = schema.table(
  "job_dependencies",
  {
    jobId: uuid("job_id")
      .notNull()
      .references(() => jobs.id, { onDelete: "cascade" }),
    parentId: uuid("parent_id").notNull(),
    /** How the parent has to end for the job to run. */
    runWhen: text("run_when").notNull(),
    /** What becomes of the job when it ends in another way. */
    otherwise: text().notNull(),
    /** When the parent had ended as it should; null: it has not. */
    resolvedAt: at("resolved_at"),
  },
  (t) => [
    primaryKey({ columns: [t.jobId, t.parentId] }),
    index("job_dependencies_parent").on(t.parentId, t.jobId),
    check("job_dependencies_run_when", sql`${t.runWhen} in (${listed(dependencyConditions)})`),
    check("job_dependencies_otherwise", sql`${t.otherwise} in (${listed(dependencyPolicies)})`),
    check("job_dependencies_self", sql`${t.jobId} <> ${t.parentId}`),
  ],
);

export const jobTags = schema.table(
  "job_tags",
  {
    tag: text().notNull(),
    jobId: uuid("job_id")
      .notNull()
      .references(() => jobs.id, { onDelete: "cascade" }),
  },
  (t) => [primaryKey({ columns: [t.tag, t.jobId] }), index("job_tags_job").on(t.jobId)],
);

/** What a job's metadata is searched by: each value as text. */
export const jobMetadata = schema.table(
  "job_metadata",
  {
    key: text().notNull(),
    value: text().notNull(),
    jobId: uuid("job_id")
      .notNull()
      .references(() => jobs.id, { onDelete: "cascade" }),
  },
  (t) => [primaryKey({ columns: [t.key, t.value, t.jobId] }), index("job_metadata_job").on(t.jobId)],
);

/** A key lives as long as its job and at least 24 hours, hence no foreign key. */
export const idempotencyKeys = schema.table(
  "idempotency_keys",
  {
    owner: text().notNull(),
    key: text().notNull(),
    /** SHA-256 of the request as sent. */
    fingerprint: text().notNull(),
    jobId: uuid("job_id").notNull(),
    createdAt: at("created_at").notNull(),
  },
  (t) => [primaryKey({ columns: [t.owner, t.key] }), index("idempotency_keys_job").on(t.jobId)],
);

/** The n-th try at a job by one worker. */
export const attempts = schema.table(
  "attempts",
  {
    jobId: uuid("job_id")
      .notNull()
      .references(() => jobs.id, { onDelete: "cascade" }),
    attempt: integer().notNull(),
    id: uuid().notNull().unique(),
    life: integer().notNull(),
    /** Made by the worker for each start: a second start of an attempt is refused. */
    runToken: uuid("run_token").notNull().unique(),
    workerId: uuid("worker_id")
      .notNull()
      .references(() => workers.id),
    startedAt: at("started_at").notNull(),
    endedAt: at("ended_at"),
    /** Name of the transition that ended it. */
    outcome: text(),
    errorKind: text("error_kind"),
    /** ErrorInfo of the runtime protocol, its kind widened by TIMEOUT and WORKER_LOST. */
    error: jsonb().$type<JsonObject>(),
    /** All that is needed to run it again, as the runtime resolved it. */
    context: jsonb().$type<JsonObject>(),
    codeHash: text("code_hash"),
    /** Events that came too late and were not recorded. */
    eventsRefused: integer("events_refused").notNull().default(0),
    /** How long its artifacts took to be kept, after the run had ended; null when there were none to keep. */
    storedMs: doublePrecision("stored_ms"),
  },
  (t) => [
    primaryKey({ columns: [t.jobId, t.attempt] }),
    check("attempts_ended", sql`(${t.endedAt} is not null) = (${t.outcome} is not null)`),
    check("attempts_error_kind", sql`${t.errorKind} in (${listed(errorKinds)})`),
    index("attempts_worker").on(t.workerId),
    // Asked before a version is forgotten.
    index("attempts_code").on(t.codeHash).where(sql`${t.codeHash} is not null`),
  ],
);

/** One node (or one branch of it) within a run. */
export const nodeRuns = schema.table(
  "node_runs",
  {
    jobId: uuid("job_id").notNull(),
    attempt: integer().notNull(),
    node: text().notNull(),
    /** Hamilton's task id inside a `Parallelizable` block, empty outside. */
    branch: text().notNull().default(""),
    id: uuid().notNull().unique().default(sql`gen_random_uuid()`),
    /** The runtime's number of the event with which it began: its place in a list that grows while it is read. */
    firstSeq: integer("first_seq").notNull(),
    state: text().notNull(),
    startedAt: at("started_at"),
    endedAt: at("ended_at"),
    durationMs: doublePrecision("duration_ms"),
    cpuMs: doublePrecision("cpu_ms"),
    /** By how much its process' memory grew while it ran, about; null while other nodes ran too. */
    memoryGrowthBytes: bigint("memory_growth_bytes", { mode: "number" }),
    /** ValueSummary of the runtime protocol. */
    summary: jsonb().$type<JsonObject>(),
    error: jsonb().$type<JsonObject>(),
    /** Of a failed node: summaries of what it was called with. */
    inputs: jsonb().$type<JsonObject>(),
    /** Into how many branches a `Parallelizable` node was expanded. */
    branches: integer(),
    /** Why it was reused, or ran although reuse was asked for. */
    reason: jsonb().$type<NodeReason>(),
    /** Whether a later run may take its value; null where reuse was not asked for. */
    stored: boolean(),
    /** `codeVersion` of the graph's node that ran; null where reuse was not asked for. */
    codeVersion: text("code_version"),
  },
  (t) => [
    primaryKey({ columns: [t.jobId, t.attempt, t.node, t.branch] }),
    foreignKey({ columns: [t.jobId, t.attempt], foreignColumns: [attempts.jobId, attempts.attempt] }).onDelete(
      "cascade",
    ),
    uniqueIndex("node_runs_first_seq").on(t.jobId, t.attempt, t.firstSeq),
    check("node_runs_state", sql`${t.state} in ('running', 'succeeded', 'failed', 'reused', 'stopped')`),
  ],
);

/** Facts about jobs, append-only. */
export const events = schema.table(
  "events",
  {
    jobId: uuid("job_id")
      .notNull()
      .references(() => jobs.id, { onDelete: "cascade" }),
    /** 1, 2, 3 … within the job, given while its row is locked. */
    seq: integer().notNull(),
    /** With `xid`, the order of the feed of all jobs. */
    id: bigint({ mode: "bigint" }).notNull().generatedAlwaysAsIdentity(),
    xid: xid8().notNull().default(sql`pg_current_xact_id()`),
    life: integer().notNull(),
    attempt: integer(),
    type: text().notNull(),
    version: smallint().notNull(),
    node: text(),
    branch: text(),
    /** By the database's clock. */
    recordedAt: at("recorded_at").notNull(),
    /** By the clock of where it happened. */
    occurredAt: at("occurred_at").notNull(),
    /** The runtime's own count, for events of a run. */
    sourceSeq: integer("source_seq"),
    data: jsonb().$type<Json>().notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.jobId, t.seq] }),
    index("events_feed").on(t.xid, t.id),
    uniqueIndex("events_source_seq").on(t.jobId, t.attempt, t.sourceSeq).where(sql`${t.sourceSeq} is not null`),
    // What readers of the feed follow: the ends of attempts and lives, in its order.
    index("events_followed")
      .on(t.xid, t.id)
      .where(sql`${t.type} in (${listed(followedEventTypes)})`),
    uniqueIndex("events_terminal")
      .on(t.jobId, t.life)
      .where(sql`${t.type} in (${listed(terminalEventTypes)})`),
  ],
);

/** Places where artifacts are kept, by the id that each carries in itself: whoever reads the same id shares the store. */
export const artifactStores = schema.table("artifact_stores", {
  id: uuid().primaryKey(),
  /** As the last worker that has used it calls it. */
  url: text().notNull(),
});

/** Results of final variables, and what a run leaves behind. */
export const artifacts = schema.table(
  "artifacts",
  {
    id: uuid().primaryKey(),
    jobId: uuid("job_id").notNull(),
    attempt: integer().notNull(),
    name: text().notNull(),
    kind: text().notNull(),
    /** From 1 within the attempt: results, then files, then the log. Null in rows of a worker of before there were files. */
    position: integer(),
    mediaType: text("media_type"),
    /** Where the bytes are within the store; null when `value` holds them, nothing was kept, or it was removed. */
    uri: text(),
    /** The store, by its id. */
    store: uuid(),
    bytes: bigint({ mode: "number" }),
    sha256: text(),
    /** Columns of a frame with their types, and its first rows. */
    schema: jsonb().$type<Json>(),
    preview: jsonb().$type<Json>(),
    /** ValueSummary of the runtime protocol. */
    summary: jsonb().$type<JsonObject>(),
    hasValue: boolean("has_value").notNull(),
    value: jsonb().$type<Json>(),
    /** Why nothing is kept. */
    omitted: text(),
    expiresAt: at("expires_at"),
    /** When it was removed, because its time was over; the row stays as long as its job. */
    removedAt: at("removed_at"),
  },
  (t) => [
    unique("artifacts_name").on(t.jobId, t.attempt, t.kind, t.name),
    foreignKey({ columns: [t.jobId, t.attempt], foreignColumns: [attempts.jobId, attempts.attempt] }).onDelete(
      "cascade",
    ),
    check("artifacts_kind", sql`${t.kind} in ('result', 'file', 'log')`),
    check("artifacts_stored", sql`${t.uri} is null or ${t.store} is not null`),
    uniqueIndex("artifacts_position").on(t.jobId, t.attempt, t.position),
    // How much is kept, read from the index alone.
    index("artifacts_kept").on(t.store, t.bytes).where(sql`${t.uri} is not null and ${t.removedAt} is null`),
    // What the sweep asks: what has expired, and whether a file belongs to anything.
    index("artifacts_expiring").on(t.expiresAt).where(sql`${t.expiresAt} is not null and ${t.removedAt} is null`),
  ],
);

/**
 * Equal failures as one: attempts of a pipeline that ended in the same node with the same class of error, by the same code.
 * Kept by the transaction that ends the attempt. Each row is in one of the two indexes of a kind: the open or the closed one.
 * Jobs are named without a foreign key: a group outlives them.
 */
export const failureGroups = schema.table(
  "failure_groups",
  {
    id: uuid().primaryKey().default(sql`gen_random_uuid()`),
    project: text().notNull(),
    pipeline: text().notNull(),
    /** Empty when no node had begun. */
    node: text().notNull(),
    errorClass: text("error_class").notNull(),
    /** Empty when the attempt ended before the graph was resolved. */
    codeHash: text("code_hash").notNull(),
    errorKind: text("error_kind").notNull(),
    /** Attempts that ended so. */
    count: bigint({ mode: "number" }).notNull(),
    firstSeenAt: at("first_seen_at").notNull(),
    lastSeenAt: at("last_seen_at").notNull(),
    lastJobId: uuid("last_job_id").notNull(),
    lastMessage: text("last_message").notNull(),
    /** Since when a later run of the pipeline has succeeded; a new failure opens it again. */
    closedAt: at("closed_at"),
    closedBy: uuid("closed_by"),
  },
  (t) => [
    unique("failure_groups_key").on(t.project, t.pipeline, t.node, t.errorClass, t.codeHash),
    check("failure_groups_closed", sql`(${t.closedAt} is null) = (${t.closedBy} is null)`),
    check("failure_groups_error_kind", sql`${t.errorKind} in (${listed(errorKinds)})`),
    ...(["open", "closed"] as const).flatMap((state) => {
      const is = state === "open" ? sql`${t.closedAt} is null` : sql`${t.closedAt} is not null`;
      return [
        index(`failure_groups_${state}`).on(t.lastSeenAt, t.id).where(is),
        index(`failure_groups_${state}_project`).on(t.project, t.lastSeenAt, t.id).where(is),
        // Of the open ones it is also what a run that has succeeded looks into.
        index(`failure_groups_${state}_pipeline`).on(t.project, t.pipeline, t.lastSeenAt, t.id).where(is),
      ];
    }),
  ],
);

/** Who did what, in the transaction that did it. Append-only. */
export const audit = schema.table(
  "audit",
  {
    id: bigint({ mode: "bigint" }).primaryKey().generatedAlwaysAsIdentity(),
    at: at("at").notNull(),
    actor: text().notNull(),
    action: text().notNull(),
    /** The id that people see. */
    target: text().notNull(),
    requestId: text("request_id"),
    data: jsonb().$type<JsonObject>().notNull(),
  },
  (t) => [index("audit_target").on(t.target, t.id)],
);

/** One row: which feed this is (a restored dump is another one), and how far back it reaches. */
export const feeds = schema.table(
  "feeds",
  {
    singleton: boolean().primaryKey().default(true),
    epoch: uuid().notNull(),
    floorXid: xid8("floor_xid").notNull(),
    floorId: bigint("floor_id", { mode: "bigint" }).notNull(),
    /** The cluster's own id: when it differs from the present one, the tables were restored elsewhere. */
    systemId: text("system_id").notNull(),
  },
  (t) => [check("feeds_singleton", sql`${t.singleton}`)],
);

/**
 * What has ended within a minute, an hour and a day (UTC), and how long it had waited and run: counts by slots of time (see
 * domain/histogram.ts). Added up from the event log, each end of a life once, and kept when the jobs are pruned.
 */
export const metrics = schema.table(
  "metrics",
  {
    /** minute, hour or day. */
    resolution: text().notNull(),
    at: at("at").notNull(),
    project: text().notNull(),
    pipeline: text().notNull(),
    queue: text().notNull(),
    state: jobState().notNull(),
    /** ended: slot 0 counts the lives. wait, run: each of them is in the slot of its time, when it has one. */
    measure: text().notNull(),
    slot: smallint().notNull(),
    count: bigint({ mode: "number" }).notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.resolution, t.at, t.project, t.pipeline, t.queue, t.state, t.measure, t.slot] }),
    check("metrics_resolution", sql`${t.resolution} in ('minute', 'hour', 'day')`),
    check("metrics_measure", sql`${t.measure} in ('ended', 'wait', 'run')`),
  ],
);

/** Up to which event of the feed each of those has come that read it for all processes together (events/feed-reader.ts). */
export const feedReaders = schema.table("feed_readers", {
  name: text().primaryKey(),
  xid: xid8().notNull(),
  id: bigint({ mode: "bigint" }).notNull(),
});
