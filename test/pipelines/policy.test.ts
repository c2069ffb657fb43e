import { describe, expect, it } from "vitest";
import type { QueueDefaults } from "../../src/domain/queue-defaults.ts";
import {
  type JobSettings,
  limitsOf,
  resolveSettings,
  runLimitsOf,
  type SettingsRequest,
} from "../../src/pipelines/policy.ts";
import type { PipelineDescription, ProjectDescription, RetrySetting } from "../../src/runtime/protocol.ts";
import { pipeline, project } from "./descriptions.ts";

type Written = Partial<ProjectDescription["jobQueue"]>;
interface Said {
  request?: Partial<SettingsRequest>;
  /** `job_queue` of the pipeline's and the project's YAML. */
  pipeline?: Written;
  project?: Written;
  /** FlowerPower's own `run.retry` in the pipeline's YAML. */
  run?: PipelineDescription["retry"];
  /** What the project's YAML and the queues themselves say of the jobs in a queue. */
  queueDefaults?: ProjectDescription["queueDefaults"];
  queues?: Record<string, QueueDefaults>;
}

const nothing: SettingsRequest = {
  queue: null,
  priority: null,
  timeoutMs: null,
  retry: null,
  onWorkerLost: null,
  options: {},
};
const ofRun = "conf/pipelines/daily.yml: run.retry";
const ofPipeline = "conf/pipelines/daily.yml: job_queue.job_defaults";
const ofProject = "conf/project.yml: job_queue.job_defaults";

function settings(said: Said): JobSettings {
  const described = project();
  return resolveSettings(
    { ...nothing, ...said.request },
    {
      ...described,
      jobQueue: { ...described.jobQueue, ...said.project },
      ...(said.queueDefaults !== undefined && { queueDefaults: said.queueDefaults }),
    },
    pipeline({ jobQueue: said.pipeline ?? {}, retry: said.run ?? null }),
    said.queues,
  );
}

const run = (maxRetries: number): RetrySetting => ({
  maxRetries,
  retryDelay: 2.5,
  jitterFactor: 0.3,
  retryExceptions: ["OSError"],
});

