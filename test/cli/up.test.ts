/** `up` and `demo` as people start them: real processes, in a project outside of this repository. */
import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, cpSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { eventually } from "../support/eventually.ts";
import { testPython } from "../support/python.ts";

const root = join(import.meta.dirname, "../..");
const bin = join(root, "bin/flowerpower-queue.js");
const minute = 60_000;
const slow = 4 * minute;

let scratch: string;
let virtualEnv: string;
const running = new Set<ChildProcess>();

beforeAll(async () => {
  virtualEnv = dirname(dirname(await testPython()));
  scratch = openFolder(join(tmpdir(), "up-test-"));
}, 10 * minute);
afterEach(async () => {
  for (const child of running) child.kill("SIGKILL");
});
afterAll(() => rmSync(scratch, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 }));

/** A new folder that others may pass through: as root, Postgres runs as another user. */
function openFolder(prefix: string): string {
  const dir = mkdtempSync(prefix);
  chmodSync(dir, 0o755);
  return dir;
}

/** A project of its own, as somebody has it somewhere. */
function projectFolder(name: string): string {
  const dir = join(openFolder(join(scratch, "project-")), name);
  cpSync(join(root, "examples", name), dir, { recursive: true, filter: (path) => !path.includes("__pycache__") });
  return dir;
}

/** A command, with what it writes; `ended` resolves with its exit code. */
function start(argv: string[], cwd: string, more: Record<string, string> = {}) {
  // Neither a database of somebody's, nor a setting that would hide what Python writes beside a pipeline.
  const { DATABASE_URL: _theirs, PYTHONDONTWRITEBYTECODE: _hides, ...env } = process.env;
  const child = spawn(process.execPath, [bin, ...argv], {
    cwd,
    env: { ...env, VIRTUAL_ENV: virtualEnv, LANG: "C.UTF-8", ...more },
    stdio: ["ignore", "pipe", "pipe"],
  });
  running.add(child);
  const written = { out: "", err: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    written.out += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    written.err += text;
  });
  const ended = new Promise<number | null>((resolve) => {
    child.on("close", (code) => {
      running.delete(child);
      resolve(code);
    });
  });
  return { child, written, ended };
}

async function run(argv: string[], cwd: string, more?: Record<string, string>) {
  const { written, ended } = start(argv, cwd, more);
  return { code: await ended, ...written };
}

async function ready(up: ReturnType<typeof start>): Promise<void> {
  // On a busy machine making a database takes its time.
  await vi.waitFor(() => expect(up.written.out, up.written.err).toContain("GraphiQL"), {
    timeout: minute,
    interval: 50,
  });
}

/** All files of a folder with their times. */
function filesOf(dir: string): Record<string, number> {
  const paths = readdirSync(dir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(
    paths
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [relative(dir, path), path] as const)
      .filter(([name]) => !name.startsWith(".flowerpower-queue/"))
      .map(([name, path]) => [name, statSync(path).mtimeMs]),
  );
}

async function takenPort(): Promise<{ port: number } & AsyncDisposable> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  return { port, [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())) };
}

