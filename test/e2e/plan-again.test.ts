/** What a plan says of a run after another, and what the run then does: with the real FlowerPower, through the API. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { idText, uuidOf } from "../../src/domain/ids.ts";
import { eventually } from "../support/eventually.ts";
import { type FollowedJob, type Ground, openGround } from "../support/ground.ts";
import { type TestServer, testServer } from "../support/server.ts";

/** Twenty nodes: a line of five and one of thirteen, joined; the second one fails in its middle where it is told to. */
const line = (name: string, length: number) =>
  Array.from({ length: length - 1 }, (_, n) =>
    name === "right" && n + 2 === 7
      ? '\ndef right_7(right_6: int, limit: int) -> int:\n    if right_6 > limit:\n        raise ValueError("too much")\n    return right_6\n'
      : `\ndef ${name}_${n + 2}(${name}_${n + 1}: int) -> int:\n    return ${name}_${n + 1} + ${n}\n`,
  ).join("");
const twenty = `
def left_1(x: int) -> int:
    return x
${line("left", 5)}
def right_1(y: int) -> int:
    return y
${line("right", 13)}
def joined(left_5: int, right_13: int) -> int:
    return left_5 + right_13

def told(joined: int, title: str = "sum") -> str:
    return f"{title} {joined}"
`;
/** One of the branches fails as long as it is told to. */
const branches = `
from hamilton.htypes import Collect, Parallelizable

def item(items: int) -> Parallelizable[int]:
    yield from range(items)

def squared(item: int, bad: int) -> int:
    if item == bad:
        raise ValueError("bad")
    return item * item

def total(squared: Collect[int]) -> int:
    return sum(squared)
`;
const settings = "job_queue: {job_defaults: {reuse: resume}}\n";

let ground: Ground;
let server: TestServer;

beforeAll(async () => {
  ground = await openGround();
  const dir = join(ground.folder, "project");
  await mkdir(join(dir, "conf/pipelines"), { recursive: true });
  await mkdir(join(dir, "pipelines"));
  await writeFile(join(dir, "conf/project.yml"), "name: faults\n");
  const write = async (name: string, code: string, yaml: string) => {
    await writeFile(join(dir, `conf/pipelines/${name}.yml`), yaml);
    await writeFile(join(dir, `pipelines/${name}.py`), code);
  };
  await write("twenty", twenty, `run: {final_vars: [told], inputs: {x: 1, y: 2, limit: 5}}\n${settings}`);
  await write("plain", twenty, "run: {final_vars: [told], inputs: {x: 1, y: 2, limit: 5}}\n");
  await write("branches", branches, `run: {final_vars: [total], inputs: {items: 6, bad: 4}}\n${settings}`);
  await ground.worker({ projects: [{ name: "faults", dir }], workDir: join(ground.folder, "work") }).said("ready");
  server = await testServer(ground.db);
}, 120_000);

afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
  await ground?.[Symbol.asyncDispose]();
});

const planned = `__typename ... on JobPlan { valid reuseNote expectedMs pastRuns
  nodes { name action reason reasonCode reusedFromId unless reusedBranches expectedRuns } }
  ... on Error { code message }`;

interface Planned {
  __typename: string;
  reuseNote: string | null;
  expectedMs: number | null;
  nodes: {
    name: string;
    action: "RUN" | "REUSE";
    reason: string;
    reasonCode: string | null;
    reusedFromId: string | null;
    reusedBranches: number | null;
    expectedRuns: number | null;
  }[];
}

async function ask(document: string, variables: object) {
  const { data, errors } = await server.post(document, variables);
  expect(errors).toBeUndefined();
  return data;
}

async function planRerun(input: object): Promise<Planned> {
  const document = `query ($input: RerunJobInput!) { planRerun(input: $input) { ${planned} } }`;
  return (await ask(document, { input })).planRerun;
}

async function planRequeue(id: string): Promise<Planned> {
  const document = `query ($input: RequeueJobInput!) { planRequeue(input: $input) { ${planned} } }`;
  return (await ask(document, { input: { id } })).planRequeue;
}

async function planJob(input: object): Promise<Planned> {
  return (await ask(`query ($input: PlanJobInput!) { planJob(input: $input) { ${planned} } }`, { input })).planJob;
}

async function rerun(input: object): Promise<FollowedJob> {
  const { rerunJob } = await ask(
    "mutation ($input: RerunJobInput!) { rerunJob(input: $input) { __typename ... on RerunJobSuccess { job { id } } } }",
    { input },
  );
  return ground.follow(uuidOf("job", rerunJob.job.id) as string);
}

/** What became of each node: `left_1 REUSE HIT`. */
async function became(job: FollowedJob, attempt: number): Promise<string[]> {
  const rows = await ground.db.sql<{ node: string; state: string; code: string }[]>`
    select node, state, reason ->> 'code' as code from node_runs
    where job_id = ${job.id} and attempt = ${attempt} order by first_seq`;
  return rows.map(({ node, state, code }) => `${node} ${state === "reused" ? "REUSE" : "RUN"} ${code.toUpperCase()}`);
}

const said = ({ nodes }: Planned) => nodes.map(({ name, action, reasonCode }) => `${name} ${action} ${reasonCode}`);
const shown = (job: FollowedJob) => idText("job", job.id);

