import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { Database } from "../../src/db/client.ts";
import { idText, uuidOf } from "../../src/domain/ids.ts";
import { collect } from "../support/collect.ts";
import { testDatabase } from "../support/database.ts";
import { finishJob, insertJob } from "../support/factories.ts";
import { type Answer, type TestServer, testServer } from "../support/server.ts";
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

const enqueue = `mutation ($input: EnqueueJobInput!) {
  enqueueJob(input: $input) {
    __typename
    ... on EnqueueJobSuccess { replayed plan { codeHash nodes count } job { id state inputs config finalVars tags priority queue actor requestedBy timeoutMs onWorkerLost
      validated maxAttempts runAt expiresAt waitingFor lastCursor options { logLevel runtime results reuse recompute executor { type maxWorkers numCpus } }
      retry { maxRetries retryDelayMs jitterFactor retryExceptions } } }
    ... on Error { code message path }
    ... on InvalidRunError { problems { path message suggestion } }
    ... on NotFoundError { suggestion }
    ... on IdempotencyConflictError { existingJob { id } }
  }
}`;

async function enqueued(input: object): Promise<string> {
  const { data, errors } = await server.post(enqueue, { input });
  expect(errors).toBeUndefined();
  expect(data.enqueueJob).toMatchObject({ __typename: "EnqueueJobSuccess" });
  return data.enqueueJob.job.id;
}

