import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { JsonObject } from "../../src/domain/json.ts";
import { reproduceCommand } from "../../src/pipelines/reproduce.ts";

let scratch: string;
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), "reproduce-"));
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const of = {
  jobId: "019aaf6e-0d6f-93fd-8f6c-5c41dd2c4b80",
  attempt: 2,
  project: "bikes",
  pipeline: "daily",
  currentCodeHash: "c0de",
};

/** A stored context whose Python is `cat`: it says what it was given. */
function context(
  given: { folder?: string; call?: JsonObject; resolved?: JsonObject[]; git?: JsonObject } = {},
): JsonObject {
  const call = { inputs: {}, config: {}, imports: [], problems: [], variables: [], secrets: [], command: null };
  return {
    folder: given.folder ?? scratch,
    executable: "/bin/cat",
    finalVars: ["report"],
    scheduledAt: "2026-11-23T06:00:00.000Z",
    resolved: given.resolved ?? [],
    git: given.git ?? null,
    call: { ...call, ...given.call },
  };
}

const run = (command: string | null, env: NodeJS.ProcessEnv = {}) =>
  spawnSync("sh", ["-c", command ?? "exit 9"], { cwd: "/", env: { PATH: process.env.PATH, ...env }, encoding: "utf8" });

it("survives a shell, whatever stands in a path, a name or a value", () => {
  const folder = join(scratch, "it's $(touch made) `touch made`");
  mkdirSync(folder);
  const inputs = { note: `"it's $(touch made) \\\\ EOF"`, 'odd"name': "1" };
  const call = { inputs, problems: ["inputs.x\ntouch made"], variables: ["A B;touch made"] };
  const { status, stdout } = run(reproduceCommand("c0de", context({ folder, call }), { ...of, pipeline: "da'ily" }));
  expect(status).toBe(0);
  expect(stdout).toContain(`inputs={"note": "it's $(touch made) \\\\ EOF", "odd\\"name": 1},`);
  expect(stdout).toContain(`"da'ily",`);
  expect(readdirSync(folder)).toEqual([]);
});

it("needs the variables that it names before anything is run", () => {
  const command = reproduceCommand("c0de", context({ call: { variables: ["URL"], secrets: ["TOKEN"] } }), of);
  expect(run(command, { URL: "x" })).toMatchObject({
    stdout: "",
    stderr: expect.stringMatching(/TOKEN: has to be set/),
  });
  expect(run(command, { URL: "x", TOKEN: "y" }).status).toBe(0);
  expect(command).toContain("# To be set and exported first, as the worker had them: URL, TOKEN");
});

it("gives the executor and the log level that were asked for", () => {
  const resolved = [
    { path: "executor.type", value: "threadpool", source: "request" },
    { path: "executor.max_workers", value: 3, source: "conf/pipelines/daily.yml" },
    { path: "executor.num_cpus", value: null, source: "FlowerPower default" },
    { path: "log_level", value: "DEBUG", source: "request" },
  ];
  const command = { program: "/usr/bin/flowerpower", inputs: "{}", config: "{}" };
  const text = reproduceCommand("c0de", context({ resolved, call: { command } }), of);
  expect(text).toContain('executor_cfg={"type": "threadpool", "max_workers": 3},');
  expect(text).toContain('log_level="DEBUG",');
});

it("warns when the code is not what it was", () => {
  const git = { commit: "abc", dirty: true, branch: null, remote: null };
  const text = (current: string | null) =>
    reproduceCommand("c0de", context({ git }), { ...of, currentCodeHash: current });
  expect(text("c0de")).not.toContain("has changed since");
  expect(text("other")).toContain("# WARNING: the code has changed since: it was c0de, now it is other.");
  expect(text(null)).toContain("# WARNING: the pipeline is no longer there");
  expect(text("c0de")).toContain("# The code was that of: git checkout abc\n# WARNING: the folder had changes");
});

it("has nothing to say of an attempt of before this was stored", () => {
  expect(reproduceCommand("c0de", { path: ["report"], finalVars: ["report"] }, of)).toBeNull();
});
