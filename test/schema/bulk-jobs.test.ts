/** Many jobs at once: by ids, by a filter, from the CLI. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { graphileWorker as backend } from "../../src/backends/graphile-worker/backend.ts";
import type { Database } from "../../src/db/client.ts";
import { idText } from "../../src/domain/ids.ts";
import { insertJobs } from "../../src/jobs/insert.ts";
import { runCommand } from "../support/command.ts";
import { testDatabase } from "../support/database.ts";
import { insertJob } from "../support/factories.ts";
import { newJob } from "../support/jobs.ts";
import { queuedJob, runningJob, startJob } from "../support/running.ts";
import { type TestServer, testServer } from "../support/server.ts";
import { ticketsOf } from "../support/tickets.ts";
import { insertRun, publishBakery } from "./bakery.ts";

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

const shown = (id: string) => idText("job", id);
let made = 0;
/** A pipeline of its own for a test, as a filter has it. */
const fresh = () => ({ project: "bikes", pipeline: `p${++made}` });

async function mutate(name: string, input: object) {
  const kind = `${name[0]?.toUpperCase()}${name.slice(1)}Input`;
  const { data, errors } = await server.post(
    `mutation ($input: ${kind}!) { ${name}(input: $input) {
      __typename
      ... on BulkSuccess {
        dryRun matched { value isExact } done failed doneIds sample { id state }
        problems { id code message state } operation { id }
      }
      ... on Error { code path }
    } }`,
    { input },
  );
  return errors ?? data[name];
}

async function statesOf(ids: string[]) {
  const rows = await db.sql<{ id: string; state: string }[]>`select id, state from jobs where id = any(${ids}::uuid[])`;
  return ids.map((id) => rows.find((row) => row.id === id)?.state ?? null);
}

async function recorded(id: string, action: string) {
  const [last] = await db.sql`select type, data from events where job_id = ${id} order by seq desc limit 1`;
  const audited = await db.sql`select data from audit where target = ${shown(id)} and action = ${action}`;
  return { last, audited };
}

async function enqueued(count: number, where = fresh()): Promise<string[]> {
  const jobs = Array.from({ length: count }, () => newJob({ id: db.ids.next(), ...where }));
  for (let start = 0; start < count; start += 500) await insertJobs(db.sql, backend, jobs.slice(start, start + 500));
  return jobs.map(({ id }) => id);
}

const cli = (argv: string[], ask?: (question: string) => Promise<boolean>) =>
  runCommand(server.url, argv, ask === undefined ? {} : { ask });

