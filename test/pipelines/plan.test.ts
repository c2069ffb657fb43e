import { describe, expect, it } from "vitest";
import { type KnownVariant, type PlannedRequest, planRun } from "../../src/pipelines/plan.ts";
import type { PipelineDescription } from "../../src/runtime/protocol.ts";
import golden from "../protocol/plan-cases.json" with { type: "json" };
import { brokenBy, input, node, pipeline, project } from "./descriptions.ts";

const request = (given: Partial<PlannedRequest> = {}): PlannedRequest => ({
  inputs: {},
  finalVars: null,
  config: {},
  options: {},
  ...given,
});
const codes = (description: PipelineDescription, given: Partial<PlannedRequest> = {}) =>
  planRun(description, request(given)).problems.map((problem) => problem.code);

describe("the golden cases, which Python reads too", () => {
  it.each(golden.cases.map((each) => [each.name, each] as const))("%s", (_name, each) => {
    const variants = golden.descriptions
      .filter((one) => one.project === each.project && one.pipeline === each.pipeline)
      .map(({ config, described }): KnownVariant & { asked: string } => {
        const { graph, ...rest } = described as unknown as PipelineDescription;
        const nodes = graph!.nodes.map((one) => node(one.name, one.dependsOn, one));
        const description = pipeline({ ...rest, nodes });
        return { asked: JSON.stringify(config), config: { ...description.config, ...config }, description };
      });
    const asked = variants.find((one) => one.asked === JSON.stringify(each.request.config)) ?? variants[0]!;
    const plan = planRun(asked.description, each.request as unknown as PlannedRequest, { variants });
    const told = plan.problems.map(({ code, path, suggestion }) => ({ code, path, suggestion }));
    expect(told.toSorted((a, b) => a.path.localeCompare(b.path))).toEqual(each.problems);
    if (each.path !== null) expect(plan.path).toEqual(each.path);
  });
});

describe("a pipeline that cannot run", () => {
  it("tells what broke it, where, and what to do", () => {
    const broken = pipeline({ status: "broken", graph: null, error: brokenBy("No module named 'sklearn'") });
    expect(planRun(broken, request()).problems).toEqual([
      {
        code: "BROKEN",
        path: "input.pipeline",
        message:
          "The pipeline daily is broken: ModuleNotFoundError: No module named 'sklearn' (pipelines/daily.py, line 3)",
        suggestion: "python -m pip install scikit-learn",
      },
    ]);
  });

  it("has no configuration: the file to write is named", () => {
    const bare = pipeline({ status: "unconfigured", graph: null });
    const [problem] = planRun(bare, request()).problems;
    expect(problem).toMatchObject({ code: "UNCONFIGURED", path: "input.pipeline" });
    expect(problem!.message).toContain("conf/pipelines/daily.yml");
  });

  it("belongs to a broken project", () => {
    const context = { project: project({ error: brokenBy("conf/project.yml: line 3") }) };
    expect(planRun(pipeline(), request(), context).problems).toMatchObject([{ code: "BROKEN", path: "input.project" }]);
  });
});

