import { describe, expect, it } from "vitest";
import { type PlannedRequest, planRun } from "../../src/pipelines/plan.ts";
import { whyNoReuse } from "../../src/pipelines/way.ts";
import type { PipelineDescription, ProjectDescription } from "../../src/runtime/protocol.ts";
import { node, pipeline, project } from "./descriptions.ts";

const ways: NonNullable<PipelineDescription["execution"]> = {
  asyncDriver: null,
  executor: "threadpool",
  unpicklable: null,
  adapters: [],
};
const executors: NonNullable<ProjectDescription["executors"]> = [
  { type: "synchronous", install: null },
  { type: "threadpool", install: null },
  { type: "processpool", install: null },
  { type: "dask", install: null },
  { type: "ray", install: "/srv/.venv/bin/python -m pip install ray" },
];
const adapter = { name: "adapters.alerts:Alerts", available: true, async: true, branches: true };

const branched = (execution: Partial<typeof ways> = {}, isAsync = false) =>
  pipeline({
    finalVars: ["total"],
    execution: { ...ways, ...execution },
    nodes: [
      node("item", [], { kind: "expand" }),
      node("squared", ["item"], { async: isAsync }),
      node("total", ["squared"], { kind: "collect" }),
    ],
  });
const flat = (execution: Partial<typeof ways> = {}, isAsync = true) =>
  pipeline({
    execution: { ...ways, ...execution },
    nodes: [node("flour"), node("dough", ["flour"], { async: isAsync })],
  });

function told(description: PipelineDescription, executor: string | null = null) {
  const request: PlannedRequest = {
    inputs: {},
    finalVars: null,
    config: {},
    options: executor === null ? {} : { executor: { type: executor, maxWorkers: null, numCpus: null } },
  };
  return planRun(description, request, { project: project({ executors }) }).problems;
}

describe("an executor whose package is missing", () => {
  const missing = {
    code: "EXECUTOR_MISSING",
    path: "input.executor.type",
    suggestion: "/srv/.venv/bin/python -m pip install ray",
  };

  it("is refused with the command that installs it, whoever names it", () => {
    expect(told(branched(), "ray")).toMatchObject([missing]);
    expect(told(branched({ executor: "ray" }))).toMatchObject([missing]);
  });

  it("of a YAML does no harm where nothing has branches, or where the request names another", () => {
    expect(told(flat({ executor: "ray" }, false))).toEqual([]);
    expect(told(branched({ executor: "ray" }), "threadpool")).toEqual([]);
    expect(told(flat({}, false), "ray")).toMatchObject([missing]);
  });

  it("is not known of a project that an older worker has described", () => {
    const executor = { type: "ray", maxWorkers: null, numCpus: null };
    const request = { inputs: {}, finalVars: null, config: {}, options: { executor } };
    expect(planRun(branched(), request, { project: project() }).problems).toEqual([]);
  });
});

describe("a process pool", () => {
  const unpicklable = "squared cannot be sent to another process (local object)";

  it("is refused where the nodes of the branches cannot be sent to it", () => {
    expect(told(branched({ unpicklable }), "processpool")).toMatchObject([
      { code: "UNPICKLABLE", path: "input.executor.type", message: `${unpicklable}.`, suggestion: "threadpool" },
    ]);
    expect(told(branched({ unpicklable, executor: "processpool" }))).toHaveLength(1);
  });

  it("is taken where they can, and where it runs nothing", () => {
    expect(told(branched(), "processpool")).toEqual([]);
    expect(told(branched({ unpicklable }), "threadpool")).toEqual([]);
    expect(told(flat({ unpicklable }, false), "processpool")).toEqual([]);
  });
});

describe("async nodes", () => {
  it("run", () => {
    expect(told(flat())).toEqual([]);
    expect(told(flat({ asyncDriver: true }, false))).toEqual([]);
  });

  it("are refused where async_driver is false, unless they do not run", () => {
    expect(told(flat({ asyncDriver: false }))).toMatchObject([{ code: "ASYNC_OFF", path: "input.pipeline" }]);
    expect(told(pipeline({ ...flat({ asyncDriver: false }), finalVars: ["flour"] }))).toEqual([]);
  });

  it("have no branches", () => {
    expect(told(branched({}, true)).map(({ message }) => message)).toEqual([
      "item makes or collects branches, which Hamilton's async driver does not have.",
      "total makes or collects branches, which Hamilton's async driver does not have.",
    ]);
    expect(told(branched({ asyncDriver: true }))).toHaveLength(2);
  });

  it("are not reused, where that is asked for", () => {
    const ask = (reuse: "none" | "resume" | "full") =>
      planRun(flat(), { inputs: {}, finalVars: null, config: {}, options: { reuse } }).problems.map(({ code }) => code);
    expect([ask("none"), ask("resume"), ask("full")]).toEqual([[], ["ASYNC_REUSE"], ["ASYNC_REUSE"]]);
  });

  it("need no executor", () => {
    expect(told(flat(), "threadpool")).toMatchObject([{ code: "ASYNC_EXECUTOR", suggestion: "synchronous" }]);
    expect(told(flat(), "local")).toEqual([]);
    // The misspelling is the problem, and the only one.
    expect(told(flat(), "treadpool").map(({ code }) => code)).toEqual(["UNKNOWN_EXECUTOR"]);
    // A YAML often names one, because FlowerPower writes it there.
    expect(told(flat({ executor: "threadpool" }))).toEqual([]);
  });
});

describe("adapters", () => {
  it("that only work without the async driver are refused with it", () => {
    const adapters = [adapter, { ...adapter, name: "mlflow", async: false }];
    expect(told(flat({ adapters }))).toMatchObject([
      {
        code: "ADAPTER",
        path: "input.pipeline",
        message: "The adapter mlflow cannot be used with Hamilton's async driver.",
      },
    ]);
    expect(told(flat({ adapters }, false))).toEqual([]);
  });

  it("that call the nodes themselves are refused beside reuse, where that is asked for", () => {
    const own = { ...adapter, reuse: false };
    const ask = (reuse: "none" | "full", adapters = [own]) =>
      planRun(flat({ adapters }, false), { inputs: {}, finalVars: null, config: {}, options: { reuse } }).problems;
    expect(ask("full")).toMatchObject([{ code: "ADAPTER_REUSE", path: "input.reuse", suggestion: "NONE" }]);
    expect([ask("none"), ask("full", [{ ...own, reuse: true }])]).toEqual([[], []]);
    // Also where a YAML asks, and the run goes without: no plan may promise otherwise.
    expect(whyNoReuse(flat({ adapters: [own] }, false), ["flour", "dough"])).toContain(own.name);
    expect(whyNoReuse(flat(), ["flour", "dough"])).toContain("async");
    expect(whyNoReuse(flat(), ["flour"])).toBeNull();
  });

  it("that cannot be used with branches are refused where there are some", () => {
    const adapters = [{ ...adapter, name: "future", branches: false }];
    expect(told(branched({ adapters }))).toMatchObject([{ code: "ADAPTER" }]);
    expect(told(flat({ adapters }, false))).toEqual([]);
  });
});
