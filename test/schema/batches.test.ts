/** Batches through the API: enqueued, listed, followed, watched, cancelled and requeued as a whole. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { graphileWorker as backend } from "../../src/backends/graphile-worker/backend.ts";
import type { Database } from "../../src/db/client.ts";
import { idText, uuidOf } from "../../src/domain/ids.ts";
import { completeBatches } from "../../src/jobs/complete-batch.ts";
import { transition } from "../../src/jobs/transition.ts";
import { collect } from "../support/collect.ts";
import { testDatabase } from "../support/database.ts";
import { startJob } from "../support/running.ts";
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
  await server?.[Symbol.asyncDispose]();
  await db?.[Symbol.asyncDispose]();
});

const shown = `
  id name project pipeline state actor finishedAt cancelRequestedAt startedAt
  progress { done total leftMs counts { state count { value } } }`;

async function enqueue(input: object) {
  const { data, errors } = await server.post(
    `mutation ($input: EnqueueBatchInput!) { enqueueBatch(input: $input) {
      __typename
      ... on EnqueueBatchSuccess { replayed total sample batch { ${shown} } }
      ... on JobsRefusedError { code message items { index result { ... on Error { code path message } } } }
      ... on Error { code path message }
    } }`,
    { input },
  );
  return errors ?? data.enqueueBatch;
}

const sweep = (values: unknown[], given: object = {}) => ({
  sweep: { pipeline: "bakery/bread", grid: [{ input: "flour", values }], ...given },
});

async function made(values: unknown[], given: object = {}): Promise<{ id: string; jobs: string[] }> {
  const { batch } = await enqueue({ ...sweep(values), ...given });
  const jobs = await jobsOf(batch.id);
  return { id: batch.id, jobs };
}

async function jobsOf(batchId: string): Promise<string[]> {
  const rows = await db.sql<{ id: string }[]>`
    select id from jobs where batch_id = ${uuidOf("batch", batchId)} order by id`;
  return rows.map(({ id }) => id);
}

async function end(ids: readonly string[], name: "succeed" | "fail") {
  for (const id of ids) {
    const attempt = (await startJob(db, id))?.attempt ?? 0;
    const error = { kind: "PIPELINE", type: "ValueError", message: "no", node: null } as const;
    const data = name === "succeed" ? {} : { error };
    await db.sql.begin((tx) => transition(tx, backend, name, [{ id, attempt, data: data as never }]));
  }
}

async function read(id: string, fields = shown) {
  const { data, errors } = await server.post(`query ($id: ID!) { batch(id: $id) { ${fields} } }`, { id });
  expect(errors).toBeUndefined();
  return data.batch;
}

describe("enqueueBatch", () => {
  it("makes a job for each combination of a grid, over the inputs that all have", async () => {
    const answer = await enqueue({ name: "bake off", ...sweep([1, 2, 3], { tags: ["trial"], priority: 70 }) });
    expect(answer).toMatchObject({
      __typename: "EnqueueBatchSuccess",
      replayed: false,
      total: 3,
      sample: [{ flour: 1 }, { flour: 2 }, { flour: 3 }],
      batch: {
        id: expect.stringMatching(/^bat_/),
        name: "bake off",
        project: "bakery",
        pipeline: "bread",
        state: "RUNNING",
        startedAt: null,
        finishedAt: null,
        progress: { done: 0, total: 3, leftMs: null, counts: [{ state: "QUEUED", count: { value: 3 } }] },
      },
    });
    const { data } = await server.post(
      "query ($id: ID!) { jobs(filter: { batch: $id }, orderBy: ID_ASC) { totalCount { value } nodes { inputs tags priority batch { name } } } }",
      { id: answer.batch.id },
    );
    expect(data.jobs.totalCount.value).toBe(3);
    expect(data.jobs.nodes).toEqual(
      [1, 2, 3].map((flour) => ({ inputs: { flour }, tags: ["trial"], priority: 70, batch: { name: "bake off" } })),
    );
  });

  it("takes sets as they are, and a list of runs of any pipelines", async () => {
    const sets = [{ flour: 1 }, {}];
    const listed = await enqueue({ sweep: { pipeline: "bakery/bread", inputs: { flour: 9 }, sets } });
    expect(listed).toMatchObject({ total: 2, sample: [{ flour: 1 }, { flour: 9 }] });
    const jobs = [
      { pipeline: "bakery/bread", tags: ["a"] },
      { pipeline: "bread", inputs: { flour: 2 } },
    ];
    expect(await enqueue({ jobs })).toMatchObject({ total: 2, batch: { project: "bakery", pipeline: "bread" } });
  });

  it("shows in a dry run what it would be, and stores nothing", async () => {
    const count = async () => (await db.sql`select count(*)::int as n from batches`)[0]?.n;
    const before = await count();
    const values = Array.from({ length: 30 }, (_, n) => n);
    expect(await enqueue({ ...sweep(values), dryRun: true })).toMatchObject({
      total: 30,
      batch: null,
      sample: values.slice(0, 10).map((flour) => ({ flour })),
    });
    expect(await count()).toBe(before);
  });

  it("names each set that does not fit, with its place", async () => {
    const sets = [{ flour: 1 }, { flour: "much" }, { water: 1 }];
    expect(await enqueue({ sweep: { pipeline: "bakery/bread", sets } })).toMatchObject({
      __typename: "JobsRefusedError",
      message: expect.stringMatching(/^2 of 3 jobs cannot be made, so nothing was stored\. The first: flour /),
      items: [
        { index: 1, result: { code: "INVALID_RUN", path: "input.sweep.sets.1.inputs.flour" } },
        { index: 2, result: { code: "INVALID_RUN", path: "input.sweep.sets.2.inputs.water" } },
      ],
    });
  });

  it("stops looking after a hundred, and says so", async () => {
    const refused = await enqueue(sweep(Array.from({ length: 1000 }, () => "much")));
    expect(refused.items).toHaveLength(100);
    expect(refused.message).toMatch(/^At least 100 of 1000 jobs cannot be made/);
  });

  it.each([
    ["a pipeline that is not there", sweep([1], { pipeline: "bakery/bred" }), "NOT_FOUND", "input.sweep.pipeline"],
    ["a queue that is not there", sweep([1], { queue: "nope" }), "NOT_FOUND", "input.sweep.queue"],
    ["neither a sweep nor jobs", {}, "BAD_USER_INPUT", "input"],
    ["neither a grid nor sets", { sweep: { pipeline: "bakery/bread" } }, "BAD_USER_INPUT", "input.sweep"],
    [
      "a grid that is too large",
      {
        sweep: {
          pipeline: "bakery/bread",
          grid: ["flour", "water"].map((input) => ({ input, values: Array.from({ length: 101 }, (_, n) => n) })),
        },
      },
      "BAD_USER_INPUT",
      "input.sweep.grid",
    ],
    [
      "an input twice",
      { sweep: { pipeline: "bakery/bread", grid: [1, 2].map((value) => ({ input: "flour", values: [value] })) } },
      "BAD_USER_INPUT",
      "input.sweep.grid",
    ],
    [
      "a key of a job",
      { jobs: [{ pipeline: "bakery/bread" }, { pipeline: "bakery/bread", idempotencyKey: "k" }] },
      "BAD_USER_INPUT",
      "input.jobs.1",
    ],
    [
      "inputs of more than 64 MiB in all",
      sweep(
        Array.from({ length: 1000 }, (_, n) => n),
        { inputs: { more: "x".repeat(100_000) } },
      ),
      "BAD_USER_INPUT",
      "input.sweep",
    ],
    [
      "a run on completion that does not fit",
      { ...sweep([1]), onComplete: { run: { pipeline: "bakery/bread", inputs: { flour: "x" } } } },
      "INVALID_RUN",
      "input.onComplete.run.inputs.flour",
    ],
  ])("refuses %s", async (_what, input, code, path) => {
    expect(await enqueue(input)).toMatchObject({ code, path });
  });

  it("makes one batch of equal calls with one key, and refuses another under it", async () => {
    const input = { ...sweep([1, 2]), idempotencyKey: "nightly" };
    const [first, second] = [await enqueue(input), await enqueue(input)];
    expect(second).toMatchObject({ replayed: true, batch: { id: first.batch.id } });
    expect(await enqueue({ ...sweep([1, 3]), idempotencyKey: "nightly" })).toMatchObject({ code: "CONFLICT" });
  });

  it("names the batch as what the job on completion waits for", async () => {
    const { id } = await made([1], { onComplete: { run: { pipeline: "bakery/bread" }, when: "ENDED" } });
    expect(
      await read(id, "onComplete { state waitingFor batch { id } dependsOn { parentId when parent { id } } }"),
    ).toEqual({
      onComplete: {
        state: "BLOCKED",
        waitingFor: `${id} to end`,
        batch: null,
        dependsOn: [{ parentId: id, when: "ENDED", parent: null }],
      },
    });
  });
});

describe("a batch", () => {
  it("tells its state and its events when its jobs have ended, and again when some are requeued", async () => {
    const { id, jobs } = await made([1, 2, 3]);
    await end(jobs.slice(0, 2), "succeed");
    await end(jobs.slice(2), "fail");
    await completeBatches(server.jobs, null);
    expect(await read(id)).toMatchObject({
      state: "FAILED",
      finishedAt: expect.any(String),
      startedAt: expect.any(String),
      progress: {
        done: 3,
        leftMs: null,
        counts: [
          { state: "SUCCEEDED", count: { value: 2 } },
          { state: "FAILED", count: { value: 1 } },
        ],
      },
    });
    const { data } = await server.post(
      `mutation ($input: RequeueBatchInput!) { requeueBatch(input: $input) {
        ... on RequeueBatchSuccess { done failed batch { state finishedAt } } ... on Error { code }
      } }`,
      { input: { id, reason: "disk is back" } },
    );
    expect(data.requeueBatch).toEqual({ done: 1, failed: 0, batch: { state: "RUNNING", finishedAt: null } });
    const events = `events(first: 10) { pageInfo { hasNextPage } nodes { seq type
      ... on BatchEnqueued { total } ... on BatchCompleted { outcome counts { state count { value } } }
      ... on BatchRequeued { actor reason jobs } ... on BatchReopened { actor reason } } }`;
    expect((await read(id, events)).events).toEqual({
      pageInfo: { hasNextPage: false },
      nodes: [
        { seq: 1, type: "batch.enqueued", total: 3 },
        {
          seq: 2,
          type: "batch.completed",
          outcome: "FAILED",
          counts: [
            { state: "SUCCEEDED", count: { value: 2 } },
            { state: "FAILED", count: { value: 1 } },
          ],
        },
        { seq: 3, type: "batch.requeued", actor: "local", reason: "disk is back", jobs: 1 },
        { seq: 4, type: "batch.reopened", actor: "local", reason: "disk is back" },
      ],
    });
  });

  it("is cancelled as a whole: what waits at once, what runs by its worker", async () => {
    const { id, jobs } = await made([1, 2, 3]);
    await startJob(db, jobs[0] ?? "");
    const { data } = await server.post(
      `mutation ($input: CancelBatchInput!) { cancelBatch(input: $input) {
        ... on CancelBatchSuccess { done batch { state cancelRequestedAt progress { done } } }
      } }`,
      { input: { id } },
    );
    expect(data.cancelBatch).toEqual({
      done: 3,
      batch: { state: "RUNNING", cancelRequestedAt: expect.any(String), progress: { done: 2 } },
    });
    const none = await server.post(
      `mutation { cancelBatch(input: { id: "${idText("batch", db.ids.next())}" }) { ... on Error { code path } } }`,
    );
    expect(none.data.cancelBatch).toEqual({ code: "NOT_FOUND", path: "input.id" });
  });

  it("is found by what people type for it", async () => {
    const { id } = await made([1]);
    const find = async (ref: string) => {
      const { data } = await server.post(
        "query ($ref: String!) { batchByRef(ref: $ref) { ... on Batch { id } ... on Error { code } } }",
        { ref },
      );
      return data.batchByRef;
    };
    for (const ref of [id, id.slice(-6), "@last", "bakery/bread@last"]) expect(await find(ref)).toEqual({ id });
    expect(await find("zzzzzz")).toEqual({ code: "NOT_FOUND" });
    expect(await find("?")).toEqual({ code: "BAD_USER_INPUT" });
  });

  it("is a node with an id of its own", async () => {
    const { id } = await made([1]);
    const { data } = await server.post("query ($id: ID!) { node(id: $id) { __typename id } }", { id });
    expect(data.node).toEqual({ __typename: "Batch", id });
  });
});

describe("batches", () => {
  it("are listed page by page, the newest first, by pipeline and by whether they are open", async () => {
    const ids = [(await made([1])).id, (await made([1])).id, (await made([1])).id].toReversed();
    await end(await jobsOf(ids[1] ?? ""), "succeed");
    await completeBatches(server.jobs, null);
    const list = async (filter: object, page: object) => {
      const { data, errors } = await server.post(
        `query ($filter: BatchFilter, $first: Int, $after: String, $last: Int, $before: String) {
          batches(filter: $filter, first: $first, after: $after, last: $last, before: $before) {
            nodes { id state progress { done } } pageInfo { endCursor hasNextPage }
          }
        }`,
        { filter, ...page },
      );
      expect(errors).toBeUndefined();
      return data.batches;
    };
    const first = await list({}, { first: 2 });
    expect(first.nodes).toEqual([
      { id: ids[0], state: "RUNNING", progress: { done: 0 } },
      { id: ids[1], state: "SUCCEEDED", progress: { done: 1 } },
    ]);
    const second = await list({}, { first: 1, after: first.pageInfo.endCursor });
    expect(second.nodes.map(({ id }: { id: string }) => id)).toEqual([ids[2]]);
    const open = await list({ pipeline: "bakery/bread", open: true }, { first: 2 });
    expect(open.nodes.map(({ id }: { id: string }) => id)).toEqual([ids[0], ids[2]]);
    expect((await list({ project: "bikes" }, { first: 2 })).nodes).toEqual([]);
  });
});

describe("subscriptions", () => {
  it("batchEvents tells the log, then what follows, and ends when the batch is complete", async () => {
    const { id, jobs } = await made([1]);
    const document =
      "subscription ($id: ID!, $after: String) { batchEvents(batchId: $id, after: $after) { cursor type } }";
    const events = server.subscribe(document, { id });
    const [first] = await collect(events, 1);
    expect(first?.data.batchEvents.type).toBe("batch.enqueued");
    const resumed = server.subscribe(document, { id, after: first?.data.batchEvents.cursor });
    await end(jobs, "succeed");
    await completeBatches(server.jobs, null);
    for (const stream of [events, resumed]) {
      expect((await collect(stream)).map(({ data }) => data.batchEvents.type)).toEqual(["batch.completed"]);
    }
  });

  it("batchChanged shows the batch as it is, then as it changes", async () => {
    const { id, jobs } = await made([1, 2]);
    const changes = server.subscribe(
      "subscription ($ids: [ID!]!) { batchChanged(ids: $ids) { id state progress { done } } }",
      { ids: [id] },
    );
    const until = async (expected: object) => {
      for (;;) {
        const [change] = await collect(changes, 1);
        if (change === undefined) throw new Error("it has ended");
        if (JSON.stringify(change.data.batchChanged) === JSON.stringify({ id, ...expected })) return;
      }
    };
    await until({ state: "RUNNING", progress: { done: 0 } });
    await end(jobs.slice(0, 1), "succeed");
    server.jobs.wakeups.ring("events", jobs.slice(0, 1));
    await until({ state: "RUNNING", progress: { done: 1 } });
    await end(jobs.slice(1), "succeed");
    await completeBatches(server.jobs, null);
    await until({ state: "SUCCEEDED", progress: { done: 2 } });
    await changes.return(undefined);
  });

  it("jobChanged and feed let through the jobs of a batch alone", async () => {
    const [other, { id, jobs }] = [await made([1]), await made([1])];
    const feed = server.subscribe(
      "subscription ($batch: ID!) { feed(filter: { batch: $batch }) { event { type job { batch { id } } } } }",
      { batch: id },
    );
    await collect(feed, 1); // the mark
    await end([...other.jobs, ...jobs], "succeed");
    server.jobs.wakeups.ring("events", [...other.jobs, ...jobs]);
    const events = (await collect(feed, 2)).map(({ data }) => data.feed.event);
    expect(events).toEqual(["job.started", "job.succeeded"].map((type) => ({ type, job: { batch: { id } } })));
    await feed.return(undefined);
    const wrong = server.subscribe('subscription { jobChanged(filter: { batch: "job_x" }) { id } }');
    await expect(collect(wrong, 1)).resolves.toMatchObject([{ errors: [{ extensions: { code: "BAD_USER_INPUT" } }] }]);
  });
});
