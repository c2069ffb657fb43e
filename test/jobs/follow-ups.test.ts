import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { graphileWorker as backend } from "../../src/backends/graphile-worker/backend.ts";
import { connect, type Database } from "../../src/db/client.ts";
import type { FollowUpProblem } from "../../src/domain/follow-up.ts";
import { idText } from "../../src/domain/ids.ts";
import type { JobState, TransitionName } from "../../src/domain/lifecycle.ts";
import type { RunRequest } from "../../src/domain/run-request.ts";
import type { JobsContext } from "../../src/jobs/context.ts";
import { openJobs } from "../../src/jobs/context.ts";
import { enqueueJob } from "../../src/jobs/enqueue.ts";
import { enqueueFollowUps, recordFollowUps } from "../../src/jobs/follow-ups.ts";
import { requeueJob } from "../../src/jobs/requeue.ts";
import { rerunJob } from "../../src/jobs/rerun.ts";
import { type Move, transition } from "../../src/jobs/transition.ts";
import { openCatalogue } from "../../src/pipelines/catalogue.ts";
import { publishProject } from "../../src/pipelines/publish.ts";
import type { PipelineDescription } from "../../src/runtime/protocol.ts";
import { brokenBy, input, node, pipeline, project } from "../pipelines/descriptions.ts";
import { testDatabase } from "../support/database.ts";
import { insertWorker } from "../support/factories.ts";
import { runRequest, silentWakeups, tester } from "../support/jobs.ts";

let db: Database;
/** Another process. */
let other: Database;
let workerId: string;
let shop: string;
let jobs: JobsContext;
let others: JobsContext;
const told: object[] = [];
const log = (message: string, data: object) => void told.push({ message, ...data });

const open = (of: Database) =>
  openJobs({ db: of, backend, wakeups: silentWakeups(), catalogue: openCatalogue(of, { timeToLiveMs: -1 }) });

beforeAll(async () => {
  db = await testDatabase();
  other = await connect(db.url, { max: 4, maxReads: 1 });
  workerId = await insertWorker(db.sql);
  [jobs, others] = [open(db), open(other)];
  // The first look says where the reader begins.
  await recordFollowUps(db);
});

afterAll(async () => {
  await other?.[Symbol.asyncDispose]();
  await db?.[Symbol.asyncDispose]();
});

beforeEach(() => {
  shop = `shop_${randomUUID().slice(0, 8)}`;
  told.length = 0;
});

type After = NonNullable<PipelineDescription["jobQueue"]["after"]>[number];

/** A pipeline with the input `day` and the final variable `dough`, which follows others. */
function follower(name: string, ...after: (Partial<After> & { pipeline: string })[]): PipelineDescription {
  const rules = after.map((rule) => ({ when: "succeeded" as const, inputs: {}, ...rule }));
  const day = input("day", {
    required: false,
    default: { value: 1, source: "code", reference: null },
    usedBy: ["dough"],
  });
  const nodes = [node("day", [], { kind: "input" }), node("dough", [], { optionalDependsOn: ["day"] })];
  return pipeline({ name, jobQueue: { after: rules }, inputs: [day], nodes });
}

const publish = (...pipelines: PipelineDescription[]) =>
  publishProject(db, null, { name: shop, project: project(), pipelines, environment: {} });

async function enqueue(name: string, given: Partial<RunRequest> = {}): Promise<string> {
  return (await enqueueJob(jobs, tester, runRequest({ project: shop, pipeline: name, ...given }))).jobId;
}

const error = { kind: "PIPELINE" as const, type: "KeyError", message: "'x'", node: null };

