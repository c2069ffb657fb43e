/** Jobs that wait for others: asked for, shown and refused. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Database } from "../../src/db/client.ts";
import { idText, uuidOf } from "../../src/domain/ids.ts";
import { runCommand } from "../support/command.ts";
import { testDatabase } from "../support/database.ts";
import { queuedJob } from "../support/running.ts";
import { type TestServer, testServer } from "../support/server.ts";
import { publishBakery } from "./bakery.ts";

let db: Database;
let server: TestServer;
beforeAll(async () => {
  db = await testDatabase();
  await publishBakery(db);
  server = await testServer(db);
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await db[Symbol.asyncDispose]();
});

const parentJob = async () => idText("job", await queuedJob(db, { project: "bakery", pipeline: "bread" }));

async function enqueue(input: object) {
  const { data, errors } = await server.post(
    `mutation ($input: EnqueueJobInput!) { enqueueJob(input: $input) {
      __typename ... on Error { code message path } ... on InvalidRunError { problems { path message suggestion } }
      ... on EnqueueJobSuccess { job { id state waitingFor } } } }`,
    { input: { pipeline: "bakery/bread", ...input } },
  );
  return errors ?? data.enqueueJob;
}

async function jobOf(id: string) {
  const { data, errors } = await server.post(
    `query ($id: ID!) { job(id: $id) { state waitingFor inputsFrom { input jobId variable }
      dependsOn { parentId when otherwise resolvedAt parent { state } job { id } }
      dependents(first: 2) { nodes { when job { id state } } pageInfo { hasNextPage } } } }`,
    { id },
  );
  expect(errors).toBeUndefined();
  return data.job;
}

const cli = (...argv: string[]) => runCommand(server.url, argv, { env: { COLUMNS: "200" } });

describe("a job that waits for others", () => {
  it("says for which, and they say that it waits", async () => {
    const parents = [await parentJob(), await parentJob(), await parentJob(), await parentJob()];
    const answer = await enqueue({
      dependsOn: [
        { job: parents[0] },
        { job: parents[1], when: "FAILED", otherwise: "BLOCK" },
        ...parents.slice(2).map((job) => ({ job, when: "ENDED" })),
      ],
    });
    const waitingFor = `${parents[0]}, ${parents[1]} to fail, ${parents[2]} to end and 1 more`;
    expect(answer).toMatchObject({ __typename: "EnqueueJobSuccess", job: { state: "BLOCKED", waitingFor } });
    const { id } = answer.job;
    const job = await jobOf(id);
    expect(job.dependsOn[1]).toEqual({
      parentId: parents[1],
      when: "FAILED",
      otherwise: "BLOCK",
      resolvedAt: null,
      parent: { state: "QUEUED" },
      job: { id },
    });
    expect((await jobOf(parents[0] as string)).dependents).toEqual({
      nodes: [{ when: "SUCCEEDED", job: { id, state: "BLOCKED" } }],
      pageInfo: { hasNextPage: false },
    });
    const { data } = await server.post("{ jobs(first: 5, filter: { states: [BLOCKED] }) { nodes { id } } }");
    expect(data.jobs.nodes).toEqual([{ id }]);
  });

  it("that stays blocked says how its parent has ended, or that it is gone", async () => {
    const parent = await parentJob();
    const { job } = await enqueue({ dependsOn: [{ job: parent, otherwise: "BLOCK" }] });
    await server.post(`mutation ($input: CancelJobInput!) { cancelJob(input: $input) { __typename } }`, {
      input: { id: parent },
    });
    expect(await jobOf(job.id)).toMatchObject({ state: "BLOCKED", waitingFor: `${parent}, which was cancelled` });
    await db.sql`delete from jobs where id = ${uuidOf("job", parent)}`;
    const { waitingFor, dependsOn } = await jobOf(job.id);
    expect([waitingFor, dependsOn[0].parent]).toEqual([`${parent}, which has been deleted`, null]);
  });

  it("takes an input from another job: the plan counts it as given", async () => {
    const parent = idText("job", await queuedJob(db, { project: "bakery", pipeline: "bread", finalVars: ["loaf"] }));
    const from = { input: "flour", job: parent, variable: "loaf" };
    const { job } = await enqueue({ inputsFrom: [from] });
    expect(await jobOf(job.id)).toMatchObject({
      state: "BLOCKED",
      inputsFrom: [{ input: "flour", jobId: parent, variable: "loaf" }],
      dependsOn: [{ parentId: parent, when: "SUCCEEDED", otherwise: "CANCEL" }],
    });
    const { data } = await server.post(
      `query ($input: PlanJobInput!) { planJob(input: $input) { ... on JobPlan { valid inputs { name source place } } } }`,
      { input: { pipeline: "bakery/bread", inputsFrom: [from] } },
    );
    expect(data.planJob).toMatchObject({
      valid: true,
      inputs: [{ name: "flour", source: "JOB", place: `${parent}:loaf` }],
    });
  });

  it("is refused, with the place, when it names what is not there", async () => {
    const parent = idText("job", await queuedJob(db, { project: "bakery", pipeline: "bread", finalVars: ["loaf"] }));
    const unknown = idText("job", db.ids.next());
    expect(await enqueue({ dependsOn: [{ job: parent }, { job: unknown }] })).toMatchObject({
      code: "NOT_FOUND",
      path: "input.dependsOn.1.job",
    });
    expect(await enqueue({ dependsOn: [{ job: parent }, { job: parent }] })).toMatchObject({
      code: "BAD_USER_INPUT",
      path: "input.dependsOn.1.job",
    });
    expect(await enqueue({ inputsFrom: [{ input: "flour", job: unknown, variable: "x" }] })).toMatchObject({
      code: "NOT_FOUND",
      path: "input.inputsFrom.0.job",
    });
    const problems = async (input: string, variable: string, inputs = {}) =>
      (await enqueue({ inputs, inputsFrom: [{ input, job: parent, variable }] })).problems;
    expect(await problems("flour", "loav")).toEqual([
      expect.objectContaining({ path: "input.inputsFrom.0.variable", suggestion: "loaf" }),
    ]);
    expect(await problems("flour", "loaf", { flour: 1 })).toEqual([
      expect.objectContaining({ path: "input.inputsFrom.0.input" }),
    ]);
    expect(await problems("flor", "loaf")).toEqual([
      expect.objectContaining({ path: "input.inputsFrom.0.input", suggestion: "flour" }),
    ]);
    const [error] = await enqueue({ dependsOn: Array.from({ length: 101 }, () => ({ job: parent })) });
    expect(error.extensions.code).toBe("BAD_USER_INPUT");
  });
});

describe("flowerpower-queue", () => {
  it("enqueues after other jobs and shows both directions", async () => {
    const parent = idText("job", await queuedJob(db, { project: "bakery", pipeline: "bread", finalVars: ["loaf"] }));
    const other = await parentJob();
    const made = await cli(
      ...["enqueue", "bakery/bread", "--json", "--after", parent, "--after-ended", other],
      ...["--otherwise", "block", "--input-from", `flour=${parent}:loaf`],
    );
    expect(made).toMatchObject({ code: 0, err: "" });
    const { id } = JSON.parse(made.out).job;
    const shown = (await cli("job", id)).out.replaceAll(/\s+/g, " ");
    expect(shown).toContain(`waits for ${parent} to have succeeded, else it goes on waiting; it is queued`);
    expect(shown).toContain(`waits for ${other} to have ended, else it goes on waiting; it is queued`);
    expect(shown).toContain(`inputs from flour: loaf of ${parent}`);
    expect((await cli("job", parent)).out.replaceAll(/\s+/g, " ")).toContain(`wait for it ${id.slice(-6)} blocked`);
  });

  it("says how to write what it cannot read", async () => {
    expect(await cli("enqueue", "bakery/bread", "--otherwise", "block")).toMatchObject({ code: 2 });
    const { code, err } = await cli("enqueue", "bakery/bread", "--input-from", "flour=@last");
    expect(code).toBe(2);
    expect(err).toContain("name=JOB:variable");
  });
});
