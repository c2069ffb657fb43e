import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openDataFolder, readServerInfo } from "../../src/db/data-folder.ts";
import { temporaryFolder } from "./embedded-support.ts";

const info = { url: "http://127.0.0.1:4000/graphql", pid: 1, startedAt: "2026-11-23T12:00:00.000Z", version: "0.1.0" };

describe("openDataFolder", () => {
  it("makes a folder that git does not see", () => {
    using folder = temporaryFolder();
    using opened = openDataFolder(join(folder.path, "deep", ".flowerpower-queue"));
    expect(readFileSync(join(opened.path, ".gitignore"), "utf8")).toBe("*\n");
  });

  it("says where the server answers, until it closes", () => {
    using folder = temporaryFolder();
    const opened = openDataFolder(folder.path);
    opened.writeServerInfo(info);
    expect(readServerInfo(folder.path)).toEqual(info);
    expect(() => openDataFolder(folder.path)).toThrow(
      expect.objectContaining({ code: "DATA_FOLDER_IN_USE", url: info.url }),
    );
    opened.close();
    expect(readServerInfo(folder.path)).toBeNull();
    openDataFolder(folder.path).close();
  });

  it("is free again as soon as its holder is killed, and nobody answers there", async () => {
    using folder = temporaryFolder();
    const program = `
      import { openDataFolder } from ${JSON.stringify(join(import.meta.dirname, "../../src/db/data-folder.ts"))};
      openDataFolder(${JSON.stringify(folder.path)}).writeServerInfo(${JSON.stringify(info)});
      console.log("held");
      setInterval(() => {}, 1000);`;
    const holder = spawn(process.execPath, ["--input-type=module", "-e", program], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await new Promise((resolve) => holder.stdout.once("data", resolve));
    expect(() => openDataFolder(folder.path)).toThrow(expect.objectContaining({ url: info.url }));
    const ended = new Promise((resolve) => holder.once("exit", resolve));
    holder.kill("SIGKILL");
    await ended;
    using opened = openDataFolder(folder.path);
    expect(existsSync(join(opened.path, "server.json"))).toBe(false);
  });

  it("refuses a file", () => {
    expect(() => openDataFolder(import.meta.filename)).toThrow(
      expect.objectContaining({ code: "DATA_FOLDER_UNUSABLE" }),
    );
  });
});
