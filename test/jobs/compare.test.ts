import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Database } from "../../src/db/client.ts";
import { NotFoundError } from "../../src/domain/errors.ts";
import type { JsonObject } from "../../src/domain/json.ts";
import { compareJobs } from "../../src/jobs/compare.ts";
import { publishProject } from "../../src/pipelines/publish.ts";
import { configHash } from "../../src/pipelines/variants.ts";
import { node, pipeline, project } from "../pipelines/descriptions.ts";
import { insertRun } from "../schema/bakery.ts";
import { testDatabase } from "../support/database.ts";

let db: Database;

const graph = (hashes: { [name: string]: string }) =>
  Object.entries(hashes).map(([name, codeHash], n) => node(name, n === 0 ? [] : ["node_1"], { codeHash }));
const bread = (codeHash: string, hashes: { [name: string]: string }) =>
  pipeline({ name: "bread", codeHash, nodes: graph(hashes), finalVars: ["node_3"] });

beforeAll(async () => {
  db = await testDatabase();
  const environment = { python: {}, packages: {} };
  const published = bread("new", { node_1: "1", node_2: "2 changed", node_3: "3" });
  await publishProject(db, null, { name: "bakery", project: project(), pipelines: [published], environment });
});
afterAll(() => db[Symbol.asyncDispose]());

/** A job that ran this code, with what is changed of it. */
async function job(codeHash: string | null, config: JsonObject = {}): Promise<string> {
  const id = await insertRun(db, { attempts: 2, nodes: 3 });
  await db.sql`update attempts set code_hash = ${codeHash} where job_id = ${id}`;
  await db.sql`update job_requests set config = ${db.sql.json(config)} where job_id = ${id}`;
  return id;
}

/** What a worker has once answered about other code. */
async function variant(codeHash: string, config: JsonObject, hashes: { [name: string]: string }): Promise<void> {
  await db.sql`
    insert into variants (project, pipeline, code_hash, config_hash, config, asked_at, answered_at, description)
    values ('bakery', 'bread', ${codeHash}, ${configHash({}, config)}, ${db.sql.json(config)}, queue_now(), queue_now(),
      ${db.sql.json(bread(codeHash, hashes) as never)})`;
}

describe("compareJobs", () => {
  it("knows the code of each node while its graph is known", async () => {
    const config = { oven: "deck", heat: 1 };
    await variant("old", config, { node_1: "1", node_2: "2", node_3: "3" });
    const [old, now] = [await job("old", { heat: 1, oven: "deck" }), await job("new")];
    const found = await compareJobs({ db }, old, now);
    expect(found.code).toMatchObject({ a: "old", b: "new" });
    expect(found.nodes).toMatchObject([
      { node: "node_2", codeChanged: true, a: { codeHash: "2" }, b: { codeHash: "2 changed" } },
    ]);
  });

  it("knows code and dependencies of earlier versions", async () => {
    const environment = { python: {}, packages: {} };
    const publish = (one: ReturnType<typeof bread>) =>
      publishProject(db, null, { name: "bakery", project: project(), pipelines: [one], environment });
    const current = bread("new", { node_1: "1", node_2: "2 changed", node_3: "3" });
    const earlier = pipeline({
      name: "bread",
      codeHash: "earlier",
      nodes: [
        node("node_1", [], { codeHash: "1" }),
        node("node_2", [], { codeHash: "2" }),
        node("node_3", ["node_1"], { codeHash: "3" }),
      ],
    });
    await publish(earlier);
    await publish(current);
    const found = await compareJobs({ db }, await job("earlier"), await job("new"));
    expect(found.nodes).toMatchObject([
      {
        node: "node_2",
        codeChanged: true,
        a: { codeHash: "2", dependsOn: [] },
        b: { codeHash: "2 changed", dependsOn: ["node_1"] },
      },
    ]);
  });

  it("does not know it of code that was never published, and tells of states all the same", async () => {
    const [gone, now] = [await job("gone"), await job("new")];
    expect((await compareJobs({ db }, gone, now)).nodes).toEqual([]);
    await db.sql`update node_runs set state = 'reused' where job_id = ${now} and attempt = 2 and node = 'node_1'`;
    expect((await compareJobs({ db }, gone, now)).nodes).toMatchObject([
      {
        node: "node_1",
        codeChanged: null,
        a: { state: "succeeded", codeHash: null },
        b: { state: "reused", codeHash: "1" },
      },
    ]);
  });

  it("takes the branches of a node together, by the worst of them, and only those of the last attempt", async () => {
    const [a, b] = [await job("new"), await job("new")];
    const branches = (id: string, states: string[]) => db.sql`
      insert into node_runs (job_id, attempt, node, branch, first_seq, state, duration_ms)
      select ${id}, 2, 'city', 'b' || n, 100 + n, state, 100 from unnest(${states}::text[]) with ordinality as s (state, n)`;
    await branches(a, ["succeeded", "succeeded", "succeeded"]);
    await branches(b, ["succeeded", "failed", "stopped", "succeeded"]);
    await db.sql`delete from node_runs where job_id = ${b} and attempt = 2 and node = 'node_3'`;
    await db.sql`update node_runs set state = 'failed' where job_id = ${b} and attempt = 1`;
    expect((await compareJobs({ db }, a, b)).nodes).toMatchObject([
      { node: "node_3", a: { state: "succeeded" }, b: { state: "never_ran", runs: 0 } },
      {
        node: "city",
        a: { state: "succeeded", runs: 3, durationMs: 300 },
        b: { state: "failed", runs: 4, durationMs: 400 },
      },
    ]);
  });

  it("shows values of results only when they are small, and knows them apart all the same", async () => {
    const [a, b] = [await job("new"), await job("new")];
    const value = (id: string, text: string) =>
      db.sql`update artifacts set value = ${db.sql.json([text])} where job_id = ${id} and attempt = 2`;
    await value(a, "x".repeat(20_000));
    await value(b, "x".repeat(20_000));
    expect((await compareJobs({ db }, a, b)).results).toEqual([]);
    await value(b, `${"x".repeat(20_000)}y`);
    expect((await compareJobs({ db }, a, b)).results).toMatchObject([
      { name: "dough", aspects: ["value"], a: { hasValue: false, value: null }, b: { hasValue: false, value: null } },
    ]);
    await value(b, "small");
    expect((await compareJobs({ db }, a, b)).results).toMatchObject([{ b: { hasValue: true, value: ["small"] } }]);
  });

  it("shows no secrets, and tells that they differ", async () => {
    const [a, b] = [await job("new"), await job("new")];
    const put = (id: string, token: string) => db.sql`
      update job_requests set inputs = ${db.sql.json({ api_token: token, url: `https://u:${token}@host/` })} where job_id = ${id}`;
    await put(a, "0ne");
    await put(b, "tw0");
    const found = await compareJobs({ db }, a, b);
    expect(found.request).toMatchObject([{ path: "inputs.api_token" }, { path: "inputs.url" }]);
    expect(JSON.stringify(found)).not.toMatch(/0ne|tw0/);
  });

  it("refuses a job that is not there", async () => {
    const id = await job("new");
    await expect(compareJobs({ db }, id, db.ids.next())).rejects.toBeInstanceOf(NotFoundError);
    await expect(compareJobs({ db }, db.ids.next(), id)).rejects.toMatchObject({ path: "a" });
    expect((await compareJobs({ db }, id, id)).isSame).toBe(true);
  });
});
