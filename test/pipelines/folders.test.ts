import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  findProject,
  openFoundProject,
  openProject,
  ProjectFolderError,
  parseProjectFlag,
  projectsBelow,
} from "../../src/pipelines/folders.ts";
import { ProjectFileError } from "../../src/pipelines/project-file.ts";
import { interpolate } from "../../src/pipelines/references.ts";

let root: string;
beforeAll(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), "fpq-folders-")));
});
afterAll(() => rm(root, { recursive: true, force: true }));

/** A project folder of that name with these files, and the two folders that make it one. */
async function projectAt(name: string, files: Record<string, string | Uint8Array> = {}): Promise<string> {
  const dir = join(root, name);
  for (const folder of ["conf", "pipelines"]) await mkdir(join(dir, folder), { recursive: true });
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(dir, path)), { recursive: true });
    await writeFile(join(dir, path), text);
  }
  return dir;
}

const open = async (name: string, yaml: string | Uint8Array, env: Record<string, string> = {}) =>
  await openProject({ name: null, dir: await projectAt(name, { "conf/project.yml": yaml }) }, env);

describe("parseProjectFlag", () => {
  it.each([
    ["/srv/bikes", null, "/srv/bikes"],
    ["bikes", null, "bikes"],
    ["bikes=/srv/app", "bikes", "/srv/app"],
    ["bikes=../a=b", "bikes", "../a=b"],
    ["./a=b", null, "./a=b"],
    ["bikes=~/app", "bikes", join(homedir(), "app")],
    ["~/app", null, join(homedir(), "app")],
    ["~app", null, "~app"],
  ])("%s", (text, name, dir) => {
    expect(parseProjectFlag(text)).toEqual({ name, dir });
  });

  it.each([["bikes="], [""], ["=dir"], ["my bikes=dir"], [".bikes=dir"], [`${"b".repeat(61)}=dir`]])(
    "refuses %j",
    (text) => {
      expect(() => parseProjectFlag(text)).toThrow(ProjectFolderError);
    },
  );
});

describe("findProject", () => {
  it("finds the project that a folder lies in, the nearest one", async () => {
    const outer = await projectAt("outer", { "conf/project.yml": "name: outer" });
    const inner = await projectAt("outer/sub/inner");
    await mkdir(join(inner, "pipelines/deep"), { recursive: true });
    expect(await findProject(outer)).toBe(outer);
    expect(await findProject(join(outer, "sub"))).toBe(outer);
    expect(await findProject(join(inner, "pipelines/deep"))).toBe(inner);
  });

  it("takes a folder with conf/project.yaml for one, and none that only has conf/", async () => {
    await mkdir(join(root, "alone/conf"), { recursive: true });
    expect(await findProject(join(root, "alone"))).toBeNull();
    await writeFile(join(root, "alone/conf/project.yaml"), "");
    expect(await findProject(join(root, "alone/conf"))).toBe(join(root, "alone"));
  });
});

