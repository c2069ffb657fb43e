/** Many jobs in one call: the API, the client and the command. */
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  BadInputError,
  type Client,
  createClient,
  InvalidRunError,
  JobsRefusedError,
  NotFoundError,
} from "../../src/client/client.ts";
import type { Database } from "../../src/db/client.ts";
import { enqueueJobs } from "../../src/jobs/enqueue-many.ts";
import { runCommand } from "../support/command.ts";
import { testDatabase } from "../support/database.ts";
import { finishJob } from "../support/factories.ts";
import { runRequest, tester } from "../support/jobs.ts";
import { type TestServer, testServer } from "../support/server.ts";
import { publishBakery } from "./bakery.ts";

let db: Database;
let server: TestServer;
let client: Client;
beforeAll(async () => {
  db = await testDatabase();
  await publishBakery(db);
  server = await testServer(db);
  client = createClient({ url: `${server.url}/graphql` });
});
afterAll(async () => {
  await client.close();
  await server[Symbol.asyncDispose]();
  await db[Symbol.asyncDispose]();
});

const bread = { pipeline: "bakery/bread", inputs: { flour: 3 } };
const mutation = `mutation ($input: EnqueueJobsInput!) { enqueueJobs(input: $input) {
  __typename
  ... on JobsRefusedError { code path items { ...Item } }
  ... on EnqueueJobsSuccess { accepted refused items { ...Item } }
} }
fragment Item on EnqueuedItem { index result {
  __typename
  ... on EnqueuedJob { replayed job { id state pipeline tags } }
  ... on Error { code message path }
  ... on InvalidRunError { problems { path } }
  ... on QueueFullError { queue }
} }`;

async function enqueue(jobs: object[], onError: "REJECT_ALL" | "REJECT_FAILED" = "REJECT_FAILED") {
  const answer = await server.post(mutation, { input: { jobs, onError } });
  if (answer.errors !== undefined) return answer.errors;
  const { items, ...told } = answer.data.enqueueJobs;
  return {
    ...told,
    items: items.map(({ index, result }: { index: number; result: object }) => ({ index, ...result })),
  };
}

async function jobsTagged(tag: string): Promise<number> {
  const [row] = await db.sql<{ count: number }[]>`select count(*)::int from job_tags where tag = ${tag}`;
  return row?.count ?? Number.NaN;
}

async function rejection(call: Promise<unknown>): Promise<unknown> {
  return await call.then(
    () => expect.unreachable("it succeeded"),
    (reason: unknown) => reason,
  );
}

const cli = (...argv: string[]) => runCommand(server.url, argv);

