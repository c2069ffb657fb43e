/** Command lines against a real server: what is printed, and how they end. */
import { EventEmitter } from "node:events";
import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCli } from "../../src/cli/program.ts";
import type { Database } from "../../src/db/client.ts";
import { createDataFolder } from "../../src/db/data-folder.ts";
import { idText, uuidOf } from "../../src/domain/ids.ts";
import { insertRun, publishBakery } from "../schema/bakery.ts";
import { testDatabase } from "../support/database.ts";
import { eventually } from "../support/eventually.ts";
import { insertEvents, insertWorker } from "../support/factories.ts";
import { type TestServer, testServer } from "../support/server.ts";

let db: Database;
let server: TestServer;
let folder: string;

beforeAll(async () => {
  db = await testDatabase();
  await publishBakery(db);
  server = await testServer(db);
  folder = await mkdtemp(join(tmpdir(), "cli-test-"));
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await db[Symbol.asyncDispose]();
});

/** A command line under way, with what it has written so far. */
function started(argv: string[], env: Record<string, string> = {}) {
  const signals = new EventEmitter();
  const written = { out: "", err: "" };
  const into = (stream: keyof typeof written) => ({
    write(text: string) {
      written[stream] += text;
    },
  });
  const ended = runCli(argv, {
    env: { FLOWERPOWER_QUEUE_URL: server.url, LANG: "C.UTF-8", ...env },
    cwd: folder,
    stdout: into("out"),
    stderr: into("err"),
    signals,
  });
  return { written, signals, ended };
}

async function run(argv: string[], env?: Record<string, string>) {
  const { written, ended } = started(argv, env);
  const code = await ended;
  return { code, ...written };
}

/** Enqueues a bread and returns its id. */
async function enqueue(...flags: string[]): Promise<string> {
  const { out } = await run(["enqueue", "bakery/bread", "--json", ...flags]);
  return JSON.parse(out).job.id;
}

async function end(id: string, state: "succeeded" | "failed" | "cancelled" | "expired"): Promise<void> {
  const uuid = uuidOf("job", id) as string;
  const error = { kind: "PIPELINE", type: "ValueError", message: "no flour", node: null };
  await db.sql.begin(async (sql) => {
    await sql`update jobs set state = ${state}, finished_at = queue_now(), ticketed_at = null where id = ${uuid}`;
    await insertEvents(sql, uuid, [{ type: `job.${state}`, data: state === "failed" ? { error } : {} }]);
  });
  server.jobs.wakeups.ring("events", [uuid]);
}

describe("enqueue", () => {
  it("says what was accepted", async () => {
    const { code, out } = await run(["enqueue", "bakery/bread", "--input", "flour=3"]);
    expect(code).toBe(0);
    expect(out).toMatch(
      /^→ job_\w{26} accepted: bakery\/bread, 2 nodes will run, waits: no worker has project bakery\n$/,
    );
  });

  it("reads inputs by their types, from FlowerPower's flags and from ours", async () => {
    const id = await enqueue(
      "--inputs",
      "flour=3",
      "--executor",
      "threadpool",
      "--log-level",
      "debug",
      "--max-retries",
      "2",
    );
    const { out } = await run(["job", id, "--json"]);
    expect(JSON.parse(out)).toMatchObject({ inputs: { flour: 3 }, retry: { maxRetries: 2 } });
    const other = await enqueue(
      "--inputs",
      "{'flour': 3}",
      "--input",
      "flour=4",
      "--tag",
      "a",
      "--tag",
      "b",
      "--timeout",
      "90s",
    );
    const read = JSON.parse((await run(["job", other, "--json"])).out);
    expect(read).toMatchObject({ inputs: { flour: 4 }, tags: ["a", "b"], timeoutMs: 90_000 });
  });

  it("schedules with --in and --at", async () => {
    const soon = Date.parse(JSON.parse((await run(["job", await enqueue("--in", "30m"), "--json"])).out).runAt);
    expect(Math.abs(soon - Date.now() - 1_800_000)).toBeLessThan(60_000);
    const { out } = await run(["job", await enqueue("--at", "2099-01-31T18:00+01:00"), "--json"]);
    expect(JSON.parse(out)).toMatchObject({ state: "SCHEDULED", runAt: "2099-01-31T17:00:00.000Z" });
  });

  it("makes the same job of the same key", async () => {
    expect(await enqueue("--key", "k1")).toBe(await enqueue("--key", "k1"));
  });

  it.each([
    [["enqueue"], "Name a pipeline, or a file of requests by --from."],
    [["enqueue", "bakery/bread", "--nosuch"], "unknown option '--nosuch'"],
    [["enqueue", "bakery/bread", "--in", "soon"], "Write it like 30m"],
    [["enqueue", "bakery/bread", "--at", "2026-02-31"], "--at 2026-02-31 is no time"],
    [["enqueue", "bakery/bread", "--in", "1m", "--at", "2099-01-01"], "either --in or --at"],
    [["enqueue", "bakery/bread", "--input", "flour"], "write NAME=VALUE"],
    [["enqueue", "bakery/bread", "--executor", "spark"], "Allowed choices are"],
    [["enqueue", "bakery/bread", "--retry-delay", "3"], "need --max-retries"],
    [["enqueue", "bakery/bread", "--input", "flour=much"], "inputs.flour: "],
    [["enqueue", "bakery/bread", "--input", "flur=3"], "flour"],
    [["enqueue", "bakery/braed"], "Did you mean bread?"],
    [["enqueue", "bakery/bread", "--queue", "nosuch"], "nosuch"],
    [["watch", "zzzzzz"], "zzzzzz"],
    [["watch", "@frist"], "@frist"],
    [["jobs", "--state", "runing"], "It is none of"],
    [["project", "show", "bakry"], "There are: bakery"],
    [["nosuch"], "unknown command 'nosuch'"],
    [["jobs", "--url", "nonsense"], "is no URL"],
  ])("ends with 2 and one message for %j", async (argv, message) => {
    const { code, out, err } = await run(argv);
    expect(code).toBe(2);
    expect(out).toBe("");
    expect(err).toContain(message);
  });
});

