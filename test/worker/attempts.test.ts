import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Database } from "../../src/db/client.ts";
import { noRetry } from "../../src/domain/retry.ts";
import type { RunEnded } from "../../src/runtime/run.ts";
import { noError } from "../../src/runtime/run-error.ts";
import { Attempts, type Execute } from "../../src/worker/attempts.ts";
import type { End, Start, Started } from "../../src/worker/writes.ts";

const jobId = "01890a5d-ac96-774b-bcce-b302099a8057";
const ended: RunEnded = {
  outcome: "succeeded",
  error: null,
  results: {},
  retry: null,
  events: 0,
  nodeStarted: true,
  process: null,
  reusable: true,
};

// Only the clock by which strays are counted: everything else goes by promises.
beforeEach(() => void vi.useFakeTimers({ toFake: ["performance"] }));
afterEach(() => void vi.useRealTimers());

/** Attempts over writes that the test answers, and a run that it ends. */
function attempts(execute: Execute = async () => ended) {
  const starts: { start: Start; answer: ReturnType<typeof Promise.withResolvers<Started | null>> }[] = [];
  const ends: End[] = [];
  const givenBack: string[][] = [];
  const executed: string[] = [];
  const one = new Attempts({
    db: { ids: { next: () => jobId }, now: () => Date.now() } as Database,
    writes: {
      start(start) {
        const answer = Promise.withResolvers<Started | null>();
        starts.push({ start, answer });
        return answer.promise;
      },
      append: async () => {},
      end: async (end) => {
        ends.push(end);
        return "succeeded";
      },
    },
    async execute(started, hooks) {
      executed.push(started.jobId);
      return await execute(started, hooks);
    },
    policyOf: async () => noRetry,
    workerId: () => jobId,
    async giveBack(runTokens) {
      givenBack.push(runTokens);
    },
    log() {},
    pause: async () => {},
  });
  return { one, starts, ends, givenBack, executed };
}

function startedOf({ id, attempt, runToken }: Start): Started {
  return {
    jobId: id,
    attempt: attempt + 1,
    runToken,
    project: "bikes",
    pipeline: "daily",
    queue: "default",
    runAt: "2026-11-23T10:00:00.000Z",
    inputs: {},
    finalVars: null,
    config: {},
    options: {},
    retry: null,
    timeoutMs: null,
    plan: null,
    failures: 0,
    losses: 0,
    maxLosses: 3,
    onWorkerLost: "retry",
    given: null,
  };
}

const held = ({ runToken }: Start) => ({ jobId, attempt: 1, runToken, cancelRequested: false, cancelReason: null });

describe("Attempts", () => {
  it("asks again for a start whose answer was lost, with the same token, and runs it once", async () => {
    const { one, starts, executed, ends } = attempts();
    const taken = one.take({ job: jobId, attempt: 1 });
    starts[0]?.answer.reject(Object.assign(new Error("gone"), { code: "CONNECTION_CLOSED" }));
    await vi.waitFor(() => expect(starts).toHaveLength(2));
    expect(starts[1]?.start.runToken).toBe(starts[0]?.start.runToken);
    starts[1]?.answer.resolve(startedOf(starts[1].start));
    await taken;
    expect(executed).toEqual([jobId]);
    expect(ends.map(({ name }) => name)).toEqual(["succeed"]);
  });

  it("does not run an attempt whose start is answered after it was given back", async () => {
    const { one, starts, executed, givenBack, ends } = attempts();
    const taken = one.take({ job: jobId, attempt: 1 });
    const { start, answer } = starts[0] as (typeof starts)[number];
    one.reconcile([held(start)], performance.now());
    expect(givenBack).toEqual([]);
    vi.advanceTimersByTime(6000);
    one.reconcile([held(start)], performance.now());
    expect(givenBack).toEqual([[start.runToken]]);
    answer.resolve(startedOf(start));
    await taken;
    expect([executed, ends]).toEqual([[], []]);
  });

  it("is idle only when no start is open either, and hands back what starts after all were told to stop", async () => {
    const stopped: RunEnded = {
      ...ended,
      outcome: "failed",
      nodeStarted: false,
      error: { ...noError, kind: "CANCELLED", type: "Cancelled", message: "the worker stops" },
    };
    const { one, starts, ends } = attempts(async (_started, { signal }) => (signal.aborted ? stopped : ended));
    const taken = one.take({ job: jobId, attempt: 1 });
    let isIdle = false;
    const idle = one.idle().then(() => {
      isIdle = true;
    });
    one.releaseAll();
    await new Promise((resolve) => setImmediate(resolve));
    expect([isIdle, one.size]).toEqual([false, 1]);
    const { start, answer } = starts[0] as (typeof starts)[number];
    answer.resolve(startedOf(start));
    await Promise.all([taken, idle]);
    expect(ends.map(({ name }) => name)).toEqual(["release"]);
  });

  it("writes the last words of a crashed process so that Postgres can store them", async () => {
    const words = "Fatal: \u0000 \ud800";
    const crashed: RunEnded = {
      ...ended,
      outcome: "failed",
      error: { ...noError, kind: "WORKER_LOST", type: "RuntimeLost", message: "gone", traceback: words },
    };
    const { one, starts, ends } = attempts(async () => crashed);
    const taken = one.take({ job: jobId, attempt: 1 });
    const { start, answer } = starts[0] as (typeof starts)[number];
    answer.resolve(startedOf(start));
    await taken;
    expect(ends[0]?.move.error?.traceback).toBe("Fatal: \ufffd \ufffd");
  });
});
