/** The commands that look at what has been, and do it again, against a real server. */
import { EventEmitter } from "node:events";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCli } from "../../src/cli/program.ts";
import { CodeChangedError, createClient, JobStateError } from "../../src/client/client.ts";
import type { Database } from "../../src/db/client.ts";
import { idText, uuidOf } from "../../src/domain/ids.ts";
import { insertRun, publishBakery } from "../schema/bakery.ts";
import { testDatabase } from "../support/database.ts";
import { eventually } from "../support/eventually.ts";
import { finishJob } from "../support/factories.ts";
import { type TestServer, testServer } from "../support/server.ts";

let db: Database;
let server: TestServer;

beforeAll(async () => {
  db = await testDatabase();
  await publishBakery(db);
  server = await testServer(db);
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await db[Symbol.asyncDispose]();
});

function started(argv: string[]) {
  const written = { out: "", err: "" };
  const into = (stream: keyof typeof written) => ({
    write(text: string) {
      written[stream] += text;
    },
  });
  const ended = runCli(argv, {
    env: { FLOWERPOWER_QUEUE_URL: server.url, LANG: "C.UTF-8" },
    cwd: "/",
    stdout: into("out"),
    stderr: into("err"),
    signals: new EventEmitter(),
  });
  return { written, ended };
}

async function run(...argv: string[]) {
  const { written, ended } = started(argv);
  const code = await ended;
  return { code, ...written };
}

const failedRun = async () => idText("job", await insertRun(db));

async function finish(id: string): Promise<void> {
  const uuid = uuidOf("job", id) as string;
  await db.sql.begin((sql) => finishJob(sql, uuid));
  server.jobs.wakeups.ring("events", [uuid]);
}

describe("requeue", () => {
  it("says what comes next, once", async () => {
    const id = await failedRun();
    const { code, out } = await run("requeue", id.slice(-10), "--reason", "the oven is hot again");
    expect(code).toBe(0);
    expect(out).toBe(`${id} is queued again, attempt 3 is next, waits: no worker has project bakery\n`);
    const again = await run("requeue", id);
    expect(again).toMatchObject({ code: 2, out: "", err: expect.stringContaining("only when it has ended") });
  });

  it("with --follow tells of the next life alone", async () => {
    const id = await failedRun();
    const { written, ended } = started(["requeue", id, "--follow", "--json"]);
    await eventually(async () => {
      const [row] = await db.sql`select state from jobs where id = ${uuidOf("job", id)}`;
      expect(row?.state).toBe("queued");
    });
    await finish(id);
    expect(await ended).toBe(0);
    const types = written.out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line).__typename);
    expect(types).toEqual(["JobSucceeded", "Job"]);
  });
});

describe("rerun", () => {
  it("makes a new job with what the flags change, and `job` shows how the two belong together", async () => {
    const id = await failedRun();
    const flags = ["--input", "flour=9", "--reuse", "resume", "--recompute", "dough", "--tag", "again"];
    const { code, out } = await run("rerun", id, ...flags);
    expect(code).toBe(0);
    expect(out).toMatch(
      /^→ job_\w{26} accepted: bakery\/bread, 2 nodes will run, waits: no worker .*, rerun of \w{6}\n$/,
    );
    const [made] = /job_\w{26}/.exec(out) as RegExpExecArray;
    expect(JSON.parse((await run("job", made, "--json")).out)).toMatchObject({
      inputs: { flour: 9 },
      tags: ["again"],
      options: { reuse: "RESUME", recompute: ["dough"] },
      rerunOf: { id },
      reruns: { nodes: [] },
    });
    expect((await run("job", made)).out).toMatch(new RegExp(`rerun of +${id}`));
    expect((await run("job", id)).out).toMatch(new RegExp(`reruns +${made.slice(-6)} queued`));
    await finish(made);
    expect((await run("job", id)).out).toMatch(new RegExp(`resolved by +${made}`));
  });

  it("with --plan only says what it would do", async () => {
    const id = await failedRun();
    const { code, out } = await run("rerun", id, "--input", "flour=9", "--plan");
    expect(code).toBe(0);
    expect(out).toContain("bakery/bread");
    expect(out).toContain("flour");
    expect((await run("rerun", id, "--input", "flour=much", "--plan")).code).toBe(2);
    const unset = await run("rerun", id, "--unset", "flur", "--plan");
    expect(unset).toMatchObject({ code: 2, err: expect.stringContaining("Did you mean flour?") });
    expect(JSON.parse((await run("job", id, "--json")).out).reruns.nodes).toEqual([]);
  });

  it("takes inputs away, and waits for the end", async () => {
    const id = await failedRun();
    const { written, ended } = started(["rerun", id, "--unset", "flour", "--wait"]);
    await eventually(() => expect(written.out).toContain("job_"));
    const [made] = /job_\w{26}/.exec(written.out) as RegExpExecArray;
    const [request] = await db.sql`select inputs from job_requests where job_id = ${uuidOf("job", made)}`;
    expect(request).toEqual({ inputs: {} });
    await finish(made);
    expect(await ended).toBe(0);
    expect(written.out).toContain(`${made} succeeded`);
  });

  it.each([
    [["--input", "flour=much"], "inputs.flour: "],
    [["--unset", "flur"], "Did you mean flour?"],
    [["--code", "same"], "Rerun it with the current code."],
    [["--reuse", "some"], "It is none of"],
    [["--project", "other"], "unknown option '--project'"],
  ])("ends with 2 and one message for %j", async (flags, message) => {
    const id = await failedRun();
    await db.sql`update job_requests set plan = null where job_id = ${uuidOf("job", id)}`;
    const { code, out, err } = await run("rerun", id, ...flags);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toContain(message);
  });

  it("is a method of the client, with errors of its own", async () => {
    await using client = createClient({ url: `${server.url}/graphql` });
    const id = await failedRun();
    await db.sql`update attempts set code_hash = '01d' where job_id = ${uuidOf("job", id)}`;
    const refused = client.rerun({ id, code: "SAME" });
    await expect(refused).rejects.toBeInstanceOf(CodeChangedError);
    await expect(refused).rejects.toMatchObject({ ran: "01d", published: "c0de" });
    const [one, same] = [
      await client.rerun({ id, idempotencyKey: "k" }),
      await client.rerun({ id, idempotencyKey: "k" }),
    ];
    expect([one.replayed, same.replayed, same.job.id]).toEqual([false, true, one.job.id]);
    await client.requeue(id);
    await expect(client.requeue(id)).rejects.toBeInstanceOf(JobStateError);
  });
});

