/** Operations through the API and from the command line: begun, listed, watched, stopped. */
import { randomUUID } from "node:crypto";
import { EventEmitter } from "node:events";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { graphileWorker as backend } from "../../src/backends/graphile-worker/backend.ts";
import { runCli } from "../../src/cli/program.ts";
import type { Database } from "../../src/db/client.ts";
import { uuidOf } from "../../src/domain/ids.ts";
import { insertJobs } from "../../src/jobs/insert.ts";
import { goOn, startOperations } from "../../src/jobs/operations.ts";
import { runCommand } from "../support/command.ts";
import { testDatabase } from "../support/database.ts";
import { eventually } from "../support/eventually.ts";
import { jobsContext, newJob } from "../support/jobs.ts";
import { type TestServer, testServer } from "../support/server.ts";

let db: Database;
let server: TestServer;
beforeAll(async () => {
  db = await testDatabase();
  server = await testServer(db);
});
beforeEach(async () => {
  await db.sql`delete from operations`;
});
afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
  await db?.[Symbol.asyncDispose]();
});

let made = 0;
async function manyJobs(count = 1100): Promise<string> {
  const pipeline = `p${++made}`;
  const jobs = Array.from({ length: count }, () => newJob({ id: db.ids.next(), pipeline }));
  for (let start = 0; start < count; start += 500) await insertJobs(db.sql, backend, jobs.slice(start, start + 500));
  return pipeline;
}

async function counted(pipeline: string): Promise<Record<string, number>> {
  const rows = await db.sql<{ state: string; count: number }[]>`
    select state, count(*)::int as count from jobs where pipeline = ${pipeline} group by state`;
  return Object.fromEntries(rows.map(({ state, count }) => [state, count]));
}

const cli = (...argv: string[]) => runCommand(server.url, argv);
const fields =
  "id verb state done failed edit filter actor reason matched { value isExact } stoppedBy stopReason error";

async function ask(query: string, variables: object = {}) {
  const { data, errors } = await server.post(query, variables);
  expect(errors).toBeUndefined();
  return data;
}

async function begun(pipeline: string): Promise<string> {
  const { cancelJobs } = await ask(
    `mutation ($input: CancelJobsInput!) { cancelJobs(input: $input) {
      ... on BulkSuccess { done doneIds matched { value isExact } operation { ${fields} } }
    } }`,
    { input: { filter: { pipeline: `bikes/${pipeline}` }, reason: "wrong day" } },
  );
  expect(cancelJobs).toMatchObject({ done: 0, doneIds: [], matched: { isExact: false } });
  expect(cancelJobs.operation).toMatchObject({
    verb: "CANCEL",
    state: "RUNNING",
    done: 0,
    actor: "local",
    reason: "wrong day",
    edit: null,
    filter: { project: "bikes", pipeline },
    matched: { value: 1100, isExact: true },
  });
  return cancelJobs.operation.id;
}

describe("an operation in the API", () => {
  it("is the answer to a filter that fits more than a thousand, and is listed by state", async () => {
    const pipeline = await manyJobs();
    const id = await begun(pipeline);
    expect(await counted(pipeline)).toEqual({ queued: 1100 });
    const list = (state: string) => `operations(state: ${state}) { nodes { id } pageInfo { hasNextPage } }`;
    const query = `query ($id: ID!) { operation(id: $id) { ${fields} } node(id: $id) { id __typename }
      running: ${list("RUNNING")} failed: ${list("FAILED")} }`;
    const found = await ask(query, { id });
    expect(found.operation).toMatchObject({ id, state: "RUNNING" });
    expect(found.node).toEqual({ id, __typename: "Operation" });
    expect([found.running.nodes, found.failed.nodes]).toEqual([[{ id }], []]);
  });

  it("is told live until its end", async () => {
    const pipeline = await manyJobs();
    const id = await begun(pipeline);
    const changes = server.subscribe("subscription ($id: ID!) { operationChanged(id: $id) { state done } }", { id });
    expect((await changes.next()).value.data.operationChanged).toEqual({ state: "RUNNING", done: 0 });
    const [context, holder] = [jobsContext(db), randomUUID()];
    while (await goOn(context, holder));
    const told = [];
    for await (const { data } of changes) told.push(data.operationChanged);
    expect(told.at(-1)).toEqual({ state: "SUCCEEDED", done: 1100 });
    expect(await counted(pipeline)).toEqual({ cancelled: 1100 });
  });

  it("is stopped once, and refuses it after its end", async () => {
    const id = await begun(await manyJobs());
    const stop = `mutation ($id: ID!) { stopOperation(input: { id: $id, reason: "enough" }) {
      __typename ... on StopOperationSuccess { operation { state stoppedBy stopReason } }
      ... on Error { code path } ... on OperationStateError { state }
    } }`;
    const stopped = { state: "STOPPED", stoppedBy: "local", stopReason: "enough" };
    expect((await ask(stop, { id })).stopOperation).toMatchObject({ operation: stopped });
    expect((await ask(stop, { id })).stopOperation).toMatchObject({ operation: stopped });
    await db.sql`
      update operations set state = 'succeeded', stopped_by = null, stop_reason = null where id = ${uuidOf("operation", id)}`;
    expect((await ask(stop, { id })).stopOperation).toEqual({
      __typename: "OperationStateError",
      code: "CONFLICT",
      path: "input.id",
      state: "SUCCEEDED",
    });
  });
});

