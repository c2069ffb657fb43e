import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { startEmbeddedPostgres } from "../../src/db/embedded/start.ts";
import { host, nothingRunsOn, parentOf, processesOn, query, temporaryFolder } from "./embedded-support.ts";

const pidOn = (folder: string) => Number(readFileSync(join(folder, "pg", "postmaster.pid"), "utf8").split("\n")[0]);

/** Kills the shells that end Postgres when its parent dies, so that it is left behind. Returns its pid. */
function killWatch(folder: string): number {
  const postmaster = pidOn(folder);
  const shell = parentOf(postmaster);
  const others = processesOn(folder).filter((pid) => pid !== postmaster && parentOf(pid) === shell);
  for (const pid of [...others, shell]) process.kill(pid, "SIGKILL");
  return postmaster;
}

describe("embedded Postgres, when its parent", () => {
  it("is killed, ends and leaves nothing", async () => {
    using folder = temporaryFolder();
    await using parent = host(folder.path);
    await parent.next();
    await parent.kill();
    await nothingRunsOn(folder.path);

    await using next = await startEmbeddedPostgres({ folder: folder.path, fsync: false });
    expect(next).toMatchObject({ adopted: false, freshlyCreated: false });
  });

  it("gets a signal for the whole group, goes on until the parent ends it", async () => {
    using folder = temporaryFolder();
    await using parent = host(folder.path, { detached: true });
    const { url } = await parent.next();
    process.kill(-parent.pid, "SIGINT");
    expect(await parent.next()).toEqual({ signal: "SIGINT" });
    expect(await query(url as string, "select 1 as one")).toEqual([{ one: 1 }]);
    process.kill(-parent.pid, "SIGTERM");
    await nothingRunsOn(folder.path);
  });

  it("was killed together with the watching shells, is adopted by the next start and then tied to that one", async () => {
    using folder = temporaryFolder();
    await using parent = host(folder.path);
    await parent.next();
    parent.child.kill("SIGSTOP"); // or it would notice and take it back
    const left = killWatch(folder.path);
    await parent.kill();

    await using heir = host(folder.path);
    expect(await heir.next()).toMatchObject({ adopted: true, freshlyCreated: false });
    expect(pidOn(folder.path)).toBe(left);
    await heir.kill();
    await nothingRunsOn(folder.path);
  });

  it("adopted a leftover and stops, stops", async () => {
    using folder = temporaryFolder();
    await using parent = host(folder.path);
    await parent.next();
    parent.child.kill("SIGSTOP");
    killWatch(folder.path);
    await parent.kill();
    const heir = await startEmbeddedPostgres({ folder: folder.path, fsync: false });
    expect(heir.adopted).toBe(true);
    await heir.stop();
    await nothingRunsOn(folder.path);
  });
});

describe("embedded Postgres, when it", () => {
  it("is killed, comes back on its port with what it had acknowledged", async () => {
    using folder = temporaryFolder();
    await using server = await startEmbeddedPostgres({ folder: folder.path, fsync: false });
    await query(server.url, "create table kept as select 42 as answer");
    process.kill(pidOn(folder.path), "SIGKILL");
    const answer = () => query(server.url, "select answer from kept").catch(() => null);
    await expect.poll(answer, { timeout: 15_000, interval: 50 }).toEqual([{ answer: 42 }]);
  });

  it("loses its watching shells, is watched again", async () => {
    using folder = temporaryFolder();
    const server = await startEmbeddedPostgres({ folder: folder.path, fsync: false });
    const postmaster = killWatch(folder.path);
    await expect.poll(() => processesOn(folder.path).length, { interval: 20 }).toBeGreaterThan(1);
    expect(await query(server.url, "select 1 as one")).toEqual([{ one: 1 }]);
    expect(pidOn(folder.path)).toBe(postmaster);
    await server.stop();
    await nothingRunsOn(folder.path);
  });

  it("was killed together with its parent, starts from what is left", async () => {
    using folder = temporaryFolder();
    await using parent = host(folder.path);
    await parent.next();
    parent.child.kill("SIGSTOP");
    process.kill(pidOn(folder.path), "SIGKILL");
    await parent.kill();

    await using server = await startEmbeddedPostgres({ folder: folder.path, fsync: false });
    expect(await query(server.url, "select 1 as one")).toEqual([{ one: 1 }]);
  });

  it("left a pid file whose number belongs to another program by now, starts", async () => {
    using folder = temporaryFolder();
    const first = await startEmbeddedPostgres({ folder: folder.path, fsync: false });
    const pidFile = join(folder.path, "pg", "postmaster.pid");
    const written = readFileSync(pidFile, "utf8");
    await first.stop();
    const other = spawn("sleep", ["60"]);
    writeFileSync(pidFile, written.replace(/^\d+/, String(other.pid)));

    await using server = await startEmbeddedPostgres({ folder: folder.path, fsync: false });
    expect(server.adopted).toBe(false);
    expect(other.kill()).toBe(true);
  });
});
