import { afterAll, beforeAll, expect, it } from "vitest";
import type { Database } from "../../src/db/client.ts";
import { graphsOf } from "../../src/jobs/attempt-graph.ts";
import { publishProject } from "../../src/pipelines/publish.ts";
import { configHash } from "../../src/pipelines/variants.ts";
import { brokenBy, node, pipeline, project } from "../pipelines/descriptions.ts";
import { insertRun, publishBakery } from "../schema/bakery.ts";
import { testDatabase } from "../support/database.ts";

let db: Database;

beforeAll(async () => {
  db = await testDatabase();
  await publishBakery(db);
});
afterAll(async () => {
  await db[Symbol.asyncDispose]();
});

/** A run of `bread` with this code and config. */
async function attempt(codeHash: string, config = {}) {
  const jobId = await insertRun(db, { attempts: 1, nodes: 1 });
  await db.sql`update attempts set code_hash = ${codeHash} where job_id = ${jobId}`;
  await db.sql`update job_requests set config = ${db.sql.json(config)} where job_id = ${jobId}`;
  return { jobId, attempt: 1 };
}
const namesOf = async (...attempts: { jobId: string; attempt: number }[]) =>
  (await graphsOf(db.sql, attempts)).map((graph) => graph?.nodes.map(({ name }) => name) ?? null);
const publish = (bread: ReturnType<typeof pipeline>) =>
  publishProject(db, null, { name: "bakery", project: project(), pipelines: [bread], environment: {} });

it("is that of the code and the config that ran, of many attempts at once", async () => {
  const [now, before, other] = [await attempt("c0de"), await attempt("01d"), await attempt("c0de", { oven: "gas" })];
  expect(await namesOf(now, before, other)).toEqual([["flour", "dough"], null, null]);
  const description = pipeline({ name: "bread", nodes: [node("gas"), node("dough", ["gas"])] });
  await db.sql`
    insert into variants (project, pipeline, code_hash, config_hash, config, asked_at, answered_at, description)
    values ('bakery', 'bread', 'c0de', ${configHash({}, { oven: "gas" })}, '{"oven": "gas"}', queue_now(), queue_now(),
      ${db.sql.json(description as never)})`;
  expect(await namesOf(other, now, before)).toEqual([["gas", "dough"], ["flour", "dough"], null]);
});

it("stays known while the pipeline is broken, after its code has changed, and when its file is gone", async () => {
  const [run, other] = [await attempt("c0de"), await attempt("c0de", { oven: "gas" })];
  const graphs = [
    ["flour", "dough"],
    ["gas", "dough"],
  ];
  await publish(pipeline({ name: "bread", status: "broken", codeHash: "bad", graph: null, error: brokenBy("x") }));
  expect(await namesOf(run, other)).toEqual(graphs);
  await publish(pipeline({ name: "bread", codeHash: "new", nodes: [node("water")] }));
  expect(await namesOf(run, other, await attempt("new"))).toEqual([...graphs, ["water"]]);
  await publish(pipeline({ name: "cake", codeHash: "new" }));
  expect(await namesOf(run, other, await attempt("new"))).toEqual([...graphs, ["water"]]);
});

it("of old code is that under the config of its own YAML", async () => {
  const written = (codeHash: string, oven: string, first: string) =>
    pipeline({ name: "bread", codeHash, config: { oven }, nodes: [node(first)] });
  await publish(written("gas oven", "gas", "gas"));
  await publish(written("deck oven", "deck", "wood"));
  const asked = [
    await attempt("gas oven"),
    await attempt("gas oven", { oven: "gas" }),
    await attempt("gas oven", { oven: "deck" }),
    await attempt("deck oven", { oven: "deck" }),
  ];
  expect(await namesOf(...asked)).toEqual([["gas"], ["gas"], null, ["wood"]]);
});

it("of an attempt that never resolved is not known", async () => {
  const jobId = await insertRun(db, { attempts: 1, nodes: 1 });
  expect(await namesOf({ jobId, attempt: 1 }, { jobId, attempt: 7 })).toEqual([null, null]);
});
