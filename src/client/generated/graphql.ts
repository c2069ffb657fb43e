/* eslint-disable */
/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { DocumentTypeDecoration } from '@graphql-typed-document-node/core';
/** What an artifact is. */
export type ArtifactKind =
  /** A file that the run has left in FLOWERPOWER_RUN_DIR. */
  | 'FILE'
  /** The whole log, when lines of it are missing among the events: text, compressed. */
  | 'LOG'
  /** The value of a final variable. */
  | 'RESULT';

/** How an attempt ended. */
export type AttemptOutcome =
  /** It failed, and the job with it. */
  | 'FAIL'
  /** Its worker stopped and handed the job back. */
  | 'RELEASE'
  /** Its worker died; the job was queued again. */
  | 'RESCUE'
  /** It failed, and another one follows. */
  | 'RETRY'
  /** It was stopped on request. */
  | 'STOP'
  /** It succeeded. */
  | 'SUCCEED';

/** How the delay before a further try grows. */
export type Backoff =
  /** It doubles each time. */
  | 'EXPONENTIAL'
  /** It stays as it is. */
  | 'FIXED';

/** Which job is to be stopped, and why. */
export type CancelJobInput = {
  /** The job's id: `job_…`. */
  id: string | number;
  /** Why, for whoever asks later; at most 1000 characters. */
  reason?: string | null | undefined;
};

/** Which jobs are to be stopped. */
export type CancelJobsInput = {
  /** Only tell to how many it would be done, and show some of them. */
  dryRun?: boolean;
  /** All jobs that fit and to which it can be done, the oldest first, 1000 in one call. An empty filter is refused. */
  filter?: JobFilter | null | undefined;
  /** These jobs, at most 1000. Either these or a filter. */
  ids?: Array<string | number> | null | undefined;
  /** Why, for whoever asks later; at most 1000 characters. */
  reason?: string | null | undefined;
};

/** How something differs. */
export type ChangeKind =
  /** Only the later one has it. */
  | 'ADDED'
  /** Both have it, and it is not the same. */
  | 'CHANGED'
  /** Only the earlier one has it. */
  | 'REMOVED';

/** What became of a node; of several branches what the worst came to. */
export type ComparedNodeState =
  /** It raised an error. */
  | 'FAILED'
  /** It was on the run's path and did not begin. */
  | 'NEVER_RAN'
  /** Its value of an earlier run was taken. */
  | 'REUSED'
  /** It is running. */
  | 'RUNNING'
  /** The run ended while it was running. */
  | 'STOPPED'
  /** It has a value. */
  | 'SUCCEEDED';

/** A limit on jobs that have the same key, over all queues and workers. */
export type ConcurrencyInput = {
  /** The key; the pipeline, and what its YAML's `concurrency_key` names, when absent. */
  key?: string | null | undefined;
  /** So many of them at most, 1 to 100000. */
  limit: number;
};

/** A queue that is to be made. */
export type CreateQueueInput = {
  /** With so many jobs waiting it takes no more, 1 to 1000000; null: any number. Absent: null. */
  backlogLimit?: number | null | undefined;
  /** How many of its jobs may be with workers at the same time, over all of them, 1 to 1000000; null: any number. Absent: null. */
  concurrencyLimit?: number | null | undefined;
  /** What its jobs are run with; nothing when absent. */
  jobDefaults?: QueueDefaultsInput | null | undefined;
  /** Its name: letters, digits, `_`, `-` and `.`. */
  name: string;
  /** How many of its jobs may be given to workers within a time; null: any number. Absent: null. */
  rateLimit?: RateLimitInput | null | undefined;
};

/** Which jobs are to be forgotten. */
export type DeleteJobsInput = {
  /** Only tell to how many it would be done, and show some of them. */
  dryRun?: boolean;
  /** All jobs that fit and to which it can be done, the oldest first, 1000 in one call. An empty filter is refused. */
  filter?: JobFilter | null | undefined;
  /** These jobs, at most 1000. Either these or a filter. */
  ids?: Array<string | number> | null | undefined;
  /** Why, for whoever asks later; at most 1000 characters. */
  reason?: string | null | undefined;
};

/** How a job has to have ended for the one that waits for it to run. */
export type DependencyCondition =
  /** It has ended, in whatever way. */
  | 'ENDED'
  /** It has failed. One that is cancelled or expires has not. */
  | 'FAILED'
  /** It has succeeded. */
  | 'SUCCEEDED';

/** A job that has to end first. */
export type DependencyInput = {
  /** The job's id: `job_…`. */
  job: string | number;
  /** What is done when it ends in another way. */
  otherwise?: DependencyPolicy;
  /** How it has to end. */
  when?: DependencyCondition;
};

/** What becomes of a job when one that it waits for has ended in another way than it should. */
export type DependencyPolicy =
  /** It goes on waiting: until the other one has been requeued and has ended as it should, or somebody cancels it. */
  | 'BLOCK'
  /** It is cancelled, and so is what waits for it. */
  | 'CANCEL';

/** In what way something differs. */
export type DifferenceKind =
  /** Only `b` has it. */
  | 'ADDED'
  /** Both have it, and it is not the same. */
  | 'CHANGED'
  /** Only `a` has it. */
  | 'REMOVED';

/** Which project is to be disabled, and why. */
export type DisableProjectInput = {
  /** The name under which it is registered. */
  name: string;
  /** Why, for whoever asks later; at most 1000 characters. */
  reason?: string | null | undefined;
};

/** Which worker is to take nothing more, and why. */
export type DrainWorkerInput = {
  /** The worker's id: `wkr_…`. */
  id: string | number;
  /** Why, for whoever asks later; at most 1000 characters. */
  reason?: string | null | undefined;
};

/** Which project is to be enabled. */
export type EnableProjectInput = {
  /** The name under which it is registered. */
  name: string;
};

/** A run that is asked for. What is absent is the pipeline's own. */
export type EnqueueJobInput = {
  /** How many jobs like it may be with workers at the same time; as the pipeline's YAML says when absent. */
  concurrency?: ConcurrencyInput | null | undefined;
  /** Hamilton config, merged over the pipeline's own. At most 256 KiB. */
  config?: Record<string, unknown> | null | undefined;
  /** Jobs that have to end before it runs, at most 100. */
  dependsOn?: Array<DependencyInput> | null | undefined;
  /** How the nodes of the run are spread. */
  executor?: ExecutorInput | null | undefined;
  /** Not started by then, it expires; never when absent. */
  expiresAt?: string | null | undefined;
  /** Instead of `expiresAt`: it expires when it has not started so long after the server has taken it. */
  expiresInMs?: number | null | undefined;
  /** Nodes to compute. */
  finalVars?: Array<string> | null | undefined;
  /** Equal calls with one key make one job. */
  idempotencyKey?: string | null | undefined;
  /** Inputs, merged over the pipeline's own. At most 256 KiB. */
  inputs?: Record<string, unknown> | null | undefined;
  /** Inputs that are results of other jobs, at most 100. */
  inputsFrom?: Array<InputFromInput> | null | undefined;
  /** The lowest level of log lines that is recorded. */
  logLevel?: LogLevel | null | undefined;
  /** A JSON object of texts, numbers and booleans to find it by, at most 20: `{"customer": "acme", "order": 42}`. */
  metadata?: Record<string, unknown> | null | undefined;
  /** Labels that a worker must have to take it, at most 10: `gpu`, `region=eu`; as the YAML says when absent, none when empty. */
  needs?: Array<string> | null | undefined;
  /** What becomes of a key that was used before. */
  onReplay?: OnReplay;
  /** What becomes of it when its worker dies; RETRY unless a retry of 0 is written. */
  onWorkerLost?: OnWorkerLost | null | undefined;
  /** `project/pipeline`, or its name beside `project`. */
  pipeline: string;
  /** From 0 to 100, higher is taken first; 50 when absent. */
  priority?: number | null | undefined;
  /** The project; not needed when one project alone has such a pipeline. */
  project?: string | null | undefined;
  /** The queue in which it waits. */
  queue?: string | null | undefined;
  /** Nodes that run whatever is stored of them, at most 1000. */
  recompute?: Array<string> | null | undefined;
  /** The person behind an application: a label. */
  requestedBy?: string | null | undefined;
  /** What is kept of the final variables. */
  results?: ResultMode | null | undefined;
  /** When a failed attempt is tried again. */
  retry?: RetryInput | null | undefined;
  /** How much it may take from what nodes have computed before. */
  reuse?: ReuseMode | null | undefined;
  /** When it is due; now when absent. */
  runAt?: string | null | undefined;
  /** Instead of `runAt`: due so long after the server has taken it, by the database's clock. At most a year. */
  runInMs?: number | null | undefined;
  /** In which Python process it runs. */
  runtime?: RuntimeMode | null | undefined;
  /** Words to find it by, at most 20. */
  tags?: Array<string> | null | undefined;
  /** After so long an attempt is stopped, up to 24 days. */
  timeoutMs?: number | null | undefined;
  /** There is to be at most one such job. */
  unique?: UniqueInput | null | undefined;
};

/** Runs that are asked for together. */
export type EnqueueJobsInput = {
  /** The runs, 1 to 1000. */
  jobs: Array<EnqueueJobInput>;
  /** What becomes of the others when one cannot be made. */
  onError?: OnEnqueueError;
};

/** Why an attempt did not succeed. */
export type ErrorKind =
  /** It was stopped on request. */
  | 'CANCELLED'
  /** The run did not fit the pipeline as it was at the start. */
  | 'INVALID'
  /** The pipeline's own code. */
  | 'PIPELINE'
  /** It took longer than its timeout. */
  | 'TIMEOUT'
  /** The worker or its Python process died. */
  | 'WORKER_LOST';

/** The types of events. */
export type EventType =
  /** `artifact.stored`, the type ArtifactStored. */
  | 'ARTIFACT_STORED'
  /** `job.cancelled`, the type JobCancelled. */
  | 'JOB_CANCELLED'
  /** `job.cancel_requested`, the type JobCancelRequested. */
  | 'JOB_CANCEL_REQUESTED'
  /** `job.enqueued`, the type JobEnqueued. */
  | 'JOB_ENQUEUED'
  /** `job.expired`, the type JobExpired. */
  | 'JOB_EXPIRED'
  /** `job.failed`, the type JobFailed. */
  | 'JOB_FAILED'
  /** `job.postponed`, the type JobPostponed. */
  | 'JOB_POSTPONED'
  /** `job.queued`, the type JobQueued. */
  | 'JOB_QUEUED'
  /** `job.released`, the type JobReleased. */
  | 'JOB_RELEASED'
  /** `job.requeued`, the type JobRequeued. */
  | 'JOB_REQUEUED'
  /** `job.rescued`, the type JobRescued. */
  | 'JOB_RESCUED'
  /** `job.retry_planned`, the type JobRetryPlanned. */
  | 'JOB_RETRY_PLANNED'
  /** `job.scheduled`, the type JobScheduled. */
  | 'JOB_SCHEDULED'
  /** `job.stalled`, the type JobStalled. */
  | 'JOB_STALLED'
  /** `job.started`, the type JobStarted. */
  | 'JOB_STARTED'
  /** `job.succeeded`, the type JobSucceeded. */
  | 'JOB_SUCCEEDED'
  /** `job.updated`, the type JobUpdated. */
  | 'JOB_UPDATED'
  /** `log.dropped`, the type LogDropped. */
  | 'LOG_DROPPED'
  /** `log.line`, the type LogLine. */
  | 'LOG_LINE'
  /** `node.expanded`, the type NodeExpanded. */
  | 'NODE_EXPANDED'
  /** `node.failed`, the type NodeFailed. */
  | 'NODE_FAILED'
  /** `node.reused`, the type NodeReused. */
  | 'NODE_REUSED'
  /** `node.started`, the type NodeStarted. */
  | 'NODE_STARTED'
  /** `node.succeeded`, the type NodeSucceeded. */
  | 'NODE_SUCCEEDED'
  /** `run.resolved`, the type RunResolved. */
  | 'RUN_RESOLVED';

/** How the nodes of one run are spread within the worker's Python process. What is absent is the pipeline's own. */
export type ExecutorInput = {
  /** Threads or processes, 1 to 1024. */
  maxWorkers?: number | null | undefined;
  /** Processors, 1 to 1024. */
  numCpus?: number | null | undefined;
  /** The kind of executor. */
  type?: ExecutorType | null | undefined;
};

/** How the nodes of one run are spread within the worker's Python process. */
export type ExecutorType =
  /** The branches on Dask, where the project's environment has it. */
  | 'DASK'
  /** The branches of a `Parallelizable` node in processes. */
  | 'PROCESSPOOL'
  /** The branches on Ray, where the project's environment has it. */
  | 'RAY'
  /** One node after the other. */
  | 'SYNCHRONOUS'
  /** The branches of a `Parallelizable` node on threads. */
  | 'THREADPOOL';

/** Which failures: those to which all of it applies. */
export type FailureFilter = {
  /** True: only those after which no run has succeeded; false: only the others. Absent: both. */
  open?: boolean | null | undefined;
  /** Only failures of this pipeline: `project/pipeline`, or its name beside `project`. */
  pipeline?: string | null | undefined;
  /** Only failures of this project. */
  project?: string | null | undefined;
};

/** Which events: those to which all of it applies. An empty list fits none. */
export type FeedFilter = {
  /** Only events of these jobs, at most 100. */
  ids?: Array<string | number> | null | undefined;
  /** Only events of jobs of this pipeline: `project/pipeline`, or its name beside `project`. */
  pipeline?: string | null | undefined;
  /** Only events of jobs of this project. */
  project?: string | null | undefined;
  /** Only events of jobs of this queue. */
  queue?: string | null | undefined;
  /** Only events of these types. */
  types?: Array<EventType> | null | undefined;
};

/** What a node of a graph is. */
export type GraphNodeKind =
  /** Brings the branches of a `Parallelizable` together. */
  | 'COLLECT'
  /** Given by the run's config. */
  | 'CONFIG'
  /** A `Parallelizable`: everything up to its collect runs once for each item. */
  | 'EXPAND'
  /** A function of the pipeline's modules. */
  | 'FUNCTION'
  /** Given by the run's inputs. */
  | 'INPUT';

/** An input that is a result of another job. The run waits for that job, and takes the value when it starts. */
export type InputFromInput = {
  /** The input. */
  input: string;
  /** The job whose result it is: `job_…`. */
  job: string | number;
  /** The final variable of that job. */
  variable: string;
};

/** Who gives an input its value. */
export type InputSource =
  /** A default in the code of the nodes that take it. */
  | 'CODE'
  /** The config of the run. */
  | 'CONFIG'
  /** A variable of the worker's environment that overlays the YAML. */
  | 'ENVIRONMENT'
  /** The pipeline's YAML. */
  | 'FILE'
  /** Another job, whose result it is: known when the run starts. */
  | 'JOB'
  /** The request. */
  | 'REQUEST';

/** Which jobs: those to which all of it applies. An empty list fits none. */
export type JobFilter = {
  /** Only jobs enqueued at this time or later. */
  createdAfter?: string | null | undefined;
  /** Only jobs enqueued before this time. */
  createdBefore?: string | null | undefined;
  /** Only these jobs, at most 100. */
  ids?: Array<string | number> | null | undefined;
  /** Only jobs whose metadata has all of these, at most 5. */
  metadata?: Array<MetadataFilter> | null | undefined;
  /** Only jobs of this pipeline: `project/pipeline`, or its name beside `project`. */
  pipeline?: string | null | undefined;
  /** Only jobs of this project. */
  project?: string | null | undefined;
  /** Only jobs of this queue. */
  queue?: string | null | undefined;
  /** True: only jobs whose run seems to have stalled; false: only others. Absent: both. */
  stalled?: boolean | null | undefined;
  /** Only jobs in one of these states. */
  states?: Array<JobState> | null | undefined;
  /** Only jobs with this tag. */
  tag?: string | null | undefined;
};

/** In which order jobs are listed. Each has its index. */
export type JobOrder =
  /** By when they ended, the earliest first. Only jobs that have ended. */
  | 'FINISHED_AT_ASC'
  /** By when they ended, the latest first. Only jobs that have ended. */
  | 'FINISHED_AT_DESC'
  /** By when they were enqueued, the oldest first. */
  | 'ID_ASC'
  /** By when they were enqueued, the newest first. */
  | 'ID_DESC'
  /** By when they are due, the earliest first. */
  | 'RUN_AT_ASC'
  /** By when they are due, the latest first. */
  | 'RUN_AT_DESC';

/** Where a job is in its life. */
export type JobState =
  /** Waits for other jobs. */
  | 'BLOCKED'
  /** Stopped on request. */
  | 'CANCELLED'
  /** Was not started before its time to live ended. */
  | 'EXPIRED'
  /** The last attempt failed and no further one is allowed. */
  | 'FAILED'
  /** Due, waits for a worker. */
  | 'QUEUED'
  /** The last attempt failed, the next is due later. */
  | 'RETRYABLE'
  /** An attempt is under way. */
  | 'RUNNING'
  /** Due later. */
  | 'SCHEDULED'
  /** Every final variable was computed. */
  | 'SUCCEEDED';

/** The lowest level of log lines that a run records. */
export type LogLevel =
  /** What ends the run. */
  | 'CRITICAL'
  /** Everything. */
  | 'DEBUG'
  /** What is wrong. */
  | 'ERROR'
  /** What happens. */
  | 'INFO'
  /** What may be wrong. */
  | 'WARNING';

/** A key of the metadata with its value. */
export type MetadataFilter = {
  /** The key. */
  key: string;
  /** The value as text: `"acme"`, `"42"`, `"true"`. */
  value: string;
};

/** How long the buckets of time are. All begin at whole ones in UTC. */
export type MetricsBucketSize =
  /** A day; kept for three years. */
  | 'DAY'
  /** An hour; kept for sixty days. */
  | 'HOUR'
  /** A minute; kept for two days. */
  | 'MINUTE';

/** Which jobs: those to which all of it applies. */
export type MetricsFilter = {
  /** Only jobs of this pipeline: `project/pipeline`, or its name beside `project`. */
  pipeline?: string | null | undefined;
  /** Only jobs of this project. */
  project?: string | null | undefined;
  /** Only jobs of this queue. */
  queue?: string | null | undefined;
};

/** What of a node differs. */
export type NodeAspect =
  /** What it needs. */
  | 'DEPENDENCIES'
  /** Its docstring. */
  | 'DOC'
  /** What it is: a function, an input … */
  | 'KIND'
  /** The text of its function. */
  | 'SOURCE'
  /** Hamilton's tags. */
  | 'TAGS'
  /** Its type. */
  | 'TYPE';

/** Why a node was reused, or ran although reuse was asked for. */
export type NodeReasonCode =
  /** It ran: its function, or code that it leads to, has changed. */
  | 'CODE_CHANGED'
  /** Reused: it was computed before, by the same code from equal inputs. */
  | 'HIT'
  /** It ran: an input or an upstream node has another value. */
  | 'INPUT_CHANGED'
  /** It ran: it loads or saves data, which a stored value would leave out. */
  | 'LOADS_OR_SAVES'
  /** It ran: no result of it is stored, or none that can be read. */
  | 'NOTHING_STORED'
  /** It ran: its value cannot be stored or compared. */
  | 'NOT_REUSABLE'
  /** It ran: it depends on no other node, so what it reads may have changed. */
  | 'NO_UPSTREAM'
  /** It ran: the request or its code asked for it. */
  | 'RECOMPUTE_ASKED';

/** Which node runs: those to which all of it applies. */
export type NodeRunFilter = {
  /** Only runs of this node: more than one when it ran in branches. */
  node?: string | null | undefined;
  /** Only runs in one of these states. An empty list fits none. */
  states?: Array<NodeRunState> | null | undefined;
};

/** What became of a node in a run. */
export type NodeRunState =
  /** It raised an error. */
  | 'FAILED'
  /** Its value of an earlier run was taken. */
  | 'REUSED'
  /** It is running. */
  | 'RUNNING'
  /** The run ended while it was running. */
  | 'STOPPED'
  /** It has a value. */
  | 'SUCCEEDED';

/** What becomes of the good jobs when others of the call cannot be made. */
export type OnEnqueueError =
  /** Nothing is stored: all of them or none. */
  | 'REJECT_ALL'
  /** The good ones are stored, the others refused. */
  | 'REJECT_FAILED';

/** What becomes of a request whose idempotency key was used before. */
export type OnReplay =
  /** A new job when that one failed, was cancelled or expired. */
  | 'NEW_IF_FAILED'
  /** The job of then is the answer, in whatever state it is. */
  | 'RETURN';

/** What becomes of a job whose worker dies while it runs. */
export type OnWorkerLost =
  /** It fails: it may have run partly, and must not run twice. */
  | 'FAIL'
  /** It runs again, a bounded number of times. */
  | 'RETRY';

/** Which queue is to be paused, until when, and why. */
export type PauseQueueInput = {
  /** The queue's name. */
  name: string;
  /** Why, for whoever asks later; at most 1000 characters. */
  reason?: string | null | undefined;
  /** When it opens by itself; when somebody resumes it, if absent. */
  until?: string | null | undefined;
};

/** Whether a pipeline can be run. */
export type PipelineStatus =
  /** Its module or configuration has an error; what is shown is its last good version. */
  | 'BROKEN'
  /** It can be run. */
  | 'OK'
  /** A module without a YAML: it is listed, and imported only when `variant` or a run asks for it. */
  | 'UNCONFIGURED';

/** A run that is only to be looked at. What is absent is the pipeline's own. */
export type PlanJobInput = {
  /** How many jobs like it may be with workers at the same time; as the pipeline's YAML says when absent. */
  concurrency?: ConcurrencyInput | null | undefined;
  /** Hamilton config, merged over the pipeline's own. At most 256 KiB. */
  config?: Record<string, unknown> | null | undefined;
  /** How the nodes of the run are spread. */
  executor?: ExecutorInput | null | undefined;
  /** Nodes to compute. */
  finalVars?: Array<string> | null | undefined;
  /** Inputs, merged over the pipeline's own. At most 256 KiB. */
  inputs?: Record<string, unknown> | null | undefined;
  /** Inputs that are results of other jobs, at most 100. */
  inputsFrom?: Array<InputFromInput> | null | undefined;
  /** The lowest level of log lines that is recorded. */
  logLevel?: LogLevel | null | undefined;
  /** Labels that a worker must have to take it, at most 10: `gpu`, `region=eu`; as the YAML says when absent, none when empty. */
  needs?: Array<string> | null | undefined;
  /** What becomes of it when its worker dies; RETRY unless a retry of 0 is written. */
  onWorkerLost?: OnWorkerLost | null | undefined;
  /** `project/pipeline`, or its name beside `project`. */
  pipeline: string;
  /** From 0 to 100, higher is taken first; 50 when absent. */
  priority?: number | null | undefined;
  /** The project; not needed when one project alone has such a pipeline. */
  project?: string | null | undefined;
  /** The queue in which it waits. */
  queue?: string | null | undefined;
  /** Nodes that run whatever is stored of them, at most 1000. */
  recompute?: Array<string> | null | undefined;
  /** What is kept of the final variables. */
  results?: ResultMode | null | undefined;
  /** When a failed attempt is tried again. */
  retry?: RetryInput | null | undefined;
  /** How much it may take from what nodes have computed before. */
  reuse?: ReuseMode | null | undefined;
  /** In which Python process it runs. */
  runtime?: RuntimeMode | null | undefined;
  /** After so long an attempt is stopped, up to 24 days. */
  timeoutMs?: number | null | undefined;
};

/** What can be wrong with a run before it has begun. */
export type PlanProblemCode =
  /** An adapter cannot be used in the way in which the run would go. */
  | 'ADAPTER'
  /** An adapter calls the nodes itself, as reuse does. */
  | 'ADAPTER_REUSE'
  /** Hamilton's async driver has no branches. */
  | 'ASYNC_BRANCHES'
  /** No executor runs anything of an async pipeline. */
  | 'ASYNC_EXECUTOR'
  /** A node is async, and the pipeline's YAML switches the async driver off. */
  | 'ASYNC_OFF'
  /** Hamilton's async driver reuses nothing. */
  | 'ASYNC_REUSE'
  /** An option has a value that it cannot have. */
  | 'BAD_OPTION'
  /** It runs once for each branch and has no single value. */
  | 'BRANCH_FINAL_VAR'
  /** The project or the pipeline has an error of its own. */
  | 'BROKEN'
  /** The pipeline computes it: it cannot be given. */
  | 'COMPUTED_INPUT'
  /** The config gives it as well. */
  | 'CONFIG_INPUT'
  /** Hamilton would never end. */
  | 'ENDLESS_COLLECT'
  /** The project's environment lacks what the executor needs. */
  | 'EXECUTOR_MISSING'
  /** An input that is needed is not given and has no default. */
  | 'MISSING_INPUT'
  /** No final variable is set. */
  | 'NO_FINAL_VARS'
  /** Branches are collected more than once, and Hamilton would fail. */
  | 'REPEATED_COLLECT'
  /** It is nested deeper than FlowerPower takes. */
  | 'TOO_DEEP'
  /** The pipeline has no YAML. */
  | 'UNCONFIGURED'
  /** FlowerPower has no such executor. */
  | 'UNKNOWN_EXECUTOR'
  /** There is no such node. */
  | 'UNKNOWN_FINAL_VAR'
  /** There is no such input. */
  | 'UNKNOWN_INPUT'
  /** There is no such queue. */
  | 'UNKNOWN_QUEUE'
  /** There is no such node to compute again. */
  | 'UNKNOWN_RECOMPUTE'
  /** A process pool cannot be sent the nodes of the branches. */
  | 'UNPICKLABLE'
  /** The value does not fit the input's type. */
  | 'WRONG_TYPE';

/** What becomes of a node of a planned run. */
export type PlannedAction =
  /** Its value of an earlier run is taken. */
  | 'REUSE'
  /** It is computed. */
  | 'RUN';

/** A prune out of turn: servers and workers do it by themselves every minute. */
export type PruneJobsInput = {
  /** Only count what would be removed. False if absent. */
  dryRun?: boolean | null | undefined;
  /** This once by this age, whatever the final state, and not by `retention`; at least 60000. The last jobs of each pipeline stay, and `failure_ttl` in a YAML goes on to count. */
  olderThanMs?: number | null | undefined;
};

/** What a queue's jobs are to be run with. What is absent stays as it is; what is null the queue no longer says. */
export type QueueDefaultsInput = {
  /** Labels that a worker must have, at most 10. */
  needs?: Array<string> | null | undefined;
  /** What becomes of a job whose worker dies. */
  onWorkerLost?: OnWorkerLost | null | undefined;
  /** From 0 to 100; higher is taken first. */
  priority?: number | null | undefined;
  /** When a failed attempt is tried again: the whole of it. */
  retry?: RetryInput | null | undefined;
  /** After so long an attempt is stopped, up to 24 days. */
  timeoutMs?: number | null | undefined;
  /** Not started so long after it was due, a job expires; up to 24 days. */
  ttlMs?: number | null | undefined;
};

