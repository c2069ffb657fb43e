import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { graphileWorker as backend } from "../../src/backends/graphile-worker/backend.ts";
import { connect, type Database } from "../../src/db/client.ts";
import { cancelJob } from "../../src/jobs/cancel.ts";
import { bury, giveBack } from "../../src/worker/rescue.ts";
import { type End, openWrites, type Started } from "../../src/worker/writes.ts";
import { testDatabase } from "../support/database.ts";
import { insertWorker } from "../support/factories.ts";
import { jobsContext, silentWakeups, tester } from "../support/jobs.ts";
import { runningJob } from "../support/running.ts";

let db: Database;
/** Another process. */
let other: Database;
beforeAll(async () => {
  db = await testDatabase();
  other = await connect(db.url, { max: 4, maxReads: 1 });
});
beforeEach(async () => {
  await db.sql`delete from failure_groups`;
});
afterAll(async () => {
  await other[Symbol.asyncDispose]();
  await db[Symbol.asyncDispose]();
});

interface Group {
  pipeline: string;
  node: string;
  type: string;
  codeHash: string;
  kind: string;
  count: number;
  jobId: string;
  message: string;
  closedBy: string | null;
  firstSeenAt: Date;
  lastSeenAt: Date;
}

async function groups(): Promise<Group[]> {
  return await db.sql<Group[]>`
    select pipeline, node, error_class as type, code_hash as "codeHash", error_kind as kind, count::int, last_job_id as "jobId",
      last_message as message, closed_by as "closedBy", first_seen_at as "firstSeenAt", last_seen_at as "lastSeenAt"
    from failure_groups order by pipeline, node, error_class, code_hash`;
}

const keyError = { kind: "PIPELINE" as const, type: "KeyError", message: "'x'", node: "dough" };

/** The end of an attempt, of the name and with the error that are given. */
function endOf({ jobId, attempt, runToken }: Started, name: End["name"], error: typeof keyError | null = null): End {
  const data = {
    succeed: {},
    retry: { error, failures: 1, maxAttempts: 3, runAt: new Date().toISOString() },
    fail: { error },
    release: { reason: "the worker stopped" },
    rescue: { error, losses: 1 },
    stop: { actor: "tester", reason: null },
  }[name] as End["move"]["data"];
  const why = error === null ? {} : { error, errorKind: error.kind };
  return { name, move: { id: jobId, attempt, data, ...why }, runToken, artifacts: [], storedMs: null };
}

const writesOf = (database: Database) => openWrites(database, backend, silentWakeups());
const end = (started: Started, name: End["name"], error: typeof keyError | null = null) =>
  writesOf(db).end(endOf(started, name, error));

async function ran(started: Started, codeHash: string): Promise<void> {
  await db.sql`update attempts set code_hash = ${codeHash} where run_token = ${started.runToken}`;
}

describe("an attempt that ends", () => {
  it.each(["retry", "fail", "rescue"] as const)("by %s is counted in the group of its equals", async (name) => {
    const started = [await runningJob(db), await runningJob(db)] as const;
    for (const one of started) await ran(one, "c0de");
    await end(started[0], name, keyError);
    await end(started[1], name, { ...keyError, message: "'y'" });
    expect(await groups()).toEqual([
      {
        pipeline: "daily",
        node: "dough",
        type: "KeyError",
        codeHash: "c0de",
        kind: "PIPELINE",
        count: 2,
        jobId: started[1].jobId,
        message: "'y'",
        closedBy: null,
        firstSeenAt: expect.any(Date),
        lastSeenAt: expect.any(Date),
      },
    ]);
  });

  it.each([
    ["stop", { ...keyError, kind: "CANCELLED" as never }],
    ["release", null],
    ["succeed", null],
  ] as const)("by %s is in none", async (name, error) => {
    await end(await runningJob(db), name, error);
    expect(await groups()).toEqual([]);
  });

  it("in failure after somebody has asked for its cancel is in none", async () => {
    const started = await runningJob(db);
    await cancelJob(jobsContext(db), tester, { jobId: started.jobId, reason: null });
    expect(await end(started, "fail", keyError)).toBe("cancelled");
    expect(await groups()).toEqual([]);
  });

  it("is counted once, however often its end is sent", async () => {
    const started = await runningJob(db);
    expect(await end(started, "retry", keyError)).toBe("retryable");
    expect(await end(started, "retry", keyError)).toBeNull();
    expect(await end(started, "fail", keyError)).toBeNull();
    expect(await groups()).toMatchObject([{ count: 1 }]);
  });

  it("differs from others by pipeline, node, class and code", async () => {
    const cases: [string, string | null, string, string | null][] = [
      ["daily", "dough", "KeyError", "c0de"],
      ["daily", "dough", "KeyError", "0ther"],
      ["daily", "dough", "ValueError", "c0de"],
      ["daily", "oven", "KeyError", "c0de"],
      ["weekly", "dough", "KeyError", "c0de"],
      ["daily", null, "Timeout", null],
    ];
    for (const [pipeline, node, type, codeHash] of cases) {
      const started = await runningJob(db, { pipeline });
      if (codeHash !== null) await ran(started, codeHash);
      await end(started, "fail", { ...keyError, type, node: node as string });
    }
    const found = await groups();
    expect(found).toHaveLength(cases.length);
    expect(found.every(({ count }) => count === 1)).toBe(true);
    expect(found[0]).toMatchObject({ node: "", type: "Timeout", codeHash: "" });
  });

  it("takes names of any length and alphabet", async () => {
    // Four bytes each, and nothing that Postgres could shorten.
    const name = Array.from({ length: 5000 }, (_, n) => String.fromCodePoint(0x1f300 + ((n * n * 7919) % 691))).join(
      "",
    );
    const error = { ...keyError, node: name, type: name, message: "m".repeat(50_000) };
    await end(await runningJob(db, { pipeline: "p".repeat(128) }), "fail", error);
    const [group] = await groups();
    expect(group?.message).toHaveLength(2000);
    expect(error.node.startsWith(group?.node as string)).toBe(true);
  });
});