describe("enqueueJobs", () => {
  it("makes 1,000 jobs in one transaction, in the order of the call, and each has its event and ticket", async () => {
    const jobs = Array.from({ length: 1000 }, (_, n) => ({ ...bread, inputs: { flour: n }, tags: ["thousand"] }));
    const answer = await enqueue(jobs, "REJECT_ALL");
    expect(answer).toMatchObject({ __typename: "EnqueueJobsSuccess", accepted: 1000, refused: 0 });
    expect(answer.items.map(({ index }: { index: number }) => index)).toEqual(jobs.map((_, n) => n));
    const ids = answer.items.map(({ job }: { job: { id: string } }) => job.id);
    expect(new Set(ids).size).toBe(1000);
    const rows = await db.sql<{ flour: number; at: string; ticketed: boolean; events: number }[]>`
      select (r.inputs ->> 'flour')::int as flour, j.xmin::text as at, j.ticketed_at is not null as ticketed,
        (select count(*)::int from events e where e.job_id = j.id) as events
      from jobs j join job_requests r on r.job_id = j.id join job_tags t on t.job_id = j.id and t.tag = 'thousand'
      order by j.id`;
    expect(rows.map(({ flour }) => flour)).toEqual(jobs.map((_, n) => n));
    expect(new Set(rows.map(({ at }) => at)).size).toBe(1);
    expect(rows.every(({ ticketed, events }) => ticketed && events === 1)).toBe(true);
  });

  it("refuses those that cannot be made, each with its error and place, and makes the others", async () => {
    const answer = await enqueue([
      { ...bread, tags: ["some"] },
      { pipeline: "bakery/braed" },
      { pipeline: "bakery/bread", inputs: { flour: "much" } },
      { ...bread, queue: "nowhere" },
      { pipeline: "bread", tags: ["some"] },
      { pipeline: "nothing" },
    ]);
    expect(answer).toMatchObject({ accepted: 2, refused: 4 });
    expect(answer.items).toMatchObject([
      { index: 0, job: { state: "QUEUED", tags: ["some"] } },
      { index: 1, __typename: "NotFoundError", path: "input.jobs.1.pipeline" },
      {
        index: 2,
        __typename: "InvalidRunError",
        problems: [{ path: "input.jobs.2.inputs.flour" }],
      },
      { index: 3, __typename: "NotFoundError", path: "input.jobs.3.queue" },
      { index: 4, job: { pipeline: "bread" } },
      { index: 5, __typename: "NotFoundError", path: "input.jobs.5.pipeline" },
    ]);
    expect(await jobsTagged("some")).toBe(2);
  });

  it("stores nothing when one is bad and all are to be rejected then, whether its pipeline or its queue is", async () => {
    for (const bad of [
      { pipeline: "bakery/bread", inputs: { flour: "much" } },
      { ...bread, queue: "nowhere" },
    ]) {
      const keyed = { ...bread, tags: ["none"], idempotencyKey: "not-stored" };
      expect(await enqueue([keyed, bad], "REJECT_ALL")).toMatchObject({
        __typename: "JobsRefusedError",
        code: "JOBS_REFUSED",
        items: [{ index: 1 }],
      });
      expect(await jobsTagged("none")).toBe(0);
      expect(await db.sql`select from idempotency_keys where key = 'not-stored'`).toHaveLength(0);
    }
  });

  it("names all that cannot be made when all are rejected, those in a queue that is not there with the others", async () => {
    const jobs = [{ ...bread, queue: "defualt" }, bread, { pipeline: "bakery/bread", inputs: { flour: "much" } }];
    expect(await enqueue(jobs, "REJECT_ALL")).toMatchObject({
      items: [
        { index: 0, message: "There is no queue defualt. Did you mean default?", path: "input.jobs.0.queue" },
        { index: 2, __typename: "InvalidRunError" },
      ],
    });
  });

  it("takes as many as a queue has room for, or none", async () => {
    await db.sql`insert into queues (name, created_at, backlog_limit) values ('tight', queue_now(), 2)`;
    const three = [1, 2, 3].map(() => ({ ...bread, queue: "tight", tags: ["tight"] }));
    expect(await enqueue(three, "REJECT_ALL")).toMatchObject({
      items: [{ index: 2, __typename: "QueueFullError", path: "input.jobs.2.queue" }],
    });
    expect(await jobsTagged("tight")).toBe(0);
    expect(await enqueue(three)).toMatchObject({
      accepted: 2,
      refused: 1,
      items: [{}, {}, { queue: "tight" }],
    });
    expect(await jobsTagged("tight")).toBe(2);
  });

  it("makes one job of equal keys within a call and across calls, and refuses another request under one", async () => {
    const keyed = { ...bread, idempotencyKey: "same", tags: ["same"] };
    const first = await enqueue([keyed, keyed, { ...keyed, priority: 3 }]);
    expect(first.items).toMatchObject([
      { replayed: false },
      { replayed: true },
      { __typename: "IdempotencyConflictError", path: "input.jobs.2.idempotencyKey" },
    ]);
    expect(first.items[1].job.id).toBe(first.items[0].job.id);
    const again = await enqueue([keyed, bread], "REJECT_ALL");
    expect(again.items).toMatchObject([{ replayed: true, job: { id: first.items[0].job.id } }, { replayed: false }]);
    expect(await jobsTagged("same")).toBe(1);
  });

  it("makes one job for each key of many calls at once, in whatever order", async () => {
    const keyed = Array.from({ length: 30 }, (_, n) => ({ ...bread, idempotencyKey: `race-${n}`, tags: ["race"] }));
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, n) =>
        n % 3 === 0
          ? client.enqueueMany(keyed)
          : client.enqueueMany(n % 3 === 1 ? keyed.toReversed() : keyed.slice(7, 20)),
      ),
    );
    expect(await jobsTagged("race")).toBe(30);
    const made = answers.flat().filter(({ replayed }) => !replayed);
    expect(made).toHaveLength(30);
    expect(answers.flat().every(({ job }) => job !== null)).toBe(true);
  });

  it("makes a new job for a key whose job has failed, when that is asked for", async () => {
    const request = { ...bread, idempotencyKey: "again", onReplay: "NEW_IF_FAILED" };
    const first = await enqueue([request]);
    const [row] = await db.sql<{ jobId: string }[]>`select job_id as "jobId" from idempotency_keys where key = 'again'`;
    await db.sql.begin((sql) => finishJob(sql, row?.jobId as string, "failed"));
    const second = await enqueue([request, request]);
    expect(second.items).toMatchObject([{ replayed: false }, { replayed: true }]);
    expect(second.items[0].job.id).not.toBe(first.items[0].job.id);
  });

  it("asks for each pipeline under each config once, and takes what nobody has described in time as not yet checked", async () => {
    const asked: unknown[] = [];
    const jobs = {
      ...server.jobs,
      describe: (_pipeline: unknown, config: unknown) => {
        asked.push(config);
        return new Promise<never>(() => {});
      },
    };
    const requests = Array.from({ length: 120 }, (_, n) =>
      runRequest({ project: "bakery", pipeline: "bread", config: { season: n % 3 } }),
    );
    const outcomes = await enqueueJobs(jobs, tester, requests, "reject_all");
    expect(outcomes).toHaveLength(120);
    expect(asked).toEqual([{ season: 0 }, { season: 1 }, { season: 2 }]);
    const ids = outcomes.map((outcome) => (outcome as { jobId: string }).jobId);
    expect(await db.sql`select from job_requests where job_id = any(${ids}) and plan is null`).toHaveLength(120);
  });

  it.each([
    ["no job at all", []],
    ["more than 1,000", Array.from({ length: 1001 }, () => bread)],
    ["a priority of 101", [bread, { ...bread, priority: 101 }]],
  ])("refuses %s as a whole", async (_what, jobs) => {
    const [error] = await enqueue(jobs);
    expect(error).toMatchObject({ extensions: { code: "BAD_USER_INPUT" } });
    expect(error.extensions.path).toMatch(/^input\.jobs/);
  });
});

