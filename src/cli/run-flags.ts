import { type Command, InvalidArgumentError, Option } from "commander";
import type { Client, EnqueueJobInput, PlanJobInput } from "../client/client.ts";
import { PipelineInputsDocument } from "../client/generated/graphql.ts";
import { UsageError } from "./failure.ts";
import { parseDict, parseList, type Schema, splitPair, typedValue } from "./typed-text.ts";
import { parseDurationMs } from "./units.ts";
import { label } from "./up-flags.ts";

/** The flags that say when a failed attempt is tried again, as commander gives them. */
export interface RetryFlags {
  maxRetries?: number;
  retryDelay?: number;
  jitterFactor?: number;
  retryDelays?: number[];
  retryBackoff?: "EXPONENTIAL" | "FIXED";
  maxRetryDelay?: number;
  neverRetry: string[];
}

/** The flags that say what to run and how, as commander gives them. */
export interface RunFlags extends RetryFlags {
  inputs?: string;
  input: string[];
  finalVars?: string;
  config?: string;
  executor?: string;
  executorMaxWorkers?: number;
  executorNumCpus?: number;
  logLevel?: string;
  in?: number;
  at?: string;
  queue?: string;
  priority?: number;
  tag: string[];
  meta: string[];
  unique?: string;
  uniquePolicy?: "RETURN-EXISTING" | "REPLACE-PENDING";
  debounce?: number;
  timeout?: number;
  expires?: number;
  key?: string;
  project?: string;
  onWorkerLost?: "RETRY" | "FAIL";
  requestedBy?: string;
  reuse?: "NONE" | "RESUME" | "FULL";
  recompute: string[];
  needs: string[];
  inputFrom?: string[];
  after?: string[];
  afterFailed?: string[];
  afterEnded?: string[];
  otherwise?: "CANCEL" | "BLOCK";
}

const executors = {
  local: "SYNCHRONOUS",
  synchronous: "SYNCHRONOUS",
  threadpool: "THREADPOOL",
  processpool: "PROCESSPOOL",
  ray: "RAY",
  dask: "DASK",
} as const;
const logLevels = ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] as const;

/** The flags of a request for a run of a pipeline. */
export function addRunFlags(command: Command): Command {
  return addChangeFlags(command)
    .option("--project <name>", "the project, when the name does not say it")
    .option(
      "--input-from <name=job:variable>",
      "an input that is a result of another job, for which it waits; may be repeated",
      collect,
      [],
    )
    .option("--unique <key>", "at most one job of the project with this key waits or runs")
    .addOption(
      choice("--unique-policy <what>", "what becomes of one that is there", ["RETURN-EXISTING", "REPLACE-PENDING"]),
    )
    .option(
      "--debounce <duration>",
      "with --unique: replace one that waits, due when none was asked for this long",
      lengthMs,
    );
}

/** The flags that name the jobs which have to end first. */
export function addAfterFlags(command: Command): Command {
  return command
    .optionsGroup("What it waits for:")
    .option("--after <job>", "run when this job has succeeded; may be repeated", collect, [])
    .option("--after-failed <job>", "run when this job has failed; may be repeated", collect, [])
    .option("--after-ended <job>", "run when this job has ended, in whatever way; may be repeated", collect, [])
    .addOption(choice("--otherwise <what>", "what is done when one of them ends in another way", ["CANCEL", "BLOCK"]));
}

