import { expect, it } from "vitest";
import { setQueueLimits } from "../../src/jobs/queues.ts";
import { openGround } from "../support/ground.ts";
import { tester } from "../support/jobs.ts";

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