describe("a lost worker", () => {
  it.each([
    ["that is buried", (workerId: string) => bury(db, backend, workerId, "its process has ended")],
    [
      "whose attempt is given back",
      (workerId: string) => giveBack(db, backend, workerId, "it lost track of this attempt"),
    ],
  ])("%s is a failure of its pipeline", async (_how, lose) => {
    const workerId = await insertWorker(db.sql);
    const first = await runningJob(db, {}, workerId);
    await runningJob(db, { onWorkerLost: "fail" }, workerId);
    expect(await lose(workerId)).toHaveLength(2);
    expect(await groups()).toMatchObject([{ type: "WorkerLost", kind: "WORKER_LOST", node: "", count: 2 }]);
    // Its own end comes too late.
    expect(await end(first, "fail", keyError)).toBeNull();
    expect(await groups()).toHaveLength(1);
  });
});

describe("a run that succeeds", () => {
  it("closes the open groups of its pipeline, and a new failure opens its own again", async () => {
    await end(await runningJob(db), "fail", keyError);
    await end(await runningJob(db), "fail", { ...keyError, node: "oven" });
    await end(await runningJob(db, { pipeline: "weekly" }), "fail", keyError);
    const good = await runningJob(db);
    await end(good, "succeed");
    const closed = { closedBy: good.jobId };
    expect(await groups()).toMatchObject([
      { pipeline: "daily", node: "dough", ...closed },
      { pipeline: "daily", node: "oven", ...closed },
      { pipeline: "weekly", closedBy: null },
    ]);
    await end(await runningJob(db), "succeed"); // changes nothing
    expect(await groups()).toMatchObject([closed, closed, { closedBy: null }]);
    await end(await runningJob(db), "fail", keyError);
    expect(await groups()).toMatchObject([{ node: "dough", count: 2, closedBy: null }, { count: 1, ...closed }, {}]);
  });

  it("closes nothing that was seen after it had begun", async () => {
    const early = await runningJob(db);
    await db.sql`update attempts set started_at = started_at - interval '1 minute' where run_token = ${early.runToken}`;
    await end(await runningJob(db), "fail", keyError);
    await end(early, "succeed");
    expect(await groups()).toMatchObject([{ closedBy: null }]);
  });

  it("in the flush of a failure of its own pipeline leaves that one open, and closes the others", async () => {
    await end(await runningJob(db), "fail", keyError);
    await end(await runningJob(db), "fail", { ...keyError, node: "oven" });
    const [bad, good] = [await runningJob(db), await runningJob(db)];
    const writes = writesOf(db);
    await Promise.all([writes.end(endOf(bad, "fail", keyError)), writes.end(endOf(good, "succeed"))]);
    expect(await groups()).toMatchObject([
      { node: "dough", count: 2, closedBy: null },
      { node: "oven", closedBy: good.jobId },
    ]);
  });
});

it("counts the failures of many at once, and nobody waits in a circle", async () => {
  const nodes = ["a", "b", "c", "d"];
  const pipelines = ["daily", "weekly"];
  const jobs = await Promise.all(
    Array.from({ length: 64 }, async (_, n) => ({
      started: await runningJob(db, { pipeline: pipelines[n % 2] as string }),
      node: nodes[(n >> 1) % 4] as string,
      succeeds: n % 8 === 7,
    })),
  );
  const [before] = await db.sql<{ deadlocks: number }[]>`
    select deadlocks::int from pg_stat_database where datname = current_database()`;
  const processes = [db, other].flatMap((database) => [writesOf(database), writesOf(database)]);
  await Promise.all(
    jobs.map(({ started, node, succeeds }, n) =>
      processes[n % processes.length]?.end(
        succeeds ? endOf(started, "succeed") : endOf(started, "fail", { ...keyError, node }),
      ),
    ),
  );
  const counted = (await groups()).reduce((sum, { count }) => sum + count, 0);
  expect(counted).toBe(jobs.filter(({ succeeds }) => !succeeds).length);
  await db.sql`select pg_stat_force_next_flush()`.catch(() => {});
  const [after] = await db.sql<{ deadlocks: number }[]>`
    select deadlocks::int from pg_stat_database where datname = current_database()`;
  expect(after?.deadlocks).toBe(before?.deadlocks);
});
