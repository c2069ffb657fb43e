import { randomUUID } from "node:crypto";
import type { Database } from "../../src/db/client.ts";
import { publishProject } from "../../src/pipelines/publish.ts";
import { input, pipeline, project } from "../pipelines/descriptions.ts";

/** A project `bakery` with a pipeline `bread` (an optional input `flour` of type int), and one that is broken. */
export async function publishBakery(db: Database): Promise<void> {
  const bread = pipeline({
    name: "bread",
    inputs: [input("flour", { type: "int", schema: { type: "integer" }, required: false })],
  });
  const broken = pipeline({ name: "cake", status: "broken" });
  await publishProject(db, null, {
    name: "bakery",
    project: project({ name: "bakery" }),
    pipelines: [bread, broken],
    environment: {
      python: { version: "3.11.7", executable: "/usr/bin/python3", source: ".venv" },
      packages: { flowerpower: "0.37.0", hamilton: "1.90.0" },
    },
  });
}

/** A job with its request, `attempts` ended attempts, `nodes` node runs in each, and a result in the last. Returns its id. */
export async function insertRun(db: Database, { attempts = 2, nodes = 3 } = {}): Promise<string> {
  const id = db.ids.next();
  const workerId = randomUUID();
  await db.sql.begin(async (sql) => {
    await sql`
      insert into workers (id, process, host, pid, version, slots, projects, state, started_at, heartbeat_at)
      values (${workerId}, ${workerId}, 'localhost', 1, '0.0.0', 1, '[]', 'running', queue_now(), queue_now())`;
    await sql`
      insert into jobs (id, project, pipeline, queue, state, priority, attempt, failures, max_attempts, max_losses, on_worker_lost,
        last_seq, worker_id, created_at, run_at, started_at, finished_at, error_kind)
      values (${id}, 'bakery', 'bread', 'default', 'failed', 50, ${attempts}, ${attempts}, ${attempts}, 3, 'retry', 1, ${workerId},
        queue_now(), queue_now(), queue_now(), queue_now(), 'PIPELINE')`;
    await sql`
      insert into events (job_id, seq, life, attempt, type, version, recorded_at, occurred_at, data)
      values (${id}, 1, 1, ${attempts}, 'job.failed', 1, queue_now(), queue_now(), ${sql.json({
        error: { kind: "PIPELINE", type: "ValueError", message: "no flour", node: "dough" },
      })})`;
    await sql`
      insert into job_requests (job_id, inputs, final_vars, config, options, retry, tags, actor, plan)
      values (${id}, '{"flour": 3}', null, '{}', '{"logLevel": "INFO"}', null, '["morning"]', 'test',
        '{"codeHash": "c0de", "path": ["flour", "dough"]}')`;
    await sql`insert into job_tags (tag, job_id) values ('morning', ${id})`;
    for (let attempt = 1; attempt <= attempts; attempt += 1) {
      await sql`
        insert into attempts (job_id, attempt, id, life, run_token, worker_id, started_at, ended_at, outcome, error_kind, error, context)
        values (${id}, ${attempt}, ${randomUUID()}, 1, ${randomUUID()}, ${workerId}, queue_now(), queue_now() + interval '1 s',
          ${attempt === attempts ? "fail" : "retry"}, 'PIPELINE',
          '{"kind": "PIPELINE", "type": "ValueError", "message": "no flour", "node": "dough", "problems": []}',
          ${sql.json({ path: [...Array.from({ length: nodes }, (_, n) => `node_${n + 1}`), "oven"] })})`;
      await sql`
        insert into node_runs (job_id, attempt, node, first_seq, state, started_at, ended_at, duration_ms, summary)
        select ${id}, ${attempt}, 'node_' || n, 2 * n, 'succeeded', queue_now() + n * interval '1 ms', queue_now(), 1.5,
          '{"type": "int", "shape": null, "length": null, "bytes": 28, "columns": null, "preview": "3"}'
        from generate_series(1, ${nodes}::int) n`;
      await sql`
        insert into artifacts (id, job_id, attempt, name, kind, has_value, value, summary)
        values (${randomUUID()}, ${id}, ${attempt}, 'dough', 'result', true, '[1, 2]', '{"type": "list"}')`;
    }
  });
  return id;
}
