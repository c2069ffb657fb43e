/** A batch over several worker processes, one of which is killed: all its jobs run, and then what waits for them. */
import { expect, it } from "vitest";
import { actOnBatch } from "../../src/jobs/act-on-batch.ts";
import { fingerprintOf } from "../../src/jobs/enqueue.ts";
import { enqueueBatch } from "../../src/jobs/enqueue-batch.ts";
import { openGround, requestOf } from "../support/ground.ts";
import { tester } from "../support/jobs.ts";

it("runs a sweep over three workers, through a kill -9, completes once, and then runs the job on completion", async () => {
  await using ground = await openGround();
  const { db, jobs, tail } = ground;
  const workers = [1, 2, 3].map(() => ground.worker({ slots: 2 }));
  await Promise.all(workers.map((worker) => worker.said("ready")));

  // One in ten fails at first, the others take a while.
  const runs = Array.from({ length: 60 }, (_, n) =>
    n % 10 === 0
      ? requestOf("fails", { at: "second" })
      : requestOf("sleeps", { seconds: 0.05 }, { onWorkerLost: "retry" }),
  );
  const { batchId } = await enqueueBatch(
    jobs,
    tester,
    {
      name: "sweep",
      runs,
      placeOf: (index) => `input.jobs.${index}`,
      commonPlace: null,
      idempotencyKey: "once",
      fingerprint: fingerprintOf({ idempotencyKey: "once", onReplay: "return" }),
      onComplete: { request: requestOf("fails", { at: "nowhere" }), when: "succeeded", otherwise: "block" },
    },
    false,
  );
  if (batchId === null) throw new Error("it was a dry run");
  const [after] = await db.sql<
    { id: string }[]
  >`select job_id as id from job_dependencies where parent_id = ${batchId}`;
  const last = ground.follow(after?.id ?? "");

  const events = tail.followBatch(batchId, 0);
  expect((await events.next()).value?.type).toBe("batch.enqueued");
  const running = () =>
    db.sql<{ pid: number }[]>`
      select w.pid from jobs j join workers w on w.id = j.worker_id
      where j.batch_id = ${batchId} and j.state = 'running' and j.pipeline = 'sleeps' limit 1`;
  await expect.poll(running, { timeout: 30_000, interval: 20 }).toHaveLength(1);
  const [{ pid } = { pid: 0 }] = await running();
  workers.find((worker) => worker.pid === pid)?.signal("SIGKILL");

  const completed = (await events.next()).value;
  expect(completed).toMatchObject({
    type: "batch.completed",
    data: { outcome: "failed", counts: { succeeded: 54, failed: 6 } },
  });
  expect((await events.next()).done).toBe(true);
  expect((await last.row()).state).toBe("blocked");

  // What failed has to succeed for the last job to run.
  await db.sql`
    update job_requests set inputs = '{"at": "nowhere"}' where job_id in (
      select id from jobs where batch_id = ${batchId} and state = 'failed'
    )`;
  const { done } = await actOnBatch(jobs, tester, batchId, { verb: "requeue", reason: "mended" });
  expect(done).toHaveLength(6);
  const again = tail.followBatch(batchId, completed?.seq ?? 0);
  const types: string[] = [];
  for await (const { type } of again) types.push(type);
  expect(types).toEqual(["batch.requeued", "batch.reopened", "batch.completed"]);
  expect(await last.ended()).toMatchObject({ state: "succeeded", attempt: 1 });
  const [{ ends } = { ends: 0 }] = await db.sql<{ ends: number }[]>`
    select count(*)::int as ends from batch_events where batch_id = ${batchId} and type = 'batch.completed'`;
  expect(ends).toBe(2);
}, 180_000);
