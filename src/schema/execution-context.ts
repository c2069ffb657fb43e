/** Everything that an attempt ran with, and the command that runs the same again. */
import type { Json, JsonObject } from "../domain/json.ts";
import { hidden, isSecretName, redacted } from "../domain/secrets.ts";
import { traceIdOf } from "../domain/trace.ts";
import type { GitState as GitStateShape } from "../pipelines/git.ts";
import { reproduceCommand } from "../pipelines/reproduce.ts";
import { Attempt } from "./attempt.ts";
import { builder } from "./builder.ts";
import { CodeModule, type CodeModuleShape } from "./code-module.ts";
import { GitState } from "./git-state.ts";
import { Graph } from "./graph.ts";
import { jobRef } from "./job.ts";
import { attemptGraph } from "./node-graph.ts";

interface ResolvedValueShape {
  path: string;
  value: Json;
  reference: string | null;
  source: string;
  keyedHash: string | null;
}

const ResolvedValue = builder.objectRef<ResolvedValueShape>("ResolvedValue").implement({
  description: "A value of an attempt's configuration as it was resolved, with its source.",
  fields: (t) => ({
    path: t.exposeString("path", {
      description: "What it is: `inputs.day`, `executor.type`, `params.limit`; what the queue decides is below `job`.",
    }),
    value: t.field({
      type: "JSON",
      nullable: true,
      description:
        "The value; null when it came from the environment, is large, or is named like a secret: then `keyedHash` stands for it.",
      resolve: ({ path, value }) => shown(path, value),
    }),
    reference: t.exposeString("reference", {
      nullable: true,
      description: "The text that refers to the environment; null when the value did not come from there.",
    }),
    source: t.exposeString("source", {
      description:
        "Who has written it: `request`, `environment NAME`, a file of the project, `code`, `FlowerPower default` or `queue default`.",
    }),
    keyedHash: t.exposeString("keyedHash", {
      nullable: true,
      description:
        "In place of a value that is not told: equal for equal values, within one installation (the part before the colon names its key). Null when the value is told, or the worker has no key.",
    }),
  }),
});

function shown(path: string, value: Json): Json {
  return value !== null && path.split(".").some(isSecretName) ? hidden : redacted(value);
}

interface ContextShape {
  jobId: string;
  attempt: number;
  codeHash: string | null;
  startedAt: Date;
  context: JsonObject;
}

const ExecutionContext = builder.objectRef<ContextShape>("ExecutionContext").implement({
  description: "Everything that an attempt ran with. With the job's request it is enough to run it again.",
  fields: (t) => ({
    resolved: t.field({
      type: [ResolvedValue],
      description: "The run config as it was resolved at the start, each value with its source.",
      resolve: ({ context }) => list<ResolvedValueShape>(context.resolved),
    }),
    codeHash: t.exposeString("codeHash", { nullable: true, description: "Hash of the code and YAML that ran." }),
    modules: t.field({
      type: [CodeModule],
      description: "The files of the project that ran.",
      resolve: ({ context }) => list<CodeModuleShape>(context.modules),
    }),
    nodes: t.field({
      type: "JSONObject",
      description: "Hash of each node's function, by node: equal hashes are equal code.",
      resolve: ({ context }) => (context.nodes ?? {}) as JsonObject,
    }),
    git: t.field({
      type: GitState,
      nullable: true,
      description: "The repository at the start; null when the project lies in none.",
      resolve: ({ context }) => (context.git ?? null) as GitStateShape | null,
    }),
    python: t.string({
      nullable: true,
      description: "Python's version; null when it is not known.",
      resolve: ({ context }) => text(context.python),
    }),
    executable: t.string({
      nullable: true,
      description: "Path of the interpreter on its host; null when it is not known.",
      resolve: ({ context }) => text(context.executable),
    }),
    packages: t.field({
      type: "JSONObject",
      description: "Versions by distribution name: FlowerPower, Hamilton and what else matters to a run.",
      resolve: ({ context }) => (context.packages ?? {}) as JsonObject,
    }),
    path: t.stringList({
      description: "The nodes that the run computes, in order; branches are not multiplied.",
      resolve: ({ context }) => list<string>(context.path),
    }),
    graph: t.field({
      type: Graph,
      nullable: true,
      description:
        "The graph of the code and config that ran: more than the path. Null when no version of that code is known any more, or not under that config.",
      resolve: ({ jobId, attempt }, _args, context) => attemptGraph({ jobId, attempt }, context),
    }),
    finalVars: t.stringList({
      description: "The final variables.",
      resolve: ({ context }) => list<string>(context.finalVars),
    }),
    configFile: t.string({
      nullable: true,
      description: "The pipeline's YAML within the project; null when it has none.",
      resolve: ({ context }) => text(context.configFile),
    }),
    host: t.string({
      nullable: true,
      description: "The machine it ran on; null when it is not known.",
      resolve: ({ context }) => text(context.host),
    }),
    folder: t.string({
      nullable: true,
      description: "The project's folder on that machine; null when it is not known.",
      resolve: ({ context }) => text(context.folder),
    }),
    traceparent: t.string({
      nullable: true,
      description: "W3C trace context: the job is the trace, this attempt a span. Null when it was not recorded.",
      resolve: ({ context }) => text(context.traceparent),
    }),
    startedAt: t.expose("startedAt", { type: "DateTime", description: "When the worker began it." }),
  }),
});

builder.drizzleObjectField(
  Attempt,
  "executionContext",
  (t) =>
    t.field({
      type: ExecutionContext,
      nullable: true,
      description:
        "Everything that it ran with, in a form that can be selected. Null before the graph is resolved, and without the right `payloads`.",
      authScopes: { payloads: true },
      unauthorizedResolver: () => null,
      select: { columns: { context: true, codeHash: true, startedAt: true, jobId: true, attempt: true } },
      resolve: ({ context, ...attempt }) => (context === null ? null : { context, ...attempt }),
    }) as never, // the field types of the drizzle and the validation plugin do not know each other
);

builder.drizzleObjectField(
  Attempt,
  "reproduce",
  (t) =>
    t.string({
      nullable: true,
      description:
        "The shell command that runs the same with FlowerPower alone, outside of the queue, below comments that say what has changed since. Secrets are read from the environment, which has to have them. Null before the graph is resolved, for attempts of before this was recorded, and without the right `payloads`.",
      authScopes: { payloads: true },
      unauthorizedResolver: () => null,
      select: {
        columns: { context: true, codeHash: true, jobId: true, attempt: true },
        with: {
          job: { columns: { project: true, pipeline: true }, with: { pipelineRow: { columns: { codeHash: true } } } },
        },
      },
      resolve: ({ context, codeHash, jobId, attempt, job }) =>
        context === null
          ? null
          : reproduceCommand(codeHash, context, {
              jobId,
              attempt,
              project: job.project,
              pipeline: job.pipeline,
              currentCodeHash: job.pipelineRow?.codeHash ?? null,
            }),
    }) as never, // the field types of the drizzle and the validation plugin do not know each other
);

builder.drizzleObjectField(
  jobRef,
  "traceId",
  (t) =>
    t.string({
      description: "The id of the trace that it is (W3C Trace Context), made with it: 32 hexadecimal digits.",
      select: { columns: { id: true } },
      resolve: ({ id }) => traceIdOf(id),
    }) as never, // the field types of the drizzle and the validation plugin do not know each other
);

function list<Item>(value: Json | undefined): Item[] {
  return Array.isArray(value) ? (value as Item[]) : [];
}

function text(value: Json | undefined): string | null {
  return typeof value === "string" ? value : null;
}
