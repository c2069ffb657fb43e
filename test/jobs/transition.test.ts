import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { graphileWorker as backend } from "../../src/backends/graphile-worker/backend.ts";
import { connect, type Database } from "../../src/db/client.ts";
import { eventTypes } from "../../src/domain/event-types.ts";
import {
  attemptEnds,
  finalStates,
  isFinal,
  type JobState,
  jobStates,
  type TransitionName,
  transitions,
} from "../../src/domain/lifecycle.ts";
import { type Move, transition } from "../../src/jobs/transition.ts";
import { testDatabase } from "../support/database.ts";
import { insertJob, insertWorker } from "../support/factories.ts";
import { ticketsOf } from "../support/tickets.ts";

let db: Database;
let workerId: string;

beforeAll(async () => {
  db = await testDatabase();
  workerId = await insertWorker(db.sql);
  await db.sql`insert into queues (name, created_at, paused_at) values ('paused', queue_now(), queue_now())`;
});

afterAll(async () => await db?.[Symbol.asyncDispose]());

const names = Object.keys(transitions) as TransitionName[];
const error = { kind: "PIPELINE" as const, type: "KeyError", message: "'x'", node: null };
const later = "2026-11-23T10:00:00.000Z";

/** Data of each transition's event. */
const data: { [N in TransitionName]: Move<N>["data"] } = {
  postpone: {},
  promote: {},
  schedule: {},
  start: { worker: "wkr_x" },
  succeed: {},
  retry: { error, failures: 1, maxAttempts: 3, runAt: later },
  fail: { error },
  release: { reason: "the worker stopped" },
  rescue: { error: { ...error, kind: "WORKER_LOST" }, losses: 1 },
  cancel: { actor: "tester", reason: null },
  stop: { actor: "tester", reason: "enough" },
  expire: {},
  requeue: { actor: "tester" },
};

/** A job in that state, whose running attempt is open. */
async function jobIn(state: JobState, options: Parameters<typeof insertJob>[1] = {}): Promise<string> {
  const id = await insertJob(db, { state, ...options });
  if (state === "running") {
    await db.sql`
      insert into attempts (job_id, attempt, id, life, run_token, worker_id, started_at)
      select id, attempt, gen_random_uuid(), life, run_token, worker_id, queue_now() from jobs where id = ${id}`;
  }
  return id;
}

async function read(id: string) {
  const [job] = await db.sql`select * from jobs where id = ${id}`;
  const events = await db.sql`
    select seq, type, version, life, attempt, data from events where job_id = ${id} order by seq`;
  const attempts = await db.sql`
    select attempt, outcome, error_kind, error, ended_at is not null as ended from attempts where job_id = ${id} order by 1`;
  return { job: job as Record<string, unknown>, events, attempts };
}

async function move<N extends TransitionName>(name: N, id: string, given: Partial<Move> = {}) {
  const [job] = await db.sql<{ attempt: number }[]>`select attempt from jobs where id = ${id}`;
  const start = name === "start" ? { workerId, runToken: randomUUID(), attemptId: db.ids.next() } : {};
  return await transition(db.sql, backend, name, [
    { id, attempt: job?.attempt as number, ...start, data: data[name], ...given } as Move<N>,
  ]);
}

describe.each(names)("transition %s", (name) => {
  const { from, to, event } = transitions[name];

  it.each(jobStates)("of a job that is %s goes where the table says, or nowhere", async (state) => {
    const id = await jobIn(state);
    const before = await read(id);
    const moved = await move(name, id);
    const after = await read(id);
    if (!(from as readonly JobState[]).includes(state)) {
      expect(moved).toEqual([]);
      expect(after).toEqual(before);
      return;
    }
    const attempt = (before.job.attempt as number) + (name === "start" ? 1 : 0);
    const life = (before.job.life as number) + (name === "requeue" ? 1 : 0);
    const seq = before.events.length + 1;
    expect(moved).toEqual([expect.objectContaining({ id, state: to, attempt, life, seq })]);
    expect(after.job).toMatchObject({ state: to, attempt, life, last_seq: seq });
    expect(after.job.finished_at !== null).toBe(isFinal(to));
    expect(after.events.slice(0, -1)).toEqual(before.events);
    expect(after.events.at(-1)).toEqual({
      seq,
      type: event,
      version: 1,
      life,
      attempt: attempt === 0 ? null : attempt,
      data: data[name],
    });
    expect(eventTypes[event].versions[1].safeParse(data[name]).success).toBe(true);
    expect(await ticketsOf(db.sql, id)).toHaveLength(to === "queued" ? 1 : 0);
    if (name === "start") expect(after.attempts.at(-1)).toMatchObject({ attempt, ended: false });
    if ((attemptEnds as readonly string[]).includes(name)) {
      expect(after.attempts.at(-1)).toMatchObject({ attempt, outcome: name, ended: true });
    }
  });

  it.each([-1, 1])("of a job whose attempt is %i away is refused", async (away) => {
    for (const state of from) {
      const id = await jobIn(state, { attempt: 2 });
      const before = await read(id);
      expect(await move(name, id, { attempt: 2 + away })).toEqual([]);
      expect(await read(id)).toEqual(before);
    }
  });
});