/** Those of them that say how to run it, whatever it is. */
export function addChangeFlags(command: Command): Command {
  command
    .optionsGroup("What to run (flags as of `flowerpower pipeline run`):")
    .option("--inputs <dict>", "inputs: JSON, or a=1,b=2")
    .option(
      "-i, --input <name=value>",
      "one input, read as its type wants it, lists as JSON: days=[1,2]; may be repeated",
      collect,
      [],
    )
    .addOption(new Option("--outputs, --final-vars <list>", "final variables: a,b or JSON"))
    .option("--config <dict>", "Hamilton config: JSON, or a=1,b=2")
    .addOption(new Option("--executor <type>", "how branches are spread").choices(Object.keys(executors)))
    .option("--executor-max-workers <count>", "threads or processes", wholeNumber)
    .option("--executor-num-cpus <count>", "processors", wholeNumber)
    .addOption(choice("--log-level <level>", "what is logged", logLevels))
    .addOption(choice("--reuse <what>", "what may be taken from earlier runs", ["NONE", "RESUME", "FULL"]))
    .option("--recompute <node>", "a node that runs whatever is stored of it; may be repeated", collect, []);
  return addRetryFlags(command)
    .optionsGroup("When and where:")
    .option("--in <duration>", "start after this time: 30m, 1h30m", lengthMs)
    .option("--at <time>", "start then: 2026-11-23T18:00 (local), or with Z or an offset")
    .option("--expires <duration>", "give up when it has not started after this time", lengthMs)
    .option("--timeout <duration>", "stop an attempt after this time", lengthMs)
    .option("--queue <name>", "the queue in which it waits")
    .option("--needs <label>", "only workers that have this label take it; may be repeated", label, [])
    .option("--priority <number>", "from 0 to 100; higher is taken first", wholeNumber)
    .option("--tag <tag>", "a word to find it by; may be repeated", collect, [])
    .option("--meta <key=value>", "metadata to find it by; may be repeated", collect, [])
    .option("--key <text>", "idempotency key: the same key and request give the same job")
    .addOption(choice("--on-worker-lost <what>", "what becomes of it when its worker dies", ["RETRY", "FAIL"]))
    .option("--requested-by <name>", "for whom it is done");
}

/** The flags that say when a failed attempt is tried again. */
export function addRetryFlags(command: Command): Command {
  return command
    .option("--retries, --max-retries <count>", "tries after the first one", wholeNumber)
    .option("--retry-delay <seconds>", "before the second try; doubles for each further one", decimal)
    .option("--retry-delays <seconds>", "instead: before the second try, the third …: 1,10,60", decimals)
    .addOption(choice("--retry-backoff <how>", "how the delay grows", ["EXPONENTIAL", "FIXED"]))
    .option("--max-retry-delay <seconds>", "no delay is longer", decimal)
    .option("--never-retry <class>", "an exception that is never tried again; may be repeated", collect, [])
    .option("--jitter-factor <part>", "the part by which delays are lengthened at random", decimal);
}

/** What the API is asked for. Asks it first for the types of inputs, when there are texts to be read. */
export async function requestOf(client: Client, pipeline: string, flags: RunFlags): Promise<EnqueueJobInput> {
  const inputs = await inputsOf(client, pipeline, flags);
  const [inputsFrom, dependsOn] = await Promise.all([inputsFromOf(client, flags), dependsOnOf(client, flags)]);
  return defined({
    inputsFrom,
    dependsOn,
    pipeline,
    project: flags.project,
    inputs,
    finalVars: flags.finalVars === undefined ? undefined : parseList(flags.finalVars, "--final-vars"),
    config: flags.config === undefined ? undefined : parseConfig(flags.config),
    executor: executorOf(flags),
    logLevel: flags.logLevel as EnqueueJobInput["logLevel"],
    retry: retryOf(flags),
    runAt: atOf(flags),
    unique: uniqueOf(flags),
    runInMs: flags.in,
    expiresInMs: flags.expires,
    timeoutMs: flags.timeout,
    queue: flags.queue,
    needs: flags.needs.length === 0 ? undefined : flags.needs,
    priority: flags.priority,
    tags: flags.tag.length === 0 ? undefined : flags.tag,
    metadata: flags.meta.length === 0 ? undefined : metadataOf(flags.meta),
    onWorkerLost: flags.onWorkerLost,
    idempotencyKey: flags.key,
    requestedBy: flags.requestedBy,
    reuse: flags.reuse,
    recompute: flags.recompute.length === 0 ? undefined : flags.recompute,
  });
}

/** The same as far as it says what runs and how: when it is due and how it is found again is nothing to a plan. */
export function planOf(request: EnqueueJobInput): PlanJobInput {
  const {
    tags,
    metadata,
    unique,
    runAt,
    runInMs,
    expiresAt,
    expiresInMs,
    dependsOn,
    idempotencyKey,
    onReplay,
    requestedBy,
    ...run
  } = request;
  return run;
}

