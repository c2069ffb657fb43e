import { expect, it } from "vitest";
import { retries } from "../../src/domain/retry.ts";
import { cpuText, exceededBy, memoryText, noRunLimits } from "../../src/domain/run-limits.ts";
import { errorOfLimit } from "../../src/runtime/limit-error.ts";

const memory = { most: 2e9, source: "conf/project.yml: job_queue.job_defaults" };
const cpu = { most: 60_000, source: "conf/pipelines/daily.yml: job_queue.job_defaults" };

it.each([
  ["nothing is limited", noRunLimits, { memoryBytes: 1e12, cpuMs: 1e9 }, null],
  ["it stays within", { memory, cpu }, { memoryBytes: 2e9, cpuMs: 60_000 }, null],
  ["it holds too much", { memory, cpu: null }, { memoryBytes: 2e9 + 1, cpuMs: 1e9 }, "memory"],
  ["it computes too much", { memory, cpu }, { memoryBytes: 1, cpuMs: 60_010 }, "cpu"],
  ["both: memory, which harms others first", { memory, cpu }, { memoryBytes: 3e9, cpuMs: 70_000 }, "memory"],
] as const)("says which limit a run is beyond: %s", (_what, limits, used, resource) => {
  expect(exceededBy(limits, used)?.resource ?? null).toBe(resource);
});

it("tells amounts so exactly that a limit differs from what is just beyond it", () => {
  expect([64e6, 512e6, 2e9, 2.07e9, 2 * 1024 ** 3].map(memoryText)).toEqual([
    "64 MB",
    "512 MB",
    "2 GB",
    "2.07 GB",
    "2.15 GB",
  ]);
  expect([500, 60_000, 61_230].map(cpuText)).toEqual(["0.5 s", "60 s", "61.23 s"]);
});

it("tells limit, use, nodes and where to raise it", () => {
  expect(errorOfLimit({ resource: "memory", limit: memory, used: 2.31e9 }, ["joined"])).toMatchObject({
    message: "The run held 2.31 GB of memory in node joined, more than its limit of 2 GB.",
    hint: "Raise max_memory in conf/project.yml: job_queue.job_defaults, or hold less at a time.",
  });
  expect(errorOfLimit({ resource: "cpu", limit: cpu, used: 60_100 }, ["a", "b"])).toMatchObject({
    message: "The run used 60.1 s of processor time in the nodes a, b, more than its limit of 60 s.",
    hint: "Raise max_cpu in conf/pipelines/daily.yml: job_queue.job_defaults, or compute less.",
  });
});

it("is tried again as a MemoryError is: only when it is named; as any exception when it was the processor", () => {
  const policy = (exceptions: string[] | null) => ({ maxAttempts: 3, delayMs: 1, jitter: 0, exceptions });
  const tooMuchHeld = errorOfLimit({ resource: "memory", limit: memory, used: 3e9 }, []);
  const tooMuchUsed = errorOfLimit({ resource: "cpu", limit: cpu, used: 70_000 }, []);
  const asked = [null, ["Exception"], ["MemoryError"], ["MemoryLimitExceeded"], ["CpuLimitExceeded"]].map(policy);
  expect(asked.map((one) => retries(one, tooMuchHeld))).toEqual([false, false, true, true, false]);
  expect(asked.map((one) => retries(one, tooMuchUsed))).toEqual([true, true, false, false, true]);
});