/** So many jobs within a time. */
export type RateLimitInput = {
  /** How many jobs, 1 to 1000000. */
  jobs: number;
  /** Within how long, 1 to 86400000: a day. */
  periodMs: number;
};

/** Which project is to be described again. */
export type ReloadProjectInput = {
  /** The name under which it is registered. */
  name: string;
  /** How long to wait for a worker to have published it, at most 60000; without it: 10000. */
  waitMs?: number | null | undefined;
};

/** Which job gets another life, and why. */
export type RequeueJobInput = {
  /** Not started by then, it expires; never when absent, whatever held for the life before. */
  expiresAt?: string | null | undefined;
  /** The job's id: `job_…`. */
  id: string | number;
  /** Why, for whoever asks later; at most 1000 characters. */
  reason?: string | null | undefined;
};

/** Which jobs get another life. */
export type RequeueJobsInput = {
  /** Only tell to how many it would be done, and show some of them. */
  dryRun?: boolean;
  /** All jobs that fit and to which it can be done, the oldest first, 1000 in one call. An empty filter is refused. */
  filter?: JobFilter | null | undefined;
  /** These jobs, at most 1000. Either these or a filter. */
  ids?: Array<string | number> | null | undefined;
  /** Why, for whoever asks later; at most 1000 characters. */
  reason?: string | null | undefined;
};

/** With which code a job is run again. */
export type RerunCode =
  /** With what is in the project's folder when the new job starts. */
  | 'CURRENT'
  /** With what the old job ran. Refused when that is no longer what is published: old code is not kept. When it has changed by the time the new job starts, that fails as `INVALID`. */
  | 'SAME';

/** Which job is made anew, and what is different. What is absent is as with the old job; what is null is as if the old job had not said it. */
export type RerunJobInput = {
  /** With which code. */
  code?: RerunCode;
  /** Hamilton config, merged by key over the old job's. At most 256 KiB. */
  config?: Record<string, unknown> | null | undefined;
  /** How the nodes of the run are spread. */
  executor?: ExecutorInput | null | undefined;
  /** Not started by then, it expires; never when absent. */
  expiresAt?: string | null | undefined;
  /** Instead of `expiresAt`: it expires when it has not started so long after the server has taken it. */
  expiresInMs?: number | null | undefined;
  /** Nodes to compute. */
  finalVars?: Array<string> | null | undefined;
  /** The old job's id: `job_…`. It has ended, in whatever way. */
  id: string | number;
  /** Equal calls with one key make one job. */
  idempotencyKey?: string | null | undefined;
  /** Inputs, merged by key over the old job's. At most 256 KiB. */
  inputs?: Record<string, unknown> | null | undefined;
  /** The lowest level of log lines that is recorded. */
  logLevel?: LogLevel | null | undefined;
  /** A JSON object of texts, numbers and booleans to find it by, at most 20: `{"customer": "acme", "order": 42}`. As it was when absent. */
  metadata?: Record<string, unknown> | null | undefined;
  /** What becomes of a key that was used before. */
  onReplay?: OnReplay;
  /** What becomes of it when its worker dies. */
  onWorkerLost?: OnWorkerLost | null | undefined;
  /** From 0 to 100, higher is taken first. */
  priority?: number | null | undefined;
  /** The queue in which it waits. */
  queue?: string | null | undefined;
  /** Nodes that run whatever is stored of them, in the place of the old job's. */
  recompute?: Array<string> | null | undefined;
  /** The person behind an application: a label. */
  requestedBy?: string | null | undefined;
  /** What is kept of the final variables. */
  results?: ResultMode | null | undefined;
  /** When a failed attempt is tried again. */
  retry?: RetryInput | null | undefined;
  /** Which values of earlier runs may be taken. */
  reuse?: ReuseMode | null | undefined;
  /** When it is due; now when absent. */
  runAt?: string | null | undefined;
  /** Instead of `runAt`: due so long after the server has taken it, by the database's clock. At most a year. */
  runInMs?: number | null | undefined;
  /** In which Python process it runs. */
  runtime?: RuntimeMode | null | undefined;
  /** Words to find it by, at most 20, in the place of the old job's. */
  tags?: Array<string> | null | undefined;
  /** After so long an attempt is stopped, up to 24 days. */
  timeoutMs?: number | null | undefined;
  /** Inputs that the old job gave and this one does not. */
  unset?: Array<string> | null | undefined;
  /** Keys of the config that the old job gave and this one does not. */
  unsetConfig?: Array<string> | null | undefined;
};

/** In what a result differs. */
export type ResultAspect =
  /** It has other columns, or columns of other types. */
  | 'COLUMNS'
  /** Only one of them has such a result. */
  | 'PRESENCE'
  /** The values are not kept, and look different. */
  | 'PREVIEW'
  /** It has another shape or length. */
  | 'SHAPE'
  /** It is of another type. */
  | 'TYPE'
  /** Its value is another one. */
  | 'VALUE';

/** What is kept of the final variables. */
export type ResultMode =
  /** Values up to the size limits, and summaries. */
  | 'FULL'
  /** Nothing. */
  | 'NONE'
  /** Summaries only: type, shape, size. */
  | 'SUMMARY';

/** Which queue is to be opened. */
export type ResumeQueueInput = {
  /** The queue's name. */
  name: string;
};

/** Which worker is to take jobs again. */
export type ResumeWorkerInput = {
  /** The worker's id: `wkr_…`. */
  id: string | number;
};

/** When a failed attempt is tried again. What is absent is the pipeline's own. */
export type RetryInput = {
  /** How the delay grows; it doubles when absent. */
  backoff?: Backoff | null | undefined;
  /** Instead of a delay that grows: before the second try, the third …, the last one for all further ones. At most 100. */
  delaysMs?: Array<number> | null | undefined;
  /** The part of the delay by which it is lengthened at random, 0 to 1. */
  jitterFactor?: number | null | undefined;
  /** No delay is longer, jitter included, up to a day. An hour before the jitter when absent. */
  maxDelayMs?: number | null | undefined;
  /** Further tries after the first, 0 to 100. */
  maxRetries: number;
  /** Class names of the errors that are never tried again, at most 50, whatever `retryExceptions` says. */
  nonRetryableExceptions?: Array<string> | null | undefined;
  /** Before the second try, up to a day; doubles for each further one. */
  retryDelayMs?: number | null | undefined;
  /** Class names of the errors that are tried again, at most 50: `ConnectionError`, `requests.exceptions.Timeout`. */
  retryExceptions?: Array<string> | null | undefined;
};

/** How much a run may take from what nodes have computed before. */
export type ReuseMode =
  /** What any job of the project has stored. Nodes without upstream nodes, and such as load or save data, run all the same. */
  | 'FULL'
  /** Nothing: every node runs, and nothing is stored. */
  | 'NONE'
  /** What the job's own earlier attempts have stored, and the jobs that it was rerun from. */
  | 'RESUME';

/** In which Python process a run takes place. */
export type RuntimeMode =
  /** In a new one, for pipelines that leave things behind in their process. */
  | 'FRESH'
  /** In one that has run the project before: modules are imported already. */
  | 'WARM';

/** What a queue's jobs are to be run with from now on. */
export type SetQueueDefaultsInput = {
  /** What is to be different. */
  jobDefaults: QueueDefaultsInput;
  /** The queue's name. */
  name: string;
};

/** What a queue is to let pass from now on. */
export type SetQueueLimitsInput = {
  /** With so many jobs waiting it takes no more, 1 to 1000000; null: any number. Absent: as it is. */
  backlogLimit?: number | null | undefined;
  /** How many of its jobs may be with workers at the same time, over all of them, 1 to 1000000; null: any number. Absent: as it is. */
  concurrencyLimit?: number | null | undefined;
  /** The queue's name. */
  name: string;
  /** How many of its jobs may be given to workers within a time; null: any number. Absent: as it is. */
  rateLimit?: RateLimitInput | null | undefined;
};

/** Why a run is taken for stalled. */
export type StallReason =
  /** It has told nothing and used no processor time for long. */
  | 'NO_PROGRESS'
  /** It takes several times what nearly all runs of its pipeline took. */
  | 'SLOW';

/** Which worker is to end, within which time, and why. */
export type StopWorkerInput = {
  /** How long its runs may go on, 0 to 86400000: a day. Absent: as long as it was started with (`--grace`). */
  graceMs?: number | null | undefined;
  /** The worker's id: `wkr_…`. */
  id: string | number;
  /** Why, for whoever asks later; at most 1000 characters. */
  reason?: string | null | undefined;
};

/** Of all jobs of the project that are asked for with one key there is at most one in the states that count. */
export type UniqueInput = {
  /** For DEBOUNCE, and needed there: how long there has to be no further call. */
  debounceMs?: number | null | undefined;
  /** The key. */
  key: string;
  /** What becomes of a call that finds one. */
  policy?: UniquePolicy;
  /** In which states a job counts. When absent: WAITING_OR_RUNNING for RETURN_EXISTING, WAITING for the others. */
  while?: UniqueWhile | null | undefined;
};

/** What becomes of a call that finds a job with its unique key. */
export type UniquePolicy =
  /** Likewise, and the new one is due when there was no further call for `debounceMs`. */
  | 'DEBOUNCE'
  /** While it waits it is cancelled and the new one takes its place; a running one that counts is the answer. */
  | 'REPLACE_PENDING'
  /** That job is the answer; nothing is made. */
  | 'RETURN_EXISTING';

/** In which states a job with a unique key counts. */
export type UniqueWhile =
  /** Scheduled, blocked, queued or retryable. */
  | 'WAITING'
  /** Until it has ended. */
  | 'WAITING_OR_RUNNING';

/** Which job that waits is to be changed, and what is to be different. What is absent stays as it is. */
export type UpdateJobInput = {
  /** Not started by then, it expires; null: never. */
  expiresAt?: string | null | undefined;
  /** The job's id: `job_…`. */
  id: string | number;
  /** Inputs, merged by key over the job's. At most 256 KiB. */
  inputs?: Record<string, unknown> | null | undefined;
  /** From 0 to 100, higher is taken first. */
  priority?: number | null | undefined;
  /** The queue in which it waits from now on. */
  queue?: string | null | undefined;
  /** Why, for whoever asks later; at most 1000 characters. */
  reason?: string | null | undefined;
  /** When it is due; null: now. A queued job that is due later is scheduled again. */
  runAt?: string | null | undefined;
  /** The tags it has from now on, at most 20, instead of those it had. */
  tags?: Array<string> | null | undefined;
  /** Inputs that the job gave and does not give any more. */
  unset?: Array<string> | null | undefined;
};

/** Which jobs that wait are to be changed, and what is to be different. What is absent stays as it is. */
export type UpdateJobsInput = {
  /** Only tell to how many it would be done, and show some of them. */
  dryRun?: boolean;
  /** All jobs that fit and to which it can be done, the oldest first, 1000 in one call. An empty filter is refused. */
  filter?: JobFilter | null | undefined;
  /** These jobs, at most 1000. Either these or a filter. */
  ids?: Array<string | number> | null | undefined;
  /** From 0 to 100, higher is taken first. */
  priority?: number | null | undefined;
  /** The queue in which it waits from now on. */
  queue?: string | null | undefined;
  /** Why, for whoever asks later; at most 1000 characters. */
  reason?: string | null | undefined;
  /** When it is due; null: now. A queued job that is due later is scheduled again. */
  runAt?: string | null | undefined;
  /** The tags it has from now on, at most 20, instead of those it had. */
  tags?: Array<string> | null | undefined;
};

/** What somebody has asked of a worker. */
export type WorkerRequest =
  /** To finish what it has, take nothing new, and stay. */
  | 'DRAIN'
  /** To finish what it has within a time, hand back the rest, and end. */
  | 'STOP';

/** Where a worker is in its life. */
export type WorkerState =
  /** It vanished; others have taken over its jobs. */
  | 'DEAD'
  /** It finishes what it has and takes nothing new. */
  | 'DRAINING'
  /** It takes jobs. */
  | 'RUNNING'
  /** It has ended in good order. */
  | 'STOPPED';

export type RequeueJobMutationVariables = Exact<{
  input: RequeueJobInput;
}>;


export type RequeueJobMutation = { requeueJob:
    | { __typename: 'JobStateError', code: string, message: string, path: string | null, state: JobState }
    | { __typename: 'NotFoundError', code: string, message: string, path: string | null, suggestion: string | null }
    | { __typename: 'RequeueJobSuccess', cursor: string, job: { id: string, project: string, pipeline: string, state: JobState, queue: string, priority: number, tags: Array<string>, attempt: number, maxAttempts: number, createdAt: string, runAt: string, startedAt: string | null, finishedAt: string | null, cancelRequestedAt: string | null, waitedMs: number | null, runMs: number | null, waitingFor: string | null, stalledAt: string | null, errorKind: ErrorKind | null, requestedBy: string | null, progress: { done: number, total: number | null } } }
   };

export type RerunJobMutationVariables = Exact<{
  input: RerunJobInput;
}>;


export type RerunJobMutation = { rerunJob:
    | { __typename: 'CodeChangedError', code: string, message: string, path: string | null, ran: string | null, published: string | null }
    | { __typename: 'IdempotencyConflictError', code: string, message: string, path: string | null, existingJob: { id: string } | null }
    | { __typename: 'InvalidRunError', code: string, message: string, path: string | null, problems: Array<{ path: string, message: string, suggestion: string | null }> }
    | { __typename: 'JobStateError', code: string, message: string, path: string | null, state: JobState }
    | { __typename: 'NotFoundError', code: string, message: string, path: string | null, suggestion: string | null }
    | { __typename: 'ProjectDisabledError', code: string, message: string, path: string | null }
    | { __typename: 'QueueFullError', code: string, message: string, path: string | null }
    | { __typename: 'RerunJobSuccess', replayed: boolean, job: { validated: boolean, id: string, project: string, pipeline: string, state: JobState, queue: string, priority: number, tags: Array<string>, attempt: number, maxAttempts: number, createdAt: string, runAt: string, startedAt: string | null, finishedAt: string | null, cancelRequestedAt: string | null, waitedMs: number | null, runMs: number | null, waitingFor: string | null, stalledAt: string | null, errorKind: ErrorKind | null, requestedBy: string | null, progress: { done: number, total: number | null } }, plan: { codeHash: string, nodes: Array<string>, reused: Array<string>, count: number } | null }
   };

export type CompareJobsQueryVariables = Exact<{
  a: string | number;
  b: string | number;
}>;


export type CompareJobsQuery = { compareJobs:
    | { __typename: 'JobComparison', isSame: boolean, a: { id: string, project: string, pipeline: string, state: JobState, queue: string, priority: number, tags: Array<string>, attempt: number, maxAttempts: number, createdAt: string, runAt: string, startedAt: string | null, finishedAt: string | null, cancelRequestedAt: string | null, waitedMs: number | null, runMs: number | null, waitingFor: string | null, stalledAt: string | null, errorKind: ErrorKind | null, requestedBy: string | null, progress: { done: number, total: number | null } }, b: { id: string, project: string, pipeline: string, state: JobState, queue: string, priority: number, tags: Array<string>, attempt: number, maxAttempts: number, createdAt: string, runAt: string, startedAt: string | null, finishedAt: string | null, cancelRequestedAt: string | null, waitedMs: number | null, runMs: number | null, waitingFor: string | null, stalledAt: string | null, errorKind: ErrorKind | null, requestedBy: string | null, progress: { done: number, total: number | null } }, request: Array<{ path: string, kind: DifferenceKind, a: unknown, b: unknown, aSource: string | null, bSource: string | null }> | null, resolved: Array<{ path: string, kind: DifferenceKind, a: unknown, b: unknown, aSource: string | null, bSource: string | null }> | null, settings: Array<{ path: string, kind: DifferenceKind, a: unknown, b: unknown, aSource: string | null, bSource: string | null }>, packages: Array<{ path: string, kind: DifferenceKind, a: unknown, b: unknown, aSource: string | null, bSource: string | null }>, outcome: Array<{ path: string, kind: DifferenceKind, a: unknown, b: unknown, aSource: string | null, bSource: string | null }>, codeChange: { a: string | null, b: string | null, files: Array<{ path: string, kind: DifferenceKind, a: unknown, b: unknown, aSource: string | null, bSource: string | null }> } | null, nodes: Array<{ node: string, codeChanged: boolean | null, dependenciesChanged: boolean | null, a: { state: ComparedNodeState, runs: number, durationMs: number | null, codeHash: string | null, dependsOn: Array<string> | null } | null, b: { state: ComparedNodeState, runs: number, durationMs: number | null, codeHash: string | null, dependsOn: Array<string> | null } | null, duration: { aMs: number, bMs: number, differenceMs: number, ratio: number | null } | null }>, results: Array<{ name: string, aspects: Array<ResultAspect>, a: { hasValue: boolean, value: unknown, summary: { type: string, shape: Array<number> | null, length: number | null, bytes: number | null, preview: string | null, columns: Array<{ name: string, type: string }> | null } | null } | null, b: { hasValue: boolean, value: unknown, summary: { type: string, shape: Array<number> | null, length: number | null, bytes: number | null, preview: string | null, columns: Array<{ name: string, type: string }> | null } | null } | null }>, error: { a: { kind: ErrorKind, type: string, message: string, traceback: string | null, node: string | null, branch: string | null, file: string | null, line: number | null, code: string | null, hint: string | null, problems: Array<{ path: string, message: string, suggestion: string | null }> } | null, b: { kind: ErrorKind, type: string, message: string, traceback: string | null, node: string | null, branch: string | null, file: string | null, line: number | null, code: string | null, hint: string | null, problems: Array<{ path: string, message: string, suggestion: string | null }> } | null } | null, duration: { aMs: number, bMs: number, differenceMs: number, ratio: number | null } | null }
    | { __typename: 'NotFoundError', code: string, message: string, path: string | null, suggestion: string | null }
   };

export type FailuresQueryVariables = Exact<{
  first: number;
  after?: string | null | undefined;
  filter?: FailureFilter | null | undefined;
}>;


export type FailuresQuery = { failures: { nodes: Array<{ id: string, project: string, pipeline: string, node: string | null, errorClass: string, errorKind: ErrorKind, codeHash: string | null, count: number, firstSeenAt: string, lastSeenAt: string, lastMessage: string, lastJobId: string, isOpen: boolean, closedAt: string | null, closedById: string | null }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } };

export type PlanRerunQueryVariables = Exact<{
  input: RerunJobInput;
}>;


export type PlanRerunQuery = { planRerun:
    | { __typename: 'CodeChangedError', code: string, message: string, path: string | null, ran: string | null, published: string | null }
    | { __typename: 'InvalidRunError', code: string, message: string, path: string | null, refused: Array<{ path: string, message: string, suggestion: string | null }> }
    | { __typename: 'JobPlan', project: string, pipeline: string, valid: boolean | null, validated: boolean, notValidated: string | null, codeHash: string | null, finalVars: Array<string>, reuseNote: string | null, expectedMs: number | null, pastRuns: number, problems: Array<{ code: PlanProblemCode, path: string, message: string, suggestion: string | null }>, warnings: Array<{ path: string, message: string, suggestion: string | null }>, nodes: Array<{ name: string, kind: GraphNodeKind, type: string, doc: string | null, action: PlannedAction, reason: string, reasonCode: NodeReasonCode | null, reusedFromId: string | null, unless: Array<string>, inBlock: boolean, reusedBranches: number | null, expectedRuns: number | null, expectedMs: number | null }>, inputs: Array<{ name: string, type: string, source: InputSource, place: string, value: unknown, reference: string | null, replaced: { value: unknown, source: string, reference: string | null } | null }>, config: Array<{ key: string, value: unknown, source: string }>, settings: { queue: { value: string, source: string }, priority: { value: number | null, source: string }, ttlMs: { value: number | null, source: string }, needs: { value: Array<string>, source: string }, timeoutMs: { value: number | null, source: string }, maxMemoryBytes: { value: number | null, source: string }, concurrency: { value: number | null, source: string }, maxCpuMs: { value: number | null, source: string }, retry: { maxRetries: number, retryDelayMs: number, jitterFactor: number, backoff: Backoff, delaysMs: Array<number> | null, maxDelayMs: number | null, retryExceptions: Array<string> | null, nonRetryableExceptions: Array<string>, source: string, note: string | null }, onWorkerLost: { value: OnWorkerLost, source: string }, maxLosses: { value: number | null, source: string }, runtime: { value: RuntimeMode, source: string }, reuse: { value: ReuseMode, source: string }, results: { value: ResultMode, source: string }, resultTtlMs: { value: number | null, source: string }, logTtlMs: { value: number | null, source: string }, failureTtlMs: { value: number | null, source: string }, executor: { type: string | null, maxWorkers: number | null, source: string } } }
    | { __typename: 'JobStateError', code: string, message: string, path: string | null, state: JobState }
    | { __typename: 'NotFoundError', code: string, message: string, path: string | null, suggestion: string | null }
   };

export type PlanRequeueQueryVariables = Exact<{
  input: RequeueJobInput;
}>;


export type PlanRequeueQuery = { planRequeue:
    | { __typename: 'CodeChangedError', code: string, message: string, path: string | null, ran: string | null, published: string | null }
    | { __typename: 'JobPlan', project: string, pipeline: string, valid: boolean | null, validated: boolean, notValidated: string | null, codeHash: string | null, finalVars: Array<string>, reuseNote: string | null, expectedMs: number | null, pastRuns: number, problems: Array<{ code: PlanProblemCode, path: string, message: string, suggestion: string | null }>, warnings: Array<{ path: string, message: string, suggestion: string | null }>, nodes: Array<{ name: string, kind: GraphNodeKind, type: string, doc: string | null, action: PlannedAction, reason: string, reasonCode: NodeReasonCode | null, reusedFromId: string | null, unless: Array<string>, inBlock: boolean, reusedBranches: number | null, expectedRuns: number | null, expectedMs: number | null }>, inputs: Array<{ name: string, type: string, source: InputSource, place: string, value: unknown, reference: string | null, replaced: { value: unknown, source: string, reference: string | null } | null }>, config: Array<{ key: string, value: unknown, source: string }>, settings: { queue: { value: string, source: string }, priority: { value: number | null, source: string }, ttlMs: { value: number | null, source: string }, needs: { value: Array<string>, source: string }, timeoutMs: { value: number | null, source: string }, maxMemoryBytes: { value: number | null, source: string }, concurrency: { value: number | null, source: string }, maxCpuMs: { value: number | null, source: string }, retry: { maxRetries: number, retryDelayMs: number, jitterFactor: number, backoff: Backoff, delaysMs: Array<number> | null, maxDelayMs: number | null, retryExceptions: Array<string> | null, nonRetryableExceptions: Array<string>, source: string, note: string | null }, onWorkerLost: { value: OnWorkerLost, source: string }, maxLosses: { value: number | null, source: string }, runtime: { value: RuntimeMode, source: string }, reuse: { value: ReuseMode, source: string }, results: { value: ResultMode, source: string }, resultTtlMs: { value: number | null, source: string }, logTtlMs: { value: number | null, source: string }, failureTtlMs: { value: number | null, source: string }, executor: { type: string | null, maxWorkers: number | null, source: string } } }
    | { __typename: 'JobStateError', code: string, message: string, path: string | null, state: JobState }
    | { __typename: 'NotFoundError', code: string, message: string, path: string | null, suggestion: string | null }
   };

export type UpdateJobMutationVariables = Exact<{
  input: UpdateJobInput;
}>;


export type UpdateJobMutation = { updateJob:
    | { __typename: 'BadInputError', code: string, message: string, path: string | null }
    | { __typename: 'InvalidRunError', code: string, message: string, path: string | null, problems: Array<{ path: string, message: string, suggestion: string | null }> }
    | { __typename: 'JobStateError', code: string, message: string, path: string | null, state: JobState }
    | { __typename: 'NotFoundError', code: string, message: string, path: string | null, suggestion: string | null }
    | { __typename: 'QueueFullError', code: string, message: string, path: string | null }
    | { __typename: 'UpdateJobSuccess', job: { queue: string, priority: number, id: string, project: string, pipeline: string, state: JobState, tags: Array<string>, attempt: number, maxAttempts: number, createdAt: string, runAt: string, startedAt: string | null, finishedAt: string | null, cancelRequestedAt: string | null, waitedMs: number | null, runMs: number | null, waitingFor: string | null, stalledAt: string | null, errorKind: ErrorKind | null, requestedBy: string | null, progress: { done: number, total: number | null } } }
   };

export type CancelJobsMutationVariables = Exact<{
  input: CancelJobsInput;
}>;


export type CancelJobsMutation = { cancelJobs:
    | { __typename: 'BadInputError', code: string, message: string, path: string | null }
    | { __typename: 'CancelJobsSuccess', dryRun: boolean, more: boolean, done: number, failed: number, matched: { value: number, isExact: boolean }, problems: Array<{ id: string, code: string, message: string, state: JobState | null }>, sample: Array<{ id: string, project: string, pipeline: string, state: JobState, queue: string, priority: number, tags: Array<string>, attempt: number, maxAttempts: number, createdAt: string, runAt: string, startedAt: string | null, finishedAt: string | null, cancelRequestedAt: string | null, waitedMs: number | null, runMs: number | null, waitingFor: string | null, stalledAt: string | null, errorKind: ErrorKind | null, requestedBy: string | null, progress: { done: number, total: number | null } }> }
   };

export type RequeueJobsMutationVariables = Exact<{
  input: RequeueJobsInput;
}>;


export type RequeueJobsMutation = { requeueJobs:
    | { __typename: 'BadInputError', code: string, message: string, path: string | null }
    | { __typename: 'RequeueJobsSuccess', dryRun: boolean, more: boolean, done: number, failed: number, matched: { value: number, isExact: boolean }, problems: Array<{ id: string, code: string, message: string, state: JobState | null }>, sample: Array<{ id: string, project: string, pipeline: string, state: JobState, queue: string, priority: number, tags: Array<string>, attempt: number, maxAttempts: number, createdAt: string, runAt: string, startedAt: string | null, finishedAt: string | null, cancelRequestedAt: string | null, waitedMs: number | null, runMs: number | null, waitingFor: string | null, stalledAt: string | null, errorKind: ErrorKind | null, requestedBy: string | null, progress: { done: number, total: number | null } }> }
   };

export type DeleteJobsMutationVariables = Exact<{
  input: DeleteJobsInput;
}>;


export type DeleteJobsMutation = { deleteJobs:
    | { __typename: 'BadInputError', code: string, message: string, path: string | null }
    | { __typename: 'DeleteJobsSuccess', dryRun: boolean, more: boolean, done: number, failed: number, matched: { value: number, isExact: boolean }, problems: Array<{ id: string, code: string, message: string, state: JobState | null }>, sample: Array<{ id: string, project: string, pipeline: string, state: JobState, queue: string, priority: number, tags: Array<string>, attempt: number, maxAttempts: number, createdAt: string, runAt: string, startedAt: string | null, finishedAt: string | null, cancelRequestedAt: string | null, waitedMs: number | null, runMs: number | null, waitingFor: string | null, stalledAt: string | null, errorKind: ErrorKind | null, requestedBy: string | null, progress: { done: number, total: number | null } }> }
   };

