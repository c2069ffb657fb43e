import { appendFile, cp } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { createQueue } from "../../src/jobs/create-queue.ts";
import { setQueueLimits } from "../../src/jobs/set-queue-limits.ts";
import { openGround } from "../support/ground.ts";
import { tester } from "../support/jobs.ts";
import { examples } from "../support/runtimes.ts";

const jobCount = 500;
const limit = 3;

it(`never lets more than ${limit} of ${jobCount} jobs run at once, over four worker processes, and ends them all`, async () => {
  await using ground = await openGround();
  await setQueueLimits(ground.jobs, tester, { name: "default", concurrencyLimit: limit });
  const workers = Array.from({ length: 4 }, () => ground.worker({ slots: 2 }));
  await Promise.all(workers.map((worker) => worker.said("ready")));
  await Promise.all(Array.from({ length: jobCount }, () => ground.enqueue("sleeps", { seconds: 0.01 })));

  const states = () =>
    ground.db.sql<{ state: string; jobs: number }[]>`select state, count(*)::int as jobs from jobs group by 1`;
  await expect.poll(states, { timeout: 150_000, interval: 250 }).toEqual([{ state: "succeeded", jobs: jobCount }]);

  // By the database's clock: how many attempts were open at the start of each.
  const [measured] = await ground.db.sql<{ most: number; workers: number }[]>`
    select max(open)::int as most, (select count(distinct worker_id)::int from attempts) as workers
    from (
      select (select count(*) from attempts o where o.started_at <= a.started_at and o.ended_at > a.started_at) as open
      from attempts a
    ) counted`;
  expect(measured?.most).toBeGreaterThan(1);
  expect(measured?.most).toBeLessThanOrEqual(limit);
  expect(measured?.workers).toBeGreaterThan(1);
}, 240_000);

it("runs one job at a time for each value of the input that a pipeline's YAML names, over workers and queues", async () => {
  await using ground = await openGround();
  const dir = join(ground.folder, "faults");
  await cp(join(examples, "faults"), dir, { recursive: true });
  const yaml = "job_queue:\n  concurrency: 1\n  concurrency_key: inputs.seconds\n";
  await appendFile(join(dir, "conf/pipelines/sleeps.yml"), yaml);
  await createQueue(ground.jobs, tester, {
    name: "other",
    concurrencyLimit: null,
    rateLimit: null,
    backlogLimit: null,
  });
  const workers = [1, 2].map(() => ground.worker({ slots: 2, projects: [{ name: "faults", dir }] }));
  await Promise.all(workers.map((worker) => worker.said("ready")));
  const jobs = await Promise.all(
    [0.1, 0.1, 0.11, 0.1, 0.11, 0.11].map((seconds, index) =>
      ground.enqueue("sleeps", { seconds }, { queue: index % 2 === 0 ? "default" : "other" }),
    ),
  );
  for (const job of jobs) expect(await job.ended()).toMatchObject({ state: "succeeded" });
  const [measured] = await ground.db.sql<{ ofOneKey: number; ofAll: number; keys: string[] }[]>`
    with runs as (
      select j.concurrency_key as key, a.started_at, a.ended_at from attempts a join jobs j on j.id = a.job_id
    )
    select max((select count(*) from runs o where o.key = r.key and o.started_at <= r.started_at and o.ended_at > r.started_at))::int
        as "ofOneKey",
      max((select count(*) from runs o where o.started_at <= r.started_at and o.ended_at > r.started_at))::int as "ofAll",
      array_agg(distinct r.key order by r.key) as keys
    from runs r`;
  expect(measured).toEqual({
    ofOneKey: 1,
    ofAll: 2,
    keys: ["faults/sleeps seconds=0.1", "faults/sleeps seconds=0.11"],
  });
}, 120_000);