describe("enqueueJob", () => {
  it("hides what is named like a secret in what it shows, and nowhere else", async () => {
    const config = { warehouse: { apiToken: "t0ken", max_tokens: 5 }, url: "postgres://etl:s3cret@db/shop" };
    const { data } = await server.post(enqueue, { input: { pipeline: "bread", config } });
    const { job } = data.enqueueJob;
    expect(job.config).toEqual({
      warehouse: { apiToken: "*****", max_tokens: 5 },
      url: "postgres://etl:*****@db/shop",
    });
    const [stored] = await db.sql`select config from job_requests where job_id = ${uuidOf("job", job.id)}`;
    expect(stored).toEqual({ config });
  });

  it("makes a job of the least that has to be said", async () => {
    const { data } = await server.post(enqueue, { input: { pipeline: "bread" } });
    expect(data.enqueueJob).toEqual({
      __typename: "EnqueueJobSuccess",
      replayed: false,
      plan: { codeHash: "c0de", nodes: ["flour", "dough"], count: 2 },
      job: {
        id: expect.stringMatching(/^job_[0-9a-z]{26}$/),
        state: "QUEUED",
        inputs: {},
        config: {},
        finalVars: null,
        tags: [],
        priority: 50,
        queue: "default",
        actor: "local",
        requestedBy: null,
        timeoutMs: null,
        onWorkerLost: "RETRY",
        validated: true,
        maxAttempts: 1,
        runAt: expect.stringMatching(/Z$/),
        expiresAt: null,
        waitingFor: "no worker has project bakery",
        lastCursor: expect.any(String),
        options: { logLevel: null, runtime: null, results: null, reuse: null, recompute: [], executor: null },
        retry: null,
      },
    });
  });

  it("keeps all that can be said", async () => {
    const input = {
      project: "bakery",
      pipeline: "bread",
      inputs: { flour: 7 },
      finalVars: ["dough"],
      config: {},
      executor: { type: "THREADPOOL", maxWorkers: 4 },
      logLevel: "DEBUG",
      runtime: "FRESH",
      results: "SUMMARY",
      reuse: "FULL",
      recompute: ["dough"],
      queue: "default",
      priority: 100,
      tags: ["a", "b"],
      runAt: "2999-01-01T01:00:00+01:00",
      expiresAt: "2999-01-02T00:00:00Z",
      timeoutMs: 60000,
      retry: {
        maxRetries: 2,
        retryDelayMs: 500,
        jitterFactor: 0.5,
        retryExceptions: ["ConnectionError", "requests.exceptions.Timeout"],
      },
      onWorkerLost: "FAIL",
      idempotencyKey: "all",
      onReplay: "NEW_IF_FAILED",
      requestedBy: "zoë@example.org",
    };
    const { data } = await server.post(enqueue, { input });
    expect(data.enqueueJob.job).toMatchObject({
      state: "SCHEDULED",
      inputs: { flour: 7 },
      finalVars: ["dough"],
      options: {
        logLevel: "DEBUG",
        runtime: "FRESH",
        results: "SUMMARY",
        reuse: "FULL",
        recompute: ["dough"],
        executor: { type: "THREADPOOL", maxWorkers: 4, numCpus: null },
      },
      priority: 100,
      tags: ["a", "b"],
      runAt: "2999-01-01T00:00:00.000Z",
      expiresAt: "2999-01-02T00:00:00.000Z",
      timeoutMs: 60000,
      retry: {
        maxRetries: 2,
        retryDelayMs: 500,
        jitterFactor: 0.5,
        retryExceptions: ["ConnectionError", "requests.exceptions.Timeout"],
      },
      maxAttempts: 3,
      onWorkerLost: "FAIL",
      requestedBy: "zoë@example.org",
      waitingFor: "due 2999-01-01T00:00:00.000Z",
    });
  });

  it("returns the job of then for a key that was used, and a conflict for another request", async () => {
    const input = { pipeline: "bakery/bread", inputs: { flour: 1 }, idempotencyKey: "k1" };
    const answers = await Promise.all(Array.from({ length: 20 }, () => server.post(enqueue, { input })));
    const jobs = answers.map(({ data }) => data.enqueueJob.job.id);
    expect(new Set(jobs).size).toBe(1);
    expect(answers.filter(({ data }) => !data.enqueueJob.replayed)).toHaveLength(1);
    const other = await server.post(enqueue, { input: { ...input, inputs: { flour: 2 } } });
    expect(other.data.enqueueJob).toMatchObject({
      __typename: "IdempotencyConflictError",
      code: "CONFLICT",
      path: "input.idempotencyKey",
      existingJob: { id: jobs[0] },
    });
    expect(other.status).toBe(200);
  });

  it("returns the job of then although its pipeline is gone", async () => {
    await db.sql`
      insert into pipelines (project, name, status, code_hash, description, last_good, published_at)
      select project, 'rolls', status, code_hash, description, last_good, published_at from pipelines where name = 'bread'`;
    const input = { pipeline: "bakery/rolls", idempotencyKey: "rolls-1" };
    const id = await enqueued(input);
    await db.sql`delete from pipelines where name = 'rolls'`;
    await vi.waitFor(async () => {
      const { data } = await server.post(enqueue, { input: { pipeline: "bakery/rolls" } });
      expect(data.enqueueJob).toMatchObject({ __typename: "NotFoundError" });
    }, 5000);
    const { data } = await server.post(enqueue, { input });
    expect(data.enqueueJob).toMatchObject({ __typename: "EnqueueJobSuccess", replayed: true, job: { id } });
  });

  it.each([
    [
      { pipeline: "brad" },
      { __typename: "NotFoundError", code: "NOT_FOUND", path: "input.pipeline", suggestion: "bread" },
    ],
    [
      { pipeline: "bread", project: "bakeri" },
      { __typename: "NotFoundError", path: "input.project", suggestion: "bakery" },
    ],
    [
      { pipeline: "bikes/bread", project: "bakery" },
      { __typename: "BadInputError", code: "BAD_USER_INPUT", path: "input.pipeline" },
    ],
    [
      { pipeline: "bread", queue: "nowhere" },
      { __typename: "NotFoundError", path: "input.queue" },
    ],
    [
      { pipeline: "bread", inputs: { flouer: 1 } },
      {
        __typename: "InvalidRunError",
        code: "INVALID_RUN",
        problems: [{ path: "input.inputs.flouer", suggestion: "flour" }],
      },
    ],
    [
      { pipeline: "bread", inputs: { flour: "seven" } },
      { __typename: "InvalidRunError", problems: [{ path: "input.inputs.flour" }] },
    ],
    [{ pipeline: "bread", finalVars: ["crust"] }, { __typename: "InvalidRunError" }],
    [
      { pipeline: "bread", recompute: ["flour", "doug"] },
      { __typename: "InvalidRunError", problems: [{ path: "input.recompute.1", suggestion: "dough" }] },
    ],
    [
      { pipeline: "bread", finalVars: [] },
      { __typename: "InvalidRunError", problems: [{ path: "input.finalVars" }] },
    ],
    [{ pipeline: "__proto__" }, { __typename: "NotFoundError" }],
    [{ pipeline: "constructor/toString" }, { __typename: "NotFoundError" }],
  ])("says as data what is wrong with %j", async (input, expected) => {
    const { data, errors } = await server.post(enqueue, { input });
    expect(errors).toBeUndefined();
    expect(data.enqueueJob).toMatchObject(expected);
  });

  it.each([
    [{ priority: 101 }, "input.priority"],
    [{ priority: -1 }, "input.priority"],
    [{ pipeline: "" }, "input.pipeline"],
    [{ pipeline: "x".repeat(300) }, "input.pipeline"],
    [{ tags: Array.from({ length: 21 }, String) }, "input.tags"],
    [{ tags: [""] }, "input.tags.0"],
    [{ queue: "a b" }, "input.queue"],
    [{ queue: "../x" }, "input.queue"],
    [{ timeoutMs: 0 }, "input.timeoutMs"],
    [{ retry: { maxRetries: 101 } }, "input.retry.maxRetries"],
    [{ retry: { maxRetries: 1, jitterFactor: 1.5 } }, "input.retry.jitterFactor"],
    [{ retry: { maxRetries: 1, retryExceptions: ["os.system('x')"] } }, "input.retry.retryExceptions.0"],
    [{ executor: { maxWorkers: 0 } }, "input.executor.maxWorkers"],
    [{ idempotencyKey: "" }, "input.idempotencyKey"],
    [{ requestedBy: "x".repeat(256) }, "input.requestedBy"],
    [{ inputs: { a: "x".repeat(300_000) } }, "input.inputs"],
    [{ inputs: { a: nested(70) } }, "input.inputs"],
    [{ config: Object.fromEntries(Array.from({ length: 10_001 }, (_, n) => [`k${n}`, n])) }, "input.config"],
  ])("refuses the shape of case %#", async (part, path) => {
    const { data, errors, status } = await server.post(enqueue, { input: { pipeline: "bread", ...part } });
    expect(errors).toMatchObject([{ extensions: { code: "BAD_USER_INPUT", path } }]);
    expect(data ?? null).toBeNull();
    expect(status).toBe(400);
  });

  it("says which names a queue can have", async () => {
    const { errors } = await server.post(enqueue, { input: { pipeline: "bread", queue: "nächtlich" } });
    const message = expect.stringMatching(/^input\.queue: The name cannot be used: letters from A to Z, digits/);
    expect(errors).toMatchObject([{ message }]);
  });

  it("gives back JSON as it was given", async () => {
    const config = {
      text: "naïve 🥖 \u2028",
      list: [1, 2.5, -0.001, 1e-7, true, null],
      nested: { "": {}, constructor: 1, toString: [] },
      big: 9007199254740991,
    };
    const { data } = await server.post(enqueue, { input: { pipeline: "bread", config, inputs: {} } });
    expect(data.enqueueJob.job.config).toEqual(config);
  });
});