export type UpdateJobsMutationVariables = Exact<{
  input: UpdateJobsInput;
}>;


export type UpdateJobsMutation = { updateJobs:
    | { __typename: 'BadInputError', code: string, message: string, path: string | null }
    | { __typename: 'NotFoundError', code: string, message: string, path: string | null, suggestion: string | null }
    | { __typename: 'UpdateJobsSuccess', dryRun: boolean, more: boolean, done: number, failed: number, matched: { value: number, isExact: boolean }, problems: Array<{ id: string, code: string, message: string, state: JobState | null }>, sample: Array<{ id: string, project: string, pipeline: string, state: JobState, queue: string, priority: number, tags: Array<string>, attempt: number, maxAttempts: number, createdAt: string, runAt: string, startedAt: string | null, finishedAt: string | null, cancelRequestedAt: string | null, waitedMs: number | null, runMs: number | null, waitingFor: string | null, stalledAt: string | null, errorKind: ErrorKind | null, requestedBy: string | null, progress: { done: number, total: number | null } }> }
   };

type BulkResult_CancelJobsSuccess_Fragment = { dryRun: boolean, more: boolean, done: number, failed: number, matched: { value: number, isExact: boolean }, problems: Array<{ id: string, code: string, message: string, state: JobState | null }>, sample: Array<{ id: string, project: string, pipeline: string, state: JobState, queue: string, priority: number, tags: Array<string>, attempt: number, maxAttempts: number, createdAt: string, runAt: string, startedAt: string | null, finishedAt: string | null, cancelRequestedAt: string | null, waitedMs: number | null, runMs: number | null, waitingFor: string | null, stalledAt: string | null, errorKind: ErrorKind | null, requestedBy: string | null, progress: { done: number, total: number | null } }> };

type BulkResult_DeleteJobsSuccess_Fragment = { dryRun: boolean, more: boolean, done: number, failed: number, matched: { value: number, isExact: boolean }, problems: Array<{ id: string, code: string, message: string, state: JobState | null }>, sample: Array<{ id: string, project: string, pipeline: string, state: JobState, queue: string, priority: number, tags: Array<string>, attempt: number, maxAttempts: number, createdAt: string, runAt: string, startedAt: string | null, finishedAt: string | null, cancelRequestedAt: string | null, waitedMs: number | null, runMs: number | null, waitingFor: string | null, stalledAt: string | null, errorKind: ErrorKind | null, requestedBy: string | null, progress: { done: number, total: number | null } }> };

type BulkResult_RequeueJobsSuccess_Fragment = { dryRun: boolean, more: boolean, done: number, failed: number, matched: { value: number, isExact: boolean }, problems: Array<{ id: string, code: string, message: string, state: JobState | null }>, sample: Array<{ id: string, project: string, pipeline: string, state: JobState, queue: string, priority: number, tags: Array<string>, attempt: number, maxAttempts: number, createdAt: string, runAt: string, startedAt: string | null, finishedAt: string | null, cancelRequestedAt: string | null, waitedMs: number | null, runMs: number | null, waitingFor: string | null, stalledAt: string | null, errorKind: ErrorKind | null, requestedBy: string | null, progress: { done: number, total: number | null } }> };

type BulkResult_UpdateJobsSuccess_Fragment = { dryRun: boolean, more: boolean, done: number, failed: number, matched: { value: number, isExact: boolean }, problems: Array<{ id: string, code: string, message: string, state: JobState | null }>, sample: Array<{ id: string, project: string, pipeline: string, state: JobState, queue: string, priority: number, tags: Array<string>, attempt: number, maxAttempts: number, createdAt: string, runAt: string, startedAt: string | null, finishedAt: string | null, cancelRequestedAt: string | null, waitedMs: number | null, runMs: number | null, waitingFor: string | null, stalledAt: string | null, errorKind: ErrorKind | null, requestedBy: string | null, progress: { done: number, total: number | null } }> };

export type BulkResultFragment =
  | BulkResult_CancelJobsSuccess_Fragment
  | BulkResult_DeleteJobsSuccess_Fragment
  | BulkResult_RequeueJobsSuccess_Fragment
  | BulkResult_UpdateJobsSuccess_Fragment
;

export type ValueSummaryFragment = { type: string, shape: Array<number> | null, length: number | null, bytes: number | null, preview: string | null, columns: Array<{ name: string, type: string }> | null };

export type RunErrorFragment = { kind: ErrorKind, type: string, message: string, traceback: string | null, node: string | null, branch: string | null, file: string | null, line: number | null, code: string | null, hint: string | null, problems: Array<{ path: string, message: string, suggestion: string | null }> };

export type EventErrorFragment = { kind: ErrorKind, type: string, message: string, node: string | null };

export type PipelineInputFragment = { name: string, type: string, required: boolean, doc: string | null, default: { value: unknown, source: string, reference: string | null } | null };

export type JobSummaryFragment = { id: string, project: string, pipeline: string, state: JobState, queue: string, priority: number, tags: Array<string>, attempt: number, maxAttempts: number, createdAt: string, runAt: string, startedAt: string | null, finishedAt: string | null, cancelRequestedAt: string | null, waitedMs: number | null, runMs: number | null, waitingFor: string | null, stalledAt: string | null, errorKind: ErrorKind | null, requestedBy: string | null, progress: { done: number, total: number | null } };

export type RegressionFragment = { factor: number, baselineP95Ms: number };

export type ListedJobFragment = { id: string, project: string, pipeline: string, state: JobState, queue: string, priority: number, tags: Array<string>, attempt: number, maxAttempts: number, createdAt: string, runAt: string, startedAt: string | null, finishedAt: string | null, cancelRequestedAt: string | null, waitedMs: number | null, runMs: number | null, waitingFor: string | null, stalledAt: string | null, errorKind: ErrorKind | null, requestedBy: string | null, progress: { expectedMs: number | null, leftMs: number | null, done: number, total: number | null } };

export type NodeReasonFragment = { code: NodeReasonCode, text: string, jobId: string | null, attempt: number | null };

export type NodeRunFragment = { node: string, branch: string | null, branches: number | null, state: NodeRunState, startedAt: string | null, endedAt: string | null, durationMs: number | null, cpuMs: number | null, stored: boolean | null, memoryGrowthBytes: number | null, inputs: Record<string, unknown> | null, reason: { code: NodeReasonCode, text: string, jobId: string | null, attempt: number | null } | null, summary: { type: string, shape: Array<number> | null, length: number | null, bytes: number | null, preview: string | null, columns: Array<{ name: string, type: string }> | null } | null, error: { kind: ErrorKind, type: string, message: string, traceback: string | null, node: string | null, branch: string | null, file: string | null, line: number | null, code: string | null, hint: string | null, problems: Array<{ path: string, message: string, suggestion: string | null }> } | null, regression: { factor: number, baselineP95Ms: number } | null };

export type ArtifactFragment = { id: string, name: string, kind: ArtifactKind, mediaType: string | null, bytes: number | null, sha256: string | null, downloadUrl: string | null, omitted: string | null, expiresAt: string | null, removedAt: string | null };

export type ResultFragment = { name: string, hasValue: boolean, value: unknown, omitted: string | null, expiresAt: string | null, artifact: { preview: unknown, id: string, name: string, kind: ArtifactKind, mediaType: string | null, bytes: number | null, sha256: string | null, downloadUrl: string | null, omitted: string | null, expiresAt: string | null, removedAt: string | null, schema: Array<{ name: string, type: string }> | null } | null, summary: { type: string, shape: Array<number> | null, length: number | null, bytes: number | null, preview: string | null, columns: Array<{ name: string, type: string }> | null } | null };

export type JobDetailsFragment = { inputs: Record<string, unknown> | null, metadata: Record<string, unknown>, config: Record<string, unknown> | null, finalVars: Array<string> | null, timeoutMs: number | null, onWorkerLost: OnWorkerLost, failures: number, losses: number, maxLosses: number, life: number, actor: string, expiresAt: string | null, validated: boolean, lastCursor: string, id: string, project: string, pipeline: string, state: JobState, queue: string, priority: number, tags: Array<string>, attempt: number, maxAttempts: number, createdAt: string, runAt: string, startedAt: string | null, finishedAt: string | null, cancelRequestedAt: string | null, waitedMs: number | null, runMs: number | null, waitingFor: string | null, stalledAt: string | null, errorKind: ErrorKind | null, requestedBy: string | null, options: { reuse: ReuseMode | null, recompute: Array<string> }, retry: { maxRetries: number, retryDelayMs: number | null, jitterFactor: number | null, retryExceptions: Array<string> | null, backoff: Backoff | null, delaysMs: Array<number> | null, maxDelayMs: number | null, nonRetryableExceptions: Array<string> | null } | null, plan: { codeHash: string, nodes: Array<string>, reused: Array<string>, count: number } | null, progress: { expectedMs: number | null, leftMs: number | null, done: number, total: number | null }, regression: { factor: number, baselineP95Ms: number } | null, error: { kind: ErrorKind, type: string, message: string, traceback: string | null, node: string | null, branch: string | null, file: string | null, line: number | null, code: string | null, hint: string | null, problems: Array<{ path: string, message: string, suggestion: string | null }> } | null, worker: { id: string, host: string, pid: number } | null, attempts: { nodes: Array<{ number: number, outcome: AttemptOutcome | null, startedAt: string, endedAt: string | null, durationMs: number | null, errorKind: ErrorKind | null }> }, lastAttempt: { path: Array<string> | null, neverRan: Array<string> | null } | null, failure: { node: string | null, branch: string | null, code: Array<{ number: number, text: string, isFailing: boolean }> } | null, failureGroup: { id: string, count: number, firstSeenAt: string, isOpen: boolean } | null, dependsOn: Array<{ parentId: string, when: DependencyCondition, otherwise: DependencyPolicy, resolvedAt: string | null, parent: { state: JobState } | null }>, dependents: { nodes: Array<{ when: DependencyCondition, resolvedAt: string | null, job: { id: string, state: JobState } }>, pageInfo: { hasNextPage: boolean } }, inputsFrom: Array<{ input: string, jobId: string, variable: string }>, rerunOf: { id: string } | null, reruns: { nodes: Array<{ id: string, state: JobState }>, pageInfo: { hasPreviousPage: boolean } }, resolvedBy: { id: string } | null, failedNodeRuns: { nodes: Array<{ node: string, branch: string | null, branches: number | null, state: NodeRunState, startedAt: string | null, endedAt: string | null, durationMs: number | null, cpuMs: number | null, stored: boolean | null, memoryGrowthBytes: number | null, inputs: Record<string, unknown> | null, reason: { code: NodeReasonCode, text: string, jobId: string | null, attempt: number | null } | null, summary: { type: string, shape: Array<number> | null, length: number | null, bytes: number | null, preview: string | null, columns: Array<{ name: string, type: string }> | null } | null, error: { kind: ErrorKind, type: string, message: string, traceback: string | null, node: string | null, branch: string | null, file: string | null, line: number | null, code: string | null, hint: string | null, problems: Array<{ path: string, message: string, suggestion: string | null }> } | null, regression: { factor: number, baselineP95Ms: number } | null }> }, results: Array<{ name: string, hasValue: boolean, value: unknown, omitted: string | null, expiresAt: string | null, artifact: { preview: unknown, id: string, name: string, kind: ArtifactKind, mediaType: string | null, bytes: number | null, sha256: string | null, downloadUrl: string | null, omitted: string | null, expiresAt: string | null, removedAt: string | null, schema: Array<{ name: string, type: string }> | null } | null, summary: { type: string, shape: Array<number> | null, length: number | null, bytes: number | null, preview: string | null, columns: Array<{ name: string, type: string }> | null } | null }> };

export type FailureGroupFragment = { id: string, project: string, pipeline: string, node: string | null, errorClass: string, errorKind: ErrorKind, codeHash: string | null, count: number, firstSeenAt: string, lastSeenAt: string, lastMessage: string, lastJobId: string, isOpen: boolean, closedAt: string | null, closedById: string | null };

export type DifferenceFragment = { path: string, kind: DifferenceKind, a: unknown, b: unknown, aSource: string | null, bSource: string | null };

export type DurationDifferenceFragment = { aMs: number, bMs: number, differenceMs: number, ratio: number | null };

export type ComparedNodeFragment = { state: ComparedNodeState, runs: number, durationMs: number | null, codeHash: string | null, dependsOn: Array<string> | null };

export type ComparedResultFragment = { hasValue: boolean, value: unknown, summary: { type: string, shape: Array<number> | null, length: number | null, bytes: number | null, preview: string | null, columns: Array<{ name: string, type: string }> | null } | null };

type JobEvent_ArtifactStored_Fragment = { __typename: 'ArtifactStored', artifactId: string, name: string, mediaType: string | null, omitted: string | null, cursor: string, jobId: string, seq: number, attempt: number | null, node: string | null, branch: string | null, type: string, recordedAt: string, occurredAt: string, artifactKind: ArtifactKind, storedBytes: number | null };

type JobEvent_JobCancelRequested_Fragment = { __typename: 'JobCancelRequested', actor: string, reason: string | null, cursor: string, jobId: string, seq: number, attempt: number | null, node: string | null, branch: string | null, type: string, recordedAt: string, occurredAt: string };

type JobEvent_JobCancelled_Fragment = { __typename: 'JobCancelled', reason: string | null, cursor: string, jobId: string, seq: number, attempt: number | null, node: string | null, branch: string | null, type: string, recordedAt: string, occurredAt: string, cancelledBy: string | null };

type JobEvent_JobEnqueued_Fragment = { __typename: 'JobEnqueued', state: JobState, priority: number, queue: string, runAt: string, actor: string, cursor: string, jobId: string, seq: number, attempt: number | null, node: string | null, branch: string | null, type: string, recordedAt: string, occurredAt: string };

type JobEvent_JobExpired_Fragment = { __typename: 'JobExpired', cursor: string, jobId: string, seq: number, attempt: number | null, node: string | null, branch: string | null, type: string, recordedAt: string, occurredAt: string };

type JobEvent_JobFailed_Fragment = { __typename: 'JobFailed', cursor: string, jobId: string, seq: number, attempt: number | null, node: string | null, branch: string | null, type: string, recordedAt: string, occurredAt: string, error: { kind: ErrorKind, type: string, message: string, node: string | null } };

type JobEvent_JobPostponed_Fragment = { __typename: 'JobPostponed', cursor: string, jobId: string, seq: number, attempt: number | null, node: string | null, branch: string | null, type: string, recordedAt: string, occurredAt: string };

type JobEvent_JobQueued_Fragment = { __typename: 'JobQueued', cursor: string, jobId: string, seq: number, attempt: number | null, node: string | null, branch: string | null, type: string, recordedAt: string, occurredAt: string };

type JobEvent_JobReleased_Fragment = { __typename: 'JobReleased', cursor: string, jobId: string, seq: number, attempt: number | null, node: string | null, branch: string | null, type: string, recordedAt: string, occurredAt: string, releasedFor: string };

type JobEvent_JobRequeued_Fragment = { __typename: 'JobRequeued', actor: string, reason: string | null, cursor: string, jobId: string, seq: number, attempt: number | null, node: string | null, branch: string | null, type: string, recordedAt: string, occurredAt: string };

type JobEvent_JobRescued_Fragment = { __typename: 'JobRescued', losses: number, cursor: string, jobId: string, seq: number, attempt: number | null, node: string | null, branch: string | null, type: string, recordedAt: string, occurredAt: string, error: { kind: ErrorKind, type: string, message: string, node: string | null } };

type JobEvent_JobRetryPlanned_Fragment = { __typename: 'JobRetryPlanned', failures: number, maxAttempts: number, runAt: string, cursor: string, jobId: string, seq: number, attempt: number | null, node: string | null, branch: string | null, type: string, recordedAt: string, occurredAt: string, error: { kind: ErrorKind, type: string, message: string, node: string | null } };

type JobEvent_JobScheduled_Fragment = { __typename: 'JobScheduled', cursor: string, jobId: string, seq: number, attempt: number | null, node: string | null, branch: string | null, type: string, recordedAt: string, occurredAt: string };

type JobEvent_JobStalled_Fragment = { __typename: 'JobStalled', stalledFor: StallReason, forMs: number, p95Ms: number | null, cursor: string, jobId: string, seq: number, attempt: number | null, node: string | null, branch: string | null, type: string, recordedAt: string, occurredAt: string };

type JobEvent_JobStarted_Fragment = { __typename: 'JobStarted', worker: string, cursor: string, jobId: string, seq: number, attempt: number | null, node: string | null, branch: string | null, type: string, recordedAt: string, occurredAt: string };

type JobEvent_JobSucceeded_Fragment = { __typename: 'JobSucceeded', cursor: string, jobId: string, seq: number, attempt: number | null, node: string | null, branch: string | null, type: string, recordedAt: string, occurredAt: string };

type JobEvent_JobUpdated_Fragment = { __typename: 'JobUpdated', actor: string, reason: string | null, cursor: string, jobId: string, seq: number, attempt: number | null, node: string | null, branch: string | null, type: string, recordedAt: string, occurredAt: string, changes: Array<{ field: string, from: unknown, to: unknown }> };

type JobEvent_LogDropped_Fragment = { __typename: 'LogDropped', lines: number, bytes: number, cursor: string, jobId: string, seq: number, attempt: number | null, node: string | null, branch: string | null, type: string, recordedAt: string, occurredAt: string, droppedFor: string };

type JobEvent_LogLine_Fragment = { __typename: 'LogLine', level: string, stream: string, logger: string | null, text: string | null, cursor: string, jobId: string, seq: number, attempt: number | null, node: string | null, branch: string | null, type: string, recordedAt: string, occurredAt: string };

type JobEvent_NodeExpanded_Fragment = { __typename: 'NodeExpanded', count: number, nodes: Array<string>, cursor: string, jobId: string, seq: number, attempt: number | null, node: string, branch: string | null, type: string, recordedAt: string, occurredAt: string };

type JobEvent_NodeFailed_Fragment = { __typename: 'NodeFailed', durationMs: number, cursor: string, jobId: string, seq: number, attempt: number | null, node: string, branch: string | null, type: string, recordedAt: string, occurredAt: string, error: { kind: ErrorKind, type: string, message: string, node: string | null } };

type JobEvent_NodeReused_Fragment = { __typename: 'NodeReused', cursor: string, jobId: string, seq: number, attempt: number | null, node: string, branch: string | null, type: string, recordedAt: string, occurredAt: string, whyReused: { code: NodeReasonCode, text: string, jobId: string | null, attempt: number | null }, summary: { type: string, shape: Array<number> | null, length: number | null, bytes: number | null, preview: string | null, columns: Array<{ name: string, type: string }> | null } };

type JobEvent_NodeStarted_Fragment = { __typename: 'NodeStarted', cursor: string, jobId: string, seq: number, attempt: number | null, node: string, branch: string | null, type: string, recordedAt: string, occurredAt: string, whyRun: { code: NodeReasonCode, text: string, jobId: string | null, attempt: number | null } | null };

type JobEvent_NodeSucceeded_Fragment = { __typename: 'NodeSucceeded', durationMs: number, cpuMs: number | null, stored: boolean | null, cursor: string, jobId: string, seq: number, attempt: number | null, node: string, branch: string | null, type: string, recordedAt: string, occurredAt: string, summary: { type: string, shape: Array<number> | null, length: number | null, bytes: number | null, preview: string | null, columns: Array<{ name: string, type: string }> | null } };

type JobEvent_RunResolved_Fragment = { __typename: 'RunResolved', codeHash: string, path: Array<string>, finalVars: Array<string>, cursor: string, jobId: string, seq: number, attempt: number | null, node: string | null, branch: string | null, type: string, recordedAt: string, occurredAt: string };

type JobEvent_UnknownEvent_Fragment = { __typename: 'UnknownEvent', data: unknown, cursor: string, jobId: string, seq: number, attempt: number | null, node: string | null, branch: string | null, type: string, recordedAt: string, occurredAt: string };

export type JobEventFragment =
  | JobEvent_ArtifactStored_Fragment
  | JobEvent_JobCancelRequested_Fragment
  | JobEvent_JobCancelled_Fragment
  | JobEvent_JobEnqueued_Fragment
  | JobEvent_JobExpired_Fragment
  | JobEvent_JobFailed_Fragment
  | JobEvent_JobPostponed_Fragment
  | JobEvent_JobQueued_Fragment
  | JobEvent_JobReleased_Fragment
  | JobEvent_JobRequeued_Fragment
  | JobEvent_JobRescued_Fragment
  | JobEvent_JobRetryPlanned_Fragment
  | JobEvent_JobScheduled_Fragment
  | JobEvent_JobStalled_Fragment
  | JobEvent_JobStarted_Fragment
  | JobEvent_JobSucceeded_Fragment
  | JobEvent_JobUpdated_Fragment
  | JobEvent_LogDropped_Fragment
  | JobEvent_LogLine_Fragment
  | JobEvent_NodeExpanded_Fragment
  | JobEvent_NodeFailed_Fragment
  | JobEvent_NodeReused_Fragment
  | JobEvent_NodeStarted_Fragment
  | JobEvent_NodeSucceeded_Fragment
  | JobEvent_RunResolved_Fragment
  | JobEvent_UnknownEvent_Fragment
;

export type JobQueryVariables = Exact<{
  id: string | number;
}>;


export type JobQuery = { job: { inputs: Record<string, unknown> | null, metadata: Record<string, unknown>, config: Record<string, unknown> | null, finalVars: Array<string> | null, timeoutMs: number | null, onWorkerLost: OnWorkerLost, failures: number, losses: number, maxLosses: number, life: number, actor: string, expiresAt: string | null, validated: boolean, lastCursor: string, id: string, project: string, pipeline: string, state: JobState, queue: string, priority: number, tags: Array<string>, attempt: number, maxAttempts: number, createdAt: string, runAt: string, startedAt: string | null, finishedAt: string | null, cancelRequestedAt: string | null, waitedMs: number | null, runMs: number | null, waitingFor: string | null, stalledAt: string | null, errorKind: ErrorKind | null, requestedBy: string | null, options: { reuse: ReuseMode | null, recompute: Array<string> }, retry: { maxRetries: number, retryDelayMs: number | null, jitterFactor: number | null, retryExceptions: Array<string> | null, backoff: Backoff | null, delaysMs: Array<number> | null, maxDelayMs: number | null, nonRetryableExceptions: Array<string> | null } | null, plan: { codeHash: string, nodes: Array<string>, reused: Array<string>, count: number } | null, progress: { expectedMs: number | null, leftMs: number | null, done: number, total: number | null }, regression: { factor: number, baselineP95Ms: number } | null, error: { kind: ErrorKind, type: string, message: string, traceback: string | null, node: string | null, branch: string | null, file: string | null, line: number | null, code: string | null, hint: string | null, problems: Array<{ path: string, message: string, suggestion: string | null }> } | null, worker: { id: string, host: string, pid: number } | null, attempts: { nodes: Array<{ number: number, outcome: AttemptOutcome | null, startedAt: string, endedAt: string | null, durationMs: number | null, errorKind: ErrorKind | null }> }, lastAttempt: { path: Array<string> | null, neverRan: Array<string> | null } | null, failure: { node: string | null, branch: string | null, code: Array<{ number: number, text: string, isFailing: boolean }> } | null, failureGroup: { id: string, count: number, firstSeenAt: string, isOpen: boolean } | null, dependsOn: Array<{ parentId: string, when: DependencyCondition, otherwise: DependencyPolicy, resolvedAt: string | null, parent: { state: JobState } | null }>, dependents: { nodes: Array<{ when: DependencyCondition, resolvedAt: string | null, job: { id: string, state: JobState } }>, pageInfo: { hasNextPage: boolean } }, inputsFrom: Array<{ input: string, jobId: string, variable: string }>, rerunOf: { id: string } | null, reruns: { nodes: Array<{ id: string, state: JobState }>, pageInfo: { hasPreviousPage: boolean } }, resolvedBy: { id: string } | null, failedNodeRuns: { nodes: Array<{ node: string, branch: string | null, branches: number | null, state: NodeRunState, startedAt: string | null, endedAt: string | null, durationMs: number | null, cpuMs: number | null, stored: boolean | null, memoryGrowthBytes: number | null, inputs: Record<string, unknown> | null, reason: { code: NodeReasonCode, text: string, jobId: string | null, attempt: number | null } | null, summary: { type: string, shape: Array<number> | null, length: number | null, bytes: number | null, preview: string | null, columns: Array<{ name: string, type: string }> | null } | null, error: { kind: ErrorKind, type: string, message: string, traceback: string | null, node: string | null, branch: string | null, file: string | null, line: number | null, code: string | null, hint: string | null, problems: Array<{ path: string, message: string, suggestion: string | null }> } | null, regression: { factor: number, baselineP95Ms: number } | null }> }, results: Array<{ name: string, hasValue: boolean, value: unknown, omitted: string | null, expiresAt: string | null, artifact: { preview: unknown, id: string, name: string, kind: ArtifactKind, mediaType: string | null, bytes: number | null, sha256: string | null, downloadUrl: string | null, omitted: string | null, expiresAt: string | null, removedAt: string | null, schema: Array<{ name: string, type: string }> | null } | null, summary: { type: string, shape: Array<number> | null, length: number | null, bytes: number | null, preview: string | null, columns: Array<{ name: string, type: string }> | null } | null }> } | null };

export type JobByRefQueryVariables = Exact<{
  ref: string;
}>;


