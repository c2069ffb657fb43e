import {
  type ComparedNode,
  type ComparedResult,
  type ComparedState,
  type Comparison,
  comparedStates,
  type DurationDifference as DurationShape,
  type NodeDifference as NodeShape,
  type ResultAspect,
  type ResultDifference as ResultShape,
  resultAspects,
} from "../domain/comparison.ts";
import type { Difference as DifferenceShape } from "../domain/differences.ts";
import { NotFoundError } from "../domain/errors.ts";
import { compareJobs } from "../jobs/compare.ts";
import { builder } from "./builder.ts";
import { jobRef } from "./job.ts";
import { requireUuid } from "./node-ids.ts";
import { RunError, type RunErrorShape } from "./run-error.ts";
import { ValueSummary, type ValueSummaryShape } from "./value-summary.ts";

const DifferenceKind = builder.enumType("DifferenceKind", {
  description: "In what way something differs.",
  values: {
    ADDED: { value: "added", description: "Only `b` has it." },
    REMOVED: { value: "removed", description: "Only `a` has it." },
    CHANGED: { value: "changed", description: "Both have it, and it is not the same." },
  } as const satisfies { [K in DifferenceShape["kind"] as Uppercase<K>]: { value: K; description: string } },
});

const Difference = builder.objectRef<DifferenceShape>("Difference").implement({
  description: "One thing that is not the same. What is named like a secret is hidden; that it differs is told.",
  fields: (t) => ({
    path: t.exposeString("path", { description: "What: keys joined by dots, `inputs.day`." }),
    kind: t.expose("kind", { type: DifferenceKind, description: "In what way." }),
    a: t.expose("a", { type: "JSON", nullable: true, description: "What `a` has; null when it has none." }),
    b: t.expose("b", { type: "JSON", nullable: true, description: "What `b` has; null when it has none." }),
    aSource: t.exposeString("aSource", {
      nullable: true,
      description:
        "Where the value of `a` comes from: a file, an environment variable, `request`; null when that is not known.",
    }),
    bSource: t.exposeString("bSource", {
      nullable: true,
      description: "Where the value of `b` comes from; null when that is not known.",
    }),
  }),
});

const DurationDifference = builder.objectRef<DurationShape>("DurationDifference").implement({
  description: "Two lengths of time beside each other.",
  fields: (t) => ({
    aMs: t.exposeFloat("aMs", { description: "How long it took in `a`." }),
    bMs: t.exposeFloat("bMs", { description: "How long it took in `b`." }),
    differenceMs: t.exposeFloat("differenceMs", { description: "How much longer in `b`; negative when shorter." }),
    ratio: t.exposeFloat("ratio", { nullable: true, description: "`b` by `a`; null when `a` took no time." }),
  }),
});

const stateDescriptions: Record<ComparedState, string> = {
  never_ran: "It was on the run's path and did not begin.",
  running: "It is running.",
  succeeded: "It has a value.",
  failed: "It raised an error.",
  reused: "Its value of an earlier run was taken.",
  stopped: "The run ended while it was running.",
};

const ComparedNodeState = builder.enumType("ComparedNodeState", {
  description: "What became of a node; of several branches what the worst came to.",
  values: Object.fromEntries(
    comparedStates.map((state) => [state.toUpperCase(), { value: state, description: stateDescriptions[state] }]),
  ) as { [S in ComparedState as Uppercase<S>]: { value: S; description: string } },
});

const ComparedNodeType = builder.objectRef<ComparedNode>("ComparedNode").implement({
  description: "A node in one of two runs that are compared, its branches together.",
  fields: (t) => ({
    state: t.expose("state", { type: ComparedNodeState, description: "What became of it." }),
    runs: t.exposeInt("runs", { description: "How often it ran: more than once in branches." }),
    durationMs: t.exposeFloat("durationMs", {
      nullable: true,
      description: "How long all its branches together took; null while it runs, and when it never ran.",
    }),
    codeHash: t.exposeString("codeHash", {
      nullable: true,
      description: "Hash of its function's source; null when the graph of that code is no longer known.",
    }),
    dependsOn: t.exposeStringList("dependsOn", {
      nullable: true,
      description: "Nodes that it needs; null when the graph of that code is no longer known.",
    }),
  }),
});

const NodeDifference = builder.objectRef<NodeShape>("NodeDifference").implement({
  description: "A node that is not the same in two runs.",
  fields: (t) => ({
    node: t.exposeString("node", { description: "Its name." }),
    a: t.expose("a", {
      type: ComparedNodeType,
      nullable: true,
      description: "In `a`; null when it is no part of that run.",
    }),
    b: t.expose("b", {
      type: ComparedNodeType,
      nullable: true,
      description: "In `b`; null when it is no part of that run.",
    }),
    codeChanged: t.exposeBoolean("codeChanged", {
      nullable: true,
      description: "Whether its function is another one; null when one of the graphs is no longer known.",
    }),
    dependenciesChanged: t.exposeBoolean("dependenciesChanged", {
      nullable: true,
      description: "Whether it needs other nodes; null when one of the graphs is no longer known.",
    }),
    duration: t.expose("duration", {
      type: DurationDifference,
      nullable: true,
      description: "How long it took; null unless it ran in both.",
    }),
  }),
});

const aspectDescriptions: Record<ResultAspect, string> = {
  presence: "Only one of them has such a result.",
  type: "It is of another type.",
  shape: "It has another shape or length.",
  columns: "It has other columns, or columns of other types.",
  value: "Its value is another one.",
  preview: "The values are not kept, and look different.",
};

const ResultAspectEnum = builder.enumType("ResultAspect", {
  description: "In what a result differs.",
  values: Object.fromEntries(
    resultAspects.map((aspect) => [aspect.toUpperCase(), { value: aspect, description: aspectDescriptions[aspect] }]),
  ) as { [A in ResultAspect as Uppercase<A>]: { value: A; description: string } },
});

