import { readdir, realpath, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { DomainError } from "../domain/errors.ts";
import { namePattern, nameRule } from "../domain/lanes.ts";
import { ProjectFileError, projectFiles, readProjectFile } from "./project-file.ts";
import type { Variables } from "./references.ts";

/** A FlowerPower project on this machine, as far as it is known before any Python has been found. */
export interface ProjectFolder {
  /** The name under which it is registered. */
  name: string;
  /** Absolute, links resolved: two ways to one folder are one project. */
  root: string;
  /** `job_queue.python` as written, references resolved; null: find one. */
  python: string | null;
  /** It lies below a root and nobody has named it: what is wrong with it keeps no other from being served. */
  isFound: boolean;
  /** `job_queue.env_file`, else `.env` in the project; absolute, and the second need not be there. */
  envFile: string;
}

/** What `--project` says: `DIR`, or `name=DIR`. A folder with `=` in its name is given as `./a=b`. */
export interface ProjectFlag {
  name: string | null;
  dir: string;
}

export class ProjectFolderError extends DomainError {
  readonly code = "BAD_PROJECT";
}

export function parseProjectFlag(text: string): ProjectFlag {
  const [, name = null, dir = text] = /^([^=/\\]*)=(.*)$/s.exec(text) ?? [];
  if (dir === "")
    throw new ProjectFolderError(`--project ${text} names no folder. Write --project NAME=DIR or --project DIR.`);
  if (name !== null) refuseBadName(name, `--project ${text}`);
  // The shell expands ~ only at the beginning of a word.
  return { name, dir: dir.replace(/^~(?=\/|$)/, homedir()) };
}

/** The project that a folder lies in: itself or the nearest one above it. Null when there is none. */
export async function findProject(from: string): Promise<string | null> {
  for (let dir = resolve(from); ; dir = dirname(dir)) {
    if (await isProject(dir)) return dir;
    if (dir === dirname(dir)) return null;
  }
}

/**
 * The projects directly below a folder, by name. What lies there and is no project is passed over; a project that appears later
 * is served from the next start on.
 *
 * @throws ProjectFolderError when there is no such folder, or no project in it
 */
export async function projectsBelow(root: string): Promise<string[]> {
  const entries = await readdir(root, { withFileTypes: true }).catch(() => null);
  if (entries === null) throw new ProjectFolderError(`There is no folder ${root}, which --projects-root names.`);
  const folders = entries
    .filter((entry) => !entry.isFile() && !entry.name.startsWith("."))
    .map(({ name }) => join(root, name))
    .toSorted();
  const found = await Promise.all(folders.map(async (dir) => ((await isProject(dir)) ? [dir] : [])));
  if (found.flat().length === 0) throw new ProjectFolderError(`No FlowerPower project lies directly below ${root}.`);
  return found.flat();
}

/**
 * Reads what has to be known of a project before its Python is started.
 *
 * @throws ProjectFolderError when it is no FlowerPower project, or its name cannot be used
 * @throws ProjectFileError when conf/project.yml cannot be read
 */
export async function openProject(flag: ProjectFlag, env: Variables): Promise<ProjectFolder> {
  const given = resolve(flag.dir);
  if (!(await isFolder(given))) throw new ProjectFolderError(`There is no folder ${given}.`);
  const root = await realpath(given);
  const missing = (
    await Promise.all(["conf", "pipelines"].map(async (dir) => ((await isFolder(join(root, dir))) ? [] : dir)))
  ).flat();
  if (missing.length > 0) {
    throw new ProjectFolderError(
      `${root} is no FlowerPower project: it has no ${missing.map((dir) => `${dir}/`).join(" and no ")}. ` +
        "Name another folder, or make a project there with: flowerpower init",
    );
  }
  const file = await readProjectFile(root, env);
  const name = flag.name ?? file.name ?? basename(root);
  refuseBadName(name, flag.name === null ? root : `--project ${flag.name}=${root}`);
  const envFile = resolve(root, file.envFile ?? ".env");
  if (file.envFile !== null && !(await isFile(envFile))) {
    throw new ProjectFolderError(`There is no ${envFile}, which job_queue.env_file of ${root} names.`);
  }
  return { name, root, python: file.python, isFound: false, envFile };
}

/**
 * The same for a project that was found below a root: one whose conf/project.yml cannot be read is served under its folder's name,
 * to be listed with that error, and keeps no other from being served.
 */
export async function openFoundProject(dir: string, env: Variables): Promise<ProjectFolder> {
  try {
    return { ...(await openProject({ name: null, dir }, env)), isFound: true };
  } catch (error) {
    if (!(error instanceof ProjectFileError)) throw error;
    const root = await realpath(dir);
    refuseBadName(basename(root), root);
    return { name: basename(root), root, python: null, isFound: true, envFile: join(root, ".env") };
  }
}

function refuseBadName(name: string, place: string): void {
  if (namePattern.test(name)) return;
  throw new ProjectFolderError(
    `The project's name ${JSON.stringify(name)} (${place}) cannot be used: ${nameRule}. ` +
      "Give it another one here: --project NAME=DIR",
  );
}

async function isProject(dir: string): Promise<boolean> {
  for (const file of projectFiles) if (await isFile(join(dir, file))) return true;
  return (await isFolder(join(dir, "conf"))) && (await isFolder(join(dir, "pipelines")));
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isDirectory() === true;
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isFile() === true;
}