export async function inputsOf(
  client: Client,
  pipeline: string,
  flags: Pick<RunFlags, "inputs" | "input" | "project" | "config">,
): Promise<Record<string, unknown> | undefined> {
  if (flags.inputs === undefined && flags.input.length === 0) return undefined;
  const schemas = await inputSchemas(client, pipeline, flags);
  const typed = (name: string, value: string) => typedValue(value, schemas.get(name));
  const dict = flags.inputs === undefined ? {} : parseDict(flags.inputs, "--inputs", typed);
  const single = flags.input.map((pair) => {
    const [name, value] = splitPair(pair, "--input");
    return [name, typed(name, value)] as const;
  });
  return { ...dict, ...Object.fromEntries(single) };
}

/** `name=JOB:variable`, each with the job that it names. */
async function inputsFromOf(client: Client, { inputFrom = [] }: RunFlags): Promise<EnqueueJobInput["inputsFrom"]> {
  if (inputFrom.length === 0) return undefined;
  return await Promise.all(
    inputFrom.map(async (text) => {
      const [input, from] = splitPair(text, "--input-from");
      const colon = from.lastIndexOf(":");
      if (colon <= 0) throw new UsageError(`--input-from ${text} names no variable. Write name=JOB:variable.`);
      return { input, job: (await client.find(from.slice(0, colon))).id, variable: from.slice(colon + 1) };
    }),
  );
}

async function dependsOnOf(client: Client, flags: RunFlags): Promise<EnqueueJobInput["dependsOn"]> {
  const { after = [], afterFailed = [], afterEnded = [], otherwise } = flags;
  const named = [
    ...after.map((ref) => ({ ref, when: "SUCCEEDED" as const })),
    ...afterFailed.map((ref) => ({ ref, when: "FAILED" as const })),
    ...afterEnded.map((ref) => ({ ref, when: "ENDED" as const })),
  ];
  if (named.length === 0) {
    if (otherwise === undefined) return undefined;
    throw new UsageError("--otherwise needs --after, --after-failed or --after-ended: say what it waits for.");
  }
  return await Promise.all(
    named.map(async ({ ref, when }) => ({ job: (await client.find(ref)).id, when, ...defined({ otherwise }) })),
  );
}

/** By name, under the config of this run. None for a pipeline that is not there: enqueueing it says so. */
async function inputSchemas(
  client: Client,
  pipeline: string,
  flags: Pick<RunFlags, "project" | "config">,
): Promise<Map<string, Schema>> {
  const name = flags.project === undefined ? pipeline : `${flags.project}/${pipeline}`;
  const config = flags.config === undefined ? null : parseConfig(flags.config);
  const found = (await client.request(PipelineInputsDocument, { name, config }, { idempotent: true })).pipeline;
  const inputs = found?.variant?.inputs ?? found?.inputs ?? [];
  return new Map(inputs.map((input) => [input.name, input.schema]));
}

/** A Hamilton config as FlowerPower's command line takes it. */
export function parseConfig(text: string): Record<string, unknown> {
  return parseDict(text, "--config", (_name, value) => typedValue(value, {}));
}

function executorOf({ executor, executorMaxWorkers, executorNumCpus }: RunFlags): EnqueueJobInput["executor"] {
  if (executor === undefined && executorMaxWorkers === undefined && executorNumCpus === undefined) return undefined;
  return defined({
    type: executor === undefined ? undefined : executors[executor as keyof typeof executors],
    maxWorkers: executorMaxWorkers,
    numCpus: executorNumCpus,
  });
}

export function retryOf(flags: RetryFlags): EnqueueJobInput["retry"] {
  const { maxRetries, retryDelay, jitterFactor, retryDelays, retryBackoff, maxRetryDelay, neverRetry } = flags;
  const details = defined({
    retryDelayMs: retryDelay === undefined ? undefined : milliseconds(retryDelay),
    jitterFactor,
    delaysMs: retryDelays?.map(milliseconds),
    backoff: retryBackoff,
    maxDelayMs: maxRetryDelay === undefined ? undefined : milliseconds(maxRetryDelay),
    nonRetryableExceptions: neverRetry.length === 0 ? undefined : neverRetry,
  });
  if (maxRetries !== undefined) return { maxRetries, ...details };
  if (Object.keys(details).length === 0) return undefined;
  throw new UsageError("--retry-delay, --jitter-factor and their like need --max-retries: say how often to try again.");
}

