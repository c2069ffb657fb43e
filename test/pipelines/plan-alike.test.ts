import { describe, expect, it } from "vitest";
import { type PlannedRequest, planRun } from "../../src/pipelines/plan.ts";
import { planAlike } from "../../src/pipelines/plan-alike.ts";
import { input, node, pipeline } from "./descriptions.ts";

const description = pipeline({
  inputs: [
    input("day", { type: "str", schema: { type: "string" }, required: true }),
    input("trips", { type: "int", schema: { type: "integer" }, required: false }),
    input("unused", { type: "int", schema: { type: "integer" }, required: false }),
  ],
  nodes: [node("load", ["day"]), node("report", ["load", "trips"])],
  finalVars: ["report"],
});

const request = (inputs: PlannedRequest["inputs"], given: Partial<PlannedRequest> = {}): PlannedRequest => ({
  inputs,
  finalVars: null,
  config: {},
  options: {},
  ...given,
});

let nested: PlannedRequest["inputs"][string] = "deep";
for (let depth = 0; depth < 12; depth += 1) nested = [nested];

/** Each after one that is alike but for its values, or not alike at all. */
const requests = [
  request({ day: "mon", trips: 1 }),
  request({ day: "tue", trips: 2 }),
  request({ day: "wed", trips: "three" }),
  request({ day: 4, trips: "three" }),
  request({ day: "fri" }),
  request({ trips: 3 }),
  request({ day: "sat", trips: 1, tips: 2 }),
  request({ day: nested, trips: 1 }),
  request({ day: "mon", trips: 1 }, { finalVars: ["load"] }),
  request({ day: "mon", trips: 1 }, { finalVars: ["lod"] }),
  request({ day: "mon", trips: 1 }, { config: { day: "mon" } }),
  request({ day: "mon", trips: 1 }, { options: { recompute: ["nothing"] } }),
  request({ day: "sun", trips: 9 }),
];

describe("planAlike", () => {
  it("comes to what planRun does, whatever was planned before", () => {
    const plan = planAlike();
    for (const one of [...requests, ...requests.toReversed()])
      expect(plan(description, one)).toEqual(planRun(description, one));
  });

  it("tells pipelines apart", () => {
    const plan = planAlike();
    const other = pipeline({ name: "other", inputs: [], nodes: [], finalVars: [] });
    const one = request({ day: "mon", trips: 1 });
    plan(description, one);
    expect(plan(other, one)).toEqual(planRun(other, one));
  });

  it("works the graph out once for thousands of requests that are alike", () => {
    const plan = planAlike();
    const first = plan(description, request({ day: "0", trips: 0 }));
    const paths = Array.from({ length: 1000 }, (_, n) => plan(description, request({ day: `${n}`, trips: n })).path);
    expect(paths.every((path) => path === first.path)).toBe(true);
  });
});
