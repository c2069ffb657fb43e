/**
 * What the worker and a Python runtime say to each other: one JSON object per line, requests on file descriptor 3,
 * answers and events on file descriptor 4. Stdout and stderr belong to the pipeline.
 *
 * `python/flowerpower_job_queue/protocol.py` is the other side; `test/protocol/*.json` are messages that both sides' tests read.
 * A message that a side does not know is an error of that side, never ignored: both come out of one package.
 */
import { z } from "zod";
import { nodeEffects, nodeReasonSchema, reuseModes } from "../domain/reuse.ts";

/** Raised when a message changes its meaning or loses a field; an optional field more does not raise it. */
export const protocolVersion = 1;

const json: z.ZodType<Json> = z.json() as z.ZodType<Json>;
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** Why something went wrong, told so that a person can act on it. */
export const errorInfoSchema = z.object({
  /** PIPELINE: the user's code. INVALID: the request does not fit the pipeline (never retried). CANCELLED: stopped on request. */
  kind: z.enum(["PIPELINE", "INVALID", "CANCELLED"]),
  /** Class name as Python shows it: `ValueError`, `requests.exceptions.HTTPError`. */
  type: z.string(),
  message: z.string(),
  /** Qualified names of the class and its bases, most special first: `builtins.ConnectionError`, `builtins.OSError` … */
  classes: z.array(z.string()),
  /** What the exception's own `retry_after` says; absent when it says nothing. */
  retryAfterMs: z.number().min(0).optional(),
  traceback: z.string().nullable(),
  /** The node that failed, null when none had begun. */
  node: z.string().nullable(),
  /** The branch of a `Parallelizable` block in which it failed. */
  branch: z.string().nullable(),
  /** Last frame inside the project: path relative to the project, line from 1, and the text of that line. */
  file: z.string().nullable(),
  line: z.number().int().nullable(),
  code: z.string().nullable(),
  /** The lines of `file` around `line`, as they were when it happened; `from` is the number of the first. */
  excerpt: z
    .object({ from: z.number().int(), lines: z.array(z.string()) })
    .nullable()
    .optional(),
  /** What to run or change, where that is known: `…/python -m pip install scikit-learn`. */
  hint: z.string().nullable(),
  /** For INVALID: each thing that is wrong; `path` is relative to the run (`inputs.min_price`, `finalVars.2`). */
  problems: z.array(z.object({ path: z.string(), message: z.string(), suggestion: z.string().nullable() })),
});
export type ErrorInfo = z.infer<typeof errorInfoSchema>;

/** Of a numeric column of a frame; null: it has no such value, or one that JSON cannot carry. */
export const columnStatisticsSchema = z.object({
  min: z.number().nullable(),
  max: z.number().nullable(),
  mean: z.number().nullable(),
  /** How many values are missing. */
  nulls: z.number().int(),
});

/** What a value looks like, without the value. */
export const summarySchema = z.object({
  /** `pandas.DataFrame`, `numpy.float64`, `int` … */
  type: z.string(),
  /** Rows and columns of a frame, dimensions of an array. */
  shape: z.array(z.number().int()).nullable(),
  /** Items of a list, dict, set, str or bytes. */
  length: z.number().int().nullable(),
  /** Size in memory in bytes where it is cheap to know. */
  bytes: z.number().int().nullable(),
  /** Columns of a frame (the first 50) with their types; numeric ones of a node's value with statistics, below a size. */
  columns: z
    .array(z.object({ name: z.string(), type: z.string(), statistics: columnStatisticsSchema.optional() }))
    .nullable(),
  /** At most 500 characters for a person to recognise the value by: one line, no secrets resolved by us. */
  preview: z.string().nullable(),
});
export type ValueSummary = z.infer<typeof summarySchema>;

