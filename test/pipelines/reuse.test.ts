import { describe, expect, it } from "vitest";
import type { Json } from "../../src/domain/json.ts";
import { type EarlierNode, type EarlierRun, plannedReuse, type ReuseQuestion } from "../../src/pipelines/reuse.ts";
import { node } from "./descriptions.ts";

/** a → b → c → d, with x above a, y above b; each node's code has its name as version. */
const chain = [
  node("x", [], { kind: "input" }),
  node("y", [], { kind: "input" }),
  ...(
    [
      ["a", ["x"]],
      ["b", ["a", "y"]],
      ["c", ["b"]],
      ["d", ["c"]],
    ] as const
  ).map(([name, needs]) => node(name, [...needs], { codeVersion: name })),
];

const ran = (name: string, given: Partial<EarlierNode> = {}): EarlierNode => ({
  node: name,
  runs: 1,
  valued: 1,
  stored: 1,
  codeVersion: name,
  expander: null,
  branches: null,
  ...given,
});
const failed = { valued: 0, stored: 0, codeVersion: null };
const all = ["a", "b", "c", "d"].map((name) => ran(name));
const same: Record<string, Json> = { x: 1, y: { z: [2] } };

function earlierRun(nodes: readonly EarlierNode[], given: Partial<EarlierRun> = {}): EarlierRun {
  return { jobId: "one", sameJob: false, given: same, untold: [], nodes, ...given };
}

interface Given extends Partial<Omit<ReuseQuestion, "graph">> {
  nodes?: typeof chain;
  before?: readonly EarlierNode[];
}

/** Each node with what becomes of it: `a=hit b=input_changed c?` is a hit unless something above differs. */
function planned({ nodes = chain, before = all, ...given }: Given): string {
  const path = nodes.filter(({ kind }) => kind !== "input" && kind !== "config").map(({ name }) => name);
  const earlier = [earlierRun(before)];
  return plannedReuse({ mode: "resume", path, now: same, earlier, ...given, graph: { nodes } })
    .map(({ node, code, unless }) => `${node}=${code}${unless.length > 0 ? `?${unless.join("+")}` : ""}`)
    .join(" ");
}

function changedNode(name: string, given: Partial<(typeof chain)[number]>): typeof chain {
  return chain.map((each) => (each.name === name ? { ...each, ...given } : each));
}