describe("enqueueMany of the client", () => {
  it("throws what is wrong by class, with its place, and has stored nothing", async () => {
    const error = await rejection(client.enqueueMany([{ ...bread, tags: ["thrown"] }, { pipeline: "bakery/braed" }]));
    expect(error).toBeInstanceOf(JobsRefusedError);
    expect((error as JobsRefusedError).refused).toMatchObject([{ index: 1 }]);
    expect((error as JobsRefusedError).refused[0]?.error).toBeInstanceOf(NotFoundError);
    expect(await jobsTagged("thrown")).toBe(0);
  });

  it("takes more than a call may hold in parts, and tells of each what became of it, also of a wrong shape", async () => {
    const jobs = Array.from({ length: 1203 }, (_, n) => ({ ...bread, inputs: { flour: n }, tags: ["parts"] }));
    const inputs = (jobs as object[])
      .with(5, { ...bread, priority: 101 } as never)
      .with(1100, { ...bread, inputs: { flour: "x" } }) as (typeof bread)[];
    const items = await client.enqueueMany(inputs, { onError: "REJECT_FAILED" });
    expect(items.map(({ index }) => index)).toEqual(inputs.map((_, n) => n));
    expect(items[5]?.error).toBeInstanceOf(BadInputError);
    expect(items[1100]?.error).toBeInstanceOf(InvalidRunError);
    expect(items.filter(({ error }) => error !== null)).toHaveLength(2);
    expect(await jobsTagged("parts")).toBe(1201);
  });
});

describe("enqueue --from", () => {
  const file = (...lines: string[]) => {
    const path = join(mkdtempSync(join(tmpdir(), "enqueue-")), "jobs.jsonl");
    writeFileSync(path, `${lines.join("\n")}\n`);
    return path;
  };

  it("enqueues a request for each line, with what the flags say for all", async () => {
    const from = file('{"inputs": {"flour": 1}}', "", '{"pipeline": "bakery/bread", "tags": ["own"]}');
    const { code, out, err } = await cli("enqueue", "bakery/bread", "--tag", "lines", "--from", from);
    expect(out.trim().split("\n")).toEqual([
      expect.stringMatching(/^→ job_\w+ accepted: bakery\/bread, queued$/),
      expect.stringMatching(/^→ job_\w+ accepted/),
    ]);
    expect([code, err.trim()]).toEqual([0, "2 jobs accepted, 0 refused"]);
    expect([await jobsTagged("lines"), await jobsTagged("own")]).toEqual([1, 1]);
  });

  it("tells of each line what is wrong with it, and ends with 2", async () => {
    const lines = ['{"pipeline": "bakery/bread", "tags": ["bad"]}', "{", '{"pipeline": "bakery/braed"}', "{}"];
    const none = await cli("enqueue", "--from", file(...lines));
    expect(none).toMatchObject({ code: 2, out: "" });
    expect(none.err).toContain("✗ line 2: It is no JSON");
    expect(await jobsTagged("bad")).toBe(0);
    const some = await cli("enqueue", "--from", file(...lines), "--on-error", "reject-failed", "--json");
    expect(some.code).toBe(2);
    expect(JSON.parse(some.out)).toMatchObject([
      { line: 1, job: { state: "QUEUED" }, error: null },
      { line: 2, job: null, error: { code: "BAD_USER_INPUT" } },
      { line: 3, error: { code: "NOT_FOUND" } },
      { line: 4, error: { message: "It names no pipeline, and neither does the command." } },
    ]);
    expect(await jobsTagged("bad")).toBe(1);
  });

  it.each([
    [["enqueue"], "Name a pipeline"],
    [["enqueue", "bakery/bread", "--on-error", "reject-all"], "--on-error needs --from"],
    [["enqueue", "--from", "/no/such/file"], "cannot be read"],
    [["enqueue", "--from", "x", "--key", "k"], "--key would make one job"],
    [["enqueue", "--from", "x", "--wait"], "--wait and --follow"],
  ])("%j is refused", async (argv, message) => {
    const { code, err } = await cli(...argv);
    expect(code).toBe(2);
    expect(err).toContain(message);
  });
});