describe("waiting", () => {
  it.each([
    ["succeeded", 0],
    ["failed", 1],
    ["cancelled", 3],
    ["expired", 3],
  ] as const)("for a job that has %s ends with %d", async (state, code) => {
    const waiting = started(["enqueue", "bakery/bread", "--wait", "--tag", `ends-${state}`]);
    await eventually(() => expect(waiting.written.out).toContain("job_"));
    const [id] = /job_\w{26}/.exec(waiting.written.out) as RegExpExecArray;
    await end(id, state);
    expect(await waiting.ended).toBe(code);
    expect(waiting.written.out).toContain(`${id} ${state}`);
    expect(await run(["watch", id])).toMatchObject({ code });
  });

  it.each([["watch"], ["logs", "--follow"], ["enqueue", "bakery/bread", "--wait"]])(
    "of `%s` is left by Ctrl-C, and the job goes on",
    async (command, ...flags) => {
      const argv = command === "enqueue" ? [command, ...flags] : [command, await enqueue(), ...flags];
      const waiting = started(argv);
      await eventually(() => expect(waiting.signals.listenerCount("SIGINT")).toBe(1));
      waiting.signals.emit("SIGINT");
      expect(await waiting.ended).toBe(130);
      const again = /goes on without you. See it again with: flowerpower-queue watch (\w{6})\n/.exec(
        waiting.written.err,
      );
      expect(waiting.signals.listenerCount("SIGINT")).toBe(0);
      expect(JSON.parse((await run(["job", again?.[1] ?? "none", "--json"])).out).state).toBe("QUEUED");
    },
  );

  it("gives programs a line of JSON for each event, and the job", async () => {
    const id = await enqueue();
    const watching = started(["watch", id, "--json"]);
    await end(id, "succeeded");
    expect(await watching.ended).toBe(0);
    const lines = watching.written.out.trim().split("\n");
    expect(lines.map((line) => JSON.parse(line).__typename)).toEqual(["JobEnqueued", "JobSucceeded", "Job"]);
  });
});

