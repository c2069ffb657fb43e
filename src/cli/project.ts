import type { Command } from "commander";
import type { Client } from "../client/client.ts";
import {
  ProjectDocument,
  type ProjectQuery,
  ProjectsDocument,
  type ProjectsQuery,
} from "../client/generated/graphql.ts";
import { pages } from "../client/pages.ts";
import { openApi } from "./api.ts";
import { type Cli, globalOptions, printJson } from "./cli.ts";
import { UsageError } from "./failure.ts";
import { table } from "./table.ts";
import { printable, printableLines, type Terminal } from "./terminal.ts";
import { localTime } from "./units.ts";

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
      for (const line of projectTable(projects)) cli.terminal.out(line);
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

export function projectTable(projects: readonly ListedProject[]): string[] {
  return table(
    ["PROJECT", "PIPELINES", "PYTHON", "FLOWERPOWER", "WORKERS", "STATE"],
    projects.map(({ name, pipelines, environment, workers, error }) => {
      const broken = pipelines.filter(({ status }) => status === "BROKEN").length;
      const state = error !== null ? printable(error.message) : broken > 0 ? `${broken} broken` : "ok";
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
}

function projectLines(project: Project, { paint, symbols }: Terminal): string[] {
  const { environment, error, pipelines, warnings } = project;
  const lines = [
    `${paint("bold", project.name)}  published ${localTime(project.publishedAt)}, ${project.workers.length} workers`,
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
    if (pipeline.finalVars?.length) lines.push(`  gives ${pipeline.finalVars.join(", ")}`);
  }
  return lines;
}

function wrong(error: NonNullable<Project["error"]>): string[] {
  const where = error.file === null ? "" : ` (${error.file}${error.line === null ? "" : `:${error.line}`})`;
  return [
    ...printableLines(`${error.type}: ${error.message}${where}`),
    ...(error.hint === null ? [] : printableLines(error.hint)),
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