describe("when a job is due, and how it is found", () => {
  it("is counted from the database's clock", async () => {
    const answer = await enqueue([{ ...bread, runInMs: 60_000, expiresInMs: 90_000, tags: ["due"] }]);
    expect(answer.items).toMatchObject([{ job: { state: "SCHEDULED" } }]);
    const [row] = await db.sql<{ due: number; expires: number }[]>`
      select extract(epoch from run_at - created_at)::float as due, extract(epoch from expires_at - created_at)::float as expires
      from jobs j join job_tags t on t.job_id = j.id and t.tag = 'due'`;
    expect(row).toEqual({ due: 60, expires: 90 });
  });

  it.each([
    [{ runInMs: 1, runAt: "2099-01-01T00:00:00Z" }, "input.jobs.0.runInMs"],
    [{ expiresInMs: 1, expiresAt: "2099-01-01T00:00:00Z" }, "input.jobs.0.expiresInMs"],
  ])("is refused when it is said in two ways: %j", async (when, path) => {
    expect((await enqueue([{ ...bread, ...when }])).items).toMatchObject([{ __typename: "BadInputError", path }]);
  });

  it("is refused with metadata that is no small scalar, with its path", async () => {
    for (const [metadata, key] of [
      [{ a: [1] }, "a"],
      [{ a: null }, "a"],
      [{ b: "x".repeat(256) }, "b"],
      [{ ["k".repeat(101)]: 1 }, "k".repeat(100)],
    ] as const) {
      const [error] = await enqueue([bread, { ...bread, metadata }]);
      expect(error.extensions).toMatchObject({ code: "BAD_USER_INPUT", path: `input.jobs.1.metadata.${key}` });
    }
  });

  it("is found by its metadata, which a rerun keeps and the commands show", async () => {
    const made = await cli(
      "enqueue",
      "bakery/bread",
      "--meta",
      "customer=acme",
      "--meta",
      "order=42",
      "--in",
      "1h",
      "--json",
    );
    const { id } = JSON.parse(made.out).job;
    const found = async (...meta: string[]) => {
      const { out } = await cli("jobs", "--json", ...meta.flatMap((pair) => ["--meta", pair]));
      return (out === "" ? [] : JSON.parse(out)).map((job: { id: string }) => job.id);
    };
    expect(await found("customer=acme", "order=42")).toEqual([id]);
    expect(await found("customer=acme", "order=43")).toEqual([]);
    expect((await client.job(id))?.metadata).toEqual({ customer: "acme", order: 42 });
    expect((await cli("job", id)).out).toContain("order=42, customer=acme");
    await client.cancel(id);
    const rerun = await client.rerun({ id });
    expect(await found("customer=acme")).toEqual([rerun.job.id, id]);
  });
});

describe("a unique key", () => {
  it("is asked for by the command, which says whose place the new job has taken", async () => {
    const ask = async (...flags: string[]) => await cli("enqueue", "bakery/bread", "--unique", "nightly", ...flags);
    const first = JSON.parse((await ask("--json")).out);
    expect(first).toMatchObject({ replayed: false, replaced: null });
    expect((await ask()).out).toContain(`${first.job.id} was enqueued before with this key`);
    const second = JSON.parse((await ask("--unique-policy", "replace-pending", "--json")).out);
    expect(second).toMatchObject({ replayed: false, replaced: first.job.id });
    const third = await ask("--debounce", "1h");
    expect(third.out).toContain(`in place of …${second.job.id.slice(-6)}`);
    const { data } = await server.post(`{ jobs(first: 1) { nodes { uniqueKey state } } }`);
    expect(data.jobs.nodes).toEqual([{ uniqueKey: "nightly", state: "SCHEDULED" }]);
  });

  it.each([
    [{ key: "k", policy: "DEBOUNCE" }, "input.jobs.0.unique.debounceMs"],
    [{ key: "k", debounceMs: 5 }, "input.jobs.0.unique.debounceMs"],
  ])("is refused when it says something else than its policy: %j", async (unique, path) => {
    expect((await enqueue([{ ...bread, unique }])).items).toMatchObject([{ __typename: "BadInputError", path }]);
  });
});
