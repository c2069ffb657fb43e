import { randomUUID } from "node:crypto";
import type { Backend } from "../../src/backends/backend.ts";
import { graphileWorker } from "../../src/backends/graphile-worker/backend.ts";
import type { Database } from "../../src/db/client.ts";
import { NotFoundError } from "../../src/domain/errors.ts";
import { noRetry } from "../../src/domain/retry.ts";
import type { Actor, RunRequest } from "../../src/domain/run-request.ts";
import type { Wakeups } from "../../src/events/wakeups.ts";
import { type JobsContext, openJobs } from "../../src/jobs/context.ts";
import type { NewJob } from "../../src/jobs/insert.ts";
import type { Catalogue } from "../../src/pipelines/catalogue.ts";
import { pipeline, project } from "../pipelines/descriptions.ts";

export const tester: Actor = { name: "tester", requestId: "req-1" };

/** Knows one pipeline: `bikes/daily`. */
const catalogue: Catalogue = {
  async find(projectName, name) {
    if (projectName !== "bikes" || name !== "daily") return null;
    const [description, published] = [pipeline(), new Date()];
    return { projectName, name, project: project(), description, lastGood: description, publishedAt: published };
  },
  async pipeline(projectName, name) {
    const found = await this.find(projectName ?? "", name);
    if (found === null) throw new NotFoundError("pipeline", name, "input.pipeline");
    return found;
  },
  invalidate() {},
};

/** Wake-ups that nobody hears, and that remember what was rung. */
export function silentWakeups(): Wakeups & { rung: string[] } {
  const rung: string[] = [];
  const nothing = { close() {}, [Symbol.dispose]() {} };
  return {
    rung,
    ring: (topic) => void rung.push(topic),
    ringHere: (topic) => void rung.push(topic),
    subscribe: () => nothing,
    health: () => {
      throw new Error("nobody listens");
    },
    async close() {},
    async [Symbol.asyncDispose]() {},
  };
}

export function jobsContext(
  db: Database,
  backend: Backend = graphileWorker,
): JobsContext & { wakeups: { rung: string[] } } {
  const wakeups = silentWakeups();
  return { ...openJobs({ db, backend, wakeups, catalogue }), wakeups };
}

/** A request for a run of `bikes/daily` that is due now. */
export function runRequest(given: Partial<RunRequest> = {}): RunRequest {
  return {
    project: "bikes",
    pipeline: "daily",
    inputs: {},
    finalVars: null,
    config: {},
    options: {},
    queue: null,
    priority: null,
    tags: [],
    runAt: null,
    expiresAt: null,
    timeoutMs: null,
    retry: null,
    onWorkerLost: null,
    idempotencyKey: null,
    onReplay: "return",
    requestedBy: null,
    ...given,
  };
}

/** A job to be inserted as it is. */
export function newJob(given: Partial<NewJob> = {}): NewJob {
  const id = given.id ?? randomUUID();
  return {
    id,
    shownId: `job_${id}`,
    project: "bikes",
    pipeline: "daily",
    queue: "default",
    priority: 50,
    runAt: null,
    expiresAt: null,
    maxAttempts: noRetry.maxAttempts,
    maxLosses: 3,
    onWorkerLost: "retry",
    inputs: {},
    finalVars: null,
    config: {},
    options: {},
    retry: null,
    timeoutMs: null,
    needs: null,
    concurrency: null,
    tags: [],
    actor: tester.name,
    requestId: null,
    requestedBy: null,
    plan: null,
    rerunOf: null,
    dependsOn: [],
    inputsFrom: null,
    idempotencyKey: null,
    fingerprint: "f",
    ...given,
  };
}
