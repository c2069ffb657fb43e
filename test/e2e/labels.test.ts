/** Jobs that need labels go to workers that have them all, and to no others. */
import { join } from "node:path";
import { expect, it } from "vitest";
import { idText } from "../../src/domain/ids.ts";
import { requeueJob } from "../../src/jobs/requeue.ts";
import { eventually } from "../support/eventually.ts";
import { openGround } from "../support/ground.ts";
import { testServer } from "../support/server.ts";

it("runs each job on a worker that has all that it needs, and says what is missing", async () => {
  await using ground = await openGround();
  await using server = await testServer(ground.db);
  const waitingFor = async (id: string) => {
    const { data, errors } = await server.post("query ($id: ID!) { job(id: $id) { waitingFor needs } }", {
      id: idText("job", id),
    });
    expect(errors).toBeUndefined();
    return data.job;
  };
  const workerOf = async (id: string) => {
    const [row] = await ground.db.sql<{ labels: string[] }[]>`
      select w.labels from jobs j join workers w on w.id = j.worker_id where j.id = ${id}`;
    return row?.labels;
  };
  const plain = ground.worker({ slots: 2 });
  await plain.said("ready");
  const enqueue = (needs: string[]) => ground.enqueue("sleeps", { seconds: 0 }, { options: { needs } });
  const gpu = await enqueue(["gpu"]);
  const both = await enqueue(["region=eu", "gpu", "gpu"]);
  const other = await enqueue(["tpu"]);
  // The worker without labels has taken what came later, so it would have taken these.
  const any = await enqueue([]);
  expect(await any.ended()).toMatchObject({ state: "succeeded" });
  expect(await waitingFor(gpu.id)).toEqual({ waitingFor: "no worker has the label gpu", needs: ["gpu"] });
  expect(await waitingFor(both.id)).toEqual({
    waitingFor: "no worker has the labels gpu, region=eu",
    needs: ["gpu", "region=eu"],
  });

  const able = ground.worker({ labels: ["gpu", "region=eu", "ssd"] });
  await able.said("ready");
  for (const job of [gpu, both]) {
    expect(await job.ended()).toMatchObject({ state: "succeeded", attempt: 1 });
    expect(await workerOf(job.id)).toEqual(["gpu", "region=eu", "ssd"]);
  }
  expect(await other.row()).toMatchObject({ state: "queued", attempt: 0 });
  expect(await waitingFor(other.id)).toMatchObject({ waitingFor: "no worker has the label tpu" });

  // What the worker with labels takes besides: a job that needs none, when the other is gone.
  plain.signal("SIGTERM");
  expect(await plain.ended()).toEqual({ code: 0, signal: null });
  const none = await enqueue([]);
  await none.ended();
  expect(await workerOf(none.id)).toEqual(["gpu", "region=eu", "ssd"]);

  const plainAgain = async () => void (await ground.worker({ slots: 2 }).said("ready"));
  // Requeued, it needs what it needed.
  const failing = await ground.enqueue("fails", {}, { options: { needs: ["gpu"] } });
  expect(await failing.ended()).toMatchObject({ state: "failed", attempt: 1 });
  await plainAgain();
  await requeueJob(
    ground.jobs,
    { name: "test", requestId: null },
    { jobId: failing.id, reason: null, expiresAt: null },
  );
  await eventually(async () => expect(await failing.row()).toMatchObject({ state: "failed", attempt: 2 }));
  expect(await workerOf(failing.id)).toEqual(["gpu", "region=eu", "ssd"]);
}, 90_000);

it("tells labels that are there, but not on one worker", async () => {
  await using ground = await openGround();
  await using server = await testServer(ground.db);
  const dir = join(ground.folder, "nowhere");
  for (const label of ["gpu", "ssd"]) {
    await ground.db.sql`
      insert into workers (id, process, host, pid, version, slots, projects, labels, state, started_at, heartbeat_at)
      values (${ground.db.ids.next()}, ${label}, 'elsewhere', 1, '1', 1, ${ground.db.sql.json([{ name: "bikes", root: dir }])},
        ${[label]}::text[], 'running', queue_now(), queue_now())`;
  }
  const [job] = await ground.db.sql<{ id: string }[]>`
    insert into jobs (id, project, pipeline, queue, state, priority, max_attempts, max_losses, on_worker_lost, last_seq,
      created_at, run_at, needs)
    values (${ground.db.ids.next()}, 'bikes', 'daily', 'default', 'queued', 50, 1, 1, 'retry', 1, queue_now(), queue_now(),
      '{gpu,ssd}')
    returning id`;
  const { data } = await server.post("query ($id: ID!) { job(id: $id) { waitingFor } }", {
    id: idText("job", job?.id ?? ""),
  });
  expect(data.job.waitingFor).toBe("no worker has all the labels gpu, ssd");
});
