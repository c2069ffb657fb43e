/** What follows by YAML: shown with the pipeline, the plan and the job, and done without where a request says so. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Database } from "../../src/db/client.ts";
import { idText, uuidOf } from "../../src/domain/ids.ts";
import { publishProject } from "../../src/pipelines/publish.ts";
import type { PipelineDescription } from "../../src/runtime/protocol.ts";
import { node, pipeline, project } from "../pipelines/descriptions.ts";
import { runCommand } from "../support/command.ts";
import { testDatabase } from "../support/database.ts";
import { queuedJob } from "../support/running.ts";
import { type TestServer, testServer } from "../support/server.ts";

let db: Database;
let server: TestServer;
beforeAll(async () => {
  db = await testDatabase();
  const after = (leader: string, when: "succeeded" | "failed" = "succeeded") => ({
    pipeline: leader,
    when,
    inputs: {},
  });
  const named = (name: string, ...rules: NonNullable<PipelineDescription["jobQueue"]["after"]>) =>
    pipeline({ name, jobQueue: { after: rules }, nodes: [node("dough")] });
  await publishProject(db, null, {
    name: "shop",
    project: project(),
    pipelines: [named("load"), named("report", after("load")), named("alarm", after("load", "failed"), after("laod"))],
    environment: {},
  });
  server = await testServer(db);
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await db[Symbol.asyncDispose]();
});

const cli = (...argv: string[]) => runCommand(server.url, argv, { env: { COLUMNS: "200" } });
const data = async (query: string, variables: object = {}) => {
  const answer = await server.post(query, variables);
  expect(answer.errors).toBeUndefined();
  return answer.data;
};

const rule = "pipeline follows when inputs { input variable } problem { path message suggestion }";

describe("what a pipeline follows", () => {
  it("is shown with both, and what is wrong with it where it is written", async () => {
    const { load, alarm } = await data(
      `{ load: pipeline(name: "shop/load") { after { ${rule} } followers { ${rule} } }
        alarm: pipeline(name: "shop/alarm") { status after { ${rule} } followers { ${rule} } } }`,
    );
    const good = { inputs: [], problem: null };
    const failed = { pipeline: "alarm", follows: "load", when: "FAILED", ...good };
    const problem = {
      path: "conf/pipelines/alarm.yml: job_queue.after.1.pipeline",
      message: "there is no pipeline laod. Did you mean load?",
      suggestion: "load",
    };
    const succeeded = { pipeline: "report", follows: "load", when: "SUCCEEDED", ...good };
    expect(load).toEqual({ after: [], followers: [failed, succeeded] });
    expect(alarm).toEqual({
      status: "OK",
      after: [failed, { pipeline: "alarm", follows: "laod", when: "SUCCEEDED", inputs: [], problem }],
      followers: [],
    });
    const { out, err } = await cli("project", "show", "shop");
    expect(err).toBe("");
    expect(out).toContain("followed by alarm when it has failed, report when it has succeeded");
    expect(out).toContain("follows load when it has failed");
    expect(out).toContain(`${problem.path}: ${problem.message}`);
  });

  it("is told by a plan, unless the request does without", async () => {
    expect((await cli("plan", "shop/load")).out).toMatch(/followed by +alarm, report\n/);
    expect((await cli("plan", "shop/load", "--no-follow-ups")).out).not.toContain("followed by");
  });
});

describe("what follows a job", () => {
  it("is shown with the job: what was made, what was refused and why", async () => {
    const id = await queuedJob(db, { project: "shop", pipeline: "load" });
    const made = await queuedJob(db, { project: "shop", pipeline: "report" });
    const problem = { code: "QUEUE_FULL", message: "The queue default takes no more." };
    await db.sql`
      insert into follow_ups (job_id, life, pipeline, run_when, inputs, chain, state, made_id, problem, created_at, due_at, decided_at)
      values (${id}, 1, 'report', 'succeeded', '{}', '{load}', 'enqueued', ${made}, null, queue_now(), queue_now(), queue_now()),
        (${id}, 2, 'report', 'succeeded', '{}', '{load}', 'open', null, ${db.sql.json(problem)}, queue_now(), queue_now(), null)`;
    const query = `query ($id: ID!) { job(id: $id) { followUps {
      life pipeline when state job { id state } problem { code message problems { path } } decidedAt } } }`;
    const shown = idText("job", id);
    expect((await data(query, { id: shown })).job.followUps).toEqual([
      {
        life: 2,
        pipeline: "report",
        when: "SUCCEEDED",
        state: "OPEN",
        job: null,
        problem: { ...problem, problems: [] },
        decidedAt: null,
      },
      {
        life: 1,
        pipeline: "report",
        when: "SUCCEEDED",
        state: "ENQUEUED",
        job: { id: idText("job", made), state: "QUEUED" },
        problem: null,
        decidedAt: expect.any(String),
      },
    ]);
    const { out } = await cli("job", shown);
    expect(out).toContain(`report: ${idText("job", made)} queued`);
    expect(out).toContain("report after life 2: not yet: The queue default takes no more.");
    await db.sql`delete from jobs where id = ${made}`;
    expect((await data(query, { id: shown })).job.followUps[1]).toMatchObject({ state: "ENQUEUED", job: null });
  });

  it("is nothing where the request says so", async () => {
    const { out, code } = await cli("enqueue", "shop/load", "--no-follow-ups", "--json");
    expect(code).toBe(0);
    const { id } = JSON.parse(out).job as { id: string };
    const [request] = await db.sql`select options from job_requests where job_id = ${uuidOf("job", id) ?? ""}`;
    expect(request).toEqual({ options: { followUps: "none" } });
    expect((await data("query ($id: ID!) { job(id: $id) { options { followUps } } }", { id })).job.options).toEqual({
      followUps: "NONE",
    });
    expect((await cli("job", id)).out).toContain("nothing: it was asked for without");
  });
});