export type JobByRefQuery = { jobByRef:
    | { __typename: 'AmbiguousRefError', code: string, message: string, path: string | null, candidates: Array<string> }
    | { __typename: 'BadInputError', code: string, message: string, path: string | null }
    | { __typename: 'Job', inputs: Record<string, unknown> | null, metadata: Record<string, unknown>, config: Record<string, unknown> | null, finalVars: Array<string> | null, timeoutMs: number | null, onWorkerLost: OnWorkerLost, failures: number, losses: number, maxLosses: number, life: number, actor: string, expiresAt: string | null, validated: boolean, lastCursor: string, id: string, project: string, pipeline: string, state: JobState, queue: string, priority: number, tags: Array<string>, attempt: number, maxAttempts: number, createdAt: string, runAt: string, startedAt: string | null, finishedAt: string | null, cancelRequestedAt: string | null, waitedMs: number | null, runMs: number | null, waitingFor: string | null, stalledAt: string | null, errorKind: ErrorKind | null, requestedBy: string | null, options: { reuse: ReuseMode | null, recompute: Array<string> }, retry: { maxRetries: number, retryDelayMs: number | null, jitterFactor: number | null, retryExceptions: Array<string> | null, backoff: Backoff | null, delaysMs: Array<number> | null, maxDelayMs: number | null, nonRetryableExceptions: Array<string> | null } | null, plan: { codeHash: string, nodes: Array<string>, reused: Array<string>, count: number } | null, progress: { expectedMs: number | null, leftMs: number | null, done: number, total: number | null }, regression: { factor: number, baselineP95Ms: number } | null, error: { kind: ErrorKind, type: string, message: string, traceback: string | null, node: string | null, branch: string | null, file: string | null, line: number | null, code: string | null, hint: string | null, problems: Array<{ path: string, message: string, suggestion: string | null }> } | null, worker: { id: string, host: string, pid: number } | null, attempts: { nodes: Array<{ number: number, outcome: AttemptOutcome | null, startedAt: string, endedAt: string | null, durationMs: number | null, errorKind: ErrorKind | null }> }, lastAttempt: { path: Array<string> | null, neverRan: Array<string> | null } | null, failure: { node: string | null, branch: string | null, code: Array<{ number: number, text: string, isFailing: boolean }> } | null, failureGroup: { id: string, count: number, firstSeenAt: string, isOpen: boolean } | null, dependsOn: Array<{ parentId: string, when: DependencyCondition, otherwise: DependencyPolicy, resolvedAt: string | null, parent: { state: JobState } | null }>, dependents: { nodes: Array<{ when: DependencyCondition, resolvedAt: string | null, job: { id: string, state: JobState } }>, pageInfo: { hasNextPage: boolean } }, inputsFrom: Array<{ input: string, jobId: string, variable: string }>, rerunOf: { id: string } | null, reruns: { nodes: Array<{ id: string, state: JobState }>, pageInfo: { hasPreviousPage: boolean } }, resolvedBy: { id: string } | null, failedNodeRuns: { nodes: Array<{ node: string, branch: string | null, branches: number | null, state: NodeRunState, startedAt: string | null, endedAt: string | null, durationMs: number | null, cpuMs: number | null, stored: boolean | null, memoryGrowthBytes: number | null, inputs: Record<string, unknown> | null, reason: { code: NodeReasonCode, text: string, jobId: string | null, attempt: number | null } | null, summary: { type: string, shape: Array<number> | null, length: number | null, bytes: number | null, preview: string | null, columns: Array<{ name: string, type: string }> | null } | null, error: { kind: ErrorKind, type: string, message: string, traceback: string | null, node: string | null, branch: string | null, file: string | null, line: number | null, code: string | null, hint: string | null, problems: Array<{ path: string, message: string, suggestion: string | null }> } | null, regression: { factor: number, baselineP95Ms: number } | null }> }, results: Array<{ name: string, hasValue: boolean, value: unknown, omitted: string | null, expiresAt: string | null, artifact: { preview: unknown, id: string, name: string, kind: ArtifactKind, mediaType: string | null, bytes: number | null, sha256: string | null, downloadUrl: string | null, omitted: string | null, expiresAt: string | null, removedAt: string | null, schema: Array<{ name: string, type: string }> | null } | null, summary: { type: string, shape: Array<number> | null, length: number | null, bytes: number | null, preview: string | null, columns: Array<{ name: string, type: string }> | null } | null }> }
    | { __typename: 'NotFoundError', code: string, message: string, path: string | null, suggestion: string | null }
   };

export type JobArtifactsQueryVariables = Exact<{
  id: string | number;
  first: number;
  after?: string | null | undefined;
}>;


export type JobArtifactsQuery = { job: { artifacts: { nodes: Array<{ id: string, name: string, kind: ArtifactKind, mediaType: string | null, bytes: number | null, sha256: string | null, downloadUrl: string | null, omitted: string | null, expiresAt: string | null, removedAt: string | null }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } } | null };

export type JobsQueryVariables = Exact<{
  first: number;
  after?: string | null | undefined;
  filter?: JobFilter | null | undefined;
  orderBy: JobOrder;
}>;


export type JobsQuery = { jobs: { nodes: Array<{ id: string, project: string, pipeline: string, state: JobState, queue: string, priority: number, tags: Array<string>, attempt: number, maxAttempts: number, createdAt: string, runAt: string, startedAt: string | null, finishedAt: string | null, cancelRequestedAt: string | null, waitedMs: number | null, runMs: number | null, waitingFor: string | null, stalledAt: string | null, errorKind: ErrorKind | null, requestedBy: string | null, progress: { expectedMs: number | null, leftMs: number | null, done: number, total: number | null } }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } };

export type EnqueueJobMutationVariables = Exact<{
  input: EnqueueJobInput;
}>;


export type EnqueueJobMutation = { enqueueJob:
    | { __typename: 'BadInputError', code: string, message: string, path: string | null }
    | { __typename: 'EnqueueJobSuccess', replayed: boolean, replaced: string | null, job: { validated: boolean, id: string, project: string, pipeline: string, state: JobState, queue: string, priority: number, tags: Array<string>, attempt: number, maxAttempts: number, createdAt: string, runAt: string, startedAt: string | null, finishedAt: string | null, cancelRequestedAt: string | null, waitedMs: number | null, runMs: number | null, waitingFor: string | null, stalledAt: string | null, errorKind: ErrorKind | null, requestedBy: string | null, progress: { done: number, total: number | null } }, plan: { codeHash: string, nodes: Array<string>, reused: Array<string>, count: number } | null }
    | { __typename: 'IdempotencyConflictError', code: string, message: string, path: string | null, existingJob: { id: string } | null }
    | { __typename: 'InvalidRunError', code: string, message: string, path: string | null, problems: Array<{ path: string, message: string, suggestion: string | null }> }
    | { __typename: 'NotFoundError', code: string, message: string, path: string | null, suggestion: string | null }
    | { __typename: 'ProjectDisabledError', code: string, message: string, path: string | null }
    | { __typename: 'QueueFullError', code: string, message: string, path: string | null }
   };

export type EnqueueJobsMutationVariables = Exact<{
  input: EnqueueJobsInput;
}>;


export type EnqueueJobsMutation = { enqueueJobs:
    | { __typename: 'EnqueueJobsSuccess', items: Array<{ index: number, result:
          | { __typename: 'BadInputError', code: string, message: string, path: string | null }
          | { __typename: 'EnqueuedJob', replayed: boolean, job: { id: string, project: string, pipeline: string, state: JobState, queue: string, runAt: string } }
          | { __typename: 'IdempotencyConflictError', code: string, message: string, path: string | null, existingJob: { id: string } | null }
          | { __typename: 'InvalidRunError', code: string, message: string, path: string | null, problems: Array<{ path: string, message: string, suggestion: string | null }> }
          | { __typename: 'NotFoundError', code: string, message: string, path: string | null, suggestion: string | null }
          | { __typename: 'ProjectDisabledError', code: string, message: string, path: string | null }
          | { __typename: 'QueueFullError', code: string, message: string, path: string | null }
         }> }
    | { __typename: 'JobsRefusedError', code: string, message: string, path: string | null, items: Array<{ index: number, result:
          | { __typename: 'BadInputError', code: string, message: string, path: string | null }
          | { __typename: 'EnqueuedJob', replayed: boolean, job: { id: string, project: string, pipeline: string, state: JobState, queue: string, runAt: string } }
          | { __typename: 'IdempotencyConflictError', code: string, message: string, path: string | null, existingJob: { id: string } | null }
          | { __typename: 'InvalidRunError', code: string, message: string, path: string | null, problems: Array<{ path: string, message: string, suggestion: string | null }> }
          | { __typename: 'NotFoundError', code: string, message: string, path: string | null, suggestion: string | null }
          | { __typename: 'ProjectDisabledError', code: string, message: string, path: string | null }
          | { __typename: 'QueueFullError', code: string, message: string, path: string | null }
         }> }
   };

export type EnqueuedItemFragment = { index: number, result:
    | { __typename: 'BadInputError', code: string, message: string, path: string | null }
    | { __typename: 'EnqueuedJob', replayed: boolean, job: { id: string, project: string, pipeline: string, state: JobState, queue: string, runAt: string } }
    | { __typename: 'IdempotencyConflictError', code: string, message: string, path: string | null, existingJob: { id: string } | null }
    | { __typename: 'InvalidRunError', code: string, message: string, path: string | null, problems: Array<{ path: string, message: string, suggestion: string | null }> }
    | { __typename: 'NotFoundError', code: string, message: string, path: string | null, suggestion: string | null }
    | { __typename: 'ProjectDisabledError', code: string, message: string, path: string | null }
    | { __typename: 'QueueFullError', code: string, message: string, path: string | null }
   };

export type JobTimeLeftQueryVariables = Exact<{
  id: string | number;
}>;


export type JobTimeLeftQuery = { job: { progress: { leftMs: number | null } } | null };

export type CancelJobMutationVariables = Exact<{
  input: CancelJobInput;
}>;


export type CancelJobMutation = { cancelJob:
    | { __typename: 'CancelJobSuccess', job: { id: string, project: string, pipeline: string, state: JobState, queue: string, priority: number, tags: Array<string>, attempt: number, maxAttempts: number, createdAt: string, runAt: string, startedAt: string | null, finishedAt: string | null, cancelRequestedAt: string | null, waitedMs: number | null, runMs: number | null, waitingFor: string | null, stalledAt: string | null, errorKind: ErrorKind | null, requestedBy: string | null, progress: { done: number, total: number | null } } }
    | { __typename: 'JobStateError', code: string, message: string, path: string | null, state: JobState }
    | { __typename: 'NotFoundError', code: string, message: string, path: string | null, suggestion: string | null }
   };

export type JobEventsSubscriptionVariables = Exact<{
  jobId: string | number;
  after?: string | null | undefined;
}>;


export type JobEventsSubscription = { jobEvents:
    | { __typename: 'ArtifactStored', artifactId: string, name: string, mediaType: string | null, omitted: string | null, cursor: string, jobId: string, seq: number, attempt: number | null, node: string | null, branch: string | null, type: string, recordedAt: string, occurredAt: string, artifactKind: ArtifactKind, storedBytes: number | null }
    | { __typename: 'JobCancelRequested', actor: string, reason: string | null, cursor: string, jobId: string, seq: number, attempt: number | null, node: string | null, branch: string | null, type: string, recordedAt: string, occurredAt: string }
    | { __typename: 'JobCancelled', reason: string | null, cursor: string, jobId: string, seq: number, attempt: number | null, node: string | null, branch: string | null, type: string, recordedAt: string, occurredAt: string, cancelledBy: string | null }
    | { __typename: 'JobEnqueued', state: JobState, priority: number, queue: string, runAt: string, actor: string, cursor: string, jobId: string, seq: number, attempt: number | null, node: string | null, branch: string | null, type: string, recordedAt: string, occurredAt: string }
    | { __typename: 'JobExpired', cursor: string, jobId: string, seq: number, attempt: number | null, node: string | null, branch: string | null, type: string, recordedAt: string, occurredAt: string }
    | { __typename: 'JobFailed', cursor: string, jobId: string, seq: number, attempt: number | null, node: string | null, branch: string | null, type: string, recordedAt: string, occurredAt: string, error: { kind: ErrorKind, type: string, message: string, node: string | null } }
    | { __typename: 'JobPostponed', cursor: string, jobId: string, seq: number, attempt: number | null, node: string | null, branch: string | null, type: string, recordedAt: string, occurredAt: string }
    | { __typename: 'JobQueued', cursor: string, jobId: string, seq: number, attempt: number | null, node: string | null, branch: string | null, type: string, recordedAt: string, occurredAt: string }
    | { __typename: 'JobReleased', cursor: string, jobId: string, seq: number, attempt: number | null, node: string | null, branch: string | null, type: string, recordedAt: string, occurredAt: string, releasedFor: string }
    | { __typename: 'JobRequeued', actor: string, reason: string | null, cursor: string, jobId: string, seq: number, attempt: number | null, node: string | null, branch: string | null, type: string, recordedAt: string, occurredAt: string }
    | { __typename: 'JobRescued', losses: number, cursor: string, jobId: string, seq: number, attempt: number | null, node: string | null, branch: string | null, type: string, recordedAt: string, occurredAt: string, error: { kind: ErrorKind, type: string, message: string, node: string | null } }
    | { __typename: 'JobRetryPlanned', failures: number, maxAttempts: number, runAt: string, cursor: string, jobId: string, seq: number, attempt: number | null, node: string | null, branch: string | null, type: string, recordedAt: string, occurredAt: string, error: { kind: ErrorKind, type: string, message: string, node: string | null } }
    | { __typename: 'JobScheduled', cursor: string, jobId: string, seq: number, attempt: number | null, node: string | null, branch: string | null, type: string, recordedAt: string, occurredAt: string }
    | { __typename: 'JobStalled', stalledFor: StallReason, forMs: number, p95Ms: number | null, cursor: string, jobId: string, seq: number, attempt: number | null, node: string | null, branch: string | null, type: string, recordedAt: string, occurredAt: string }
    | { __typename: 'JobStarted', worker: string, cursor: string, jobId: string, seq: number, attempt: number | null, node: string | null, branch: string | null, type: string, recordedAt: string, occurredAt: string }
    | { __typename: 'JobSucceeded', cursor: string, jobId: string, seq: number, attempt: number | null, node: string | null, branch: string | null, type: string, recordedAt: string, occurredAt: string }
    | { __typename: 'JobUpdated', actor: string, reason: string | null, cursor: string, jobId: string, seq: number, attempt: number | null, node: string | null, branch: string | null, type: string, recordedAt: string, occurredAt: string, changes: Array<{ field: string, from: unknown, to: unknown }> }
    | { __typename: 'LogDropped', lines: number, bytes: number, cursor: string, jobId: string, seq: number, attempt: number | null, node: string | null, branch: string | null, type: string, recordedAt: string, occurredAt: string, droppedFor: string }
    | { __typename: 'LogLine', level: string, stream: string, logger: string | null, text: string | null, cursor: string, jobId: string, seq: number, attempt: number | null, node: string | null, branch: string | null, type: string, recordedAt: string, occurredAt: string }
    | { __typename: 'NodeExpanded', count: number, nodes: Array<string>, cursor: string, jobId: string, seq: number, attempt: number | null, node: string, branch: string | null, type: string, recordedAt: string, occurredAt: string }
    | { __typename: 'NodeFailed', durationMs: number, cursor: string, jobId: string, seq: number, attempt: number | null, node: string, branch: string | null, type: string, recordedAt: string, occurredAt: string, error: { kind: ErrorKind, type: string, message: string, node: string | null } }
    | { __typename: 'NodeReused', cursor: string, jobId: string, seq: number, attempt: number | null, node: string, branch: string | null, type: string, recordedAt: string, occurredAt: string, whyReused: { code: NodeReasonCode, text: string, jobId: string | null, attempt: number | null }, summary: { type: string, shape: Array<number> | null, length: number | null, bytes: number | null, preview: string | null, columns: Array<{ name: string, type: string }> | null } }
    | { __typename: 'NodeStarted', cursor: string, jobId: string, seq: number, attempt: number | null, node: string, branch: string | null, type: string, recordedAt: string, occurredAt: string, whyRun: { code: NodeReasonCode, text: string, jobId: string | null, attempt: number | null } | null }
    | { __typename: 'NodeSucceeded', durationMs: number, cpuMs: number | null, stored: boolean | null, cursor: string, jobId: string, seq: number, attempt: number | null, node: string, branch: string | null, type: string, recordedAt: string, occurredAt: string, summary: { type: string, shape: Array<number> | null, length: number | null, bytes: number | null, preview: string | null, columns: Array<{ name: string, type: string }> | null } }
    | { __typename: 'RunResolved', codeHash: string, path: Array<string>, finalVars: Array<string>, cursor: string, jobId: string, seq: number, attempt: number | null, node: string | null, branch: string | null, type: string, recordedAt: string, occurredAt: string }
    | { __typename: 'UnknownEvent', data: unknown, cursor: string, jobId: string, seq: number, attempt: number | null, node: string | null, branch: string | null, type: string, recordedAt: string, occurredAt: string }
   };

export type JobHistoryQueryVariables = Exact<{
  id: string | number;
  first: number;
  after?: string | null | undefined;
}>;


export type JobHistoryQuery = { job: { events: { nodes: Array<
        | { __typename: 'ArtifactStored', artifactId: string, name: string, mediaType: string | null, omitted: string | null, cursor: string, jobId: string, seq: number, attempt: number | null, node: string | null, branch: string | null, type: string, recordedAt: string, occurredAt: string, artifactKind: ArtifactKind, storedBytes: number | null }
        | { __typename: 'JobCancelRequested', actor: string, reason: string | null, cursor: string, jobId: string, seq: number, attempt: number | null, node: string | null, branch: string | null, type: string, recordedAt: string, occurredAt: string }
        | { __typename: 'JobCancelled', reason: string | null, cursor: string, jobId: string, seq: number, attempt: number | null, node: string | null, branch: string | null, type: string, recordedAt: string, occurredAt: string, cancelledBy: string | null }
        | { __typename: 'JobEnqueued', state: JobState, priority: number, queue: string, runAt: string, actor: string, cursor: string, jobId: string, seq: number, attempt: number | null, node: string | null, branch: string | null, type: string, recordedAt: string, occurredAt: string }
        | { __typename: 'JobExpired', cursor: string, jobId: string, seq: number, attempt: number | null, node: string | null, branch: string | null, type: string, recordedAt: string, occurredAt: string }
        | { __typename: 'JobFailed', cursor: string, jobId: string, seq: number, attempt: number | null, node: string | null, branch: string | null, type: string, recordedAt: string, occurredAt: string, error: { kind: ErrorKind, type: string, message: string, node: string | null } }
        | { __typename: 'JobPostponed', cursor: string, jobId: string, seq: number, attempt: number | null, node: string | null, branch: string | null, type: string, recordedAt: string, occurredAt: string }
        | { __typename: 'JobQueued', cursor: string, jobId: string, seq: number, attempt: number | null, node: string | null, branch: string | null, type: string, recordedAt: string, occurredAt: string }
        | { __typename: 'JobReleased', cursor: string, jobId: string, seq: number, attempt: number | null, node: string | null, branch: string | null, type: string, recordedAt: string, occurredAt: string, releasedFor: string }
        | { __typename: 'JobRequeued', actor: string, reason: string | null, cursor: string, jobId: string, seq: number, attempt: number | null, node: string | null, branch: string | null, type: string, recordedAt: string, occurredAt: string }
        | { __typename: 'JobRescued', losses: number, cursor: string, jobId: string, seq: number, attempt: number | null, node: string | null, branch: string | null, type: string, recordedAt: string, occurredAt: string, error: { kind: ErrorKind, type: string, message: string, node: string | null } }
        | { __typename: 'JobRetryPlanned', failures: number, maxAttempts: number, runAt: string, cursor: string, jobId: string, seq: number, attempt: number | null, node: string | null, branch: string | null, type: string, recordedAt: string, occurredAt: string, error: { kind: ErrorKind, type: string, message: string, node: string | null } }
        | { __typename: 'JobScheduled', cursor: string, jobId: string, seq: number, attempt: number | null, node: string | null, branch: string | null, type: string, recordedAt: string, occurredAt: string }
        | { __typename: 'JobStalled', stalledFor: StallReason, forMs: number, p95Ms: number | null, cursor: string, jobId: string, seq: number, attempt: number | null, node: string | null, branch: string | null, type: string, recordedAt: string, occurredAt: string }
        | { __typename: 'JobStarted', worker: string, cursor: string, jobId: string, seq: number, attempt: number | null, node: string | null, branch: string | null, type: string, recordedAt: string, occurredAt: string }
        | { __typename: 'JobSucceeded', cursor: string, jobId: string, seq: number, attempt: number | null, node: string | null, branch: string | null, type: string, recordedAt: string, occurredAt: string }
        | { __typename: 'JobUpdated', actor: string, reason: string | null, cursor: string, jobId: string, seq: number, attempt: number | null, node: string | null, branch: string | null, type: string, recordedAt: string, occurredAt: string, changes: Array<{ field: string, from: unknown, to: unknown }> }
        | { __typename: 'LogDropped', lines: number, bytes: number, cursor: string, jobId: string, seq: number, attempt: number | null, node: string | null, branch: string | null, type: string, recordedAt: string, occurredAt: string, droppedFor: string }
        | { __typename: 'LogLine', level: string, stream: string, logger: string | null, text: string | null, cursor: string, jobId: string, seq: number, attempt: number | null, node: string | null, branch: string | null, type: string, recordedAt: string, occurredAt: string }
        | { __typename: 'NodeExpanded', count: number, nodes: Array<string>, cursor: string, jobId: string, seq: number, attempt: number | null, node: string, branch: string | null, type: string, recordedAt: string, occurredAt: string }
        | { __typename: 'NodeFailed', durationMs: number, cursor: string, jobId: string, seq: number, attempt: number | null, node: string, branch: string | null, type: string, recordedAt: string, occurredAt: string, error: { kind: ErrorKind, type: string, message: string, node: string | null } }
        | { __typename: 'NodeReused', cursor: string, jobId: string, seq: number, attempt: number | null, node: string, branch: string | null, type: string, recordedAt: string, occurredAt: string, whyReused: { code: NodeReasonCode, text: string, jobId: string | null, attempt: number | null }, summary: { type: string, shape: Array<number> | null, length: number | null, bytes: number | null, preview: string | null, columns: Array<{ name: string, type: string }> | null } }
        | { __typename: 'NodeStarted', cursor: string, jobId: string, seq: number, attempt: number | null, node: string, branch: string | null, type: string, recordedAt: string, occurredAt: string, whyRun: { code: NodeReasonCode, text: string, jobId: string | null, attempt: number | null } | null }
        | { __typename: 'NodeSucceeded', durationMs: number, cpuMs: number | null, stored: boolean | null, cursor: string, jobId: string, seq: number, attempt: number | null, node: string, branch: string | null, type: string, recordedAt: string, occurredAt: string, summary: { type: string, shape: Array<number> | null, length: number | null, bytes: number | null, preview: string | null, columns: Array<{ name: string, type: string }> | null } }
        | { __typename: 'RunResolved', codeHash: string, path: Array<string>, finalVars: Array<string>, cursor: string, jobId: string, seq: number, attempt: number | null, node: string | null, branch: string | null, type: string, recordedAt: string, occurredAt: string }
        | { __typename: 'UnknownEvent', data: unknown, cursor: string, jobId: string, seq: number, attempt: number | null, node: string | null, branch: string | null, type: string, recordedAt: string, occurredAt: string }
      >, pageInfo: { hasNextPage: boolean, endCursor: string | null } } } | null };

export type LastAttemptQueryVariables = Exact<{
  id: string | number;
}>;


export type LastAttemptQuery = { job: { lastAttempt: { id: string } | null } | null };

export type NodeRunsQueryVariables = Exact<{
  attempt: string | number;
  first: number;
  after?: string | null | undefined;
  filter?: NodeRunFilter | null | undefined;
}>;


export type NodeRunsQuery = { node:
    | { nodeRuns: { nodes: Array<{ node: string, branch: string | null, branches: number | null, state: NodeRunState, startedAt: string | null, endedAt: string | null, durationMs: number | null, cpuMs: number | null, stored: boolean | null, memoryGrowthBytes: number | null, inputs: Record<string, unknown> | null, reason: { code: NodeReasonCode, text: string, jobId: string | null, attempt: number | null } | null, summary: { type: string, shape: Array<number> | null, length: number | null, bytes: number | null, preview: string | null, columns: Array<{ name: string, type: string }> | null } | null, error: { kind: ErrorKind, type: string, message: string, traceback: string | null, node: string | null, branch: string | null, file: string | null, line: number | null, code: string | null, hint: string | null, problems: Array<{ path: string, message: string, suggestion: string | null }> } | null, regression: { factor: number, baselineP95Ms: number } | null }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } }
    | Record<PropertyKey, never>
   | null };

export type NodeDetailsQueryVariables = Exact<{
  attempt: string | number;
  name?: string | null | undefined;
  code: boolean;
  first: number;
  after?: string | null | undefined;
}>;


export type NodeDetailsQuery = { node:
    | { nodeRuns: { nodes: Array<{ node: string, branch: string | null, state: NodeRunState, source?: string | null, durationMs: number | null, cpuMs: number | null, memoryGrowthBytes: number | null, reason?: { text: string } | null, regression?: { factor: number, baselineP95Ms: number } | null, summary: { type: string, shape: Array<number> | null, length: number | null, bytes: number | null, preview: string | null, columns: Array<{ name: string, type: string, statistics: { min: number | null, max: number | null, mean: number | null, nulls: number } | null }> | null } | null, graphNode: { doc: string | null, type: string, tags: Record<string, unknown>, upstream: Array<string>, downstream: Array<string>, file: string | null, line: number | null } | null }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } }
    | Record<PropertyKey, never>
   | null };

export type FeedSubscriptionVariables = Exact<{
  filter?: FeedFilter | null | undefined;
  after?: string | null | undefined;
}>;


