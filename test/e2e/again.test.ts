/** What has failed is understood, compared and run again: with the real FlowerPower, through the API. */
import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { idText, uuidOf } from "../../src/domain/ids.ts";
import { eventually } from "../support/eventually.ts";
import { type Ground, openGround } from "../support/ground.ts";
import { examples } from "../support/runtimes.ts";
import { type TestServer, testServer } from "../support/server.ts";

let ground: Ground;
let server: TestServer;
let project: string;

beforeAll(async () => {
  ground = await openGround();
  project = join(ground.folder, "faults");
  await cp(join(examples, "faults"), project, { recursive: true });
  await ground.worker({ slots: 1, projects: [{ name: "faults", dir: project }] }).said("ready");
  server = await testServer(ground.db);
});
afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
  await ground?.[Symbol.asyncDispose]();
});

const shown = (id: string) => idText("job", id);

async function ask(document: string, variables: object) {
  const { data, errors } = await server.post(document, variables);
  expect(errors).toBeUndefined();
  return data;
}

async function rerun(input: object) {
  const { rerunJob } = await ask(
    `mutation ($input: RerunJobInput!) { rerunJob(input: $input) {
      __typename ... on RerunJobSuccess { job { id } plan { nodes } } ... on Error { message } ... on CodeChangedError { ran published } } }`,
    { input },
  );
  return rerunJob;
}

const compareDocument = `query ($a: ID!, $b: ID!) { compareJobs(a: $a, b: $b) { ... on JobComparison {
  isSame request { path kind a b } resolved { path a b aSource bSource } settings { path }
  codeChange { a b files { path } } packages { path }
  nodes { node codeChanged a { state } b { state } } results { name aspects b { value summary { type } } }
  outcome { path a b } error { a { type } b { type } } duration { aMs bMs ratio } } } }`;
const compare = async (a: string, b: string) => (await ask(compareDocument, { a: shown(a), b: shown(b) })).compareJobs;

it("a failed run is told with its code, rerun with another input, compared, and resolved", async () => {
  const failed = await ground.enqueue("fails", { at: "second" });
  expect(await failed.ended()).toMatchObject({ state: "failed" });
  const { job } = await ask(
    `query ($id: ID!) { job(id: $id) { failure { node inputs neverRan error { type message file line } code { number text isFailing } }
      failureGroup { id count isOpen node errorClass codeHash } lastAttempt { codeHash } } }`,
    { id: shown(failed.id) },
  );
  expect(job.failure).toMatchObject({
    node: "second",
    neverRan: ["third"],
    inputs: { first: { preview: "1" } },
    error: { type: "ValueError", file: "pipelines/fails.py", line: 21 },
  });
  expect(job.failure.code.map(({ number }: { number: number }) => number)).toEqual([18, 19, 20, 21, 22]);
  expect(job.failure.code[3]).toEqual({
    number: 21,
    text: '        raise ValueError(f"{node} was told to fail")',
    isFailing: true,
  });
  expect(job.failureGroup).toMatchObject({ count: 1, isOpen: true, node: "second", errorClass: "ValueError" });
  expect(job.failureGroup.codeHash).toBe(job.lastAttempt.codeHash);

  const made = await rerun({ id: shown(failed.id), inputs: { at: "nowhere" }, code: "SAME" });
  expect(made).toMatchObject({ __typename: "RerunJobSuccess", plan: { nodes: ["first", "second", "third"] } });
  const good = ground.follow(uuidOf("job", made.job.id) as string);
  expect(await good.ended()).toMatchObject({ state: "succeeded" });

  const found = await compare(failed.id, good.id);
  expect(found).toMatchObject({
    isSame: false,
    request: [{ path: "inputs.at", kind: "CHANGED", a: "second", b: "nowhere" }],
    resolved: [{ path: "inputs.at", a: "second", b: "nowhere", aSource: "request", bSource: "request" }],
    settings: [],
    codeChange: null,
    packages: [],
    nodes: [
      { node: "second", codeChanged: false, a: { state: "FAILED" }, b: { state: "SUCCEEDED" } },
      { node: "third", codeChanged: false, a: { state: "NEVER_RAN" }, b: { state: "SUCCEEDED" } },
    ],
    results: [{ name: "third", aspects: ["PRESENCE"], b: { value: 3, summary: { type: "int" } } }],
    outcome: [
      { path: "errorKind", a: "PIPELINE", b: null },
      { path: "state", a: "failed", b: "succeeded" },
    ],
    error: { a: { type: "ValueError" }, b: null },
  });
  expect(found.duration.aMs).toBeGreaterThan(0);

  const { job: resolved } = await ask(
    "query ($id: ID!) { job(id: $id) { resolvedBy { id } reruns { nodes { id } } failureGroup { isOpen closedById } } }",
    { id: shown(failed.id) },
  );
  expect(resolved).toEqual({
    resolvedBy: { id: made.job.id },
    reruns: { nodes: [{ id: made.job.id }] },
    failureGroup: { isOpen: false, closedById: made.job.id },
  });
}, 60_000);

