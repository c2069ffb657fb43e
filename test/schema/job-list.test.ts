import { drizzle } from "drizzle-orm/postgres-js";
import type postgres from "postgres";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Database } from "../../src/db/client.ts";
import { relations } from "../../src/db/relations.ts";
import { idText } from "../../src/domain/ids.ts";
import { testDatabase } from "../support/database.ts";
import { insertJob } from "../support/factories.ts";
import { type TestServer, testServer } from "../support/server.ts";

let db: Database;
let server: TestServer;
let last: { query: string; params: unknown[] } = { query: "", params: [] };
const rows = 5_000;

beforeAll(async () => {
  db = await testDatabase();
  // As a system that has run for a while: most jobs have succeeded, few wait, three pipelines of two projects.
  await db.sql`
    insert into jobs (id, project, pipeline, queue, state, priority, attempt, max_attempts, max_losses, on_worker_lost, last_seq,
      created_at, run_at, finished_at)
    select ('0192' || lpad(to_hex(n), 4, '0') || '-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid,
      case when n % 3 = 0 then 'bikes' else 'bakery' end, 'pipeline_' || n % 3, 'default',
      (case when n % 50 = 0 then 'queued' when n % 10 = 0 then 'failed' else 'succeeded' end)::job_state, 50, 1, 1, 3, 'retry', 1,
      queue_now() - n * interval '1 s', queue_now() - (n / 2) * interval '1 s',
      case when n % 50 = 0 then null else queue_now() - (n / 3) * interval '1 s' end
    from generate_series(1, ${rows}::int) n`;
  await db.sql`insert into job_tags (tag, job_id) select 'rare', id from jobs where substr(id::text, 6, 3) = '012' or id::text like '%77'`;
  await db.sql`insert into job_tags (tag, job_id) select 'often', id from jobs`;
  await db.sql`
    insert into job_metadata (key, value, job_id)
    select 'order', (row_number() over (order by id))::text, id from jobs union all select 'customer', 'acme', id from jobs`;
  await db.sql`analyze`;
  const client = (db.reads as unknown as { $client: postgres.Sql }).$client;
  const logQuery = (query: string, params: unknown[]) => {
    if (query.includes("jobs")) last = { query, params };
  };
  server = await testServer({ ...db, reads: drizzle({ client, relations, logger: { logQuery } }) as never });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await db[Symbol.asyncDispose]();
});

const orders = ["ID_ASC", "ID_DESC", "FINISHED_AT_ASC", "FINISHED_AT_DESC", "RUN_AT_ASC", "RUN_AT_DESC"];

async function page(args: string): Promise<{ ids: string[]; info: Record<string, unknown>; errors: unknown }> {
  const { data, errors } = await server.post(
    `{ jobs(${args}) { nodes { id } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }`,
  );
  return { ids: data?.jobs?.nodes.map(({ id }: { id: string }) => id), info: data?.jobs?.pageInfo, errors };
}

describe.each(orders)("jobs by %s", (order) => {
  it("are walked in both directions, each exactly once", async () => {
    const forth: string[] = [];
    for (let after = ""; ; ) {
      const { ids, info } = await page(`first: 100, orderBy: ${order}, filter: { states: [FAILED] } ${after}`);
      forth.push(...ids);
      expect(info.hasPreviousPage).toBe(after !== "");
      if (!info.hasNextPage) break;
      after = `, after: "${info.endCursor}"`;
    }
    const [counted] = await db.sql<{ count: number }[]>`select count(*)::int from jobs where state = 'failed'`;
    expect(forth).toHaveLength(counted!.count);
    expect(new Set(forth).size).toBe(forth.length);

    const back: string[] = [];
    for (let before = ""; ; ) {
      const { ids, info } = await page(`last: 100, orderBy: ${order}, filter: { states: [FAILED] } ${before}`);
      back.unshift(...ids);
      if (!info.hasPreviousPage) break;
      before = `, before: "${info.startCursor}"`;
    }
    expect(back).toEqual(forth);
  });

  it("come in that order", async () => {
    const column = order.replace(/_(ASC|DESC)$/, "").toLowerCase();
    const direction = order.endsWith("ASC") ? db.sql`asc` : db.sql`desc`;
    const { ids } = await page(`first: 20, orderBy: ${order}`);
    const expected = await db.sql<{ id: string }[]>`
      select id from jobs ${column === "finished_at" ? db.sql`where finished_at is not null` : db.sql``}
      order by ${db.sql(column)} ${direction}, id ${direction} limit 20`;
    expect(ids).toEqual(expected.map(({ id }) => idText("job", id)));
  });
});

