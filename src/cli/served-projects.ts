import { realpath } from "node:fs/promises";
import { join, resolve } from "node:path";
import { DomainError } from "../domain/errors.ts";
import {
  findProject,
  openFoundProject,
  openProject,
  type ProjectFolder,
  ProjectFolderError,
  parseProjectFlag,
  projectsBelow,
} from "../pipelines/folders.ts";
import { childEnvironment, readEnvFile } from "../runtime/environment.ts";
import { findPython } from "../runtime/python/find.ts";
import { type ManagedPython, prepareManagedPython } from "../runtime/python/managed.ts";
import type { ServedProject } from "../worker/projects.ts";
import { dataFolderName } from "./api.ts";
import type { Cli } from "./cli.ts";
import type { Config } from "./config.ts";
import { UsageError } from "./failure.ts";
import { packageRoot } from "./version.ts";

/**
 * The projects that the flags name or that lie below the roots; without any the one that the current folder lies in. What lies
 * below a root and cannot be served is told, and keeps no other from being served.
 */
export async function openProjects(
  { project: flags, projectsRoot: roots }: { project: readonly string[]; projectsRoot: readonly string[] },
  { config, cwd, terminal }: Pick<Cli, "config" | "cwd" | "terminal">,
): Promise<ProjectFolder[]> {
  const isSaid = flags.length + roots.length > 0;
  const found = isSaid ? null : await findProject(cwd);
  if (!isSaid && found === null) {
    throw new UsageError(
      `There is no FlowerPower project in ${cwd} or above it. Name one with --project DIR, or go to its folder.`,
    );
  }
  const wanted = found === null ? flags.map(parseProjectFlag) : [{ name: null, dir: found }];
  const named = await Promise.all(
    wanted.map(({ name, dir }) => openProject({ name, dir: resolve(cwd, dir) }, config.env)),
  );
  // One that has a flag of its own has the name that is given there.
  const wantedRoots = new Set(named.map(({ root }) => root));
  const dirs = (await Promise.all(roots.map((root) => projectsBelow(resolve(cwd, root))))).flat();
  const below = (await Promise.all(dirs.map((dir) => openBelowRoot(dir)))).flat();
  const projects = [...named, ...below];
  refuseTwins(projects);
  return projects;

  async function openBelowRoot(dir: string): Promise<ProjectFolder[]> {
    try {
      return wantedRoots.has(await realpath(dir)) ? [] : [await openFoundProject(dir, config.env)];
    } catch (error) {
      if (!(error instanceof ProjectFolderError)) throw error;
      terminal.err(`Not served: ${error.message}`);
      return [];
    }
  }
}

/** The folder for everything that we keep: said, or beside the project that we are in, or here. */
export async function dataFolderFor(
  data: string | undefined,
  { config, cwd }: Pick<Cli, "config" | "cwd">,
): Promise<string> {
  const said = data ?? config.data;
  if (said !== null && said !== undefined) return resolve(cwd, said);
  return join((await findProject(cwd)) ?? cwd, dataFolderName);
}

/** Finds each project's Python, and makes one of ours when a project has none. */
export async function withPythons(
  projects: readonly ProjectFolder[],
  { folder, config, onProgress }: { folder: string; config: Config; onProgress(message: string): void },
): Promise<ServedProject[]> {
  const { env, databaseUrl } = config;
  let preparing: Promise<ManagedPython> | null = null;
  const prepare = () => {
    const lockFile = join(packageRoot, "python/requirements.lock");
    preparing ??= prepareManagedPython({ folder, lockFile, env, onProgress });
    return preparing;
  };
  return (await Promise.all(projects.map(served))).flat();

  async function served({ name, root, python, isFound, envFile }: ProjectFolder): Promise<ServedProject[]> {
    const search = { projectDir: root, configured: python, env };
    const own = await findPython(search).catch((error: unknown) => {
      if (!isFound || !(error instanceof DomainError)) throw error;
      onProgress(`Not served: ${root}: ${error.message}`);
      return "refused" as const;
    });
    if (own === "refused") return [];
    const found = own ?? (await findPython({ ...search, managed: (await prepare()).path }));
    if (found === null) throw new Error("The Python that was just made is not found");
    const environment = () => childEnvironment({ own: env, databaseUrl, envFile: readEnvFile(envFile) });
    return [{ name, dir: root, python: found, environment }];
  }
}

function refuseTwins(projects: readonly ProjectFolder[]): void {
  for (const [name, same] of Map.groupBy(projects, (project) => project.name)) {
    const roots = new Set(same.map(({ root }) => root));
    if (same.length < 2) continue;
    throw new UsageError(
      roots.size === 1
        ? `The project ${name} is named twice: ${same[0]?.root}.`
        : `Two projects are called ${name}: ${[...roots].join(" and ")}. Give one another name: --project NAME=DIR`,
    );
  }
}
