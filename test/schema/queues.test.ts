/** Queues as objects: made, limited, paused, and what a waiting job says of them. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { graphileWorker as backend } from "../../src/backends/graphile-worker/backend.ts";
import type { Database } from "../../src/db/client.ts";
import { idText, uuidOf } from "../../src/domain/ids.ts";
import { admit } from "../../src/jobs/admit.ts";
import { countEnded } from "../../src/jobs/metrics.ts";
import { runCommand } from "../support/command.ts";
import { testDatabase } from "../support/database.ts";
import { finishJob, insertJob, insertWorker } from "../support/factories.ts";
import { queuedJob } from "../support/running.ts";
import { type TestServer, testServer } from "../support/server.ts";
import { publishBakery } from "./bakery.ts";

let db: Database;
let server: TestServer;
beforeAll(async () => {
  db = await testDatabase();
  await publishBakery(db);
  server = await testServer(db);
  const worker = await insertWorker(db.sql);
  await db.sql`update workers set projects = '[{"name": "bikes", "root": "x"}]' where id = ${worker}`;
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await db[Symbol.asyncDispose]();
});

const fields = `name pausedAt pausedUntil pauseReason concurrencyLimit rateLimit { jobs periodMs } backlogLimit
  counts { state count { value isExact } } oldestWaitingAt endedPerMinute
  jobDefaults { priority timeoutMs ttlMs retry { maxRetries delaysMs } onWorkerLost needs }`;
const errors = "__typename ... on Error { code message path }";

async function mutate(name: string, input: object) {
  const [kind, success] = [
    `${name[0]?.toUpperCase()}${name.slice(1)}Input`,
    `${name[0]?.toUpperCase()}${name.slice(1)}Success`,
  ];
  const answer = await server.post(
    `mutation ($input: ${kind}!) { ${name}(input: $input) { ${errors} ... on ${success} { queue { ${fields} } } } }`,
    { input },
  );
  return answer.errors ?? answer.data[name];
}

async function waitingFor(id: string): Promise<string | null> {
  const { data, errors } = await server.post("query ($id: ID!) { job(id: $id) { waitingFor } }", {
    id: idText("job", id),
  });
  expect(errors).toBeUndefined();
  return data.job.waitingFor;
}

const cli = (...argv: string[]) => runCommand(server.url, argv);

describe("a queue", () => {
  it("is made with its limits, once, and changed in what is said and nothing else", async () => {
    const open = {
      pausedAt: null,
      pausedUntil: null,
      pauseReason: null,
      counts: [],
      oldestWaitingAt: null,
      jobDefaults: null,
      endedPerMinute: 0,
    };
    expect(await mutate("createQueue", { name: "nightly", concurrencyLimit: 2 })).toEqual({
      __typename: "CreateQueueSuccess",
      queue: { name: "nightly", ...open, concurrencyLimit: 2, rateLimit: null, backlogLimit: null },
    });
    expect(await mutate("createQueue", { name: "nightly" })).toMatchObject({
      __typename: "QueueExistsError",
      code: "CONFLICT",
      path: "input.name",
    });
    const changed = await mutate("setQueueLimits", {
      name: "nightly",
      rateLimit: { jobs: 10, periodMs: 60_000 },
      backlogLimit: 1000,
    });
    expect(changed.queue).toMatchObject({
      concurrencyLimit: 2,
      rateLimit: { jobs: 10, periodMs: 60_000 },
      backlogLimit: 1000,
    });
    const lifted = await mutate("setQueueLimits", { name: "nightly", concurrencyLimit: null, rateLimit: null });
    expect(lifted.queue).toMatchObject({ concurrencyLimit: null, rateLimit: null, backlogLimit: 1000 });
  });

  it.each([
    ["createQueue", { name: "a/b" }],
    ["createQueue", { name: "" }],
    ["createQueue", { name: "x", concurrencyLimit: 0 }],
    ["setQueueLimits", { name: "default", backlogLimit: -1 }],
    ["setQueueLimits", { name: "default", rateLimit: { jobs: 1, periodMs: 86_400_001 } }],
  ])("%s refuses %j", async (name, input) => {
    expect(await mutate(name, input)).toMatchObject([{ extensions: { code: "BAD_USER_INPUT" } }]);
  });

  it("that is not there is an error as data; a pause that is over as well", async () => {
    for (const name of ["setQueueLimits", "pauseQueue", "resumeQueue"]) {
      expect(await mutate(name, { name: "nowhere" })).toMatchObject({
        __typename: "NotFoundError",
        path: "input.name",
      });
    }
    expect(await mutate("pauseQueue", { name: "default", until: "2020-01-01T00:00:00Z" })).toMatchObject({
      __typename: "BadInputError",
      path: "input.until",
    });
  });

  it("takes no more than its backlog limit, and says so as data", async () => {
    await mutate("createQueue", { name: "short", backlogLimit: 2 });
    const enqueue = async (input: object = {}) =>
      (
        await server.post(
          `mutation ($input: EnqueueJobInput!) { enqueueJob(input: $input) { ${errors}
            ... on EnqueueJobSuccess { replayed job { id } } ... on QueueFullError { queue } } }`,
          { input: { pipeline: "bakery/bread", inputs: { flour: 1 }, queue: "short", ...input } },
        )
      ).data.enqueueJob;
    const first = await enqueue({ idempotencyKey: "k" });
    expect(first).toMatchObject({ __typename: "EnqueueJobSuccess" });
    // Of several at once as many are taken as there is room for.
    const answers = await Promise.all([1, 2, 3, 4].map(() => enqueue()));
    expect(answers.map(({ __typename }) => __typename).toSorted()).toEqual([
      "EnqueueJobSuccess",
      "QueueFullError",
      "QueueFullError",
      "QueueFullError",
    ]);
    expect(answers.find(({ __typename }) => __typename === "QueueFullError")).toMatchObject({
      code: "QUEUE_FULL",
      path: "input.queue",
      queue: "short",
    });
    // What was taken before is told, however full it is.
    expect(await enqueue({ idempotencyKey: "k" })).toMatchObject({ replayed: true, job: first.job });
    expect(await enqueue({ idempotencyKey: "new" })).toMatchObject({ __typename: "QueueFullError" });
    await mutate("setQueueLimits", { name: "short", backlogLimit: 3 });
    expect(await enqueue({ idempotencyKey: "new" })).toMatchObject({ __typename: "EnqueueJobSuccess" });
  });

  it("counts its jobs by state", async () => {
    const { data } = await server.post(`{ queue(name: "short") { ${fields} } missing: queue(name: "x") { name } }`);
    expect(data.queue.counts).toEqual([{ state: "QUEUED", count: { value: 3, isExact: true } }]);
    expect(data.queue.oldestWaitingAt).toEqual(expect.any(String));
    expect(data.missing).toBeNull();
  });
});

describe("a waiting job", () => {
  it("says that its queue is paused, until when and why", async () => {
    await mutate("createQueue", { name: "paused" });
    await mutate("pauseQueue", { name: "paused", until: "2999-01-01T00:00:00Z", reason: "the moon" });
    const id = await queuedJob(db, { queue: "paused" });
    expect(await waitingFor(id)).toBe("queue paused is paused until 2999-01-01T00:00:00.000Z: the moon");
    await mutate("resumeQueue", { name: "paused" });
    await admit(db, backend);
    expect(await waitingFor(id)).toBeNull();
  });

  it("says what limits it: its queue, or the job that has its key", async () => {
    await mutate("createQueue", { name: "narrow", concurrencyLimit: 1 });
    const first = await queuedJob(db, { queue: "narrow" });
    const second = await queuedJob(db, { queue: "narrow" });
    await admit(db, backend);
    expect(await waitingFor(first)).toBeNull();
    expect(await waitingFor(second)).toBe("its turn in queue narrow, which has 1 of 1 jobs with workers");
    const concurrency = { key: "bikes/daily region=eu", limit: 1 };
    const holder = await queuedJob(db, { concurrency });
    await admit(db, backend);
    const waits = await queuedJob(db, { concurrency });
    await admit(db, backend);
    expect(await waitingFor(waits)).toBe(
      `${idText("job", holder)}: one job at a time with the key bikes/daily region=eu`,
    );
    await mutate("createQueue", { name: "slow", rateLimit: { jobs: 1, periodMs: 60_000 } });
    await queuedJob(db, { queue: "slow" });
    const late = await queuedJob(db, { queue: "slow" });
    await admit(db, backend);
    expect(await waitingFor(late)).toBe("its turn in queue slow, which starts 1 jobs in 60000 ms");
  });
});

describe("the command line", () => {
  it("makes, changes, pauses and resumes queues, and lists them", async () => {
    expect(await cli("queue", "create", "reports", "--concurrency", "3", "--rate", "5/m")).toMatchObject({
      code: 0,
      out: expect.stringMatching(/reports\n {2}is +open\n {2}lets pass +3 at a time, 5 in 1 min/),
    });
    expect(await cli("queue", "set", "reports", "--rate", "none", "--backlog", "10")).toMatchObject({ err: "" });
    expect((await cli("queue", "set", "reports", "--rate", "none", "--backlog", "10")).out).toContain(
      "3 at a time, 10 waiting",
    );
    expect((await cli("queue", "pause", "reports", "--for", "2h", "--reason", "maintenance")).out).toMatch(
      /paused since .* until .*: maintenance/,
    );
    expect((await cli("queue", "list")).out).toMatch(/reports +0 +0 +0 +paused +3 at a time, 10 waiting/);
    expect((await cli("queue", "resume", "reports")).out).toContain("open");
    expect(JSON.parse((await cli("queue", "show", "reports", "--json")).out)).toMatchObject({
      name: "reports",
      pausedAt: null,
    });
  });

  it("says what is wrong, with the exit code of what is not accepted", async () => {
    expect(await cli("queue", "show", "nowhere")).toMatchObject({
      code: 2,
      err: expect.stringContaining("no queue nowhere"),
    });
    expect(await cli("queue", "set", "default")).toMatchObject({
      code: 2,
      err: expect.stringContaining("--concurrency"),
    });
    expect(await cli("queue", "set", "default", "--rate", "5")).toMatchObject({
      code: 2,
      err: expect.stringContaining("10/1m"),
    });
    expect(await cli("queue", "pause", "default", "--for", "1h", "--until", "2999-01-01")).toMatchObject({ code: 2 });
    expect(await cli("queue", "create", "default")).toMatchObject({ code: 2, err: expect.stringContaining("already") });
  });
});

describe("what a queue's jobs are run with", () => {
  const none = { priority: null, timeoutMs: null, ttlMs: null, retry: null, onWorkerLost: null, needs: null };

  it("is set key by key, taken away with null, shown, and in the audit trail", async () => {
    const made = await mutate("createQueue", { name: "tuned", jobDefaults: { priority: 10, needs: ["gpu"] } });
    expect(made.queue.jobDefaults).toEqual({ ...none, priority: 10, needs: ["gpu"] });
    const retry = { maxRetries: 2, delaysMs: [1000, 5000] };
    const set = await mutate("setQueueDefaults", { name: "tuned", jobDefaults: { ttlMs: 7_200_000, retry } });
    expect(set.queue.jobDefaults).toEqual({ ...none, priority: 10, needs: ["gpu"], ttlMs: 7_200_000, retry });
    const less = await mutate("setQueueDefaults", { name: "tuned", jobDefaults: { priority: null, needs: null } });
    expect(less.queue.jobDefaults).toEqual({ ...none, ttlMs: 7_200_000, retry });
    const cleared = await mutate("setQueueDefaults", { name: "tuned", jobDefaults: { ttlMs: null, retry: null } });
    expect(cleared.queue.jobDefaults).toBeNull();
    const audited = await db.sql<{ action: string; data: { jobDefaults?: object } }[]>`
      select action, data from audit where target = 'que_tuned' order by at`;
    expect(audited.map(({ action }) => action)).toEqual([
      "queue.create",
      "queue.defaults",
      "queue.defaults",
      "queue.defaults",
    ]);
    expect(audited[1]?.data).toEqual({ ttlMs: 7_200_000, retry });
  });

  it.each([
    [{ name: "tuned", jobDefaults: { priority: 101 } }],
    [{ name: "tuned", jobDefaults: { needs: ["a b"] } }],
    [{ name: "tuned", jobDefaults: { needs: [] } }],
    [{ name: "tuned", jobDefaults: { ttlMs: 0 } }],
    [{ name: "tuned", jobDefaults: { retry: { maxRetries: 1, delaysMs: [] } } }],
  ])("refuses %j", async (input) => {
    expect(await mutate("setQueueDefaults", input)).toMatchObject([{ extensions: { code: "BAD_USER_INPUT" } }]);
  });

  it("holds for its jobs where the request says nothing, and the plan says who says so", async () => {
    const retry = { maxRetries: 3, delaysMs: [500] };
    const jobDefaults = { priority: 10, timeoutMs: 60_000, ttlMs: 3_600_000, retry, needs: ["gpu"] };
    await mutate("createQueue", { name: "careful", jobDefaults });
    const { data } = await server.post(
      `query ($input: PlanJobInput!) { planJob(input: $input) { ... on JobPlan { settings {
        priority { value source } timeoutMs { value source } ttlMs { value source } needs { value source }
        retry { maxRetries delaysMs source note } onWorkerLost { value source } } } } }`,
      { input: { pipeline: "bakery/bread", queue: "careful", timeoutMs: 5 } },
    );
    const source = "queue careful";
    expect(data.planJob.settings).toEqual({
      priority: { value: 10, source },
      timeoutMs: { value: 5, source: "request" },
      ttlMs: { value: 3_600_000, source },
      needs: { value: ["gpu"], source },
      retry: { maxRetries: 3, delaysMs: [500], source, note: null },
      onWorkerLost: { value: "RETRY", source: "default" },
    });

    const enqueue = async (input: object) => {
      const answer = await server.post(
        `mutation ($input: EnqueueJobInput!) { enqueueJob(input: $input) { ... on EnqueueJobSuccess { job { id } } } }`,
        { input: { pipeline: "bakery/bread", inputs: { flour: 1 }, queue: "careful", ...input } },
      );
      const [row] = await db.sql<{ priority: number; needs: string[]; tries: number; expires: number; now: number }[]>`
        select priority, needs, max_attempts as tries, extract(epoch from expires_at - run_at)::float8 as expires,
          extract(epoch from expires_at - created_at)::float8 as now
        from jobs where id = ${uuidOf("job", answer.data.enqueueJob.job.id)}`;
      return row;
    };
    expect(await enqueue({})).toEqual({ priority: 10, needs: ["gpu"], tries: 4, expires: 3600, now: 3600 });
    // Counted from when it is due: a job of tomorrow does not expire today.
    expect(await enqueue({ runInMs: 86_400_000, priority: 90 })).toMatchObject({
      priority: 90,
      expires: 3600,
      now: 90_000,
    });
    expect(await enqueue({ expiresInMs: 1000 })).toMatchObject({ now: 1 });

    // Changed, it holds at once for what comes.
    await mutate("setQueueDefaults", { name: "careful", jobDefaults: { priority: 20, ttlMs: null } });
    expect(await enqueue({})).toMatchObject({ priority: 20, expires: null });
  });

  it("is set and shown by the command", async () => {
    await mutate("createQueue", { name: "quiet" });
    const flags = ["--priority", "5", "--ttl", "2h", "--max-retries", "2", "--retry-delays", "1,10", "--needs", "gpu"];
    const set = await cli("queue", "defaults", "quiet", ...flags);
    expect(set.code).toBe(0);
    expect(set.out).toContain(
      "priority 5, expires 2 h 00 min after it is due, retries: 2, after 1.0 s, 10.0 s, needs gpu",
    );
    const cleared = await cli("queue", "defaults", "quiet", "--clear", "retries", "--clear", "needs", "--json");
    expect(JSON.parse(cleared.out).jobDefaults).toEqual({ ...none, priority: 5, ttlMs: 7_200_000 });
    expect((await cli("queue", "defaults", "quiet")).code).toBe(2);
    expect((await cli("queue", "defaults", "quiet", "--priority", "5", "--clear", "priority")).code).toBe(2);
    expect((await cli("queue", "defaults", "nowhere", "--priority", "5")).code).toBe(2);
  });
});

it("tells how many of a queue's jobs have ended per minute, from what the metrics have counted", async () => {
  await mutate("createQueue", { name: "busy" });
  for (const state of ["succeeded", "succeeded", "failed", "cancelled"] as const) {
    const id = await insertJob(db, { queue: "busy", state: "running" });
    await db.sql.begin((tx) => finishJob(tx, id, state));
  }
  while (await countEnded(db));
  const asked = async () => (await server.post(`{ queue(name: "busy") { endedPerMinute } }`)).data.queue.endedPerMinute;
  // Five whole minutes and a part of the one that is under way.
  const now = await asked();
  expect(now).toBeGreaterThan(4 / 6.01);
  expect(now).toBeLessThanOrEqual(4 / 5);
  await db.sql`update metrics set at = at - interval '6 minutes' where queue = 'busy'`;
  expect(await asked()).toBe(0);
  expect((await cli("queue", "list")).out).toMatch(/ENDED\/MIN/);
});
