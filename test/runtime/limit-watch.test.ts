import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Exceeded, RunLimits } from "../../src/domain/run-limits.ts";
import { LimitWatch, limitLookMs } from "../../src/runtime/limit-watch.ts";
import type { ProcessUsage } from "../../src/runtime/process-group.ts";

beforeEach(() => vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] }));
afterEach(() => vi.useRealTimers());

const source = "conf/project.yml: job_queue.job_defaults";
const memory = (most: number): RunLimits => ({ memory: { most, source }, cpu: null });
const cpu = (most: number): RunLimits => ({ memory: null, cpu: { most, source } });
const leader: ProcessUsage = { pid: 1, residentBytes: 250e6, cpuMs: 9000, ageMs: 60_000 };

/** Watches processes that the test sets, and collects what is said. */
function watching(limits: RunLimits, { first = leader as ProcessUsage | null, shared = null as number | null } = {}) {
  const said: Exceeded[] = [];
  const seen = { looks: 0, closeLooks: 0, processes: [leader] };
  const watch = new LimitWatch(
    1,
    limits,
    (exceeded) => said.push(exceeded),
    () => {},
    () => ({
      leader: () => first,
      processes: async () => {
        seen.looks += 1;
        return seen.processes;
      },
      withoutSharedTwice: async () => {
        seen.closeLooks += 1;
        return shared;
      },
    }),
  );
  return { said, seen, watch };
}

const look = () => vi.advanceTimersByTimeAsync(limitLookMs);

it("does not look at a run without limits", async () => {
  const { seen } = watching({ memory: null, cpu: null });
  await vi.advanceTimersByTimeAsync(10_000);
  expect(seen.looks).toBe(0);
});

it("looks again and again until a run is beyond its limit, says that once, and no more after the end", async () => {
  const { said, seen, watch } = watching(memory(1e9));
  await look();
  await look();
  expect([seen.looks, said]).toEqual([2, []]);
  seen.processes = [{ ...leader, residentBytes: 1.1e9 }];
  await look();
  await look();
  expect([seen.looks, said]).toMatchObject([3, [{ resource: "memory", used: 1.1e9, limit: { most: 1e9 } }]]);
  watch[Symbol.dispose]();

  const ended = watching(memory(1e9));
  ended.watch[Symbol.dispose]();
  ended.seen.processes = [{ ...leader, residentBytes: 1.1e9 }];
  await look();
  expect([ended.seen.looks, ended.said]).toEqual([0, []]);
});

it("counts the processor time of all processes since the run began", async () => {
  const { said, seen } = watching(cpu(1000));
  seen.processes = [
    { ...leader, cpuMs: 9300 },
    { ...leader, pid: 2, cpuMs: 600, ageMs: 50 },
  ];
  await look();
  expect(said).toEqual([]);
  seen.processes = [
    { ...leader, cpuMs: 9400 },
    { ...leader, pid: 2, cpuMs: 650, ageMs: 150 },
  ];
  await look();
  expect(said).toMatchObject([{ resource: "cpu", used: 1050 }]);
});

it("does not count what an earlier run has left behind had used before", async () => {
  const { said, seen } = watching(cpu(1000));
  seen.processes = [leader, { ...leader, pid: 2, cpuMs: 50_000, ageMs: 30_000 }];
  await look();
  // It has ended, and its time is that of its parent now.
  seen.processes = [{ ...leader, cpuMs: 59_100 }];
  await look();
  expect(said).toEqual([]);
});

it("takes the first look at once where the system does not answer at once", async () => {
  const { said, seen } = watching(cpu(1000), { first: null });
  await vi.advanceTimersByTimeAsync(0);
  expect(seen.looks).toBe(1);
  seen.processes = [{ ...leader, cpuMs: 10_100 }];
  await look();
  expect(said).toMatchObject([{ used: 1100 }]);
});

it("counts memory that processes share once, and looks that closely only when it matters", async () => {
  const many = [1, 2, 3, 4].map((pid) => ({ ...leader, pid }));
  const within = watching(memory(900e6), { shared: 400e6 });
  await look();
  expect(within.seen.closeLooks).toBe(0);
  within.seen.processes = many;
  await look();
  expect([within.seen.closeLooks, within.said]).toEqual([1, []]);

  const beyond = watching(memory(900e6), { shared: 950e6 });
  beyond.seen.processes = many;
  await look();
  expect(beyond.said).toMatchObject([{ used: 950e6 }]);
});

it("says once that nothing can be seen, and looks again all the same", async () => {
  const unseen: unknown[] = [];
  const said: unknown[] = [];
  let looks = 0;
  new LimitWatch(
    1,
    memory(1e9),
    (exceeded) => said.push(exceeded),
    (error) => unseen.push(error),
    () => ({
      leader: () => leader,
      processes: () => {
        looks += 1;
        return looks < 3 ? Promise.reject(new Error("no ps")) : Promise.resolve([{ ...leader, residentBytes: 2e9 }]);
      },
      withoutSharedTwice: async () => null,
    }),
  );
  for (let i = 0; i < 3; i += 1) await look();
  expect(unseen).toEqual([new Error("no ps")]);
  expect(said).toMatchObject([{ resource: "memory", used: 2e9 }]);
});
