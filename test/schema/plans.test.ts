/** How Postgres answers, on 120,000 jobs, what lists, counts, metrics and retention ask: by an index, and reading little. */
import { drizzle } from "drizzle-orm/postgres-js";
import postgres from "postgres";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { graphileWorker } from "../../src/backends/graphile-worker/backend.ts";
import type { Database } from "../../src/db/client.ts";
import { relations } from "../../src/db/relations.ts";
import { idText } from "../../src/domain/ids.ts";
import { retentionDefaults } from "../../src/domain/retention.ts";
import { countEnded, readMetrics } from "../../src/jobs/metrics.ts";
import { countPrunable, pruneJobs, pruneTargets } from "../../src/jobs/prune.ts";
import { transition } from "../../src/jobs/transition.ts";
import { testDatabase } from "../support/database.ts";
import { insertWorker } from "../support/factories.ts";
import { type PlanNode, planNodes, planText, rowsRead } from "../support/plan.ts";
import { queuedJob, startJob } from "../support/running.ts";
import { type TestServer, testServer } from "../support/server.ts";

const jobs = 120_000;
let db: Database;
let server: TestServer;
let last: { query: string; params: unknown[] } = { query: "", params: [] };

beforeAll(async () => {
  db = await testDatabase();
  // One a minute for 83 days: the young ones wait or run, 21 pipelines of two projects, one of which is rarely run.
  await db.sql`insert into queues (name, created_at) select 'queue_' || n, queue_now() from generate_series(0, 2) n`;
  await db.sql`
    insert into jobs (id, project, pipeline, queue, state, priority, attempt, max_attempts, max_losses, on_worker_lost, last_seq,
      created_at, run_at, finished_at)
    select (lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || '70008000' || lpad(to_hex(n), 12, '0'))::uuid,
      case when n % 3 = 0 then 'bikes' else 'bakery' end, case when n % 3000 = 0 then 'rare' else 'pipeline_' || n % 20 end,
      'queue_' || n % 3, state::job_state, 50, 1, 1, 3, 'retry', 1, at, at,
      case when state <> 'queued' then at + interval '1 second' end
    from (
      select n, queue_now() - n * interval '1 minute' as at,
        case when n < 1000 then 'queued' when n % 10 = 0 then 'failed' when n % 97 = 0 then 'cancelled' else 'succeeded' end as state
      from generate_series(1, ${jobs}::int) n
    ) job`;
  await db.sql`
    insert into events (job_id, seq, life, attempt, type, version, recorded_at, occurred_at, data)
    select id, 1, 1, 1, case when state = 'queued' then 'job.queued' else 'job.' || state end, 1, created_at, created_at, '{}' from jobs`;
  const worker = await insertWorker(db.sql);
  await db.sql`
    insert into attempts (job_id, attempt, id, life, run_token, worker_id, started_at, ended_at, outcome)
    select id, 1, gen_random_uuid(), 1, gen_random_uuid(), ${worker}, created_at, finished_at, 'succeed' from jobs
    where finished_at is not null`;
  await db.sql`insert into job_tags (tag, job_id) select 'often', id from jobs`;
  await db.sql`insert into job_tags (tag, job_id) select 'rare', id from jobs where pipeline = 'rare'`;
  await db.sql`vacuum analyze`;
  const client = (db.reads as unknown as { $client: postgres.Sql }).$client;
  const logQuery = (query: string, params: unknown[]) => {
    if (query.includes("jobs")) last = { query, params };
  };
  server = await testServer({ ...db, reads: drizzle({ client, relations, logger: { logQuery } }) as never });
}, 120_000);
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await db[Symbol.asyncDispose]();
});

async function someIds(): Promise<string[]> {
  const rows = await db.sql<{ id: string }[]>`select id from jobs where pipeline = 'rare' order by id limit 30`;
  return rows.map(({ id }) => idText("job", id));
}