describe("looking", () => {
  it("lists jobs, filtered", async () => {
    const id = await enqueue("--tag", "listed");
    const { code, out } = await run(["jobs", "--tag", "listed"]);
    expect(code).toBe(0);
    const [head, row, ...rest] = out.trimEnd().split("\n");
    expect(head).toMatch(/^JOB +STATE +PIPELINE +ENQUEUED [+-]\d\d:\d\d +RAN +NOTE$/);
    expect(row).toContain(`…${id.slice(-6)}  QUEUED  bakery/bread`);
    expect(rest).toEqual([]);
    expect(JSON.parse((await run(["jobs", "--tag", "listed", "--json", "-n", "100"])).out)).toHaveLength(1);
    expect(await run(["jobs", "--tag", "nothing"])).toMatchObject({ code: 0, out: "" });
  });

  it("tells of a job by any of its names", async () => {
    const id = await enqueue("--input", "flour=3");
    for (const ref of [id, id.slice(-8), "@last", "bread@last", "bakery/bread@last"]) {
      const { code, out } = await run(["job", ref]);
      expect(code).toBe(0);
      expect(out).toContain(id);
      expect(out).toContain('{"flour":3}');
    }
  });

  it("tells of a job's nodes in a table", async () => {
    const id = idText("job", await insertRun(db));
    const { code, out } = await run(["job", id, "--nodes"]);
    expect(code).toBe(0);
    expect(out.split("\n")[0]).toMatch(/^NODE +STATE +TIME +CPU +MEMORY ~ +UPSTREAM +VALUE$/);
    expect(out).toMatch(/^node_1 +succeeded +2 ms .*int 3$/m);
    const nodes = JSON.parse((await run(["job", id, "--nodes", "--json"])).out);
    expect(nodes).toHaveLength(3);
    expect(nodes[0]).toMatchObject({ node: "node_1", memoryGrowthBytes: null, graphNode: null });
  });

  it("tells of a failure: the node, the error, how to go on", async () => {
    const id = await insertRun(db);
    const { out } = await run(["job", idText("job", id).slice(-12)]);
    expect(out).toContain("✗ dough failed (attempt 2 of 2)");
    expect(out).toContain("ValueError: no flour");
    expect(out).toContain("flowerpower-queue logs");
    const { code, out: log } = await run(["logs", "@last"]);
    expect(code).toBe(0);
    expect(log).toContain("ValueError: no flour");
  });

  it("gives results, one or all, to a file too", async () => {
    const id = await insertRun(db);
    expect(await run(["result", "@last"])).toMatchObject({ code: 1, out: "" });
    await db.sql`update jobs set state = 'succeeded', error_kind = null where id = ${id}`;
    expect(JSON.parse((await run(["result", "@last", "dough"])).out)).toEqual([1, 2]);
    expect(JSON.parse((await run(["result", "@last", "--json"])).out)).toEqual({ dough: [1, 2] });
    expect(await run(["result", "@last", "crumb"])).toMatchObject({
      code: 2,
      err: expect.stringContaining("It has: dough"),
    });
    const file = join(folder, "dough.json");
    expect((await run(["result", "@last", "dough", "-o", file])).code).toBe(0);
    expect(JSON.parse(await readFile(file, "utf8"))).toEqual([1, 2]);
  });

  it("shows projects and what is broken in them", async () => {
    const { out } = await run(["project"]);
    expect(out).toMatch(/bakery +2 .*1 broken/);
    const { out: shown } = await run(["project", "show", "bakery"]);
    expect(shown).toContain("bakery/bread");
    expect(shown).toMatch(/flour +int/);
  });
});

describe("doctor", () => {
  it("asks the API about itself", async () => {
    const { out } = await run(["doctor"]);
    expect(out).toMatch(/✓ API +http:.*, version 0\.0\.0-test, Postgres \d+/);
  });
});

describe("doctor, where artifacts are not kept or not handed out", () => {
  it("says so", async () => {
    await db.sql`insert into artifact_stores (id, url) values ('01890a5d-ac96-774b-bcce-b302099a8057', 's3://results/a')`;
    const id = await insertWorker(db.sql);
    await db.sql`update workers set store = '01890a5d-ac96-774b-bcce-b302099a8057', host = 'north',
      store_problem = 'only 12 MB of disk are free' where id = ${id}`;
    try {
      // One that has not looked yet: what was found out is good for a while.
      await using fresh = await testServer(db);
      const { out, code } = await run(["doctor", "--url", fresh.url]);
      expect(out).toMatch(
        /artifacts +no downloads: Artifacts are kept in s3:\/\/results\/a, and this server reads none/,
      );
      expect(out).toMatch(/artifacts +north keeps no artifacts: only 12 MB of disk are free/);
      expect(code).toBe(1);
    } finally {
      await db.sql`update workers set ended_at = queue_now(), state = 'dead' where id = ${id}`;
    }
  });
});

describe("cancel", () => {
  it("cancels once", async () => {
    const id = await enqueue();
    expect(await run(["cancel", id, "--reason", "not today"])).toMatchObject({ code: 0, out: `${id} is cancelled.\n` });
    expect(await run(["cancel", id])).toMatchObject({
      code: 2,
      err: expect.stringContaining("CANCELLED".toLowerCase()),
    });
  });
});

describe("the API", () => {
  it("is found by the server.json of a folder above", async () => {
    createDataFolder(join(folder, ".flowerpower-queue"));
    const info = { url: `${server.url}/graphql`, pid: process.pid, startedAt: "", version: "0" };
    await writeFile(join(folder, ".flowerpower-queue/server.json"), JSON.stringify(info));
    expect(await run(["jobs"], { FLOWERPOWER_QUEUE_URL: "" })).toMatchObject({ code: 0 });
  });

  it("that nobody serves ends with 75", async () => {
    const { code, out, err } = await run(["jobs", "--url", "http://127.0.0.1:1"]);
    expect({ code, out }).toEqual({ code: 75, out: "" });
    expect(err).toContain("Nothing answers at http://127.0.0.1:1/graphql");
  });
});

describe("help", () => {
  it.each([["--help"], ["enqueue", "--help"], ["help", "up"], ["--version"]])(
    "ends with 0 for %s %s",
    async (...argv) => {
      const { code, out, err } = await run(argv.filter((arg) => arg !== undefined));
      expect({ code, err }).toEqual({ code: 0, err: "" });
      expect(out).not.toBe("");
    },
  );
});