function nested(depth: number): object {
  return depth === 0 ? {} : { a: nested(depth - 1) };
}

describe("cancelJob", () => {
  const cancel = `mutation ($input: CancelJobInput!) {
    cancelJob(input: $input) {
      __typename
      ... on CancelJobSuccess { job { id state cancelRequestedAt } }
      ... on Error { code path message }
      ... on JobStateError { state }
    }
  }`;

  it("ends a job that waits, and says who and why in its log", async () => {
    const id = await enqueued({ pipeline: "bread" });
    const { data } = await server.post(cancel, { input: { id, reason: "stale" } });
    expect(data.cancelJob).toEqual({
      __typename: "CancelJobSuccess",
      job: { id, state: "CANCELLED", cancelRequestedAt: null },
    });
    const { data: log } = await server.post(
      "query ($id: ID!) { job(id: $id) { events { nodes { type ... on JobCancelled { actor reason } } } } }",
      { id },
    );
    expect(log.job.events.nodes.at(-1)).toEqual({ type: "job.cancelled", actor: "local", reason: "stale" });
    const again = await server.post(cancel, { input: { id } });
    expect(again.data.cancelJob).toMatchObject({
      __typename: "JobStateError",
      code: "CONFLICT",
      state: "CANCELLED",
      path: "input.id",
    });
  });

  it("asks the worker of a running one", async () => {
    const id = idText("job", await insertJob(db, { state: "running" }));
    const { data } = await server.post(cancel, { input: { id } });
    expect(data.cancelJob.job).toEqual({ id, state: "RUNNING", cancelRequestedAt: expect.any(String) });
  });

  it("knows no other job", async () => {
    const { data } = await server.post(cancel, { input: { id: idText("job", db.ids.next()) } });
    expect(data.cancelJob).toMatchObject({ __typename: "NotFoundError", path: "input.id" });
    const { errors } = await server.post(cancel, { input: { id: "job_x" } });
    expect(errors).toMatchObject([{ extensions: { code: "BAD_USER_INPUT", path: "input.id" } }]);
  });
});