function milliseconds(seconds: number): number {
  return Math.round(seconds * 1000);
}

/** When somebody who asks by a length of time means, by this process's clock. */
export function runAtOf(flags: Pick<RunFlags, "in" | "at">, now: number): string | undefined {
  const at = atOf(flags);
  return flags.in === undefined ? at : new Date(now + flags.in).toISOString();
}

function uniqueOf({ unique: key, uniquePolicy, debounce }: RunFlags): EnqueueJobInput["unique"] {
  if (key === undefined) {
    if (uniquePolicy === undefined && debounce === undefined) return undefined;
    throw new UsageError("--unique-policy and --debounce need --unique: say by which key.");
  }
  if (debounce !== undefined) {
    if (uniquePolicy !== undefined) throw new UsageError("Give either --unique-policy or --debounce.");
    return { key, policy: "DEBOUNCE", debounceMs: debounce };
  }
  return { key, policy: uniquePolicy === "REPLACE-PENDING" ? "REPLACE_PENDING" : "RETURN_EXISTING" };
}

/** Numbers and booleans as such, all else as text. */
export function metadataOf(pairs: readonly string[]): Record<string, unknown> {
  const typed = (text: string) =>
    /^(true|false|-?(0|[1-9]\d{0,14})(\.\d{1,10})?)$/.test(text) ? JSON.parse(text) : text;
  return Object.fromEntries(
    pairs.map((pair) => {
      const [key, value] = splitPair(pair, "--meta");
      return [key, typed(value)];
    }),
  );
}

/** A length of time is counted by the server. */
function atOf({ in: inMs, at }: Pick<RunFlags, "in" | "at">): string | undefined {
  if (inMs !== undefined && at !== undefined) throw new UsageError("Give either --in or --at.");
  return at === undefined ? undefined : timeOf("--at", at);
}

/** A time as people type it, local when it has no zone. */
export function timeOf(flag: string, at: string): string {
  // Without a zone JavaScript takes a time as local, and a bare date as UTC: nobody means that.
  const time = new Date(/^\d{4}-\d{2}-\d{2}$/.test(at) ? `${at}T00:00` : at);
  const [, day] = /^\d{4}-\d{2}-(\d{2})/.exec(at) ?? [];
  if (day === undefined || Number.isNaN(time.getTime()) || !isRealDay(at)) {
    throw new UsageError(
      `${flag} ${at} is no time. Write 2026-11-23T18:00 (local), or with a zone: 2026-11-23T18:00Z.`,
    );
  }
  return time.toISOString();
}

/** JavaScript makes 3 March of 31 February. */
function isRealDay(text: string): boolean {
  const [year, month, day] = text.slice(0, 10).split("-").map(Number) as [number, number, number];
  return new Date(Date.UTC(year, month - 1, day)).getUTCDate() === day;
}

export function choice(flags: string, description: string, values: readonly string[]): Option {
  return new Option(flags, `${description}: ${values.join(", ").toLowerCase()}`).argParser((text) => {
    const value = text.toUpperCase();
    if (!values.includes(value)) throw new InvalidArgumentError(`It is none of ${values.join(", ").toLowerCase()}.`);
    return value;
  });
}

export function collect(value: string, earlier: string[]): string[] {
  return [...earlier, value];
}

export function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError("It has to be a whole number.");
  return Number(text);
}

function decimal(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value) || value < 0)
    throw new InvalidArgumentError("It has to be a number.");
  return value;
}

function decimals(text: string): number[] {
  return text.split(",").map(decimal);
}

export function lengthMs(text: string): number {
  const ms = parseDurationMs(text);
  if (ms === null) throw new InvalidArgumentError("Write it like 30m, 1h30m or 90s.");
  return ms;
}

/** Without what was not asked for. */
function defined<T extends object>(from: { [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(from).filter(([, value]) => value !== undefined)) as T;
}
