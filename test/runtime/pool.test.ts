import { afterAll, afterEach, describe, expect, it } from "vitest";
import type { RuntimeProject } from "../../src/runtime/member.ts";
import { openRuntimes, type Runtimes, type RuntimesOptions } from "../../src/runtime/pool.ts";
import { StopRequest } from "../../src/runtime/stop.ts";
import {
  fakeEntry,
  isAlive,
  removeScratch,
  runRequest,
  scratch,
  testEnvironment,
  until,
  watched,
} from "../support/runtimes.ts";

afterAll(removeScratch);

let runtimes: Runtimes;
let logged: string[] = [];
afterEach(() => runtimes.close(100));

function project(name: string, change: Partial<RuntimeProject> = {}): RuntimeProject {
  return { name, dir: scratch, python: { path: "python3" }, environment: () => testEnvironment, ...change };
}

function open(options: Partial<RuntimesOptions> = {}): Runtimes {
  logged = [];
  runtimes = openRuntimes({
    projects: [project("a")],
    slots: 1,
    child: { entry: fakeEntry() },
    log: (message, data) => logged.push(`${message}: ${data.reason ?? data.how ?? data.error}`),
    ...options,
  });
  return runtimes;
}

const run = (pipeline = "ordinary", options: { fresh?: boolean; signal?: AbortSignal } = {}) =>
  runtimes.run("a", runRequest(pipeline), { ...watched().options, ...options });
const pids = (state: string, of = "a") =>
  runtimes.status().flatMap((one) => (one.state === state && one.project === of ? [one.pid] : []));
const spare = () => until(() => pids("idle").length === 1, "a spare is ready");

describe("a runtime", () => {
  it("is ready before it is needed, and used again", async () => {
    open({ maxRuntimes: 1 });
    await spare();
    const [pid] = pids("idle");
    for (let i = 1; i <= 3; i += 1) {
      expect((await run()).outcome).toBe("succeeded");
      expect(runtimes.status()).toMatchObject([{ pid, state: "idle", runs: i }]);
    }
  });

  it("runs one thing at a time", async () => {
    open({ slots: 2 });
    await using one = await runtimes.acquire("a");
    await using other = await runtimes.acquire("a");
    expect(other.child.pid).not.toBe(one.child.pid);
  });

  it("is the latest used one of several", async () => {
    open({ slots: 2, spares: 2 });
    await until(() => pids("idle").length === 2, "both are ready");
    await run();
    const used = runtimes.status().find(({ runs }) => runs === 1);
    await run();
    expect(runtimes.status().find(({ runs }) => runs === 2)?.pid).toBe(used?.pid);
  });

  it("is one that earlier runs have left little in, when a run may hold only so much", async () => {
    open({ maxRuntimes: 1 });
    const source = "conf/project.yml: job_queue.job_defaults";
    const within = (most: number) =>
      runtimes.run("a", runRequest("ordinary"), {
        ...watched().options,
        limits: { memory: { most, source }, cpu: null },
      });
    // What the first run imports every run needs: only what comes on top is left behind.
    await run();
    await run("hoards");
    const [pid] = pids("idle");
    await within(2e9);
    expect(pids("idle")).toEqual([pid]);
    expect((await within(600e6)).outcome).toBe("succeeded");
    expect(pids("idle")).not.toContain(pid);
  });

  it("is waited for when there is room for no more", async () => {
    open({ maxRuntimes: 1 });
    const first = await runtimes.acquire("a");
    const second = runtimes.acquire("a");
    expect(await Promise.race([second, "waits"])).toBe("waits");
    first.ended({ ...(await run("ordinary", { signal: AbortSignal.abort() })), reusable: true });
    await first[Symbol.asyncDispose]();
    await using lease = await second;
    expect(lease.child.pid).toBe(first.child.pid);
  });
});

describe("takeSpare", () => {
  it("gives one that has run nothing for good, and another one takes its place", async () => {
    open({ maxRuntimes: 1 });
    await spare();
    const taken = runtimes.takeSpare("a");
    expect(taken?.exit).toBeNull();
    await until(() => pids("idle").length === 1 && pids("idle")[0] !== taken?.pid, "another one is ready");
    taken?.kill();
    await taken?.exited;
    expect((await run()).outcome).toBe("succeeded");
    expect(logged).toEqual([]);
  });

  it("gives none that has run something, has another environment, or is of an unknown project", async () => {
    let value = "1";
    open({ projects: [project("a", { environment: () => ({ ...testEnvironment, VALUE: value }) })], maxRuntimes: 1 });
    expect(runtimes.takeSpare("a")).toBeNull();
    await spare();
    value = "2";
    expect(runtimes.takeSpare("a")).toBeNull();
    await run();
    expect(runtimes.takeSpare("a")).toBeNull();
    expect(runtimes.takeSpare("b")).toBeNull();
  });
});

