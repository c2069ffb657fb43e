import { describe, expect, it } from "vitest";
import {
  type ComparedJob,
  type ComparedNode,
  type ComparedResult,
  type Comparison,
  compare,
} from "../../src/domain/comparison.ts";

function node(name: string, given: Partial<ComparedNode> = {}): ComparedNode {
  return { node: name, state: "succeeded", runs: 1, durationMs: 100, codeHash: name, dependsOn: [], ...given };
}

const summary = { type: "int", shape: null, length: null, columns: null, preview: "3" };
function result(name: string, given: Partial<ComparedResult> = {}): ComparedResult {
  return { name, summary, digest: "d", hasValue: true, value: 3, ...given };
}

function job(given: Partial<ComparedJob> = {}): ComparedJob {
  return {
    inputs: { day: "monday" },
    config: {},
    finalVars: null,
    settings: { queue: "default", tags: ["a"] },
    outcome: { state: "succeeded", attempts: 1 },
    error: null,
    codeHash: "c0de",
    context: {
      path: ["flour", "dough"],
      finalVars: ["dough"],
      python: "3.11.7",
      executable: "/usr/bin/python3",
      packages: { pandas: "2.2.1" },
      modules: [{ name: "bread", file: "pipelines/bread.py", sha256: "1" }],
      inputSources: { day: "request", oven: "conf/pipelines/bread.yml" },
      run: { inputs: { oven: "deck" }, log_level: "INFO" },
      params: {},
    },
    durationMs: 1000,
    nodes: [node("flour"), node("dough", { dependsOn: ["flour"] })],
    results: [result("dough")],
    ...given,
  };
}

const context = (given: object) => ({ context: { ...job().context, ...given } }) as Partial<ComparedJob>;

