import { readFileSync } from "node:fs";
import { afterAll, describe, expect, it } from "vitest";
import { type ChildOptions, startChild } from "../../src/runtime/child.ts";
import { fakeEntry, isAlive, removeScratch, scratch, testEnvironment } from "../support/runtimes.ts";

afterAll(removeScratch);

function start(handshake: string, options: Partial<ChildOptions> = {}) {
  return startChild({ python: "python3", dir: scratch, env: testEnvironment, entry: fakeEntry(handshake), ...options });
}

describe("startChild", () => {
  it("resolves when the runtime is ready, in a process group of its own", async () => {
    const child = await start("good");
    expect(child.ready.pid).toBe(child.pid);
    expect(() => process.kill(-child.pid, 0)).not.toThrow();
    expect(await child.shutdown(5000)).toEqual({ code: 0, signal: null, fault: null });
    expect(isAlive(child.pid)).toBe(false);
  });

  it.runIf(process.platform === "linux")("makes it the first to go when memory runs out", async () => {
    const child = await start("good");
    const score = (pid: number | "self") => Number(readFileSync(`/proc/${pid}/oom_score_adj`, "utf8"));
    expect(score(child.pid)).toBe(Math.min(1000, score("self") + 300));
    await child.shutdown(5000);
  });

  it("kills a runtime that does not leave when told to", async () => {
    const child = await start("stays");
    expect(await child.shutdown(100)).toMatchObject({ signal: "SIGKILL" });
  });

  it.each([
    ["an interpreter that does not exist", "good", { python: "/no/such/python" }, "PYTHON_MISSING", "/no/such/python"],
    ["a project folder that does not exist", "good", { dir: "/no/such/project" }, "PROJECT_BROKEN", "/no/such/project"],
    ["a runtime that says that it cannot serve", "unready", {}, "FLOWERPOWER_MISSING", "Run pip."],
    ["a runtime that ends", "dies", {}, "RUNTIME_DIED", "I cannot live like this"],
    ["a runtime that says something else first", "speaks early", {}, "RUNTIME_DIED", 'sent "described" before'],
    ["a runtime that says nothing", "never", { readyMs: 200 }, "RUNTIME_SILENT", "within 0.2 s"],
  ])("tells of %s", async (_what, handshake, options, code, text) => {
    await expect(start(handshake, options)).rejects.toMatchObject({ code, message: expect.stringContaining(text) });
  });
});
