import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Database } from "../../src/db/client.ts";
import { openCatalogue } from "../../src/pipelines/catalogue.ts";
import { comparePipelineVersions } from "../../src/pipelines/compare-versions.ts";
import type { GitState } from "../../src/pipelines/git.ts";
import { publishProject } from "../../src/pipelines/publish.ts";
import type { PipelineDescription } from "../../src/runtime/protocol.ts";
import { testDatabase } from "../support/database.ts";
import { brokenBy, node, pipeline, project } from "./descriptions.ts";

let db: Database;
beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db[Symbol.asyncDispose]());

const git: GitState = { commit: "a".repeat(40), dirty: true, branch: "main", remote: "https://host/shop.git" };

const publish = (name: string, one: PipelineDescription, state: GitState | null = null) =>
  publishProject(db, null, { name, project: project(), pipelines: [one], environment: {}, git: state });

const versionsOf = (name: string) => db.sql<
  { number: number; codeHash: string; git: GitState | null; publishedAt: Date; lastSeenAt: Date }[]
>`
  select number, code_hash as "codeHash", git, published_at as "publishedAt", last_seen_at as "lastSeenAt"
  from pipeline_versions where project = ${name} order by number`;

describe("recordVersions", () => {
  it("makes a version of each change of the code, and of code that comes back too", async () => {
    for (const codeHash of ["one", "one", "two", "one"]) await publish("history", pipeline({ codeHash }));
    expect((await versionsOf("history")).map(({ number, codeHash }) => [number, codeHash])).toEqual([
      [1, "one"],
      [2, "two"],
      [3, "one"],
    ]);
  });

  it("notes that one is still there, and of one that is replaced when that was", async () => {
    await publish("seen", pipeline({ codeHash: "one" }));
    const [first] = await versionsOf("seen");
    expect(first?.lastSeenAt).toEqual(first?.publishedAt);
    await db.sql`update pipeline_versions set last_seen_at = last_seen_at - interval '1 hour' where project = 'seen'`;
    await publish("seen", pipeline({ codeHash: "one" }));
    const [again] = await versionsOf("seen");
    expect(again?.lastSeenAt.getTime()).toBeGreaterThanOrEqual(first?.lastSeenAt.getTime() ?? 0);
    await publish("seen", pipeline({ codeHash: "two" }));
    const [old, current] = await versionsOf("seen");
    expect(old?.lastSeenAt).toEqual(current?.publishedAt);
  });

  it("takes nothing that is broken, or was never imported, for a version", async () => {
    await publish("breaks", pipeline({ codeHash: "one" }));
    await publish("breaks", pipeline({ status: "broken", codeHash: "bad", error: brokenBy("no module") }));
    await publish("breaks", pipeline({ status: "unconfigured", codeHash: "bare", graph: null }));
    expect((await versionsOf("breaks")).map(({ codeHash }) => codeHash)).toEqual(["one"]);
  });

  it("keeps the repository's state as it was at the first publish", async () => {
    await publish("cloned", pipeline({ codeHash: "one" }), git);
    await publish("cloned", pipeline({ codeHash: "one" }), { ...git, dirty: false });
    await publish("cloned", pipeline({ codeHash: "two" }), null);
    expect((await versionsOf("cloned")).map((version) => version.git)).toEqual([git, null]);
  });
});

describe("comparePipelineVersions", () => {
  const source = (text: string) => `def dough(flour: int) -> int:\n    return ${text}\n`;
  const first = pipeline({
    codeHash: "one",
    nodes: [node("flour"), { ...node("dough", ["flour"]), codeHash: "h1" }, node("crumbs", ["flour"])],
    modules: [
      { name: "pipelines.daily", file: "pipelines/daily.py", sha256: "1" },
      { name: "pipelines.old", file: "pipelines/old.py", sha256: "1" },
    ],
    params: { oven: { degrees: 200 }, gone: 1 },
    run: { config: { mode: "slow" }, final_vars: ["dough"] },
    sources: { h1: source("flour") },
  });
  const second = pipeline({
    codeHash: "two",
    nodes: [
      node("flour"),
      node("salt"),
      { ...node("dough", ["flour", "salt"]), codeHash: "h2", line: 9, type: "float" },
      { ...node("loaf", ["dough"]), codeHash: "h3" },
    ],
    modules: [{ name: "pipelines.daily", file: "pipelines/daily.py", sha256: "2" }],
    params: { oven: { degrees: 220, fan: true } },
    run: { config: { mode: "fast" }, final_vars: ["dough"] },
    sources: { h2: source("flour + 1"), h3: "def loaf(): ...\n" },
  });

  it("tells what was added, removed and changed, and nothing else", async () => {
    await publish("shop", first);
    await publish("shop", second);
    const compared = await comparePipelineVersions(db, openCatalogue(db), { pipeline: "shop/daily", from: 1, to: 2 });
    expect(compared.nodes.map(({ name, change, aspects, diff }) => ({ name, change, aspects, diff }))).toEqual([
      {
        name: "dough",
        change: "changed",
        aspects: ["source", "type", "dependencies"],
        diff: "@@ -1,2 +1,2 @@\n def dough(flour: int) -> int:\n-    return flour\n+    return flour + 1",
      },
      { name: "crumbs", change: "removed", aspects: [], diff: null },
      { name: "salt", change: "added", aspects: [], diff: null },
      { name: "loaf", change: "added", aspects: [], diff: "@@ -0,0 +1 @@\n+def loaf(): ..." },
    ]);
    expect(compared.modules).toEqual([
      { file: "pipelines/daily.py", change: "changed", fromHash: "1", toHash: "2" },
      { file: "pipelines/old.py", change: "removed", fromHash: "1", toHash: null },
    ]);
    expect(compared.params).toEqual([
      { path: "params.gone", change: "removed", from: 1, to: null },
      { path: "params.oven.degrees", change: "changed", from: 200, to: 220 },
      { path: "params.oven.fan", change: "added", from: null, to: true },
    ]);
    expect(compared.run).toEqual([{ path: "run.config.mode", change: "changed", from: "slow", to: "fast" }]);
  });

  it("of a version and itself tells nothing", async () => {
    await publish("same", first);
    const compared = await comparePipelineVersions(db, openCatalogue(db), { pipeline: "same/daily", from: 1, to: 1 });
    expect([compared.nodes, compared.modules, compared.params, compared.run]).toEqual([[], [], [], []]);
  });

  it("names a version that is not there", async () => {
    await publish("few", first);
    const asked = comparePipelineVersions(db, openCatalogue(db), { pipeline: "few/daily", from: 1, to: 7 });
    await expect(asked).rejects.toMatchObject({ code: "NOT_FOUND", path: "to" });
  });

  it("keeps each source once, apart from the descriptions", async () => {
    await publish("apart", first);
    const [row] = await db.sql<{ description: PipelineDescription }[]>`
      select description from pipelines where project = 'apart'`;
    expect(row?.description.sources).toBeUndefined();
    const kept = await db.sql`select hash, source from node_sources where hash = 'h1'`;
    expect(kept).toEqual([{ hash: "h1", source: source("flour") }]);
  });
});
