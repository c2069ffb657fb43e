import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openDataFolder } from "../../src/db/data-folder.ts";
import { binariesIn, copiedPostgres, installedPostgres, repairSymlinks } from "../../src/db/embedded/binaries.ts";
import { requireDisk } from "../../src/db/embedded/data-directory.ts";
import { LogFile } from "../../src/db/embedded/log-file.ts";
import { freePort, portIfFree } from "../../src/db/embedded/port.ts";
import { startEmbeddedPostgres } from "../../src/db/embedded/start.ts";
import { host, nothingRunsOn, processesOn, query, temporaryFolder } from "./embedded-support.ts";

describe("startEmbeddedPostgres", () => {
  it("makes a Postgres once and keeps what is in it", async () => {
    using folder = temporaryFolder();
    const first = await startEmbeddedPostgres({ folder: folder.path, fsync: false });
    expect(first).toMatchObject({ freshlyCreated: true, adopted: false, version: expect.stringMatching(/^\d+\.\d+$/) });
    await query(first.url, "create table kept as select 42 as answer");
    await first.stop();
    await nothingRunsOn(folder.path);

    await using second = await startEmbeddedPostgres({ folder: folder.path, fsync: false });
    expect(second).toMatchObject({ freshlyCreated: false, adopted: false });
    expect(await query(second.url, "select answer from kept")).toEqual([{ answer: 42 }]);
  });

  it("listens on loopback only, wants its password, and speaks UTF-8 and UTC", async () => {
    using folder = temporaryFolder();
    await using server = await startEmbeddedPostgres({ folder: folder.path, fsync: false });
    const settings = await query(
      server.url,
      `select current_setting('listen_addresses') as addresses, current_setting('unix_socket_directories') as sockets,
         current_setting('timezone') as zone, current_setting('jit') as jit, current_setting('synchronous_commit') as commit,
         upper('é') as upper, 'a' < 'B' as linguistic`,
    );
    expect(settings).toEqual([
      {
        addresses: "127.0.0.1",
        sockets: "",
        zone: "UTC",
        jit: "off",
        commit: "on",
        upper: "É",
        linguistic: false,
      },
    ]);
    const wrong = server.url.replace(/:[0-9a-f]+@/, ":wrong@");
    await expect(query(wrong, "select 1")).rejects.toThrow(/password authentication failed/);
    expect(statSync(join(folder.path, "pg", "flowerpower.password")).mode & 0o777).toBe(0o600);
  });

  it("writes neither statements nor row contents to its log", async () => {
    using folder = temporaryFolder();
    await using server = await startEmbeddedPostgres({ folder: folder.path, fsync: false });
    await query(server.url, "create table once (secret text primary key); insert into once values ('hunter2')");
    await expect(query(server.url, "insert into once values ('hunter2')")).rejects.toThrow(/duplicate key/);
    const log = readFileSync(join(folder.path, "postgres.log"), "utf8");
    expect(log).toContain("duplicate key");
    expect(log).not.toContain("hunter2");
  });

  it("takes another port when its usual one is taken, and refuses when a certain one is", async () => {
    using one = temporaryFolder();
    using two = temporaryFolder();
    await using server = await startEmbeddedPostgres({ folder: one.path, fsync: false });
    await expect(startEmbeddedPostgres({ folder: two.path, port: server.port, fsync: false })).rejects.toMatchObject({
      code: "EMBEDDED_POSTGRES",
      message: expect.stringContaining(`port ${server.port}`),
    });
    await using other = await startEmbeddedPostgres({ folder: two.path, fsync: false });
    expect(other.port).not.toBe(server.port);
  });

  it("lets one of two that start at once win, and tells the other where it is", async () => {
    using folder = temporaryFolder();
    await using one = host(folder.path);
    await using two = host(folder.path);
    const answers = await Promise.all([one.next(), two.next()]);
    expect(answers.filter((answer) => "port" in answer)).toHaveLength(1);
    expect(answers.filter((answer) => answer.code === "DATA_FOLDER_IN_USE")).toHaveLength(1);

    using dataFolder = openDataFolder(folder.path);
    dataFolder.writeServerInfo({
      url: "http://127.0.0.1:4000",
      pid: 1,
      startedAt: "2026-11-23T12:00:00Z",
      version: "0",
    });
    await expect(startEmbeddedPostgres({ folder: folder.path })).rejects.toMatchObject({
      code: "DATA_FOLDER_IN_USE",
      url: "http://127.0.0.1:4000",
    });
  });

  it("refuses data of another major version, with the way out", async () => {
    using folder = temporaryFolder();
    const server = await startEmbeddedPostgres({ folder: folder.path, fsync: false });
    await server.stop();
    writeFileSync(join(folder.path, "pg", "PG_VERSION"), "17\n");
    await expect(startEmbeddedPostgres({ folder: folder.path })).rejects.toMatchObject({
      code: "POSTGRES_VERSION",
      message: expect.stringMatching(/Postgres 17.*DATABASE_URL/),
    });
  });

  it("does not touch a directory that it did not make", async () => {
    using folder = temporaryFolder();
    mkdirSync(join(folder.path, "pg"));
    writeFileSync(join(folder.path, "pg", "thesis.txt"), "years of work");
    await expect(startEmbeddedPostgres({ folder: folder.path })).rejects.toMatchObject({ code: "EMBEDDED_POSTGRES" });
    expect(readFileSync(join(folder.path, "pg", "thesis.txt"), "utf8")).toBe("years of work");
  });

  it("begins anew after a first start that was killed in the middle", async () => {
    using folder = temporaryFolder();
    await using killed = host(folder.path);
    const isUnfinished = () => readdirSync(folder.path).some((name) => /^pg\.unfinished-[0-9a-f]+$/.test(name));
    await expect.poll(isUnfinished, { timeout: 10_000, interval: 5 }).toBe(true);
    await killed.kill();
    await nothingRunsOn(folder.path);
    expect(existsSync(join(folder.path, "pg"))).toBe(false);

    await using server = await startEmbeddedPostgres({ folder: folder.path, fsync: false });
    expect(server.freshlyCreated).toBe(true);
    expect(isUnfinished()).toBe(false);
  });

  it("says why Postgres does not start, in its own words", async () => {
    using folder = temporaryFolder();
    const server = await startEmbeddedPostgres({ folder: folder.path, fsync: false });
    await server.stop();
    writeFileSync(join(folder.path, "pg", "postgresql.conf"), "no_such_setting = 1\n");
    await expect(startEmbeddedPostgres({ folder: folder.path })).rejects.toThrow(/no_such_setting/);
    expect(processesOn(folder.path)).toEqual([]);
  });
});