describe("resolveSettings", () => {
  it("takes the defaults where nobody says anything", () => {
    expect(settings({})).toEqual({
      policy: { maxAttempts: 1, delayMs: 1000, jitter: 0.1, exceptions: null },
      maxLosses: 3,
      onWorkerLost: "retry",
      timeoutMs: null,
      maxMemoryBytes: null,
      maxCpuMs: null,
      queue: "default",
      priority: 50,
      ttlMs: null,
      concurrency: null,
      concurrencyKey: [],
      needs: [],
      runtime: "warm",
      results: "full",
      resultTtlMs: 604_800_000,
      logTtlMs: 604_800_000,
      failureTtlMs: null,
      reuse: "none",
      sources: {
        retry: "default",
        maxLosses: "default",
        onWorkerLost: "default",
        timeoutMs: "default",
        maxMemoryBytes: "default",
        maxCpuMs: "default",
        queue: "default",
        priority: "default",
        ttlMs: "default",
        concurrency: "default",
        concurrencyKey: "default",
        needs: "default",
        runtime: "default",
        results: "default",
        resultTtlMs: "default",
        logTtlMs: "default",
        failureTtlMs: "default",
        reuse: "default",
      },
    });
  });

  it("takes reuse from the nearest place that names it", () => {
    expect(settings({ project: { reuse: "full" } })).toMatchObject({ reuse: "full", sources: { reuse: ofProject } });
    const both = { project: { reuse: "full" }, pipeline: { reuse: "resume" } } as const;
    expect(settings(both)).toMatchObject({ reuse: "resume", sources: { reuse: ofPipeline } });
    const asked = settings({ ...both, request: { options: { reuse: "none" } } });
    expect(asked).toMatchObject({ reuse: "none", sources: { reuse: "request" } });
  });

  it.each([
    ["queue", { queue: "a" }, { queue: "b" }, { queue: "c" }, ["a", "b", "c"]],
    ["timeoutMs", { timeoutMs: 1 }, { timeoutMs: 2 }, { timeoutMs: 3 }, [1, 2, 3]],
    [
      "onWorkerLost",
      { onWorkerLost: "fail" },
      { onWorkerLost: "retry" },
      { onWorkerLost: "fail" },
      ["fail", "retry", "fail"],
    ],
    ["runtime", { options: { runtime: "warm" } }, { runtime: "fresh" }, { runtime: "warm" }, ["warm", "fresh", "warm"]],
    [
      "concurrency",
      { options: { concurrency: { limit: 1, key: null } } },
      { concurrency: 2 },
      { concurrency: 3 },
      [1, 2, 3],
    ],
    [
      "results",
      { options: { results: "none" } },
      { results: "summary" },
      { results: "full" },
      ["none", "summary", "full"],
    ],
  ] as const)("%s: the request's, else the pipeline's, else the project's", (key, asked, own, shared, values) => {
    const all = settings({ request: asked, pipeline: own, project: shared });
    const written = settings({ pipeline: own, project: shared });
    const ofAll = settings({ project: shared });
    expect([all[key], written[key], ofAll[key]]).toEqual(values);
    expect([all.sources[key], written.sources[key], ofAll.sources[key]]).toEqual(["request", ofPipeline, ofProject]);
  });

  it("takes what a run may use from the pipeline, else from the project", () => {
    const own = { maxMemoryBytes: 2e9 };
    const shared = { maxMemoryBytes: 1e9, maxCpuMs: 60_000 };
    const given = settings({ pipeline: own, project: shared });
    expect(limitsOf(given)).toEqual({
      memory: { most: 2e9, source: ofPipeline },
      cpu: { most: 60_000, source: ofProject },
    });
    expect(limitsOf(settings({}))).toEqual({ memory: null, cpu: null });
  });

  it("reads what an older worker has published, which knows no limits", () => {
    const old = { queue: null, timeoutMs: null, retry: null, onWorkerLost: null, runtime: null, results: null };
    const described = { ...project(), jobQueue: old as unknown as ProjectDescription["jobQueue"] };
    expect(runLimitsOf(described, { ...pipeline(), jobQueue: described.jobQueue })).toEqual({
      memory: null,
      cpu: null,
    });
  });

  it("takes the priority from the request", () => {
    expect(settings({ request: { priority: 0 } })).toMatchObject({ priority: 0, sources: { priority: "request" } });
  });

  it("takes what a queue says behind the pipeline's and before the project's, the project's YAML before the queue itself", () => {
    const queues = { nightly: { priority: 4, timeoutMs: 4, ttlMs: 4, needs: ["d"], onWorkerLost: "fail" as const } };
    const own = { queue: "nightly", priority: 5, timeoutMs: 5, ttlMs: 5, needs: ["e"], onWorkerLost: "retry" as const };
    const queueDefaults = { nightly: { priority: 3, timeoutMs: 3, ttlMs: 3 } };
    const all: Said = {
      request: { priority: 1 },
      pipeline: { timeoutMs: 2 },
      queueDefaults,
      queues,
      project: own,
    };
    expect(settings(all)).toMatchObject({
      queue: "nightly",
      priority: 1,
      timeoutMs: 2,
      ttlMs: 3,
      needs: ["d"],
      onWorkerLost: "fail",
      sources: {
        queue: ofProject,
        priority: "request",
        timeoutMs: ofPipeline,
        ttlMs: "conf/project.yml: job_queue.queues.nightly",
        needs: "queue nightly",
        onWorkerLost: "queue nightly",
      },
    });
    // Another queue says nothing of its jobs.
    expect(settings({ ...all, request: { queue: "day" }, pipeline: {} })).toMatchObject({
      priority: 5,
      needs: ["e"],
      sources: { priority: ofProject, needs: ofProject },
    });
    expect(settings({ queues, request: { queue: "constructor" } })).toMatchObject({ priority: 50 });
  });
});