it("one input of a failed run of twenty nodes changes: the plan says what runs, and just that runs", async () => {
  const failed = await ground.enqueue("twenty");
  expect(await failed.ended()).toMatchObject({ state: "failed", nodesTotal: 20 });

  const input = { id: shown(failed), inputs: { limit: 100 } };
  const plan = await planRerun(input);
  expect(plan.nodes).toHaveLength(20);
  const below = [7, 8, 9, 10, 11, 12, 13].map((n) => `right_${n}`).concat("joined", "told");
  expect(plan.nodes.filter(({ action }) => action === "RUN").map(({ name }) => name)).toEqual(below);
  expect(plan.nodes.filter(({ reusedFromId }) => reusedFromId === shown(failed))).toHaveLength(11);
  expect(plan.reuseNote).toMatch(/^An estimate /);
  const good = await rerun(input);
  expect(await good.ended()).toMatchObject({ state: "succeeded", nodesDone: 20, nodesTotal: 20 });
  expect((await became(good, 1)).toSorted()).toEqual(said(plan).toSorted());

  // Another input of the run that has succeeded: what is below it runs, and says why.
  const other = { id: shown(good), inputs: { title: "total" } };
  const titled = await planRerun(other);
  expect(titled.nodes.filter(({ action }) => action === "RUN")).toMatchObject([
    { name: "told", reason: "input changed: title", reasonCode: "INPUT_CHANGED" },
  ]);
  const third = await rerun(other);
  expect(await third.ended()).toMatchObject({ state: "succeeded" });
  expect((await became(third, 1)).toSorted()).toEqual(said(titled).toSorted());

  // With the input of the run before the last one all is there, of different jobs.
  const back = { id: shown(third), unset: ["title"] };
  const whole = await planRerun(back);
  expect(whole.nodes.map(({ action }) => action)).not.toContain("RUN");
  const fourth = await rerun(back);
  expect(await fourth.ended()).toMatchObject({ state: "succeeded" });
  expect((await became(fourth, 1)).toSorted()).toEqual(said(whole).toSorted());
}, 120_000);

it("a requeue goes on at the node that failed, and its plan says so", async () => {
  const job = await ground.enqueue("twenty");
  expect(await job.ended()).toMatchObject({ state: "failed", attempt: 1 });
  const plan = await planRequeue(shown(job));
  expect(plan.nodes.filter(({ action }) => action === "RUN")).toHaveLength(9);
  await ask("mutation ($input: RequeueJobInput!) { requeueJob(input: $input) { __typename } }", {
    input: { id: shown(job) },
  });
  await eventually(async () => expect(await job.row()).toMatchObject({ state: "failed", attempt: 2 }));
  // It fails at the same node again: what was to run after it did not.
  const ran = await became(job, 2);
  expect(said(plan)).toEqual(expect.arrayContaining(ran));
  expect(ran.filter((line) => line.includes(" RUN "))).toEqual(["right_7 RUN NOTHING_STORED"]);
}, 60_000);

it("says where nothing is stored", async () => {
  const job = await ground.enqueue("plain");
  expect(await job.ended()).toMatchObject({ state: "failed" });
  // Nobody has asked for reuse, neither then nor now.
  expect(await planRequeue(shown(job))).toMatchObject({
    reuseNote: null,
    nodes: { 0: { reason: "needed by left_2" } },
  });
  const plan = await planRerun({ id: shown(job), reuse: "RESUME" });
  expect(plan.reuseNote).toContain(`Nothing stored: of ${shown(job)} no value is kept.`);
  expect(plan.nodes.map(({ reasonCode }) => reasonCode)).toEqual(Array(20).fill("NOTHING_STORED"));
  const fresh = await planJob({ pipeline: "faults/twenty" });
  expect(fresh.reuseNote).toMatch(/^Nothing stored: resume takes/);
  expect(new Set(fresh.nodes.map(({ action }) => action))).toEqual(new Set(["RUN"]));
}, 60_000);

it("takes what any job has stored, with full", async () => {
  const input = { pipeline: "faults/twenty", inputs: { limit: 50 }, reuse: "FULL" };
  expect((await planJob(input)).reuseNote).toBe(
    "Nothing stored: no job of this pipeline has run with reuse: full lately.",
  );
  const first = await ground.enqueue("twenty", { limit: 50 }, { options: { reuse: "full" } });
  expect(await first.ended()).toMatchObject({ state: "succeeded" });
  const plan = await planJob(input);
  // Without upstream nodes they run again, and most probably give the same.
  expect(plan.nodes.filter(({ action }) => action === "RUN")).toMatchObject([
    { name: "left_1", reasonCode: "NO_UPSTREAM" },
    { name: "right_1", reasonCode: "NO_UPSTREAM" },
  ]);
  expect(plan.nodes.find(({ name }) => name === "told")).toMatchObject({
    action: "REUSE",
    reason: "hit, unless left_1, right_1 gives another value than before",
    unless: ["left_1", "right_1"],
    reusedFromId: shown(first),
    expectedRuns: 0,
  });
  const again = await ground.enqueue("twenty", { limit: 50 }, { options: { reuse: "full" } });
  expect(await again.ended()).toMatchObject({ state: "succeeded" });
  expect((await became(again, 1)).toSorted()).toEqual(said(plan).toSorted());
}, 60_000);

it("counts the branches that are stored", async () => {
  const failed = await ground.enqueue("branches");
  expect(await failed.ended()).toMatchObject({ state: "failed" });
  const stored = await ground.db.sql`
    select from node_runs where job_id = ${failed.id} and node = 'squared' and stored`;
  const plan = await planRequeue(shown(failed));
  expect(plan.nodes).toMatchObject([
    { name: "item", action: "RUN", reasonCode: "NOT_REUSABLE" },
    {
      name: "squared",
      action: "RUN",
      reasonCode: "NOTHING_STORED",
      reusedBranches: stored.count,
      expectedRuns: 6 - stored.count,
    },
    { name: "total", action: "RUN", reasonCode: "NOTHING_STORED" },
  ]);
  expect(stored.count).toBeGreaterThan(0);
}, 60_000);