describe("its parts", () => {
  it("asks for free disk before it writes", () => {
    using folder = temporaryFolder();
    expect(() => requireDisk(folder.path, Number.MAX_SAFE_INTEGER)).toThrow(
      /of free disk, Postgres needs 9007199254 MB/,
    );
    expect(() => requireDisk(folder.path, 1)).not.toThrow();
  });

  it("keeps its log bounded", () => {
    using folder = temporaryFolder();
    const log = new LogFile(folder.path);
    writeFileSync(log.path, "x".repeat(5_000_001));
    log.bound();
    writeFileSync(log.fd, "2026-11-23 09:51:29.326 UTC [7] FATAL:  no room\nLOG:  database system is shut down\n");
    expect(log.lastWords()).toBe("FATAL:  no room");
    expect(statSync(log.path).size).toBeLessThan(100);
    expect(statSync(`${log.path}.1`).size).toBe(5_000_001);
    log.close();
  });

  it("makes the links that npm did not make", () => {
    using folder = temporaryFolder();
    const native = join(folder.path, "native");
    mkdirSync(join(native, "lib"), { recursive: true });
    writeFileSync(join(native, "lib/libpq.so.5.18"), "library");
    writeFileSync(
      join(native, "pg-symlinks.json"),
      JSON.stringify([{ source: "native/lib/libpq.so.5.18", target: "native/lib/libpq.so.5" }]),
    );
    repairSymlinks(native);
    repairSymlinks(native);
    expect(readFileSync(join(native, "lib/libpq.so.5"), "utf8")).toBe("library");
  });

  it("copies the programs for a user who can't reach them", () => {
    using folder = temporaryFolder();
    const copy = copiedPostgres(installedPostgres(), folder.path);
    expect(binariesIn(copy)).toMatchObject({ major: "18", postgres: join(copy, "bin", "postgres") });
    expect(copiedPostgres(installedPostgres(), folder.path)).toBe(copy);
    expect(readdirSync(folder.path)).toHaveLength(1);
  });

  it("gives up on a machine without binaries, and says what there is instead", () => {
    expect(() => installedPostgres("win32-x64")).toThrow(/WSL2.*DATABASE_URL/);
  });
});

it("finds any free port without taking the ones of others", async () => {
  const taken = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => taken.once("listening", resolve));
  const { port } = taken.address() as { port: number };
  expect(await portIfFree(port)).toBeNull();
  expect(await freePort()).not.toBe(port);
  await new Promise((resolve) => taken.close(resolve));
});