describe("a page", () => {
  it("goes on where it was when jobs are added", async () => {
    const first = await page("first: 3");
    await insertJob(db);
    const second = await page(`first: 3, after: "${first.info.endCursor}"`);
    expect(second.ids).not.toEqual(expect.arrayContaining(first.ids));
    expect([...first.ids, ...second.ids]).toEqual([...first.ids, ...second.ids].toSorted().toReversed());
  });

  it.each([
    ["first: -1", "first"],
    ["first: 101", "first"],
    ["last: 2147483647", "last"],
    ["first: 1, last: 1", "first"],
  ])("of %s is refused", async (args, path) => {
    const { errors } = await page(args);
    expect(errors).toMatchObject([{ extensions: { code: "BAD_USER_INPUT", path } }]);
  });

  it("may be empty", async () => {
    expect(await page("first: 0")).toMatchObject({ ids: [], errors: undefined, info: { startCursor: null } });
    expect(await page("filter: { states: [] }")).toMatchObject({ ids: [], errors: undefined });
    expect(await page("filter: { ids: [] }")).toMatchObject({ ids: [], errors: undefined });
  });

  const uuid = "01920001-0000-7000-8000-000000000001";
  const cursor = (text: string) => Buffer.from(text).toString("base64url");
  it.each([
    "",
    " ",
    "x",
    "🦊",
    "../../etc/passwd",
    cursor(""),
    cursor("jobs id_desc"),
    cursor("jobs id_desc\n"),
    cursor("jobs id_desc\n' or 1=1 --"),
    cursor(`jobs id_desc\n${uuid}\n2026-01-01T00:00:00.000Z`),
    cursor(`jobs finished_at_desc\n${uuid}\n2026-01-01T00:00:00.000Z`),
    cursor(`jobs run_at_desc\n${uuid}`),
    cursor(`jobs id_asc\n${uuid}`),
    cursor(`projects\n${uuid}`),
    `${cursor(`jobs id_desc\n${uuid}`)}=`,
    ` ${cursor(`jobs id_desc\n${uuid}`)}`,
    "A".repeat(5000),
  ])("after the cursor %j is refused", async (after) => {
    for (const [argument, size] of [
      ["after", "first"],
      ["before", "last"],
    ] as const) {
      const { errors, status } = await server.post(
        `query ($cursor: String) { jobs(${size}: 5, ${argument}: $cursor) { nodes { id } } }`,
        { cursor: after },
      );
      expect(errors).toMatchObject([{ extensions: { code: "BAD_CURSOR", path: argument } }]);
      expect(status).toBe(400);
    }
  });

  it.each([
    cursor(`jobs run_at_asc\n${uuid}\n2026-02-31T00:00:00.000Z`),
    cursor(`jobs run_at_asc\n${uuid}\n+275760-09-13T00:00:00.000Z`),
    cursor(`jobs run_at_asc\n${uuid}\nnow`),
    cursor(`jobs run_at_asc\n${uuid}\n2026-01-01`),
    cursor(`jobs run_at_asc\n${uuid}\n0000-01-01T00:00:00.000Z`),
    cursor(`jobs run_at_asc\n${uuid}\n-000001-01-01T00:00:00.000Z`),
  ])("after the place in time %j is refused", async (after) => {
    const { errors } = await page(`orderBy: RUN_AT_ASC, after: "${after}"`);
    expect(errors).toMatchObject([{ extensions: { code: "BAD_CURSOR" } }]);
  });
});

