/** What is kept, what it takes, and what has ended over time, through the API and the CLI. */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Database } from "../../src/db/client.ts";
import { runCommand } from "../support/command.ts";
import { countAll } from "../support/counted.ts";
import { testDatabase } from "../support/database.ts";
import { endedJob } from "../support/ended.ts";
import { insertJob } from "../support/factories.ts";
import { insertPastRun } from "../support/past-runs.ts";
import { type TestServer, testServer } from "../support/server.ts";

const dayMs = 86_400_000;
let db: Database;
let server: TestServer;
beforeAll(async () => {
  db = await testDatabase();
  server = await testServer(db);
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await db[Symbol.asyncDispose]();
});

async function ask(query: string, variables: object = {}) {
  const { data, errors } = await server.post(query, variables);
  expect(errors).toBeUndefined();
  return data;
}

const cli = (...argv: string[]) => runCommand(server.url, argv);

const prune =
  "mutation ($input: PruneJobsInput) { pruneJobs(input: $input) { ... on PruneJobsSuccess { counts { state count { value isExact } } dryRun more } ... on Error { code path } } }";

describe("pruneJobs", () => {
  it("counts first, then removes, and writes who did it", async () => {
    for (let n = 0; n < 23; n += 1) await endedJob(db, 40 * dayMs + n, "failed", { pipeline: "old" });
    const counts = [{ state: "FAILED", count: { value: 3, isExact: true } }];
    expect((await ask(prune, { input: { dryRun: true } })).pruneJobs).toEqual({ counts, dryRun: true, more: false });
    expect((await ask(prune)).pruneJobs).toEqual({ counts, dryRun: false, more: false });
    expect((await ask(prune)).pruneJobs).toEqual({ counts: [], dryRun: false, more: false });
    const entries = await db.sql`select actor, data from audit where action = 'jobs.prune'`;
    expect(entries).toMatchObject([{ actor: "local", data: { state: "failed", jobs: 3 } }]);
  });

  it("goes by another age when it is asked to, of a minute at the least", async () => {
    for (let n = 0; n < 21; n += 1) await endedJob(db, 2 * dayMs + n, "cancelled", { pipeline: "asked" });
    expect((await ask(prune, { input: { olderThanMs: 1000 } })).pruneJobs).toEqual({
      code: "BAD_USER_INPUT",
      path: "input.olderThanMs",
    });
    expect((await ask(prune, { input: { dryRun: true } })).pruneJobs.counts).toEqual([]);
    expect(await cli("prune", "--older-than", "1d")).toMatchObject({ code: 0, out: "Removed jobs: 1 cancelled.\n" });
  });

  it("is a command too", async () => {
    for (let n = 0; n < 22; n += 1) await endedJob(db, 40 * dayMs + n, "succeeded", { pipeline: "cli" });
    expect(await cli("prune", "--dry-run")).toMatchObject({ code: 0, out: "Would remove jobs: 2 succeeded.\n" });
    const { out } = await cli("prune", "--json");
    expect(JSON.parse(out)).toEqual({
      dryRun: false,
      counts: [{ state: "SUCCEEDED", count: { value: 2, isExact: true } }],
    });
    expect(await cli("prune")).toMatchObject({ code: 0, out: "No job is too old.\n" });
  });
});

describe("storage", () => {
  it("tells what each part takes, the files by what is kept of them", async () => {
    const id = await insertPastRun(db);
    for (const [name, uri, removed] of [
      ["a", "x", false],
      ["b", "y", true],
      ["c", null, false],
    ] as const) {
      await db.sql`
        insert into artifacts (id, job_id, attempt, name, kind, has_value, uri, store, bytes, removed_at)
        values (${randomUUID()}, ${id}, 1, ${name}, 'file', false, ${uri}, ${randomUUID()}, 1000,
          ${removed ? db.sql`queue_now()` : null})`;
    }
    await db.sql`analyze`;
    const { storage, retention } = await ask(
      "{ storage { part bytes rows } retention { ages { state ageMs } keepLast } }",
    );
    const parts = new Map<string, { bytes: number; rows: number }>(
      storage.map((part: { part: string }) => [part.part, part]),
    );
    const [{ jobs }] = await db.sql<[{ jobs: number }]>`select count(*)::int as jobs from jobs`;
    expect(parts.get("files")).toMatchObject({ bytes: 1000, rows: 1 });
    const [{ bytes }] = await db.sql<[{ bytes: number }]>`
      select sum(pg_total_relation_size(oid))::float8 as bytes from pg_class
      where relnamespace = 'flowerpower_queue'::regnamespace and relname in
        ('jobs', 'job_requests', 'job_tags', 'job_metadata', 'job_dependencies', 'idempotency_keys')`;
    expect(parts.get("jobs")).toMatchObject({ rows: jobs, bytes });
    expect(parts.get("events")?.bytes).toBeGreaterThan(8192);
    expect([...parts.keys()].toSorted()).toEqual([
      "artifacts",
      "attempts",
      "audit",
      "events",
      "failures",
      "files",
      "jobs",
      "metrics",
      "pipelines",
    ]);
    expect(retention).toEqual({
      ages: ["SUCCEEDED", "FAILED", "CANCELLED", "EXPIRED"].map((state) => ({ state, ageMs: 30 * dayMs })),
      keepLast: 20,
    });
    const { code, out } = await cli("storage");
    expect(code).toBe(0);
    expect(out).toMatch(/^PART +BYTES +ROWS\n/);
    expect(out).toMatch(/files +1\.0 kB +1\n/);
    expect(out).toMatch(/Kept: succeeded 30 days, .* and the last 20 jobs of each pipeline\.\n$/);
  });
});

