import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { connect, type Database } from "../../src/db/client.ts";
import { testDatabase } from "../support/database.ts";
import { times, World } from "./world.ts";

/** Of a failing schedule: SIMULATION_SEED=1234 runs it alone, with its trace. */
const only = process.env.SIMULATION_SEED;
const firstSeed = Number(only ?? 1);
const schedules = only === undefined ? Number(process.env.SIMULATION_SCHEDULES ?? 1000) : 1;

let db: Database;
const pools: Database[] = [];

beforeAll(async () => {
  db = await testDatabase({ max: 1, maxReads: 1 });
  await db.sql`set deadlock_timeout = '20ms'`;
  // Time stands still but for what a schedule lets pass, for all connections at once.
  await db.sql.unsafe(`
    create table flowerpower_queue.sim_clock (at timestamptz not null);
    insert into flowerpower_queue.sim_clock values (date_trunc('milliseconds', now()));
    create or replace function flowerpower_queue.queue_now() returns timestamptz
      language sql stable as 'select at from flowerpower_queue.sim_clock';
    do $$ begin execute format('alter database %I set deadlock_timeout = ''20ms''', current_database()); end $$`);
  for (let i = 0; i < 3; i += 1) pools.push(await connect(db.url, { max: 8, maxReads: 1 }));
  await vi.waitFor(
    async () => {
      const [up] = await db.sql<{ ms: number }[]>`
        select extract(epoch from now() - pg_postmaster_start_time())::float8 * 1000 as ms`;
      expect(up?.ms).toBeGreaterThan(times.leaseMs);
    },
    { timeout: 20_000, interval: 100 },
  );
});

afterAll(async () => {
  for (const pool of pools) await pool[Symbol.asyncDispose]();
  await db?.[Symbol.asyncDispose]();
});

it(`${schedules} schedules of crashes, lost connections and stalls lose nothing and do nothing twice`, async () => {
  let nowMs = Date.now();
  let steps = 0;
  const began = performance.now();
  for (let seed = firstSeed; seed < firstSeed + schedules; seed += 1) {
    const world = new World(seed, db, pools, nowMs);
    const wrong = await world.run();
    if (wrong.length > 0 || only !== undefined) console.log(world.scheduler.trace.join("\n"));
    expect(wrong, `SIMULATION_SEED=${seed}`).toEqual([]);
    nowMs = world.nowMs + 60_000;
    steps += world.scheduler.trace.length;
  }
  const seconds = (performance.now() - began) / 1000;
  console.log(`${schedules} schedules, ${steps} steps in ${seconds.toFixed(1)} s`);
}, 300_000);