describe("the filter", () => {
  it.each([
    ['project: "bikes"', "project = 'bikes'"],
    ['pipeline: "bikes/pipeline_0"', "project = 'bikes' and pipeline = 'pipeline_0'"],
    ['project: "bikes", pipeline: "pipeline_0"', "project = 'bikes' and pipeline = 'pipeline_0'"],
    [
      'project: "bakery", pipeline: "pipeline_1", states: [FAILED]',
      "project = 'bakery' and pipeline = 'pipeline_1' and state = 'failed'",
    ],
    ["states: [QUEUED, FAILED]", "state in ('queued', 'failed')"],
    ['queue: "default"', "queue = 'default'"],
    ['queue: "none"', "false"],
    ['tag: "rare"', "id in (select job_id from job_tags where tag = 'rare')"],
    [
      'metadata: [{ key: "order", value: "17" }]',
      "id in (select job_id from job_metadata where key = 'order' and value = '17')",
    ],
    [
      'metadata: [{ key: "customer", value: "acme" }, { key: "order", value: "4711" }]',
      "id in (select job_id from job_metadata where key = 'order' and value = '4711')",
    ],
    ['metadata: [{ key: "order", value: "none" }]', "false"],
    ['createdAfter: "2026-01-01T00:00:00Z"', "created_at >= '2026-01-01'"],
    ['createdBefore: "2026-01-01T00:00:00+01:00"', "created_at < '2025-12-31 23:00Z'"],
  ])("{ %s }", async (filter, condition) => {
    const ids = await db.sql.unsafe<{ id: string }[]>(`select id from jobs where ${condition}`);
    const { data } = await server.post(`{ jobs(first: 1, filter: { ${filter} }) { totalCount { value isExact } } }`);
    // Ids of the rows above were made by hand and do not hold their time; those of the product do.
    const expected = filter.startsWith("created") ? expect.any(Number) : ids.length;
    expect(data.jobs.totalCount).toEqual({ value: expected, isExact: true });
  });

  it("by time finds what was enqueued then", async () => {
    const before = new Date(db.now() - 1000).toISOString();
    const id = await insertJob(db);
    const after = new Date(db.now() + 1000).toISOString();
    expect((await page(`filter: { createdAfter: "${before}", createdBefore: "${after}" }`)).ids).toContain(
      idText("job", id),
    );
    expect((await page(`filter: { createdBefore: "${before}" }`)).ids).not.toContain(idText("job", id));
    expect((await page(`filter: { createdAfter: "${after}" }`)).ids).not.toContain(idText("job", id));
  });

  it.each([
    ['ids: ["nonsense"]', "filter.ids.0"],
    ['ids: ["att_01j00000000000000000000000"]', "filter.ids.0"],
    [`ids: [${Array.from({ length: 101 }, () => '"job_01j00000000000000000000000"')}]`, "filter.ids"],
    ['pipeline: "pipeline_0"', "filter.pipeline"],
    ['project: "bakery", pipeline: "bikes/pipeline_0"', "filter.pipeline"],
  ])("{ %s } is refused", async (filter, path) => {
    const { errors } = await page(`filter: { ${filter} }`);
    expect(errors).toMatchObject([{ extensions: { code: "BAD_USER_INPUT", path } }]);
  });

  it.each([
    "2026-02-30T00:00:00Z",
    "2026-01-01T00:00:00",
    "2026-01-01",
    "now",
    "0000-01-01T00:00:00Z",
    "9999-12-31T24:00:00Z",
    "1969-12-31T23:59:59Z",
    "2026-13-01T00:00:00Z",
  ])("refuses the time %s", async (time) => {
    const { errors, status } = await page(`filter: { createdAfter: "${time}" }`).then((answer) => ({
      ...answer,
      status: 400,
    }));
    expect(errors).toMatchObject([{ extensions: { code: "GRAPHQL_VALIDATION_FAILED" } }]);
    expect(status).toBe(400);
  });

  it("is text and nothing else", async () => {
    for (const hostile of ["' or 1=1 --", "%", "\\", "__proto__", "$1", "bikes'; drop table jobs; --"]) {
      const { data, errors } = await server.post("query ($f: JobFilter) { jobs(filter: $f) { nodes { id } } }", {
        f: { project: hostile, queue: hostile, tag: hostile, pipeline: hostile },
      });
      expect(errors).toBeUndefined();
      expect(data.jobs.nodes).toEqual([]);
    }
  });
});