export type FeedSubscription = { feed: { cursor: string, event:
      | { __typename: 'ArtifactStored', artifactId: string, name: string, mediaType: string | null, omitted: string | null, cursor: string, jobId: string, seq: number, attempt: number | null, node: string | null, branch: string | null, type: string, recordedAt: string, occurredAt: string, artifactKind: ArtifactKind, storedBytes: number | null }
      | { __typename: 'JobCancelRequested', actor: string, reason: string | null, cursor: string, jobId: string, seq: number, attempt: number | null, node: string | null, branch: string | null, type: string, recordedAt: string, occurredAt: string }
      | { __typename: 'JobCancelled', reason: string | null, cursor: string, jobId: string, seq: number, attempt: number | null, node: string | null, branch: string | null, type: string, recordedAt: string, occurredAt: string, cancelledBy: string | null }
      | { __typename: 'JobEnqueued', state: JobState, priority: number, queue: string, runAt: string, actor: string, cursor: string, jobId: string, seq: number, attempt: number | null, node: string | null, branch: string | null, type: string, recordedAt: string, occurredAt: string }
      | { __typename: 'JobExpired', cursor: string, jobId: string, seq: number, attempt: number | null, node: string | null, branch: string | null, type: string, recordedAt: string, occurredAt: string }
      | { __typename: 'JobFailed', cursor: string, jobId: string, seq: number, attempt: number | null, node: string | null, branch: string | null, type: string, recordedAt: string, occurredAt: string, error: { kind: ErrorKind, type: string, message: string, node: string | null } }
      | { __typename: 'JobPostponed', cursor: string, jobId: string, seq: number, attempt: number | null, node: string | null, branch: string | null, type: string, recordedAt: string, occurredAt: string }
      | { __typename: 'JobQueued', cursor: string, jobId: string, seq: number, attempt: number | null, node: string | null, branch: string | null, type: string, recordedAt: string, occurredAt: string }
      | { __typename: 'JobReleased', cursor: string, jobId: string, seq: number, attempt: number | null, node: string | null, branch: string | null, type: string, recordedAt: string, occurredAt: string, releasedFor: string }
      | { __typename: 'JobRequeued', actor: string, reason: string | null, cursor: string, jobId: string, seq: number, attempt: number | null, node: string | null, branch: string | null, type: string, recordedAt: string, occurredAt: string }
      | { __typename: 'JobRescued', losses: number, cursor: string, jobId: string, seq: number, attempt: number | null, node: string | null, branch: string | null, type: string, recordedAt: string, occurredAt: string, error: { kind: ErrorKind, type: string, message: string, node: string | null } }
      | { __typename: 'JobRetryPlanned', failures: number, maxAttempts: number, runAt: string, cursor: string, jobId: string, seq: number, attempt: number | null, node: string | null, branch: string | null, type: string, recordedAt: string, occurredAt: string, error: { kind: ErrorKind, type: string, message: string, node: string | null } }
      | { __typename: 'JobScheduled', cursor: string, jobId: string, seq: number, attempt: number | null, node: string | null, branch: string | null, type: string, recordedAt: string, occurredAt: string }
      | { __typename: 'JobStalled', stalledFor: StallReason, forMs: number, p95Ms: number | null, cursor: string, jobId: string, seq: number, attempt: number | null, node: string | null, branch: string | null, type: string, recordedAt: string, occurredAt: string }
      | { __typename: 'JobStarted', worker: string, cursor: string, jobId: string, seq: number, attempt: number | null, node: string | null, branch: string | null, type: string, recordedAt: string, occurredAt: string }
      | { __typename: 'JobSucceeded', cursor: string, jobId: string, seq: number, attempt: number | null, node: string | null, branch: string | null, type: string, recordedAt: string, occurredAt: string }
      | { __typename: 'JobUpdated', actor: string, reason: string | null, cursor: string, jobId: string, seq: number, attempt: number | null, node: string | null, branch: string | null, type: string, recordedAt: string, occurredAt: string, changes: Array<{ field: string, from: unknown, to: unknown }> }
      | { __typename: 'LogDropped', lines: number, bytes: number, cursor: string, jobId: string, seq: number, attempt: number | null, node: string | null, branch: string | null, type: string, recordedAt: string, occurredAt: string, droppedFor: string }
      | { __typename: 'LogLine', level: string, stream: string, logger: string | null, text: string | null, cursor: string, jobId: string, seq: number, attempt: number | null, node: string | null, branch: string | null, type: string, recordedAt: string, occurredAt: string }
      | { __typename: 'NodeExpanded', count: number, nodes: Array<string>, cursor: string, jobId: string, seq: number, attempt: number | null, node: string, branch: string | null, type: string, recordedAt: string, occurredAt: string }
      | { __typename: 'NodeFailed', durationMs: number, cursor: string, jobId: string, seq: number, attempt: number | null, node: string, branch: string | null, type: string, recordedAt: string, occurredAt: string, error: { kind: ErrorKind, type: string, message: string, node: string | null } }
      | { __typename: 'NodeReused', cursor: string, jobId: string, seq: number, attempt: number | null, node: string, branch: string | null, type: string, recordedAt: string, occurredAt: string, whyReused: { code: NodeReasonCode, text: string, jobId: string | null, attempt: number | null }, summary: { type: string, shape: Array<number> | null, length: number | null, bytes: number | null, preview: string | null, columns: Array<{ name: string, type: string }> | null } }
      | { __typename: 'NodeStarted', cursor: string, jobId: string, seq: number, attempt: number | null, node: string, branch: string | null, type: string, recordedAt: string, occurredAt: string, whyRun: { code: NodeReasonCode, text: string, jobId: string | null, attempt: number | null } | null }
      | { __typename: 'NodeSucceeded', durationMs: number, cpuMs: number | null, stored: boolean | null, cursor: string, jobId: string, seq: number, attempt: number | null, node: string, branch: string | null, type: string, recordedAt: string, occurredAt: string, summary: { type: string, shape: Array<number> | null, length: number | null, bytes: number | null, preview: string | null, columns: Array<{ name: string, type: string }> | null } }
      | { __typename: 'RunResolved', codeHash: string, path: Array<string>, finalVars: Array<string>, cursor: string, jobId: string, seq: number, attempt: number | null, node: string | null, branch: string | null, type: string, recordedAt: string, occurredAt: string }
      | { __typename: 'UnknownEvent', data: unknown, cursor: string, jobId: string, seq: number, attempt: number | null, node: string | null, branch: string | null, type: string, recordedAt: string, occurredAt: string }
     | null } };

export type JobContextQueryVariables = Exact<{
  id: string | number;
  last: number;
}>;


export type JobContextQuery = { job: { id: string, project: string, pipeline: string, traceId: string, attempts: { nodes: Array<{ number: number, worker: { id: string }, executionContext: { codeHash: string | null, python: string | null, executable: string | null, packages: Record<string, unknown>, path: Array<string>, finalVars: Array<string>, configFile: string | null, host: string | null, folder: string | null, traceparent: string | null, startedAt: string, git: { commit: string, dirty: boolean, branch: string | null, remote: string | null } | null, modules: Array<{ name: string, file: string, sha256: string }>, resolved: Array<{ path: string, value: unknown, reference: string | null, source: string, keyedHash: string | null }> } | null }> } } | null };

export type ReproduceQueryVariables = Exact<{
  id: string | number;
  last: number;
}>;


export type ReproduceQuery = { job: { attempts: { nodes: Array<{ number: number, reproduce: string | null }> } } | null };

export type PipelineInputsQueryVariables = Exact<{
  name: string;
  config?: Record<string, unknown> | null | undefined;
}>;


export type PipelineInputsQuery = { pipeline: { inputs: Array<{ name: string, schema: Record<string, unknown> }>, variant: { inputs: Array<{ name: string, schema: Record<string, unknown> }> } | null } | null };

export type PipelineVariantQueryVariables = Exact<{
  name: string;
  config?: Record<string, unknown> | null | undefined;
}>;


export type PipelineVariantQuery = { pipeline: { name: string, qualifiedName: string, runLimits: { maxMemoryBytes: number | null, maxMemorySource: string | null, maxCpuMs: number | null, maxCpuSource: string | null }, variant: { status: PipelineStatus, doc: string | null, finalVars: Array<string> | null, leaves: Array<string>, inputs: Array<{ name: string, type: string, required: boolean, doc: string | null, default: { value: unknown, source: string, reference: string | null } | null }>, warnings: Array<{ path: string, message: string, suggestion: string | null }>, error: { kind: ErrorKind, type: string, message: string, traceback: string | null, node: string | null, branch: string | null, file: string | null, line: number | null, code: string | null, hint: string | null, problems: Array<{ path: string, message: string, suggestion: string | null }> } | null, graph: { nodes: Array<{ name: string, kind: GraphNodeKind, type: string, doc: string | null, dependsOn: Array<string>, optionalDependsOn: Array<string> }> } | null } | null } | null };

export type ProjectsQueryVariables = Exact<{
  first: number;
  after?: string | null | undefined;
}>;


export type ProjectsQuery = { projects: { nodes: Array<{ name: string, publishedAt: string, disabledAt: string | null, environment: { python: string | null, pythonVersion: string | null, pythonSource: string | null, flowerpower: string | null, hamilton: string | null }, error: { kind: ErrorKind, type: string, message: string, traceback: string | null, node: string | null, branch: string | null, file: string | null, line: number | null, code: string | null, hint: string | null, problems: Array<{ path: string, message: string, suggestion: string | null }> } | null, pipelines: Array<{ name: string, status: PipelineStatus, inputs: Array<{ name: string, required: boolean }> }>, workers: Array<{ id: string }> }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } };

export type ProjectQueryVariables = Exact<{
  name: string;
}>;


export type ProjectQuery = { project: { name: string, publishedAt: string, disabledAt: string | null, disabledReason: string | null, executors: Array<{ type: string, available: boolean }> | null, environment: { python: string | null, pythonVersion: string | null, pythonSource: string | null, flowerpower: string | null, hamilton: string | null }, error: { kind: ErrorKind, type: string, message: string, traceback: string | null, node: string | null, branch: string | null, file: string | null, line: number | null, code: string | null, hint: string | null, problems: Array<{ path: string, message: string, suggestion: string | null }> } | null, warnings: Array<{ path: string, message: string, suggestion: string | null }>, workers: Array<{ id: string, host: string, pid: number, slots: number }>, pipelines: Array<{ name: string, status: PipelineStatus, doc: string | null, finalVars: Array<string> | null, runLimits: { maxMemoryBytes: number | null, maxMemorySource: string | null, maxCpuMs: number | null, maxCpuSource: string | null }, inputs: Array<{ name: string, type: string, required: boolean, doc: string | null, default: { value: unknown, source: string, reference: string | null } | null }>, warnings: Array<{ path: string, message: string, suggestion: string | null }>, error: { kind: ErrorKind, type: string, message: string, traceback: string | null, node: string | null, branch: string | null, file: string | null, line: number | null, code: string | null, hint: string | null, problems: Array<{ path: string, message: string, suggestion: string | null }> } | null }> } | null };

export type ServerQueryVariables = Exact<{ [key: string]: never; }>;


export type ServerQuery = { server: { version: string, postgresVersion: string, startedAt: string, now: string, clockSkewMs: number, actor: string, artifactProblem: string | null }, workers: { nodes: Array<{ id: string, host: string, pid: number, slots: number, state: WorkerState, projects: Array<string>, artifactProblem: string | null }> } };

export type PipelineVersionsQueryVariables = Exact<{
  name: string;
  last: number;
}>;


export type PipelineVersionsQuery = { pipeline: { qualifiedName: string, status: PipelineStatus, versions: { nodes: Array<{ number: number, codeHash: string, publishedAt: string, lastSeenAt: string, git: { commit: string, dirty: boolean, branch: string | null, remote: string | null } | null, modules: Array<{ file: string, sha256: string }> }> } } | null };

export type ComparePipelineVersionsQueryVariables = Exact<{
  pipeline: string;
  from: number;
  to: number;
}>;


export type ComparePipelineVersionsQuery = { comparePipelineVersions:
    | { __typename: 'BadInputError', code: string, message: string, path: string | null }
    | { __typename: 'NotFoundError', code: string, message: string, path: string | null }
    | { __typename: 'PipelineComparison', from: { number: number, codeHash: string, publishedAt: string }, to: { number: number, codeHash: string, publishedAt: string }, nodes: Array<{ name: string, change: ChangeKind, aspects: Array<NodeAspect>, diff: string | null, from: { type: string, dependsOn: Array<string>, optionalDependsOn: Array<string> } | null, to: { type: string, dependsOn: Array<string>, optionalDependsOn: Array<string> } | null }>, modules: Array<{ file: string, change: ChangeKind }>, params: Array<{ path: string, change: ChangeKind, from: unknown, to: unknown }>, run: Array<{ path: string, change: ChangeKind, from: unknown, to: unknown }> }
   };

export type ReloadProjectMutationVariables = Exact<{
  input: ReloadProjectInput;
}>;


export type ReloadProjectMutation = { reloadProject:
    | { __typename: 'NotFoundError', code: string, message: string, path: string | null, suggestion: string | null }
    | { __typename: 'ReloadProjectSuccess', reloaded: boolean, project: { name: string, publishedAt: string, error: { kind: ErrorKind, type: string, message: string, traceback: string | null, node: string | null, branch: string | null, file: string | null, line: number | null, code: string | null, hint: string | null, problems: Array<{ path: string, message: string, suggestion: string | null }> } | null } }
   };

export type DisableProjectMutationVariables = Exact<{
  input: DisableProjectInput;
}>;


export type DisableProjectMutation = { disableProject:
    | { __typename: 'DisableProjectSuccess', project: { name: string, disabledAt: string | null, disabledReason: string | null } }
    | { __typename: 'NotFoundError', code: string, message: string, path: string | null, suggestion: string | null }
   };

export type EnableProjectMutationVariables = Exact<{
  input: EnableProjectInput;
}>;


export type EnableProjectMutation = { enableProject:
    | { __typename: 'EnableProjectSuccess', project: { name: string, disabledAt: string | null } }
    | { __typename: 'NotFoundError', code: string, message: string, path: string | null, suggestion: string | null }
   };

export type JobPlanFragment = { project: string, pipeline: string, valid: boolean | null, validated: boolean, notValidated: string | null, codeHash: string | null, finalVars: Array<string>, reuseNote: string | null, expectedMs: number | null, pastRuns: number, problems: Array<{ code: PlanProblemCode, path: string, message: string, suggestion: string | null }>, warnings: Array<{ path: string, message: string, suggestion: string | null }>, nodes: Array<{ name: string, kind: GraphNodeKind, type: string, doc: string | null, action: PlannedAction, reason: string, reasonCode: NodeReasonCode | null, reusedFromId: string | null, unless: Array<string>, inBlock: boolean, reusedBranches: number | null, expectedRuns: number | null, expectedMs: number | null }>, inputs: Array<{ name: string, type: string, source: InputSource, place: string, value: unknown, reference: string | null, replaced: { value: unknown, source: string, reference: string | null } | null }>, config: Array<{ key: string, value: unknown, source: string }>, settings: { queue: { value: string, source: string }, priority: { value: number | null, source: string }, ttlMs: { value: number | null, source: string }, needs: { value: Array<string>, source: string }, timeoutMs: { value: number | null, source: string }, maxMemoryBytes: { value: number | null, source: string }, concurrency: { value: number | null, source: string }, maxCpuMs: { value: number | null, source: string }, retry: { maxRetries: number, retryDelayMs: number, jitterFactor: number, backoff: Backoff, delaysMs: Array<number> | null, maxDelayMs: number | null, retryExceptions: Array<string> | null, nonRetryableExceptions: Array<string>, source: string, note: string | null }, onWorkerLost: { value: OnWorkerLost, source: string }, maxLosses: { value: number | null, source: string }, runtime: { value: RuntimeMode, source: string }, reuse: { value: ReuseMode, source: string }, results: { value: ResultMode, source: string }, resultTtlMs: { value: number | null, source: string }, logTtlMs: { value: number | null, source: string }, failureTtlMs: { value: number | null, source: string }, executor: { type: string | null, maxWorkers: number | null, source: string } } };

export type PlanJobQueryVariables = Exact<{
  input: PlanJobInput;
}>;


export type PlanJobQuery = { planJob:
    | { __typename: 'BadInputError', code: string, message: string, path: string | null }
    | { __typename: 'JobPlan', project: string, pipeline: string, valid: boolean | null, validated: boolean, notValidated: string | null, codeHash: string | null, finalVars: Array<string>, reuseNote: string | null, expectedMs: number | null, pastRuns: number, problems: Array<{ code: PlanProblemCode, path: string, message: string, suggestion: string | null }>, warnings: Array<{ path: string, message: string, suggestion: string | null }>, nodes: Array<{ name: string, kind: GraphNodeKind, type: string, doc: string | null, action: PlannedAction, reason: string, reasonCode: NodeReasonCode | null, reusedFromId: string | null, unless: Array<string>, inBlock: boolean, reusedBranches: number | null, expectedRuns: number | null, expectedMs: number | null }>, inputs: Array<{ name: string, type: string, source: InputSource, place: string, value: unknown, reference: string | null, replaced: { value: unknown, source: string, reference: string | null } | null }>, config: Array<{ key: string, value: unknown, source: string }>, settings: { queue: { value: string, source: string }, priority: { value: number | null, source: string }, ttlMs: { value: number | null, source: string }, needs: { value: Array<string>, source: string }, timeoutMs: { value: number | null, source: string }, maxMemoryBytes: { value: number | null, source: string }, concurrency: { value: number | null, source: string }, maxCpuMs: { value: number | null, source: string }, retry: { maxRetries: number, retryDelayMs: number, jitterFactor: number, backoff: Backoff, delaysMs: Array<number> | null, maxDelayMs: number | null, retryExceptions: Array<string> | null, nonRetryableExceptions: Array<string>, source: string, note: string | null }, onWorkerLost: { value: OnWorkerLost, source: string }, maxLosses: { value: number | null, source: string }, runtime: { value: RuntimeMode, source: string }, reuse: { value: ReuseMode, source: string }, results: { value: ResultMode, source: string }, resultTtlMs: { value: number | null, source: string }, logTtlMs: { value: number | null, source: string }, failureTtlMs: { value: number | null, source: string }, executor: { type: string | null, maxWorkers: number | null, source: string } } }
    | { __typename: 'NotFoundError', code: string, message: string, path: string | null, suggestion: string | null }
   };

export type PipelineHistoryQueryVariables = Exact<{
  name: string;
  last: number;
  first: number;
  after?: string | null | undefined;
}>;


export type PipelineHistoryQuery = { pipeline: { qualifiedName: string, history: { runs: number, wholeRuns: number, p50Ms: number | null, p95Ms: number | null, waitedP50Ms: number | null, waitedP95Ms: number | null, nodes: { nodes: Array<{ node: string, runs: number, p50Ms: number, p95Ms: number, expander: string | null, branches: number | null, bytes: number | null, recent: Array<{ jobId: string, codeHash: string | null, durationMs: number, branches: number | null }> }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } } } | null };

export type QueueFragment = { name: string, createdAt: string, pausedAt: string | null, pausedUntil: string | null, pauseReason: string | null, concurrencyLimit: number | null, backlogLimit: number | null, oldestWaitingAt: string | null, endedPerMinute: number, rateLimit: { jobs: number, periodMs: number } | null, jobDefaults: { priority: number | null, timeoutMs: number | null, ttlMs: number | null, onWorkerLost: OnWorkerLost | null, needs: Array<string> | null, retry: { maxRetries: number, retryDelayMs: number | null, jitterFactor: number | null, retryExceptions: Array<string> | null, backoff: Backoff | null, delaysMs: Array<number> | null, maxDelayMs: number | null, nonRetryableExceptions: Array<string> | null } | null } | null, counts: Array<{ state: JobState, count: { value: number, isExact: boolean } }> };

export type QueuesQueryVariables = Exact<{ [key: string]: never; }>;


export type QueuesQuery = { queues: Array<{ name: string, createdAt: string, pausedAt: string | null, pausedUntil: string | null, pauseReason: string | null, concurrencyLimit: number | null, backlogLimit: number | null, oldestWaitingAt: string | null, endedPerMinute: number, rateLimit: { jobs: number, periodMs: number } | null, jobDefaults: { priority: number | null, timeoutMs: number | null, ttlMs: number | null, onWorkerLost: OnWorkerLost | null, needs: Array<string> | null, retry: { maxRetries: number, retryDelayMs: number | null, jitterFactor: number | null, retryExceptions: Array<string> | null, backoff: Backoff | null, delaysMs: Array<number> | null, maxDelayMs: number | null, nonRetryableExceptions: Array<string> | null } | null } | null, counts: Array<{ state: JobState, count: { value: number, isExact: boolean } }> }> };

export type QueueQueryVariables = Exact<{
  name: string;
}>;


export type QueueQuery = { queue: { name: string, createdAt: string, pausedAt: string | null, pausedUntil: string | null, pauseReason: string | null, concurrencyLimit: number | null, backlogLimit: number | null, oldestWaitingAt: string | null, endedPerMinute: number, rateLimit: { jobs: number, periodMs: number } | null, jobDefaults: { priority: number | null, timeoutMs: number | null, ttlMs: number | null, onWorkerLost: OnWorkerLost | null, needs: Array<string> | null, retry: { maxRetries: number, retryDelayMs: number | null, jitterFactor: number | null, retryExceptions: Array<string> | null, backoff: Backoff | null, delaysMs: Array<number> | null, maxDelayMs: number | null, nonRetryableExceptions: Array<string> | null } | null } | null, counts: Array<{ state: JobState, count: { value: number, isExact: boolean } }> } | null };

export type CreateQueueMutationVariables = Exact<{
  input: CreateQueueInput;
}>;


export type CreateQueueMutation = { createQueue:
    | { __typename: 'CreateQueueSuccess', queue: { name: string, createdAt: string, pausedAt: string | null, pausedUntil: string | null, pauseReason: string | null, concurrencyLimit: number | null, backlogLimit: number | null, oldestWaitingAt: string | null, endedPerMinute: number, rateLimit: { jobs: number, periodMs: number } | null, jobDefaults: { priority: number | null, timeoutMs: number | null, ttlMs: number | null, onWorkerLost: OnWorkerLost | null, needs: Array<string> | null, retry: { maxRetries: number, retryDelayMs: number | null, jitterFactor: number | null, retryExceptions: Array<string> | null, backoff: Backoff | null, delaysMs: Array<number> | null, maxDelayMs: number | null, nonRetryableExceptions: Array<string> | null } | null } | null, counts: Array<{ state: JobState, count: { value: number, isExact: boolean } }> } }
    | { __typename: 'QueueExistsError', code: string, message: string, path: string | null }
   };

export type SetQueueLimitsMutationVariables = Exact<{
  input: SetQueueLimitsInput;
}>;


export type SetQueueLimitsMutation = { setQueueLimits:
    | { __typename: 'NotFoundError', code: string, message: string, path: string | null, suggestion: string | null }
    | { __typename: 'SetQueueLimitsSuccess', queue: { name: string, createdAt: string, pausedAt: string | null, pausedUntil: string | null, pauseReason: string | null, concurrencyLimit: number | null, backlogLimit: number | null, oldestWaitingAt: string | null, endedPerMinute: number, rateLimit: { jobs: number, periodMs: number } | null, jobDefaults: { priority: number | null, timeoutMs: number | null, ttlMs: number | null, onWorkerLost: OnWorkerLost | null, needs: Array<string> | null, retry: { maxRetries: number, retryDelayMs: number | null, jitterFactor: number | null, retryExceptions: Array<string> | null, backoff: Backoff | null, delaysMs: Array<number> | null, maxDelayMs: number | null, nonRetryableExceptions: Array<string> | null } | null } | null, counts: Array<{ state: JobState, count: { value: number, isExact: boolean } }> } }
   };

export type SetQueueDefaultsMutationVariables = Exact<{
  input: SetQueueDefaultsInput;
}>;


export type SetQueueDefaultsMutation = { setQueueDefaults:
    | { __typename: 'NotFoundError', code: string, message: string, path: string | null, suggestion: string | null }
    | { __typename: 'SetQueueDefaultsSuccess', queue: { name: string, createdAt: string, pausedAt: string | null, pausedUntil: string | null, pauseReason: string | null, concurrencyLimit: number | null, backlogLimit: number | null, oldestWaitingAt: string | null, endedPerMinute: number, rateLimit: { jobs: number, periodMs: number } | null, jobDefaults: { priority: number | null, timeoutMs: number | null, ttlMs: number | null, onWorkerLost: OnWorkerLost | null, needs: Array<string> | null, retry: { maxRetries: number, retryDelayMs: number | null, jitterFactor: number | null, retryExceptions: Array<string> | null, backoff: Backoff | null, delaysMs: Array<number> | null, maxDelayMs: number | null, nonRetryableExceptions: Array<string> | null } | null } | null, counts: Array<{ state: JobState, count: { value: number, isExact: boolean } }> } }
   };

export type PauseQueueMutationVariables = Exact<{
  input: PauseQueueInput;
}>;


export type PauseQueueMutation = { pauseQueue:
    | { __typename: 'BadInputError', code: string, message: string, path: string | null }
    | { __typename: 'NotFoundError', code: string, message: string, path: string | null, suggestion: string | null }
    | { __typename: 'PauseQueueSuccess', queue: { name: string, createdAt: string, pausedAt: string | null, pausedUntil: string | null, pauseReason: string | null, concurrencyLimit: number | null, backlogLimit: number | null, oldestWaitingAt: string | null, endedPerMinute: number, rateLimit: { jobs: number, periodMs: number } | null, jobDefaults: { priority: number | null, timeoutMs: number | null, ttlMs: number | null, onWorkerLost: OnWorkerLost | null, needs: Array<string> | null, retry: { maxRetries: number, retryDelayMs: number | null, jitterFactor: number | null, retryExceptions: Array<string> | null, backoff: Backoff | null, delaysMs: Array<number> | null, maxDelayMs: number | null, nonRetryableExceptions: Array<string> | null } | null } | null, counts: Array<{ state: JobState, count: { value: number, isExact: boolean } }> } }
   };

export type ResumeQueueMutationVariables = Exact<{
  input: ResumeQueueInput;
}>;


export type ResumeQueueMutation = { resumeQueue:
    | { __typename: 'NotFoundError', code: string, message: string, path: string | null, suggestion: string | null }
    | { __typename: 'ResumeQueueSuccess', queue: { name: string, createdAt: string, pausedAt: string | null, pausedUntil: string | null, pauseReason: string | null, concurrencyLimit: number | null, backlogLimit: number | null, oldestWaitingAt: string | null, endedPerMinute: number, rateLimit: { jobs: number, periodMs: number } | null, jobDefaults: { priority: number | null, timeoutMs: number | null, ttlMs: number | null, onWorkerLost: OnWorkerLost | null, needs: Array<string> | null, retry: { maxRetries: number, retryDelayMs: number | null, jitterFactor: number | null, retryExceptions: Array<string> | null, backoff: Backoff | null, delaysMs: Array<number> | null, maxDelayMs: number | null, nonRetryableExceptions: Array<string> | null } | null } | null, counts: Array<{ state: JobState, count: { value: number, isExact: boolean } }> } }
   };

export type PruneJobsMutationVariables = Exact<{
  input?: PruneJobsInput | null | undefined;
}>;


export type PruneJobsMutation = { pruneJobs:
    | { __typename: 'BadInputError', code: string, message: string, path: string | null }
    | { __typename: 'PruneJobsSuccess', dryRun: boolean, more: boolean, counts: Array<{ state: JobState, count: { value: number, isExact: boolean } }> }
   };

export type StorageQueryVariables = Exact<{ [key: string]: never; }>;


export type StorageQuery = { storage: Array<{ part: string, bytes: number, rows: number }>, retention: { keepLast: number, ages: Array<{ state: JobState, ageMs: number | null }> } };

export type MetricsBucketFragment = { from: string, to: string, ended: number, counts: Array<{ state: JobState, jobs: number }>, wait: { jobs: number, p50Ms: number, p95Ms: number, p99Ms: number } | null, run: { jobs: number, p50Ms: number, p95Ms: number, p99Ms: number } | null };

export type MetricsQueryVariables = Exact<{
  from?: string | null | undefined;
  to?: string | null | undefined;
  bucket: MetricsBucketSize;
  filter?: MetricsFilter | null | undefined;
}>;


export type MetricsQuery = { metrics: { total: { from: string, to: string, ended: number, counts: Array<{ state: JobState, jobs: number }>, wait: { jobs: number, p50Ms: number, p95Ms: number, p99Ms: number } | null, run: { jobs: number, p50Ms: number, p95Ms: number, p99Ms: number } | null }, buckets: Array<{ from: string, to: string, ended: number, counts: Array<{ state: JobState, jobs: number }>, wait: { jobs: number, p50Ms: number, p95Ms: number, p99Ms: number } | null, run: { jobs: number, p50Ms: number, p95Ms: number, p99Ms: number } | null }> } };

