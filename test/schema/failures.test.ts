import { drizzle } from "drizzle-orm/postgres-js";
import type postgres from "postgres";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { graphileWorker as backend } from "../../src/backends/graphile-worker/backend.ts";
import type { Database } from "../../src/db/client.ts";
import { relations } from "../../src/db/relations.ts";
import { idText } from "../../src/domain/ids.ts";
import type { JsonObject } from "../../src/domain/json.ts";
import { openWrites } from "../../src/worker/writes.ts";
import { testDatabase } from "../support/database.ts";
import { silentWakeups } from "../support/jobs.ts";
import { runningJob } from "../support/running.ts";
import { type TestServer, testServer } from "../support/server.ts";
import { publishBakery } from "./bakery.ts";

let db: Database;
let server: TestServer;
/** What was last read of failures. */
let reads: { query: string; params: unknown[] }[] = [];
const groups = 3000;

beforeAll(async () => {
  db = await testDatabase();
  await publishBakery(db);
  // Three pipelines of two projects; one in seven is open. Several are seen in the same moment.
  await db.sql`
    insert into failure_groups (project, pipeline, node, error_class, code_hash, error_kind, count, first_seen_at, last_seen_at,
      last_job_id, last_message, closed_at, closed_by)
    select case when n % 3 = 0 then 'bikes' else 'shop' end, 'pipeline_' || n % 3, 'node_' || n, 'KeyError', 'c0de', 'PIPELINE', n,
      queue_now() - interval '1 day', queue_now() - (n / 4) * interval '1 s', gen_random_uuid(), 'm',
      case when n % 7 > 0 then queue_now() end, case when n % 7 > 0 then gen_random_uuid() end
    from generate_series(1, ${groups}::int) n`;
  await db.sql`analyze failure_groups`;
  const client = (db.reads as unknown as { $client: postgres.Sql }).$client;
  const logQuery = (query: string, params: unknown[]) => {
    if (query.includes("failure_groups")) reads.push({ query, params });
  };
  server = await testServer({ ...db, reads: drizzle({ client, relations, logger: { logQuery } }) as never });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await db[Symbol.asyncDispose]();
});

async function page(args: string) {
  const { data, errors } = await server.post(
    `{ failures(${args}) { nodes { id node isOpen project pipeline lastSeenAt } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }`,
  );
  return { errors, ...data?.failures };
}

const filters = [
  ["", "true"],
  ["open: true", "closed_at is null"],
  ["open: false", "closed_at is not null"],
  ['project: "shop"', "project = 'shop'"],
  ['project: "shop", open: true', "project = 'shop' and closed_at is null"],
  ['project: "shop", open: false', "project = 'shop' and closed_at is not null"],
  ['pipeline: "shop/pipeline_1"', "pipeline = 'pipeline_1'"],
  ['pipeline: "shop/pipeline_1", open: true', "pipeline = 'pipeline_1' and closed_at is null"],
  ['project: "shop", pipeline: "pipeline_1", open: false', "pipeline = 'pipeline_1' and closed_at is not null"],
] as const;

describe.each(filters)("failures with { %s }", (filter, condition) => {
  it("are walked in both directions, each exactly once, the last seen first", async () => {
    const expected = await db.sql<{ id: string }[]>`
      select id from failure_groups where ${db.sql.unsafe(condition)} order by last_seen_at desc, id desc`;
    const forth: string[] = [];
    for (let after = ""; ; ) {
      const { nodes, pageInfo } = await page(`first: 100, filter: { ${filter} } ${after}`);
      forth.push(...nodes.map(({ id }: { id: string }) => id));
      if (!pageInfo.hasNextPage) break;
      after = `, after: "${pageInfo.endCursor}"`;
    }
    expect(forth).toEqual(expected.map(({ id }) => idText("failure", id)));
    const back: string[] = [];
    for (let before = ""; ; ) {
      const { nodes, pageInfo } = await page(`last: 100, filter: { ${filter} } ${before}`);
      back.unshift(...nodes.map(({ id }: { id: string }) => id));
      if (!pageInfo.hasPreviousPage) break;
      before = `, before: "${pageInfo.startCursor}"`;
    }
    expect(back).toEqual(forth);
  }, 60_000);

  it("are read by their index, and sorted by it", async () => {
    const { pageInfo } = await page(`first: 10, filter: { ${filter} }`);
    reads = [];
    await page(`first: 10, filter: { ${filter} }, after: "${pageInfo.endCursor}"`);
    expect(reads.length).toBeGreaterThan(0);
    for (const { query, params } of reads) {
      const plan = JSON.stringify(await db.sql.unsafe(`explain (format json) ${query}`, params as never[]));
      expect(plan).toMatch(/failure_groups_(open|closed)/);
      expect(plan).not.toContain('"Sort"');
      expect(plan).not.toContain("Seq Scan");
    }
  });
});

describe("failures", () => {
  it.each([
    ["first: 101", "BAD_USER_INPUT"],
    ['after: "x"', "BAD_CURSOR"],
    [`after: "${Buffer.from("failures\nx\n2026").toString("base64url")}"`, "BAD_CURSOR"],
    ['filter: { pipeline: "pipeline_1" }', "BAD_USER_INPUT"],
  ])("refuse %s", async (args, code) => {
    expect((await page(args)).errors).toMatchObject([{ extensions: { code } }]);
  });
});