describe("a job", () => {
  it("tells how long it waited, from when it could have started, however long that was", async () => {
    const waited = async (createdAt: string, runAt: string) => {
      const id = await insertJob(db, { state: "running" });
      await db.sql`update jobs set created_at = ${createdAt}, run_at = ${runAt}, started_at = '2026-06-01' where id = ${id}`;
      const { data } = await server.post("query ($id: ID!) { job(id: $id) { waitedMs } }", { id: idText("job", id) });
      return data.job.waitedMs;
    };
    const day = 24 * 3_600_000;
    expect(await waited("2026-05-31", "2016-01-01")).toBe(day);
    expect(await waited("2026-01-01", "2026-05-31")).toBe(day);
    expect(await waited("2026-02-01", "2026-02-01")).toBe(120 * day);
  });

  it("shows its attempts, nodes, results and error", async () => {
    const id = idText("job", await insertRun(db));
    const { data, errors } = await server.post(
      `query ($id: ID!) { job(id: $id) {
        id state errorKind error { kind type message node problems { path } } progress { done total } runMs waitedMs
        attempts { nodes { id number outcome durationMs errorKind worker { id host } nodeRuns { nodes { node } } results { name } } }
        lastAttempt { number path neverRan } nodeRuns { nodes { id node branch state durationMs summary { type bytes preview } } }
        results { name hasValue value omitted summary { type } }
        events { nodes { __typename ... on JobFailed { error { kind message node } } job { id } } edges { cursor } pageInfo { hasNextPage } }
      } }`,
      { id },
    );
    expect(errors).toBeUndefined();
    expect(data.job).toMatchObject({
      id,
      state: "FAILED",
      errorKind: "PIPELINE",
      error: { kind: "PIPELINE", type: "ValueError", message: "no flour", node: "dough", problems: [] },
      attempts: {
        nodes: [
          { number: 1, outcome: "RETRY", durationMs: 1000, worker: { host: "localhost" } },
          {
            number: 2,
            outcome: "FAIL",
            nodeRuns: { nodes: [{ node: "node_1" }, { node: "node_2" }, { node: "node_3" }] },
            results: [{ name: "dough" }],
          },
        ],
      },
      lastAttempt: { number: 2, path: ["node_1", "node_2", "node_3", "oven"], neverRan: ["oven"] },
      results: [{ name: "dough", hasValue: true, value: [1, 2], omitted: null, summary: { type: "list" } }],
      events: {
        nodes: [
          { __typename: "JobFailed", error: { kind: "PIPELINE", message: "no flour", node: "dough" }, job: { id } },
        ],
      },
    });
    expect(data.job.nodeRuns.nodes).toHaveLength(3);
    expect(data.job.nodeRuns.nodes[0]).toMatchObject({
      node: "node_1",
      branch: null,
      state: "SUCCEEDED",
      durationMs: 1.5,
      summary: { type: "int", bytes: 28, preview: "3" },
    });
    for (const other of [
      data.job.attempts.nodes[0].id,
      data.job.attempts.nodes[0].worker.id,
      data.job.nodeRuns.nodes[0].id,
    ]) {
      const { data: found } = await server.post("query ($id: ID!) { node(id: $id) { __typename id } }", { id: other });
      expect(found.node.id).toBe(other);
    }
  });

  it("is null when there is none, and a malformed id is refused", async () => {
    const read = async (id: string) => await server.post("query ($id: ID!) { job(id: $id) { id } }", { id });
    expect(await read(idText("job", db.ids.next()))).toMatchObject({ status: 200, data: { job: null } });
    for (const id of [
      "",
      "job_",
      "job_zzzzzzzzzzzzzzzzzzzzzzzzzz",
      idText("attempt", db.ids.next()),
      "1",
      "__proto__",
    ]) {
      expect(await read(id)).toMatchObject({
        status: 400,
        errors: [{ extensions: { code: "BAD_USER_INPUT", path: "id" } }],
      });
    }
  });

  it("shows an event that a newer server has written as it is", async () => {
    const id = await insertJob(db);
    await db.sql`
      insert into events (job_id, seq, life, type, version, recorded_at, occurred_at, data)
      values (${id}, 2, 1, 'job.baked', 3, queue_now(), queue_now(), '{"crust": "dark"}'),
        (${id}, 3, 1, 'job.queued', 99, queue_now(), queue_now(), '{}')`;
    const { data } = await server.post(
      "query ($id: ID!) { job(id: $id) { events { nodes { __typename type ... on UnknownEvent { data } } } } }",
      { id: idText("job", id) },
    );
    expect(data.job.events.nodes).toEqual([
      { __typename: "JobEnqueued", type: "job.enqueued" },
      { __typename: "UnknownEvent", type: "job.baked", data: { crust: "dark" } },
      { __typename: "UnknownEvent", type: "job.queued", data: {} },
    ]);
  });

  it("shows its events page by page", async () => {
    const id = await insertJob(db);
    await db.sql`
      insert into events (job_id, seq, life, type, version, recorded_at, occurred_at, data)
      select ${id}, n, 1, 'job.queued', 1, queue_now(), queue_now(), '{}' from generate_series(2, 30) n`;
    const query =
      "query ($id: ID!, $after: String) { job(id: $id) { events(first: 12, after: $after) { nodes { seq } pageInfo { hasNextPage endCursor } } } }";
    const seqs: number[] = [];
    let after: string | null = null;
    do {
      // biome-ignore lint/suspicious/noExplicitAny: what was asked for, one line above
      const { data }: Answer<any> = await server.post(query, { id: idText("job", id), after });
      seqs.push(...data.job.events.nodes.map(({ seq }: { seq: number }) => seq));
      after = data.job.events.pageInfo.hasNextPage ? data.job.events.pageInfo.endCursor : null;
    } while (after !== null);
    expect(seqs).toEqual(Array.from({ length: 30 }, (_, n) => n + 1));
    const { errors } = await server.post(query, { id: idText("job", id), after: "nonsense" });
    expect(errors).toMatchObject([{ extensions: { code: "BAD_CURSOR" } }]);
  });
});

