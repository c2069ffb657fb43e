import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Database } from "../../src/db/client.ts";
import type { JsonObject } from "../../src/domain/json.ts";
import { type CataloguedPipeline, openCatalogue } from "../../src/pipelines/catalogue.ts";
import { publishProject } from "../../src/pipelines/publish.ts";
import {
  type AskOptions,
  answerVariant,
  type DescribeVariant,
  pruneVariants,
  variantOf,
} from "../../src/pipelines/variants.ts";
import type { PipelineDescription } from "../../src/runtime/protocol.ts";
import { testDatabase } from "../support/database.ts";
import { brokenBy, pipeline, project } from "./descriptions.ts";
import { liveWorker } from "./workers.ts";

let db: Database;
beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db[Symbol.asyncDispose]());

/** A published project of its own with a pipeline `bread` and, unless it is said otherwise, a live worker. */
async function bakery({ served = true, codeHash = "c0de" } = {}): Promise<CataloguedPipeline> {
  const name = `bakery-${randomUUID()}`;
  const bread = pipeline({ name: "bread", codeHash, config: { oven: "deck" } });
  await publishProject(db, null, { name, project: project(), pipelines: [bread], environment: {} });
  if (served) await liveWorker(db, { projects: [{ name, root: "/srv/bakery" }] });
  return await openCatalogue(db).pipeline(name, "bread");
}

/** Answers all that is asked, one question after the other, and counts. */
async function answerAll(on: Database, projects: string[], describe: DescribeVariant): Promise<number> {
  let count = 0;
  while (await answerVariant(on, projects, describe)) count += 1;
  return count;
}

/** What a worker of the project would do when the bell rings. */
function answering({ projectName }: CataloguedPipeline, describe: DescribeVariant) {
  const answers: Promise<number>[] = [];
  let rings = 0;
  const options: AskOptions = {
    ring() {
      rings += 1;
      answers.push(answerAll(db, [projectName], describe));
    },
  };
  return { options, rings: () => rings, done: () => Promise.all(answers) };
}

const under = async (_project: string, name: string, config: JsonObject): Promise<PipelineDescription> =>
  pipeline({ name, config: { oven: "deck" }, doc: JSON.stringify(config) });

const silent: AskOptions = { ring: () => {}, waitMs: 50 };

