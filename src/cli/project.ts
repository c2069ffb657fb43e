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
import { type Cli, type GlobalOptions, globalOptions, printJson } from "./cli.ts";
import { UsageError } from "./failure.ts";
import { pipelineLines, showPipeline, wrong } from "./pipeline.ts";
import { addProjectActions } from "./project-actions.ts";
import { addProjectVersions } from "./project-versions.ts";
import { table } from "./table.ts";
import { printable, type Terminal } from "./terminal.ts";
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
    .description(
      "one project: its Python, its pipelines and their inputs, what is wrong with it; or one pipeline with its graph",
    )
    .argument("<name>", "which project, or project/pipeline")
    .option("--config <json>", "one pipeline as it is under this Hamilton config")
    .action(async (name: string, _options: object, command: Command) => {
      const options = globalOptions(command) as GlobalOptions & { config?: string };
      await using client = openApi(cli, options);
      if (name.includes("/")) return await showPipeline(client, name, options, cli);
      if (options.config !== undefined) throw new UsageError("--config needs one pipeline: project/pipeline.");
      const found = (await client.request(ProjectDocument, { name }, { idempotent: true })).project;
      if (found === null) {
        const names = (await listProjects(client)).map((one) => one.name).join(", ");
        throw new UsageError(`There is no project ${name}. There are: ${names || "none"}.`);
      }
      if (options.json) return printJson(cli.terminal, found);
      for (const line of projectLines(found, cli.terminal)) cli.terminal.out(line);
    });
  addProjectVersions(project, cli);
  addProjectActions(project, cli);
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
      const { name, pipelines, environment, workers, error, disabledAt } = project;
      const health = error !== null ? "broken" : broken(project) > 0 ? `${broken(project)} broken` : "ok";
      const state = disabledAt === null ? health : "disabled";
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

function projectLines(project: Project, terminal: Terminal): string[] {
  const { paint } = terminal;
  const { environment, error, pipelines, warnings } = project;
  const lines = [
    `${paint("bold", project.name)}  published ${localTime(project.publishedAt)}, ${counted(project.workers.length, "worker")}`,
    `  Python ${environment.pythonVersion ?? "?"}  ${environment.python ?? "?"} (${environment.pythonSource ?? "?"})`,
    `  FlowerPower ${environment.flowerpower ?? "?"}, Hamilton ${environment.hamilton ?? "?"}`,
  ];
  if (project.executors !== null) lines.push(`  ${executorText(project.executors)}`);
  if (project.disabledAt !== null) {
    const reason = project.disabledReason === null ? "" : `: ${project.disabledReason}`;
    lines.push(`  ${paint("yellow", printable(`disabled since ${localTime(project.disabledAt)}${reason}`))}`);
  }
  if (error !== null) lines.push(...wrong(error).map((line) => `  ${paint("red", line)}`));
  for (const { path, message } of warnings) lines.push(`  ${paint("yellow", printable(`${path}: ${message}`))}`);
  for (const pipeline of pipelines) {
    lines.push("", ...pipelineLines(`${project.name}/${pipeline.name}`, pipeline, terminal));
  }
  return lines;
}

function executorText(executors: NonNullable<Project["executors"]>): string {
  const missing = executors.filter(({ available }) => !available).map(({ type }) => type);
  const there = executors.filter(({ available }) => available).map(({ type }) => type);
  return `Executors ${there.join(", ")}${missing.length === 0 ? "" : `; not installed: ${missing.join(", ")}`}`;
}