describe("compare", () => {
  it("finds nothing between equals, whatever time they took", () => {
    const same = compare(job(), job({ durationMs: 1100 }));
    expect(same).toEqual({
      isSame: true,
      request: [],
      resolved: [],
      settings: [],
      code: null,
      packages: [],
      nodes: [],
      results: [],
      outcome: [],
      error: null,
      duration: { aMs: 1000, bMs: 1100, differenceMs: 100, ratio: 1.1 },
    });
  });

  it.each<[string, Partial<ComparedJob>, Partial<{ [Part in keyof Comparison]: unknown }>]>([
    [
      "an input",
      { inputs: { day: "tuesday" } },
      {
        request: [{ path: "inputs.day", a: "monday", b: "tuesday" }],
        resolved: [{ path: "inputs.day", a: "monday", b: "tuesday", aSource: "request", bSource: "request" }],
      },
    ],
    ["config", { config: { oven: 1 } }, { request: [{ path: "config.oven", kind: "added", b: 1 }] }],
    ["final variables", { finalVars: ["flour"] }, { request: [{ path: "finalVars", kind: "added", b: ["flour"] }] }],
    [
      "the source of an input",
      context({ inputSources: { day: "request", oven: "environment OVEN" } }),
      { resolved: [{ path: "inputs.oven", a: "deck", b: "deck", bSource: "environment OVEN" }] },
    ],
    [
      "resolved settings",
      context({ run: { inputs: { oven: "deck" }, log_level: "DEBUG" }, params: { heat: 1 } }),
      {
        resolved: [
          { path: "params.heat", kind: "added" },
          { path: "run.log_level", a: "INFO", b: "DEBUG" },
        ],
      },
    ],
    [
      "what the context of a newer version tells",
      context({ config: { oven: { value: 1, source: "conf/project.yml" } } }),
      { resolved: [{ path: "config", kind: "added" }] },
    ],
    ["a setting", { settings: { queue: "nightly", tags: ["a"] } }, { settings: [{ path: "queue", b: "nightly" }] }],
    [
      "a package",
      context({ packages: { pandas: "2.3.0" } }),
      { packages: [{ path: "pandas", a: "2.2.1", b: "2.3.0" }] },
    ],
    ["Python", context({ python: "3.12.1" }), { packages: [{ path: "python", b: "3.12.1" }] }],
    [
      "the outcome",
      { outcome: { state: "failed", attempts: 2 } },
      {
        outcome: [
          { path: "attempts", a: 1, b: 2 },
          { path: "state", b: "failed" },
        ],
      },
    ],
    [
      "the error",
      { error: { kind: "PIPELINE", type: "KeyError", message: "'x'", node: "dough" } },
      { error: { a: null, b: { type: "KeyError" } } },
    ],
  ])("finds that %s is not the same", (_what, change, expected) => {
    const found = compare(job(), job(change));
    expect(found).toMatchObject({ isSame: false, ...expected });
    const parts = ["request", "resolved", "settings", "packages", "nodes", "results", "outcome"] as const;
    for (const part of parts)
      expect(found[part], part).toHaveLength((expected[part] as unknown[] | undefined)?.length ?? 0);
    if (!("error" in expected)) expect(found.error).toBeNull();
    expect(found.code).toBeNull();
  });

  describe("what was resolved, each value with its source", () => {
    const told = (path: string, given: object = {}) => ({
      path: `inputs.${path}`,
      value: null,
      reference: null,
      source: "request",
      keyedHash: null,
      ...given,
    });
    const found = (a: object[], b: object[]) =>
      compare(
        job(context({ resolved: a, traceparent: "00-a-b-01", call: { inputs: {} } })),
        job(context({ resolved: b, traceparent: "00-c-d-01", call: { inputs: { day: "1" } } })),
      );

    it("is compared, and nothing else of the context", () => {
      expect(found([told("day", { value: 1 })], [told("day", { value: 1 })])).toMatchObject({ isSame: true });
      expect(found([told("day", { value: 1 })], [told("day", { value: 2, source: "code" })]).resolved).toMatchObject([
        { path: "inputs.day", a: 1, b: 2, aSource: "request", bSource: "code" },
      ]);
    });

    it("tells that a value from the environment is another one, where both hashes are of one key", () => {
      const url = (keyedHash: string | null) => [told("url", { reference: "$URL", source: "conf/a.yml", keyedHash })];
      expect(found(url("k1:aa"), url("k1:aa")).resolved).toEqual([]);
      expect(found(url("k1:aa"), url("k1:bb")).resolved).toMatchObject([
        { path: "inputs.url", a: "$URL, hash k1:aa", b: "$URL, hash k1:bb" },
      ]);
      expect(found(url("k1:aa"), url("k2:cc")).resolved).toEqual([]);
      expect(found(url("k1:aa"), url(null)).resolved).toEqual([]);
    });
  });

  it("tells which files and which nodes are of other code", () => {
    const b = job({
      codeHash: "0ther",
      nodes: [node("flour", { codeHash: "new" }), node("dough", { dependsOn: ["flour", "salt"] })],
      ...context({ modules: [{ name: "bread", file: "pipelines/bread.py", sha256: "2" }] }),
    });
    const found = compare(job(), b);
    expect(found.code).toMatchObject({
      a: "c0de",
      b: "0ther",
      files: [{ path: "pipelines/bread.py", a: "1", b: "2" }],
    });
    expect(found.nodes).toMatchObject([
      { node: "flour", codeChanged: true, dependenciesChanged: false },
      { node: "dough", codeChanged: false, dependenciesChanged: true },
    ]);
  });

  it("does not know of nodes whose graph is gone, unless the whole code is the same", () => {
    const gone = [node("flour", { codeHash: null, dependsOn: null, state: "failed" })];
    expect(compare(job(), job({ codeHash: "0ther", nodes: gone })).nodes[0]).toMatchObject({
      node: "flour",
      codeChanged: null,
      dependenciesChanged: null,
    });
    expect(compare(job(), job({ nodes: gone })).nodes[0]).toMatchObject({ codeChanged: false });
  });

  it("tells which nodes ran, were reused, never ran, or are not part of a run", () => {
    const b = job({
      nodes: [
        node("flour", { state: "reused" }),
        node("dough", { state: "never_ran", runs: 0, durationMs: null }),
        node("crust"),
      ],
    });
    expect(compare(job({ nodes: [...job().nodes, node("salt")] }), b).nodes).toMatchObject([
      { node: "flour", a: { state: "succeeded" }, b: { state: "reused" } },
      { node: "dough", a: { state: "succeeded" }, b: { state: "never_ran" }, duration: null },
      { node: "crust", a: null, b: { state: "succeeded" }, codeChanged: false },
      { node: "salt", a: { state: "succeeded" }, b: null },
    ]);
  });

  it.each([
    [100, 120, false],
    [100, 125, true],
    [100, 80, true],
    [1, 9, false],
    [0, 20, true],
    [10_000, 11_000, false],
  ])("of a node that took %i and then %i ms: tells so: %s", (aMs, bMs, told) => {
    const [a, b] = [aMs, bMs].map((durationMs) => job({ nodes: [node("flour", { durationMs })] })) as [
      ComparedJob,
      ComparedJob,
    ];
    const found = compare(a, b);
    expect(found.isSame).toBe(true);
    expect(found.nodes.map(({ duration }) => duration?.differenceMs)).toEqual(told ? [bMs - aMs] : []);
  });

  it.each<[Partial<ComparedResult> | null, string[]]>([
    [{ digest: "e", value: 4 }, ["value"]],
    [{ digest: null, hasValue: false, value: null }, []],
    [{ digest: null, summary: { ...summary, preview: "4" } }, ["preview"]],
    [{ digest: null, summary: { ...summary, type: "float" } }, ["type"]],
    [{ digest: "e", summary: { ...summary, type: "list", length: 2, shape: [2] } }, ["type", "shape", "value"]],
    [{ summary: { ...summary, columns: [{ name: "a", type: "int64" }] } }, ["columns"]],
    [{ summary: null }, []],
    [null, ["presence"]],
  ])("of a result that is %j differs %j", (change, aspects) => {
    const found = compare(job(), job({ results: change === null ? [] : [result("dough", change)] }));
    expect(found.results.map((one) => one.aspects)).toEqual(aspects.length === 0 ? [] : [aspects]);
    expect(found.isSame).toBe(aspects.length === 0);
  });

  it("takes objects that show their address for equal", () => {
    const at = (address: string) =>
      result("x", { digest: null, summary: { ...summary, preview: `<Oven at ${address}>` } });
    expect(compare(job({ results: [at("0x7f01")] }), job({ results: [at("0x7fa9")] })).results).toEqual([]);
  });

  it("compares jobs that never ran", () => {
    const never = { codeHash: null, context: null, durationMs: null, results: [], nodes: [] };
    expect(compare(job(never), job(never))).toMatchObject({ isSame: true, duration: null });
    expect(compare(job(never), job())).toMatchObject({ isSame: false, code: { a: null, b: "c0de" } });
  });
});
