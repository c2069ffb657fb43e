import { describe, expect, it } from "vitest";
import { type Followable, followRules } from "../../src/pipelines/follow-rules.ts";

type Rule = Followable["after"][number];

function pipeline(name: string, after: (string | Partial<Rule>)[] = [], given: Partial<Followable> = {}): Followable {
  const rules = after.map((rule): Rule => {
    const said = typeof rule === "string" ? { pipeline: rule } : rule;
    return { pipeline: "load", when: "succeeded", inputs: {}, ...said };
  });
  return { name, after: rules, variables: ["loaded_day", "rows"], inputs: ["day", "region"], ...given };
}

const problems = (...pipelines: Followable[]) =>
  followRules("shop", pipelines).map(({ pipeline, leader, problem }) => [
    `${leader} → ${pipeline}`,
    problem?.message ?? null,
  ]);

describe("followRules", () => {
  it("takes a pipeline of the same project, with or without the project's name", () => {
    const report = pipeline("report", [{ pipeline: "shop/load", inputs: { day: "loaded_day" } }]);
    expect(followRules("shop", [pipeline("load"), report])).toEqual([
      {
        pipeline: "report",
        position: 0,
        leader: "load",
        when: "succeeded",
        inputs: { day: "loaded_day" },
        problem: null,
      },
    ]);
    const alarm = pipeline("alarm", ["load", { when: "failed" }]);
    expect(problems(pipeline("load"), report, alarm).map(([, problem]) => problem)).toEqual([null, null, null]);
  });

  it.each<[string, Partial<Rule>[], string, string, string | null]>([
    [
      "an unknown pipeline",
      [{ pipeline: "laod" }],
      "0.pipeline",
      "there is no pipeline laod. Did you mean load?",
      "load",
    ],
    ["another project's", [{ pipeline: "bikes/load" }], "0.pipeline", "bikes/load is not of this project", null],
    [
      "an unknown input",
      [{ inputs: { dya: "loaded_day" } }],
      "0.inputs.dya",
      "report has no input dya. Did you mean day?",
      "day",
    ],
    [
      "an unknown variable",
      [{ inputs: { day: "loaded_days" } }],
      "0.inputs.day",
      "load has no final variable loaded_days. Did you mean loaded_day?",
      "loaded_day",
    ],
    [
      "a result of a failure",
      [{ when: "failed", inputs: { day: "loaded_day" } }],
      "0.inputs.day",
      "a job of load that has failed has no result",
      null,
    ],
    [
      "the same case twice",
      [{}, { when: "ended" }],
      "1.when",
      "it follows load in that case already, by after.0",
      null,
    ],
  ])("refuses %s, with its place and what was meant", (_what, after, place, message, suggestion) => {
    const found = followRules("shop", [pipeline("load"), pipeline("report", after)]).flatMap(
      (rule) => rule.problem ?? [],
    );
    expect(found).toEqual([{ path: `conf/pipelines/report.yml: job_queue.after.${place}`, message, suggestion }]);
  });

  it("does not judge by what is not known of a pipeline", () => {
    const unknown = { variables: null, inputs: null };
    const report = pipeline("report", [{ inputs: { any: "thing" } }], unknown);
    expect(problems(pipeline("load", [], unknown), report)).toEqual([["load → report", null]]);
  });

  it("refuses each rule of a circle with the whole way round, and no rule beside it", () => {
    const a = pipeline("a", ["c"]);
    const b = pipeline("b", ["a"]);
    const c = pipeline("c", ["b"]);
    const beside = pipeline("beside", ["a"]);
    expect(problems(a, b, c, beside)).toEqual([
      ["c → a", "goes round in a circle: c → a → b → c"],
      ["a → b", "goes round in a circle: a → b → c → a"],
      ["b → c", "goes round in a circle: b → c → a → b"],
      ["a → beside", null],
    ]);
    expect(problems(pipeline("self", ["self"]))).toEqual([["self → self", "goes round in a circle: self → self"]]);
  });
});