export type WorkerFragment = { id: string, host: string, pid: number, version: string, state: WorkerState, slots: number, freeSlots: number, projects: Array<string>, labels: Array<string>, queues: Array<string>, wanted: WorkerRequest | null, wantedAt: string | null, wantedBy: string | null, wantedReason: string | null, artifactStore: string | null, artifactProblem: string | null, startedAt: string, heartbeatAt: string, endedAt: string | null, running: Array<{ id: string, project: string, pipeline: string, attempt: number, startedAt: string | null }> };

export type WorkersQueryVariables = Exact<{
  first: number;
  after?: string | null | undefined;
  includeEnded: boolean;
}>;


export type WorkersQuery = { workers: { nodes: Array<{ id: string, host: string, pid: number, version: string, state: WorkerState, slots: number, freeSlots: number, projects: Array<string>, labels: Array<string>, queues: Array<string>, wanted: WorkerRequest | null, wantedAt: string | null, wantedBy: string | null, wantedReason: string | null, artifactStore: string | null, artifactProblem: string | null, startedAt: string, heartbeatAt: string, endedAt: string | null, running: Array<{ id: string, project: string, pipeline: string, attempt: number, startedAt: string | null }> }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } };

export type WorkerQueryVariables = Exact<{
  id: string | number;
}>;


export type WorkerQuery = { worker: { id: string, host: string, pid: number, version: string, state: WorkerState, slots: number, freeSlots: number, projects: Array<string>, labels: Array<string>, queues: Array<string>, wanted: WorkerRequest | null, wantedAt: string | null, wantedBy: string | null, wantedReason: string | null, artifactStore: string | null, artifactProblem: string | null, startedAt: string, heartbeatAt: string, endedAt: string | null, served: Array<{ name: string, root: string, environment: { python: string | null, pythonVersion: string | null, pythonSource: string | null, flowerpower: string | null, hamilton: string | null, packages: Record<string, unknown> } | null }>, running: Array<{ id: string, project: string, pipeline: string, attempt: number, startedAt: string | null }> } | null };

export type DrainWorkerMutationVariables = Exact<{
  input: DrainWorkerInput;
}>;


export type DrainWorkerMutation = { drainWorker:
    | { __typename: 'DrainWorkerSuccess', worker: { id: string, host: string, pid: number, version: string, state: WorkerState, slots: number, freeSlots: number, projects: Array<string>, labels: Array<string>, queues: Array<string>, wanted: WorkerRequest | null, wantedAt: string | null, wantedBy: string | null, wantedReason: string | null, artifactStore: string | null, artifactProblem: string | null, startedAt: string, heartbeatAt: string, endedAt: string | null, running: Array<{ id: string, project: string, pipeline: string, attempt: number, startedAt: string | null }> } }
    | { __typename: 'NotFoundError', code: string, message: string, path: string | null, suggestion: string | null }
    | { __typename: 'WorkerStateError', code: string, message: string, path: string | null }
   };

export type ResumeWorkerMutationVariables = Exact<{
  input: ResumeWorkerInput;
}>;


export type ResumeWorkerMutation = { resumeWorker:
    | { __typename: 'NotFoundError', code: string, message: string, path: string | null, suggestion: string | null }
    | { __typename: 'ResumeWorkerSuccess', worker: { id: string, host: string, pid: number, version: string, state: WorkerState, slots: number, freeSlots: number, projects: Array<string>, labels: Array<string>, queues: Array<string>, wanted: WorkerRequest | null, wantedAt: string | null, wantedBy: string | null, wantedReason: string | null, artifactStore: string | null, artifactProblem: string | null, startedAt: string, heartbeatAt: string, endedAt: string | null, running: Array<{ id: string, project: string, pipeline: string, attempt: number, startedAt: string | null }> } }
    | { __typename: 'WorkerStateError', code: string, message: string, path: string | null }
   };

export type StopWorkerMutationVariables = Exact<{
  input: StopWorkerInput;
}>;


export type StopWorkerMutation = { stopWorker:
    | { __typename: 'NotFoundError', code: string, message: string, path: string | null, suggestion: string | null }
    | { __typename: 'StopWorkerSuccess', worker: { id: string, host: string, pid: number, version: string, state: WorkerState, slots: number, freeSlots: number, projects: Array<string>, labels: Array<string>, queues: Array<string>, wanted: WorkerRequest | null, wantedAt: string | null, wantedBy: string | null, wantedReason: string | null, artifactStore: string | null, artifactProblem: string | null, startedAt: string, heartbeatAt: string, endedAt: string | null, running: Array<{ id: string, project: string, pipeline: string, attempt: number, startedAt: string | null }> } }
    | { __typename: 'WorkerStateError', code: string, message: string, path: string | null }
   };

export class TypedDocumentString<TResult, TVariables>
  extends String
  implements DocumentTypeDecoration<TResult, TVariables>
{
  __apiType?: NonNullable<DocumentTypeDecoration<TResult, TVariables>['__apiType']>;
  private value: string;
  public __meta__?: Record<string, any> | undefined;

  constructor(value: string, __meta__?: Record<string, any> | undefined) {
    super(value);
    this.value = value;
    this.__meta__ = __meta__;
  }

  override toString(): string & DocumentTypeDecoration<TResult, TVariables> {
    return this.value;
  }
}
export const JobSummaryFragmentDoc = new TypedDocumentString(`
    fragment JobSummary on Job {
  id
  project
  pipeline
  state
  queue
  priority
  tags
  attempt
  maxAttempts
  createdAt
  runAt
  startedAt
  finishedAt
  cancelRequestedAt
  waitedMs
  runMs
  waitingFor
  stalledAt
  errorKind
  requestedBy
  progress {
    done
    total
  }
}
    `, {"fragmentName":"JobSummary"}) as unknown as TypedDocumentString<JobSummaryFragment, unknown>;
export const BulkResultFragmentDoc = new TypedDocumentString(`
    fragment BulkResult on BulkSuccess {
  dryRun
  matched {
    value
    isExact
  }
  more
  done
  failed
  problems {
    id
    code
    message
    state
  }
  sample {
    ...JobSummary
  }
}
    fragment JobSummary on Job {
  id
  project
  pipeline
  state
  queue
  priority
  tags
  attempt
  maxAttempts
  createdAt
  runAt
  startedAt
  finishedAt
  cancelRequestedAt
  waitedMs
  runMs
  waitingFor
  stalledAt
  errorKind
  requestedBy
  progress {
    done
    total
  }
}`, {"fragmentName":"BulkResult"}) as unknown as TypedDocumentString<BulkResultFragment, unknown>;
export const PipelineInputFragmentDoc = new TypedDocumentString(`
    fragment PipelineInput on PipelineInput {
  name
  type
  required
  doc
  default {
    value
    source
    reference
  }
}
    `, {"fragmentName":"PipelineInput"}) as unknown as TypedDocumentString<PipelineInputFragment, unknown>;
export const ListedJobFragmentDoc = new TypedDocumentString(`
    fragment ListedJob on Job {
  ...JobSummary
  progress {
    expectedMs
    leftMs
  }
}
    fragment JobSummary on Job {
  id
  project
  pipeline
  state
  queue
  priority
  tags
  attempt
  maxAttempts
  createdAt
  runAt
  startedAt
  finishedAt
  cancelRequestedAt
  waitedMs
  runMs
  waitingFor
  stalledAt
  errorKind
  requestedBy
  progress {
    done
    total
  }
}`, {"fragmentName":"ListedJob"}) as unknown as TypedDocumentString<ListedJobFragment, unknown>;
export const RegressionFragmentDoc = new TypedDocumentString(`
    fragment Regression on Regression {
  factor
  baselineP95Ms
}
    `, {"fragmentName":"Regression"}) as unknown as TypedDocumentString<RegressionFragment, unknown>;
export const RunErrorFragmentDoc = new TypedDocumentString(`
    fragment RunError on RunError {
  kind
  type
  message
  traceback
  node
  branch
  file
  line
  code
  hint
  problems {
    path
    message
    suggestion
  }
}
    `, {"fragmentName":"RunError"}) as unknown as TypedDocumentString<RunErrorFragment, unknown>;
export const NodeReasonFragmentDoc = new TypedDocumentString(`
    fragment NodeReason on NodeReason {
  code
  text
  jobId
  attempt
}
    `, {"fragmentName":"NodeReason"}) as unknown as TypedDocumentString<NodeReasonFragment, unknown>;
export const ValueSummaryFragmentDoc = new TypedDocumentString(`
    fragment ValueSummary on ValueSummary {
  type
  shape
  length
  bytes
  preview
  columns {
    name
    type
  }
}
    `, {"fragmentName":"ValueSummary"}) as unknown as TypedDocumentString<ValueSummaryFragment, unknown>;
export const NodeRunFragmentDoc = new TypedDocumentString(`
    fragment NodeRun on NodeRun {
  node
  branch
  branches
  state
  startedAt
  endedAt
  durationMs
  cpuMs
  stored
  reason {
    ...NodeReason
  }
  memoryGrowthBytes
  inputs
  summary {
    ...ValueSummary
  }
  error {
    ...RunError
  }
  regression {
    ...Regression
  }
}
    fragment ValueSummary on ValueSummary {
  type
  shape
  length
  bytes
  preview
  columns {
    name
    type
  }
}
fragment RunError on RunError {
  kind
  type
  message
  traceback
  node
  branch
  file
  line
  code
  hint
  problems {
    path
    message
    suggestion
  }
}
fragment Regression on Regression {
  factor
  baselineP95Ms
}
fragment NodeReason on NodeReason {
  code
  text
  jobId
  attempt
}`, {"fragmentName":"NodeRun"}) as unknown as TypedDocumentString<NodeRunFragment, unknown>;
export const ArtifactFragmentDoc = new TypedDocumentString(`
    fragment Artifact on Artifact {
  id
  name
  kind
  mediaType
  bytes
  sha256
  downloadUrl
  omitted
  expiresAt
  removedAt
}
    `, {"fragmentName":"Artifact"}) as unknown as TypedDocumentString<ArtifactFragment, unknown>;
export const ResultFragmentDoc = new TypedDocumentString(`
    fragment Result on Result {
  name
  hasValue
  value
  omitted
  expiresAt
  artifact {
    ...Artifact
    preview
    schema {
      name
      type
    }
  }
  summary {
    ...ValueSummary
  }
}
    fragment ValueSummary on ValueSummary {
  type
  shape
  length
  bytes
  preview
  columns {
    name
    type
  }
}
fragment Artifact on Artifact {
  id
  name
  kind
  mediaType
  bytes
  sha256
  downloadUrl
  omitted
  expiresAt
  removedAt
}`, {"fragmentName":"Result"}) as unknown as TypedDocumentString<ResultFragment, unknown>;
export const JobDetailsFragmentDoc = new TypedDocumentString(`
    fragment JobDetails on Job {
  ...JobSummary
  inputs
  metadata
  config
  finalVars
  timeoutMs
  onWorkerLost
  failures
  losses
  maxLosses
  life
  actor
  expiresAt
  validated
  lastCursor
  options {
    reuse
    recompute
  }
  retry {
    maxRetries
    retryDelayMs
    jitterFactor
    retryExceptions
    backoff
    delaysMs
    maxDelayMs
    nonRetryableExceptions
  }
  plan {
    codeHash
    nodes
    reused
    count
  }
  progress {
    expectedMs
    leftMs
  }
  regression {
    ...Regression
  }
  error {
    ...RunError
  }
  worker {
    id
    host
    pid
  }
  attempts(last: 50) {
    nodes {
      number
      outcome
      startedAt
      endedAt
      durationMs
      errorKind
    }
  }
  lastAttempt {
    path
    neverRan
  }
  failure {
    node
    branch
    code {
      number
      text
      isFailing
    }
  }
  failureGroup {
    id
    count
    firstSeenAt
    isOpen
  }
  dependsOn {
    parentId
    when
    otherwise
    resolvedAt
    parent {
      state
    }
  }
  dependents(first: 20) {
    nodes {
      job {
        id
        state
      }
      when
      resolvedAt
    }
    pageInfo {
      hasNextPage
    }
  }
  inputsFrom {
    input
    jobId
    variable
  }
  rerunOf {
    id
  }
  reruns(last: 5) {
    nodes {
      id
      state
    }
    pageInfo {
      hasPreviousPage
    }
  }
  resolvedBy {
    id
  }
  failedNodeRuns: nodeRuns(first: 10, filter: {states: [FAILED]}) {
    nodes {
      ...NodeRun
    }
  }
  results {
    ...Result
  }
}
    fragment ValueSummary on ValueSummary {
  type
  shape
  length
  bytes
  preview
  columns {
    name
    type
  }
}
fragment RunError on RunError {
  kind
  type
  message
  traceback
  node
  branch
  file
  line
  code
  hint
  problems {
    path
    message
    suggestion
  }
}
fragment JobSummary on Job {
  id
  project
  pipeline
  state
  queue
  priority
  tags
  attempt
  maxAttempts
  createdAt
  runAt
  startedAt
  finishedAt
  cancelRequestedAt
  waitedMs
  runMs
  waitingFor
  stalledAt
  errorKind
  requestedBy
  progress {
    done
    total
  }
}
fragment Regression on Regression {
  factor
  baselineP95Ms
}
fragment NodeReason on NodeReason {
  code
  text
  jobId
  attempt
}
fragment NodeRun on NodeRun {
  node
  branch
  branches
  state
  startedAt
  endedAt
  durationMs
  cpuMs
  stored
  reason {
    ...NodeReason
  }
  memoryGrowthBytes
  inputs
  summary {
    ...ValueSummary
  }
  error {
    ...RunError
  }
  regression {
    ...Regression
  }
}
fragment Artifact on Artifact {
  id
  name
  kind
  mediaType
  bytes
  sha256
  downloadUrl
  omitted
  expiresAt
  removedAt
}
fragment Result on Result {
  name
  hasValue
  value
  omitted
  expiresAt
  artifact {
    ...Artifact
    preview
    schema {
      name
      type
    }
  }
  summary {
    ...ValueSummary
  }
}`, {"fragmentName":"JobDetails"}) as unknown as TypedDocumentString<JobDetailsFragment, unknown>;
export const FailureGroupFragmentDoc = new TypedDocumentString(`
    fragment FailureGroup on FailureGroup {
  id
  project
  pipeline
  node
  errorClass
  errorKind
  codeHash
  count
  firstSeenAt
  lastSeenAt
  lastMessage
  lastJobId
  isOpen
  closedAt
  closedById
}
    `, {"fragmentName":"FailureGroup"}) as unknown as TypedDocumentString<FailureGroupFragment, unknown>;
export const DifferenceFragmentDoc = new TypedDocumentString(`
    fragment Difference on Difference {
  path
  kind
  a
  b
  aSource
  bSource
}
    `, {"fragmentName":"Difference"}) as unknown as TypedDocumentString<DifferenceFragment, unknown>;
export const DurationDifferenceFragmentDoc = new TypedDocumentString(`
    fragment DurationDifference on DurationDifference {
  aMs
  bMs
  differenceMs
  ratio
}
    `, {"fragmentName":"DurationDifference"}) as unknown as TypedDocumentString<DurationDifferenceFragment, unknown>;
export const ComparedNodeFragmentDoc = new TypedDocumentString(`
    fragment ComparedNode on ComparedNode {
  state
  runs
  durationMs
  codeHash
  dependsOn
}
    `, {"fragmentName":"ComparedNode"}) as unknown as TypedDocumentString<ComparedNodeFragment, unknown>;
export const ComparedResultFragmentDoc = new TypedDocumentString(`
    fragment ComparedResult on ComparedResult {
  hasValue
  value
  summary {
    ...ValueSummary
  }
}
    fragment ValueSummary on ValueSummary {
  type
  shape
  length
  bytes
  preview
  columns {
    name
    type
  }
}`, {"fragmentName":"ComparedResult"}) as unknown as TypedDocumentString<ComparedResultFragment, unknown>;
export const EventErrorFragmentDoc = new TypedDocumentString(`
    fragment EventError on EventError {
  kind
  type
  message
  node
}
    `, {"fragmentName":"EventError"}) as unknown as TypedDocumentString<EventErrorFragment, unknown>;
export const JobEventFragmentDoc = new TypedDocumentString(`
    fragment JobEvent on JobEvent {
  __typename
  cursor
  jobId
  seq
  attempt
  node
  branch
  type
  recordedAt
  occurredAt
  ... on JobEnqueued {
    state
    priority
    queue
    runAt
    actor
  }
  ... on JobStarted {
    worker
  }
  ... on JobRetryPlanned {
    error {
      ...EventError
    }
    failures
    maxAttempts
    runAt
  }
  ... on JobFailed {
    error {
      ...EventError
    }
  }
  ... on JobCancelRequested {
    actor
    reason
  }
  ... on JobCancelled {
    cancelledBy: actor
    reason
  }
  ... on JobUpdated {
    actor
    reason
    changes {
      field
      from
      to
    }
  }
  ... on JobRequeued {
    actor
    reason
  }
  ... on JobReleased {
    releasedFor: reason
  }
  ... on JobRescued {
    error {
      ...EventError
    }
    losses
  }
  ... on JobStalled {
    stalledFor
    forMs
    p95Ms
  }
  ... on RunResolved {
    codeHash
    path
    finalVars
  }
  ... on NodeExpanded {
    count
    nodes
  }
  ... on NodeStarted {
    whyRun: reason {
      ...NodeReason
    }
  }
  ... on NodeReused {
    whyReused: reason {
      ...NodeReason
    }
    summary {
      ...ValueSummary
    }
  }
  ... on NodeSucceeded {
    durationMs
    cpuMs
    stored
    summary {
      ...ValueSummary
    }
  }
  ... on NodeFailed {
    durationMs
    error {
      ...EventError
    }
  }
  ... on LogLine {
    level
    stream
    logger
    text
  }
  ... on LogDropped {
    lines
    bytes
    droppedFor: reason
  }
  ... on ArtifactStored {
    artifactId
    name
    artifactKind: kind
    mediaType
    storedBytes: bytes
    omitted
  }
  ... on UnknownEvent {
    data
  }
}
    fragment ValueSummary on ValueSummary {
  type
  shape
  length
  bytes
  preview
  columns {
    name
    type
  }
}
fragment EventError on EventError {
  kind
  type
  message
  node
}
fragment NodeReason on NodeReason {
  code
  text
  jobId
  attempt
}`, {"fragmentName":"JobEvent"}) as unknown as TypedDocumentString<JobEventFragment, unknown>;
export const EnqueuedItemFragmentDoc = new TypedDocumentString(`
    fragment EnqueuedItem on EnqueuedItem {
  index
  result {
    __typename
    ... on EnqueuedJob {
      replayed
      job {
        id
        project
        pipeline
        state
        queue
        runAt
      }
    }
    ... on Error {
      code
      message
      path
    }
    ... on InvalidRunError {
      problems {
        path
        message
        suggestion
      }
    }
    ... on NotFoundError {
      suggestion
    }
    ... on IdempotencyConflictError {
      existingJob {
        id
      }
    }
  }
}
    `, {"fragmentName":"EnqueuedItem"}) as unknown as TypedDocumentString<EnqueuedItemFragment, unknown>;
export const JobPlanFragmentDoc = new TypedDocumentString(`
    fragment JobPlan on JobPlan {
  project
  pipeline
  valid
  validated
  notValidated
  problems {
    code
    path
    message
    suggestion
  }
  warnings {
    path
    message
    suggestion
  }
  codeHash
  finalVars
  nodes {
    name
    kind
    type
    doc
    action
    reason
    reasonCode
    reusedFromId
    unless
    inBlock
    reusedBranches
    expectedRuns
    expectedMs
  }
  inputs {
    name
    type
    source
    place
    value
    reference
    replaced {
      value
      source
      reference
    }
  }
  config {
    key
    value
    source
  }
  settings {
    queue {
      value
      source
    }
    priority {
      value
      source
    }
    ttlMs {
      value
      source
    }
    needs {
      value
      source
    }
    timeoutMs {
      value
      source
    }
    maxMemoryBytes {
      value
      source
    }
    concurrency {
      value
      source
    }
    maxCpuMs {
      value
      source
    }
    retry {
      maxRetries
      retryDelayMs
      jitterFactor
      backoff
      delaysMs
      maxDelayMs
      retryExceptions
      nonRetryableExceptions
      source
      note
    }
    onWorkerLost {
      value
      source
    }
    maxLosses {
      value
      source
    }
    runtime {
      value
      source
    }
    reuse {
      value
      source
    }
    results {
      value
      source
    }
    resultTtlMs {
      value
      source
    }
    logTtlMs {
      value
      source
    }
    failureTtlMs {
      value
      source
    }
    executor {
      type
      maxWorkers
      source
    }
  }
  reuseNote
  expectedMs
  pastRuns
}
    `, {"fragmentName":"JobPlan"}) as unknown as TypedDocumentString<JobPlanFragment, unknown>;
export const QueueFragmentDoc = new TypedDocumentString(`
    fragment Queue on Queue {
  name
  createdAt
  pausedAt
  pausedUntil
  pauseReason
  concurrencyLimit
  rateLimit {
    jobs
    periodMs
  }
  backlogLimit
  jobDefaults {
    priority
    timeoutMs
    ttlMs
    retry {
      maxRetries
      retryDelayMs
      jitterFactor
      retryExceptions
      backoff
      delaysMs
      maxDelayMs
      nonRetryableExceptions
    }
    onWorkerLost
    needs
  }
  counts {
    state
    count {
      value
      isExact
    }
  }
  oldestWaitingAt
  endedPerMinute
}
    `, {"fragmentName":"Queue"}) as unknown as TypedDocumentString<QueueFragment, unknown>;
export const MetricsBucketFragmentDoc = new TypedDocumentString(`
    fragment MetricsBucket on MetricsBucket {
  from
  to
  ended
  counts {
    state
    jobs
  }
  wait {
    jobs
    p50Ms
    p95Ms
    p99Ms
  }
  run {
    jobs
    p50Ms
    p95Ms
    p99Ms
  }
}
    `, {"fragmentName":"MetricsBucket"}) as unknown as TypedDocumentString<MetricsBucketFragment, unknown>;
export const WorkerFragmentDoc = new TypedDocumentString(`
    fragment Worker on Worker {
  id
  host
  pid
  version
  state
  slots
  freeSlots
  projects
  labels
  queues
  wanted
  wantedAt
  wantedBy
  wantedReason
  artifactStore
  artifactProblem
  startedAt
  heartbeatAt
  endedAt
  running {
    id
    project
    pipeline
    attempt
    startedAt
  }
}
    `, {"fragmentName":"Worker"}) as unknown as TypedDocumentString<WorkerFragment, unknown>;