it("a job that is requeued runs in its next life, with the attempts counted on", async () => {
  const counter = join(ground.folder, "requeued");
  const failed = await ground.enqueue("flaky", { counter, succeeds_at: 2 }, { retry: { maxRetries: 0 } });
  expect(await failed.ended()).toMatchObject({ state: "failed", attempt: 1 });
  const { requeueJob } = await ask(
    `mutation ($input: RequeueJobInput!) { requeueJob(input: $input) { __typename ... on RequeueJobSuccess { cursor } } }`,
    { input: { id: shown(failed.id), reason: "it is up again" } },
  );
  expect(requeueJob.__typename).toBe("RequeueJobSuccess");
  await eventually(async () => expect(await failed.row()).toMatchObject({ state: "succeeded", attempt: 2 }));
  const { job } = await ask(
    "query ($id: ID!) { job(id: $id) { life resolvedBy { id } attempts { nodes { life outcome } } failureGroup { id } } }",
    { id: shown(failed.id) },
  );
  expect(job).toEqual({
    life: 2,
    resolvedBy: { id: shown(failed.id) },
    attempts: {
      nodes: [
        { life: 1, outcome: "FAIL" },
        { life: 2, outcome: "SUCCEED" },
      ],
    },
    failureGroup: null,
  });
}, 60_000);

it("changed code is told, and is not what ran before", async () => {
  const before = await ground.enqueue("fails", { at: "third" });
  expect(await before.ended()).toMatchObject({ state: "failed" });
  const { job } = await ask("query ($id: ID!) { job(id: $id) { lastAttempt { codeHash } } }", { id: shown(before.id) });
  const ranCode = job.lastAttempt.codeHash;
  const file = join(project, "pipelines/fails.py");
  await writeFile(file, (await readFile(file, "utf8")).replace("first + 1", "first + 10"));
  // Asked for before the change is published, it does not run: what it was meant for is gone.
  const early = await rerun({ id: shown(before.id), code: "SAME", runAt: new Date(Date.now() + 200).toISOString() });
  if (early.__typename === "RerunJobSuccess") {
    const refused = ground.follow(uuidOf("job", early.job.id) as string);
    expect(await refused.ended()).toMatchObject({ state: "failed", errorKind: "INVALID" });
  }
  await eventually(async () => {
    const now = await ask('{ pipeline(name: "faults/fails") { codeHash } }', {});
    expect(now.pipeline.codeHash).not.toBe(ranCode);
  });
  expect(await rerun({ id: shown(before.id), code: "SAME" })).toMatchObject({
    __typename: "CodeChangedError",
    ran: ranCode,
  });
  const made = await rerun({ id: shown(before.id), code: "CURRENT" });
  const after = ground.follow(uuidOf("job", made.job.id) as string);
  expect(await after.ended()).toMatchObject({ state: "failed" });
  expect(await compare(before.id, after.id)).toMatchObject({
    isSame: false,
    request: [],
    codeChange: { files: [{ path: "pipelines/fails.py" }] },
    nodes: [{ node: "second", codeChanged: true, a: { state: "SUCCEEDED" }, b: { state: "SUCCEEDED" } }],
    error: null,
  });
  // Other code: another group, though it is the same node and the same error.
  const { failures } = await ask(
    '{ failures(filter: { pipeline: "faults/fails", open: true }) { nodes { node errorClass count lastJobId } } }',
    {},
  );
  expect(failures.nodes.filter(({ node }: { node: string | null }) => node === "third")).toEqual([
    { node: "third", errorClass: "ValueError", count: 1, lastJobId: made.job.id },
    { node: "third", errorClass: "ValueError", count: 1, lastJobId: shown(before.id) },
  ]);
}, 60_000);