/** One node of a pipeline's graph under one config. */
export const graphNodeSchema = z.object({
  name: z.string(),
  kind: z.enum(["function", "input", "config", "expand", "collect"]),
  /** The type as Python code would write it: `pd.DataFrame`, `list[int]`. */
  type: z.string(),
  doc: z.string().nullable(),
  tags: z.record(z.string(), json),
  /** Nodes that it needs. */
  dependsOn: z.array(z.string()),
  /** Nodes that it takes when they are there. */
  optionalDependsOn: z.array(z.string()),
  /** `async def`: it runs through Hamilton's async driver. Absent in descriptions of older workers. */
  async: z.boolean().optional(),
  module: z.string().nullable(),
  function: z.string().nullable(),
  /** Path relative to the project and line from 1 of the function. */
  file: z.string().nullable(),
  line: z.number().int().nullable(),
  /** SHA-256 (hex) of the function's source. */
  codeHash: z.string().nullable(),
  /** SHA-256 (hex) of all of the project's code that the function leads to; null when that cannot be told. */
  codeVersion: z.string().nullish(),
  /** Null: nothing is known that it loads or saves. */
  effect: z.enum(nodeEffects).nullish(),
});
/** Nodes in an order in which they could run; an input comes before what needs it. */
export const graphSchema = z.object({ nodes: z.array(graphNodeSchema) });
export type GraphNode = z.infer<typeof graphNodeSchema>;
export type Graph = z.infer<typeof graphSchema>;

/** Where a default comes from, and its text when the value itself must stay with the worker (`${WAREHOUSE_URL}`). */
export const defaultSchema = z.object({
  /** Null when `reference` is set: the value is resolved only in the worker. */
  value: json,
  /** `conf/pipelines/NAME.yml`, `environment FP_PIPELINE__RUN__INPUTS__DAY`, `code`. */
  source: z.string(),
  reference: z.string().nullable(),
});

/** An input that a request may give. */
export const pipelineInputSchema = z.object({
  name: z.string(),
  type: z.string(),
  /** JSON Schema (2020-12) of what a request may send; `{}` when the type says nothing that JSON can be checked against. */
  schema: z.record(z.string(), json),
  /** True when no default exists: neither in the YAML nor in the code. */
  required: z.boolean(),
  default: defaultSchema.nullable(),
  doc: z.string().nullable(),
  /** The nodes that take it. */
  usedBy: z.array(z.string()),
});
export type PipelineInput = z.infer<typeof pipelineInputSchema>;

export const retrySchema = z.object({
  /** Further tries after the first. */
  maxRetries: z.number().int().min(0),
  /** Seconds, as FlowerPower has it. */
  retryDelay: z.number().min(0),
  jitterFactor: z.number().min(0),
  /** Class names; a name without a dot means the builtin of that name first. */
  retryExceptions: z.array(z.string()),
  // What follows only our own section can say.
  backoff: z.enum(["exponential", "fixed"]).optional(),
  /** Seconds before each further try, the last one for all that follow. */
  delays: z.array(z.number().min(0)).min(1).optional(),
  /** Seconds that no delay exceeds. */
  maxDelay: z.number().min(0).optional(),
  /** Class names of what is never tried again. */
  nonRetryableExceptions: z.array(z.string()).optional(),
});
export type RetrySetting = z.infer<typeof retrySchema>;

/** The `job_queue.job_defaults` (and beside them) of a project or pipeline YAML, as written; unknown keys are problems, not fields. */
export const jobQueueSettingsSchema = z.object({
  queue: z.string().nullable(),
  timeoutMs: z.number().int().positive().nullable(),
  retry: retrySchema.partial().nullable(),
  onWorkerLost: z.enum(["retry", "fail"]).nullable(),
  /** What a run may hold, and how much processor time it may use, over all its processes. */
  maxMemoryBytes: z.number().int().positive().nullable(),
  maxCpuMs: z.number().int().positive().nullable(),
  runtime: z.enum(["warm", "fresh"]).nullable(),
  results: z.enum(["full", "summary", "none"]).nullable(),
  /** How long results and logs are kept. */
  resultTtlMs: z.number().int().positive().nullish(),
  logTtlMs: z.number().int().positive().nullish(),
  /** How long a failed job is kept. */
  failureTtlMs: z.number().int().positive().nullish(),
  reuse: z.enum(reuseModes).nullish(),
  /** Of the numeric columns of nodes' frames; read in Python only. */
  statistics: z.enum(["on", "off"]).nullable().optional(),
  /** How many jobs with one key may be with workers at the same time, and what tells the pipeline's jobs apart by key. */
  concurrency: z.number().int().positive().nullish(),
  concurrencyKey: z.array(z.string()).nullish(),
  /** Labels that a worker must have. */
  needs: z.array(z.string()).nullish(),
  priority: z.number().int().min(0).max(100).nullish(),
  /** Not started so long after it was due, a job expires. */
  ttlMs: z.number().int().positive().nullish(),
});
export type JobQueueSettings = z.infer<typeof jobQueueSettingsSchema>;