describe("by ids", () => {
  it("cancels those that it can, and tells of each other one why not", async () => {
    const [waiting, running] = [await queuedJob(db), (await runningJob(db)).jobId];
    const [ended, gone] = [await insertJob(db, { state: "succeeded" }), db.ids.next()];
    const input = { ids: [waiting, running, ended, gone].map(shown), reason: "wrong day" };
    const dry = await mutate("cancelJobs", { ...input, dryRun: true });
    expect(dry).toMatchObject({ dryRun: true, done: 2, failed: 2 });
    expect(dry.sample.map(({ id }: { id: string }) => id).toSorted()).toEqual([waiting, running].map(shown).toSorted());
    expect(await statesOf([waiting, running, ended])).toEqual(["queued", "running", "succeeded"]);

    const result = await mutate("cancelJobs", input);
    expect(result).toMatchObject({
      dryRun: false,
      matched: { value: 4, isExact: true },
      done: 2,
      failed: 2,
      sample: [],
    });
    expect(result.doneIds.toSorted()).toEqual([waiting, running].map(shown).toSorted());
    expect(result.problems).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ id: shown(ended), code: "CONFLICT", state: "SUCCEEDED" }),
        expect.objectContaining({ id: shown(gone), code: "NOT_FOUND", state: null }),
      ]),
    );
    expect(await statesOf([waiting, running, ended])).toEqual(["cancelled", "running", "succeeded"]);
    expect(await ticketsOf(db.sql, waiting)).toEqual([]);
    const data = { actor: "local", reason: "wrong day" };
    expect((await recorded(waiting, "job.cancel")).last).toEqual({ type: "job.cancelled", data });
    expect((await recorded(running, "job.cancel")).last).toEqual({ type: "job.cancel_requested", data });
    // Asked again, nothing is recorded a second time.
    await mutate("cancelJobs", { ids: [shown(running)] });
    expect((await recorded(running, "job.cancel")).audited).toHaveLength(1);
  });

  it("requeues, and a worker can start them", async () => {
    const ids = [await queuedJob(db), await queuedJob(db)];
    await mutate("cancelJobs", { ids: ids.map(shown) });
    expect(await mutate("requeueJobs", { ids: ids.map(shown), reason: "again" })).toMatchObject({ done: 2, failed: 0 });
    expect(await statesOf(ids)).toEqual(["queued", "queued"]);
    for (const id of ids) {
      expect((await recorded(id, "job.requeue")).audited).toEqual([{ data: { reason: "again", bulk: true } }]);
      expect(await startJob(db, id)).not.toBeNull();
    }
  });

  it("deletes what has ended with all that it has, and nothing else", async () => {
    const [ended, waiting] = [await insertRun(db), await queuedJob(db)];
    await db.sql`
      insert into idempotency_keys (owner, key, fingerprint, job_id, created_at) values ('local', 'once', 'f', ${ended}, queue_now())`;
    const result = await mutate("deleteJobs", { ids: [ended, waiting].map(shown) });
    expect(result).toMatchObject({ done: 1, problems: [{ id: shown(waiting), code: "CONFLICT", state: "QUEUED" }] });
    expect(await statesOf([ended, waiting])).toEqual([null, "queued"]);
    for (const table of [
      "job_requests",
      "job_tags",
      "attempts",
      "node_runs",
      "events",
      "artifacts",
      "idempotency_keys",
    ]) {
      expect(await db.sql`select from ${db.sql(table)} where job_id = ${ended}`, table).toHaveLength(0);
    }
    expect((await recorded(ended, "job.delete")).audited).toEqual([{ data: { reason: null, bulk: true } }]);
    const { data, errors } = await server.post("query ($id: ID!) { job(id: $id) { id } node(id: $id) { id } }", {
      id: shown(ended),
    });
    expect([data, errors]).toEqual([{ job: null, node: null }, undefined]);
  });

  it("ends those who follow a job that is deleted, and goes on for those who watch all", async () => {
    const [id, next] = [await insertJob(db, { state: "failed" }), await queuedJob(db)];
    const changes = server.subscribe("subscription ($ids: [ID!]) { jobChanged(filter: { ids: $ids }) { id state } }", {
      ids: [shown(id), shown(next)],
    });
    const first = [await changes.next(), await changes.next()].map(({ value }) => value.data.jobChanged.state);
    expect(first.toSorted()).toEqual(["FAILED", "QUEUED"]);
    await mutate("deleteJobs", { ids: [shown(id)] });
    await mutate("cancelJobs", { ids: [shown(next)] });
    const { value } = await changes.next();
    expect(value.errors).toBeUndefined();
    expect(value.data.jobChanged).toEqual({ id: shown(next), state: "CANCELLED" });
    await changes.return(undefined);

    const events = server.subscribe("subscription ($id: ID!) { jobEvents(jobId: $id) { seq } }", { id: shown(id) });
    const ending = await events.next().catch((error: unknown) => ({ value: { errors: error }, done: true }));
    expect(JSON.stringify(ending.value)).toContain("NOT_FOUND");
  });

  it("changes those that wait, also where tags are part of their key", async () => {
    const plain = await queuedJob(db);
    const keyed = await queuedJob(db, {
      project: "bakery",
      pipeline: "bread",
      concurrency: { key: "bakery/bread", limit: 1 },
    });
    const ended = await insertJob(db, { state: "failed" });
    const result = await mutate("updateJobs", { ids: [plain, keyed, ended].map(shown), priority: 90, tags: ["night"] });
    expect(result).toMatchObject({ done: 2, failed: 1 });
    expect(await db.sql`select priority from jobs where id in ${db.sql([plain, keyed])}`).toEqual([
      { priority: 90 },
      { priority: 90 },
    ]);
    expect(await db.sql`select from job_tags where tag = 'night'`).toHaveLength(2);
    expect(await mutate("updateJobs", { ids: [shown(plain)], queue: "nowhere" })).toMatchObject({
      __typename: "NotFoundError",
      path: "input.queue",
    });
  });

  it("counts all to which it was not done, and lists some of them; a dry run is refused like the run", async () => {
    await db.sql`insert into queues (name, created_at, backlog_limit) values ('tiny', queue_now(), 1)`;
    const where = fresh();
    await enqueued(120, where);
    const answer = await mutate("updateJobs", { filter: where, queue: "tiny" });
    expect(answer).toMatchObject({ matched: { value: 120 }, done: 0, failed: 120 });
    expect(answer.problems).toHaveLength(100);
    for (const selection of [{ filter: where }, { ids: [shown(db.ids.next())] }]) {
      expect(await mutate("updateJobs", { ...selection, queue: "nowhere", dryRun: true })).toMatchObject({
        __typename: "NotFoundError",
        path: "input.queue",
      });
    }
  });
});

