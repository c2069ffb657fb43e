import {
  type GraphNode,
  noJobQueueSettings,
  type PipelineDescription,
  type PipelineInput,
  type ProjectDescription,
} from "../../src/runtime/protocol.ts";

export const brokenBy = (message: string): NonNullable<PipelineDescription["error"]> => ({
  kind: "PIPELINE",
  type: "ModuleNotFoundError",
  message,
  classes: ["builtins.ModuleNotFoundError", "builtins.ImportError", "builtins.Exception"],
  traceback: null,
  node: null,
  branch: null,
  file: "pipelines/daily.py",
  line: 3,
  code: null,
  hint: "python -m pip install scikit-learn",
  problems: [],
});

export function project(given: Partial<ProjectDescription> = {}): ProjectDescription {
  return { name: null, jobQueue: noJobQueueSettings, queues: [], warnings: [], error: null, pipelines: [], ...given };
}

/** A described pipeline; it has the given nodes, and their order is the graph's. */
export function pipeline(
  given: Omit<Partial<PipelineDescription>, "jobQueue"> & {
    jobQueue?: Partial<PipelineDescription["jobQueue"]>;
    nodes?: GraphNode[];
  } = {},
): PipelineDescription {
  const { nodes = [node("flour"), node("dough", ["flour"])], jobQueue, ...rest } = given;
  const needed = new Set(nodes.flatMap((each) => [...each.dependsOn, ...each.optionalDependsOn]));
  return {
    name: "daily",
    status: "ok",
    doc: null,
    codeHash: "c0de",
    modules: [],
    params: {},
    run: {},
    finalVars: ["dough"],
    config: {},
    retry: null,
    jobQueue: { ...noJobQueueSettings, ...jobQueue },
    inputs: [],
    graph: { nodes },
    leaves: nodes.filter((each) => each.kind !== "input" && !needed.has(each.name)).map((each) => each.name),
    warnings: [],
    error: null,
    ...rest,
  };
}

export function node(name: string, dependsOn: string[] = [], given: Partial<GraphNode> = {}): GraphNode {
  return {
    name,
    kind: "function",
    type: "int",
    doc: null,
    tags: {},
    dependsOn,
    optionalDependsOn: [],
    module: "pipelines.daily",
    function: name,
    file: "pipelines/daily.py",
    line: 1,
    codeHash: null,
    ...given,
  };
}

export function input(name: string, given: Partial<PipelineInput> = {}): PipelineInput {
  return {
    name,
    type: "int",
    schema: { type: "integer" },
    required: true,
    default: null,
    doc: null,
    usedBy: [],
    ...given,
  };
}
