import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { startEmbeddedPostgres } from "../../src/db/embedded/start.ts";
import { host, isRoot, nothingRunsOn, query, temporaryFolder } from "./embedded-support.ts";

const nobody = { uid: 65534, gid: 65534 };

describe.runIf(isRoot)("embedded Postgres, started by", () => {
  it("root, runs as another user", async () => {
    using folder = temporaryFolder();
    await using server = await startEmbeddedPostgres({ folder: folder.path, fsync: false });
    expect(statSync(join(folder.path, "pg")).uid).not.toBe(0);
    expect(await query(server.url, "select 1 as one")).toEqual([{ one: 1 }]);
  });

  it("root in a folder that others can't enter, keeps its data elsewhere and finds it again", async () => {
    using home = temporaryFolder();
    chmodSync(home.path, 0o700);
    const folder = join(home.path, "project", ".flowerpower-queue");
    const first = await startEmbeddedPostgres({ folder, fsync: false });
    await query(first.url, "create table kept as select 42 as answer");
    await first.stop();
    expect(readFileSync(join(folder, "pg.location"), "utf8")).toMatch(/^\/var\/lib\/flowerpower-queue\/project-/);

    await using second = await startEmbeddedPostgres({ folder, fsync: false });
    expect(await query(second.url, "select answer from kept")).toEqual([{ answer: 42 }]);
    expect(existsSync(join(folder, "pg"))).toBe(false);
    expect(statSync(home.path).mode & 0o777).toBe(0o700);
  });

  it("an ordinary user, runs as that user and leaves nothing when killed", async () => {
    using folder = temporaryFolder();
    chownSync(folder.path, nobody.uid, nobody.gid);
    await using parent = host(folder.path, nobody);
    const { url } = await parent.next();
    expect(await query(url as string, "select 1 as one")).toEqual([{ one: 1 }]);
    expect(statSync(join(folder.path, "pg")).uid).toBe(nobody.uid);
    await parent.kill();
    await nothingRunsOn(folder.path);
  });

  it("root on the data of an ordinary user, leaves it his", async () => {
    using folder = temporaryFolder();
    chownSync(folder.path, nobody.uid, nobody.gid);
    await using user = host(folder.path, nobody);
    await user.next();
    await user.kill();
    await nothingRunsOn(folder.path);

    await using server = await startEmbeddedPostgres({ folder: folder.path, fsync: false });
    expect(server.freshlyCreated).toBe(false);
    expect(statSync(join(folder.path, "pg")).uid).toBe(nobody.uid);
  });

  it("an ordinary user on the data of root, says whose it is", async () => {
    using folder = temporaryFolder();
    const server = await startEmbeddedPostgres({ folder: folder.path, fsync: false });
    await server.stop();
    chmodSync(folder.path, 0o777);
    await using user = host(folder.path, nobody);
    const { code, error } = await user.next();
    expect([code, error]).toEqual(["DATA_FOLDER_UNUSABLE", expect.stringContaining(folder.path)]);
  });

  it("a user without an entry in /etc/passwd, says so", async () => {
    using folder = temporaryFolder();
    const stranger = { uid: 54321, gid: 54321 };
    chownSync(folder.path, stranger.uid, stranger.gid);
    await using user = host(folder.path, stranger);
    expect(await user.next()).toMatchObject({ error: expect.stringContaining("/etc/passwd") });
  });

  it("a user who can't write there, says so", async () => {
    using folder = temporaryFolder();
    const folderOfRoot = join(folder.path, "closed");
    mkdirSync(folderOfRoot);
    await using user = host(folderOfRoot, nobody);
    expect(await user.next()).toMatchObject({ code: "DATA_FOLDER_UNUSABLE" });
  });
});