describe("variantOf", () => {
  it.each([{}, { oven: "deck" }])("is what was published for %j", async (config) => {
    const bread = await bakery({ served: false });
    expect(await variantOf(db, bread, config, silent)).toBe(bread.description);
  });

  it("asks a worker once for another config, and keeps the answer", async () => {
    const bread = await bakery();
    const worker = answering(bread, under);
    const first = await variantOf(db, bread, { oven: "fan" }, worker.options);
    expect(first?.doc).toBe('{"oven":"fan"}');
    expect(await variantOf(db, bread, { oven: "fan" }, worker.options)).toEqual(first);
    expect(worker.rings()).toBe(1);
  });

  it("asks once for configs that are written in another order", async () => {
    const bread = await bakery();
    const worker = answering(bread, under);
    await variantOf(db, bread, { a: 1, b: { c: 1, d: 2 } }, worker.options);
    await variantOf(db, bread, { b: { d: 2, c: 1 }, a: 1 }, worker.options);
    expect(worker.rings()).toBe(1);
  });

  it("asks anew for new code", async () => {
    const bread = await bakery();
    const worker = answering(bread, under);
    await variantOf(db, bread, { oven: "fan" }, worker.options);
    const newer = { ...bread, description: { ...bread.description, codeHash: "newer" } };
    await variantOf(db, newer, { oven: "fan" }, worker.options);
    expect(worker.rings()).toBe(2);
  });

  it("is not known when nobody answers in time", async () => {
    const bread = await bakery();
    const started = performance.now();
    expect(await variantOf(db, bread, { oven: "fan" }, { ...silent, waitMs: 120 })).toBeNull();
    expect(performance.now() - started).toBeGreaterThanOrEqual(119);
  });

  it("does not wait when no live worker has the project", async () => {
    const bread = await bakery({ served: false });
    await liveWorker(db, { projects: [{ name: bread.projectName, root: "/srv" }], heartbeat: "40 seconds" });
    await liveWorker(db, { projects: [{ name: "another", root: "/srv" }] });
    const worker = answering(bread, under);
    const started = performance.now();
    expect(await variantOf(db, bread, { oven: "fan" }, { ...worker.options, waitMs: 20_000 })).toBeNull();
    expect(worker.rings()).toBe(0);
    expect(performance.now() - started).toBeLessThan(10_000);
    expect(await db.sql`select 1 from variants where project = ${bread.projectName}`).toHaveLength(0);
  });

  it("does not pile up questions that nobody answers", async () => {
    const bread = await bakery();
    const options = { ...silent, waitMs: 0 };
    for (let i = 0; i < 120; i += 1) await variantOf(db, bread, { i }, options);
    expect(await db.sql`select 1 from variants where project = ${bread.projectName}`).toHaveLength(100);
  });

  it("is told as broken, and asked for again half a minute later: a package may have been installed", async () => {
    const bread = await bakery();
    let answer = pipeline({ name: "bread", status: "broken", graph: null, error: brokenBy("No module named 'ovens'") });
    const worker = answering(bread, async () => answer);
    expect(await variantOf(db, bread, { oven: "fan" }, worker.options)).toMatchObject({ status: "broken" });
    answer = pipeline({ name: "bread" });
    expect(await variantOf(db, bread, { oven: "fan" }, worker.options)).toMatchObject({ status: "broken" });
    await db.sql`update variants set answered_at = queue_now() - interval '31 seconds' where project = ${bread.projectName}`;
    expect(await variantOf(db, bread, { oven: "fan" }, worker.options)).toMatchObject({ status: "ok" });
    expect(worker.rings()).toBe(2);
  });

  it("of code that has changed since it was published is told once and not kept", async () => {
    const bread = await bakery({ codeHash: "published" });
    const worker = answering(bread, async () => pipeline({ name: "bread", codeHash: "on disk" }));
    expect(await variantOf(db, bread, { oven: "fan" }, worker.options)).toMatchObject({ codeHash: "on disk" });
    await variantOf(db, bread, { oven: "fan" }, worker.options);
    expect(worker.rings()).toBe(2);
  });

  it("of a pipeline that is broken under its YAML's config is asked for: it may be whole", async () => {
    const bread = await bakery();
    const broken = { ...bread, description: { ...bread.description, status: "broken" as const, graph: null } };
    const worker = answering(bread, under);
    expect(await variantOf(db, broken, {}, worker.options)).toBe(broken.description);
    expect(await variantOf(db, broken, { oven: "fan" }, worker.options)).toMatchObject({ status: "ok" });
  });

  it.each<[what: string, changes: Partial<PipelineDescription>]>([
    ["without configuration and of unknown code", { status: "unconfigured", codeHash: null, graph: null }],
    ["that could not be read", { status: "broken", codeHash: null, graph: null }],
  ])("of a pipeline %s is what was published", async (_what, changes) => {
    const bread = await bakery();
    const worker = answering(bread, under);
    const unusable = { ...bread, description: { ...bread.description, ...changes } };
    expect(await variantOf(db, unusable, { oven: "fan" }, worker.options)).toBe(unusable.description);
    expect(worker.rings()).toBe(0);
  });

  it("of a module without configuration is what a worker imports when it is asked for", async () => {
    const bread = await bakery();
    const worker = answering(bread, under);
    const bare = {
      ...bread,
      description: { ...bread.description, status: "unconfigured" as const, graph: null, config: {} },
    };
    expect(await variantOf(db, bare, {}, worker.options)).toMatchObject({ status: "ok", doc: "{}" });
    expect(await variantOf(db, bare, {}, worker.options)).toMatchObject({ status: "ok", doc: "{}" });
    expect(worker.rings()).toBe(1);
    expect(await variantOf(db, bare, { oven: "fan" }, worker.options)).toMatchObject({ doc: '{"oven":"fan"}' });
  });

  it("of a broken project is what was published", async () => {
    const bread = await bakery();
    const broken = { ...bread, project: project({ error: brokenBy("conf/project.yml: not valid YAML") }) };
    expect(await variantOf(db, broken, { oven: "fan" }, silent)).toBe(bread.description);
  });
});

