import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { GitStates, readGitState, withoutCredentials } from "../../src/pipelines/git.ts";
import { testEnvironment } from "../support/runtimes.ts";

const scratch = mkdtempSync(join(tmpdir(), "git-state-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

let folder: string;
let count = 0;
const git = (...args: string[]) =>
  execFileSync("git", ["-c", "user.name=Ada", "-c", "user.email=ada@example.org", ...args], {
    cwd: folder,
    encoding: "utf8",
    stdio: "pipe",
  }).trim();
const write = (path: string, text: string) => writeFileSync(join(folder, path), text);
const state = () => readGitState(folder, testEnvironment);

beforeEach(() => {
  count += 1;
  folder = join(scratch, String(count));
  mkdirSync(join(folder, "pipelines"), { recursive: true });
  git("init", "--quiet", "--initial-branch=main");
  write("pipelines/a.py", "x = 1\n");
  git("add", ".");
  git("commit", "--quiet", "-m", "first");
});

describe("readGitState", () => {
  it("tells commit, branch and that nothing has changed, and writes nothing", async () => {
    const commit = git("rev-parse", "HEAD");
    const index = statSync(join(folder, ".git/index")).mtimeMs;
    expect(await state()).toEqual({ commit, dirty: false, branch: "main", remote: null });
    expect(statSync(join(folder, ".git/index")).mtimeMs).toBe(index);
  });

  it("is dirty with a changed file and with code that is not tracked, not with data that lies about", async () => {
    write("data.csv", "1\n");
    expect(await state()).toMatchObject({ dirty: false });
    write("pipelines/b.py", "y = 1\n");
    expect(await state()).toMatchObject({ dirty: true });
    rmSync(join(folder, "pipelines/b.py"));
    write("pipelines/a.py", "x = 2\n");
    expect(await state()).toMatchObject({ dirty: true });
  });

  it("looks at the project's folder only, not at the rest of its repository", async () => {
    mkdirSync(join(folder, "shop/pipelines"), { recursive: true });
    write("shop/pipelines/c.py", "z = 1\n");
    git("add", ".");
    git("commit", "--quiet", "-m", "second");
    write("pipelines/a.py", "x = 3\n");
    expect(await readGitState(join(folder, "shop"), testEnvironment)).toMatchObject({ dirty: false });
  });

  it("has no branch where none is checked out, and nothing without a repository or a commit", async () => {
    git("checkout", "--quiet", "--detach");
    expect(await state()).toMatchObject({ branch: null });
    rmSync(join(folder, ".git"), { recursive: true });
    expect(await state()).toBeNull();
    git("init", "--quiet");
    expect(await state()).toBeNull();
  });

  it("shows where it was cloned from without the credentials", async () => {
    git("remote", "add", "origin", "https://ada:t0ken@example.org/shop.git");
    expect(await state()).toMatchObject({ remote: "https://example.org/shop.git" });
  });
});

it.each([
  ["https://t0ken@example.org/shop.git", "https://example.org/shop.git"],
  ["https://example.org/shop.git?private_token=t0ken", "https://example.org/shop.git"],
  ["ssh://git:hush@example.org:22/shop.git", "ssh://example.org:22/shop.git"],
  ["git@example.org:shop.git", "git@example.org:shop.git"],
  ["ada:hush@example.org:shop.git", "example.org:shop.git"],
  ["../shop.git", "../shop.git"],
])("withoutCredentials: %s", (remote, shown) => {
  expect(withoutCredentials(remote)).toBe(shown);
});

it("GitStates asks again when the code or the repository is another", async () => {
  const states = new GitStates();
  const project = { dir: folder, environment: () => testEnvironment };
  expect(await states.of(project, "one")).toMatchObject({ dirty: false });
  write("pipelines/a.py", "x = 2\n");
  expect(await states.of(project, "two")).toMatchObject({ dirty: true });
  git("commit", "--quiet", "-am", "second");
  expect(await states.of(project, "two")).toMatchObject({ dirty: false, commit: git("rev-parse", "HEAD") });
});