const ComparedResultType = builder.objectRef<ComparedResult>("ComparedResult").implement({
  description: "A result of one of two runs that are compared.",
  fields: (t) => ({
    summary: t.field({
      type: ValueSummary,
      nullable: true,
      description: "What the value looks like; null when no summary is kept.",
      resolve: ({ summary }) => summary as ValueSummaryShape | null,
    }),
    hasValue: t.exposeBoolean("hasValue", {
      description: "Whether `value` is the value: kept, and of at most 16 KiB.",
    }),
    value: t.field({
      type: "JSON",
      nullable: true,
      description:
        "The value; null when it is not kept or too large to be shown here, and without the right `payloads`.",
      authScopes: { payloads: true },
      unauthorizedResolver: () => null,
      resolve: ({ value }) => value,
    }),
  }),
});

const ResultDifference = builder.objectRef<ResultShape>("ResultDifference").implement({
  description: "A final variable whose value is not the same in two runs.",
  fields: (t) => ({
    name: t.exposeString("name", { description: "The final variable." }),
    aspects: t.expose("aspects", { type: [ResultAspectEnum], description: "In what it differs." }),
    a: t.expose("a", { type: ComparedResultType, nullable: true, description: "In `a`; null when there is none." }),
    b: t.expose("b", { type: ComparedResultType, nullable: true, description: "In `b`; null when there is none." }),
  }),
});

const CodeDifference = builder.objectRef<NonNullable<Comparison["code"]>>("CodeDifference").implement({
  description: "That two runs ran different code.",
  fields: (t) => ({
    a: t.exposeString("a", { nullable: true, description: "Hash of what `a` ran; null when it never came to that." }),
    b: t.exposeString("b", { nullable: true, description: "Hash of what `b` ran; null when it never came to that." }),
    files: t.expose("files", { type: [Difference], description: "The files that differ, with their hashes." }),
  }),
});

const ErrorDifference = builder.objectRef<NonNullable<Comparison["error"]>>("ErrorDifference").implement({
  description: "That two runs did not fail in the same way.",
  fields: (t) => ({
    a: t.field({
      type: RunError,
      nullable: true,
      description: "Why `a` failed; null when it did not.",
      resolve: ({ a }) => a as RunErrorShape | null,
    }),
    b: t.field({
      type: RunError,
      nullable: true,
      description: "Why `b` failed; null when it did not.",
      resolve: ({ b }) => b as RunErrorShape | null,
    }),
  }),
});

type Compared = Comparison & { ids: { a: string; b: string } };

const JobComparison = builder.objectRef<Compared>("JobComparison").implement({
  description:
    "What differs between two jobs, of each its last attempt; what is the same is left out. Lists of differences end at 1000.",
  fields: (t) => ({
    a: t.field({ type: jobRef, description: "The one.", resolve: ({ ids }) => ({ id: ids.a }) as never }),
    b: t.field({ type: jobRef, description: "The other.", resolve: ({ ids }) => ({ id: ids.b }) as never }),
    isSame: t.exposeBoolean("isSame", { description: "Whether nothing differs but the time that things took." }),
    request: t.field({
      type: [Difference],
      nullable: true,
      description: "`inputs.…`, `config.…` and `finalVars` that were asked for. Null without the right `payloads`.",
      authScopes: { payloads: true },
      unauthorizedResolver: () => null,
      resolve: ({ request }) => request,
    }),
    resolved: t.field({
      type: [Difference],
      nullable: true,
      description:
        "The run config as it was resolved for the run, with the source of each input. Null without the right `payloads`.",
      authScopes: { payloads: true },
      unauthorizedResolver: () => null,
      resolve: ({ resolved }) => resolved,
    }),
    settings: t.expose("settings", {
      type: [Difference],
      description: "Pipeline, options and settings: `executor.type`, `queue`, `retry.maxRetries` …",
    }),
    // Not `code`: beside an error's it would be another type under one name, which a document cannot ask for.
    codeChange: t.expose("code", {
      type: CodeDifference,
      nullable: true,
      description: "Null when both ran the same code.",
    }),
    packages: t.expose("packages", {
      type: [Difference],
      description: "Python, its executable and packages, by name.",
    }),
    nodes: t.expose("nodes", {
      type: [NodeDifference],
      description:
        "Nodes that are not part of both, of other code, or came to another end; and those that took at least 10 ms and a quarter more or less.",
    }),
    results: t.expose("results", { type: [ResultDifference], description: "Final variables by name." }),
    outcome: t.expose("outcome", { type: [Difference], description: "`state`, `attempts`, `errorKind`." }),
    error: t.expose("error", {
      type: ErrorDifference,
      nullable: true,
      description: "Null when neither failed, or both in the same way.",
    }),
    duration: t.expose("duration", {
      type: DurationDifference,
      nullable: true,
      description: "How long the attempts took; null unless both have ended.",
    }),
  }),
});

builder.queryField("compareJobs", (t) =>
  t.field({
    type: JobComparison,
    description: "What differs between two jobs: what was asked for, what ran, what came of it.",
    authScopes: { read: true },
    errors: {
      types: [NotFoundError],
      union: { description: "The comparison, or why there is none." },
    },
    args: {
      a: t.arg.id({ required: true, description: "A job's id: `job_…`." }),
      b: t.arg.id({ required: true, description: "Another job's id." }),
    },
    resolve: async (_root, args, { jobs }) => {
      const ids = { a: requireUuid("job", args.a, "a"), b: requireUuid("job", args.b, "b") };
      return { ...(await compareJobs(jobs, ids.a, ids.b)), ids };
    },
  }),
);
