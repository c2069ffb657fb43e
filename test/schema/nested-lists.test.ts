import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Database } from "../../src/db/client.ts";
import { idText } from "../../src/domain/ids.ts";
import { readRuns } from "../../src/schema/node-run-list.ts";
import { testDatabase } from "../support/database.ts";
import { type TestServer, testServer } from "../support/server.ts";
import { insertRun, publishBakery } from "./bakery.ts";

let db: Database;
let server: TestServer;
/** A job with two attempts of 2,500 node runs each: more than any page, and more than a thousand. */
let id: string;
const runs = 2500;

beforeAll(async () => {
  db = await testDatabase();
  await publishBakery(db);
  id = await insertRun(db, { attempts: 2, nodes: runs });
  server = await testServer(db);
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await db[Symbol.asyncDispose]();
});

async function list(field: string, args: string, jobId = id) {
  const { data, errors } = await server.post(
    `query ($id: ID!) { job(id: $id) { list: ${field}(${args}) {
      nodes { id } edges { cursor } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } }`,
    { id: idText("job", jobId) },
  );
  return { errors, ...(data?.job?.list as { nodes: { id: string }[]; edges: { cursor: string }[]; pageInfo: Info }) };
}
interface Info {
  hasNextPage: boolean;
  hasPreviousPage: boolean;
  startCursor: string;
  endCursor: string;
}

describe.each([
  ["nodeRuns", 100, runs],
  ["attempts", 1, 2],
])("Job.%s", (field, size, count) => {
  it("is walked in both directions, each item exactly once", async () => {
    const forth: string[] = [];
    for (let after = ""; ; ) {
      const { nodes, pageInfo } = await list(field, `first: ${size} ${after}`);
      forth.push(...nodes.map((node) => node.id));
      expect(pageInfo.hasPreviousPage).toBe(after !== "");
      if (!pageInfo.hasNextPage) break;
      after = `, after: "${pageInfo.endCursor}"`;
    }
    expect(forth).toHaveLength(count);
    expect(new Set(forth).size).toBe(count);
    const back: string[] = [];
    for (let before = ""; ; ) {
      const { nodes, pageInfo } = await list(field, `last: ${size} ${before}`);
      back.unshift(...nodes.map((node) => node.id));
      expect(pageInfo.hasNextPage).toBe(before !== "");
      if (!pageInfo.hasPreviousPage) break;
      before = `, before: "${pageInfo.startCursor}"`;
    }
    expect(back).toEqual(forth);
  });

  it.each([
    ["first: -1", "BAD_USER_INPUT", "first"],
    ["first: 101", "BAD_USER_INPUT", "first"],
    ["first: 1, last: 1", "BAD_USER_INPUT", "first"],
    ['after: "x"', "BAD_CURSOR", "after"],
    [`before: "${Buffer.from("jobs id\n1").toString("base64url")}"`, "BAD_CURSOR", "before"],
  ])("refuses %s", async (args, code, path) => {
    const { errors } = await list(field, args);
    expect(errors).toMatchObject([{ extensions: { code, path } }]);
  });

  it("refuses a cursor of another job", async () => {
    const { pageInfo } = await list(field, "first: 1");
    const other = await insertRun(db, { attempts: 2, nodes: 2 });
    const { errors } = await list(field, `after: "${pageInfo.endCursor}"`, other);
    expect(errors).toMatchObject([{ extensions: { code: "BAD_CURSOR" } }]);
  });
});

describe("Job.nodeRuns", () => {
  it("goes on where it was while nodes begin and end", async () => {
    const jobId = await insertRun(db, { attempts: 1, nodes: 3 });
    const begin = (node: string, seq: number) => db.sql`
      insert into node_runs (job_id, attempt, node, first_seq, state, id)
      values (${jobId}, 1, ${node}, ${seq}, 'running', ${randomUUID()})`;
    const first = await list("nodeRuns", "first: 2", jobId);
    await begin("late", 1000);
    await db.sql`update node_runs set state = 'failed' where job_id = ${jobId} and node = 'node_1'`;
    const rest = await list("nodeRuns", `first: 2, after: "${first.pageInfo.endCursor}"`, jobId);
    expect([...first.nodes, ...rest.nodes]).toHaveLength(4);
    expect(new Set([...first.nodes, ...rest.nodes].map((node) => node.id)).size).toBe(4);
  });

  it("is narrowed to a node and to states", async () => {
    const jobId = await insertRun(db, { attempts: 1, nodes: 2 });
    await db.sql`
      insert into node_runs (job_id, attempt, node, branch, first_seq, state)
      select ${jobId}, 1, 'city', 'b' || n, 10 + n, case when n = 3 then 'failed' else 'succeeded' end
      from generate_series(1, 4) n`;
    const count = async (filter: string) => (await list("nodeRuns", `filter: { ${filter} }`, jobId)).nodes.length;
    expect(await count('node: "city"')).toBe(4);
    expect(await count("states: [FAILED]")).toBe(1);
    expect(await count('node: "city", states: [SUCCEEDED]')).toBe(3);
    expect(await count("states: []")).toBe(0);
    expect(await count('node: "nobody"')).toBe(0);
  });

  it("says where a reused value comes from, and why others ran", async () => {
    const jobId = await insertRun(db, { attempts: 1, nodes: 1 });
    const other = "job_01m83zzqehe0080002t2yjk7fq";
    const reasons = [
      { code: "hit", text: `hit: computed by ${other}, attempt 2`, job: other, attempt: 2 },
      { code: "input_changed", text: "input changed: flour", job: null, attempt: null },
    ];
    await db.sql`
      insert into node_runs (job_id, attempt, node, first_seq, state, reason, stored)
      values (${jobId}, 1, 'kept', 10, 'reused', ${db.sql.json(reasons[0] as never)}, true),
        (${jobId}, 1, 'again', 11, 'failed', ${db.sql.json(reasons[1] as never)}, null)`;
    const document = `query ($id: ID!) { job(id: $id) { nodeRuns(first: 5) { nodes {
      node state stored reason { code text jobId attempt }
    } } } }`;
    const { data } = await server.post(document, { id: idText("job", jobId) });
    const [first, kept, again] = data.job.nodeRuns.nodes;
    expect(first).toMatchObject({ reason: null, stored: null });
    expect(kept).toEqual({
      node: "kept",
      state: "REUSED",
      stored: true,
      reason: { code: "HIT", text: `hit: computed by ${other}, attempt 2`, jobId: other, attempt: 2 },
    });
    expect(again.reason).toMatchObject({ code: "INPUT_CHANGED", text: "input changed: flour", jobId: null });
  });

  it("reads a page by its index, whatever came before it", async () => {
    await db.sql`analyze node_runs`;
    const question = { question: 0, jobId: id, attempt: 2, node: null, states: null, after: 4000, before: 2 ** 31 - 1 };
    const statement = readRuns(db.sql, [question], 101, false);
    const plan = JSON.stringify(await db.sql`explain (format json) ${statement}`);
    expect(plan).toContain("node_runs_first_seq");
    expect(plan).not.toContain("Seq Scan");
  });
});