export const RequeueJobDocument = new TypedDocumentString(`
    mutation RequeueJob($input: RequeueJobInput!) {
  requeueJob(input: $input) {
    __typename
    ... on RequeueJobSuccess {
      cursor
      job {
        ...JobSummary
      }
    }
    ... on Error {
      code
      message
      path
    }
    ... on NotFoundError {
      suggestion
    }
    ... on JobStateError {
      state
    }
  }
}
    fragment JobSummary on Job {
  id
  project
  pipeline
  state
  queue
  priority
  tags
  attempt
  maxAttempts
  createdAt
  runAt
  startedAt
  finishedAt
  cancelRequestedAt
  waitedMs
  runMs
  waitingFor
  stalledAt
  errorKind
  requestedBy
  progress {
    done
    total
  }
}`) as unknown as TypedDocumentString<RequeueJobMutation, RequeueJobMutationVariables>;
export const RerunJobDocument = new TypedDocumentString(`
    mutation RerunJob($input: RerunJobInput!) {
  rerunJob(input: $input) {
    __typename
    ... on RerunJobSuccess {
      replayed
      job {
        ...JobSummary
        validated
      }
      plan {
        codeHash
        nodes
        reused
        count
      }
    }
    ... on Error {
      code
      message
      path
    }
    ... on InvalidRunError {
      problems {
        path
        message
        suggestion
      }
    }
    ... on NotFoundError {
      suggestion
    }
    ... on JobStateError {
      state
    }
    ... on CodeChangedError {
      ran
      published
    }
    ... on IdempotencyConflictError {
      existingJob {
        id
      }
    }
  }
}
    fragment JobSummary on Job {
  id
  project
  pipeline
  state
  queue
  priority
  tags
  attempt
  maxAttempts
  createdAt
  runAt
  startedAt
  finishedAt
  cancelRequestedAt
  waitedMs
  runMs
  waitingFor
  stalledAt
  errorKind
  requestedBy
  progress {
    done
    total
  }
}`) as unknown as TypedDocumentString<RerunJobMutation, RerunJobMutationVariables>;
export const CompareJobsDocument = new TypedDocumentString(`
    query CompareJobs($a: ID!, $b: ID!) {
  compareJobs(a: $a, b: $b) {
    __typename
    ... on JobComparison {
      isSame
      a {
        ...JobSummary
      }
      b {
        ...JobSummary
      }
      request {
        ...Difference
      }
      resolved {
        ...Difference
      }
      settings {
        ...Difference
      }
      packages {
        ...Difference
      }
      outcome {
        ...Difference
      }
      codeChange {
        a
        b
        files {
          ...Difference
        }
      }
      nodes {
        node
        codeChanged
        dependenciesChanged
        a {
          ...ComparedNode
        }
        b {
          ...ComparedNode
        }
        duration {
          ...DurationDifference
        }
      }
      results {
        name
        aspects
        a {
          ...ComparedResult
        }
        b {
          ...ComparedResult
        }
      }
      error {
        a {
          ...RunError
        }
        b {
          ...RunError
        }
      }
      duration {
        ...DurationDifference
      }
    }
    ... on Error {
      code
      message
      path
    }
    ... on NotFoundError {
      suggestion
    }
  }
}
    fragment ValueSummary on ValueSummary {
  type
  shape
  length
  bytes
  preview
  columns {
    name
    type
  }
}
fragment RunError on RunError {
  kind
  type
  message
  traceback
  node
  branch
  file
  line
  code
  hint
  problems {
    path
    message
    suggestion
  }
}
fragment JobSummary on Job {
  id
  project
  pipeline
  state
  queue
  priority
  tags
  attempt
  maxAttempts
  createdAt
  runAt
  startedAt
  finishedAt
  cancelRequestedAt
  waitedMs
  runMs
  waitingFor
  stalledAt
  errorKind
  requestedBy
  progress {
    done
    total
  }
}
fragment Difference on Difference {
  path
  kind
  a
  b
  aSource
  bSource
}
fragment DurationDifference on DurationDifference {
  aMs
  bMs
  differenceMs
  ratio
}
fragment ComparedNode on ComparedNode {
  state
  runs
  durationMs
  codeHash
  dependsOn
}
fragment ComparedResult on ComparedResult {
  hasValue
  value
  summary {
    ...ValueSummary
  }
}`) as unknown as TypedDocumentString<CompareJobsQuery, CompareJobsQueryVariables>;
export const FailuresDocument = new TypedDocumentString(`
    query Failures($first: Int!, $after: String, $filter: FailureFilter) {
  failures(first: $first, after: $after, filter: $filter) {
    nodes {
      ...FailureGroup
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}
    fragment FailureGroup on FailureGroup {
  id
  project
  pipeline
  node
  errorClass
  errorKind
  codeHash
  count
  firstSeenAt
  lastSeenAt
  lastMessage
  lastJobId
  isOpen
  closedAt
  closedById
}`) as unknown as TypedDocumentString<FailuresQuery, FailuresQueryVariables>;
export const PlanRerunDocument = new TypedDocumentString(`
    query PlanRerun($input: RerunJobInput!) {
  planRerun(input: $input) {
    __typename
    ...JobPlan
    ... on Error {
      code
      message
      path
    }
    ... on InvalidRunError {
      refused: problems {
        path
        message
        suggestion
      }
    }
    ... on NotFoundError {
      suggestion
    }
    ... on JobStateError {
      state
    }
    ... on CodeChangedError {
      ran
      published
    }
  }
}
    fragment JobPlan on JobPlan {
  project
  pipeline
  valid
  validated
  notValidated
  problems {
    code
    path
    message
    suggestion
  }
  warnings {
    path
    message
    suggestion
  }
  codeHash
  finalVars
  nodes {
    name
    kind
    type
    doc
    action
    reason
    reasonCode
    reusedFromId
    unless
    inBlock
    reusedBranches
    expectedRuns
    expectedMs
  }
  inputs {
    name
    type
    source
    place
    value
    reference
    replaced {
      value
      source
      reference
    }
  }
  config {
    key
    value
    source
  }
  settings {
    queue {
      value
      source
    }
    priority {
      value
      source
    }
    ttlMs {
      value
      source
    }
    needs {
      value
      source
    }
    timeoutMs {
      value
      source
    }
    maxMemoryBytes {
      value
      source
    }
    concurrency {
      value
      source
    }
    maxCpuMs {
      value
      source
    }
    retry {
      maxRetries
      retryDelayMs
      jitterFactor
      backoff
      delaysMs
      maxDelayMs
      retryExceptions
      nonRetryableExceptions
      source
      note
    }
    onWorkerLost {
      value
      source
    }
    maxLosses {
      value
      source
    }
    runtime {
      value
      source
    }
    reuse {
      value
      source
    }
    results {
      value
      source
    }
    resultTtlMs {
      value
      source
    }
    logTtlMs {
      value
      source
    }
    failureTtlMs {
      value
      source
    }
    executor {
      type
      maxWorkers
      source
    }
  }
  reuseNote
  expectedMs
  pastRuns
}`) as unknown as TypedDocumentString<PlanRerunQuery, PlanRerunQueryVariables>;
export const PlanRequeueDocument = new TypedDocumentString(`
    query PlanRequeue($input: RequeueJobInput!) {
  planRequeue(input: $input) {
    __typename
    ...JobPlan
    ... on Error {
      code
      message
      path
    }
    ... on NotFoundError {
      suggestion
    }
    ... on JobStateError {
      state
    }
    ... on CodeChangedError {
      ran
      published
    }
  }
}
    fragment JobPlan on JobPlan {
  project
  pipeline
  valid
  validated
  notValidated
  problems {
    code
    path
    message
    suggestion
  }
  warnings {
    path
    message
    suggestion
  }
  codeHash
  finalVars
  nodes {
    name
    kind
    type
    doc
    action
    reason
    reasonCode
    reusedFromId
    unless
    inBlock
    reusedBranches
    expectedRuns
    expectedMs
  }
  inputs {
    name
    type
    source
    place
    value
    reference
    replaced {
      value
      source
      reference
    }
  }
  config {
    key
    value
    source
  }
  settings {
    queue {
      value
      source
    }
    priority {
      value
      source
    }
    ttlMs {
      value
      source
    }
    needs {
      value
      source
    }
    timeoutMs {
      value
      source
    }
    maxMemoryBytes {
      value
      source
    }
    concurrency {
      value
      source
    }
    maxCpuMs {
      value
      source
    }
    retry {
      maxRetries
      retryDelayMs
      jitterFactor
      backoff
      delaysMs
      maxDelayMs
      retryExceptions
      nonRetryableExceptions
      source
      note
    }
    onWorkerLost {
      value
      source
    }
    maxLosses {
      value
      source
    }
    runtime {
      value
      source
    }
    reuse {
      value
      source
    }
    results {
      value
      source
    }
    resultTtlMs {
      value
      source
    }
    logTtlMs {
      value
      source
    }
    failureTtlMs {
      value
      source
    }
    executor {
      type
      maxWorkers
      source
    }
  }
  reuseNote
  expectedMs
  pastRuns
}`) as unknown as TypedDocumentString<PlanRequeueQuery, PlanRequeueQueryVariables>;
export const UpdateJobDocument = new TypedDocumentString(`
    mutation UpdateJob($input: UpdateJobInput!) {
  updateJob(input: $input) {
    __typename
    ... on UpdateJobSuccess {
      job {
        ...JobSummary
        queue
        priority
      }
    }
    ... on Error {
      code
      message
      path
    }
    ... on NotFoundError {
      suggestion
    }
    ... on JobStateError {
      state
    }
    ... on InvalidRunError {
      problems {
        path
        message
        suggestion
      }
    }
  }
}
    fragment JobSummary on Job {
  id
  project
  pipeline
  state
  queue
  priority
  tags
  attempt
  maxAttempts
  createdAt
  runAt
  startedAt
  finishedAt
  cancelRequestedAt
  waitedMs
  runMs
  waitingFor
  stalledAt
  errorKind
  requestedBy
  progress {
    done
    total
  }
}`) as unknown as TypedDocumentString<UpdateJobMutation, UpdateJobMutationVariables>;
export const CancelJobsDocument = new TypedDocumentString(`
    mutation CancelJobs($input: CancelJobsInput!) {
  cancelJobs(input: $input) {
    __typename
    ...BulkResult
    ... on Error {
      code
      message
      path
    }
  }
}
    fragment BulkResult on BulkSuccess {
  dryRun
  matched {
    value
    isExact
  }
  more
  done
  failed
  problems {
    id
    code
    message
    state
  }
  sample {
    ...JobSummary
  }
}
fragment JobSummary on Job {
  id
  project
  pipeline
  state
  queue
  priority
  tags
  attempt
  maxAttempts
  createdAt
  runAt
  startedAt
  finishedAt
  cancelRequestedAt
  waitedMs
  runMs
  waitingFor
  stalledAt
  errorKind
  requestedBy
  progress {
    done
    total
  }
}`) as unknown as TypedDocumentString<CancelJobsMutation, CancelJobsMutationVariables>;
export const RequeueJobsDocument = new TypedDocumentString(`
    mutation RequeueJobs($input: RequeueJobsInput!) {
  requeueJobs(input: $input) {
    __typename
    ...BulkResult
    ... on Error {
      code
      message
      path
    }
  }
}
    fragment BulkResult on BulkSuccess {
  dryRun
  matched {
    value
    isExact
  }
  more
  done
  failed
  problems {
    id
    code
    message
    state
  }
  sample {
    ...JobSummary
  }
}
fragment JobSummary on Job {
  id
  project
  pipeline
  state
  queue
  priority
  tags
  attempt
  maxAttempts
  createdAt
  runAt
  startedAt
  finishedAt
  cancelRequestedAt
  waitedMs
  runMs
  waitingFor
  stalledAt
  errorKind
  requestedBy
  progress {
    done
    total
  }
}`) as unknown as TypedDocumentString<RequeueJobsMutation, RequeueJobsMutationVariables>;
export const DeleteJobsDocument = new TypedDocumentString(`
    mutation DeleteJobs($input: DeleteJobsInput!) {
  deleteJobs(input: $input) {
    __typename
    ...BulkResult
    ... on Error {
      code
      message
      path
    }
  }
}
    fragment BulkResult on BulkSuccess {
  dryRun
  matched {
    value
    isExact
  }
  more
  done
  failed
  problems {
    id
    code
    message
    state
  }
  sample {
    ...JobSummary
  }
}
fragment JobSummary on Job {
  id
  project
  pipeline
  state
  queue
  priority
  tags
  attempt
  maxAttempts
  createdAt
  runAt
  startedAt
  finishedAt
  cancelRequestedAt
  waitedMs
  runMs
  waitingFor
  stalledAt
  errorKind
  requestedBy
  progress {
    done
    total
  }
}`) as unknown as TypedDocumentString<DeleteJobsMutation, DeleteJobsMutationVariables>;
export const UpdateJobsDocument = new TypedDocumentString(`
    mutation UpdateJobs($input: UpdateJobsInput!) {
  updateJobs(input: $input) {
    __typename
    ...BulkResult
    ... on Error {
      code
      message
      path
    }
    ... on NotFoundError {
      suggestion
    }
  }
}
    fragment BulkResult on BulkSuccess {
  dryRun
  matched {
    value
    isExact
  }
  more
  done
  failed
  problems {
    id
    code
    message
    state
  }
  sample {
    ...JobSummary
  }
}
fragment JobSummary on Job {
  id
  project
  pipeline
  state
  queue
  priority
  tags
  attempt
  maxAttempts
  createdAt
  runAt
  startedAt
  finishedAt
  cancelRequestedAt
  waitedMs
  runMs
  waitingFor
  stalledAt
  errorKind
  requestedBy
  progress {
    done
    total
  }
}`) as unknown as TypedDocumentString<UpdateJobsMutation, UpdateJobsMutationVariables>;
export const JobDocument = new TypedDocumentString(`
    query Job($id: ID!) {
  job(id: $id) {
    ...JobDetails
  }
}
    fragment ValueSummary on ValueSummary {
  type
  shape
  length
  bytes
  preview
  columns {
    name
    type
  }
}
fragment RunError on RunError {
  kind
  type
  message
  traceback
  node
  branch
  file
  line
  code
  hint
  problems {
    path
    message
    suggestion
  }
}
fragment JobSummary on Job {
  id
  project
  pipeline
  state
  queue
  priority
  tags
  attempt
  maxAttempts
  createdAt
  runAt
  startedAt
  finishedAt
  cancelRequestedAt
  waitedMs
  runMs
  waitingFor
  stalledAt
  errorKind
  requestedBy
  progress {
    done
    total
  }
}
fragment Regression on Regression {
  factor
  baselineP95Ms
}
fragment NodeReason on NodeReason {
  code
  text
  jobId
  attempt
}
fragment NodeRun on NodeRun {
  node
  branch
  branches
  state
  startedAt
  endedAt
  durationMs
  cpuMs
  stored
  reason {
    ...NodeReason
  }
  memoryGrowthBytes
  inputs
  summary {
    ...ValueSummary
  }
  error {
    ...RunError
  }
  regression {
    ...Regression
  }
}
fragment Artifact on Artifact {
  id
  name
  kind
  mediaType
  bytes
  sha256
  downloadUrl
  omitted
  expiresAt
  removedAt
}
fragment Result on Result {
  name
  hasValue
  value
  omitted
  expiresAt
  artifact {
    ...Artifact
    preview
    schema {
      name
      type
    }
  }
  summary {
    ...ValueSummary
  }
}
fragment JobDetails on Job {
  ...JobSummary
  inputs
  metadata
  config
  finalVars
  timeoutMs
  onWorkerLost
  failures
  losses
  maxLosses
  life
  actor
  expiresAt
  validated
  lastCursor
  options {
    reuse
    recompute
  }
  retry {
    maxRetries
    retryDelayMs
    jitterFactor
    retryExceptions
    backoff
    delaysMs
    maxDelayMs
    nonRetryableExceptions
  }
  plan {
    codeHash
    nodes
    reused
    count
  }
  progress {
    expectedMs
    leftMs
  }
  regression {
    ...Regression
  }
  error {
    ...RunError
  }
  worker {
    id
    host
    pid
  }
  attempts(last: 50) {
    nodes {
      number
      outcome
      startedAt
      endedAt
      durationMs
      errorKind
    }
  }
  lastAttempt {
    path
    neverRan
  }
  failure {
    node
    branch
    code {
      number
      text
      isFailing
    }
  }
  failureGroup {
    id
    count
    firstSeenAt
    isOpen
  }
  dependsOn {
    parentId
    when
    otherwise
    resolvedAt
    parent {
      state
    }
  }
  dependents(first: 20) {
    nodes {
      job {
        id
        state
      }
      when
      resolvedAt
    }
    pageInfo {
      hasNextPage
    }
  }
  inputsFrom {
    input
    jobId
    variable
  }
  rerunOf {
    id
  }
  reruns(last: 5) {
    nodes {
      id
      state
    }
    pageInfo {
      hasPreviousPage
    }
  }
  resolvedBy {
    id
  }
  failedNodeRuns: nodeRuns(first: 10, filter: {states: [FAILED]}) {
    nodes {
      ...NodeRun
    }
  }
  results {
    ...Result
  }
}`) as unknown as TypedDocumentString<JobQuery, JobQueryVariables>;
export const JobByRefDocument = new TypedDocumentString(`
    query JobByRef($ref: String!) {
  jobByRef(ref: $ref) {
    __typename
    ... on Job {
      ...JobDetails
    }
    ... on Error {
      code
      message
      path
    }
    ... on NotFoundError {
      suggestion
    }
    ... on AmbiguousRefError {
      candidates
    }
  }
}
    fragment ValueSummary on ValueSummary {
  type
  shape
  length
  bytes
  preview
  columns {
    name
    type
  }
}
fragment RunError on RunError {
  kind
  type
  message
  traceback
  node
  branch
  file
  line
  code
  hint
  problems {
    path
    message
    suggestion
  }
}
fragment JobSummary on Job {
  id
  project
  pipeline
  state
  queue
  priority
  tags
  attempt
  maxAttempts
  createdAt
  runAt
  startedAt
  finishedAt
  cancelRequestedAt
  waitedMs
  runMs
  waitingFor
  stalledAt
  errorKind
  requestedBy
  progress {
    done
    total
  }
}
fragment Regression on Regression {
  factor
  baselineP95Ms
}
fragment NodeReason on NodeReason {
  code
  text
  jobId
  attempt
}
fragment NodeRun on NodeRun {
  node
  branch
  branches
  state
  startedAt
  endedAt
  durationMs
  cpuMs
  stored
  reason {
    ...NodeReason
  }
  memoryGrowthBytes
  inputs
  summary {
    ...ValueSummary
  }
  error {
    ...RunError
  }
  regression {
    ...Regression
  }
}
fragment Artifact on Artifact {
  id
  name
  kind
  mediaType
  bytes
  sha256
  downloadUrl
  omitted
  expiresAt
  removedAt
}
fragment Result on Result {
  name
  hasValue
  value
  omitted
  expiresAt
  artifact {
    ...Artifact
    preview
    schema {
      name
      type
    }
  }
  summary {
    ...ValueSummary
  }
}
fragment JobDetails on Job {
  ...JobSummary
  inputs
  metadata
  config
  finalVars
  timeoutMs
  onWorkerLost
  failures
  losses
  maxLosses
  life
  actor
  expiresAt
  validated
  lastCursor
  options {
    reuse
    recompute
  }
  retry {
    maxRetries
    retryDelayMs
    jitterFactor
    retryExceptions
    backoff
    delaysMs
    maxDelayMs
    nonRetryableExceptions
  }
  plan {
    codeHash
    nodes
    reused
    count
  }
  progress {
    expectedMs
    leftMs
  }
  regression {
    ...Regression
  }
  error {
    ...RunError
  }
  worker {
    id
    host
    pid
  }
  attempts(last: 50) {
    nodes {
      number
      outcome
      startedAt
      endedAt
      durationMs
      errorKind
    }
  }
  lastAttempt {
    path
    neverRan
  }
  failure {
    node
    branch
    code {
      number
      text
      isFailing
    }
  }
  failureGroup {
    id
    count
    firstSeenAt
    isOpen
  }
  dependsOn {
    parentId
    when
    otherwise
    resolvedAt
    parent {
      state
    }
  }
  dependents(first: 20) {
    nodes {
      job {
        id
        state
      }
      when
      resolvedAt
    }
    pageInfo {
      hasNextPage
    }
  }
  inputsFrom {
    input
    jobId
    variable
  }
  rerunOf {
    id
  }
  reruns(last: 5) {
    nodes {
      id
      state
    }
    pageInfo {
      hasPreviousPage
    }
  }
  resolvedBy {
    id
  }
  failedNodeRuns: nodeRuns(first: 10, filter: {states: [FAILED]}) {
    nodes {
      ...NodeRun
    }
  }
  results {
    ...Result
  }
}`) as unknown as TypedDocumentString<JobByRefQuery, JobByRefQueryVariables>;
export const JobArtifactsDocument = new TypedDocumentString(`
    query JobArtifacts($id: ID!, $first: Int!, $after: String) {
  job(id: $id) {
    artifacts(first: $first, after: $after) {
      nodes {
        ...Artifact
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
}
    fragment Artifact on Artifact {
  id
  name
  kind
  mediaType
  bytes
  sha256
  downloadUrl
  omitted
  expiresAt
  removedAt
}`) as unknown as TypedDocumentString<JobArtifactsQuery, JobArtifactsQueryVariables>;
export const JobsDocument = new TypedDocumentString(`
    query Jobs($first: Int!, $after: String, $filter: JobFilter, $orderBy: JobOrder!) {
  jobs(first: $first, after: $after, filter: $filter, orderBy: $orderBy) {
    nodes {
      ...ListedJob
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}
    fragment JobSummary on Job {
  id
  project
  pipeline
  state
  queue
  priority
  tags
  attempt
  maxAttempts
  createdAt
  runAt
  startedAt
  finishedAt
  cancelRequestedAt
  waitedMs
  runMs
  waitingFor
  stalledAt
  errorKind
  requestedBy
  progress {
    done
    total
  }
}
fragment ListedJob on Job {
  ...JobSummary
  progress {
    expectedMs
    leftMs
  }
}`) as unknown as TypedDocumentString<JobsQuery, JobsQueryVariables>;
export const EnqueueJobDocument = new TypedDocumentString(`
    mutation EnqueueJob($input: EnqueueJobInput!) {
  enqueueJob(input: $input) {
    __typename
    ... on EnqueueJobSuccess {
      replayed
      replaced
      job {
        ...JobSummary
        validated
      }
      plan {
        codeHash
        nodes
        reused
        count
      }
    }
    ... on Error {
      code
      message
      path
    }
    ... on InvalidRunError {
      problems {
        path
        message
        suggestion
      }
    }
    ... on NotFoundError {
      suggestion
    }
    ... on IdempotencyConflictError {
      existingJob {
        id
      }
    }
  }
}
    fragment JobSummary on Job {
  id
  project
  pipeline
  state
  queue
  priority
  tags
  attempt
  maxAttempts
  createdAt
  runAt
  startedAt
  finishedAt
  cancelRequestedAt
  waitedMs
  runMs
  waitingFor
  stalledAt
  errorKind
  requestedBy
  progress {
    done
    total
  }
}`) as unknown as TypedDocumentString<EnqueueJobMutation, EnqueueJobMutationVariables>;
export const EnqueueJobsDocument = new TypedDocumentString(`
    mutation EnqueueJobs($input: EnqueueJobsInput!) {
  enqueueJobs(input: $input) {
    __typename
    ... on EnqueueJobsSuccess {
      items {
        ...EnqueuedItem
      }
    }
    ... on JobsRefusedError {
      code
      message
      path
      items {
        ...EnqueuedItem
      }
    }
  }
}
    fragment EnqueuedItem on EnqueuedItem {
  index
  result {
    __typename
    ... on EnqueuedJob {
      replayed
      job {
        id
        project
        pipeline
        state
        queue
        runAt
      }
    }
    ... on Error {
      code
      message
      path
    }
    ... on InvalidRunError {
      problems {
        path
        message
        suggestion
      }
    }
    ... on NotFoundError {
      suggestion
    }
    ... on IdempotencyConflictError {
      existingJob {
        id
      }
    }
  }
}`) as unknown as TypedDocumentString<EnqueueJobsMutation, EnqueueJobsMutationVariables>;
export const JobTimeLeftDocument = new TypedDocumentString(`
    query JobTimeLeft($id: ID!) {
  job(id: $id) {
    progress {
      leftMs
    }
  }
}
    `) as unknown as TypedDocumentString<JobTimeLeftQuery, JobTimeLeftQueryVariables>;
export const CancelJobDocument = new TypedDocumentString(`
    mutation CancelJob($input: CancelJobInput!) {
  cancelJob(input: $input) {
    __typename
    ... on CancelJobSuccess {
      job {
        ...JobSummary
      }
    }
    ... on Error {
      code
      message
      path
    }
    ... on NotFoundError {
      suggestion
    }
    ... on JobStateError {
      state
    }
  }
}
    fragment JobSummary on Job {
  id
  project
  pipeline
  state
  queue
  priority
  tags
  attempt
  maxAttempts
  createdAt
  runAt
  startedAt
  finishedAt
  cancelRequestedAt
  waitedMs
  runMs
  waitingFor
  stalledAt
  errorKind
  requestedBy
  progress {
    done
    total
  }
}`) as unknown as TypedDocumentString<CancelJobMutation, CancelJobMutationVariables>;
export const JobEventsDocument = new TypedDocumentString(`
    subscription JobEvents($jobId: ID!, $after: String) {
  jobEvents(jobId: $jobId, after: $after) {
    ...JobEvent
  }
}
    fragment ValueSummary on ValueSummary {
  type
  shape
  length
  bytes
  preview
  columns {
    name
    type
  }
}
fragment EventError on EventError {
  kind
  type
  message
  node
}
fragment NodeReason on NodeReason {
  code
  text
  jobId
  attempt
}
fragment JobEvent on JobEvent {
  __typename
  cursor
  jobId
  seq
  attempt
  node
  branch
  type
  recordedAt
  occurredAt
  ... on JobEnqueued {
    state
    priority
    queue
    runAt
    actor
  }
  ... on JobStarted {
    worker
  }
  ... on JobRetryPlanned {
    error {
      ...EventError
    }
    failures
    maxAttempts
    runAt
  }
  ... on JobFailed {
    error {
      ...EventError
    }
  }
  ... on JobCancelRequested {
    actor
    reason
  }
  ... on JobCancelled {
    cancelledBy: actor
    reason
  }
  ... on JobUpdated {
    actor
    reason
    changes {
      field
      from
      to
    }
  }
  ... on JobRequeued {
    actor
    reason
  }
  ... on JobReleased {
    releasedFor: reason
  }
  ... on JobRescued {
    error {
      ...EventError
    }
    losses
  }
  ... on JobStalled {
    stalledFor
    forMs
    p95Ms
  }
  ... on RunResolved {
    codeHash
    path
    finalVars
  }
  ... on NodeExpanded {
    count
    nodes
  }
  ... on NodeStarted {
    whyRun: reason {
      ...NodeReason
    }
  }
  ... on NodeReused {
    whyReused: reason {
      ...NodeReason
    }
    summary {
      ...ValueSummary
    }
  }
  ... on NodeSucceeded {
    durationMs
    cpuMs
    stored
    summary {
      ...ValueSummary
    }
  }
  ... on NodeFailed {
    durationMs
    error {
      ...EventError
    }
  }
  ... on LogLine {
    level
    stream
    logger
    text
  }
  ... on LogDropped {
    lines
    bytes
    droppedFor: reason
  }
  ... on ArtifactStored {
    artifactId
    name
    artifactKind: kind
    mediaType
    storedBytes: bytes
    omitted
  }
  ... on UnknownEvent {
    data
  }
}`) as unknown as TypedDocumentString<JobEventsSubscription, JobEventsSubscriptionVariables>;
export const JobHistoryDocument = new TypedDocumentString(`
    query JobHistory($id: ID!, $first: Int!, $after: String) {
  job(id: $id) {
    events(first: $first, after: $after) {
      nodes {
        ...JobEvent
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
}
    fragment ValueSummary on ValueSummary {
  type
  shape
  length
  bytes
  preview
  columns {
    name
    type
  }
}
fragment EventError on EventError {
  kind
  type
  message
  node
}
fragment NodeReason on NodeReason {
  code
  text
  jobId
  attempt
}
fragment JobEvent on JobEvent {
  __typename
  cursor
  jobId
  seq
  attempt
  node
  branch
  type
  recordedAt
  occurredAt
  ... on JobEnqueued {
    state
    priority
    queue
    runAt
    actor
  }
  ... on JobStarted {
    worker
  }
  ... on JobRetryPlanned {
    error {
      ...EventError
    }
    failures
    maxAttempts
    runAt
  }
  ... on JobFailed {
    error {
      ...EventError
    }
  }
  ... on JobCancelRequested {
    actor
    reason
  }
  ... on JobCancelled {
    cancelledBy: actor
    reason
  }
  ... on JobUpdated {
    actor
    reason
    changes {
      field
      from
      to
    }
  }
  ... on JobRequeued {
    actor
    reason
  }
  ... on JobReleased {
    releasedFor: reason
  }
  ... on JobRescued {
    error {
      ...EventError
    }
    losses
  }
  ... on JobStalled {
    stalledFor
    forMs
    p95Ms
  }
  ... on RunResolved {
    codeHash
    path
    finalVars
  }
  ... on NodeExpanded {
    count
    nodes
  }
  ... on NodeStarted {
    whyRun: reason {
      ...NodeReason
    }
  }
  ... on NodeReused {
    whyReused: reason {
      ...NodeReason
    }
    summary {
      ...ValueSummary
    }
  }
  ... on NodeSucceeded {
    durationMs
    cpuMs
    stored
    summary {
      ...ValueSummary
    }
  }
  ... on NodeFailed {
    durationMs
    error {
      ...EventError
    }
  }
  ... on LogLine {
    level
    stream
    logger
    text
  }
  ... on LogDropped {
    lines
    bytes
    droppedFor: reason
  }
  ... on ArtifactStored {
    artifactId
    name
    artifactKind: kind
    mediaType
    storedBytes: bytes
    omitted
  }
  ... on UnknownEvent {
    data
  }
}`) as unknown as TypedDocumentString<JobHistoryQuery, JobHistoryQueryVariables>;
export const LastAttemptDocument = new TypedDocumentString(`
    query LastAttempt($id: ID!) {
  job(id: $id) {
    lastAttempt {
      id
    }
  }
}
    `) as unknown as TypedDocumentString<LastAttemptQuery, LastAttemptQueryVariables>;