describe("inputs", () => {
  const needs = (given: Parameters<typeof input>[1]) =>
    pipeline({
      nodes: [node("x", [], { kind: "input" }), node("dough", ["x"])],
      inputs: [input("x", { usedBy: ["dough"], ...given })],
    });

  it("that only another final variable needs may be missing", () => {
    const nodes = [node("x", [], { kind: "input" }), node("y", ["x"]), node("dough")];
    const both = pipeline({ nodes, inputs: [input("x", { usedBy: ["y"] })] });
    expect(codes(both)).toEqual([]);
    expect(codes(both, { finalVars: ["dough", "y"] })).toEqual(["MISSING_INPUT"]);
  });

  it("that a node takes when they are there may be missing", () => {
    const nodes = [node("x", [], { kind: "input" }), node("dough", [], { optionalDependsOn: ["x"] })];
    const fallback = { value: 3, source: "code", reference: null };
    expect(codes(pipeline({ nodes, inputs: [input("x", { required: false, default: fallback })] }))).toEqual([]);
  });

  it("whose default stands in the code of one node are still needed by another", () => {
    expect(codes(needs({ default: { value: 3, source: "code", reference: null } }))).toEqual(["MISSING_INPUT"]);
  });

  it("whose default stays with the worker are there", () => {
    const reference = { value: null, source: "conf/pipelines/daily.yml", reference: "${WAREHOUSE_URL}" };
    expect(codes(needs({ required: false, default: reference }))).toEqual([]);
  });

  it("may be given by the config", () => {
    expect(codes(needs({}), { config: { x: 3 } })).toEqual([]);
  });

  it("of which the type says nothing take anything", () => {
    expect(codes(needs({ type: "Any", schema: {} }), { inputs: { x: null } })).toEqual([]);
  });

  it("tell their values and sources, and what the request replaced", () => {
    const inYaml = { value: 3, source: "conf/pipelines/daily.yml", reference: null };
    const fromYaml = needs({ required: false, default: inYaml });
    const x = { name: "x", type: "int", reference: null };
    expect(planRun(fromYaml, request()).inputs).toEqual([{ ...x, ...inYaml, replaced: null }]);
    expect(planRun(fromYaml, request({ inputs: { x: 4 } })).inputs).toEqual([
      { ...x, value: 4, source: "request", replaced: inYaml },
    ]);
    expect(planRun(needs({}), request({ config: { x: 4 } })).inputs).toEqual([
      { ...x, value: 4, source: "config", replaced: null },
    ]);
  });

  it("that stay with the worker tell their reference, never a value", () => {
    const reference = { value: null, source: "conf/pipelines/daily.yml", reference: "${WAREHOUSE_URL}" };
    expect(planRun(needs({ required: false, default: reference }), request()).inputs).toEqual([
      { name: "x", type: "int", ...reference, replaced: null },
    ]);
  });

  it("of another config are named as such", () => {
    const other = needs({});
    const plan = planRun(pipeline(), request({ inputs: { x: 1 } }), {
      variants: [{ config: { oven: "fan" }, description: other }],
    });
    expect(plan.problems).toMatchObject([{ code: "UNKNOWN_INPUT" }]);
    expect(plan.problems[0]!.message).toContain('with the config {"oven":"fan"}');
  });
});

describe("the path", () => {
  it("takes an upstream node that is optional", () => {
    const nodes = [node("a"), node("dough", [], { optionalDependsOn: ["a"] })];
    expect(planRun(pipeline({ nodes }), request()).path).toEqual(["a", "dough"]);
  });

  it("goes through a chain of 20,000 nodes", () => {
    const nodes = Array.from({ length: 20_000 }, (_, i) => node(`n${i}`, i === 0 ? [] : [`n${i - 1}`]));
    const plan = planRun(pipeline({ nodes, finalVars: ["n19999"] }), request());
    expect(plan.problems).toEqual([]);
    expect(plan.path).toHaveLength(20_000);
  });
});

describe("Collect", () => {
  const fan = (name: string, from: string[]) => node(name, from, { kind: "expand" });
  const collect = (name: string, from: string[]) => node(name, from, { kind: "collect" });

  it.each([
    ["of one fan", [fan("f", []), node("y", ["f"]), collect("dough", ["y"])], []],
    ["of a fan behind another", [fan("f", []), collect("c", ["f"]), fan("g", ["c"]), collect("dough", ["g"])], []],
    [
      "that takes a node from before its fan",
      [fan("f", []), collect("c", ["f"]), fan("g", ["c"]), node("y", ["g"]), collect("dough", ["y", "c"])],
      ["ENDLESS_COLLECT"],
    ],
    ["of nothing", [node("y"), collect("dough", ["y"])], ["ENDLESS_COLLECT"]],
    [
      "of two nodes of one fan",
      [fan("f", []), node("x", ["f"]), node("y", ["f"]), collect("dough", ["x", "y"])],
      ["REPEATED_COLLECT"],
    ],
    [
      "beside another one of the same fan",
      [fan("f", []), collect("c", ["f"]), collect("d", ["f"]), node("dough", ["c", "d"])],
      ["REPEATED_COLLECT"],
    ],
    ["beside another one that is not asked for", [fan("f", []), collect("c", ["f"]), collect("dough", ["f"])], []],
  ])("%s", (_name, nodes, expected) => {
    expect(codes(pipeline({ nodes }))).toEqual(expected);
  });
});

it("tells at most 50 problems of a request that is wrong all over", () => {
  const inputs = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`wrong_${i}`, 1]));
  expect(codes(pipeline(), { inputs })).toHaveLength(50);
});