describe("a count", () => {
  it("stops at its bound", async () => {
    await db.sql`
      insert into jobs (id, project, pipeline, queue, state, priority, attempt, max_attempts, max_losses, on_worker_lost, last_seq,
        created_at, run_at, finished_at)
      select gen_random_uuid(), 'many', 'many', 'default', 'succeeded', 50, 1, 1, 3, 'retry', 1, queue_now(), queue_now(), queue_now()
      from generate_series(1, 10001) n`;
    const count = async () =>
      (await server.post('{ jobs(filter: { project: "many" }) { totalCount { value isExact } } }')).data.jobs
        .totalCount;
    expect(await count()).toEqual({ value: 10_000, isExact: false });
    await db.sql`delete from jobs where id = (select id from jobs where project = 'many' limit 1)`;
    expect(await count()).toEqual({ value: 10_000, isExact: true });
    await db.sql`delete from jobs where project = 'many'`;
  });
});

const filters = [
  "",
  "states: [QUEUED]",
  "states: [QUEUED, FAILED]",
  'project: "bikes"',
  'pipeline: "bikes/pipeline_0"',
  'pipeline: "bikes/pipeline_0", states: [QUEUED]',
  'pipeline: "bikes/pipeline_0", states: [QUEUED, FAILED]',
  'queue: "default"',
  'queue: "none"',
  'tag: "rare"',
  'tag: "often"',
  'metadata: [{ key: "order", value: "17" }]',
  'metadata: [{ key: "customer", value: "acme" }]',
  'metadata: [{ key: "customer", value: "acme" }, { key: "order", value: "17" }]',
  'createdAfter: "2026-01-01T00:00:00Z", createdBefore: "2026-02-01T00:00:00Z"',
  'ids: ["job_01j00000000000000000000000", "job_01j00000000000000000000001"]',
];

describe.each(orders)("an index serves the order %s", (order) => {
  it.each(filters)("with { %s }", async (filter) => {
    for (const after of [false, true]) {
      const from = after ? `, after: "${(await page(`first: 1, orderBy: ${order}`)).info.endCursor}"` : "";
      await page(`first: 50, orderBy: ${order}, filter: { ${filter} } ${from}`);
      const [plan] = await db.sql.begin(async (sql) => {
        await sql`set local enable_seqscan = off`;
        return await sql.unsafe(`explain (format json) ${last.query}`, last.params as never[]);
      });
      const nodes = planNodes(plan!["QUERY PLAN"][0].Plan);
      const shown = nodes.map((node) => `${node["Node Type"]} ${node["Index Name"] ?? ""}`).join(" < ");
      expect(
        nodes.filter((node) => node["Node Type"] === "Seq Scan"),
        shown,
      ).toEqual([]);
      // What is sorted has been narrowed to few rows by an index; the whole table never is.
      const sorted = nodes.filter((node) => node["Node Type"] === "Sort").map((node) => Number(node["Plan Rows"]));
      expect(Math.max(0, ...sorted), shown).toBeLessThan(rows / 10);
    }
  });
});

interface PlanNode {
  [key: string]: unknown;
  Plans?: PlanNode[];
}

function planNodes(plan: PlanNode): PlanNode[] {
  return [plan, ...(plan.Plans ?? []).flatMap(planNodes)];
}