/** Starts and ends a job that is queued. */
async function end(id: string, how: "succeed" | "fail" | "stop" = "succeed"): Promise<void> {
  await db.sql.begin(async (tx) => {
    const [job] = await tx<{ attempt: number }[]>`select attempt from jobs where id = ${id}`;
    const attempt = job?.attempt ?? 0;
    const start = { workerId, runToken: randomUUID(), attemptId: db.ids.next(), data: { worker: "wkr_x" } };
    const started = await transition(tx, backend, "start", [{ id, attempt, ...start }]);
    expect(started).toHaveLength(1);
    const data = { succeed: {}, fail: { error }, stop: { actor: "anna", reason: null } }[how];
    await transition<TransitionName>(tx, backend, how, [{ id, attempt: attempt + 1, data } as Move]);
  });
}

/** A look as each process does it. */
async function look(context: JobsContext = jobs): Promise<void> {
  while (await recordFollowUps(context.db));
  while (await enqueueFollowUps(context, log));
}

const followUps = (id: string) => db.sql<
  {
    life: number;
    pipeline: string;
    state: string;
    made: string | null;
    problem: FollowUpProblem | null;
    tries: number;
  }[]
>`
  select life, pipeline, state, made_id as made, problem, tries from follow_ups where job_id = ${id} order by life, pipeline`;

/** All jobs of a pipeline of the project. */
const made = (name: string) => db.sql<{ id: string; state: JobState }[]>`
  select id, state from jobs where project = ${shop} and pipeline = ${name} order by id`;

