import { describe, expect, it } from "vitest";
import { attemptEnds, transitions } from "../../src/domain/lifecycle.ts";
import { type Counters, type Ended, errorKinds, type Outcome, outcomeOf } from "../../src/domain/outcome.ts";
import { noRetry, type RetryPolicy } from "../../src/domain/retry.ts";

const policy = { ...noRetry, maxAttempts: 3, delayMs: 1000, jitter: 0 };
const job = (given: Partial<Counters> = {}): Counters => ({
  failures: 0,
  losses: 0,
  maxLosses: 3,
  onWorkerLost: "retry",
  ...given,
});
const failed = (kind: (typeof errorKinds)[number], classes: string[] = ["builtins.KeyError"]): Ended => ({
  outcome: "failed",
  kind,
  classes,
});

describe("outcomeOf", () => {
  it.each<[string, Ended, Partial<Counters>, Outcome]>([
    [
      "succeeds whatever came before",
      { outcome: "succeeded" },
      { failures: 2, losses: 2 },
      { transition: "succeed", failures: 2, losses: 2, delayMs: 0 },
    ],
    ["is tried again", failed("PIPELINE"), {}, { transition: "retry", failures: 1, losses: 0, delayMs: 1000 }],
    [
      "waits longer each time",
      failed("PIPELINE"),
      { failures: 1, losses: 2 },
      { transition: "retry", failures: 2, losses: 2, delayMs: 2000 },
    ],
    [
      "fails when all tries are used up",
      failed("PIPELINE"),
      { failures: 2 },
      { transition: "fail", failures: 3, losses: 0, delayMs: 0 },
    ],
    [
      "is tried again after a timeout",
      failed("TIMEOUT", []),
      {},
      { transition: "retry", failures: 1, losses: 0, delayMs: 1000 },
    ],
    ["fails when it is invalid", failed("INVALID"), {}, { transition: "fail", failures: 1, losses: 0, delayMs: 0 }],
    [
      "fails at once when another try would not help",
      failed("PIPELINE", ["builtins.ImportError"]),
      {},
      { transition: "fail", failures: 1, losses: 0, delayMs: 0 },
    ],
    [
      "is stopped, uncounted, when it was cancelled",
      failed("CANCELLED"),
      { failures: 2 },
      { transition: "stop", failures: 2, losses: 0, delayMs: 0 },
    ],
    [
      "counts a lost worker as a loss, not as a failure",
      failed("WORKER_LOST"),
      { failures: 2 },
      { transition: "rescue", failures: 2, losses: 1, delayMs: 0 },
    ],
    [
      "fails at its last allowed loss",
      failed("WORKER_LOST"),
      { losses: 2 },
      { transition: "fail", failures: 0, losses: 3, delayMs: 0 },
    ],
    [
      "fails at the first loss when nothing may run twice",
      failed("WORKER_LOST"),
      { onWorkerLost: "fail" },
      { transition: "fail", failures: 0, losses: 1, delayMs: 0 },
    ],
    [
      "is handed back uncounted",
      { outcome: "released", nodeStarted: true },
      { failures: 1, losses: 2 },
      { transition: "release", failures: 1, losses: 2, delayMs: 0 },
    ],
    [
      "is handed back when nothing has begun, even where nothing may run twice",
      { outcome: "released", nodeStarted: false },
      { onWorkerLost: "fail" },
      { transition: "release", failures: 0, losses: 0, delayMs: 0 },
    ],
    [
      "fails when it is handed back half done and nothing may run twice",
      { outcome: "released", nodeStarted: true },
      { onWorkerLost: "fail" },
      { transition: "fail", failures: 0, losses: 0, delayMs: 0 },
    ],
  ])("%s", (_fact, ended, counters, outcome) => {
    expect(outcomeOf(ended, job(counters), policy)).toEqual(outcome);
  });

  it("never tries again what nobody has asked to be tried again", () => {
    for (const kind of ["PIPELINE", "TIMEOUT", "INVALID"] as const) {
      expect(outcomeOf(failed(kind), job(), noRetry).transition).toBe("fail");
    }
  });

  it("comes to an end, however attempts go wrong", () => {
    for (const kind of errorKinds) {
      let counters = job();
      let ends = 0;
      for (let again = true; again; ends += 1) {
        const { transition, failures, losses } = outcomeOf(failed(kind), counters, policy);
        counters = { ...counters, failures, losses };
        again = transition === "retry" || transition === "rescue";
      }
      expect(ends).toBeLessThanOrEqual(3);
    }
  });
});

describe("attemptEnds", () => {
  it("are all the ways from running to somewhere else", () => {
    const fromRunning = Object.entries(transitions).filter(([, { from }]) =>
      (from as readonly string[]).includes("running"),
    );
    expect(fromRunning.map(([name]) => name).toSorted()).toEqual(attemptEnds.toSorted());
  });

  it("waits as long as the exception asks for, up to a day, when it is tried again at all", () => {
    const asks = (retryAfterMs: number): Ended => ({ outcome: "failed", kind: "PIPELINE", classes: [], retryAfterMs });
    const thrice: RetryPolicy = { ...noRetry, maxAttempts: 3, delayMs: 5000, maxDelayMs: 10 };
    expect(outcomeOf(asks(1234), job({}), thrice)).toMatchObject({ transition: "retry", delayMs: 1234 });
    expect(outcomeOf(asks(0), job({}), thrice)).toMatchObject({ transition: "retry", delayMs: 0 });
    expect(outcomeOf(asks(1e12), job({}), thrice)).toMatchObject({ transition: "retry", delayMs: 86_400_000 });
    expect(outcomeOf(asks(1234), job({ failures: 2 }), thrice)).toMatchObject({ transition: "fail", delayMs: 0 });
  });
});
