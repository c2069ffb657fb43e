/** A job that waits is changed: by the API and by the CLI. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Database } from "../../src/db/client.ts";
import { idText } from "../../src/domain/ids.ts";
import { runCommand } from "../support/command.ts";
import { testDatabase } from "../support/database.ts";
import { queuedJob, runningJob } from "../support/running.ts";
import { type TestServer, testServer } from "../support/server.ts";
import { publishBakery } from "./bakery.ts";

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

const bread = { project: "bakery", pipeline: "bread" };
const waiting = async (given: Parameters<typeof queuedJob>[1] = {}) =>
  idText("job", await queuedJob(db, { ...bread, ...given }));

async function update(input: object) {
  const { data, errors } = await server.post(
    `mutation ($input: UpdateJobInput!) { updateJob(input: $input) {
      __typename
      ... on UpdateJobSuccess { job { state priority queue runAt expiresAt tags inputs } }
      ... on Error { code message path }
      ... on InvalidRunError { problems { path message } }
      ... on JobStateError { state }
    } }`,
    { input },
  );
  return errors ?? data.updateJob;
}

const cli = (...argv: string[]) => runCommand(server.url, argv);

describe("updateJob", () => {
  it("changes what is said and nothing else", async () => {
    const id = await waiting({ tags: ["old"] });
    const changed = await update({ id, priority: 90, inputs: { flour: 3 }, expiresAt: "2099-01-01T00:00:00Z" });
    expect(changed).toMatchObject({
      __typename: "UpdateJobSuccess",
      job: {
        state: "QUEUED",
        priority: 90,
        queue: "default",
        tags: ["old"],
        inputs: { flour: 3 },
        expiresAt: "2099-01-01T00:00:00.000Z",
      },
    });
    const later = await update({ id, runAt: "2098-01-01T00:00:00Z", expiresAt: null, unset: ["flour"], tags: [] });
    expect(later.job).toMatchObject({ state: "SCHEDULED", priority: 90, tags: [], inputs: {}, expiresAt: null });
  });

  it("checks inputs against the graph, and then nothing is changed", async () => {
    const id = await waiting();
    expect(await update({ id, priority: 1, inputs: { flour: "much", salt: 1 } })).toMatchObject({
      __typename: "InvalidRunError",
      problems: expect.arrayContaining([
        expect.objectContaining({ path: "input.inputs.flour" }),
        expect.objectContaining({ path: "input.inputs.salt" }),
      ]),
    });
    expect(await update({ id, unset: ["flour"] })).toMatchObject({
      __typename: "InvalidRunError",
      path: "input.unset.0",
    });
    expect((await update({ id, tags: ["seen"] })).job).toMatchObject({ priority: 50, inputs: {} });
  });

  it("refuses a job that runs, a queue that is not there and a priority out of range", async () => {
    const running = idText("job", (await runningJob(db, bread)).jobId);
    expect(await update({ id: running, priority: 1 })).toMatchObject({ __typename: "JobStateError", state: "RUNNING" });
    const id = await waiting();
    expect(await update({ id, queue: "nowhere" })).toMatchObject({ __typename: "NotFoundError", path: "input.queue" });
    expect(await update({ id, priority: 101 })).toMatchObject([{ extensions: { code: "BAD_USER_INPUT" } }]);
  });

  it("tells in an event what changed, and hides the values of inputs that have the name of a secret", async () => {
    const id = await waiting({ inputs: { api_token: "old-one" } });
    await db.sql`update pipelines set description = jsonb_set(description, '{inputs}', description -> 'inputs' || jsonb_build_array(
      (description -> 'inputs' -> 0) || '{"name": "api_token", "type": "str", "schema": {"type": "string"}}')), published_at = now()
      where project = 'bakery' and name = 'bread'`;
    server.jobs.catalogue.invalidate();
    const changed = await update({ id, inputs: { api_token: "new-one", flour: 2 }, reason: "rotated" });
    expect(changed.__typename).toBe("UpdateJobSuccess");
    const { data } = await server.post(
      `query ($id: ID!) { job(id: $id) { events(first: 10) { nodes {
        __typename ... on JobUpdated { actor reason changes { field from to } } } } } }`,
      { id },
    );
    expect(data.job.events.nodes.at(-1)).toEqual({
      __typename: "JobUpdated",
      actor: "local",
      reason: "rotated",
      changes: [
        { field: "inputs.api_token", from: "*****", to: "*****" },
        { field: "inputs.flour", from: null, to: 2 },
      ],
    });
    const kept = JSON.stringify([await db.sql`select data from events`, await db.sql`select data from audit`]);
    expect(kept).not.toMatch(/old-one|new-one/);
  });
});

describe("flowerpower-queue update", () => {
  it("changes a job, its inputs read as their types want them", async () => {
    const id = await waiting();
    const changed = await cli(
      "update",
      id,
      "--priority",
      "70",
      "--input",
      "flour=4",
      "--in",
      "1h",
      "--tag",
      "a",
      "--tag",
      "b",
    );
    expect(changed).toMatchObject({ code: 0, err: "" });
    expect(changed.out).toContain(`${id} is changed: scheduled in default, priority 70`);
    expect((await update({ id, priority: 70 })).job).toMatchObject({ inputs: { flour: 4 }, tags: ["a", "b"] });
  });

  it("wants to know what, and says what is wrong", async () => {
    const id = await waiting();
    expect(await cli("update", id)).toMatchObject({ code: 2, err: expect.stringContaining("--priority") });
    expect(await cli("update", id, "--queue", "nowhere")).toMatchObject({
      code: 2,
      err: expect.stringContaining("nowhere"),
    });
  });
});