describe("what follows", () => {
  it("is a job for each success, with the result as an input, by the way every job is enqueued", async () => {
    await publish(follower("load"), follower("report", { pipeline: "load", inputs: { day: "dough" } }));
    const id = await enqueue("load");
    await look();
    expect(await made("report")).toEqual([]);
    await end(id);
    await look();
    const [report] = await made("report");
    expect(report?.state).toBe("queued");
    expect(await followUps(id)).toEqual([
      { life: 1, pipeline: "report", state: "enqueued", made: report?.id, problem: null, tries: 1 },
    ]);
    const [request] = await db.sql`
      select r.inputs_from, r.actor, r.options, d.parent_id, d.run_when, d.otherwise, d.resolved_at is not null as resolved
      from job_requests r join job_dependencies d using (job_id) where r.job_id = ${report?.id ?? ""}`;
    expect(request).toEqual({
      inputs_from: [{ input: "day", jobId: id, variable: "dough" }],
      actor: "system",
      options: { follows: ["load"] },
      parent_id: id,
      run_when: "succeeded",
      otherwise: "cancel",
      resolved: true,
    });
    const audited = await db.sql`
      select actor, action from audit where target = ${idText("job", report?.id ?? "")}`;
    expect(audited).toEqual([{ actor: "system", action: "job.enqueue" }]);
    await look();
    expect(await made("report")).toHaveLength(1);
  });

  it.each([
    ["succeed", ["after", "always"]],
    ["fail", ["alarm", "always"]],
    ["stop", ["always"]],
  ] as const)("of a job that ends by `%s` is what waits for that", async (how, expected) => {
    await publish(
      follower("load"),
      follower("after", { pipeline: "load" }),
      follower("alarm", { pipeline: "load", when: "failed" }),
      follower("always", { pipeline: "load", when: "ended" }),
    );
    const id = await enqueue("load");
    await end(id, how);
    await look();
    expect((await followUps(id)).map(({ pipeline, state }) => [pipeline, state])).toEqual(
      expected.map((name) => [name, "enqueued"]),
    );
  });

  it("is made once, whoever looks at the same time", async () => {
    await publish(follower("load"), follower("report", { pipeline: "load" }));
    const ids = await Promise.all(Array.from({ length: 20 }, () => enqueue("load")));
    for (const id of ids) await end(id);
    await Promise.all([look(), look(others), look(), look(others)]);
    await look();
    expect(await made("report")).toHaveLength(20);
    const parents = await db.sql<{ parent: string }[]>`
      select d.parent_id as parent from job_dependencies d join jobs j on j.id = d.job_id
      where j.project = ${shop} order by 1`;
    expect(parents.map(({ parent }) => parent)).toEqual(ids.toSorted());
  });

  it("is found again when a process dies between the job and the note of it, and left to others when it dies before", async () => {
    await publish(follower("load"), follower("report", { pipeline: "load" }));
    const id = await enqueue("load");
    await end(id);
    await recordFollowUps(db);
    // It has made the job and dies.
    await enqueueFollowUps(jobs, log);
    const [first] = await made("report");
    await db.sql`
      update follow_ups set state = 'open', made_id = null, decided_at = null, due_at = queue_now() + interval '15 seconds'
      where job_id = ${id}`;
    await look(others);
    expect(await followUps(id)).toMatchObject([{ state: "open" }]);
    await db.sql`update follow_ups set due_at = queue_now() where job_id = ${id}`;
    await look(others);
    expect(await followUps(id)).toMatchObject([{ state: "enqueued", made: first?.id, tries: 2 }]);
    expect(await made("report")).toHaveLength(1);
  });

  it("goes on along a chain, and each job knows the pipelines before it", async () => {
    await publish(follower("one"), follower("two", { pipeline: "one" }), follower("three", { pipeline: "two" }));
    await end(await enqueue("one"));
    await look();
    const [two] = await made("two");
    await end(two?.id ?? "");
    await look();
    const [three] = await made("three");
    const [request] = await db.sql`select options from job_requests where job_id = ${three?.id ?? ""}`;
    expect(request).toEqual({ options: { follows: ["one", "two"] } });
  });

  it("is made for each life: of a job that fails, is requeued and succeeds once for either end", async () => {
    await publish(
      follower("load"),
      follower("alarm", { pipeline: "load", when: "failed" }),
      follower("report", { pipeline: "load" }),
    );
    const id = await enqueue("load");
    await end(id, "fail");
    await look();
    expect([await made("alarm"), await made("report")]).toEqual([[expect.objectContaining({ state: "queued" })], []]);
    await requeueJob(jobs, tester, { jobId: id, reason: null, expiresAt: null });
    await end(id);
    await look();
    expect(await followUps(id)).toMatchObject([
      { life: 1, pipeline: "alarm", state: "enqueued" },
      { life: 2, pipeline: "report", state: "enqueued" },
    ]);
    expect([(await made("alarm")).length, (await made("report")).length]).toEqual([1, 1]);
  });

  it("stops where a pipeline comes back, or the chain is too long, whatever the rules were before", async () => {
    await publish(follower("load"), follower("report", { pipeline: "load" }));
    const loop = await enqueue("load", { options: { follows: ["report", "other"] } });
    const long = await enqueue("load", { options: { follows: Array.from({ length: 19 }, (_, index) => `p${index}`) } });
    await end(loop);
    await end(long);
    await look();
    expect(await followUps(loop)).toMatchObject([
      {
        state: "refused",
        problem: { code: "CIRCLE", message: "It would go round in a circle: report → other → load → report." },
      },
    ]);
    expect(await followUps(long)).toMatchObject([
      {
        state: "refused",
        problem: { code: "CHAIN_TOO_LONG", message: "So many pipelines have followed each other already: 20." },
      },
    ]);
    expect(await made("report")).toEqual([]);
  });

  it("does not come of a request that says so, nor of its reruns unless they say otherwise", async () => {
    await publish(follower("load"), follower("report", { pipeline: "load" }));
    const quiet = await enqueue("load", { options: { followUps: "none" } });
    await end(quiet);
    const rerun = async (followUps?: "all" | "none") => {
      const changes = followUps === undefined ? {} : { options: { followUps } };
      const request = {
        jobId: quiet,
        inputs: {},
        config: {},
        unset: [],
        unsetConfig: [],
        changes,
        code: "current" as const,
      };
      const when = {
        runAt: null,
        expiresAt: null,
        idempotencyKey: null,
        onReplay: "return" as const,
        requestedBy: null,
      };
      const { jobId } = await rerunJob(jobs, tester, { ...request, ...when });
      await end(jobId);
      return jobId;
    };
    const again = await rerun();
    const loud = await rerun("all");
    await look();
    expect(await Promise.all([quiet, again, loud].map(async (id) => (await followUps(id)).length))).toEqual([0, 0, 1]);
  });

  it("is refused with its reason where it cannot be, and told", async () => {
    await publish(
      follower("load"),
      pipeline({
        name: "report",
        jobQueue: { after: [{ pipeline: "load", when: "succeeded", inputs: {} }] },
        inputs: [input("day", { usedBy: ["dough"] })],
        nodes: [node("day", [], { kind: "input" }), node("dough", ["day"])],
      }),
    );
    const id = await enqueue("load");
    await end(id);
    await look();
    const [row] = await followUps(id);
    expect(row).toMatchObject({
      state: "refused",
      problem: { code: "INVALID_RUN", problems: [expect.objectContaining({ path: "input.inputs.day" })] },
    });
    expect(told).toEqual([
      expect.objectContaining({ message: "a job was not followed", job: idText("job", id), code: "INVALID_RUN" }),
    ]);
  });

  it("is tried again while the project is disabled, and given up after a day", async () => {
    await publish(follower("load"), follower("report", { pipeline: "load" }));
    const [id, late] = [await enqueue("load"), await enqueue("load")];
    await end(id);
    await end(late);
    await db.sql`update projects set disabled_at = queue_now() where name = ${shop}`;
    await look();
    expect(await followUps(id)).toMatchObject([{ state: "open", tries: 1, problem: { code: "PROJECT_DISABLED" } }]);
    expect(told).toContainEqual(expect.objectContaining({ message: "a job is not followed yet" }));
    await db.sql`
      update follow_ups set due_at = queue_now(), created_at = created_at - interval '25 hours' where job_id = ${late}`;
    await look();
    expect(await followUps(late)).toMatchObject([{ state: "refused", problem: { code: "PROJECT_DISABLED" } }]);
    await db.sql`update projects set disabled_at = null where name = ${shop}`;
    await db.sql`update follow_ups set due_at = queue_now() where job_id = ${id}`;
    await look();
    expect(await followUps(id)).toMatchObject([{ state: "enqueued", tries: 2, problem: null }]);
  });

  it("is by the rules that are published: not by a broken one, nor by one that is gone", async () => {
    await publish(follower("load", { pipeline: "report" }), follower("report", { pipeline: "load" }));
    const circling = await enqueue("load");
    await end(circling);
    await look();
    expect(await followUps(circling)).toEqual([]);
    await publish(follower("load"), follower("report", { pipeline: "load" }));
    await publish(follower("load"), follower("report"));
    const id = await enqueue("load");
    await end(id);
    await look();
    expect(await followUps(id)).toEqual([]);
  });

  it("is refused with the reason while the pipeline is broken: it follows as in its last good version", async () => {
    await publish(follower("load"), follower("report", { pipeline: "load", inputs: { day: "dough" } }));
    const broken = {
      status: "broken" as const,
      graph: null,
      inputs: [],
      codeHash: null,
      error: brokenBy("no such module"),
    };
    await publish(follower("load"), pipeline({ name: "report", ...broken }));
    const id = await enqueue("load");
    await end(id);
    await look();
    const [row] = await followUps(id);
    expect(row).toMatchObject({ pipeline: "report", state: "refused" });
    expect(row?.problem?.message).toContain("no such module");
  });

  it("goes with the job", async () => {
    await publish(follower("load"), follower("report", { pipeline: "load" }));
    const id = await enqueue("load");
    await end(id);
    await look();
    await db.sql`delete from jobs where id = ${id}`;
    expect(await followUps(id)).toEqual([]);
    expect(await made("report")).toHaveLength(1);
  });
});