export const NodeRunsDocument = new TypedDocumentString(`
    query NodeRuns($attempt: ID!, $first: Int!, $after: String, $filter: NodeRunFilter) {
  node(id: $attempt) {
    ... on Attempt {
      nodeRuns(first: $first, after: $after, filter: $filter) {
        nodes {
          ...NodeRun
        }
        pageInfo {
          hasNextPage
          endCursor
        }
      }
    }
  }
}
    fragment ValueSummary on ValueSummary {
  type
  shape
  length
  bytes
  preview
  columns {
    name
    type
  }
}
fragment RunError on RunError {
  kind
  type
  message
  traceback
  node
  branch
  file
  line
  code
  hint
  problems {
    path
    message
    suggestion
  }
}
fragment Regression on Regression {
  factor
  baselineP95Ms
}
fragment NodeReason on NodeReason {
  code
  text
  jobId
  attempt
}
fragment NodeRun on NodeRun {
  node
  branch
  branches
  state
  startedAt
  endedAt
  durationMs
  cpuMs
  stored
  reason {
    ...NodeReason
  }
  memoryGrowthBytes
  inputs
  summary {
    ...ValueSummary
  }
  error {
    ...RunError
  }
  regression {
    ...Regression
  }
}`) as unknown as TypedDocumentString<NodeRunsQuery, NodeRunsQueryVariables>;
export const NodeDetailsDocument = new TypedDocumentString(`
    query NodeDetails($attempt: ID!, $name: String, $code: Boolean!, $first: Int!, $after: String) {
  node(id: $attempt) {
    ... on Attempt {
      nodeRuns(first: $first, after: $after, filter: {node: $name}) {
        nodes {
          node
          branch
          state
          source @include(if: $code)
          reason @include(if: $code) {
            text
          }
          regression @include(if: $code) {
            ...Regression
          }
          durationMs
          cpuMs
          memoryGrowthBytes
          summary {
            type
            shape
            length
            bytes
            preview
            columns {
              name
              type
              statistics {
                min
                max
                mean
                nulls
              }
            }
          }
          graphNode {
            doc
            type
            tags
            upstream
            downstream
            file
            line
          }
        }
        pageInfo {
          hasNextPage
          endCursor
        }
      }
    }
  }
}
    fragment Regression on Regression {
  factor
  baselineP95Ms
}`) as unknown as TypedDocumentString<NodeDetailsQuery, NodeDetailsQueryVariables>;
export const FeedDocument = new TypedDocumentString(`
    subscription Feed($filter: FeedFilter, $after: String) {
  feed(filter: $filter, after: $after) {
    cursor
    event {
      ...JobEvent
    }
  }
}
    fragment ValueSummary on ValueSummary {
  type
  shape
  length
  bytes
  preview
  columns {
    name
    type
  }
}
fragment EventError on EventError {
  kind
  type
  message
  node
}
fragment NodeReason on NodeReason {
  code
  text
  jobId
  attempt
}
fragment JobEvent on JobEvent {
  __typename
  cursor
  jobId
  seq
  attempt
  node
  branch
  type
  recordedAt
  occurredAt
  ... on JobEnqueued {
    state
    priority
    queue
    runAt
    actor
  }
  ... on JobStarted {
    worker
  }
  ... on JobRetryPlanned {
    error {
      ...EventError
    }
    failures
    maxAttempts
    runAt
  }
  ... on JobFailed {
    error {
      ...EventError
    }
  }
  ... on JobCancelRequested {
    actor
    reason
  }
  ... on JobCancelled {
    cancelledBy: actor
    reason
  }
  ... on JobUpdated {
    actor
    reason
    changes {
      field
      from
      to
    }
  }
  ... on JobRequeued {
    actor
    reason
  }
  ... on JobReleased {
    releasedFor: reason
  }
  ... on JobRescued {
    error {
      ...EventError
    }
    losses
  }
  ... on JobStalled {
    stalledFor
    forMs
    p95Ms
  }
  ... on RunResolved {
    codeHash
    path
    finalVars
  }
  ... on NodeExpanded {
    count
    nodes
  }
  ... on NodeStarted {
    whyRun: reason {
      ...NodeReason
    }
  }
  ... on NodeReused {
    whyReused: reason {
      ...NodeReason
    }
    summary {
      ...ValueSummary
    }
  }
  ... on NodeSucceeded {
    durationMs
    cpuMs
    stored
    summary {
      ...ValueSummary
    }
  }
  ... on NodeFailed {
    durationMs
    error {
      ...EventError
    }
  }
  ... on LogLine {
    level
    stream
    logger
    text
  }
  ... on LogDropped {
    lines
    bytes
    droppedFor: reason
  }
  ... on ArtifactStored {
    artifactId
    name
    artifactKind: kind
    mediaType
    storedBytes: bytes
    omitted
  }
  ... on UnknownEvent {
    data
  }
}`) as unknown as TypedDocumentString<FeedSubscription, FeedSubscriptionVariables>;
export const JobContextDocument = new TypedDocumentString(`
    query JobContext($id: ID!, $last: Int!) {
  job(id: $id) {
    id
    project
    pipeline
    traceId
    attempts(last: $last) {
      nodes {
        number
        worker {
          id
        }
        executionContext {
          codeHash
          python
          executable
          packages
          path
          finalVars
          configFile
          host
          folder
          traceparent
          startedAt
          git {
            commit
            dirty
            branch
            remote
          }
          modules {
            name
            file
            sha256
          }
          resolved {
            path
            value
            reference
            source
            keyedHash
          }
        }
      }
    }
  }
}
    `) as unknown as TypedDocumentString<JobContextQuery, JobContextQueryVariables>;
export const ReproduceDocument = new TypedDocumentString(`
    query Reproduce($id: ID!, $last: Int!) {
  job(id: $id) {
    attempts(last: $last) {
      nodes {
        number
        reproduce
      }
    }
  }
}
    `) as unknown as TypedDocumentString<ReproduceQuery, ReproduceQueryVariables>;
export const PipelineInputsDocument = new TypedDocumentString(`
    query PipelineInputs($name: String!, $config: JSONObject) {
  pipeline(name: $name) {
    inputs {
      name
      schema
    }
    variant(config: $config) {
      inputs {
        name
        schema
      }
    }
  }
}
    `) as unknown as TypedDocumentString<PipelineInputsQuery, PipelineInputsQueryVariables>;
export const PipelineVariantDocument = new TypedDocumentString(`
    query PipelineVariant($name: String!, $config: JSONObject) {
  pipeline(name: $name) {
    name
    qualifiedName
    runLimits {
      maxMemoryBytes
      maxMemorySource
      maxCpuMs
      maxCpuSource
    }
    variant(config: $config) {
      status
      doc
      finalVars
      leaves
      inputs {
        ...PipelineInput
      }
      warnings {
        path
        message
        suggestion
      }
      error {
        ...RunError
      }
      graph {
        nodes {
          name
          kind
          type
          doc
          dependsOn
          optionalDependsOn
        }
      }
    }
  }
}
    fragment RunError on RunError {
  kind
  type
  message
  traceback
  node
  branch
  file
  line
  code
  hint
  problems {
    path
    message
    suggestion
  }
}
fragment PipelineInput on PipelineInput {
  name
  type
  required
  doc
  default {
    value
    source
    reference
  }
}`) as unknown as TypedDocumentString<PipelineVariantQuery, PipelineVariantQueryVariables>;
export const ProjectsDocument = new TypedDocumentString(`
    query Projects($first: Int!, $after: String) {
  projects(first: $first, after: $after) {
    nodes {
      name
      publishedAt
      disabledAt
      environment {
        python
        pythonVersion
        pythonSource
        flowerpower
        hamilton
      }
      error {
        ...RunError
      }
      pipelines {
        name
        status
        inputs {
          name
          required
        }
      }
      workers {
        id
      }
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}
    fragment RunError on RunError {
  kind
  type
  message
  traceback
  node
  branch
  file
  line
  code
  hint
  problems {
    path
    message
    suggestion
  }
}`) as unknown as TypedDocumentString<ProjectsQuery, ProjectsQueryVariables>;
export const ProjectDocument = new TypedDocumentString(`
    query Project($name: String!) {
  project(name: $name) {
    name
    publishedAt
    executors {
      type
      available
    }
    disabledAt
    disabledReason
    environment {
      python
      pythonVersion
      pythonSource
      flowerpower
      hamilton
    }
    error {
      ...RunError
    }
    warnings {
      path
      message
      suggestion
    }
    workers {
      id
      host
      pid
      slots
    }
    pipelines {
      name
      status
      doc
      finalVars
      runLimits {
        maxMemoryBytes
        maxMemorySource
        maxCpuMs
        maxCpuSource
      }
      inputs {
        ...PipelineInput
      }
      warnings {
        path
        message
        suggestion
      }
      error {
        ...RunError
      }
    }
  }
}
    fragment RunError on RunError {
  kind
  type
  message
  traceback
  node
  branch
  file
  line
  code
  hint
  problems {
    path
    message
    suggestion
  }
}
fragment PipelineInput on PipelineInput {
  name
  type
  required
  doc
  default {
    value
    source
    reference
  }
}`) as unknown as TypedDocumentString<ProjectQuery, ProjectQueryVariables>;
export const ServerDocument = new TypedDocumentString(`
    query Server {
  server {
    version
    postgresVersion
    startedAt
    now
    clockSkewMs
    actor
    artifactProblem
  }
  workers(first: 100) {
    nodes {
      id
      host
      pid
      slots
      state
      projects
      artifactProblem
    }
  }
}
    `) as unknown as TypedDocumentString<ServerQuery, ServerQueryVariables>;
export const PipelineVersionsDocument = new TypedDocumentString(`
    query PipelineVersions($name: String!, $last: Int!) {
  pipeline(name: $name) {
    qualifiedName
    status
    versions(last: $last) {
      nodes {
        number
        codeHash
        publishedAt
        lastSeenAt
        git {
          commit
          dirty
          branch
          remote
        }
        modules {
          file
          sha256
        }
      }
    }
  }
}
    `) as unknown as TypedDocumentString<PipelineVersionsQuery, PipelineVersionsQueryVariables>;
export const ComparePipelineVersionsDocument = new TypedDocumentString(`
    query ComparePipelineVersions($pipeline: String!, $from: Int!, $to: Int!) {
  comparePipelineVersions(pipeline: $pipeline, from: $from, to: $to) {
    __typename
    ... on PipelineComparison {
      from {
        number
        codeHash
        publishedAt
      }
      to {
        number
        codeHash
        publishedAt
      }
      nodes {
        name
        change
        aspects
        diff
        from {
          type
          dependsOn
          optionalDependsOn
        }
        to {
          type
          dependsOn
          optionalDependsOn
        }
      }
      modules {
        file
        change
      }
      params {
        path
        change
        from
        to
      }
      run {
        path
        change
        from
        to
      }
    }
    ... on Error {
      code
      message
      path
    }
  }
}
    `) as unknown as TypedDocumentString<ComparePipelineVersionsQuery, ComparePipelineVersionsQueryVariables>;
export const ReloadProjectDocument = new TypedDocumentString(`
    mutation ReloadProject($input: ReloadProjectInput!) {
  reloadProject(input: $input) {
    __typename
    ... on ReloadProjectSuccess {
      reloaded
      project {
        name
        publishedAt
        error {
          ...RunError
        }
      }
    }
    ... on Error {
      code
      message
      path
    }
    ... on NotFoundError {
      suggestion
    }
  }
}
    fragment RunError on RunError {
  kind
  type
  message
  traceback
  node
  branch
  file
  line
  code
  hint
  problems {
    path
    message
    suggestion
  }
}`) as unknown as TypedDocumentString<ReloadProjectMutation, ReloadProjectMutationVariables>;
export const DisableProjectDocument = new TypedDocumentString(`
    mutation DisableProject($input: DisableProjectInput!) {
  disableProject(input: $input) {
    __typename
    ... on DisableProjectSuccess {
      project {
        name
        disabledAt
        disabledReason
      }
    }
    ... on Error {
      code
      message
      path
    }
    ... on NotFoundError {
      suggestion
    }
  }
}
    `) as unknown as TypedDocumentString<DisableProjectMutation, DisableProjectMutationVariables>;
export const EnableProjectDocument = new TypedDocumentString(`
    mutation EnableProject($input: EnableProjectInput!) {
  enableProject(input: $input) {
    __typename
    ... on EnableProjectSuccess {
      project {
        name
        disabledAt
      }
    }
    ... on Error {
      code
      message
      path
    }
    ... on NotFoundError {
      suggestion
    }
  }
}
    `) as unknown as TypedDocumentString<EnableProjectMutation, EnableProjectMutationVariables>;
export const PlanJobDocument = new TypedDocumentString(`
    query PlanJob($input: PlanJobInput!) {
  planJob(input: $input) {
    __typename
    ... on JobPlan {
      ...JobPlan
    }
    ... on Error {
      code
      message
      path
    }
    ... on NotFoundError {
      suggestion
    }
  }
}
    fragment JobPlan on JobPlan {
  project
  pipeline
  valid
  validated
  notValidated
  problems {
    code
    path
    message
    suggestion
  }
  warnings {
    path
    message
    suggestion
  }
  codeHash
  finalVars
  nodes {
    name
    kind
    type
    doc
    action
    reason
    reasonCode
    reusedFromId
    unless
    inBlock
    reusedBranches
    expectedRuns
    expectedMs
  }
  inputs {
    name
    type
    source
    place
    value
    reference
    replaced {
      value
      source
      reference
    }
  }
  config {
    key
    value
    source
  }
  settings {
    queue {
      value
      source
    }
    priority {
      value
      source
    }
    ttlMs {
      value
      source
    }
    needs {
      value
      source
    }
    timeoutMs {
      value
      source
    }
    maxMemoryBytes {
      value
      source
    }
    concurrency {
      value
      source
    }
    maxCpuMs {
      value
      source
    }
    retry {
      maxRetries
      retryDelayMs
      jitterFactor
      backoff
      delaysMs
      maxDelayMs
      retryExceptions
      nonRetryableExceptions
      source
      note
    }
    onWorkerLost {
      value
      source
    }
    maxLosses {
      value
      source
    }
    runtime {
      value
      source
    }
    reuse {
      value
      source
    }
    results {
      value
      source
    }
    resultTtlMs {
      value
      source
    }
    logTtlMs {
      value
      source
    }
    failureTtlMs {
      value
      source
    }
    executor {
      type
      maxWorkers
      source
    }
  }
  reuseNote
  expectedMs
  pastRuns
}`) as unknown as TypedDocumentString<PlanJobQuery, PlanJobQueryVariables>;
export const PipelineHistoryDocument = new TypedDocumentString(`
    query PipelineHistory($name: String!, $last: Int!, $first: Int!, $after: String) {
  pipeline(name: $name) {
    qualifiedName
    history(last: $last) {
      runs
      wholeRuns
      p50Ms
      p95Ms
      waitedP50Ms
      waitedP95Ms
      nodes(first: $first, after: $after) {
        nodes {
          node
          runs
          p50Ms
          p95Ms
          expander
          branches
          bytes
          recent(last: 10) {
            jobId
            codeHash
            durationMs
            branches
          }
        }
        pageInfo {
          hasNextPage
          endCursor
        }
      }
    }
  }
}
    `) as unknown as TypedDocumentString<PipelineHistoryQuery, PipelineHistoryQueryVariables>;
export const QueuesDocument = new TypedDocumentString(`
    query Queues {
  queues {
    ...Queue
  }
}
    fragment Queue on Queue {
  name
  createdAt
  pausedAt
  pausedUntil
  pauseReason
  concurrencyLimit
  rateLimit {
    jobs
    periodMs
  }
  backlogLimit
  jobDefaults {
    priority
    timeoutMs
    ttlMs
    retry {
      maxRetries
      retryDelayMs
      jitterFactor
      retryExceptions
      backoff
      delaysMs
      maxDelayMs
      nonRetryableExceptions
    }
    onWorkerLost
    needs
  }
  counts {
    state
    count {
      value
      isExact
    }
  }
  oldestWaitingAt
  endedPerMinute
}`) as unknown as TypedDocumentString<QueuesQuery, QueuesQueryVariables>;
export const QueueDocument = new TypedDocumentString(`
    query Queue($name: String!) {
  queue(name: $name) {
    ...Queue
  }
}
    fragment Queue on Queue {
  name
  createdAt
  pausedAt
  pausedUntil
  pauseReason
  concurrencyLimit
  rateLimit {
    jobs
    periodMs
  }
  backlogLimit
  jobDefaults {
    priority
    timeoutMs
    ttlMs
    retry {
      maxRetries
      retryDelayMs
      jitterFactor
      retryExceptions
      backoff
      delaysMs
      maxDelayMs
      nonRetryableExceptions
    }
    onWorkerLost
    needs
  }
  counts {
    state
    count {
      value
      isExact
    }
  }
  oldestWaitingAt
  endedPerMinute
}`) as unknown as TypedDocumentString<QueueQuery, QueueQueryVariables>;
export const CreateQueueDocument = new TypedDocumentString(`
    mutation CreateQueue($input: CreateQueueInput!) {
  createQueue(input: $input) {
    __typename
    ... on CreateQueueSuccess {
      queue {
        ...Queue
      }
    }
    ... on Error {
      code
      message
      path
    }
  }
}
    fragment Queue on Queue {
  name
  createdAt
  pausedAt
  pausedUntil
  pauseReason
  concurrencyLimit
  rateLimit {
    jobs
    periodMs
  }
  backlogLimit
  jobDefaults {
    priority
    timeoutMs
    ttlMs
    retry {
      maxRetries
      retryDelayMs
      jitterFactor
      retryExceptions
      backoff
      delaysMs
      maxDelayMs
      nonRetryableExceptions
    }
    onWorkerLost
    needs
  }
  counts {
    state
    count {
      value
      isExact
    }
  }
  oldestWaitingAt
  endedPerMinute
}`) as unknown as TypedDocumentString<CreateQueueMutation, CreateQueueMutationVariables>;
export const SetQueueLimitsDocument = new TypedDocumentString(`
    mutation SetQueueLimits($input: SetQueueLimitsInput!) {
  setQueueLimits(input: $input) {
    __typename
    ... on SetQueueLimitsSuccess {
      queue {
        ...Queue
      }
    }
    ... on Error {
      code
      message
      path
    }
    ... on NotFoundError {
      suggestion
    }
  }
}
    fragment Queue on Queue {
  name
  createdAt
  pausedAt
  pausedUntil
  pauseReason
  concurrencyLimit
  rateLimit {
    jobs
    periodMs
  }
  backlogLimit
  jobDefaults {
    priority
    timeoutMs
    ttlMs
    retry {
      maxRetries
      retryDelayMs
      jitterFactor
      retryExceptions
      backoff
      delaysMs
      maxDelayMs
      nonRetryableExceptions
    }
    onWorkerLost
    needs
  }
  counts {
    state
    count {
      value
      isExact
    }
  }
  oldestWaitingAt
  endedPerMinute
}`) as unknown as TypedDocumentString<SetQueueLimitsMutation, SetQueueLimitsMutationVariables>;
export const SetQueueDefaultsDocument = new TypedDocumentString(`
    mutation SetQueueDefaults($input: SetQueueDefaultsInput!) {
  setQueueDefaults(input: $input) {
    __typename
    ... on SetQueueDefaultsSuccess {
      queue {
        ...Queue
      }
    }
    ... on Error {
      code
      message
      path
    }
    ... on NotFoundError {
      suggestion
    }
  }
}
    fragment Queue on Queue {
  name
  createdAt
  pausedAt
  pausedUntil
  pauseReason
  concurrencyLimit
  rateLimit {
    jobs
    periodMs
  }
  backlogLimit
  jobDefaults {
    priority
    timeoutMs
    ttlMs
    retry {
      maxRetries
      retryDelayMs
      jitterFactor
      retryExceptions
      backoff
      delaysMs
      maxDelayMs
      nonRetryableExceptions
    }
    onWorkerLost
    needs
  }
  counts {
    state
    count {
      value
      isExact
    }
  }
  oldestWaitingAt
  endedPerMinute
}`) as unknown as TypedDocumentString<SetQueueDefaultsMutation, SetQueueDefaultsMutationVariables>;
export const PauseQueueDocument = new TypedDocumentString(`
    mutation PauseQueue($input: PauseQueueInput!) {
  pauseQueue(input: $input) {
    __typename
    ... on PauseQueueSuccess {
      queue {
        ...Queue
      }
    }
    ... on Error {
      code
      message
      path
    }
    ... on NotFoundError {
      suggestion
    }
  }
}
    fragment Queue on Queue {
  name
  createdAt
  pausedAt
  pausedUntil
  pauseReason
  concurrencyLimit
  rateLimit {
    jobs
    periodMs
  }
  backlogLimit
  jobDefaults {
    priority
    timeoutMs
    ttlMs
    retry {
      maxRetries
      retryDelayMs
      jitterFactor
      retryExceptions
      backoff
      delaysMs
      maxDelayMs
      nonRetryableExceptions
    }
    onWorkerLost
    needs
  }
  counts {
    state
    count {
      value
      isExact
    }
  }
  oldestWaitingAt
  endedPerMinute
}`) as unknown as TypedDocumentString<PauseQueueMutation, PauseQueueMutationVariables>;
export const ResumeQueueDocument = new TypedDocumentString(`
    mutation ResumeQueue($input: ResumeQueueInput!) {
  resumeQueue(input: $input) {
    __typename
    ... on ResumeQueueSuccess {
      queue {
        ...Queue
      }
    }
    ... on Error {
      code
      message
      path
    }
    ... on NotFoundError {
      suggestion
    }
  }
}
    fragment Queue on Queue {
  name
  createdAt
  pausedAt
  pausedUntil
  pauseReason
  concurrencyLimit
  rateLimit {
    jobs
    periodMs
  }
  backlogLimit
  jobDefaults {
    priority
    timeoutMs
    ttlMs
    retry {
      maxRetries
      retryDelayMs
      jitterFactor
      retryExceptions
      backoff
      delaysMs
      maxDelayMs
      nonRetryableExceptions
    }
    onWorkerLost
    needs
  }
  counts {
    state
    count {
      value
      isExact
    }
  }
  oldestWaitingAt
  endedPerMinute
}`) as unknown as TypedDocumentString<ResumeQueueMutation, ResumeQueueMutationVariables>;
export const PruneJobsDocument = new TypedDocumentString(`
    mutation PruneJobs($input: PruneJobsInput) {
  pruneJobs(input: $input) {
    __typename
    ... on PruneJobsSuccess {
      counts {
        state
        count {
          value
          isExact
        }
      }
      dryRun
      more
    }
    ... on Error {
      code
      message
      path
    }
  }
}
    `) as unknown as TypedDocumentString<PruneJobsMutation, PruneJobsMutationVariables>;
export const StorageDocument = new TypedDocumentString(`
    query Storage {
  storage {
    part
    bytes
    rows
  }
  retention {
    ages {
      state
      ageMs
    }
    keepLast
  }
}
    `) as unknown as TypedDocumentString<StorageQuery, StorageQueryVariables>;
export const MetricsDocument = new TypedDocumentString(`
    query Metrics($from: DateTime, $to: DateTime, $bucket: MetricsBucketSize!, $filter: MetricsFilter) {
  metrics(from: $from, to: $to, bucket: $bucket, filter: $filter) {
    total {
      ...MetricsBucket
    }
    buckets {
      ...MetricsBucket
    }
  }
}
    fragment MetricsBucket on MetricsBucket {
  from
  to
  ended
  counts {
    state
    jobs
  }
  wait {
    jobs
    p50Ms
    p95Ms
    p99Ms
  }
  run {
    jobs
    p50Ms
    p95Ms
    p99Ms
  }
}`) as unknown as TypedDocumentString<MetricsQuery, MetricsQueryVariables>;
export const WorkersDocument = new TypedDocumentString(`
    query Workers($first: Int!, $after: String, $includeEnded: Boolean!) {
  workers(first: $first, after: $after, includeEnded: $includeEnded) {
    nodes {
      ...Worker
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}
    fragment Worker on Worker {
  id
  host
  pid
  version
  state
  slots
  freeSlots
  projects
  labels
  queues
  wanted
  wantedAt
  wantedBy
  wantedReason
  artifactStore
  artifactProblem
  startedAt
  heartbeatAt
  endedAt
  running {
    id
    project
    pipeline
    attempt
    startedAt
  }
}`) as unknown as TypedDocumentString<WorkersQuery, WorkersQueryVariables>;
export const WorkerDocument = new TypedDocumentString(`
    query Worker($id: ID!) {
  worker(id: $id) {
    ...Worker
    served {
      name
      root
      environment {
        python
        pythonVersion
        pythonSource
        flowerpower
        hamilton
        packages
      }
    }
  }
}
    fragment Worker on Worker {
  id
  host
  pid
  version
  state
  slots
  freeSlots
  projects
  labels
  queues
  wanted
  wantedAt
  wantedBy
  wantedReason
  artifactStore
  artifactProblem
  startedAt
  heartbeatAt
  endedAt
  running {
    id
    project
    pipeline
    attempt
    startedAt
  }
}`) as unknown as TypedDocumentString<WorkerQuery, WorkerQueryVariables>;
export const DrainWorkerDocument = new TypedDocumentString(`
    mutation DrainWorker($input: DrainWorkerInput!) {
  drainWorker(input: $input) {
    __typename
    ... on DrainWorkerSuccess {
      worker {
        ...Worker
      }
    }
    ... on Error {
      code
      message
      path
    }
    ... on NotFoundError {
      suggestion
    }
  }
}
    fragment Worker on Worker {
  id
  host
  pid
  version
  state
  slots
  freeSlots
  projects
  labels
  queues
  wanted
  wantedAt
  wantedBy
  wantedReason
  artifactStore
  artifactProblem
  startedAt
  heartbeatAt
  endedAt
  running {
    id
    project
    pipeline
    attempt
    startedAt
  }
}`) as unknown as TypedDocumentString<DrainWorkerMutation, DrainWorkerMutationVariables>;
export const ResumeWorkerDocument = new TypedDocumentString(`
    mutation ResumeWorker($input: ResumeWorkerInput!) {
  resumeWorker(input: $input) {
    __typename
    ... on ResumeWorkerSuccess {
      worker {
        ...Worker
      }
    }
    ... on Error {
      code
      message
      path
    }
    ... on NotFoundError {
      suggestion
    }
  }
}
    fragment Worker on Worker {
  id
  host
  pid
  version
  state
  slots
  freeSlots
  projects
  labels
  queues
  wanted
  wantedAt
  wantedBy
  wantedReason
  artifactStore
  artifactProblem
  startedAt
  heartbeatAt
  endedAt
  running {
    id
    project
    pipeline
    attempt
    startedAt
  }
}`) as unknown as TypedDocumentString<ResumeWorkerMutation, ResumeWorkerMutationVariables>;
export const StopWorkerDocument = new TypedDocumentString(`
    mutation StopWorker($input: StopWorkerInput!) {
  stopWorker(input: $input) {
    __typename
    ... on StopWorkerSuccess {
      worker {
        ...Worker
      }
    }
    ... on Error {
      code
      message
      path
    }
    ... on NotFoundError {
      suggestion
    }
  }
}
    fragment Worker on Worker {
  id
  host
  pid
  version
  state
  slots
  freeSlots
  projects
  labels
  queues
  wanted
  wantedAt
  wantedBy
  wantedReason
  artifactStore
  artifactProblem
  startedAt
  heartbeatAt
  endedAt
  running {
    id
    project
    pipeline
    attempt
    startedAt
  }
}`) as unknown as TypedDocumentString<StopWorkerMutation, StopWorkerMutationVariables>;