describe("by a filter", () => {
  it("does up to a thousand at once, as they are then", async () => {
    const where = fresh();
    const ids = await enqueued(1000, where);
    const dry = await mutate("cancelJobs", { filter: where, dryRun: true });
    expect(dry).toMatchObject({ matched: { value: 1000, isExact: true }, done: 1000, operation: null });
    expect(dry.sample).toHaveLength(10);
    const result = await mutate("cancelJobs", { filter: where });
    expect(result).toMatchObject({ done: 1000, operation: null, matched: { value: 1000, isExact: true } });
    expect(result.doneIds).toHaveLength(1000);
    expect(new Set(await statesOf(ids))).toEqual(new Set(["cancelled"]));
    expect(await mutate("cancelJobs", { filter: where })).toMatchObject({ done: 0, failed: 0, operation: null });
  });

  it("that says nothing is refused, and so are both and neither", async () => {
    expect(await mutate("deleteJobs", { filter: {} })).toMatchObject({
      __typename: "BadInputError",
      path: "input.filter",
    });
    expect(await mutate("deleteJobs", {})).toMatchObject({ __typename: "BadInputError", path: "input" });
    expect(await mutate("deleteJobs", { ids: [shown(db.ids.next())], filter: { queue: "x" } })).toMatchObject({
      __typename: "BadInputError",
    });
    expect(await mutate("updateJobs", { filter: { queue: "x" } })).toMatchObject({ __typename: "BadInputError" });
  });
});

describe("jobs that wait for others", () => {
  const waitsFor = (id: string, otherwise: "cancel" | "block") => [
    { jobId: id, shownId: shown(id), when: "succeeded" as const, otherwise },
  ];
  async function waiting(id: string, otherwise: "cancel" | "block"): Promise<string> {
    const job = newJob({ id: db.ids.next(), ...fresh(), dependsOn: waitsFor(id, otherwise) });
    await insertJobs(db.sql, backend, [job]);
    return job.id;
  }

  it("are done when they are cancelled together with what they wait for", async () => {
    const [parent = ""] = await enqueued(1);
    const child = await waiting(parent, "cancel");
    const result = await mutate("cancelJobs", { ids: [child, parent].map(shown) });
    expect(result).toMatchObject({ done: 2, failed: 0, problems: [] });
    expect(await statesOf([parent, child])).toEqual(["cancelled", "cancelled"]);
  });

  it("keep what they wait for from being deleted", async () => {
    const [parent = ""] = await enqueued(1);
    const child = await waiting(parent, "block");
    await mutate("cancelJobs", { ids: [shown(parent)] });
    expect(await statesOf([parent, child])).toEqual(["cancelled", "blocked"]);
    const refused = await mutate("deleteJobs", { ids: [shown(parent)] });
    expect(refused).toMatchObject({ done: 0, problems: [{ id: shown(parent), code: "AWAITED", state: null }] });
    expect(refused.problems[0].message).toContain(shown(child));
    await mutate("cancelJobs", { ids: [shown(child)] });
    expect(await mutate("deleteJobs", { ids: [shown(parent)] })).toMatchObject({ done: 1, failed: 0 });
  });
});

describe("flowerpower-queue cancel, requeue, delete", () => {
  it("refuse a filter without --yes where nobody can be asked, and tell the count", async () => {
    const { pipeline } = fresh();
    const ids = await enqueued(3, { project: "bikes", pipeline });
    const filter = ["--pipeline", `bikes/${pipeline}`];
    const refused = await cli(["cancel", ...filter]);
    expect(refused).toMatchObject({ code: 2, err: expect.stringContaining("cancel 3 jobs") });
    const dry = await cli(["cancel", ...filter, "--dry-run"]);
    expect(dry).toMatchObject({ code: 0, out: expect.stringContaining("3 jobs would be cancelled") });
    expect(await statesOf(ids)).toEqual(["queued", "queued", "queued"]);
    const questions: string[] = [];
    const no = await cli(["cancel", ...filter], async (question) => questions.push(question) < 0);
    expect([no.code, questions]).toEqual([3, ["Cancel 3 jobs? [y/N] "]]);
    expect(await statesOf(ids)).toEqual(["queued", "queued", "queued"]);
    expect(await cli(["cancel", ...filter], async () => true)).toMatchObject({
      code: 0,
      out: expect.stringContaining("3 jobs are cancelled"),
    });
    expect(await cli(["requeue", ...filter, "--yes"])).toMatchObject({ code: 0, out: "3 jobs are queued again.\n" });
    expect(await cli(["cancel", ...ids.map(shown)])).toMatchObject({ code: 0 });
    expect(await cli(["delete", ...filter, "--state", "cancelled", "--yes"])).toMatchObject({
      code: 0,
      out: "3 jobs are deleted.\n",
    });
    expect(await statesOf(ids)).toEqual([null, null, null]);
  });

  it("take one job as before, and want to know which", async () => {
    const id = await queuedJob(db);
    expect(await cli(["cancel", shown(id)])).toMatchObject({ code: 0, out: `${shown(id)} is cancelled.\n` });
    expect(await cli(["delete", shown(id)])).toMatchObject({ code: 0, out: "1 job is deleted.\n" });
    expect(await cli(["cancel"])).toMatchObject({ code: 2 });
    expect(await cli(["delete", shown(await queuedJob(db))])).toMatchObject({
      code: 2,
      err: expect.stringContaining("ended"),
    });
  });
});