describe("flowerpower-queue operation", () => {
  it("is what a filter of more than a thousand begins, with --wait until its end", async () => {
    const pipeline = await manyJobs();
    const filter = ["--pipeline", `bikes/${pipeline}`, "--yes"];
    const started = await cli("update", ...filter, "--priority", "90");
    expect(started.code).toBe(0);
    const [id = ""] = /op_\w+/.exec(started.out) ?? [];
    expect(started.out).toContain("to 1100 jobs");
    expect(started.err).toContain(`operation watch ${id.slice(-6)}`);
    const listed = await cli("operation", "list", "--state", "running");
    expect(listed.out).toMatch(/update +RUNNING +0\/1100/);
    const shown = await cli("operation", "show", id.slice(-6));
    expect(shown.out).toContain(`{"priority":90}`);
    expect(await cli("operation", "stop", id, "--reason", "enough")).toMatchObject({
      code: 0,
      out: expect.stringContaining("update stopped: 0 of 1100 jobs"),
    });
    expect(await cli("operation", "watch", id)).toMatchObject({ code: 3 });
    expect(await cli("operation", "stop", "op_nothing")).toMatchObject({ code: 2 });

    await using _process = startOperations(jobsContext(db), () => {});
    const waited = await cli("update", ...filter, "--priority", "80", "--wait");
    expect(waited).toMatchObject({ code: 0, out: expect.stringContaining("update succeeded: 1100 of 1100 jobs") });
    expect(await db.sql`select distinct priority from jobs where pipeline = ${pipeline}`).toEqual([{ priority: 80 }]);
    const json = await cli("cancel", ...filter, "--wait", "--json");
    expect(JSON.parse(json.out)).toMatchObject({ verb: "CANCEL", state: "SUCCEEDED", done: 1100 });
  });

  it.each(["cancel --wait", "operation watch"])("%s is left by Ctrl-C, and the operation goes on", async (command) => {
    const pipeline = await manyJobs();
    const argv =
      command === "operation watch"
        ? ["operation", "watch", await begun(pipeline)]
        : ["cancel", "--pipeline", `bikes/${pipeline}`, "--yes", "--wait"];
    const signals = new EventEmitter();
    const written = { out: "", err: "" };
    const into = (stream: keyof typeof written) => ({
      write(text: string) {
        written[stream] += text;
      },
    });
    const ended = runCli(argv, {
      env: { FLOWERPOWER_QUEUE_URL: server.url, LANG: "C.UTF-8" },
      cwd: "/",
      stdout: into("out"),
      stderr: into("err"),
      signals,
    });
    await eventually(() => expect(written.out).toContain("0 of 1100 jobs"));
    signals.emit("SIGINT");
    expect(await ended).toBe(130);
    expect(signals.listenerCount("SIGINT")).toBe(0);
    const [, end = "none"] =
      /goes on without you. See it again with: flowerpower-queue operation watch (\w{6})\n/.exec(written.err) ?? [];
    await using _process = startOperations(jobsContext(db), () => {});
    expect(await cli("operation", "watch", end)).toMatchObject({ code: 0 });
    expect(await counted(pipeline)).toEqual({ cancelled: 1100 });
  });

  it("changes few jobs at once by a filter, whose queue and tag have names of their own", async () => {
    const pipeline = await manyJobs(2);
    const filter = ["--pipeline", `bikes/${pipeline}`, "--of-queue", "default"];
    const dry = await cli("update", ...filter, "--priority", "90", "--dry-run");
    expect(dry).toMatchObject({ code: 0, out: expect.stringContaining("2 jobs would be changed") });
    expect(await cli("update", ...filter, "--tag", "night", "--yes")).toMatchObject({ out: "2 jobs are changed.\n" });
    expect(await cli("update", ...filter, "--with-tag", "night", "--priority", "7", "--yes")).toMatchObject({
      out: "2 jobs are changed.\n",
    });
    expect(await cli("update", ...filter, "--yes")).toMatchObject({ code: 2 });
    expect(await cli("update", ...filter, "--input", "a=1", "--yes")).toMatchObject({ code: 2 });
  });
});