/** What a project's YAML says of its jobs in one queue. */
export const queueSettingsSchema = jobQueueSettingsSchema
  .pick({ priority: true, timeoutMs: true, ttlMs: true, retry: true, onWorkerLost: true, needs: true })
  .partial();
export type QueueSettings = z.infer<typeof queueSettingsSchema>;

/** Of a YAML that says nothing. */
export const noJobQueueSettings: JobQueueSettings = {
  queue: null,
  timeoutMs: null,
  retry: null,
  onWorkerLost: null,
  maxMemoryBytes: null,
  maxCpuMs: null,
  runtime: null,
  results: null,
};

const problemSchema = z.object({
  /** File relative to the project, with the key: `conf/project.yml: job_queue.job_default`. */
  path: z.string(),
  message: z.string(),
  suggestion: z.string().nullable(),
});

export const projectDescriptionSchema = z.object({
  /** The `name:` of conf/project.yml, which may differ from the name under which the project is registered. */
  name: z.string().nullable(),
  jobQueue: jobQueueSettingsSchema,
  /** Names declared in `job_queue.queues`. */
  queues: z.array(z.string()),
  /** What is said there of jobs in them, by the queue's name; absent where nothing is. */
  queueDefaults: z.record(z.string(), queueSettingsSchema).optional(),
  warnings: z.array(problemSchema),
  error: errorInfoSchema.nullable(),
  /** Every pipeline found, described or not. */
  pipelines: z.array(z.object({ name: z.string(), configured: z.boolean() })),
  /** What can run branches in the project's environment; `install` is the command where a package is missing. */
  executors: z.array(z.object({ type: z.string(), install: z.string().nullable() })).optional(),
});
export type ProjectDescription = z.infer<typeof projectDescriptionSchema>;

/** How YAML and environment have a pipeline run, as far as a plan must know. */
export const executionSchema = z.object({
  /** `async_driver`; null: as its nodes need it. */
  asyncDriver: z.boolean().nullable(),
  executor: z.string().nullable(),
  /** Why a process pool cannot run its branches; null when it can. */
  unpicklable: z.string().nullable(),
  adapters: z.array(
    z.object({
      /** A name of `with_adapter`, or a class of the project: `adapters.alerts:Alerts`. */
      name: z.string(),
      /** False: its package is missing, and it is off. */
      available: z.boolean(),
      /** Whether Hamilton's async driver can use it. */
      async: z.boolean(),
      /** Whether it can be used where nodes have branches. */
      branches: z.boolean(),
      /** Whether values can be reused beside it. Absent in descriptions of older workers. */
      reuse: z.boolean().optional(),
    }),
  ),
});