describe("jobByRef", () => {
  const byRef = `query ($ref: String!) { jobByRef(ref: $ref) {
    __typename ... on Job { id pipeline } ... on Error { code path } ... on AmbiguousRefError { candidates } } }`;
  const find = async (ref: string) => (await server.post(byRef, { ref })).data?.jobByRef;

  it("finds the last one, of all and of a pipeline", async () => {
    const bread = await enqueued({ pipeline: "bread" });
    const other = idText("job", await insertJob(db));
    expect(await find("@last")).toMatchObject({ id: other });
    expect(await find("bread@last")).toMatchObject({ id: bread });
    expect(await find("bakery/bread@last")).toMatchObject({ id: bread });
  });

  it("finds an id by all of it and by its end", async () => {
    const id = await enqueued({ pipeline: "bread" });
    for (const ref of [id, id.slice(-6), id.slice(-13), id.slice(4), `job_${id.slice(-8)}`]) {
      expect(await find(ref), ref).toMatchObject({ id });
    }
  });

  it("refuses an end that fits several, and names them", async () => {
    const ids = ["0192ffff-0000-7000-8000-00000abcdef1", "0192ffff-0000-7000-9000-00000abcdef1"];
    for (const id of ids) await insertJob(db, { id });
    const shown = ids.map((id) => idText("job", id)).toReversed();
    expect(await find(shown[0]!.slice(-6))).toEqual({
      __typename: "AmbiguousRefError",
      code: "AMBIGUOUS",
      path: "ref",
      candidates: shown,
    });
  });

  it.each(["", "@first", "abc", "no-such", "uuuuuu", "ABCDEF", "%%%%%%", "______", "'; --   ", "x".repeat(100)])(
    "refuses %j",
    async (ref) => {
      expect(await find(ref)).toMatchObject({ __typename: "BadInputError", code: "BAD_USER_INPUT", path: "ref" });
    },
  );

  it.each(["zzzzzz", "job_01j00000000000000000000000", "cake@last", "no-such@last", "no-such/bread@last"])(
    "finds nothing by %s",
    async (ref) => {
      expect(await find(ref)).toMatchObject({ __typename: "NotFoundError", path: "ref" });
    },
  );
});