describe("answerVariant", () => {
  it("answers the oldest first, and only for its projects", async () => {
    const [mine, other] = [await bakery(), await bakery()];
    for (const config of [{ n: 1 }, { n: 2 }, { n: 3 }]) await variantOf(db, mine, config, { ...silent, waitMs: 0 });
    await variantOf(db, other, { n: 4 }, { ...silent, waitMs: 0 });
    const asked: JsonObject[] = [];
    const describe: DescribeVariant = async (project, name, config) => {
      asked.push(config);
      return await under(project, name, config);
    };
    expect(await answerAll(db, [mine.projectName], describe)).toBe(3);
    expect(asked).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
    expect(await answerAll(db, [mine.projectName], describe)).toBe(0);
  });

  it("answers each question once, whatever the number of workers", async () => {
    const bread = await bakery();
    for (let n = 0; n < 12; n += 1) await variantOf(db, bread, { n }, { ...silent, waitMs: 0 });
    const asked: string[] = [];
    const describe: DescribeVariant = async (project, name, config) => {
      asked.push(JSON.stringify(config));
      return await under(project, name, config);
    };
    const counts = await Promise.all([1, 2, 3].map(() => answerAll(db, [bread.projectName], describe)));
    expect(counts.reduce((sum, count) => sum + count)).toBe(12);
    expect(new Set(asked).size).toBe(12);
  });

  it("takes back a question about a pipeline that the project has no longer", async () => {
    const bread = await bakery();
    await variantOf(db, bread, { oven: "fan" }, { ...silent, waitMs: 0 });
    expect(await answerAll(db, [bread.projectName], async () => null)).toBe(1);
    expect(await db.sql`select 1 from variants where project = ${bread.projectName}`).toHaveLength(0);
  });

  it("leaves the question to others when it cannot describe", async () => {
    const bread = await bakery();
    await variantOf(db, bread, { oven: "fan" }, { ...silent, waitMs: 0 });
    const failing = answerAll(db, [bread.projectName], () => Promise.reject(new Error("no Python")));
    await expect(failing).rejects.toThrow("no Python");
    expect(await answerAll(db, [bread.projectName], under)).toBe(1);
  });

  it("keeps no transaction open while it describes: the feed of all jobs would wait for it", async () => {
    const bread = await bakery();
    await variantOf(db, bread, { oven: "fan" }, { ...silent, waitMs: 0 });
    const open: unknown[] = [];
    const answered = answerAll(db, [bread.projectName], async (...asked) => {
      open.push(
        ...(await db.sql`
          select state, query from pg_stat_activity
          where datname = current_database() and pid <> pg_backend_pid() and (xact_start is not null or backend_xid is not null)`),
      );
      return await under(...asked);
    });
    expect(await answered).toBe(1);
    expect(open).toEqual([]);
  });

  it("answers a question in place of a worker that has not done so for too long", async () => {
    const bread = await bakery();
    await variantOf(db, bread, { oven: "fan" }, { ...silent, waitMs: 0 });
    const claimed = (ago: string) => db.sql`
      update variants set claimed_at = queue_now() - ${ago}::interval where project = ${bread.projectName}`;
    await claimed("80 seconds");
    expect(await answerAll(db, [bread.projectName], under)).toBe(0);
    await claimed("91 seconds");
    expect(await answerAll(db, [bread.projectName], under)).toBe(1);
  });

  it("does not hold up who asks the same while it describes", async () => {
    const bread = await bakery();
    await variantOf(db, bread, { oven: "fan" }, { ...silent, waitMs: 0 });
    const { promise: described, resolve: finish } = Promise.withResolvers<void>();
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    const answered = answerAll(db, [bread.projectName], async (...asked) => {
      begin();
      await described;
      return await under(...asked);
    });
    await begun;
    expect(await variantOf(db, bread, { oven: "fan" }, silent)).toBeNull();
    finish();
    expect(await answered).toBe(1);
    expect(await variantOf(db, bread, { oven: "fan" }, silent)).toMatchObject({ doc: '{"oven":"fan"}' });
  });
});

describe("pruneVariants", () => {
  it.each([
    ["keeps what belongs to the present code", "2 days", true, "c0de", true],
    ["keeps what belongs to code of today", "23 hours", true, "older", true],
    ["removes what belongs to code that is gone for a day", "25 hours", true, "older", false],
    ["removes what is a week old", "8 days", true, "c0de", false],
    ["keeps a question", "59 minutes", false, "c0de", true],
    ["removes a question that nobody answered for an hour", "61 minutes", false, "c0de", false],
  ])("%s", async (_what, age, isAnswered, codeHash, stays) => {
    const bread = await bakery();
    await db.sql`
      insert into variants (project, pipeline, code_hash, config_hash, config, asked_at, answered_at)
      select ${bread.projectName}, 'bread', ${codeHash}, 'x', '{}', queue_now() - ${age}::interval,
        case when ${isAnswered} then queue_now() - ${age}::interval end`;
    await pruneVariants(db.sql);
    expect(await db.sql`select 1 from variants where project = ${bread.projectName}`).toHaveLength(stays ? 1 : 0);
  });
});

describe("what is kept", () => {
  it("is bounded for each pipeline, however often the config is varied", async () => {
    const bread = await bakery();
    const { projectName } = bread;
    await db.sql`
      insert into variants (project, pipeline, code_hash, config_hash, config, asked_at, answered_at, description)
      select ${projectName}, 'bread', 'c0de', 'old' || n, '{}', queue_now() - n * interval '1 s', queue_now(), '{}'
      from generate_series(1, 250) n`;
    const worker = answering(bread, under);
    expect(await variantOf(db, bread, { oven: "fan" }, worker.options)).toMatchObject({ status: "ok" });
    const kept = await db.sql`select config_hash from variants where project = ${projectName}`;
    expect(kept).toHaveLength(200);
    expect(kept.map((row) => row.config_hash)).toEqual(expect.arrayContaining(["old1", "old199"]));
  });
});
