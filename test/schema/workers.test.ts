/** Workers as a list, page by page, and on the command line. */
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Database } from "../../src/db/client.ts";
import { idText } from "../../src/domain/ids.ts";
import { runCommand } from "../support/command.ts";
import { testDatabase } from "../support/database.ts";
import { insertJob } from "../support/factories.ts";
import { type TestServer, testServer } from "../support/server.ts";

let db: Database;
let server: TestServer;
let living: string[];
let dead: string;
beforeAll(async () => {
  db = await testDatabase();
  server = await testServer(db);
  living = [await insert("running"), await insert("draining"), await insert("running")];
  dead = await insert("dead");
  const job = await insertJob(db, { state: "running" });
  await db.sql`update jobs set worker_id = ${living[0] as string} where id = ${job}`;
  await db.sql`delete from workers where host = 'localhost'`;
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await db[Symbol.asyncDispose]();
});

async function insert(state: string): Promise<string> {
  const id = db.ids.next();
  await db.sql`
    insert into workers (id, process, host, pid, version, slots, projects, state, started_at, heartbeat_at, ended_at)
    values (${id}, ${id}, 'node-1', 4711, '1.2.3', 4, '[{"name": "bikes", "root": "/srv/bikes"}]', ${state}, queue_now(),
      queue_now(), ${state === "dead" ? db.sql`queue_now()` : null})`;
  return id;
}

const cli = (...argv: string[]) => runCommand(server.url, argv);

const shown = (id: string | undefined) => idText("worker", id ?? "");

it("are listed page by page, those that have ended only when asked for", async () => {
  const page = async (args: string) => {
    const { data, errors } = await server.post(
      `{ workers(${args}) { nodes { id } pageInfo { hasNextPage endCursor } } }`,
    );
    expect(errors).toBeUndefined();
    return data.workers;
  };
  const first = await page("first: 2");
  expect(first.nodes.map(({ id }: { id: string }) => id)).toEqual(living.slice(0, 2).map(shown));
  expect(first.pageInfo.hasNextPage).toBe(true);
  const second = await page(`first: 2, after: "${first.pageInfo.endCursor}"`);
  expect(second).toMatchObject({ nodes: [{ id: shown(living[2]) }], pageInfo: { hasNextPage: false } });
  expect((await page("last: 1, includeEnded: true")).nodes).toEqual([{ id: shown(dead) }]);
});

it("tell their free slots: none where they take no jobs", async () => {
  const { data } = await server.post("{ workers(includeEnded: true) { nodes { state freeSlots running { state } } } }");
  expect(data.workers.nodes).toEqual([
    { state: "RUNNING", freeSlots: 3, running: [{ state: "RUNNING" }] },
    { state: "DRAINING", freeSlots: 0, running: [] },
    { state: "RUNNING", freeSlots: 4, running: [] },
    { state: "DEAD", freeSlots: 0, running: [] },
  ]);
});

it("are listed, shown, drained, resumed and stopped on the command line", async () => {
  const [first] = living;
  const list = await cli("workers");
  expect(list).toMatchObject({ code: 0, err: "" });
  expect(list.out).toMatch(/WORKER +IS +RUNS +HOST, PID/);
  expect(list.out).toMatch(/running +1\/4 +node-1 4711 +1\.2\.3 .* bikes/);
  expect(list.out.trim().split("\n")).toHaveLength(4);
  expect(JSON.parse((await cli("workers", "--all", "--json")).out)).toHaveLength(4);
  expect((await cli("workers", "show", shown(first))).out).toMatch(
    /slots +4, 3 free[\s\S]*project +bikes: \/srv\/bikes/,
  );
  const drained = await cli("workers", "drain", shown(first).slice(-8), "--reason", "a new disk");
  expect(drained.out).toMatch(/asked +to drain, .* by local: a new disk/);
  expect((await cli("workers", "resume", shown(first))).out).not.toContain("asked");
  expect((await cli("workers", "stop", shown(first), "--grace", "5m")).out).toMatch(/is +stopping\n +asked +to stop/);
  const [row] = await db.sql`select wanted, stop_grace_ms as "graceMs" from workers where id = ${first ?? ""}`;
  expect(row).toEqual({ wanted: "stop", graceMs: 300_000 });
  const refused = await cli("workers", "resume", shown(first));
  expect(refused.err).toContain("was asked to stop");
  expect(refused.code).not.toBe(0);
  expect((await cli("workers", "drain", shown(dead))).err).toContain("is dead");
});

it("leave a mark on the jobs that they have lost", async () => {
  const [lost, kept] = [await insertJob(db, { state: "queued" }), await insertJob(db, { state: "queued" })];
  await db.sql`
    insert into attempts (job_id, attempt, id, life, run_token, worker_id, started_at, ended_at, outcome, error_kind)
    values (${lost}, 1, ${db.ids.next()}, 1, ${db.ids.next()}, ${dead}, queue_now(), '2026-01-02T03:04:05Z', 'rescue', 'WORKER_LOST'),
      (${kept}, 1, ${db.ids.next()}, 1, ${db.ids.next()}, ${dead}, queue_now(), '2026-01-02T03:04:05Z', 'retry', 'PIPELINE')`;
  const { data, errors } = await server.post(
    "query ($ids: [ID!]) { jobs(filter: { ids: $ids }, orderBy: ID_ASC) { nodes { lastLossAt } } }",
    {
      ids: [lost, kept].map((id) => idText("job", id)),
    },
  );
  expect(errors).toBeUndefined();
  expect(data.jobs.nodes).toEqual([{ lastLossAt: "2026-01-02T03:04:05.000Z" }, { lastLossAt: null }]);
});