describe("pipelines and projects", () => {
  it("are not listed after a cursor that holds what Postgres cannot", async () => {
    const after = Buffer.from("pipelines\nbakery\u0000\nbread").toString("base64url");
    const { errors } = await server.post("query ($after: String) { pipelines(after: $after) { nodes { id } } }", {
      after,
    });
    expect(errors).toMatchObject([{ extensions: { code: "BAD_CURSOR", path: "after" } }]);
  });

  it("are listed with what a form needs", async () => {
    const { data, errors } = await server.post(`{
      pipelines(filter: { project: "bakery" }) { nodes { id qualifiedName status error { message } inputs { name type schema required default { source } }
        finalVars leaves graph { nodes { name kind dependsOn } } project { name } } }
      projects { nodes { id name environment { pythonVersion flowerpower } pipelines { name } workers { host } error { message } warnings { path } } }
      pipeline(name: "bakery/bread") { name } none: pipeline(name: "pizza") { name } project(name: "bakery") { name }
      queues { id name pausedAt } workers { nodes { host } } server { version actor scopes limits { depth } postgresVersion health { feedLagMs horizonHolder { pid } } }
    }`);
    expect(errors).toBeUndefined();
    expect(data.pipelines.nodes).toMatchObject([
      {
        id: "pip_bakery/bread",
        qualifiedName: "bakery/bread",
        status: "OK",
        error: null,
        inputs: [{ name: "flour", type: "int", schema: { type: "integer" }, required: false }],
        finalVars: ["dough"],
        graph: {
          nodes: [
            { name: "flour", kind: "FUNCTION", dependsOn: [] },
            { name: "dough", dependsOn: ["flour"] },
          ],
        },
        project: { name: "bakery" },
      },
      { id: "pip_bakery/cake", status: "BROKEN" },
    ]);
    expect(data.projects.nodes).toMatchObject([
      {
        name: "bakery",
        environment: { pythonVersion: "3.11.7", flowerpower: "0.37.0" },
        pipelines: [{ name: "bread" }, { name: "cake" }],
        error: null,
      },
    ]);
    expect(data).toMatchObject({
      pipeline: { name: "bread" },
      none: null,
      project: { name: "bakery" },
      queues: [{ id: "que_default", name: "default" }],
    });
    expect(data.server).toMatchObject({ version: "0.0.0-test", actor: "local", limits: { depth: 12 } });
  });

  it.each(["que_default", "pip_bakery/bread"])("have the id %s", async (id) => {
    const { data } = await server.post("query ($id: ID!) { node(id: $id) { id } }", { id });
    expect(data.node).toEqual({ id });
  });

  it.each(["que_none", "pip_a/b", idText("project", "01920001-0000-7000-8000-000000000001")])(
    "are null for %s",
    async (id) => {
      const { data, errors } = await server.post("query ($id: ID!) { node(id: $id) { id } }", { id });
      expect(errors).toBeUndefined();
      expect(data.node).toBeNull();
    },
  );

  it.each(["", "x", "pip_", "pip_a", "pip_a/b/c", "Sm9iOjE=", "__proto__", "constructor_x"])(
    "are not asked for by the id %j",
    async (id) => {
      const { errors } = await server.post("query ($id: ID!) { node(id: $id) { id } }", { id });
      expect(errors).toMatchObject([{ extensions: { code: "BAD_USER_INPUT", path: "id" } }]);
    },
  );

  it("keep the last good version of a pipeline that is broken", async () => {
    const { data } = await server.post('{ pipeline(name: "bakery/cake") { status graph { nodes { name } } } }');
    expect(data.pipeline.status).toBe("BROKEN");
  });
});

