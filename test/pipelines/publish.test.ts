import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Database } from "../../src/db/client.ts";
import type { JsonObject } from "../../src/domain/json.ts";
import { ProjectClaimedError, publishProject, refuseClaimedProjects } from "../../src/pipelines/publish.ts";
import type { PipelineDescription, ProjectDescription } from "../../src/runtime/protocol.ts";
import { testDatabase } from "../support/database.ts";
import { brokenBy, pipeline, project } from "./descriptions.ts";
import { liveWorker } from "./workers.ts";

let db: Database;
beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db[Symbol.asyncDispose]());

const publish = (name: string, pipelines: PipelineDescription[], described: Partial<ProjectDescription> = {}) =>
  publishProject(db, null, { name, project: project(described), pipelines, environment: { python: "3.11.7" } });

const rowsOf = (name: string) => db.sql<
  {
    name: string;
    status: string;
    codeHash: string | null;
    description: PipelineDescription;
    lastGood: JsonObject | null;
  }[]
>`
  select name, status, code_hash as "codeHash", description, last_good as "lastGood"
  from pipelines where project = ${name} order by name`;

const broken = (name: string) =>
  pipeline({ name, status: "broken", codeHash: "new", graph: null, error: brokenBy("No module named 'sklearn'") });

describe("publishProject", () => {
  it("writes the project, its pipelines and its queues", async () => {
    const published = await publish("bikes", [pipeline(), pipeline({ name: "bread" })], {
      queues: ["heavy", "bad name/"],
    });
    expect(published).toEqual({ changed: ["bread", "daily"], removed: [] });
    const [row] = await db.sql`select description, environment, published_by from projects where name = 'bikes'`;
    expect(row).toEqual({
      description: project({ queues: ["heavy", "bad name/"] }),
      environment: { python: "3.11.7" },
      published_by: null,
    });
    const [bread] = await rowsOf("bikes");
    expect(bread).toEqual({
      name: "bread",
      status: "ok",
      codeHash: "c0de",
      description: pipeline({ name: "bread" }),
      lastGood: pipeline({ name: "bread" }),
    });
    const queues = await db.sql<{ name: string }[]>`select name from queues order by name`;
    expect(queues.map((queue) => queue.name)).toEqual(["default", "heavy"]);
  });

  it("again changes nothing, and keeps the project's id and a paused queue", async () => {
    await publish("again", [pipeline()], { queues: ["slow"] });
    await db.sql`update queues set paused_at = queue_now() where name = 'slow'`;
    const [before] = await db.sql`select id from projects where name = 'again'`;
    expect(await publish("again", [pipeline()], { queues: ["slow"] })).toEqual({ changed: [], removed: [] });
    expect((await db.sql`select id from projects where name = 'again'`)[0]).toEqual(before);
    expect((await db.sql`select paused_at is not null as paused from queues where name = 'slow'`)[0]).toEqual({
      paused: true,
    });
  });

  it("keeps the last good description of a pipeline that is broken now, until it is mended", async () => {
    await publish("mended", [pipeline({ codeHash: "old" })]);
    expect((await publish("mended", [broken("daily")])).changed).toEqual(["daily"]);
    expect(await rowsOf("mended")).toMatchObject([
      {
        status: "broken",
        codeHash: "new",
        description: { error: { hint: "python -m pip install scikit-learn" } },
        lastGood: { codeHash: "old" },
      },
    ]);
    await publish("mended", [broken("daily")]);
    expect(await rowsOf("mended")).toMatchObject([{ lastGood: { codeHash: "old" } }]);
    await publish("mended", [pipeline({ codeHash: "newer" })]);
    expect(await rowsOf("mended")).toMatchObject([{ status: "ok", lastGood: { codeHash: "newer" } }]);
  });

  it("knows nothing good of a pipeline that has lost its configuration, or never worked", async () => {
    await publish("bare", [pipeline(), broken("new")]);
    await publish("bare", [pipeline({ status: "unconfigured", codeHash: null, graph: null }), broken("new")]);
    expect(await rowsOf("bare")).toMatchObject([
      { name: "daily", status: "unconfigured", lastGood: null },
      { name: "new", status: "broken", lastGood: null },
    ]);
  });

  it("removes a pipeline whose file is gone", async () => {
    await publish("shrinking", [pipeline(), pipeline({ name: "old" })]);
    expect(await publish("shrinking", [pipeline()])).toEqual({ changed: [], removed: ["old"] });
    expect((await rowsOf("shrinking")).map((row) => row.name)).toEqual(["daily"]);
  });

  it("removes nothing when the project itself could not be described", async () => {
    await publish("half-saved", [pipeline()]);
    const error = { ...brokenBy("conf/project.yml: not valid YAML: line 3"), hint: null };
    expect(await publish("half-saved", [], { error })).toEqual({ changed: [], removed: [] });
    expect((await rowsOf("half-saved")).map((row) => row.name)).toEqual(["daily"]);
    const [row] =
      await db.sql`select description->'error'->>'message' as message from projects where name = 'half-saved'`;
    expect(row).toEqual({ message: "conf/project.yml: not valid YAML: line 3" });
  });

  it("stores texts that Postgres cannot hold as nearly as it can", async () => {
    await publish("odd", [pipeline({ doc: "a\u0000b \ud800 \\u0000", params: { "k\u0000": ["\udfff"] } })]);
    const [row] = await rowsOf("odd");
    expect(row?.description).toMatchObject({ doc: "a\ufffdb \ufffd \\u0000", params: { "k\ufffd": ["\ufffd"] } });
  });

  it("by several workers at once ends as one of them published it", async () => {
    const versions = Array.from({ length: 8 }, (_, i) => `v${i}`);
    await Promise.all(
      versions.map((codeHash) =>
        publish(
          "racing",
          ["a", "b", "c"].map((name) => pipeline({ name, codeHash })),
        ),
      ),
    );
    const hashes = (await rowsOf("racing")).map((row) => row.codeHash);
    expect(hashes).toHaveLength(3);
    expect(new Set(hashes).size).toBe(1);
    expect(versions).toContain(hashes[0]);
  });
});

