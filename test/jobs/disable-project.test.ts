import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { graphileWorker as backend } from "../../src/backends/graphile-worker/backend.ts";
import type { Database } from "../../src/db/client.ts";
import { admit } from "../../src/jobs/admit.ts";
import type { JobsContext } from "../../src/jobs/context.ts";
import { openJobs } from "../../src/jobs/context.ts";
import { disableProject, enableProject } from "../../src/jobs/disable-project.ts";
import { enqueueJob } from "../../src/jobs/enqueue.ts";
import { reloadProject } from "../../src/jobs/reload-project.ts";
import { type RerunRequest, rerunJob } from "../../src/jobs/rerun.ts";
import { openCatalogue } from "../../src/pipelines/catalogue.ts";
import { publishProject } from "../../src/pipelines/publish.ts";
import { pipeline, project } from "../pipelines/descriptions.ts";
import { testDatabase } from "../support/database.ts";
import { runRequest, silentWakeups, tester } from "../support/jobs.ts";
import { queuedJob, runningJob, startJob } from "../support/running.ts";
import { holdTickets, ticketsOf } from "../support/tickets.ts";

let db: Database;
let jobs: JobsContext;
beforeAll(async () => {
  db = await testDatabase();
  jobs = openJobs({ db, backend, wakeups: silentWakeups(), catalogue: openCatalogue(db) });
});
afterAll(() => db[Symbol.asyncDispose]());

/** A published project of its own. */
async function published(): Promise<string> {
  const name = `p${randomUUID().slice(0, 8)}`;
  await publishProject(db, null, { name, project: project(), pipelines: [pipeline()], environment: {} });
  return name;
}

const stateOf = async (id: string) => {
  const [job] = await db.sql<{ state: string; ticketed: boolean }[]>`
    select state, ticketed_at is not null as ticketed from jobs where id = ${id}`;
  return job;
};

describe("disableProject", () => {
  it("refuses its jobs with a typed error that says why, and no other's", async () => {
    const [off, on] = [await published(), await published()];
    await disableProject(jobs, tester, { name: off, reason: "the warehouse moves" });
    const refused = enqueueJob(jobs, tester, runRequest({ project: off }));
    await expect(refused).rejects.toMatchObject({ code: "PROJECT_DISABLED", project: off, path: "input.project" });
    await expect(refused).rejects.toThrow(/the warehouse moves/);
    await enqueueJob(jobs, tester, runRequest({ project: on }));
    await enableProject(jobs, tester, off);
    await enqueueJob(jobs, tester, runRequest({ project: off }));
  });

  it("refuses a rerun of its jobs with the old job's id as the place", async () => {
    const off = await published();
    const { jobId } = await enqueueJob(jobs, tester, runRequest({ project: off }));
    await db.sql`update jobs set state = 'failed', finished_at = queue_now(), ticketed_at = null where id = ${jobId}`;
    await disableProject(jobs, tester, { name: off, reason: null });
    const rerun: RerunRequest = {
      jobId,
      inputs: {},
      config: {},
      unset: [],
      unsetConfig: [],
      changes: {},
      code: "current",
      runAt: null,
      expiresAt: null,
      idempotencyKey: null,
      onReplay: "return",
      requestedBy: null,
    };
    await expect(rerunJob(jobs, tester, rerun)).rejects.toMatchObject({ code: "PROJECT_DISABLED", path: "input.id" });
  });

  it("takes the tickets of its waiting jobs, which stay queued, and gives new ones when it is enabled", async () => {
    const name = await published();
    const id = await queuedJob(db, { project: name });
    expect(await ticketsOf(db.sql, id)).toHaveLength(1);
    await disableProject(jobs, tester, { name, reason: null });
    expect(await stateOf(id)).toEqual({ state: "queued", ticketed: false });
    expect(await ticketsOf(db.sql, id)).toEqual([]);
    await admit(db, backend);
    expect(await ticketsOf(db.sql, id)).toEqual([]);
    await enableProject(jobs, tester, name);
    await admit(db, backend);
    expect(await stateOf(id)).toEqual({ state: "queued", ticketed: true });
    expect(await ticketsOf(db.sql, id)).toHaveLength(1);
  });

  it("gives no ticket to a job that is made, becomes due or is handed back meanwhile", async () => {
    const name = await published();
    const running = await runningJob(db, { project: name });
    await disableProject(jobs, tester, { name, reason: null });
    const made = await queuedJob(db, { project: name });
    const due = await queuedJob(db, { project: name, runAt: new Date(Date.now() + 3_600_000).toISOString() });
    await db.sql`update jobs set run_at = queue_now() where id = ${due}`;
    await admit(db, backend);
    for (const id of [made, due]) {
      expect(await stateOf(id)).toEqual({ state: "queued", ticketed: false });
      expect(await ticketsOf(db.sql, id)).toEqual([]);
    }
    // What runs goes on.
    expect(await stateOf(running.jobId)).toMatchObject({ state: "running" });
  });

  it("starts no job whose ticket a worker had in its hands already", async () => {
    const name = await published();
    const id = await queuedJob(db, { project: name });
    await holdTickets(db.sql, id, "pool");
    await disableProject(jobs, tester, { name, reason: null });
    expect(await startJob(db, id)).toBeNull();
    expect(await stateOf(id)).toEqual({ state: "queued", ticketed: false });
  });

  it("is recorded, and done again it changes the reason only", async () => {
    const name = await published();
    await disableProject(jobs, tester, { name, reason: "one" });
    const at = async () =>
      (await db.sql`select disabled_at, disabled_reason from projects where name = ${name}`)[0] as {
        disabled_at: Date;
        disabled_reason: string;
      };
    const first = await at();
    await disableProject(jobs, tester, { name, reason: "two" });
    expect(await at()).toEqual({ disabled_at: first.disabled_at, disabled_reason: "two" });
    await enableProject(jobs, tester, name);
    const audit = await db.sql`select actor, action, data from audit where target = ${name} order by id`;
    expect(audit).toEqual([
      { actor: "tester", action: "project.disable", data: { reason: "one" } },
      { actor: "tester", action: "project.disable", data: { reason: "two" } },
      { actor: "tester", action: "project.enable", data: {} },
    ]);
  });

  it("stays as it is when the project is published again", async () => {
    const name = await published();
    await disableProject(jobs, tester, { name, reason: null });
    await publishProject(db, null, { name, project: project(), pipelines: [pipeline()], environment: {} });
    await expect(enqueueJob(jobs, tester, runRequest({ project: name }))).rejects.toMatchObject({
      code: "PROJECT_DISABLED",
    });
  });
});

describe("reloadProject", () => {
  it("says that nobody has answered when no worker lives, and is recorded", async () => {
    const name = await published();
    expect(await reloadProject(jobs, tester, { name, waitMs: 50 })).toBe(false);
    const [entry] = await db.sql`select action from audit where target = ${name}`;
    expect(entry).toEqual({ action: "project.reload" });
  });

  it("and each of these names a project that is not there", async () => {
    const name = "nowhere";
    const error = { code: "NOT_FOUND", path: "input.name" };
    await expect(reloadProject(jobs, tester, { name, waitMs: 0 })).rejects.toMatchObject(error);
    await expect(disableProject(jobs, tester, { name, reason: null })).rejects.toMatchObject(error);
    await expect(enableProject(jobs, tester, name)).rejects.toMatchObject(error);
  });
});
