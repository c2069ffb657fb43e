/**
 * The way in which a run would go: through FlowerPower, which runs the branches of `Parallelizable` nodes on an executor, or,
 * where nodes are `async def`, through Hamilton's async driver, which has neither. What cannot go its way is a problem.
 */
import type { PipelineDescription, ProjectDescription } from "../runtime/protocol.ts";
import { listNames } from "./nearest.ts";
import { indexGraph } from "./path.ts";
import type { PlannedRequest, PlanProblem } from "./plan.ts";

/** What FlowerPower would not refuse but silently run without a pool is anything else. */
export const executorTypes = ["synchronous", "local", "threadpool", "processpool", "ray", "dask"];

/** Those that run branches in threads of the runtime itself, as Hamilton does without being told. */
const localExecutors = ["synchronous", "local"];

/** Everything that keeps these nodes from running as they are asked to. */
export function wayProblems(
  description: PipelineDescription,
  request: PlannedRequest,
  path: readonly string[],
  project: ProjectDescription | undefined,
): PlanProblem[] {
  const { executor, reuse = "none" } = request.options;
  const way = { description, asked: executor?.type ?? null, reuse, path, project };
  const refused = description.execution?.asyncDriver === false ? coroutinesOf(way).map((name) => asyncIsOff(name)) : [];
  if (isAsync(way)) return [...refused, ...asyncProblems(way)];
  return [...refused, ...branchProblems(way), ...reuseProblems(way)];
}

/** Why nothing can be reused on the way that a run would go, whoever asks for reuse; null when it can. */
export function whyNoReuse(description: PipelineDescription, path: readonly string[]): string | null {
  const way = { description, path };
  return isAsync(way) ? asyncReuse.message : (adapterReuse(way)?.message ?? null);
}

function isAsync(way: Pick<Way, "description" | "path">): boolean {
  return way.description.execution?.asyncDriver ?? coroutinesOf(way).length > 0;
}

function coroutinesOf(way: Pick<Way, "description" | "path">): string[] {
  return nodesOf(way, (node) => node.async === true);
}

interface Way {
  description: PipelineDescription;
  /** The executor that the request asks for. */
  asked: string | null;
  reuse: NonNullable<PlannedRequest["options"]["reuse"]>;
  path: readonly string[];
  project: ProjectDescription | undefined;
}

function asyncIsOff(name: string): PlanProblem {
  const message = `${name} is async, and the pipeline's YAML says async_driver: false. FlowerPower would not wait for it.`;
  return { code: "ASYNC_OFF", path: "input.pipeline", message, suggestion: null };
}

function asyncProblems(way: Way): PlanProblem[] {
  const branched = nodesOf(way, ({ kind }) => kind === "expand" || kind === "collect").map((name) => {
    const message = `${name} makes or collects branches, which Hamilton's async driver does not have.`;
    return { code: "ASYNC_BRANCHES" as const, path: "input.pipeline", message, suggestion: null };
  });
  const executor: PlanProblem[] =
    way.asked === null || localExecutors.includes(way.asked) || !executorTypes.includes(way.asked)
      ? []
      : [
          {
            code: "ASYNC_EXECUTOR",
            path: "input.executor.type",
            message: "An async pipeline runs on one event loop: no executor runs anything of it.",
            suggestion: "synchronous",
          },
        ];
  return [
    ...missing(way, way.asked),
    ...branched,
    ...executor,
    ...(way.reuse === "none" ? [] : [asyncReuse]),
    ...adapterProblems(way, "async", "with Hamilton's async driver"),
  ];
}

/** Of who asks for it; where only a YAML does, nothing is reused and the run's log says so. */
const asyncReuse: PlanProblem = {
  code: "ASYNC_REUSE",
  path: "input.reuse",
  message: "Hamilton's async driver cannot reuse what nodes have computed before.",
  suggestion: "NONE",
};

/** Hamilton has one adapter that calls the nodes, and reuse is one. Again: only of who asks for it. */
function reuseProblems(way: Way): PlanProblem[] {
  const problem = way.reuse === "none" ? null : adapterReuse(way);
  return problem === null ? [] : [problem];
}

function adapterReuse({ description }: Pick<Way, "description">): PlanProblem | null {
  const own = (description.execution?.adapters ?? []).find((adapter) => adapter.reuse === false);
  if (own === undefined) return null;
  const message = `The adapter ${own.name} calls the nodes itself, as reuse does, and Hamilton takes one such adapter only.`;
  return { code: "ADAPTER_REUSE", path: "input.reuse", message, suggestion: "NONE" };
}

function branchProblems(way: Way): PlanProblem[] {
  const { execution } = way.description;
  const executor = way.asked ?? execution?.executor ?? null;
  // Without branches nothing runs on it, but who asks for it is told all the same.
  if (nodesOf(way, ({ kind }) => kind === "collect").length === 0) return missing(way, way.asked);
  const unpicklable = executor === "processpool" ? (execution?.unpicklable ?? null) : null;
  const pool: PlanProblem[] =
    unpicklable === null
      ? []
      : [{ code: "UNPICKLABLE", path: "input.executor.type", message: `${unpicklable}.`, suggestion: "threadpool" }];
  return [...missing(way, executor), ...pool, ...adapterProblems(way, "branches", "with Parallelizable nodes")];
}

/** An executor whose package the project's environment lacks: FlowerPower would silently run locally. */
function missing({ project }: Way, executor: string | null): PlanProblem[] {
  const install = project?.executors?.find(({ type }) => type === executor)?.install ?? null;
  if (install === null) return [];
  const message = `${executor} is not installed in the project's environment, and FlowerPower would run locally instead.`;
  return [{ code: "EXECUTOR_MISSING", path: "input.executor.type", message, suggestion: install }];
}

function adapterProblems({ description }: Way, ability: "async" | "branches", where: string): PlanProblem[] {
  const unfit = (description.execution?.adapters ?? []).filter((adapter) => !adapter[ability]).map(({ name }) => name);
  if (unfit.length === 0) return [];
  const message = `${unfit.length === 1 ? "The adapter" : "The adapters"} ${listNames(unfit)} cannot be used ${where}.`;
  return [{ code: "ADAPTER", path: "input.pipeline", message, suggestion: null }];
}

type Node = NonNullable<PipelineDescription["graph"]>["nodes"][number];

function nodesOf({ description, path }: Pick<Way, "description" | "path">, holds: (node: Node) => boolean): string[] {
  if (description.graph === null) return [];
  const { nodes } = indexGraph(description.graph);
  return path.filter((name) => {
    const node = nodes.get(name);
    return node !== undefined && holds(node);
  });
}
