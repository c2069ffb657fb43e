import type { Client } from "../client/client.ts";
import {
  type PipelineInputFragment,
  PipelineVariantDocument,
  type PipelineVariantQuery,
  type ProjectQuery,
} from "../client/generated/graphql.ts";
import type { RunLimits } from "../domain/run-limits.ts";
import { type Cli, type GlobalOptions, printJson } from "./cli.ts";
import { UsageError } from "./failure.ts";
import { limitsText } from "./limits-text.ts";
import { parseConfig } from "./run-flags.ts";
import { table } from "./table.ts";
import { printable, printableLines, type Terminal } from "./terminal.ts";

type Listed = NonNullable<ProjectQuery["project"]>["pipelines"][number];
type Named = NonNullable<PipelineVariantQuery["pipeline"]>;
type Variant = NonNullable<Named["variant"]>;
type RunError = NonNullable<Listed["error"]>;

/** One pipeline as it is under a config, with its graph. A module without a YAML is imported for it. */
export async function showPipeline(
  client: Client,
  name: string,
  options: GlobalOptions & { config?: string },
  { terminal }: Cli,
): Promise<void> {
  const config = options.config === undefined ? null : parseConfig(options.config);
  const { pipeline } = await client.request(PipelineVariantDocument, { name, config }, { idempotent: true });
  if (pipeline === null) {
    throw new UsageError(`There is no pipeline ${name}. Those of a project: flowerpower-queue project show PROJECT`);
  }
  if (pipeline.variant === null) {
    throw new UsageError(`No worker has described ${name} in time. Those that live: flowerpower-queue doctor`);
  }
  if (options.json) return printJson(terminal, pipeline);
  for (const line of variantLines(pipeline, pipeline.variant, terminal)) terminal.out(line);
}

function variantLines(
  { qualifiedName, runLimits, after, followers }: Named,
  variant: Variant,
  terminal: Terminal,
): string[] {
  const computed = variant.graph?.nodes.filter(({ kind }) => kind !== "INPUT" && kind !== "CONFIG") ?? [];
  const rows = computed.map(({ name, type, dependsOn, optionalDependsOn, doc }) => [
    name,
    type,
    [...dependsOn, ...optionalDependsOn.map((optional) => `${optional}?`)].join(", "),
    printable(doc?.split("\n")[0] ?? ""),
  ]);
  const { columns, symbols } = terminal;
  const nodes = table(["node", "type", "needs", ""], rows, columns - 2, symbols.ellipsis);
  return [
    ...pipelineLines(qualifiedName, { ...variant, runLimits, after, followers }, terminal),
    ...(rows.length === 0 ? [] : ["", ...nodes.map((line) => `  ${line}`)]),
    ...(variant.finalVars?.length || computed.length === 0
      ? []
      : ["", `  no final variables are set: choose some, such as --final-vars ${variant.leaves.join(",")}`]),
  ];
}

/** What there is to say of a pipeline: whether it can be run, what it takes and gives, what is wrong with it. */
export function pipelineLines(
  name: string,
  pipeline: Pick<
    Listed,
    "status" | "doc" | "inputs" | "finalVars" | "runLimits" | "after" | "followers" | "warnings" | "error"
  >,
  { paint, symbols }: Terminal,
): string[] {
  const { status, doc, error, warnings, finalVars } = pipeline;
  const symbol = { OK: symbols.ok, BROKEN: symbols.failed, UNCONFIGURED: symbols.waiting }[status];
  const limits = limitsText(limitsOf(pipeline));
  const said = doc === null ? "" : `  ${paint("dim", printable(doc.split("\n")[0] ?? ""))}`;
  return [
    `${symbol} ${paint("bold", name)}${said}`,
    ...(status === "UNCONFIGURED"
      ? [
          paint(
            "dim",
            `  no configuration: it has no YAML. Import it all the same: flowerpower-queue project show ${name}`,
          ),
        ]
      : []),
    ...(error === null ? [] : wrong(error).map((line) => `  ${paint("red", line)}`)),
    ...warnings.map(({ path, message }) => `  ${paint("yellow", printable(`${path}: ${message}`))}`),
    ...inputLines(pipeline.inputs).map((line) => `  ${line}`),
    ...(limits === null ? [] : [`  ${printable(limits)}`]),
    ...(finalVars?.length ? [`  gives ${finalVars.join(", ")}`] : []),
    ...pipeline.after.map((rule) => `  follows ${printable(`${rule.follows} ${conditionOf(rule)}${takes(rule)}`)}`),
    ...pipeline.after.flatMap(({ problem }) =>
      problem === null ? [] : `  ${paint("red", printable(`${problem.path}: ${problem.message}`))}`,
    ),
    ...followersLine(pipeline.followers).map((line) => `  ${line}`),
  ];
}

type Rule = Listed["after"][number];

function conditionOf({ when }: Rule): string {
  return { SUCCEEDED: "when it has succeeded", FAILED: "when it has failed", ENDED: "when it has ended" }[when];
}

function takes({ inputs }: Rule): string {
  return inputs.length === 0 ? "" : `, takes ${inputs.map(({ input, variable }) => `${input}=${variable}`).join(", ")}`;
}

/** What is made when it has ended; a rule with a problem makes nothing. */
function followersLine(followers: readonly Rule[]): string[] {
  const good = followers.filter(({ problem }) => problem === null);
  if (good.length === 0) return [];
  return [`followed by ${good.map((rule) => `${rule.pipeline} ${conditionOf(rule)}`).join(", ")}`];
}

/** An error of a project or pipeline, with its place and what to do. */
export function wrong(error: RunError): string[] {
  const where = error.file === null ? "" : ` (${error.file}${error.line === null ? "" : `:${error.line}`})`;
  return [
    ...printableLines(`${error.type}: ${error.message}${where}`),
    // Some messages already say what to do.
    ...(error.hint === null || error.message.includes(error.hint) ? [] : printableLines(error.hint)),
  ];
}

function limitsOf({ runLimits }: Pick<Listed, "runLimits">): RunLimits {
  const { maxMemoryBytes, maxMemorySource, maxCpuMs, maxCpuSource } = runLimits;
  const limit = (most: number | null, source: string | null) =>
    most === null ? null : { most, source: source ?? "?" };
  return { memory: limit(maxMemoryBytes, maxMemorySource), cpu: limit(maxCpuMs, maxCpuSource) };
}

function inputLines(inputs: readonly PipelineInputFragment[]): string[] {
  if (inputs.length === 0) return [];
  const rows = inputs.map((input) => [
    input.name,
    input.type,
    input.default === null
      ? "required"
      : `${input.default.reference ?? JSON.stringify(input.default.value)} (${input.default.source})`,
  ]);
  return table(["input", "type", "default"], rows);
}
