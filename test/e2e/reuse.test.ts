import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { JsonObject } from "../../src/domain/json.ts";
import type { RunRequest } from "../../src/domain/run-request.ts";
import { planJob } from "../../src/jobs/plan.ts";
import { type FollowedJob, type Ground, openGround, requestOf } from "../support/ground.ts";

/** Each node writes its name into a file: what ran is not only told but seen. */
const code = `
import os

def _ran(name: str, marks: str) -> None:
    with open(marks, "a") as file:
        file.write(name + " ")

def a(x: int, marks: str) -> int:
    _ran("a", marks)
    return x + 1

def b(a: int, y: int, marks: str) -> int:
    _ran("b", marks)
    return a * y

def c(b: int, fails_until: int, marks: str) -> int:
    _ran("c", marks)
    if int(os.environ["FLOWERPOWER_ATTEMPT"]) < fails_until:
        raise ConnectionError("away")
    return b + 1

def d(c: int, a: int, marks: str) -> int:
    _ran("d", marks)
    return c + a
`;
const yaml =
  "run: {final_vars: [d], inputs: {x: 1, y: 2, fails_until: 0}}\njob_queue: {job_defaults: {reuse: resume}}\n";

let ground: Ground;
let marks: string;

beforeAll(async () => {
  ground = await openGround();
  marks = join(ground.folder, "marks");
  const dir = join(ground.folder, "project");
  await mkdir(join(dir, "conf/pipelines"), { recursive: true });
  await mkdir(join(dir, "pipelines"));
  await writeFile(join(dir, "conf/project.yml"), "name: faults\n");
  await writeFile(join(dir, "conf/pipelines/chain.yml"), yaml);
  await writeFile(join(dir, "pipelines/chain.py"), code);
  await ground.worker({ projects: [{ name: "faults", dir }], workDir: join(ground.folder, "work") }).said("ready");
}, 60_000);

afterAll(() => ground[Symbol.asyncDispose]());

async function enqueue(inputs: JsonObject = {}, request: Partial<RunRequest> = {}): Promise<FollowedJob> {
  await writeFile(marks, "");
  return await ground.enqueue("chain", { marks, ...inputs }, request);
}

const ran = async () => (await readFile(marks, "utf8")).trim();

interface Row {
  node: string;
  state: string;
  stored: boolean | null;
  reason: { code: string; job: string | null } | null;
}

async function nodeRuns(job: FollowedJob, attempt: number): Promise<Row[]> {
  return await ground.db.sql<Row[]>`
    select node, state, stored, reason from node_runs where job_id = ${job.id} and attempt = ${attempt} order by first_seq`;
}

/** What the plan says of each node, asked before the job is there. */
async function planned(inputs: JsonObject, options: RunRequest["options"]): Promise<Record<string, string>> {
  const { nodes } = await planJob(ground.jobs, requestOf("chain", { marks, ...inputs }, { options }));
  return Object.fromEntries(
    nodes.map(({ name, action, reasonCode }) => [name, action === "reuse" ? "reused" : (reasonCode ?? "")]),
  );
}

/** What became of each node, in the words of the plan. */
async function told(job: FollowedJob, attempt: number): Promise<Record<string, string>> {
  const runs = await nodeRuns(job, attempt);
  return Object.fromEntries(
    runs.map(({ node, state, reason }) => [node, state === "reused" ? "reused" : (reason?.code ?? "")]),
  );
}

it("retries from the node that failed, where the pipeline's YAML says resume", async () => {
  const job = await enqueue({ fails_until: 2 }, { retry: { maxRetries: 2, retryDelayMs: 1 } });
  expect(await job.ended()).toMatchObject({ state: "succeeded", attempt: 2, nodesDone: 4, nodesTotal: 4 });
  expect(await ran()).toBe("a b c c d");
  expect(await job.results()).toEqual({ d: 7 });
  expect(await nodeRuns(job, 1)).toMatchObject([
    { node: "a", state: "succeeded", stored: true, reason: { code: "nothing_stored" } },
    { node: "b", state: "succeeded", stored: true },
    { node: "c", state: "failed", stored: null },
  ]);
  const [a, b, c] = await nodeRuns(job, 2);
  expect([a, b]).toMatchObject([
    { node: "a", state: "reused", stored: true, reason: { code: "hit" } },
    { node: "b", state: "reused" },
  ]);
  expect(c).toMatchObject({ node: "c", state: "succeeded", reason: { code: "nothing_stored" } });
  expect(job.types()).toContain("node.reused a");
  const store = await stat(join(ground.folder, "work/reuse/faults"));
  expect(store.mode & 0o777).toBe(0o700);
}, 60_000);

it("does nothing of the kind where it is not asked for", async () => {
  const job = await enqueue(
    { fails_until: 2 },
    { retry: { maxRetries: 2, retryDelayMs: 1 }, options: { reuse: "none" } },
  );
  expect(await job.ended()).toMatchObject({ state: "succeeded", attempt: 2 });
  expect(await ran()).toBe("a b c a b c d");
  expect(await nodeRuns(job, 2)).toMatchObject([{ stored: null, reason: null }, {}, {}, {}]);
}, 60_000);

it("reruns what a changed input touches, and the plan has said so", async () => {
  const first = await enqueue();
  expect(await first.ended()).toMatchObject({ state: "succeeded" });
  expect(await told(first, 1)).toEqual({
    a: "nothing_stored",
    b: "nothing_stored",
    c: "nothing_stored",
    d: "nothing_stored",
  });

  const expected = await planned({}, { reuseFrom: [first.id] });
  const again = await enqueue({}, { options: { reuseFrom: [first.id] } });
  expect(await again.ended()).toMatchObject({ state: "succeeded", nodesDone: 4, nodesTotal: 4 });
  expect(await told(again, 1)).toEqual(expected);
  expect(await ran()).toBe("");

  const changed = { marks, y: 5 };
  const forecast = await planned(changed, { reuseFrom: [again.id] });
  const third = await enqueue(changed, { options: { reuseFrom: [again.id] } });
  expect(await third.ended()).toMatchObject({ state: "succeeded" });
  expect(await told(third, 1)).toEqual(forecast);
  expect(forecast).toEqual({ a: "reused", b: "input_changed", c: "input_changed", d: "input_changed" });
  expect(await ran()).toBe("b c d");
  expect(await third.results()).toEqual({ d: 13 });

  const recomputed = await planned(changed, { reuseFrom: [third.id], recompute: ["b"] });
  const fourth = await enqueue(changed, { options: { reuseFrom: [third.id], recompute: ["b"] } });
  expect(await fourth.ended()).toMatchObject({ state: "succeeded" });
  expect(await ran()).toBe("b");
  expect(await told(fourth, 1)).toEqual(recomputed);
}, 60_000);