export const pipelineDescriptionSchema = z.object({
  name: z.string(),
  /** unconfigured: a module without a YAML; it is listed and not imported. */
  status: z.enum(["ok", "broken", "unconfigured"]),
  doc: z.string().nullable(),
  /** SHA-256 over the module's and its project-local imports' sources and the pipeline's YAML. */
  codeHash: z.string().nullable(),
  modules: z.array(z.object({ name: z.string(), file: z.string(), sha256: z.string() })),
  params: json,
  /** The `run:` section as written, references unresolved. */
  run: json,
  /** final_vars of the YAML or environment; null when none are set there. */
  finalVars: z.array(z.string()).nullable(),
  /** `config` of the YAML or environment, references unresolved. */
  config: z.record(z.string(), json),
  /** Only a retry that is written (YAML or environment); FlowerPower's implicit one is null. */
  retry: retrySchema.nullable(),
  jobQueue: jobQueueSettingsSchema,
  inputs: z.array(pipelineInputSchema),
  graph: graphSchema.nullable(),
  /** Source texts of the project's own node functions by their `codeHash`, each at most 64 KiB; kept apart from the description. */
  sources: z.record(z.string(), z.string()).optional(),
  /** Nodes that nothing depends on: what to offer when no final variable is set. */
  leaves: z.array(z.string()),
  /** Null where there is no graph. Absent in descriptions of older workers. */
  execution: executionSchema.nullable().optional(),
  warnings: z.array(problemSchema),
  error: errorInfoSchema.nullable(),
});
export type PipelineDescription = z.infer<typeof pipelineDescriptionSchema>;

/** The worker asks. */
export const requestSchema = z.discriminatedUnion("type", [
  z.object({
    v: z.literal(protocolVersion),
    type: z.literal("describe"),
    id: z.string(),
    /** Null: all of them. Pipelines without a YAML are imported only when they are named. */
    pipelines: z.array(z.string()).nullable(),
    /** Null: the config of the YAML. Else it is merged over that one by key, as FlowerPower does. */
    config: z.record(z.string(), json).nullable(),
  }),
  z.object({
    v: z.literal(protocolVersion),
    type: z.literal("run"),
    /** The run token: one per start of an attempt. */
    id: z.string(),
    job: z.object({
      id: z.string(),
      attempt: z.number().int(),
      project: z.string(),
      /** The nominal time, ISO 8601. */
      scheduledAt: z.string(),
      /** A private empty folder that exists. */
      runDir: z.string(),
      /** W3C: the job is the trace, the attempt its span. */
      traceparent: z.string().optional(),
    }),
    pipeline: z.string(),
    /** What the request said: merged by key over YAML and environment. */
    inputs: z.record(z.string(), json),
    /** Null: those of the YAML. */
    finalVars: z.array(z.string()).nullable(),
    config: z.record(z.string(), json),
    executor: z
      .object({
        type: z.string().nullable(),
        maxWorkers: z.number().int().nullable(),
        numCpus: z.number().int().nullable(),
      })
      .nullable(),
    logLevel: z.string().nullable(),
    results: z.enum(["full", "summary", "none"]),
    /** Bytes of JSON up to which a result is sent as a value (65,536). */
    maxInlineBytes: z.number().int(),
    /** Where and within which limits the rest is kept, with files of `runDir` and a log that was cut; null: nowhere. */
    artifacts: z
      .object({
        /** `file:///…`, or any URL that fsspec opens. */
        url: z.string(),
        /** Path below it, for this start of the attempt alone. */
        folder: z.string(),
        /** A private empty folder that exists, for files that are being made. */
        scratchDir: z.string(),
        maxBytes: z.number().int(),
        maxTotalBytes: z.number().int(),
        maxFiles: z.number().int(),
        /** Less room on the disk than this, and nothing is kept. */
        minFreeBytes: z.number().int(),
        timeoutMs: z.number().int(),
      })
      .nullish(),
    /** The code that it is meant for: with another one it is refused as INVALID. Absent or null: whatever is there. */
    codeHash: z.string().nullable().optional(),
    /** Null: every node runs and nothing is stored. */
    reuse: z
      .object({
        mode: z.enum(["resume", "full"]),
        /** Of this project: private to the worker's user, for what is in it is trusted like code. */
        folder: z.string(),
        /** The jobs that this one was rerun from: what they have stored may be taken. */
        scopes: z.array(z.string()),
        /** Nodes that run whatever is stored. */
        recompute: z.array(z.string()),
        /** A larger value is not stored. */
        maxEntryBytes: z.number().int(),
        /** With less free space nothing is stored. */
        minFreeBytes: z.number().int(),
      })
      .nullish(),
    /** For hashing values that come from the environment, in hexadecimal; they are told by nothing else. */
    hashKey: z
      .string()
      .regex(/^[0-9a-f]+$/)
      .nullable()
      .optional(),
  }),
  /** Stop at the next node boundary. Unknown or ended runs are ignored. */
  z.object({ v: z.literal(protocolVersion), type: z.literal("cancel"), run: z.string(), reason: z.string() }),
  /** Leave when idle, with exit code 0. The end of the request stream means the same. */
  z.object({ v: z.literal(protocolVersion), type: z.literal("shutdown") }),
]);
export type RuntimeRequest = z.infer<typeof requestSchema>;
export type RunRequest = Extract<RuntimeRequest, { type: "run" }>;

