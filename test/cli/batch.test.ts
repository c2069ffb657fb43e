/** `batch` on a real server: what people type, what they read, how it ends. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { graphileWorker as backend } from "../../src/backends/graphile-worker/backend.ts";
import { axisOf } from "../../src/cli/input-sets.ts";
import type { Database } from "../../src/db/client.ts";
import { uuidOf } from "../../src/domain/ids.ts";
import { completeBatches } from "../../src/jobs/complete-batch.ts";
import { transition } from "../../src/jobs/transition.ts";
import { publishBakery } from "../schema/bakery.ts";
import { runCommand } from "../support/command.ts";
import { testDatabase } from "../support/database.ts";
import { startJob } from "../support/running.ts";
import { type TestServer, testServer } from "../support/server.ts";

let db: Database;
let server: TestServer;
let folder: string;
beforeAll(async () => {
  db = await testDatabase();
  await publishBakery(db);
  server = await testServer(db);
  folder = await mkdtemp(join(tmpdir(), "fpq-batch-"));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
  await server?.[Symbol.asyncDispose]();
  await db?.[Symbol.asyncDispose]();
});

const cli = (...argv: string[]) => runCommand(server.url, argv);

async function made(...argv: string[]): Promise<{ id: string; jobs: string[] }> {
  const { out } = await cli("batch", "enqueue", "bakery/bread", "--json", ...argv);
  const { batch } = JSON.parse(out);
  return { id: batch.id, jobs: await jobsOf(batch.id) };
}

async function jobsOf(batchId: string): Promise<string[]> {
  const rows = await db.sql<{ id: string }[]>`
    select id from jobs where batch_id = ${uuidOf("batch", batchId)} order by id`;
  return rows.map(({ id }) => id);
}

async function end(ids: readonly string[], name: "succeed" | "fail") {
  for (const id of ids) {
    const attempt = (await startJob(db, id))?.attempt ?? 0;
    const error = { kind: "PIPELINE", type: "ValueError", message: "no", node: null } as const;
    const data = name === "succeed" ? {} : { error };
    await db.sql.begin((tx) => transition(tx, backend, name, [{ id, attempt, data: data as never }]));
  }
  server.jobs.wakeups.ring("events", ids);
  await completeBatches(server.jobs, null);
}

async function inputsOf(batchId: string) {
  const rows = await db.sql<{ inputs: object }[]>`
    select r.inputs from jobs j join job_requests r on r.job_id = j.id
    where j.batch_id = ${uuidOf("batch", batchId)} order by j.id`;
  return rows.map(({ inputs }) => inputs);
}

describe("batch enqueue", () => {
  it("makes a job for each value of a sweep, read as the input wants it", async () => {
    const { id } = await made("--sweep", "flour=1,2,3", "-n", "bake off", "--tag", "trial");
    expect(await inputsOf(id)).toEqual([{ flour: 1 }, { flour: 2 }, { flour: 3 }]);
    const { out, code } = await cli("batch", "enqueue", "bread", "--sweep", "flour=1..4");
    expect(out).toMatch(/^→ bat_\w{26} accepted: 4 jobs\n$/);
    expect(code).toBe(0);
  });

  it("reads input sets from a file: JSON lines, or CSV in which what is empty is left out", async () => {
    const [lines, csv] = [join(folder, "sets.jsonl"), join(folder, "sets.csv")];
    await writeFile(lines, '{"flour": 1}\n\n{"flour": 2}\n');
    await writeFile(csv, '\uFEFFflour\r\n"7"\r\n\r\n8');
    expect(await inputsOf((await made("--file", lines)).id)).toEqual([{ flour: 1 }, { flour: 2 }]);
    expect(await inputsOf((await made("--file", csv)).id)).toEqual([{ flour: 7 }, { flour: 8 }]);
  });

  it("shows in a dry run what it would be", async () => {
    const { out } = await cli("batch", "enqueue", "bakery/bread", "--sweep", "flour=1..12", "--dry-run");
    expect(out.split("\n").slice(0, 2)).toEqual(['{"flour":1}', '{"flour":2}']);
    expect(out).toContain("It would be 12 jobs, of which these are the first 10. Nothing was stored.");
  });

  it("names what does not fit, and ends with 2", async () => {
    const wrong = await cli("batch", "enqueue", "bakery/bread", "--sweep", "flour=1,much");
    expect(wrong.err).toMatch(/^✗ combination 2: flour .*\n1 of 2 jobs cannot be made/);
    expect(wrong.code).toBe(2);
    for (const [argv, message] of [
      [["--sweep", "flour=1", "--file", "x"], "either --sweep name=values, or --file"],
      [[], "either --sweep name=values, or --file"],
      [["--sweep", "flour=1", "--on-complete-input", "flour=1"], "need --on-complete"],
      [["--file", "/nowhere.csv"], "--file /nowhere.csv cannot be read"],
      [["--sweep", "flour=5..1"], "it ends before it begins"],
    ] as const) {
      expect(await cli("batch", "enqueue", "bakery/bread", ...argv)).toMatchObject({
        code: 2,
        err: expect.stringContaining(message),
      });
    }
  });

  it("waits for the end of all, and ends with how they did", async () => {
    for (const [name, code, state] of [
      ["succeed", 0, "succeeded"],
      ["fail", 1, "failed"],
    ] as const) {
      const { id, jobs } = await made("--sweep", "flour=1,2");
      const watching = cli("batch", "watch", id.slice(-6));
      await end(jobs, name);
      const { out, code: ended } = await watching;
      expect(ended).toBe(code);
      expect(out.trim().split("\n").at(-1)).toMatch(new RegExp(`^${id} ${state}  2/2`));
    }
  });
});

describe("what is there", () => {
  it("is listed, shown and found by the jobs' own commands", async () => {
    const { id, jobs } = await made("--sweep", "flour=1,2", "-n", "second", "--on-complete", "bakery/bread");
    await end(jobs.slice(0, 1), "succeed");
    const list = await cli("batch", "list", "--open", "-n", "1");
    expect(list.out).toMatch(/BATCH +STATE +NAME/);
    expect(list.out).toContain(id.slice(-6));
    expect(list.out).toContain("1/2  1 queued");
    const { out } = await cli("batch", "show", "@last");
    expect(out).toContain("second (bakery/bread)  RUNNING");
    expect(out).toMatch(/then +…\w{6} bakery\/bread blocked/);
    expect(out).toContain("2 jobs enqueued");
    const found = JSON.parse((await cli("jobs", "--json", "--batch", id.slice(-6), "--state", "queued")).out);
    expect(found).toHaveLength(1);
    expect(JSON.parse((await cli("batch", "list", "--json", "-n", "1")).out)[0].id).toBe(id);
    expect((await cli("batch", "show", "zzzzzz")).code).toBe(2);
  });

  it("is cancelled and requeued as a whole", async () => {
    const { id, jobs } = await made("--sweep", "flour=1,2,3");
    expect((await cli("batch", "cancel", id, "--reason", "wrong flour")).out).toBe(
      "3 jobs are cancelled, or asked to stop.\n",
    );
    await completeBatches(server.jobs, null);
    expect((await cli("batch", "watch", id)).code).toBe(3);
    expect((await cli("batch", "requeue", id)).out).toBe("3 jobs are queued again.\n");
    const again = cli("batch", "requeue", id, "--wait");
    await end(jobs, "succeed");
    const waited = await again;
    expect(waited.out).toMatch(/^0 jobs are queued again\.\n/);
    expect(waited.code).toBe(0);
    const { out } = await cli("batch", "show", id);
    expect(out).toContain("3 jobs to be cancelled by local: wrong flour");
    expect(out).toContain("complete: 3 succeeded");
  });
});

describe("values of a sweep", () => {
  const schemas = new Map([
    ["n", { type: "integer" }],
    ["day", { type: "string", format: "date" }],
    ["names", { type: "array" }],
  ]);

  it.each([
    ["n=1,2", [1, 2]],
    ["n=-1..1", [-1, 0, 1]],
    ["day=2024-02-28..2024-03-01", ["2024-02-28", "2024-02-29", "2024-03-01"]],
    ["day=2024-01-01", ["2024-01-01"]],
    ["day=a..b", ["a..b"]],
    ['names=[["a","b"],["c"]]', [["a", "b"], ["c"]]],
    ['day=["2024-01-01, early"]', ["2024-01-01, early"]],
    ["other=1, two", ["1", "two"]],
  ])("%s", (pair, values) => expect(axisOf(pair, schemas).values).toEqual(values));

  it.each(["n", "=1", "n=", "n=1,,2", "n=3..1", "n=1..20000", "n=[1", "n=[]"])("refuses %s", (pair) =>
    expect(() => axisOf(pair, schemas)).toThrow(),
  );
});
