import { setTimeout as delay } from "node:timers/promises";
import { expect, it } from "vitest";
import type { EventRow } from "../../src/events/read.ts";
import { checkLog, type Ground, openGround } from "../support/ground.ts";
import type { TestProcess } from "../support/processes.ts";

const jobCount = 300;
const workerCount = 3;
const killEveryMs = 1000;
const killCount = 12;

/** Which worker is killed, and when within the second. Told when the test fails; another one is tried with E2E_SEED. */
const seed = Number(process.env.E2E_SEED ?? 20261123);

it(`loses none of ${jobCount} jobs while workers are killed at random (seed ${seed})`, async () => {
  await using ground = await openGround();
  const workers = Array.from({ length: workerCount }, () => ground.worker({ slots: 2 }));
  await Promise.all(workers.map((worker) => worker.said("ready")));

  const enqueued: string[] = [];
  const random = randomFrom(seed);
  const kills = killAtRandom(ground, workers, random);
  for (let i = 0; i < jobCount; i += 1) {
    enqueued.push((await ground.enqueue("sleeps", { seconds: 0.03 })).id);
    // Spread over the time in which workers die.
    await delay(((killCount * killEveryMs) / jobCount) * 2 * random());
  }
  await kills;

  await expect.poll(() => statesOf(ground), { timeout: 90_000, interval: 250 }).toEqual({ succeeded: jobCount });
  const events = await ground.db.sql<EventRow[]>`
    select job_id as "jobId", seq, type, attempt from events where job_id = any(${enqueued}::uuid[]) order by job_id, seq`;
  const byJob = Map.groupBy(events, ({ jobId }) => jobId);
  expect(byJob.size).toBe(jobCount);
  for (const log of byJob.values()) checkLog(log);

  const [told] = await ground.db.sql<{ lost: number; attempts: number; open: number }[]>`
    select (select sum(losses)::int from jobs) as lost, count(*)::int as attempts,
      count(*) filter (where ended_at is null)::int as open
    from attempts`;
  expect(told?.open).toBe(0);
  expect(told?.attempts).toBe(jobCount + (told?.lost ?? 0));
  expect(await ground.jobs.backend.depths(ground.db.sql)).toEqual([]);
  console.log(`${killCount} workers were killed, ${told?.lost} attempts were lost with them, no job was`);
}, 180_000);

/** Kills a worker about every second, at work or while it starts, and starts another in its place. */
async function killAtRandom(ground: Ground, workers: TestProcess[], random: () => number): Promise<void> {
  for (let count = 0; count < killCount; count += 1) {
    await delay(killEveryMs * 2 * random());
    const atWork = workers.filter(({ lines }) => lines.some(({ message }) => message === "ready"));
    const among = atWork.length > 0 && random() < 0.5 ? atWork : workers;
    const victim = among[Math.floor(random() * among.length)] as TestProcess;
    victim.signal("SIGKILL");
    workers[workers.indexOf(victim)] = ground.worker({ slots: 2 });
  }
}

async function statesOf(ground: Ground): Promise<Record<string, number>> {
  const rows = await ground.db.sql<{ state: string; jobs: number }[]>`
    select state, count(*)::int as jobs from jobs group by state`;
  return Object.fromEntries(rows.map(({ state, jobs }) => [state, jobs]));
}

/** Numbers from 0 to 1 that are the same for the same seed (mulberry32). */
function randomFrom(start: number): () => number {
  let state = start;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