/** Facts about a run, in order. Node and branch are those of the event; data is documented at each type. */
const nodeRef = { node: z.string(), branch: z.string().nullable() };
/** Where reuse was asked for. */
const storeFields = {
  /** Its value is stored: a later run may take it. */
  stored: z.boolean().optional(),
  /** `codeVersion` of the graph's node that ran. */
  codeVersion: z.string().nullable().optional(),
};
export const runEventSchema = z.discriminatedUnion("event", [
  z.object({
    event: z.literal("run.resolved"),
    data: z.object({
      codeHash: z.string(),
      /** Nodes that will run, in order, inputs and config left out; branches are not multiplied. */
      path: z.array(z.string()),
      finalVars: z.array(z.string()),
      context: z.record(z.string(), json),
    }),
  }),
  /** `branch` is Hamilton's task id inside a `Parallelizable` block (`expand-city.3.block-city`), null outside. */
  z.object({
    event: z.literal("node.started"),
    ...nodeRef,
    /** `reason`: why it runs, where reuse was asked for. */
    data: z.object({ reason: nodeReasonSchema.optional() }),
  }),
  /** Its value was taken from the store: it has neither started nor succeeded. */
  z.object({
    event: z.literal("node.reused"),
    ...nodeRef,
    data: z.object({ reason: nodeReasonSchema, summary: summarySchema, ...storeFields }),
  }),
  /** A `Parallelizable` node was expanded into `count` branches; each will run every node of `nodes`. */
  z.object({
    event: z.literal("node.expanded"),
    ...nodeRef,
    data: z.object({ count: z.number().int(), nodes: z.array(z.string()) }),
  }),
  z.object({
    event: z.literal("node.succeeded"),
    ...nodeRef,
    data: z.object({
      durationMs: z.number(),
      /** Null: it shared its thread with another node. */
      cpuMs: z.number().nullable(),
      /** By how much the process' memory grew meanwhile, about; null: another node ran too, or it cannot be told. */
      memoryGrowthBytes: z.number().int().nullable().optional(),
      summary: summarySchema,
      ...storeFields,
    }),
  }),
  z.object({
    event: z.literal("node.failed"),
    ...nodeRef,
    data: z.object({
      durationMs: z.number(),
      memoryGrowthBytes: z.number().int().nullable().optional(),
      error: errorInfoSchema,
      /** Summaries of what it was called with. */
      inputs: z.record(z.string(), summarySchema),
    }),
  }),
  z.object({
    event: z.literal("log"),
    node: z.string().nullable(),
    branch: z.string().nullable(),
    data: z.object({
      level: z.enum(["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]),
      stream: z.enum(["stdout", "stderr", "logging", "loguru"]),
      /** The logger's name, null for the standard streams. */
      logger: z.string().nullable(),
      text: z.string(),
    }),
  }),
  /** Log lines left out since the last event of this type, by a cap. */
  z.object({
    event: z.literal("log.dropped"),
    data: z.object({ lines: z.number().int(), bytes: z.number().int(), reason: z.string() }),
  }),
]);
export type RunEvent = z.infer<typeof runEventSchema>;

/** A file in the artifact store. */
export const artifactSchema = z.object({
  /** Within the store. */
  path: z.string(),
  mediaType: z.string(),
  bytes: z.number().int(),
  sha256: z.string(),
  /** Columns of a frame, the first 200. */
  schema: z.array(z.object({ name: z.string(), type: z.string() })).nullable(),
  /** First rows of a frame, each in the order of the columns. */
  preview: z.array(z.array(json)).nullable(),
});
export type RunArtifact = z.infer<typeof artifactSchema>;

export const resultSchema = z.object({
  summary: summarySchema,
  /** Present when the value is JSON of at most `maxInlineBytes`. */
  value: json.optional(),
  /** The value as a file, when it is not inline. */
  artifact: artifactSchema.nullish(),
  /** Why there is neither: `not kept: 4.1 GB, limit 100 MB`, `not JSON: pandas.DataFrame`. */
  omitted: z.string().nullable(),
});
export type RunResult = z.infer<typeof resultSchema>;

/** A file that a run has left behind, or the log of which lines were dropped. */
export const runFileSchema = z.object({
  /** Path within `runDir`, or `log`. */
  name: z.string(),
  artifact: artifactSchema.nullable(),
  /** Why it is not kept. */
  omitted: z.string().nullable(),
});
export type RunFile = z.infer<typeof runFileSchema>;

/** The runtime answers. */
export const messageSchema = z.discriminatedUnion("type", [
  z.object({
    v: z.literal(protocolVersion),
    type: z.literal("ready"),
    pid: z.number().int(),
    python: z.object({ version: z.string(), executable: z.string() }),
    /** Versions by distribution name: flowerpower, hamilton, pandas when it is there … */
    packages: z.record(z.string(), z.string()),
  }),
  /** Cannot serve at all; the process then exits with code 3. */
  z.object({
    v: z.literal(protocolVersion),
    type: z.literal("unready"),
    code: z.enum(["PYTHON_UNSUPPORTED", "FLOWERPOWER_MISSING", "FLOWERPOWER_UNSUPPORTED", "PROJECT_BROKEN"]),
    message: z.string(),
    hint: z.string().nullable(),
  }),
  z.object({
    v: z.literal(protocolVersion),
    type: z.literal("project"),
    id: z.string(),
    project: projectDescriptionSchema,
  }),
  /** Sent before a module is imported, so that a parent knows which one hangs. */
  z.object({ v: z.literal(protocolVersion), type: z.literal("describing"), id: z.string(), pipeline: z.string() }),
  z.object({
    v: z.literal(protocolVersion),
    type: z.literal("pipeline"),
    id: z.string(),
    pipeline: pipelineDescriptionSchema,
  }),
  z.object({ v: z.literal(protocolVersion), type: z.literal("described"), id: z.string() }),
  z.object({
    v: z.literal(protocolVersion),
    type: z.literal("event"),
    run: z.string(),
    /** 1, 2, 3 … within the run. */
    seq: z.number().int(),
    /** ISO 8601 UTC with milliseconds, by the runtime's clock. */
    at: z.string(),
    body: runEventSchema,
  }),
  z.object({
    v: z.literal(protocolVersion),
    type: z.literal("ended"),
    run: z.string(),
    /** The number of events of this run: all were sent before. */
    events: z.number().int(),
    at: z.string(),
    outcome: z.enum(["succeeded", "failed"]),
    error: errorInfoSchema.nullable(),
    results: z.record(z.string(), resultSchema),
    /** What it has left in `runDir`. */
    files: z.array(runFileSchema).nullish(),
    /** The whole log, when lines of it were dropped. */
    log: runFileSchema.nullish(),
    /** How long it took to keep them, after the run had ended. */
    storedMs: z.number().nullish(),
    /** The request to stop came when the run had ended, and has stopped only this. */
    storingStopped: z.boolean().nullish(),
    /** The retry that is written in YAML or environment as read at this start; null when none is. */
    retry: retrySchema.nullable(),
    process: z.object({
      rssBytes: z.number().int(),
      /** Non-daemon threads that the run has left behind. */
      threads: z.array(z.string()),
      runs: z.number().int(),
    }),
  }),
  /** The runtime itself is at fault (a bug of ours or a broken request); the process then exits with code 4. */
  z.object({ v: z.literal(protocolVersion), type: z.literal("fault"), message: z.string(), traceback: z.string() }),
]);
export type RuntimeMessage = z.infer<typeof messageSchema>;
