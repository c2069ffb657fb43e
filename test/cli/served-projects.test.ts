import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { readConfig } from "../../src/cli/config.ts";
import { openProjects, withPythons } from "../../src/cli/served-projects.ts";
import { openTerminal } from "../../src/cli/terminal.ts";

let root: string;
beforeAll(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), "fpq-served-")));
  await projectAt("good", "name: shop\n");
  await projectAt("my project", "name: my project\n");
  await projectAt("needs", "name: needs\njob_queue: {env_file: missing.env}\n");
  await projectAt("unread", "name: [");
});
afterAll(() => rm(root, { recursive: true, force: true }));

async function projectAt(folder: string, yaml: string): Promise<void> {
  for (const each of ["conf", "pipelines"]) await mkdir(join(root, folder, each), { recursive: true });
  await writeFile(join(root, folder, "conf/project.yml"), yaml);
}

async function open(...project: string[]) {
  const told: string[] = [];
  const stderr = { write: (text: string) => told.push(text) };
  const config = readConfig({});
  const terminal = openTerminal({ write() {} }, stderr, config);
  const projects = await openProjects({ project, projectsRoot: [root] }, { config, cwd: root, terminal });
  return { names: projects.map(({ name }) => name).toSorted(), told: told.join("") };
}

it("serves what lies below a root but for what cannot be served, which is told", async () => {
  const { names, told } = await open();
  expect(names).toEqual(["shop", "unread"]);
  expect(told).toMatch(/^Not served: The project's name "my project" .*--project NAME=DIR\nNot served: .*missing\.env/);
});

it("gives one of them the name that a flag says", async () => {
  const { names, told } = await open(`mine=${join(root, "my project")}`);
  expect(names).toEqual(["mine", "shop", "unread"]);
  expect(told).not.toContain("my project");
});

it("passes over one below a root whose Python is broken, and refuses it where a flag names it", async () => {
  const python = join(root, "nowhere/python");
  const project = { name: "old", root: join(root, "good"), python, isFound: true, envFile: join(root, ".env") };
  const told: string[] = [];
  const around = { folder: root, config: readConfig({}), onProgress: (message: string) => void told.push(message) };
  expect(await withPythons([project], around)).toEqual([]);
  expect(told).toEqual([expect.stringContaining(`Not served: ${project.root}: There is no ${python}`)]);
  await expect(withPythons([{ ...project, isFound: false }], around)).rejects.toThrow(`There is no ${python}`);
});

it("refuses what a flag names and cannot be served", async () => {
  await expect(open(join(root, "my project"))).rejects.toThrow(/The project's name "my project"/);
});
