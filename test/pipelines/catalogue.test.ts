import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Database } from "../../src/db/client.ts";
import { BadInputError, NotFoundError } from "../../src/domain/errors.ts";
import { openCatalogue } from "../../src/pipelines/catalogue.ts";
import { publishProject } from "../../src/pipelines/publish.ts";
import { testDatabase } from "../support/database.ts";
import { pipeline, project } from "./descriptions.ts";

let db: Database;
beforeAll(async () => {
  db = await testDatabase();
  await publish("bikes", ["daily_report", "stations"]);
  await publish("bakery", ["bread", "stations"]);
});
afterAll(() => db[Symbol.asyncDispose]());

async function publish(name: string, names: string[], codeHash = "c0de") {
  const pipelines = names.map((each) => pipeline({ name: each, codeHash }));
  await publishProject(db, null, { name, project: project({ name }), pipelines, environment: {} });
}

describe("a pipeline's name", () => {
  it.each([
    ["bikes", "daily_report"],
    [null, "bikes/daily_report"],
    [null, "daily_report"],
  ])("may be %s and %s", async (projectName, name) => {
    expect(await openCatalogue(db).pipeline(projectName, name)).toEqual({
      projectName: "bikes",
      name: "daily_report",
      project: project({ name: "bikes" }),
      description: pipeline({ name: "daily_report" }),
      lastGood: pipeline({ name: "daily_report" }),
      disabled: null,
      publishedAt: expect.any(Date),
    });
  });

  it("that two projects have is refused with both", async () => {
    const asked = openCatalogue(db).pipeline(null, "stations");
    await expect(asked).rejects.toThrow(BadInputError);
    await expect(asked).rejects.toThrow("Say which: bakery/stations or bikes/stations.");
  });

  it.each([
    ["bikes", "dayly_report", "input.pipeline", "daily_report"],
    ["bikes", "bread", "input.pipeline", "bakery/bread"],
    ["bikes", "xylophone", "input.pipeline", null],
    ["bike", "daily_report", "input.project", "bikes"],
    ["constructor", "__proto__", "input.project", null],
    [null, "bike/daily_report", "input.pipeline", "bikes"],
    [null, "bikes/daily", "input.pipeline", "daily_report"],
    [null, "daily_reprot", "input.pipeline", "daily_report"],
    [null, "bikes/a/b", "input.pipeline", null],
    [null, "", "input.pipeline", null],
    ["", "", "input.project", null],
  ])("%s, %s is not there", async (projectName, name, path, suggestion) => {
    const error = await openCatalogue(db)
      .pipeline(projectName, name)
      .catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(NotFoundError);
    expect(error).toMatchObject({ path, suggestion });
  });
});

describe("the cache", () => {
  it("answers from memory for two seconds", async () => {
    let now = 0;
    const catalogue = openCatalogue(db, { clock: () => now });
    await publish("cached", ["p"], "old");
    expect((await catalogue.pipeline("cached", "p")).description.codeHash).toBe("old");
    await publish("cached", ["p"], "new");
    now = 1999;
    expect((await catalogue.pipeline("cached", "p")).description.codeHash).toBe("old");
    now = 2000;
    expect((await catalogue.pipeline("cached", "p")).description.codeHash).toBe("new");
  });

  it("forgets when something was published", async () => {
    const catalogue = openCatalogue(db, { clock: () => 0 });
    await publish("woken", ["p"], "old");
    await catalogue.pipeline("woken", "p");
    await publish("woken", ["p"], "new");
    catalogue.invalidate();
    expect((await catalogue.pipeline("woken", "p")).description.codeHash).toBe("new");
  });

  it("does not keep what was read before something was published", async () => {
    await publish("overtaken", ["p"], "old");
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const { promise: hasRead, resolve: tellRead } = Promise.withResolvers<void>();
    const slow = withSql(async (...query) => {
      const rows = await db.sql(...query);
      tellRead();
      await released;
      return rows;
    });
    const catalogue = openCatalogue(slow, { clock: () => 0 });
    const before = catalogue.find("overtaken", "p");
    await hasRead;
    await publish("overtaken", ["p"], "new");
    catalogue.invalidate();
    const after = catalogue.find("overtaken", "p");
    release();
    expect((await before)?.description.codeHash).toBe("old");
    expect((await after)?.description.codeHash).toBe("new");
    expect((await catalogue.find("overtaken", "p"))?.description.codeHash).toBe("new");
  });

  it("asks again at once for what is not there, and after a failure", async () => {
    const catalogue = openCatalogue(db, { clock: () => 0 });
    expect(await catalogue.find("late", "p")).toBeNull();
    await publish("late", ["p"]);
    expect(await catalogue.find("late", "p")).not.toBeNull();

    const gone = await testDatabase();
    const unlucky = openCatalogue(gone, { clock: () => 0 });
    await gone.sql`alter table pipelines rename to away`;
    await expect(unlucky.find("bikes", "p")).rejects.toThrow(/pipelines/);
    await gone.sql`alter table away rename to pipelines`;
    expect(await unlucky.find("bikes", "p")).toBeNull();
    await gone[Symbol.asyncDispose]();
  });

  it("reads once for a burst of requests", async () => {
    let reads = 0;
    const catalogue = openCatalogue(
      withSql((...query) => {
        reads += 1;
        return db.sql(...query);
      }),
    );
    const found = await Promise.all(Array.from({ length: 50 }, () => catalogue.pipeline("bikes", "stations")));
    expect(new Set(found).size).toBe(1);
    expect(reads).toBe(1);
  });
});

type Query = [TemplateStringsArray, ...string[]];

/** The database, its statements passed through `run`. */
function withSql(run: (...query: Query) => Promise<unknown>): Database {
  return new Proxy(db, { get: (target, key) => (key === "sql" ? run : Reflect.get(target, key)) });
}
