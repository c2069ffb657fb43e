import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { connect, type Database } from "../../src/db/client.ts";
import { testDatabase } from "../support/database.ts";
import { times, World } from "./world.ts";

/** Of a failing schedule: SIMULATION_SEED=1234 runs it alone and shows what happened. */
const only = process.env.SIMULATION_SEED;
const firstSeed = Number(only ?? 1);
const schedules = only === undefined ? Number(process.env.SIMULATION_SCHEDULES ?? 1000) : 1;

/** A database with the connections of each of its three places. Two of them keep both cores of a small machine busy. */
interface Lane {
  db: Database;
  pools: Database[];
}
const lanes: Lane[] = [];

async function openLane(): Promise<Lane> {
  const db = await testDatabase({ max: 1, maxReads: 1 });
  // Time stands still but for what a schedule lets pass, for all connections at once.
  await db.sql.unsafe(`
    create table flowerpower_queue.sim_clock (at timestamptz not null);
    insert into flowerpower_queue.sim_clock values (date_trunc('milliseconds', now()));
    create or replace function flowerpower_queue.queue_now() returns timestamptz
      language sql stable as 'select at from flowerpower_queue.sim_clock';
    do $$ begin
      execute format('alter database %I set deadlock_timeout = ''20ms''', current_database());
      -- A statement is planned once on each connection, not five times: tens of thousands are sent.
      execute format('alter database %I set plan_cache_mode = force_generic_plan', current_database());
    end $$`);
  const pools: Database[] = [];
  for (let place = 0; place < 3; place += 1) pools.push(await connect(db.url, { max: 8, maxReads: 1 }));
  return { db, pools };
}

beforeAll(async () => {
  for (let count = only === undefined ? 2 : 1; count > 0; count -= 1) lanes.push(await openLane());
  await vi.waitFor(
    async () => {
      const [up] = await (lanes[0] as Lane).db.sql<{ ms: number }[]>`
        select extract(epoch from now() - pg_postmaster_start_time())::float8 * 1000 as ms`;
      expect(up?.ms).toBeGreaterThan(times.leaseMs);
    },
    { timeout: 20_000, interval: 100 },
  );
});

afterAll(async () => {
  for (const { db, pools } of lanes) {
    for (const pool of pools) await pool[Symbol.asyncDispose]();
    await db[Symbol.asyncDispose]();
  }
});

it(`${schedules} schedules of crashes, lost connections and stalls lose nothing and do nothing twice`, async () => {
  const began = performance.now();
  let seed = firstSeed;
  let steps = 0;

  async function runIn({ db, pools }: Lane): Promise<void> {
    // Ahead of the real time, by which graphile-worker goes: whatever is due by ours is due by that.
    for (let nowMs = Date.now() + 86_400_000; seed < firstSeed + schedules; nowMs += 60_000) {
      const mine = seed;
      seed += 1;
      const world = new World(mine, db, pools, nowMs);
      const wrong = await world.run();
      if (wrong.length > 0 || only !== undefined) console.log(world.scheduler.trace.join("\n"));
      expect(wrong, `SIMULATION_SEED=${mine}`).toEqual([]);
      nowMs = world.nowMs;
      steps += world.scheduler.trace.length;
    }
  }

  await Promise.all(lanes.map(runIn));
  console.log(`${schedules} schedules, ${steps} steps, ${((performance.now() - began) / 1000).toFixed(1)} s`);
}, 300_000);
