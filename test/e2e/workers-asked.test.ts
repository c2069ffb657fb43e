/** What is asked of a worker through the API, done by workers that are processes of their own. */
import { expect, it } from "vitest";
import { idText, uuidOf } from "../../src/domain/ids.ts";
import { eventually } from "../support/eventually.ts";
import { type Ground, openGround } from "../support/ground.ts";
import { type TestServer, testServer } from "../support/server.ts";

const fields = "id state freeSlots slots wanted wantedBy wantedReason queues running { id } endedAt";

async function ask(server: TestServer, name: "drainWorker" | "resumeWorker" | "stopWorker", input: object) {
  const kind = `${name[0]?.toUpperCase()}${name.slice(1)}`;
  const { data, errors } = await server.post(
    `mutation ($input: ${kind}Input!) { ${name}(input: $input) {
      __typename ... on Error { code message path } ... on WorkerStateError { state } ... on ${kind}Success { worker { ${fields} } } } }`,
    { input },
  );
  expect(errors).toBeUndefined();
  return data[name];
}

async function shown(server: TestServer, id: string) {
  const { data, errors } = await server.post(`query ($id: ID!) { worker(id: $id) { ${fields} } }`, { id });
  expect(errors).toBeUndefined();
  return data.worker;
}

async function stateIs(server: TestServer, id: string, state: string) {
  await eventually(async () => expect(await shown(server, id)).toMatchObject({ state }));
}

async function audited({ db }: Ground, id: string) {
  const rows = await db.sql<{ action: string; data: object }[]>`
    select action, data from audit where target = ${id} order by at, action`;
  return rows.map(({ action, data }) => [action, data]);
}

it("drains: what runs goes on, nothing new is taken, and resumed it takes jobs again", async () => {
  await using ground = await openGround();
  await using server = await testServer(ground.db);
  const worker = ground.worker({ slots: 2 });
  const { worker: id } = (await worker.said("ready")) as unknown as { worker: string };
  const running = await ground.enqueue("sleeps", { seconds: 1 });
  await running.event("node.started", { node: "morning" });
  await eventually(async () =>
    expect(await shown(server, id)).toMatchObject({
      state: "RUNNING",
      slots: 2,
      freeSlots: 1,
      queues: ["default"],
      running: [{ id: idText("job", running.id) }],
    }),
  );

  const drained = await ask(server, "drainWorker", { id, reason: "a new disk" });
  expect(drained.worker).toMatchObject({ wanted: "DRAIN", wantedBy: "local", wantedReason: "a new disk" });
  await stateIs(server, id, "DRAINING");
  const waiting = await ground.enqueue("sleeps", { seconds: 0 });
  expect(await running.ended()).toMatchObject({ state: "succeeded", attempt: 1 });
  // Two heartbeats later its two free slots are still empty.
  const [seen] = await ground.db.sql<{ at: Date }[]>`select heartbeat_at as at from workers`;
  await eventually(async () => {
    const [row] = await ground.db.sql<{ later: boolean }[]>`
      select heartbeat_at > ${seen?.at.toISOString() ?? ""}::timestamptz + interval '2 s' as later from workers`;
    expect(row?.later).toBe(true);
  });
  expect(await waiting.row()).toMatchObject({ state: "queued", attempt: 0 });
  const { data } = await server.post("query ($id: ID!) { job(id: $id) { waitingFor } }", {
    id: idText("job", waiting.id),
  });
  expect(data.job.waitingFor).toBe("no worker of project faults takes jobs: they drain");
  expect(await shown(server, id)).toMatchObject({ state: "DRAINING", freeSlots: 0, running: [] });

  const resumed = await ask(server, "resumeWorker", { id });
  expect(resumed.worker).toMatchObject({ wanted: null, wantedBy: null, wantedReason: null });
  expect(await waiting.ended()).toMatchObject({ state: "succeeded", attempt: 1 });
  await stateIs(server, id, "RUNNING");
  expect(await audited(ground, id)).toEqual([
    ["worker.drain", { reason: "a new disk" }],
    ["worker.resume", {}],
  ]);
}, 60_000);

it("stops within the grace it is given, hands back the rest uncounted, and ends with code 0", async () => {
  await using ground = await openGround();
  await using server = await testServer(ground.db);
  const worker = ground.worker();
  const { worker: id } = (await worker.said("ready")) as unknown as { worker: string };
  const job = await ground.enqueue("sleeps", { seconds: 60 });
  await job.event("node.started", { node: "morning" });
  const asked = await ask(server, "stopWorker", { id, graceMs: 60_000, reason: "moves" });
  expect(asked.worker).toMatchObject({ wanted: "STOP", wantedReason: "moves" });
  expect(await worker.said("asked to stop")).toMatchObject({ graceMs: 60_000, by: "local", reason: "moves" });
  await stateIs(server, id, "DRAINING");
  for (const other of ["drainWorker", "resumeWorker"] as const) {
    expect(await ask(server, other, { id })).toMatchObject({
      __typename: "WorkerStateError",
      code: "CONFLICT",
      path: "input.id",
      state: "DRAINING",
    });
  }
  expect(await job.row()).toMatchObject({ state: "running" });

  // Asked again, with no time left.
  await ask(server, "stopWorker", { id, graceMs: 0 });
  expect(await worker.ended()).toEqual({ code: 0, signal: null });
  expect(await job.row()).toMatchObject({ state: "queued", attempt: 1, failures: 0, losses: 0 });
  expect(await shown(server, id)).toMatchObject({ state: "STOPPED", queues: [], endedAt: expect.any(String) });
  expect(await ask(server, "stopWorker", { id })).toMatchObject({ __typename: "WorkerStateError", state: "STOPPED" });
  const { data } = await server.post(
    "{ living: workers { nodes { id } } all: workers(includeEnded: true) { nodes { id } } }",
  );
  expect(data).toEqual({ living: { nodes: [] }, all: { nodes: [{ id }] } });
}, 60_000);

it("is asked of no worker that is not there", async () => {
  await using ground = await openGround();
  await using server = await testServer(ground.db);
  const id = idText("worker", ground.db.ids.next());
  expect(uuidOf("worker", id)).not.toBeNull();
  expect(await ask(server, "drainWorker", { id })).toMatchObject({ __typename: "NotFoundError", path: "input.id" });
  expect(await shown(server, id)).toBeNull();
  expect(await audited(ground, id)).toEqual([]);
});

it("shows the folder and the Python environment of each project as the worker has them", async () => {
  await using ground = await openGround();
  await using server = await testServer(ground.db);
  const { worker: id } = (await ground.worker().said("ready")) as unknown as { worker: string };
  const { data } = await server.post(
    "query ($id: ID!) { worker(id: $id) { projects served { name root environment { python pythonVersion packages } } } }",
    { id },
  );
  expect(data.worker).toMatchObject({
    projects: ["faults"],
    served: [
      {
        name: "faults",
        root: expect.stringMatching(/examples\/faults$/),
        environment: {
          pythonVersion: expect.stringMatching(/^3\./),
          packages: { flowerpower: expect.any(String) },
        },
      },
    ],
  });
}, 60_000);