describe("openProject", () => {
  it("reads name, Python and env file", async () => {
    const yaml =
      "name: bikes\njob_queue:\n  python: ${VENVS:-/venvs}/bikes\n  env_file: etc/prod.env\n  timezone: UTC\n";
    const dir = await projectAt("full", { "conf/project.yml": yaml, "etc/prod.env": "A=1" });
    expect(await openProject({ name: null, dir }, { VENVS: "/opt" })).toEqual({
      name: "bikes",
      root: dir,
      python: "/opt/bikes",
      isFound: false,
      envFile: join(dir, "etc/prod.env"),
    });
  });

  it.each(["", "# nothing\n", "~\n", "job_queue:\n", "name: ''\n", "adapter: {}\n"])(
    "takes the folder's name for %j",
    async (yaml) => {
      expect(await open("nameless", yaml)).toEqual({
        name: "nameless",
        root: join(root, "nameless"),
        python: null,
        isFound: false,
        envFile: join(root, "nameless/.env"),
      });
    },
  );

  it("needs no project.yml", async () => {
    expect(await openProject({ name: null, dir: await projectAt("bare") }, {})).toMatchObject({ name: "bare" });
  });

  it("lets the flag's name go over the file's", async () => {
    const dir = await projectAt("flagged", { "conf/project.yml": "name: has spaces" });
    expect(await openProject({ name: "mine", dir }, {})).toMatchObject({ name: "mine" });
    await expect(openProject({ name: null, dir }, {})).rejects.toThrow(/"has spaces".*--project NAME=DIR/);
  });

  it("knows one folder by one path, whichever way leads to it", async () => {
    const dir = await projectAt("linked");
    await symlink(dir, join(root, "link"));
    expect(await openProject({ name: "x", dir: join(root, "link") }, {})).toMatchObject({ root: dir });
  });

  it("says what a folder lacks to be a project", async () => {
    await mkdir(join(root, "empty/conf"), { recursive: true });
    const asked = openProject({ name: null, dir: join(root, "empty") }, {});
    await expect(asked).rejects.toThrow(ProjectFolderError);
    await expect(asked).rejects.toThrow(/it has no pipelines\//);
    await expect(openProject({ name: null, dir: join(root, "nowhere") }, {})).rejects.toThrow(/There is no folder/);
  });

  it("says that a named env file is not there", async () => {
    await expect(open("lost", "job_queue: {env_file: lost.env}")).rejects.toThrow(
      /lost\.env, which job_queue\.env_file/,
    );
  });

  it.each([
    ["half saved", "name: x\njob_queue:\n  python: [1,\n", 4, /not YAML/],
    ["a tab", "name: x\njob_queue:\n\tpython: x\n", 3, /not YAML/],
    ["a list", "- name: x\n", 1, /keys and values/],
    ["a text", "name\n", 1, /keys and values/],
    ["a section that is none", "name: x\njob_queue: yes please\n", 2, /job_queue should hold keys and values/],
    ["a number for a name", "\nname: 2024\n", 2, /name should be a text/],
    ["a list for a path", "name: x\njob_queue:\n  python: [a]\n", 3, /job_queue\.python should be a text/],
    ["a variable that is missing", "name: x\njob_queue:\n  python: ${PY:?set PY first}\n", 3, /set PY first/],
    ["bytes that are no text", new Uint8Array([0x6e, 0xff, 0xfe]), null, /UTF-8/],
  ])("names file and line of %s", async (what, yaml, line, message) => {
    const error = await open(`bad-${what.replaceAll(" ", "-")}`, yaml).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ProjectFileError);
    expect(error).toMatchObject({ code: "BAD_PROJECT_FILE", line, file: expect.stringMatching(/conf\/project\.yml$/) });
    expect((error as Error).message).toMatch(message);
  });

  it("says that the file cannot be read", async () => {
    const dir = await projectAt("locked", { "conf/project.yml/x": "" });
    await expect(openProject({ name: null, dir }, {})).rejects.toThrow(/project\.yml: it cannot be read \(EISDIR\)/);
  });

  it("follows an anchor", async () => {
    expect(await open("anchored", "python: &p /opt/py\njob_queue: {python: *p}\n")).toMatchObject({
      python: "/opt/py",
      isFound: false,
    });
  });

  it("reads a key that is written twice as Python does: the last one counts", async () => {
    expect(await open("twice", "name: a\nname: b\n")).toMatchObject({ name: "b" });
  });
});

describe("projectsBelow", () => {
  it("finds each project directly below a root, links followed, and nothing else", async () => {
    const one = await projectAt("many/one", { "conf/project.yml": "name: first\n" });
    const two = await projectAt("many/two");
    await projectAt("many/nested/deep/three");
    await mkdir(join(root, "many/empty"));
    await writeFile(join(root, "many/file"), "");
    await projectAt("many/.hidden");
    await symlink(one, join(root, "many/linked"));
    expect(await projectsBelow(join(root, "many"))).toEqual([join(root, "many/linked"), one, two]);
  });

  it("refuses a root without any, and one that is not there", async () => {
    await mkdir(join(root, "none"));
    await expect(projectsBelow(join(root, "none"))).rejects.toThrow(/No FlowerPower project lies directly below/);
    await expect(projectsBelow(join(root, "nowhere"))).rejects.toThrow(/There is no folder .*--projects-root/);
  });
});

describe("openFoundProject", () => {
  it("serves one whose file is broken under its folder's name", async () => {
    const dir = await projectAt("found/broken", { "conf/project.yml": "name: [" });
    expect(await openFoundProject(dir, {})).toEqual({
      name: "broken",
      root: dir,
      python: null,
      isFound: true,
      envFile: join(dir, ".env"),
    });
    const whole = await projectAt("found/whole", { "conf/project.yml": "name: shop\n" });
    expect(await openFoundProject(whole, {})).toMatchObject({ name: "shop", root: whole });
  });
});

describe("interpolate", () => {
  const env = { SET: "value", EMPTY: "" };
  // Each answer was given by FlowerPower 0.37's interpolate_string.
  it.each([
    ["plain", "plain"],
    ["${SET}/x", "value/x"],
    ["$SET/x", "value/x"],
    ["${UNSET}", ""],
    ["$UNSET!", "!"],
    ["$$SET", "$SET"],
    ["a$", "a$"],
    ["${}", "${}"],
    ["${ SET }", "value"],
    ["${UNSET:-d}", "d"],
    ["${EMPTY:-d}", "d"],
    ["${UNSET-d}", "d"],
    ["${EMPTY-d}", ""],
    ["${UNSET:-a:-b}", "a:-b"],
    ["${SET:?no}", "value"],
    ["${EMPTY?no}", ""],
    ["${UNSET:?is a-b}", "b"],
  ])("%s", (text, expected) => {
    expect(interpolate(text, env)).toBe(expected);
  });

  it.each([
    ["${UNSET:?say so}", "say so"],
    ["${EMPTY:?say so}", "say so"],
    ["${UNSET?}", "the environment variable UNSET is not set"],
  ])("%s is missing", (text, message) => {
    expect(() => interpolate(text, env)).toThrow(message);
  });
});