describe("a runtime is replaced", () => {
  it.each<[string, string, Partial<RuntimesOptions>, { fresh?: boolean }]>([
    ["it has run 1 times", "ordinary", { limits: { runs: 1 } }, {}],
    ["it holds 1000000 MB", "grows", {}, {}],
    ["its last run left threads behind: uploader", "leaves_a_thread", {}, {}],
    ["the pipeline asks for a fresh one each time", "ordinary", {}, { fresh: true }],
    ["it was idle for long", "ordinary", { limits: { idleMs: 100 } }, {}],
  ])("because %s", async (reason, pipeline, options, how) => {
    open({ maxRuntimes: 1, ...options });
    await spare();
    const [before] = pids("idle");
    await run(pipeline, how);
    await until(() => pids("idle").some((pid) => pid !== before), "another one is ready");
    expect(logged).toEqual([`runtime replaced: ${reason}`]);
    expect(isAlive(before!)).toBe(false);
    expect(runtimes.status()).toMatchObject([{ runs: 0 }]);
  });

  it("because its environment has changed", async () => {
    let envFile = "1";
    open({
      maxRuntimes: 1,
      projects: [project("a", { environment: () => ({ ...testEnvironment, FROM_FILE: envFile }) })],
    });
    await spare();
    const [before] = pids("idle");
    envFile = "2";
    await run();
    expect(pids("idle")).not.toEqual([before]);
    expect(logged).toEqual(["runtime replaced: its environment has changed"]);
  });

  it("because a run of it was ended by force: a spare takes over at once", async () => {
    open();
    const stop = new AbortController();
    await spare();
    const running = run("no_answer", { signal: stop.signal });
    await spare();
    const [ready] = pids("idle");
    stop.abort(new StopRequest("enough", { now: true }));
    expect((await running).error?.kind).toBe("CANCELLED");
    await using lease = await runtimes.acquire("a");
    expect(lease.child.pid).toBe(ready);
  });

  it("because it has died, idle or not", async () => {
    open();
    await run();
    const [pid] = pids("idle");
    process.kill(pid!, "SIGKILL");
    await until(() => logged.length > 0, "its end is noticed");
    await until(() => pids("idle").some((other) => other !== pid), "another one is ready");
    expect(logged).toEqual(["runtime lost: was killed by SIGKILL (out of memory?)"]);
  });

  it("by that of another project when there is no room for both: the one that was not needed for longest goes", async () => {
    open({ projects: [project("a"), project("b"), project("c")], slots: 1, spares: 0, maxRuntimes: 2 });
    await run();
    await runtimes.run("b", runRequest("ordinary"), watched().options);
    await runtimes.run("c", runRequest("ordinary"), watched().options);
    expect(runtimes.status().map((one) => one.project)).toEqual(["b", "c"]);
  });
});

it("never has more processes than it may", async () => {
  open({ projects: [project("a"), project("b")], slots: 3, maxRuntimes: 3 });
  let most = 0;
  const watch = setInterval(() => {
    most = Math.max(most, runtimes.status().length);
  }, 1);
  const names = Array.from({ length: 12 }, (_, i) => (i % 2 === 0 ? "a" : "b"));
  const ended = await Promise.all(names.map((name) => runtimes.run(name, runRequest("ordinary"), watched().options)));
  clearInterval(watch);
  expect(ended.every(({ outcome }) => outcome === "succeeded")).toBe(true);
  expect(most).toBe(3);
});

describe("a project whose Python does not start", () => {
  it("is told in the run's end, and not tried again by itself", async () => {
    open({ child: { entry: fakeEntry("unready") } });
    const first = await run();
    expect(first.error).toMatchObject({
      kind: "INVALID",
      message: expect.stringContaining("FlowerPower is not installed"),
    });
    await expect(runtimes.acquire("a")).rejects.toMatchObject({ code: "FLOWERPOWER_MISSING" });
    expect(runtimes.status()).toEqual([]);
  });

  it("may do so the next time when it has died", async () => {
    open({ child: { entry: fakeEntry("dies") } });
    expect((await run()).error).toMatchObject({ kind: "WORKER_LOST" });
  });

  it("is unknown when nobody has named it", async () => {
    await expect(open().acquire("nobody")).rejects.toMatchObject({ code: "NOT_FOUND" });
  });
});

it("lets go of who does not want to wait any longer", async () => {
  open({ maxRuntimes: 1 });
  const lease = await runtimes.acquire("a");
  const stop = new AbortController();
  const waiting = run("ordinary", { signal: stop.signal });
  stop.abort(new StopRequest("changed my mind"));
  expect((await waiting).error).toMatchObject({ kind: "CANCELLED", message: "changed my mind" });
  await lease[Symbol.asyncDispose]();
  expect((await run()).outcome).toBe("succeeded");
});

describe("close", () => {
  it("ends idle ones by themselves, kills busy ones after the grace, and turns away who waits", async () => {
    open({ slots: 1, maxRuntimes: 2 });
    await spare();
    const busy = run("no_answer");
    await spare();
    const all = runtimes.status().map(({ pid }) => pid!);
    await using _third = await runtimes.acquire("a");
    const waiting = runtimes.acquire("a");
    const refused = expect(waiting).rejects.toThrow("The worker stops.");
    await runtimes.close(100);
    await refused;
    expect((await busy).error?.kind).toBe("WORKER_LOST");
    expect(all.map(isAlive)).toEqual([false, false]);
    expect(runtimes.status()).toEqual([]);
    await expect(runtimes.acquire("a")).rejects.toThrow("The worker stops.");
  });

  it("does not wait for one that is still starting", async () => {
    open({ child: { entry: fakeEntry("never") } });
    await until(() => pids("starting").length === 1, "one starts");
    const began = performance.now();
    await runtimes.close();
    expect(performance.now() - began).toBeLessThan(1500);
  });
});