const error = {
  kind: "PIPELINE" as const,
  type: "KeyError",
  message: "'flour'",
  node: "dough",
  branch: "b1",
  file: "pipelines/bread.py",
  line: 4,
  code: "return flour[0]",
  excerpt: { from: 3, lines: ["def dough(flour):", "    return flour[0]"] },
  problems: [],
};

/** A run of `bakery/bread` that is under way, with two nodes that have failed. */
async function failingRun() {
  const started = await runningJob(db, { project: "bakery", pipeline: "bread" });
  const { jobId, attempt } = started;
  await db.sql`
    update attempts set code_hash = 'c0de', context = '{"path": ["flour", "dough", "loaf", "crust"]}'
    where job_id = ${jobId}`;
  const summary = { type: "int", preview: "3" };
  await db.sql`
    insert into node_runs (job_id, attempt, node, branch, first_seq, state, ended_at, inputs, error) values
      (${jobId}, ${attempt}, 'flour', '', 1, 'succeeded', queue_now(), null, null),
      (${jobId}, ${attempt}, 'dough', 'b1', 2, 'failed', queue_now(), ${db.sql.json({ flour: summary })}, ${db.sql.json(error)}),
      (${jobId}, ${attempt}, 'dough', 'b2', 3, 'failed', queue_now() - interval '1 s', ${db.sql.json({ flour: { ...summary, preview: "4" } })}, ${db.sql.json(error)})`;
  const end = (name: "fail" | "succeed", why: object = error) =>
    openWrites(db, backend, silentWakeups()).end({
      name,
      move: {
        id: jobId,
        attempt,
        data: name === "fail" ? { error } : ({} as never),
        ...(name === "fail" ? { error: why as JsonObject, errorKind: "PIPELINE" as const } : {}),
      },
      runToken: started.runToken,
      artifacts: [],
      storedMs: null,
    });
  return { jobId, end };
}

const document = `query ($id: ID!) { job(id: $id) {
  failure { node branch error { type message } inputs neverRan code { number text isFailing } }
  attempts { nodes { failure { node } } }
  failureGroup { id node errorClass errorKind codeHash count lastMessage isOpen closedAt closedById lastJobId lastJob { id state } closedBy { id } }
} }`;

async function read(jobId: string) {
  const { data, errors } = await server.post(document, { id: idText("job", jobId) });
  expect(errors).toBeUndefined();
  return data.job;
}

describe("Job.failure and Job.failureGroup", () => {
  it("tell the root of it, what it was called with, its code, what never ran, and how often it was so", async () => {
    const first = await failingRun();
    expect(await read(first.jobId)).toEqual({
      failure: null,
      failureGroup: null,
      attempts: { nodes: [{ failure: null }] },
    });
    await first.end("fail");
    const second = await failingRun();
    await second.end("fail");
    const job = await read(first.jobId);
    expect(job.failure).toEqual({
      node: "dough",
      branch: "b1",
      error: { type: "KeyError", message: "'flour'" },
      inputs: { flour: { type: "int", preview: "3" } },
      neverRan: ["loaf", "crust"],
      code: [
        { number: 3, text: "def dough(flour):", isFailing: false },
        { number: 4, text: "    return flour[0]", isFailing: true },
      ],
    });
    expect(job.attempts.nodes).toEqual([{ failure: { node: "dough" } }]);
    const latest = idText("job", second.jobId);
    expect(job.failureGroup).toEqual({
      id: expect.stringMatching(/^fail_/),
      node: "dough",
      errorClass: "KeyError",
      errorKind: "PIPELINE",
      codeHash: "c0de",
      count: 2,
      lastMessage: "'flour'",
      isOpen: true,
      closedAt: null,
      closedById: null,
      lastJobId: latest,
      lastJob: { id: latest, state: "FAILED" },
      closedBy: null,
    });
    const good = await failingRun();
    await good.end("succeed");
    const by = idText("job", good.jobId);
    expect((await read(first.jobId)).failureGroup).toMatchObject({
      isOpen: false,
      closedAt: expect.any(String),
      closedById: by,
      closedBy: { id: by },
    });
    expect(await read(good.jobId)).toMatchObject({ failure: null, failureGroup: null });
    const { data } = await server.post("query ($id: ID!) { node(id: $id) { ... on FailureGroup { count } } }", {
      id: job.failureGroup.id,
    });
    expect(data.node).toEqual({ count: 2 });
  });

  it("name the node that failed first where the error names none", async () => {
    const run = await failingRun();
    await run.end("fail", { kind: "TIMEOUT", type: "Timeout", message: "too long", problems: [] });
    expect(await read(run.jobId)).toMatchObject({
      failure: {
        node: "dough",
        branch: "b2",
        error: { type: "Timeout" },
        inputs: { flour: { preview: "4" } },
        code: [],
      },
      failureGroup: { node: null, errorClass: "Timeout" },
    });
  });
});
