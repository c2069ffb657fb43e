import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Database } from "../../src/db/client.ts";
import { idText, uuidOf } from "../../src/domain/ids.ts";
import type { JobState } from "../../src/domain/lifecycle.ts";
import { testDatabase } from "../support/database.ts";
import { type TestServer, testServer } from "../support/server.ts";
import { insertRun, publishBakery } from "./bakery.ts";

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

const shown = (id: string) => idText("job", id);

/** A job that failed, or came to this end, made from another one. */
async function job(rerunOf: string | null = null, state: JobState = "failed", life = 1): Promise<string> {
  const id = await insertRun(db, { attempts: 1, nodes: 1 });
  await db.sql`update job_requests set rerun_of = ${rerunOf} where job_id = ${id}`;
  await db.sql`
    update jobs set state = ${state}::job_state, life = ${life}, error_kind = null, finished_at = queue_now() where id = ${id}`;
  return id;
}

async function linksOf(id: string) {
  const { data, errors } = await server.post(
    `query ($id: ID!) { job(id: $id) { rerunOf { id state } resolvedBy { id } reruns(first: 2) { nodes { id state } pageInfo { hasNextPage endCursor } } } }`,
    { id: shown(id) },
  );
  expect(errors).toBeUndefined();
  return data.job;
}

it("whatever is found by its id leads to its job, or its pipeline", async () => {
  const uuid = await insertRun(db);
  const job = idText("job", uuid);
  const ids = await server.post(
    `query ($id: ID!) { job(id: $id) {
      pipelineInfo { versions { nodes { id } } } lastAttempt { id } nodeRuns(first: 1) { nodes { id } } results { artifact { id } }
    } }`,
    { id: job },
  );
  const { pipelineInfo, lastAttempt, nodeRuns, results } = ids.data.job;
  const back = `query ($id: ID!) { node(id: $id) {
    ... on Attempt { number job { id } } ... on NodeRun { attempt job { id } } ... on Artifact { attempt job { id } }
    ... on PipelineVersion { pipeline { qualifiedName } }
  } }`;
  const found = async (id: string) => (await server.post(back, { id })).data.node;
  expect(await found(lastAttempt.id)).toEqual({ number: 2, job: { id: job } });
  expect(await found(nodeRuns.nodes[0].id)).toEqual({ attempt: 2, job: { id: job } });
  expect(await found(results[0].artifact.id)).toEqual({ attempt: 2, job: { id: job } });
  expect(await found(pipelineInfo.versions.nodes[0].id)).toEqual({ pipeline: { qualifiedName: "bakery/bread" } });
});

describe("a job's links", () => {
  it("are none for a job that was enqueued by itself", async () => {
    expect(await linksOf(await job())).toEqual({
      rerunOf: null,
      resolvedBy: null,
      reruns: { nodes: [], pageInfo: { hasNextPage: false, endCursor: null } },
    });
  });

  it("lead to what it was made from, and to what was made from it, page by page", async () => {
    const id = await job();
    const reruns = [await job(id), await job(id), await job(id)];
    await job(reruns[0]);
    expect((await linksOf(reruns[1] as string)).rerunOf).toEqual({ id: shown(id), state: "FAILED" });
    const first = (await linksOf(id)).reruns;
    expect(first.nodes.map((node: { id: string }) => node.id)).toEqual(reruns.slice(0, 2).map(shown));
    expect(first.pageInfo.hasNextPage).toBe(true);
    const { data } = await server.post(
      `query ($id: ID!, $after: String) { job(id: $id) { reruns(first: 2, after: $after) { nodes { id } pageInfo { hasNextPage } }
        last: reruns(last: 1) { nodes { id } } } }`,
      { id: shown(id), after: first.pageInfo.endCursor },
    );
    expect(data.job).toEqual({
      reruns: { nodes: [{ id: shown(reruns[2] as string) }], pageInfo: { hasNextPage: false } },
      last: { nodes: [{ id: shown(reruns[2] as string) }] },
    });
  });

  it.each(["failed", "cancelled", "expired"] as const)(
    "tell of a job that is %s which of its reruns, and of theirs, has succeeded first",
    async (state) => {
      const id = await job(null, state);
      const [failed, cancelled] = [await job(id), await job(id, "cancelled")];
      expect((await linksOf(id)).resolvedBy).toBeNull();
      const later = await job(failed, "succeeded");
      const first = await job(cancelled, "succeeded");
      await db.sql`update jobs set finished_at = finished_at - interval '1 minute' where id = ${first}`;
      expect((await linksOf(id)).resolvedBy).toEqual({ id: shown(first) });
      expect((await linksOf(failed)).resolvedBy).toEqual({ id: shown(later) });
      expect((await linksOf(first)).resolvedBy).toBeNull();
    },
  );

  it("tell of a job that has succeeded after a requeue that it did so itself", async () => {
    const id = await job(null, "succeeded", 2);
    expect((await linksOf(id)).resolvedBy).toEqual({ id: shown(id) });
    // Nothing to make good: it succeeded at once, or is under way.
    expect((await linksOf(await job(null, "succeeded"))).resolvedBy).toBeNull();
    const queued = await job();
    await db.sql`update jobs set state = 'queued', life = 2, finished_at = null where id = ${queued}`;
    await job(queued, "succeeded");
    expect((await linksOf(queued)).resolvedBy).toBeNull();
  });

  it("are found by their index", async () => {
    const explained = await db.sql`
      explain (format json) select job_id from job_requests
      where rerun_of = ${randomUUID()} and job_id > ${randomUUID()} order by job_id limit 3`;
    expect(JSON.stringify(explained)).toContain("job_requests_rerun_of");
  });
});