describe("refuseClaimedProjects", () => {
  const claim = (host: string, root: string, name: string) =>
    db.sql.begin((sql) => refuseClaimedProjects(sql, { id: randomUUID(), host }, [{ name, root }]));

  it("refuses another folder under a name that a live worker of this host serves", async () => {
    await liveWorker(db, { host: "here", projects: [{ name: "claimed", root: "/srv/a" }] });
    const refused = claim("here", "/srv/b", "claimed");
    await expect(refused).rejects.toThrow(ProjectClaimedError);
    await expect(refused).rejects.toThrow(/claimed belongs to \/srv\/a.*--project OTHER=\/srv\/b/);
  });

  it.each([
    ["the same folder", "here", "/srv/a", "shared"],
    ["another host, where folders lie elsewhere", "there", "/data/a", "shared"],
    ["another name", "here", "/srv/b", "other"],
  ])("takes %s", async (_what, host, root, name) => {
    await liveWorker(db, { host: "here", projects: [{ name: "shared", root: "/srv/a" }] });
    await expect(claim(host, root, name)).resolves.toBeUndefined();
  });

  it("takes a name whose worker has ended or has not been heard of for a lease", async () => {
    const projects = [{ name: "left", root: "/srv/a" }];
    await liveWorker(db, { host: "here", projects, ended: true });
    await liveWorker(db, { host: "here", projects, heartbeat: "31 seconds" });
    await expect(claim("here", "/srv/b", "left")).resolves.toBeUndefined();
  });

  it("lets one of two workers have a name that both want at once", async () => {
    const start = (root: string) =>
      db.sql.begin(async (sql) => {
        const id = randomUUID();
        const projects = [{ name: "wanted", root }];
        await refuseClaimedProjects(sql, { id, host: "here" }, projects);
        await liveWorker({ sql }, { id, host: "here", projects });
      });
    const started = await Promise.allSettled(["/srv/a", "/srv/b", "/srv/c", "/srv/d"].map(start));
    expect(started.map((one) => one.status).toSorted()).toEqual(["fulfilled", "rejected", "rejected", "rejected"]);
    for (const one of started) if (one.status === "rejected") expect(one.reason).toBeInstanceOf(ProjectClaimedError);
  });
});