async function explained(query: string, params: readonly unknown[]): Promise<PlanNode> {
  const [row] = await db.sql.unsafe(`explain (analyze, format json) ${query}`, params as never[]);
  return row?.["QUERY PLAN"][0].Plan;
}

function scansAll(plan: PlanNode): boolean {
  return planNodes(plan).some((node) => node["Node Type"] === "Seq Scan" && node["Relation Name"] === "jobs");
}

/** What Postgres did for each statement that a function has sent, in their order. */
async function plansOf(run: (own: Database) => Promise<unknown>): Promise<PlanNode[]> {
  const plans: PlanNode[] = [];
  const sql = postgres(db.url, {
    max: 1,
    connection: { search_path: "flowerpower_queue, public", client_min_messages: "log" },
    onnotice: ({ message = "" }) => {
      const [, plan] = /plan:\s*(\{.*)$/s.exec(message) ?? [];
      if (plan !== undefined) plans.push(JSON.parse(plan).Plan);
    },
  });
  await sql.unsafe(`
    load 'auto_explain'; set auto_explain.log_min_duration = 0; set auto_explain.log_analyze = on; set auto_explain.log_format = json`);
  plans.length = 0;
  await run({ ...db, sql, readSql: sql } as Database);
  await sql.end();
  return plans;
}

/** Of the statements that read jobs or their events. */
function expectFew(plans: readonly PlanNode[], most: number): void {
  expect(plans.length).toBeGreaterThan(0);
  for (const plan of plans) {
    expect(scansAll(plan), planText(plan)).toBe(false);
    expect(rowsRead(plan), `${rowsRead(plan)} of ${planText(plan)}`).toBeLessThan(most);
  }
}

const orders = ["ID_ASC", "ID_DESC", "FINISHED_AT_ASC", "FINISHED_AT_DESC", "RUN_AT_ASC", "RUN_AT_DESC"];
const filters = [
  "",
  "states: [QUEUED]",
  "states: [CANCELLED]",
  "states: [QUEUED, FAILED]",
  'project: "bikes"',
  'project: "none"',
  'pipeline: "bakery/pipeline_0"',
  'pipeline: "bikes/rare"',
  'pipeline: "bikes/pipeline_0", states: [QUEUED]',
  'pipeline: "bikes/pipeline_0", states: [FAILED, CANCELLED]',
  'queue: "queue_1"',
  'queue: "none"',
  'queue: "queue_1", states: [QUEUED]',
  'tag: "rare"',
  'tag: "often"',
  "ids",
];

describe.each(orders)("jobs by %s", (order) => {
  it.each(filters)("with { %s } are read from an index, and few of them", async (filter) => {
    const asked = filter === "ids" ? `ids: ["${(await someIds()).join('", "')}"]` : filter;
    const page = (more: string) =>
      server.post(
        `{ jobs(first: 50, orderBy: ${order}, filter: { ${asked} } ${more}) { nodes { id } pageInfo { endCursor } } }`,
      );
    const first = await page("");
    expect(first.errors).toBeUndefined();
    const cursor = first.data.jobs.pageInfo.endCursor;
    if (cursor !== null) await page(`, after: "${cursor}"`);
    const plan = await explained(last.query, last.params);
    expect(scansAll(plan), planText(plan)).toBe(false);
    expect(rowsRead(plan), planText(plan)).toBeLessThan(jobs / 20);
  });
});

describe("retention", () => {
  // All but the 30 days that are kept, and the last twenty of each pipeline: the rare one has 40.
  const tooOld = jobs - 30 * 24 * 60;

  it("finds what is too old in one statement, from one index entry for each that is", async () => {
    const plans = await plansOf(({ sql }) => pruneTargets(sql, retentionDefaults));
    expect(plans).toHaveLength(1);
    // Each of 41 pipelines: its name, the last 20 of each state, the oldest of each state.
    expectFew(plans, 41 * (1 + 4 * 20 + 4 * 2));
  });

  it("counts it up to a bound", async () => {
    const counts = await countPrunable(db.sql, retentionDefaults, 10_001);
    expect(counts).toMatchObject({ succeeded: 10_001, failed: expect.any(Number), cancelled: expect.any(Number) });
    expect(counts.failed).toBeGreaterThan(5000);
    expectFew(await plansOf(({ sql }) => countPrunable(sql, retentionDefaults, 1000)), 3000);
  });

  it("removes batches of two hundred without reading what is kept, while jobs are enqueued, run and end", async () => {
    let pruning = true;
    let ended = 0;
    const working = (async () => {
      const worker = await insertWorker(db.sql);
      while (pruning) {
        const id = await queuedJob(db, { queue: "queue_0" });
        await startJob(db, id, worker);
        const moved = await transition(db.sql, graphileWorker, "succeed", [
          { id, attempt: 1, data: { results: [] } as never },
        ]);
        expect(moved).toHaveLength(1);
        ended += 1;
      }
    })();
    const plans = await plansOf((own) => pruneJobs(own, retentionDefaults, { actor: null, most: 4000 }));
    pruning = false;
    await working;
    expect(ended).toBeGreaterThan(0);
    const batches = plans.filter((plan) => planText(plan).includes("ModifyTable jobs"));
    expect(batches.length).toBeGreaterThanOrEqual(20);
    // The job, its key, its event, and the rows again by which they are deleted.
    expectFew(batches, 200 * 8);
  });

  it("removes in the end all that is too old, and nothing else", async () => {
    expect(await pruneJobs(db, retentionDefaults, { actor: null })).toMatchObject({ more: false });
    const [left] = await db.sql<{ old: number; gone: number }[]>`
      select count(*) filter (where finished_at < queue_now() - interval '30 days')::int as old, ${jobs}::int - count(*)::int as gone
      from jobs where queue like 'queue_%' and attempt = 1 and last_seq = 1`;
    expect(left?.old).toBeLessThanOrEqual(41 * 20);
    expect(left?.gone).toBeGreaterThan(tooOld - 41 * 20 - 60);
    expect(
      await db.sql`select 1 from events e where not exists (select from jobs j where j.id = e.job_id)`,
    ).toHaveLength(0);
  });
});

describe("metrics", () => {
  it("follow what has ended from an index of ends, and answer from their own table", async () => {
    await db.sql`analyze`;
    const plans = await plansOf((own) => countEnded(own));
    expect(plans.map(planText).join()).toContain("events_followed");
    // 2,000 ends, each with its job, its first event and its attempts.
    expectFew(plans, 2000 * 8);
    while (await countEnded(db));
    const range = { from: new Date(Date.now() - 30 * 86_400_000), to: new Date() };
    const read = await plansOf(({ sql }) =>
      readMetrics(sql, { ...range, resolution: "day", project: null, pipeline: null, queue: null }),
    );
    expect(planText(read[0]!)).not.toMatch(/jobs|events/);
    // In the minute resolution there are as many rows as jobs: a day is looked up by its days.
    expectFew(read, 31 * 41 * 3 * 4);
  });
});

describe("jobCounts", () => {
  it.each(["", '(pipeline: "bakery/pipeline_1")', '(queue: "queue_1")'])(
    "%s reads no more than the bound of each state",
    async (args) => {
      const { data, errors } = await server.post(`{ jobCounts${args} { state count { value isExact } } }`);
      expect(errors).toBeUndefined();
      const [counted] = await db.sql<{ count: number }[]>`
      select count(*)::int from jobs where state = 'failed' ${args.includes("bakery") ? db.sql`and project = 'bakery' and pipeline = 'pipeline_1'` : args === "" ? db.sql`` : db.sql`and queue = 'queue_1'`}`;
      const failed = data.jobCounts.find(({ state }: { state: string }) => state === "FAILED");
      expect(failed?.count.value ?? 0).toBe(counted?.count);
    },
  );
});