describe("plannedReuse", () => {
  const cases: [what: string, given: Given, expected: string][] = [
    ["reuses all that was stored", {}, "a=hit b=hit c=hit d=hit"],
    [
      "runs all where nothing has run",
      { earlier: [] },
      "a=nothing_stored b=nothing_stored c=nothing_stored d=nothing_stored",
    ],
    [
      "runs what failed, and what is below it",
      { before: [ran("a"), ran("b"), ran("c", failed)] },
      "a=hit b=hit c=nothing_stored d=nothing_stored",
    ],
    [
      "runs what is below a changed input",
      { now: { x: 1, y: { z: [3] } } },
      "a=hit b=input_changed c=input_changed d=input_changed",
    ],
    ["takes equal JSON for equal", { now: { other: 1, y: { z: [2] }, x: 1 } }, "a=hit b=hit c=hit d=hit"],
    [
      "takes an input that is given no more for changed",
      { now: { y: { z: [2] } } },
      "a=input_changed b=input_changed c=input_changed d=input_changed",
    ],
    [
      "runs changed code, and what is below it",
      { nodes: changedNode("b", { codeVersion: "b2" }) },
      "a=hit b=code_changed c=input_changed d=input_changed",
    ],
    [
      "runs what is asked for; what is below may still be reused",
      { recompute: ["b"] },
      "a=hit b=recompute_asked c=hit?b d=hit?b",
    ],
    [
      "runs what loads or saves",
      { nodes: changedNode("a", { effect: "loads" }) },
      "a=loads_or_saves b=hit?a c=hit?a d=hit?a",
    ],
    [
      "resumes what looks as if it loads",
      { nodes: changedNode("a", { effect: "may_load" }) },
      "a=hit b=hit c=hit d=hit",
    ],
    [
      "runs what could not be stored, and what is below, since it cannot be compared",
      { before: [ran("a"), ran("b", { stored: 0 }), ran("c"), ran("d")] },
      "a=hit b=not_reusable c=input_changed d=input_changed",
    ],
    [
      "runs what has no version",
      { nodes: changedNode("d", { codeVersion: null }) },
      "a=hit b=hit c=hit d=not_reusable",
    ],
    [
      "takes what nobody can compare for the same",
      { now: { ...same, y: "${Y}" }, earlier: [earlierRun(all, { untold: ["y"] })] },
      "a=hit b=hit c=hit d=hit",
    ],
    [
      "runs all after a run that stored nothing",
      { before: all.map((each) => ({ ...each, stored: 0, codeVersion: null })) },
      "a=nothing_stored b=nothing_stored c=nothing_stored d=nothing_stored",
    ],
    [
      "takes of each run what fits it, however many lie between",
      {
        earlier: [
          earlierRun(all, { given: { ...same, y: 5 } }),
          earlierRun([ran("a"), ran("b"), ran("c"), ran("d", failed)], { jobId: "two" }),
        ],
      },
      "a=hit b=hit c=hit d=input_changed",
    ],
    [
      "knows what a changed node gave in an older run",
      {
        nodes: chain.map((each) => (each.name === "c" ? { ...each, codeVersion: "c2" } : each)),
        earlier: [earlierRun(all), earlierRun([ran("a"), ran("b"), ran("c", { codeVersion: "c2" })], { jobId: "two" })],
      },
      "a=hit b=hit c=hit d=input_changed",
    ],
    ["full: runs what has no upstream nodes", { mode: "full" }, "a=no_upstream b=hit?a c=hit?a d=hit?a"],
    [
      "full: but not in the job's own next attempt",
      { mode: "full", earlier: [earlierRun(all, { sameJob: true })] },
      "a=hit b=hit c=hit d=hit",
    ],
    [
      "full: runs what looks as if it loads or saves",
      { mode: "full", nodes: changedNode("c", { effect: "may_save" }) },
      "a=no_upstream b=hit?a c=loads_or_saves d=hit?c",
    ],
    [
      "full: a node without upstream nodes whose input has changed gives another value",
      { mode: "full", now: { ...same, x: 2 } },
      "a=no_upstream b=input_changed c=input_changed d=input_changed",
    ],
    [
      "hears Hamilton's own decorator",
      { nodes: changedNode("b", { tags: { "cache.behavior": "ignore" } }) },
      "a=hit b=not_reusable c=hit d=hit",
    ],
    [
      "cannot compare what is not cached",
      { nodes: changedNode("b", { tags: { "cache.behavior": "disable" } }) },
      "a=hit b=not_reusable c=input_changed d=input_changed",
    ],
  ];

  it.each(cases)("%s", (_what, given, expected) => {
    expect(planned(given)).toBe(expected);
  });

  it("reuses branches when all of them were stored", () => {
    const nodes = [
      node("n", [], { kind: "input" }),
      node("item", ["n"], { kind: "expand", codeVersion: "item" }),
      node("squared", ["item"], { codeVersion: "squared" }),
      node("total", ["squared"], { kind: "collect", codeVersion: "total" }),
    ];
    const item = ran("item", { stored: 0, branches: 3 });
    const before = [item, ran("squared", { runs: 3, valued: 3, stored: 3, expander: "item" }), ran("total")];
    expect(planned({ nodes, before })).toBe("item=not_reusable squared=hit?item total=hit?item");
    // One has failed, and one was not reached.
    const oneFailed = [item, ran("squared", { runs: 2, valued: 1, stored: 1, expander: "item" })];
    expect(planned({ nodes, before: oneFailed })).toBe("item=not_reusable squared=nothing_stored total=nothing_stored");
    const [, squared] = plannedReuse({
      mode: "resume",
      graph: { nodes },
      path: ["item", "squared", "total"],
      now: same,
      earlier: [earlierRun(oneFailed)],
    });
    expect(squared).toMatchObject({
      action: "run",
      text: "2 of 3 branches have no stored result",
      branches: { reused: 1, of: 3 },
    });
  });

  it("says it in words", () => {
    const [, b] = plannedReuse({
      mode: "full",
      graph: { nodes: chain },
      path: ["a", "b"],
      now: same,
      earlier: [earlierRun(all)],
    });
    expect(b).toEqual({
      node: "b",
      action: "reuse",
      code: "hit",
      text: "hit, unless a gives another value than before",
      unless: ["a"],
      jobId: "one",
      branches: null,
    });
  });
});