describe("jobCounts", () => {
  it("counts by state in all, of a pipeline and of a queue", async () => {
    await db.sql`insert into queues (name, created_at) values ('slow', queue_now())`;
    await insertJob(db, { pipeline: "counted", queue: "slow" });
    await insertJob(db, { pipeline: "counted", queue: "slow", state: "failed" });
    await insertJob(db, { pipeline: "counted" });
    const counts = async (args: string) =>
      (await ask(`{ jobCounts${args} { state count { value isExact } } }`)).jobCounts;
    const of = (state: string, value: number) => ({ state, count: { value, isExact: true } });
    expect(await counts('(pipeline: "bikes/counted")')).toEqual([of("QUEUED", 2), of("FAILED", 1)]);
    expect(await counts('(queue: "slow")')).toEqual([of("QUEUED", 1), of("FAILED", 1)]);
    const [{ queued }] = await db.sql<
      [{ queued: number }]
    >`select count(*)::int as queued from jobs where state = 'queued'`;
    expect(await counts("")).toContainEqual(of("QUEUED", queued));
    const { errors } = await server.post('{ jobCounts(pipeline: "a/b", queue: "slow") { state } }');
    expect(errors).toMatchObject([{ extensions: { code: "BAD_USER_INPUT", path: "queue" } }]);
  });
});

describe("metrics", () => {
  const query = `query ($bucket: MetricsBucketSize!, $from: DateTime, $to: DateTime, $filter: MetricsFilter) {
    metrics(bucket: $bucket, from: $from, to: $to, filter: $filter) {
      total { ended counts { state jobs } wait { jobs p50Ms p95Ms p99Ms } run { jobs p50Ms } }
      buckets { from to ended counts { state jobs } wait { jobs } }
    }
  }`;

  it("tell what ended, how long it waited and ran, bucket by bucket, and outlive the jobs", async () => {
    for (let n = 0; n < 9; n += 1) await insertPastRun(db, { project: "m", pipeline: "p", runMs: 1000, waitedMs: 0 });
    await insertPastRun(db, { project: "m", pipeline: "p", state: "failed", runMs: 60_000 });
    await insertPastRun(db, { project: "m", pipeline: "q" });
    await db.sql`
      insert into events (job_id, seq, life, attempt, type, version, recorded_at, occurred_at, data)
      select id, 1, 1, 1, 'job.' || state, 1, queue_now(), queue_now(), '{}' from jobs where project = 'm'`;
    await countAll(db);
    await db.sql`delete from jobs where project = 'm'`;
    const { metrics } = await ask(query, { bucket: "MINUTE", filter: { pipeline: "m/p" } });
    expect(metrics.buckets).toHaveLength(60);
    expect(metrics.total).toMatchObject({
      ended: 10,
      counts: [
        { state: "SUCCEEDED", jobs: 9 },
        { state: "FAILED", jobs: 1 },
      ],
      wait: { jobs: 10 },
      run: { jobs: 10 },
    });
    expect(metrics.total.run.p50Ms).toBeGreaterThan(900);
    expect(metrics.total.run.p50Ms).toBeLessThan(1100);
    const ended = metrics.buckets.filter((bucket: { ended: number }) => bucket.ended > 0);
    expect(ended.reduce((sum: number, bucket: { ended: number }) => sum + bucket.ended, 0)).toBe(10);
    for (const bucket of ["HOUR", "DAY"]) {
      expect((await ask(query, { bucket, filter: { project: "m" } })).metrics.total.ended).toBe(11);
    }
    expect((await ask(query, { bucket: "DAY", filter: { project: "m", queue: "slow" } })).metrics.total).toMatchObject({
      ended: 0,
      wait: null,
      run: null,
    });
  });

  it.each([
    [{ from: "2026-01-02T00:00:00Z", to: "2026-01-01T00:00:00Z" }, /has to lie before/],
    [{ from: "2026-01-01T00:00:00Z", to: "2026-03-01T00:00:00Z" }, /at most 1000/],
  ])("refuse %j", async (range, message) => {
    const { errors } = await server.post(query, { bucket: "HOUR", ...range });
    expect(errors).toMatchObject([
      { message: expect.stringMatching(message), extensions: { code: "BAD_USER_INPUT", path: "from" } },
    ]);
  });

  it.each(["MINUTE", "HOUR", "DAY"])("end with the years that there are: %s", async (bucket) => {
    const { metrics } = await ask(query, { bucket, to: "9999-12-31T23:59:59.999Z" });
    expect(metrics.total.ended).toBe(0);
    expect(metrics.buckets.at(-1).to).toMatch(/^9999-12-31T/);
  });

  it("are a table and JSON in the terminal", async () => {
    const { code, out } = await cli("metrics", "m/p", "--by", "minute");
    expect(code).toBe(0);
    expect(out).toMatch(/^FROM [+-]\d\d:\d\d +ENDED +FAILED +WAIT P50 +P95 +RUN P50 +P95 +P99\n/);
    expect(out).toMatch(/\nall +10 +1 .*\n$/);
    const json = JSON.parse((await cli("metrics", "--project", "m", "--json", "--since", "2h")).out);
    expect(json.total.ended).toBe(11);
    expect(json.buckets).toHaveLength(3);
  });
});