const rerun = `mutation ($input: RerunJobInput!) { rerunJob(input: $input) {
  __typename
  ... on RerunJobSuccess { replayed plan { nodes } job { id state inputs tags options { logLevel reuse } rerunOf { id } priority queue } }
  ... on Error { code message path }
  ... on InvalidRunError { problems { path message } }
  ... on CodeChangedError { ran published }
  ... on JobStateError { state }
} }`;
const requeue = `mutation ($input: RequeueJobInput!) { requeueJob(input: $input) {
  __typename
  ... on RequeueJobSuccess { job { id state life attempt expiresAt events(first: 10) { nodes { ... on JobRequeued { actor reason } } } } }
  ... on Error { code path } ... on JobStateError { state }
} }`;

describe("rerunJob", () => {
  it("makes a new job with what is different, and says what will run", async () => {
    const id = await insertRun(db);
    const input = { id: shown(id), inputs: { flour: 7 }, reuse: "RESUME", tags: ["again"] };
    const { data, errors } = await server.post(rerun, { input });
    expect(errors).toBeUndefined();
    expect(data.rerunJob).toEqual({
      __typename: "RerunJobSuccess",
      replayed: false,
      plan: { nodes: ["flour", "dough"] },
      job: {
        id: expect.stringMatching(/^job_/),
        state: "QUEUED",
        inputs: { flour: 7 },
        tags: ["again"],
        options: { logLevel: "INFO", reuse: "RESUME" },
        rerunOf: { id: shown(id) },
        priority: 50,
        queue: "default",
      },
    });
    const again = await server.post(rerun, { input: { id: shown(id), tags: null, logLevel: null, unset: ["flour"] } });
    expect(again.data.rerunJob.job).toMatchObject({ inputs: {}, tags: [], options: { logLevel: null, reuse: null } });
    const [{ stored }] = (await db.sql`
      select options as stored from job_requests where job_id = ${uuidOf("job", data.rerunJob.job.id)}`) as never as [
      { stored: object },
    ];
    expect(stored).toEqual({ logLevel: "INFO", reuse: "resume", reuseFrom: [expect.any(String)] });
  });

  it("tells what cannot be as data", async () => {
    const id = await insertRun(db);
    const answer = async (input: object) =>
      (await server.post(rerun, { input: { id: shown(id), ...input } })).data.rerunJob;
    expect(await answer({ inputs: { flour: "much" } })).toMatchObject({
      __typename: "InvalidRunError",
      problems: [{ path: "input.inputs.flour" }],
    });
    await db.sql`update attempts set code_hash = '01d' where job_id = ${id}`;
    expect(await answer({ code: "SAME" })).toMatchObject({
      __typename: "CodeChangedError",
      code: "CODE_CHANGED",
      ran: "01d",
      published: "c0de",
    });
    await db.sql`update projects set disabled_at = queue_now(), disabled_reason = 'moving'`;
    server.jobs.catalogue.invalidate();
    expect(await answer({})).toMatchObject({
      __typename: "ProjectDisabledError",
      message: expect.stringContaining("moving"),
    });
    await db.sql`update projects set disabled_at = null, disabled_reason = null`;
    server.jobs.catalogue.invalidate();
    expect(await answer({ queue: "nowhere" })).toMatchObject({ __typename: "NotFoundError", path: "input.queue" });
    await db.sql`update jobs set state = 'queued', finished_at = null where id = ${id}`;
    expect(await answer({})).toMatchObject({ __typename: "JobStateError", state: "QUEUED", path: "input.id" });
    const { errors } = await server.post(rerun, { input: { id: "job_x" } });
    expect(errors).toMatchObject([{ extensions: { code: "BAD_USER_INPUT", path: "input.id" } }]);
  });
});

describe("requeueJob", () => {
  it("gives the job its next life, once", async () => {
    const input = { id: shown(await insertRun(db)), reason: "the disk was full", expiresAt: "2999-01-01T00:00:00Z" };
    const { data, errors } = await server.post(requeue, { input });
    expect(errors).toBeUndefined();
    expect(data.requeueJob.job).toMatchObject({
      id: input.id,
      state: "QUEUED",
      life: 2,
      attempt: 2,
      expiresAt: "2999-01-01T00:00:00.000Z",
      events: { nodes: [{}, { actor: "local", reason: "the disk was full" }] },
    });
    const again = await server.post(requeue, { input });
    expect(again.data.requeueJob).toEqual({
      __typename: "JobStateError",
      code: "CONFLICT",
      path: "input.id",
      state: "QUEUED",
    });
  });
});