describe("start", () => {
  it("is refused to a worker that was declared dead, and to one that nobody knows", async () => {
    const dead = await insertWorker(db.sql);
    await db.sql`update workers set state = 'dead', ended_at = queue_now() where id = ${dead}`;
    const id = await jobIn("queued");
    expect(await move("start", id, { workerId: dead })).toEqual([]);
    expect(await move("start", id, { workerId: randomUUID() })).toEqual([]);
    expect(await move("start", id)).toHaveLength(1);
  });

  it("is refused once the time to live has ended, unless it was started before in this life", async () => {
    const [late, begun] = [await jobIn("queued"), await jobIn("queued")];
    await db.sql`update jobs set expires_at = queue_now() where id in ${db.sql([late, begun])}`;
    await db.sql`update jobs set started_at = queue_now() where id = ${begun}`;
    expect(await move("start", late)).toEqual([]);
    expect(await move("start", begun)).toHaveLength(1);
    expect(await move("expire", late)).toHaveLength(1);
  });

  it("keeps the time of the life's first start and counts progress anew", async () => {
    const id = await jobIn("queued", { attempt: 1 });
    await db.sql`
      update jobs set started_at = '2026-01-01Z', nodes_done = 3, nodes_total = 4, source_seq = 9 where id = ${id}`;
    await move("start", id);
    const { job } = await read(id);
    expect(job).toMatchObject({ started_at: new Date("2026-01-01"), nodes_done: 0, nodes_total: null, source_seq: 0 });
  });
});

describe("the end of an attempt", () => {
  it("keeps why it failed, the counters and the next time", async () => {
    const id = await jobIn("running");
    const told = { kind: "TIMEOUT", message: "too long" };
    await move("retry", id, { failures: 1, maxAttempts: 7, errorKind: "TIMEOUT", error: told, delayMs: 1500 });
    const { job, attempts } = await read(id);
    expect(job).toMatchObject({ failures: 1, losses: 0, max_attempts: 7, error_kind: "TIMEOUT", run_token: null });
    const [due] = await db.sql<{ ms: number }[]>`
      select extract(epoch from j.run_at - a.ended_at)::float8 * 1000 as ms from jobs j join attempts a on a.job_id = j.id
      where j.id = ${id}`;
    expect(due?.ms).toBeCloseTo(1500);
    expect(attempts).toEqual([{ attempt: 1, outcome: "retry", error_kind: "TIMEOUT", error: told, ended: true }]);
  });

  it("stops the nodes that were running, and leaves the others as they are", async () => {
    const id = await jobIn("running");
    await db.sql`
      insert into node_runs (job_id, attempt, node, first_seq, state)
      values (${id}, 1, 'a', 1, 'succeeded'), (${id}, 1, 'b', 2, 'running'), (${id}, 1, 'c', 3, 'failed')`;
    await move("fail", id);
    const nodes = await db.sql`
      select node, state, ended_at is not null as ended from node_runs where job_id = ${id} order by 1`;
    expect(nodes.map((row) => [row.node, row.state, row.ended])).toEqual([
      ["a", "succeeded", false],
      ["b", "stopped", true],
      ["c", "failed", false],
    ]);
  });

  it.each(["retry", "fail", "release", "rescue"] as const)(
    "by %s becomes a cancel when one was requested meanwhile, in the name of who asked",
    async (name) => {
      const id = await jobIn("running");
      const asked = { actor: "anna", reason: "wrong day" };
      await db.sql`update jobs set cancel_requested_at = queue_now(), last_seq = last_seq + 1 where id = ${id}`;
      await db.sql`
        insert into events (job_id, seq, life, type, version, recorded_at, occurred_at, data)
        values (${id}, 2, 1, 'job.cancel_requested', 1, queue_now(), queue_now(), ${db.sql.json(asked)})`;
      expect(await move(name, id)).toEqual([expect.objectContaining({ state: "cancelled", seq: 3 })]);
      const { job, events, attempts } = await read(id);
      expect(job).toMatchObject({ state: "cancelled", ticketed_at: null });
      expect(events.at(-1)).toMatchObject({ type: "job.cancelled", data: asked });
      expect(attempts).toEqual([expect.objectContaining({ outcome: "stop" })]);
      expect(await ticketsOf(db.sql, id)).toEqual([]);
    },
  );

  it("by success stays a success when a cancel was requested meanwhile", async () => {
    const id = await jobIn("running");
    await db.sql`update jobs set cancel_requested_at = queue_now() where id = ${id}`;
    expect(await move("succeed", id)).toEqual([expect.objectContaining({ state: "succeeded" })]);
  });
});