describe("up", () => {
  it(
    "runs the project around it, touches nothing of it, and keeps its jobs",
    async () => {
      const dir = projectFolder("hello");
      const before = filesOf(dir);
      const up = start(["up", "--port", "0"], join(dir, "pipelines"));
      await ready(up);

      expect(up.written.out).toContain("enqueue hello/bread --follow");
      const followed = await run(["enqueue", "hello/greeting", "--input", "name=Ada", "--follow"], dir);
      expect(followed, followed.err).toMatchObject({ code: 0, out: expect.stringContaining("succeeded") });
      const bad = await run(["enqueue", "hello/greetin"], dir);
      expect(bad).toMatchObject({ code: 2, err: expect.stringContaining("Did you mean greeting?") });
      const later = await run(["enqueue", "hello/bread", "--in", "1h"], dir);
      expect(later.code, later.err).toBe(0);

      const second = await run(["up"], dir);
      expect(second.code).toBe(1);
      expect(second.err).toMatch(/already runs on .*\.flowerpower-queue: http:\/\/127\.0\.0\.1:\d+\/graphql/);

      up.child.kill("SIGTERM");
      expect(await up.ended, up.written.err).toBe(0);
      expect(up.written.err).toContain("Jobs are kept");
      expect(filesOf(dir)).toEqual(before);

      const again = start(["up", "--hold", "--port", "0"], dir);
      await ready(again);
      expect(again.written.out).toContain("inherited: 1 scheduled");
      const jobs = await run(["jobs", "--json"], dir);
      expect(JSON.parse(jobs.out).map(({ state }: { state: string }) => state)).toEqual(["SCHEDULED", "SUCCEEDED"]);
      again.child.kill("SIGINT");
      expect(await again.ended).toBe(0);
    },
    slow,
  );

  it(
    "lets a run finish at the first request to stop, and hands it back at the second",
    async () => {
      const dir = projectFolder("faults");
      const up = start(["up", "--port", "0"], dir);
      await ready(up);
      await run(["enqueue", "faults/sleeps", "--input", "seconds=100"], dir);
      await eventually(async () => {
        expect(JSON.parse((await run(["jobs", "--json"], dir)).out)[0].state).toBe("RUNNING");
      });
      up.child.kill("SIGTERM");
      await eventually(() => expect(up.written.err).toContain("Stopping: 1 run has 30.0 s to finish"));
      // Closer together they would count as one.
      await new Promise((resolve) => setTimeout(resolve, 400));
      up.child.kill("SIGTERM");
      expect(await up.ended).toBe(0);
      const again = start(["up", "--hold", "--port", "0"], dir);
      await ready(again);
      expect(again.written.out).toContain("inherited: 1 queued");
      again.child.kill("SIGTERM");
      await again.ended;
    },
    slow,
  );

  it(
    "says what it cannot use, and what to do",
    async () => {
      const dir = projectFolder("hello");
      await using taken = await takenPort();
      const port = await run(["up", "--port", String(taken.port)], dir);
      expect(port).toMatchObject({
        code: 1,
        err: expect.stringContaining(`Port ${taken.port} of 127.0.0.1 is in use`),
      });
      const outside = await run(["up", "--port", "0", "--host", "0.0.0.0"], dir);
      expect(outside).toMatchObject({ code: 1, err: expect.stringContaining("Without keys") });
      // Before anything was prepared.
      expect([port.out, outside.out].filter((out) => out.includes("Postgres"))).toEqual([]);
      const none = await run(["up", "--project", scratch], scratch);
      expect(none).toMatchObject({ code: 2, err: expect.stringContaining("is no FlowerPower project") });
      const nowhere = await run(["up"], tmpdir());
      expect(nowhere).toMatchObject({ code: 2, err: expect.stringContaining("There is no FlowerPower project") });
      const twins = await run(["up", "--project", `a=${dir}`, "--project", `a=${projectFolder("hello")}`], dir);
      expect(twins).toMatchObject({ code: 2, err: expect.stringContaining("Two projects are called a") });
    },
    slow,
  );
});

describe("demo", () => {
  it(
    "shows a run from the mutation to its results, and ends with its code",
    async () => {
      const { code, out, err } = await run(["demo", "--exit", "--data", join(scratch, "demo"), "--port", "0"], scratch);
      expect(code, err).toBe(0);
      expect(out).toContain("mutation { enqueueJob(");
      expect(out).toMatch(/✓ airport_profile 21\/21 {2}median .*, slowest #\d+/);
      expect(out).toMatch(/weather_effect +float 40\.63/);
      expect(out).toMatch(/\d+ events, live over one subscription, none lost/);
    },
    slow,
  );
});

describe("doctor", () => {
  it(
    "tells which Python runs a project, and the names of what a run gets, never the values",
    async () => {
      const dir = projectFolder("hello");
      const { code, out, err } = await run(["doctor", "--project", dir], dir);
      expect(code, `${out}${err}`).toBe(0);
      expect(out).toMatch(/hello +Python 3\.\d+\.\d+, .*\(VIRTUAL_ENV\)/);
      expect(out).toMatch(/hello +FlowerPower \d/);
      expect(out).toMatch(/a run gets .*\bPATH\b/);
      expect(out).not.toContain(process.env.PATH);
    },
    minute,
  );

  it(
    "refuses what is no project, and a database that is away or not named",
    async () => {
      const away = { DATABASE_URL: "postgres://me:hunter2@127.0.0.1:1/queue" };
      const { code, out } = await run(["doctor", "--project", scratch], scratch, away);
      expect(code).toBe(1);
      expect(out).toContain("is no FlowerPower project");
      expect(out).toContain("The database at 127.0.0.1:1/queue cannot be reached");
      expect(out).not.toContain("hunter2");
      expect(await run(["server"], scratch, away)).toMatchObject({
        code: 75,
        err: expect.stringContaining("127.0.0.1:1"),
      });
      expect(await run(["server"], scratch)).toMatchObject({ code: 2, err: expect.stringContaining("DATABASE_URL") });
    },
    minute,
  );
});
