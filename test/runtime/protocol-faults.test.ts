import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { type RuntimeChild, startChild } from "../../src/runtime/child.ts";
import { run } from "../../src/runtime/run.ts";
import { StopRequest } from "../../src/runtime/stop.ts";
import {
  fakeEntry,
  isAlive,
  removeScratch,
  runRequest,
  scratch,
  testEnvironment,
  watched,
} from "../support/runtimes.ts";

afterAll(removeScratch);

let child: RuntimeChild;
afterEach(() => child.kill());

async function startFake() {
  child = await startChild({
    python: "python3",
    dir: scratch,
    env: testEnvironment,
    entry: fakeEntry(),
    maxLineBytes: 1_000_000,
  });
  return child;
}

describe("a runtime that does not keep to the protocol is killed, and the run is lost", () => {
  it.each([
    ["garbage", "does not speak the protocol"],
    ["unknown_message", "does not speak the protocol"],
    ["endless_line", "a line is longer than 1000000 bytes"],
    ["gap", "sent event 2 in place of 1"],
    ["other_run", "of another run"],
    ["miscounted", "told of 3 events and sent 1"],
    ["fault", "no such thing"],
  ])("%s", async (pipeline, message) => {
    const ended = await run(await startFake(), runRequest(pipeline), watched().options);
    expect(ended.error).toMatchObject({ kind: "WORKER_LOST", message: expect.stringContaining(message) });
    expect(ended).toMatchObject({ outcome: "failed", reusable: false, process: null });
    expect(isAlive(child.pid)).toBe(false);
  });

  it("also when it speaks after the end", async () => {
    const ended = await run(await startFake(), runRequest("chatty_afterwards"), watched().options);
    expect(ended.outcome).toBe("succeeded");
    expect(await child.exited).toMatchObject({ fault: expect.stringMatching(/after the end|without being asked/) });
  });
});

describe("run", () => {
  it("hands over what came before the fault", async () => {
    const { seen, options } = watched();
    const ended = await run(await startFake(), runRequest("garbage"), options);
    expect(seen).toHaveLength(1);
    expect(ended).toMatchObject({ events: 1, nodeStarted: true, error: { node: "n" } });
  });

  it("is for one pipeline at a time", async () => {
    const busy = run(await startFake(), runRequest("no_answer"), watched().options);
    await expect(run(child, runRequest("ordinary"), watched().options)).rejects.toThrow("one thing at a time");
    child.kill();
    expect((await busy).error?.kind).toBe("WORKER_LOST");
  });

  it("does not begin when it was stopped before", async () => {
    const stopped = AbortSignal.abort(new StopRequest("changed my mind"));
    const ended = await run(await startFake(), runRequest("ordinary"), watched({ signal: stopped }).options);
    expect(ended).toMatchObject({
      events: 0,
      reusable: true,
      error: { kind: "CANCELLED", message: "changed my mind" },
    });
    expect((await run(child, runRequest("ordinary"), watched().options)).outcome).toBe("succeeded");
  });

  it("kills the process at once when what it does is no longer wanted", async () => {
    const stop = new AbortController();
    const busy = run(await startFake(), runRequest("no_answer"), watched({ signal: stop.signal }).options);
    stop.abort(new StopRequest("another worker has it", { now: true }));
    expect((await busy).error).toMatchObject({ kind: "CANCELLED" });
    expect(isAlive(child.pid)).toBe(false);
  });

  it("throws what its consumer throws, and leaves no run behind", async () => {
    const onEvents = () => Promise.reject(new Error("the database says no"));
    await expect(run(await startFake(), runRequest("ordinary"), watched({ onEvents }).options)).rejects.toThrow(
      "says no",
    );
    expect((await child.exited).signal).toBe("SIGKILL");
  });

  it("never waits for a slow consumer: what does not fit into memory goes to a file, in order, and nothing is lost", async () => {
    const gate = Promise.withResolvers<void>();
    const { seen, options } = watched({ queue: { spoolDir: scratch, memoryBytes: 20_000 } });
    const slow = async (batch: typeof seen) => {
      await gate.promise;
      options.onEvents(batch);
    };
    const running = run(await startFake(), runRequest("flood"), { ...options, onEvents: slow });
    // The process leaves only after it has written everything, which nobody has taken yet.
    expect(await child.shutdown(20_000)).toMatchObject({ code: 0 });
    expect(seen).toHaveLength(0);
    gate.resolve();
    expect(await running).toMatchObject({ outcome: "succeeded", events: 10_010 });
    expect(seen.map(({ seq }) => seq)).toEqual(Array.from({ length: 10_010 }, (_, i) => i + 1));
  });

  it("has not timed out when only its consumer was slow", async () => {
    const onEvents = () => delay(1200);
    const ended = await run(await startFake(), runRequest("ordinary"), watched({ onEvents, timeoutMs: 1000 }).options);
    expect(ended).toMatchObject({ outcome: "succeeded", reusable: true });
    expect(child.exit).toBeNull();
  });

  it("leaves out log lines, counted, and no node, when the file grows too large as well", async () => {
    const gate = Promise.withResolvers<void>();
    const { seen, options } = watched({ queue: { spoolDir: scratch, memoryBytes: 20_000, spoolBytes: 50_000 } });
    const slow = async (batch: typeof seen) => {
      await gate.promise;
      options.onEvents(batch);
    };
    const running = run(await startFake(), runRequest("flood"), { ...options, onEvents: slow });
    await child.shutdown(20_000);
    gate.resolve();
    await running;
    const of = (name: string) => seen.filter(({ body }) => body.event === name);
    const dropped = of("log.dropped").reduce(
      (sum, { body }) => sum + (body.event === "log.dropped" ? body.data.lines : 0),
      0,
    );
    expect(of("node.started")).toHaveLength(10);
    expect(dropped).toBeGreaterThan(5000);
    expect(of("log").length + dropped).toBe(10_000);
    expect(seen.every(({ seq }, i) => i === 0 || seq > seen[i - 1]!.seq)).toBe(true);
  });

  it("keeps running when there is no disk to spool to: only log lines are left out", async () => {
    const gate = Promise.withResolvers<void>();
    const { seen, options } = watched({
      queue: { spoolDir: join(import.meta.filename, "nothing"), memoryBytes: 20_000 },
    });
    const slow = async (batch: typeof seen) => {
      await gate.promise;
      options.onEvents(batch);
    };
    const running = run(await startFake(), runRequest("flood"), { ...options, onEvents: slow });
    await child.shutdown(20_000);
    gate.resolve();
    await running;
    expect(seen.filter(({ body }) => body.event === "node.started")).toHaveLength(10);
    expect(seen.some(({ body }) => body.event === "log.dropped")).toBe(true);
  });
});