describe("rights", () => {
  it("refuse every root field without its scope, as a top-level error", async () => {
    await using nobody = await testServer(db, { identify: () => ({ name: "nobody", scopes: new Set() }) });
    for (const query of [
      "{ queues { name } }",
      '{ job(id: "job_01j00000000000000000000000") { id } }',
      '{ node(id: "que_default") { id } }',
    ]) {
      expect(await nobody.post(query)).toMatchObject({ status: 403, errors: [{ extensions: { code: "FORBIDDEN" } }] });
    }
    expect(await nobody.post(enqueue, { input: { pipeline: "bread" } })).toMatchObject({
      status: 403,
      errors: [{ extensions: { code: "FORBIDDEN" } }],
    });
    const [event] = await collect(
      nobody.subscribe('subscription { jobEvents(jobId: "job_01j00000000000000000000000") { seq } }'),
    );
    expect(event).toMatchObject({ errors: [{ extensions: { code: "FORBIDDEN" } }] });
  });

  it("hide payloads from who may only read", async () => {
    await using reader = await testServer(db, {
      identify: () => ({ name: "reader", scopes: new Set(["read"] as const) }),
    });
    const id = idText("job", await insertRun(db));
    const { data, errors } = await reader.post(
      "query ($id: ID!) { job(id: $id) { state inputs config results { name value summary { type preview } } lastAttempt { context } } }",
      { id },
    );
    expect(errors).toBeUndefined();
    expect(data.job).toEqual({
      state: "FAILED",
      inputs: null,
      config: null,
      results: [{ name: "dough", value: null, summary: { type: "list", preview: null } }],
      lastAttempt: { context: null },
    });
  });

  it("are those of the moment for each event of a stream", async () => {
    let scopes = new Set(["read", "payloads"] as const);
    await using server = await testServer(db, {
      identify: () => ({
        name: "passing",
        get scopes() {
          return scopes;
        },
      }),
    });
    const id = await insertJob(db);
    const stream = server.subscribe("subscription ($id: ID!) { jobEvents(jobId: $id) { seq job { state } } }", {
      id: idText("job", id),
    });
    expect((await stream.next()).value).toMatchObject({ data: { jobEvents: { seq: 1 } } });
    scopes = new Set();
    await db.sql.begin((sql) => finishJob(sql, id));
    expect((await stream.next()).value).toMatchObject({ errors: [{ extensions: { code: "FORBIDDEN" } }] });
  });
});
