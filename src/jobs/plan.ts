import type { Problem } from "../domain/errors.ts";
import type { Json } from "../domain/json.ts";
import type { PlanRequest } from "../domain/run-request.ts";
import type { CataloguedPipeline } from "../pipelines/catalogue.ts";
import { executorOf, type KnownExecutor, writtenExecutor } from "../pipelines/executor.ts";
import { expectedMs } from "../pipelines/expected.ts";
import { nearest } from "../pipelines/nearest.ts";
import { contextOf, type PlannedInput, type PlanProblem, planRun, type RunPlan } from "../pipelines/plan.ts";
import { type PlannedNode, plannedNodes, reusedProgress } from "../pipelines/planned-nodes.ts";
import { type JobSettings, resolveSettings } from "../pipelines/policy.ts";
import type { JobsContext } from "./context.ts";
import { planReuse } from "./plan-reuse.ts";

/** A run that was checked against what the catalogue knows. */
export interface CheckedRun {
  pipeline: CataloguedPipeline;
  /** The pipeline under the run's config, and what it would do; null when no worker could say in time. */
  checked: { description: CataloguedPipeline["description"]; plan: RunPlan } | null;
  settings: JobSettings;
}

/**
 * Checks a run against the pipeline's graph. What `enqueueJob` accepts and what `planJob` shows is decided here.
 *
 * @throws NotFoundError, BadInputError when the project or the pipeline does not exist or is not the only one of its name
 */
export async function checkRun(context: JobsContext, request: PlanRequest): Promise<CheckedRun> {
  const pipeline = await context.catalogue.pipeline(request.project, request.pipeline);
  const description = await context.describe(pipeline, request.config);
  const plan = description === null ? null : planRun(description, request, contextOf(pipeline));
  return {
    pipeline,
    checked: description === null || plan === null ? null : { description, plan },
    settings: resolveSettings(request, pipeline.project, pipeline.description, pipeline.queues ?? {}),
  };
}

/** A key of the config under which a run would take place. */
export interface PlannedConfig {
  key: string;
  /** A reference is shown as it is written. */
  value: Json;
  /** `request`, or the place of the pipeline's own. */
  source: string;
}

/** What a request would come to. */
export interface JobPlan {
  project: string;
  pipeline: string;
  /** Whether `enqueueJob` would take it as valid; null when nobody could say. */
  valid: boolean | null;
  /** Why it could not be checked; null when it was. */
  notValidated: string | null;
  problems: PlanProblem[];
  warnings: Problem[];
  codeHash: string | null;
  finalVars: string[];
  nodes: PlannedNode[];
  inputs: PlannedInput[];
  config: PlannedConfig[];
  settings: JobSettings;
  executor: PlannedExecutor;
  /** What there is to know of the nodes that are said to be reused; null where reuse is not asked for. */
  reuseNote: string | null;
  /** Without what is reused. Null when it is invalid, or when some node has never run. */
  expectedMs: number | null;
  /** Runs that the expectation was made of. */
  pastRuns: number;
}

export interface PlannedExecutor extends KnownExecutor {
  source: string;
}

/**
 * Says what a run would do, how long it would take and what is wrong with it, without storing or running anything. `sameJob`:
 * it is this job's next attempt.
 *
 * @throws NotFoundError, BadInputError as `enqueueJob` does for a project or pipeline
 */
export async function planJob(
  context: JobsContext,
  request: PlanRequest,
  sameJob: string | null = null,
): Promise<JobPlan> {
  const { pipeline, checked, settings } = await checkRun(context, request);
  const [history, queue, notValidated, reuse] = await Promise.all([
    context.histories.of({ project: pipeline.projectName, pipeline: pipeline.name }),
    queueProblems(context, settings.queue),
    checked === null ? whyNotValidated(context, pipeline) : null,
    checked === null ? null : planReuse(context.db, { pipeline, ...checked, request, settings, sameJob }),
  ]);
  const problems = [...(checked?.plan.problems ?? []), ...queue];
  const description = checked?.description ?? pipeline.description;
  const graph = checked?.description.graph ?? null;
  const forecasts = reuse?.forecasts ?? [];
  const executor = executorOf(request.options.executor ?? null, pipeline.description, history.executor);
  return {
    project: pipeline.projectName,
    pipeline: pipeline.name,
    valid: problems.length > 0 ? false : checked === null ? null : true,
    notValidated,
    problems,
    warnings: [...pipeline.project.warnings, ...description.warnings],
    codeHash: description.codeHash,
    finalVars: checked?.plan.finalVars ?? request.finalVars ?? description.finalVars ?? [],
    nodes: checked === null || graph === null ? [] : plannedNodes(graph, checked.plan, history, forecasts),
    inputs: checked?.plan.inputs ?? [],
    config: plannedConfig(pipeline, request),
    settings,
    executor: { ...executor, source: executorSource(pipeline, request) },
    reuseNote: reuse?.note ?? null,
    expectedMs:
      checked === null || problems.length > 0
        ? null
        : expectedMs(checked.plan.path, history, executor, reusedProgress(forecasts)),
    pastRuns: history.runs.length,
  };
}

async function queueProblems({ db }: JobsContext, queue: string): Promise<PlanProblem[]> {
  const rows = await db.sql<{ name: string }[]>`select name from queues order by name limit 1000`;
  const names = rows.map(({ name }) => name);
  if (names.includes(queue)) return [];
  const message = `There is no queue ${queue}.`;
  return [{ code: "UNKNOWN_QUEUE", path: "input.queue", message, suggestion: nearest(queue, names) }];
}

async function whyNotValidated({ db }: JobsContext, { projectName }: CataloguedPipeline): Promise<string> {
  const served = await db.sql`
    select from workers
    where ended_at is null and projects @> jsonb_build_array(jsonb_build_object('name', ${projectName}::text)) limit 1`;
  return served.count === 0
    ? `No worker that has the project ${projectName} is there to describe the pipeline under this config.`
    : "No worker has described the pipeline under this config in time.";
}

function plannedConfig({ description, name }: CataloguedPipeline, { config }: PlanRequest): PlannedConfig[] {
  const file = `conf/pipelines/${name}.yml: run.config`;
  return Object.entries({ ...description.config, ...config })
    .map(([key, value]) => ({
      key,
      value,
      source: Object.hasOwn(config, key) ? "request" : (overlaidBy(value) ?? file),
    }))
    .toSorted((one, other) => (one.key < other.key ? -1 : 1));
}

/** `environment FP_PIPELINE__RUN__CONFIG__OVEN`, when the environment and not the YAML sets it. */
function overlaidBy(value: Json): string | null {
  const [, variable] = /^\$\{(FP_PIPELINE__RUN__CONFIG__\w+)\}$/.exec(typeof value === "string" ? value : "") ?? [];
  return variable === undefined ? null : `environment ${variable}`;
}

function executorSource({ description, name }: CataloguedPipeline, { options }: PlanRequest): string {
  if (options.executor !== undefined) return "request";
  const { type, maxWorkers } = writtenExecutor(description.run);
  return type === null && maxWorkers === null ? "FlowerPower's default" : `conf/pipelines/${name}.yml: run.executor`;
}