describe("the retry policy", () => {
  it.each<[what: string, said: Said, policy: JobSettings["policy"], source: string]>([
    [
      "FlowerPower's written retry, in our units",
      { run: run(2) },
      { maxAttempts: 3, delayMs: 2500, jitter: 0.3, exceptions: ["OSError"] },
      ofRun,
    ],
    [
      "a request stands for itself",
      { request: { retry: { maxRetries: 1 } }, run: run(2), pipeline: { retry: { retryDelay: 9 } } },
      { maxAttempts: 2, delayMs: 1000, jitter: 0.1, exceptions: null },
      "request",
    ],
    [
      "a request that says everything",
      { request: { retry: { maxRetries: 4, retryDelayMs: 5, jitterFactor: 0, retryExceptions: ["KeyError"] } } },
      { maxAttempts: 5, delayMs: 5, jitter: 0, exceptions: ["KeyError"] },
      "request",
    ],
    [
      "a request for none",
      { request: { retry: { maxRetries: 0 } }, run: run(2) },
      { maxAttempts: 1, delayMs: 1000, jitter: 0.1, exceptions: null },
      "request",
    ],
    [
      "job_queue goes over run.retry, key by key",
      { run: run(2), pipeline: { retry: { maxRetries: 7 } } },
      { maxAttempts: 8, delayMs: 2500, jitter: 0.3, exceptions: ["OSError"] },
      ofPipeline,
    ],
    [
      "the project's",
      { project: { retry: { maxRetries: 1, retryDelay: 60 } }, pipeline: { retry: { jitterFactor: 0 } } },
      { maxAttempts: 2, delayMs: 60_000, jitter: 0, exceptions: null },
      ofProject,
    ],
    [
      "all that a YAML can say",
      {
        pipeline: { retry: { delays: [1, 0.5], maxDelay: 60, nonRetryableExceptions: ["ValueError"] } },
        project: { retry: { maxRetries: 3, backoff: "fixed", retryDelay: 9, retryExceptions: ["OSError"] } },
      },
      {
        maxAttempts: 4,
        delayMs: 9000,
        jitter: 0.1,
        exceptions: ["OSError"],
        backoff: "fixed",
        delaysMs: [1000, 500],
        maxDelayMs: 60_000,
        never: ["ValueError"],
      },
      ofProject,
    ],
    [
      "a queue's, behind FlowerPower's own",
      { run: run(2), queues: { default: { retry: { maxRetries: 9, delaysMs: [5], nonRetryableExceptions: ["X"] } } } },
      { maxAttempts: 3, delayMs: 2500, jitter: 0.3, exceptions: ["OSError"], never: ["X"] },
      ofRun,
    ],
    [
      "a queue's, before the project's",
      { project: { retry: { maxRetries: 1 } }, queues: { default: { retry: { maxRetries: 9, delaysMs: [5] } } } },
      { maxAttempts: 10, delayMs: 1000, jitter: 0.1, exceptions: null, delaysMs: [5] },
      "queue default",
    ],
    [
      "a delay alone asks for no retry",
      { project: { retry: { retryDelay: 60 } } },
      { maxAttempts: 1, delayMs: 1000, jitter: 0.1, exceptions: null },
      "default",
    ],
    [
      "more than the database can count",
      { request: { retry: { maxRetries: 2 ** 31 - 1 } } },
      { maxAttempts: 2 ** 31 - 1, delayMs: 1000, jitter: 0.1, exceptions: null },
      "request",
    ],
  ])("%s", (_what, said, policy, source) => {
    const resolved = settings(said);
    expect([resolved.policy, resolved.sources.retry]).toEqual([policy, source]);
  });
});

describe("a lost worker", () => {
  it.each<[what: string, said: Said, value: "retry" | "fail", source: string]>([
    ["ends the job where a retry of 0 is asked for", { request: { retry: { maxRetries: 0 } } }, "fail", "request"],
    ["ends it where a retry of 0 is written", { run: run(0) }, "fail", ofRun],
    ["ends it where the queue says 0", { queues: { default: { retry: { maxRetries: 0 } } } }, "fail", "queue default"],
    ["ends it where the project writes 0", { project: { retry: { maxRetries: 0 } } }, "fail", ofProject],
    [
      "does not end it when the same place says so",
      { pipeline: { onWorkerLost: "retry", retry: { maxRetries: 0 } } },
      "retry",
      ofPipeline,
    ],
    [
      "does not end it when the request says so",
      { request: { onWorkerLost: "retry" }, run: run(0) },
      "retry",
      "request",
    ],
    ["ends it in spite of what the project says", { run: run(0), project: { onWorkerLost: "retry" } }, "fail", ofRun],
    [
      "does not end it when the request asks for retries",
      { request: { retry: { maxRetries: 1 } }, run: run(0) },
      "retry",
      "default",
    ],
    [
      "ends it as the project says, retries or not",
      { run: run(3), project: { onWorkerLost: "fail" } },
      "fail",
      ofProject,
    ],
  ])("%s", (_what, said, value, source) => {
    expect(settings(said)).toMatchObject({ onWorkerLost: value, sources: { onWorkerLost: source } });
  });
});
