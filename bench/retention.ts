/**
 * What enqueuing feels of a prune: an enqueue every 10 ms, whose jobs run and end, first with nothing to prune, then while
 * jobs that ended 40 days ago are pruned as servers and workers do it. `BENCH_JOBS=1000000` for the full size.
 */
import { setTimeout as delay } from "node:timers/promises";
import { retentionDefaults } from "../src/domain/retention.ts";
import { startRetention } from "../src/jobs/retention.ts";
import { startWorker } from "../src/worker/worker.ts";
import { type Ground, type Line, newJob, quantile } from "./support.ts";
import { nothing } from "./throughput.ts";

const old = Number(process.env.BENCH_JOBS ?? 100_000);
const eventsOfJob = 6;
const idleMs = 15_000;
const everyMs = 10;

export async function retention(ground: Ground): Promise<Line[]> {
  await using database = await ground.database();
  const { db, jobs } = database;
  await fill(db.sql);
  const worker = await startWorker(jobs, {
    slots: 4,
    version: "bench",
    projects: [],
    workDir: "/nonexistent",
    instead: { lanes: ["run/bench/default"], execute: nothing },
    log: () => {},
  });
  try {
    const [{ before } = { before: 0 }] = await db.sql<{ before: number }[]>`
      select count(*)::int as before from jobs where pipeline = 'old'`;
    await enqueueUntil(jobs, delay(3000)); // warm
    const idle = await enqueueUntil(jobs, delay(idleMs));
    const startedAt = performance.now();
    const pruning = startRetention(db, retentionDefaults, () => {});
    const during = await enqueueUntil(jobs, untilPruned(db.sql));
    const seconds = (performance.now() - startedAt) / 1000;
    await pruning[Symbol.asyncDispose]();
    return [
      { what: `enqueue, p50, ${old.toLocaleString("en")} old jobs that stay`, value: quantile(idle, 0.5), unit: "ms" },
      { what: "enqueue, p99", value: quantile(idle, 0.99), unit: "ms" },
      { what: "enqueue while they are pruned, p50", value: quantile(during, 0.5), unit: "ms" },
      { what: "enqueue while they are pruned, p99", value: quantile(during, 0.99), unit: "ms" },
      { what: "  p99, ratio", value: quantile(during, 0.99) / quantile(idle, 0.99), unit: "×" },
      { what: "pruned", value: before / seconds, unit: "jobs/s" },
    ];
  } finally {
    await worker.stop({ graceMs: 1000 });
  }
}

type Enqueuing = Parameters<typeof startWorker>[0];

/** Milliseconds that each enqueue took. */
async function enqueueUntil(jobs: Enqueuing, done: Promise<unknown>): Promise<number[]> {
  const taken: number[] = [];
  const pending = new Set<Promise<void>>();
  let over = false;
  void done.finally(() => {
    over = true;
  });
  while (!over) {
    const startedAt = performance.now();
    const one = jobs.insert(newJob(jobs.db)).then(() => {
      taken.push(performance.now() - startedAt);
      pending.delete(one);
    });
    pending.add(one);
    await delay(everyMs);
  }
  await Promise.all(pending);
  return taken;
}

async function untilPruned(sql: Enqueuing["db"]["sql"]): Promise<void> {
  for (;;) {
    await delay(500);
    const [left] = await sql`select 1 from jobs where project = 'bench' and pipeline = 'old' offset 20 limit 1`;
    if (left === undefined) return;
  }
}

/** Jobs with request, attempt and events, made one a second and ended 40 days ago or earlier. */
async function fill(sql: Enqueuing["db"]["sql"]): Promise<void> {
  await sql`
    insert into workers (id, process, host, pid, version, slots, projects, state, started_at, heartbeat_at, ended_at)
    values ('00000000-0000-7000-8000-000000000001', 'bench', 'bench', 1, '0', 1, '[]', 'stopped', queue_now(), queue_now(),
      queue_now())`;
  for (let from = 0; from < old; from += 50_000) {
    const to = Math.min(from + 50_000, old);
    await sql`
      with made as (
        insert into jobs (id, project, pipeline, queue, state, priority, attempt, max_attempts, max_losses, on_worker_lost,
          last_seq, created_at, run_at, started_at, finished_at)
        select (lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || '70008000' || lpad(to_hex(n), 12, '0'))::uuid,
          'bench', 'old', 'default', 'succeeded', 50, 1, 1, 3, 'retry', ${eventsOfJob}, at, at, at, at
        from (
          select n, queue_now() - interval '40 days' - (${old}::int - n) * interval '1 second' as at
          from generate_series(${from}::int, ${to - 1}::int) n
        ) t
        returning id, created_at
      ), requests as (
        insert into job_requests (job_id, inputs, config, options, tags, actor)
        select id, '{"n": 1}', '{}', '{}', '[]', 'bench' from made
      ), tries as (
        insert into attempts (job_id, attempt, id, life, run_token, worker_id, started_at, ended_at, outcome)
        select id, 1, id, 1, gen_random_uuid(), '00000000-0000-7000-8000-000000000001', created_at, created_at, 'succeed' from made
      )
      insert into events (job_id, seq, life, attempt, type, version, recorded_at, occurred_at, data)
      select id, n, 1, 1, case when n = ${eventsOfJob} then 'job.succeeded' else 'node.started' end, 1, created_at, created_at, '{}'
      from made cross join generate_series(1, ${eventsOfJob}::int) n`;
  }
  await sql`vacuum analyze`;
}