describe("compare", () => {
  it("tells what differs, and nothing else", async () => {
    const [a, b] = [await failedRun(), await failedRun()];
    expect((await run("compare", a, b)).out).toContain("Nothing differs but the time that things took.");
    const uuid = uuidOf("job", b) as string;
    await db.sql`update job_requests set inputs = '{"flour": 4, "oven_token": "t0k"}' where job_id = ${uuid}`;
    await db.sql`update jobs set queue = 'default', priority = 60 where id = ${uuid}`;
    await db.sql`update node_runs set state = 'failed' where job_id = ${uuid} and node = 'node_2' and attempt = 2`;
    await db.sql`update artifacts set value = '[1, 2, 3]' where job_id = ${uuid}`;
    await db.sql`update attempts set code_hash = 'abcdef0123', error = '{"kind": "PIPELINE", "type": "KeyError", "message": "x"}' where job_id = ${uuid}`;
    const { code, out } = await run("compare", a, b);
    expect(code).toBe(0);
    expect(out).not.toContain("t0k");
    expect(out.split("\n").slice(2)).toEqual([
      "",
      "request",
      "  inputs.flour       3 → 4",
      '  inputs.oven_token  none → "*****"',
      "",
      "settings",
      "  priority  50 → 60",
      "",
      "code",
      "  none → abcdef01",
      "",
      "nodes",
      "  node_2  succeeded → failed, 2 ms → 2 ms (×1.00)",
      "",
      "results",
      "  dough  [1,2] → [1,2,3]  (value)",
      "",
      "error",
      "  dough: ValueError: no flour",
      "  → KeyError: x",
      "",
      "time",
      "  1.0 s → 1.0 s (×1.00)",
      "",
    ]);
    const json = JSON.parse((await run("compare", a, b, "--json")).out);
    expect(json).toMatchObject({ isSame: false, request: [{ path: "inputs.flour", kind: "CHANGED", a: 3, b: 4 }, {}] });
    expect((await run("compare", a, "zzzzzz")).code).toBe(2);
  });
});

describe("failures", () => {
  it("are listed, the open ones unless all are wanted", async () => {
    const [open, closed] = [await failedRun(), await failedRun()];
    const add = (node: string, count: number, id: string, closedBy: string | null) => db.sql`
      insert into failure_groups (project, pipeline, node, error_class, code_hash, error_kind, count, first_seen_at, last_seen_at,
        last_job_id, last_message, closed_at, closed_by)
      values ('bakery', 'bread', ${node}, 'ValueError', '', 'PIPELINE', ${count}, queue_now() - interval '1 h', queue_now(),
        ${uuidOf("job", id)}, 'no flour', ${closedBy === null ? null : db.sql`queue_now()`}, ${closedBy})`;
    await add("dough", 12, open, null);
    await add("loaf", 3, closed, uuidOf("job", open));
    const { code, out } = await run("failures");
    expect(code).toBe(0);
    const [head, row, ...rest] = out.trimEnd().split("\n");
    expect(head).toMatch(/^LAST SEEN [+-]\d\d:\d\d +COUNT +IS +PIPELINE +NODE +LAST JOB +ERROR$/);
    expect(row).toMatch(new RegExp(`12 +open +bakery/bread +dough +…${open.slice(-6)} +ValueErr`));
    expect(rest).toEqual([]);
    expect((await run("failures", "--closed")).out).toContain("loaf");
    expect((await run("failures", "--all", "--pipeline", "bakery/bread")).out.trimEnd().split("\n")).toHaveLength(3);
    expect(await run("failures", "--project", "elsewhere")).toMatchObject({
      code: 0,
      out: "",
      err: "There are no open failures.\n",
    });
    expect((await run("failures", "--all", "--closed")).code).toBe(2);
    expect(JSON.parse((await run("failures", "--json")).out)).toMatchObject([
      { count: 12, node: "dough", lastJobId: open },
    ]);
    // Of the job whose attempt it was.
    const shown = (await run("job", open)).out;
    expect(shown).toMatch(/seen +12 such failures since/);
  });
});
