import { describe, expect, it } from "vitest";
import { noRetry, type RetryPolicy, retries, retryDelayMs } from "../../src/domain/retry.ts";

const hourMs = 3_600_000;
const policy = (given: Partial<RetryPolicy>): RetryPolicy => ({ ...noRetry, maxAttempts: 5, jitter: 0, ...given });

describe("retryDelayMs", () => {
  it.each([
    [1, 1000],
    [2, 2000],
    [3, 4000],
    [11, 1_024_000],
    [12, 2_048_000],
    [13, hourMs],
    [1000, hourMs],
    [100_000, hourMs],
  ])("after %i failures is %i ms", (failures, delayMs) => {
    expect(retryDelayMs(failures, policy({ delayMs: 1000 }))).toBe(delayMs);
  });

  it("is never shorter than the policy's own delay", () => {
    expect(retryDelayMs(1, policy({ delayMs: 5 * hourMs }))).toBe(5 * hourMs);
    expect(retryDelayMs(9, policy({ delayMs: 5 * hourMs }))).toBe(5 * hourMs);
  });

  it("is lengthened by the jitter, never shortened", () => {
    const jittered = policy({ delayMs: 1000, jitter: 0.5 });
    expect(retryDelayMs(2, jittered, () => 0)).toBe(2000);
    expect(retryDelayMs(2, jittered, () => 0.5)).toBe(2500);
    expect(retryDelayMs(2, jittered, () => 0.999_999)).toBe(3000);
  });

  it("stays as it is when it is fixed", () => {
    expect(retryDelayMs(9, policy({ delayMs: 1000, backoff: "fixed" }))).toBe(1000);
  });

  it("is taken from a list, the last one for all that follow", () => {
    const listed = policy({ delayMs: 1, delaysMs: [10, 60_000, 0] });
    expect([1, 2, 3, 4, 50].map((failures) => retryDelayMs(failures, listed))).toEqual([10, 60_000, 0, 0, 0]);
  });

  it("is never longer than its cap, jitter included", () => {
    const capped = { maxDelayMs: 1500, jitter: 1 };
    expect(retryDelayMs(1, policy({ ...capped, delayMs: 1000 }), () => 0.2)).toBe(1200);
    expect(retryDelayMs(1, policy({ ...capped, delayMs: 1000 }), () => 0.9)).toBe(1500);
    expect(retryDelayMs(4, policy({ ...capped, delaysMs: [9000] }))).toBe(1500);
  });

  it("may be nothing", () => {
    expect(retryDelayMs(7, policy({ delayMs: 0, jitter: 1 }))).toBe(0);
  });
});

describe("retries", () => {
  const key = ["builtins.KeyError", "builtins.LookupError", "builtins.Exception", "builtins.BaseException"];
  const module = ["builtins.ModuleNotFoundError", "builtins.ImportError", "builtins.Exception"];
  const memory = ["builtins.MemoryError", "builtins.Exception"];
  const http = ["requests.exceptions.Timeout", "requests.exceptions.RequestException", "builtins.Exception"];

  it.each<[string, RetryPolicy["exceptions"], string[], boolean]>([
    ["any exception", null, key, true],
    ["any exception but one that is hopeless", null, module, false],
    ["any exception but running out of memory", null, memory, false],
    ["Exception, which says no more than any", ["Exception"], key, true],
    ["Exception, which names no hopeless one", ["Exception"], module, false],
    ["BaseException beside another name", ["ValueError", "BaseException"], key, true],
    ["a name", ["KeyError"], key, true],
    ["a base class", ["LookupError"], key, true],
    ["another name", ["ValueError"], key, false],
    ["nothing", [], key, false],
    ["a hopeless one that is named", ["ImportError"], module, true],
    ["a hopeless one named beside Exception", ["Exception", "MemoryError"], memory, true],
    ["a class of a library by its bare name", ["Timeout"], http, true],
    ["a class of a library by its full name", ["requests.exceptions.Timeout"], http, true],
    ["a class of that name elsewhere", ["httpx.Timeout"], http, false],
    ["a part of a name", ["exceptions.Timeout"], http, false],
    ["a name in other letters", ["keyerror"], key, false],
  ])("covers %s", (_what, exceptions, classes, covered) => {
    expect(retries(policy({ exceptions }), { kind: "PIPELINE", classes })).toBe(covered);
  });

  it("never covers what is named so, by its class or a base, whatever else is named", () => {
    const never = policy({ exceptions: ["KeyError", "Exception"], never: ["LookupError"] });
    expect(retries(never, { kind: "PIPELINE", classes: key })).toBe(false);
    expect(retries(never, { kind: "PIPELINE", classes: http })).toBe(true);
  });

  it("covers a timeout, which has no class, when it covers any exception", () => {
    expect(retries(policy({}), { kind: "TIMEOUT", classes: [] })).toBe(true);
    expect(retries(policy({ exceptions: ["Exception"] }), { kind: "TIMEOUT", classes: [] })).toBe(true);
    expect(retries(policy({ exceptions: ["KeyError"] }), { kind: "TIMEOUT", classes: [] })).toBe(false);
  });

  it.each(["INVALID", "CANCELLED"] as const)("never covers %s, whatever is named", (kind) => {
    expect(retries(policy({ exceptions: ["KeyError", "Exception"] }), { kind, classes: key })).toBe(false);
  });
});
