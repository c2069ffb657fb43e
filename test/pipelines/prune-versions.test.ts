import { afterAll, beforeAll, expect, it } from "vitest";
import type { Database } from "../../src/db/client.ts";
import { keptVersions, pruneVersions } from "../../src/pipelines/prune-versions.ts";
import { publishProject } from "../../src/pipelines/publish.ts";
import { answerVariant } from "../../src/pipelines/variants.ts";
import { keepSources } from "../../src/pipelines/versions.ts";
import type { PipelineDescription } from "../../src/runtime/protocol.ts";
import { insertRun } from "../schema/bakery.ts";
import { testDatabase } from "../support/database.ts";
import { node, pipeline, project } from "./descriptions.ts";

let db: Database;
beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db[Symbol.asyncDispose]());

const publish = (name: string, ...pipelines: PipelineDescription[]) =>
  publishProject(db, null, { name, project: project(), pipelines, environment: {} });
/** Code with one function of its own and one that all code has. */
const code = (codeHash: string) =>
  pipeline({
    codeHash,
    nodes: [node("own", [], { codeHash: `${codeHash} own` }), node("shared", [], { codeHash: "shared" })],
    sources: { [`${codeHash} own`]: "def own(): ...", shared: "def shared(): ..." },
  });
const versions = async (name: string) =>
  (
    await db.sql<{ codeHash: string }[]>`
      select code_hash as "codeHash" from pipeline_versions where project = ${name} order by number`
  ).map(({ codeHash }) => codeHash);
const texts = async (like: string) =>
  (await db.sql<{ hash: string }[]>`select hash from node_sources where hash like ${like} order by hash`).map(
    ({ hash }) => hash,
  );
/** Versions that come after what a test has published. */
const later = (name: string, count: number) => db.sql`
  insert into pipeline_versions (project, pipeline, number, id, code_hash, description, published_at, last_seen_at)
  select project, pipeline, number + n, gen_random_uuid(), 'later ' || n, description, queue_now(), queue_now()
  from (select * from pipeline_versions where project = ${name} order by number desc limit 1) v, generate_series(1, ${count}::int) n`;
async function prune(): Promise<number> {
  for (let rounds = 1; ; rounds += 1) if (!(await pruneVersions(db))) return rounds;
}

it("keeps the last versions, and those that an attempt has run, with their sources", async () => {
  for (const codeHash of ["idle", "ran", "idle 2"]) await publish("shop", code(codeHash));
  const job = await insertRun(db, { attempts: 1, nodes: 1 });
  await db.sql`update attempts set code_hash = 'ran' where job_id = ${job}`;
  await later("shop", keptVersions - 3);
  await prune();
  expect((await versions("shop")).slice(0, 3)).toEqual(["idle", "ran", "idle 2"]);
  await later("shop", 3);
  await prune();
  expect((await versions("shop")).slice(0, 2)).toEqual(["ran", "later 1"]);
  expect(await versions("shop")).toHaveLength(keptVersions + 1);
  expect(await texts("%own")).toEqual(["ran own"]);
  expect(await texts("shared")).toEqual(["shared"]);
  // With the attempt its version goes, and its text.
  await db.sql`delete from jobs where id = ${job}`;
  await prune();
  expect(await versions("shop")).toHaveLength(keptVersions);
  expect(await texts("%")).toEqual([]);
});

it("of code that has come back keeps one version, however often", async () => {
  for (const codeHash of ["a", "b", "a", "b", "a"]) await publish("back", code(codeHash));
  const job = await insertRun(db, { attempts: 1, nodes: 1 });
  await db.sql`update attempts set code_hash = 'a' where job_id = ${job}`;
  await later("back", keptVersions);
  await prune();
  expect((await versions("back")).slice(0, 2)).toEqual(["a", "later 1"]);
  const [first] = await db.sql`select number from pipeline_versions where project = 'back' order by number limit 1`;
  expect(first).toEqual({ number: 5 });
});

it("removes much in batches", async () => {
  await publish("much", code("first"));
  await later("much", keptVersions + 450);
  expect(await prune()).toBe(3);
  expect(await versions("much")).toHaveLength(keptVersions);
});

it("keeps the sources of what was asked for under another config while the answer is kept", async () => {
  await publish("asked", pipeline({ codeHash: "bare", status: "unconfigured", graph: null }));
  await db.sql`
    insert into variants (project, pipeline, code_hash, config_hash, config, asked_at)
    values ('asked', 'daily', 'bare', 'h', '{}', queue_now())`;
  expect(await answerVariant(db, ["asked"], async () => code("bare"))).toBe(true);
  await prune();
  expect(await texts("bare%")).toEqual(["bare own"]);
  await db.sql`delete from variants where project = 'asked'`;
  await prune();
  expect(await texts("bare%")).toEqual([]);
});

it("leaves sources alone while somebody publishes, who may need them", async () => {
  await db.sql`insert into node_sources (hash, source) values ('needed own', 'def own(): ...')`;
  await db.sql.begin(async (sql) => {
    await keepSources(sql, "needed", [code("needed")]);
    await prune();
  });
  expect(await texts("needed own")).toEqual(["needed own"]);
});
