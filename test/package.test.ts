/** What `npm pack` makes works where nothing else of ours is: installed into an empty folder, started with an old Node. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const run = promisify(execFile);
const root = join(import.meta.dirname, "..");
const minutes = 60_000;

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "package-test-"));
  const { stdout } = await run("npm", ["pack", "--json", "--pack-destination", folder], { cwd: root, env: plainEnv() });
  const [{ filename }] = JSON.parse(stdout.slice(stdout.indexOf("["))) as [{ filename: string }];
  await writeFile(join(folder, "package.json"), JSON.stringify({ name: "empty", private: true, type: "module" }));
  const install = ["install", "--prefer-offline", "--no-audit", "--no-fund", join(folder, filename)];
  await run("npm", install, { cwd: folder, env: plainEnv() });
}, 5 * minutes);

afterAll(() => rm(folder, { recursive: true, force: true }));

describe("the packed tarball", () => {
  it("shows its help when started with the Node of the machine", async () => {
    const node = machineNode();
    const { stdout: version } = await run(node, ["--version"]);
    const bin = join(folder, "node_modules/flowerpower-queue/bin/flowerpower-queue.js");
    const { stdout } = await run(node, [bin, "--help"], { cwd: folder, env: plainEnv() });
    expect(stdout, `with ${version}`).toContain("Usage: flowerpower-queue");
    expect(stdout).toContain("enqueue");
  });

  it("passes exit codes and errors through", async () => {
    const bin = join(folder, "node_modules/.bin/flowerpower-queue");
    const failed = await run(bin, ["jobs", "--url", "http://127.0.0.1:1"], { cwd: folder, env: plainEnv() }).catch(
      (error: { code: number; stderr: string }) => error,
    );
    expect(failed).toMatchObject({ code: 75, stderr: expect.stringContaining("Nothing answers at") });
  }, 30_000);

  it("has a client whose types a strict compiler accepts, and that runs", async () => {
    await writeFile(
      join(folder, "use.ts"),
      `import { createClient, InvalidRunError, type Job, type JobEvent } from "flowerpower-queue/client";
const client = createClient({ url: "http://127.0.0.1:1/graphql", retryForMs: 0 });
export async function last(): Promise<Job> {
  try {
    const { job } = await client.enqueue({ pipeline: "flights/daily_report", inputs: { day: "2013-07-10" } });
    const watch = client.watch(job.id);
    for await (const event of watch) tell(event);
    return await watch.job;
  } catch (error) {
    if (error instanceof InvalidRunError) console.log(error.problems[0]?.path);
    throw error;
  }
}
function tell(event: JobEvent): string {
  // @ts-expect-error: only some events have a duration
  event.durationMs;
  return event.__typename === "NodeSucceeded" ? \`\${event.node} \${event.durationMs.toFixed()}\` : event.type;
}
last().catch((error: Error) => console.log(error.name));
`,
    );
    const tsc = join(root, "node_modules/typescript/bin/tsc");
    const options = ["--strict", "--exactOptionalPropertyTypes", "--target", "es2022", "--module", "nodenext"];
    await run(process.execPath, [tsc, ...options, "--lib", "es2022,dom", "--types", "", "use.ts"], { cwd: folder });
    const { stdout } = await run(machineNode(), ["use.js"], { cwd: folder });
    expect(stdout).toBe("UnavailableError\n");
  }, 60_000);

  it("carries what it needs and nothing of the repository's own", () => {
    const inside = (path: string) => existsSync(join(folder, "node_modules/flowerpower-queue", path));
    for (const path of ["dist/cli/main.js", "drizzle", "python/requirements.lock", "examples/flights", "LICENSE"]) {
      expect(inside(path), path).toBe(true);
    }
    for (const path of ["src", "test", "python/tests", "bench"]) expect(inside(path), path).toBe(false);
  });
});

/** The first Node in PATH that npm did not put there. */
function machineNode(): string {
  const folders = plainEnv().PATH?.split(delimiter) ?? [];
  const node = folders.map((dir) => join(dir, "node")).find((path) => existsSync(path));
  if (node === undefined) throw new Error("There is no node in PATH");
  return node;
}

/** As a shell has it: without what `npm test` adds. */
function plainEnv(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith("npm_"));
  const path = process.env.PATH?.split(delimiter).filter((dir) => !dir.includes("node_modules"));
  return { ...Object.fromEntries(kept), PATH: path?.join(delimiter) };
}
