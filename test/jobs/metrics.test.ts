import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { graphileWorker as backend } from "../../src/backends/graphile-worker/backend.ts";
import type { Database } from "../../src/db/client.ts";
import { lastSlot, percentileMs, slotStartMs } from "../../src/domain/histogram.ts";
import { countEnded, pruneMetrics, type Resolution, readMetrics, together } from "../../src/jobs/metrics.ts";
import { transition } from "../../src/jobs/transition.ts";
import { countAll } from "../support/counted.ts";
import { testDatabase } from "../support/database.ts";
import { finishJob, insertJob, requeueJob } from "../support/factories.ts";
import { queuedJob, startJob } from "../support/running.ts";

let db: Database;
beforeAll(async () => {
  db = await testDatabase();
});
beforeEach(async () => {
  await countAll(db);
  await db.sql`truncate metrics`;
});
afterAll(() => db[Symbol.asyncDispose]());

async function total(resolution: Resolution = "day", given: { pipeline?: string } = {}) {
  const [from, to] = [new Date(Date.now() - 86_400_000 * 2), new Date(Date.now() + 86_400_000)];
  const buckets = await readMetrics(db.sql, {
    ...{ from, to, resolution, project: null, queue: null },
    pipeline: given.pipeline ?? null,
  });
  return together(buckets.values());
}

/** The id of a job whose first attempt is under way. */
async function started(): Promise<string> {
  const id = await queuedJob(db);
  await startJob(db, id);
  return id;
}

/** Moves what a job's last attempt says of its times. */
async function took(id: string, { waitedMs, ranMs }: { waitedMs: number; ranMs: number }): Promise<void> {
  await db.sql`
    update attempts a set started_at = j.run_at + make_interval(secs => ${waitedMs / 1000}::float8),
      ended_at = j.run_at + make_interval(secs => ${(waitedMs + ranMs) / 1000}::float8)
    from jobs j where a.job_id = ${id} and j.id = ${id} and a.life = j.life and a.attempt = j.attempt`;
}

const succeed = (id: string, attempt = 1) =>
  transition(db.sql, backend, "succeed", [{ id, attempt, data: { results: [] } as never }]);

describe("countEnded", () => {
  it("counts each life once, with its state, wait and run time, however often it is called", async () => {
    const id = await started();
    await succeed(id);
    await took(id, { waitedMs: 4000, ranMs: 10_000 });
    await insertJob(db, { state: "cancelled" });
    await insertJob(db, { state: "running" });
    await Promise.all([1, 2, 3, 4].map(() => countEnded(db)));
    await countAll(db);
    for (const resolution of ["minute", "hour", "day"] as const) {
      const { ended, wait, run } = await total(resolution);
      expect(Object.fromEntries(ended)).toEqual({ succeeded: 1, cancelled: 1 });
      expect([...wait.values()]).toEqual([1]);
      expect(percentileMs(wait, 0.5)).toSatisfy((ms: number) => ms > 3600 && ms < 4400);
      expect(percentileMs(run, 0.5)).toSatisfy((ms: number) => ms > 9000 && ms < 11_000);
    }
  });

  it("counts a job that was requeued once for each life, also when it was requeued before it was counted", async () => {
    const id = await started();
    await succeed(id);
    await took(id, { waitedMs: 0, ranMs: 1000 });
    await db.sql.begin((sql) => requeueJob(sql, id));
    await countAll(db);
    expect((await total()).ended.get("succeeded")).toBe(1);
    const again = await startJob(db, id);
    await succeed(id, again!.attempt);
    await took(id, { waitedMs: 64_000, ranMs: 1000 });
    await countAll(db);
    const { ended, wait, run } = await total();
    expect(ended.get("succeeded")).toBe(2);
    expect(run.values().reduce((sum, count) => sum + count, 0)).toBe(2);
    expect(percentileMs(wait, 1)).toSatisfy((ms: number) => ms > 60_000 && ms < 77_000);
  });

  it("counts the wait of a job that was tried again from when it was first due", async () => {
    const id = await started();
    await db.sql`update jobs set created_at = queue_now() - interval '1 hour' where id = ${id}`;
    const data = { error: null, delayMs: 0 } as never;
    await transition(db.sql, backend, "retry", [
      { id, attempt: 1, failures: 1, maxAttempts: 3, errorKind: "PIPELINE", data },
    ]);
    await db.sql`update jobs set state = 'queued' where id = ${id}`;
    const again = await startJob(db, id);
    await succeed(id, again!.attempt);
    await countAll(db);
    // As its first event has it: the job says when it is due again, and when it was made.
    expect(percentileMs((await total()).wait, 1)).toBeLessThan(30_000);
    expect((await total()).wait.size).toBe(1);
  });

  it("misses nothing of transactions that commit in the other order, and counts nothing twice", async () => {
    const [first, second] = [await insertJob(db), await insertJob(db)];
    await db.sql.begin(async (early) => {
      await finishJob(early, first);
      await db.sql.begin((late) => finishJob(late, second));
      await countEnded(db);
      // The one that is open may still write before it.
      expect((await total()).ended.size).toBe(0);
    });
    await countAll(db);
    expect((await total()).ended.get("succeeded")).toBe(2);
  });

  it("counts all, while eight writers end jobs and three processes count", async () => {
    let writing = true;
    const counters = [1, 2, 3].map(async () => {
      while (writing) await countEnded(db);
    });
    await Promise.all(
      Array.from({ length: 8 }, async () => {
        for (let n = 0; n < 25; n += 1) await insertJob(db, { state: "succeeded", pipeline: "busy" });
      }),
    );
    writing = false;
    await Promise.all(counters);
    await countAll(db);
    expect((await total("day", { pipeline: "busy" })).ended.get("succeeded")).toBe(200);
  });
});

describe("pruneMetrics", () => {
  it("forgets minutes after two days, hours after sixty, days after three years", async () => {
    for (const days of [1, 3, 59, 61, 1000, 1100]) {
      await db.sql`
        insert into metrics (resolution, at, project, pipeline, queue, state, measure, slot, count)
        select r, queue_now() - make_interval(days => ${days}::int), 'p', ${randomUUID()}, 'q', 'succeeded', 'ended', 0, 1
        from unnest(array['minute', 'hour', 'day']) r`;
    }
    await pruneMetrics(db.sql);
    const left = await db.sql`select resolution, count(*)::int as count from metrics group by 1 order by 1`;
    expect([...left]).toEqual([
      { resolution: "day", count: 5 },
      { resolution: "hour", count: 3 },
      { resolution: "minute", count: 1 },
    ]);
  });
});

describe("percentileMs", () => {
  it("is off by less than a tenth", () => {
    const times = Array.from({ length: 10_000 }, (_, n) => 5 + n * 3);
    const histogram = new Map<number, number>();
    for (const ms of times) {
      const slot = Array.from({ length: lastSlot + 1 }, (_, n) => n).findLast((n) => slotStartMs(n) <= ms) as number;
      histogram.set(slot, (histogram.get(slot) ?? 0) + 1);
    }
    for (const q of [0.01, 0.5, 0.95, 0.99, 1]) {
      const exact = times[Math.min(times.length - 1, Math.floor(q * times.length))] as number;
      expect(Math.abs((percentileMs(histogram, q) as number) - exact) / exact).toBeLessThan(0.1);
    }
    expect(percentileMs(new Map(), 0.5)).toBeNull();
  });
});
