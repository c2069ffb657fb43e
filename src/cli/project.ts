import type { Command } from "commander";
import type { Client } from "../client/client.ts";
import {
  ProjectDocument,
  type ProjectQuery,
  ProjectsDocument,
  type ProjectsQuery,
} from "../client/generated/graphql.ts";
import { pages } from "../client/pages.ts";
import type { RunLimits } from "../domain/run-limits.ts";
import { openApi } from "./api.ts";
import { type Cli, globalOptions, printJson } from "./cli.ts";
import { UsageError } from "./failure.ts";
import { limitsText } from "./limits-text.ts";
import { table } from "./table.ts";
import { printable, printableLines, type Terminal } from "./terminal.ts";
import { counted, localTime } from "./units.ts";

export type ListedProject = ProjectsQuery["projects"]["nodes"][number];
type Project = NonNullable<ProjectQuery["project"]>;

export function addProject(program: Command, cli: Cli): void {
  const project = program.command("project").description("the FlowerPower projects that workers serve");
  project
    .command("list", { isDefault: true })
    .description("projects with their Python and their state")
    .action(async (_options: object, command: Command) => {
      const options = globalOptions(command);
      await using client = openApi(cli, options);
      const projects = await listProjects(client);
      if (options.json) return printJson(cli.terminal, projects);
      if (projects.length === 0) return cli.terminal.err("No worker has published a project yet.");
      for (const line of projectTable(projects, cli.terminal)) cli.terminal.out(line);
    });
  project
    .command("show")
    .description("one project: its Python, its pipelines and their inputs, what is wrong with it")
    .argument("<name>", "which project")
    .action(async (name: string, _options: object, command: Command) => {
      const options = globalOptions(command);
      await using client = openApi(cli, options);
      const found = (await client.request(ProjectDocument, { name }, { idempotent: true })).project;
      if (found === null) {
        const names = (await listProjects(client)).map((one) => one.name).join(", ");
        throw new UsageError(`There is no project ${name}. There are: ${names || "none"}.`);
      }
      if (options.json) return printJson(cli.terminal, found);
      for (const line of projectLines(found, cli.terminal)) cli.terminal.out(line);
    });
}

/** Each with all its pipelines and their inputs: more at once would cost more than a server allows. */
const projectsAtOnce = 10;

export async function listProjects(client: Client): Promise<ListedProject[]> {
  const read = async (after: string | null) =>
    (await client.request(ProjectsDocument, { first: projectsAtOnce, after }, { idempotent: true })).projects;
  const projects: ListedProject[] = [];
  for await (const project of pages(read)) projects.push(project);
  return projects;
}

/** A line for each project, and below them what is wrong with it, or how to see that. */
export function projectTable(projects: readonly ListedProject[], { paint, symbols }: Terminal): string[] {
  const broken = ({ pipelines }: ListedProject) => pipelines.filter(({ status }) => status === "BROKEN").length;
  const listed = table(
    ["PROJECT", "PIPELINES", "PYTHON", "FLOWERPOWER", "WORKERS", "STATE"],
    projects.map((project) => {
      const { name, pipelines, environment, workers, error } = project;
      const state = error !== null ? "broken" : broken(project) > 0 ? `${broken(project)} broken` : "ok";
      return [
        name,
        String(pipelines.filter(({ status }) => status !== "UNCONFIGURED").length),
        `${environment.pythonVersion ?? "?"} (${environment.pythonSource ?? "?"})`,
        environment.flowerpower ?? "?",
        String(workers.length),
        state,
      ];
    }),
  );
  const remarks = projects.flatMap((project) => {
    const { name, error } = project;
    if (error !== null)
      return wrong(error).map((line, index) => `${index === 0 ? `${symbols.failed} ${name}  ` : "  "}${line}`);
    return broken(project) > 0 ? [`${symbols.failed} What is broken: flowerpower-queue project show ${name}`] : [];
  });
  return [...listed, ...remarks.map((line) => paint("red", line))];
}

function projectLines(project: Project, { paint, symbols }: Terminal): string[] {
  const { environment, error, pipelines, warnings } = project;
  const lines = [
    `${paint("bold", project.name)}  published ${localTime(project.publishedAt)}, ${counted(project.workers.length, "worker")}`,
    `  Python ${environment.pythonVersion ?? "?"}  ${environment.python ?? "?"} (${environment.pythonSource ?? "?"})`,
    `  FlowerPower ${environment.flowerpower ?? "?"}, Hamilton ${environment.hamilton ?? "?"}`,
  ];
  if (error !== null) lines.push(...wrong(error).map((line) => `  ${paint("red", line)}`));
  for (const { path, message } of warnings) lines.push(`  ${paint("yellow", printable(`${path}: ${message}`))}`);
  for (const pipeline of pipelines) {
    const status =
      pipeline.status === "OK" ? symbols.ok : pipeline.status === "BROKEN" ? symbols.failed : symbols.waiting;
    const doc = pipeline.doc === null ? "" : `  ${paint("dim", printable(pipeline.doc.split("\n")[0] ?? ""))}`;
    lines.push("", `${status} ${paint("bold", `${project.name}/${pipeline.name}`)}${doc}`);
    if (pipeline.status === "UNCONFIGURED") lines.push(paint("dim", "  no configuration: it has no YAML"));
    if (pipeline.error !== null) lines.push(...wrong(pipeline.error).map((line) => `  ${paint("red", line)}`));
    for (const { path, message } of pipeline.warnings)
      lines.push(`  ${paint("yellow", printable(`${path}: ${message}`))}`);
    lines.push(...inputLines(pipeline).map((line) => `  ${line}`));
    const limits = limitsText(limitsOf(pipeline));
    if (limits !== null) lines.push(`  ${printable(limits)}`);
    if (pipeline.finalVars?.length) lines.push(`  gives ${pipeline.finalVars.join(", ")}`);
  }
  return lines;
}

function limitsOf({ runLimits }: Project["pipelines"][number]): RunLimits {
  const { maxMemoryBytes, maxMemorySource, maxCpuMs, maxCpuSource } = runLimits;
  const limit = (most: number | null, source: string | null) =>
    most === null ? null : { most, source: source ?? "?" };
  return { memory: limit(maxMemoryBytes, maxMemorySource), cpu: limit(maxCpuMs, maxCpuSource) };
}

function wrong(error: NonNullable<Project["error"]>): string[] {
  const where = error.file === null ? "" : ` (${error.file}${error.line === null ? "" : `:${error.line}`})`;
  return [
    ...printableLines(`${error.type}: ${error.message}${where}`),
    // Some messages already say what to do.
    ...(error.hint === null || error.message.includes(error.hint) ? [] : printableLines(error.hint)),
  ];
}

function inputLines({ inputs }: Project["pipelines"][number]): string[] {
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