describe("requeue", () => {
  it("opens a life of its own: counters, times and the cancel of before are gone, the attempt goes on growing", async () => {
    const id = await jobIn("failed", { attempt: 3 });
    await db.sql`
      update jobs set failures = 3, losses = 2, expires_at = queue_now(), cancel_requested_at = queue_now() where id = ${id}`;
    await move("requeue", id);
    expect((await read(id)).job).toMatchObject({
      life: 2,
      attempt: 3,
      failures: 0,
      losses: 0,
      started_at: null,
      expires_at: null,
      cancel_requested_at: null,
      error_kind: null,
    });
    expect(await ticketsOf(db.sql, id)).toEqual([expect.objectContaining({ attempt: 4 })]);
  });
});

describe("tickets", () => {
  it("are not given where the queue is paused", async () => {
    const id = await jobIn("scheduled", { queue: "paused" });
    expect(await move("promote", id)).toHaveLength(1);
    expect((await read(id)).job).toMatchObject({ state: "queued", ticketed_at: null });
    expect(await ticketsOf(db.sql, id)).toEqual([]);
  });

  it("are taken back from a job that waits no longer", async () => {
    for (const name of ["cancel", "expire"] as const) {
      const id = await jobIn("scheduled");
      await move("promote", id);
      expect(await ticketsOf(db.sql, id)).toHaveLength(1);
      await move(name, id);
      expect(await ticketsOf(db.sql, id)).toEqual([]);
    }
  });
});

describe("transition of many jobs", () => {
  it("moves those that it can, each once, and tells which", async () => {
    const queued = await Promise.all(Array.from({ length: 60 }, () => jobIn("queued")));
    const others = await Promise.all(finalStates.map((state) => jobIn(state)));
    const all = [...others, ...queued, randomUUID()];
    const moved = await transition(
      db.sql,
      backend,
      "cancel",
      all.map((id) => ({ id, attempt: 0, data: data.cancel })),
    );
    expect(moved.map(({ id }) => id).toSorted()).toEqual(queued.toSorted());
    expect(await transition(db.sql, backend, "cancel", [])).toEqual([]);
  });

  it("locks in one order: opposite lists at the same time wait for each other and never in a circle", async () => {
    await using other = await connect(db.url, { max: 4 });
    const ids = await Promise.all(Array.from({ length: 100 }, () => jobIn("queued")));
    const moves = ids.map((id) => ({ id, attempt: 0, data: data.cancel }));
    const counts = await Promise.all(
      [moves, moves.toReversed(), moves, moves.toReversed()].map(async (list, i) => {
        const moved = await transition(i % 2 === 0 ? db.sql : other.sql, backend, "cancel", list);
        return moved.length;
      }),
    );
    expect(counts.reduce((sum, count) => sum + count)).toBe(100);
  });
});

describe("the database itself", () => {
  it("refuses a second end of a life, and an end again after a requeue only in that life", async () => {
    const id = await jobIn("succeeded");
    const again = (life: number, seq: number) => db.sql`
      insert into events (job_id, seq, life, type, version, recorded_at, occurred_at, data)
      values (${id}, ${seq}, ${life}, 'job.failed', 1, queue_now(), queue_now(), '{}')`;
    await expect(again(1, 3)).rejects.toMatchObject({ code: "23505", constraint_name: "events_terminal" });
    await again(2, 3);
    await expect(again(2, 4)).rejects.toMatchObject({ code: "23505", constraint_name: "events_terminal" });
  });

  it.each<[string, JobState, string]>([
    ["jobs_finished", "queued", "finished_at = queue_now()"],
    ["jobs_finished", "succeeded", "finished_at = null"],
    ["jobs_running", "running", "run_token = null"],
    ["jobs_running", "queued", "run_token = gen_random_uuid()"],
    ["jobs_worker", "running", "worker_id = null"],
    ["jobs_worker", "running", "attempt = 0"],
    ["jobs_ticketed", "scheduled", "ticketed_at = queue_now()"],
    ["jobs_ticketed", "failed", "ticketed_at = queue_now()"],
    ["jobs_priority", "queued", "priority = 101"],
    ["jobs_counters", "queued", "failures = -1"],
    ["jobs_counters", "queued", "life = 0"],
    ["jobs_limits", "queued", "max_attempts = 0"],
    ["jobs_on_worker_lost", "queued", "on_worker_lost = 'ignore'"],
    ["jobs_error_kind", "failed", "error_kind = 'BAD_LUCK'"],
    ["jobs_nodes", "running", "nodes_done = 2, nodes_total = 1"],
  ])("refuses by %s that a job that is %s has %s", async (constraint, state, change) => {
    const id = await jobIn(state);
    await expect(db.sql`update jobs set ${db.sql.unsafe(change)} where id = ${id}`).rejects.toMatchObject({
      code: "23514",
      constraint_name: constraint,
    });
  });

  it("refuses to change the audit trail", async () => {
    await db.sql`
      insert into audit (at, actor, action, target, data) values (queue_now(), 'a', 'job.enqueue', 'audit-test', '{}')`;
    await expect(db.sql`update audit set actor = 'b' where target = 'audit-test'`).rejects.toThrow("never changed");
  });
});
