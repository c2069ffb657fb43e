/** What the command line shows and saves of what a run has left. */
import { EventEmitter } from "node:events";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openStore } from "../../src/artifacts/open.ts";
import type { ArtifactStore } from "../../src/artifacts/store.ts";
import { frameLines } from "../../src/cli/frame-preview.ts";
import { runCli } from "../../src/cli/program.ts";
import { openTerminal } from "../../src/cli/terminal.ts";
import type { Database } from "../../src/db/client.ts";
import { idText } from "../../src/domain/ids.ts";
import { endWith, put, told } from "../support/artifacts.ts";
import { testDatabase } from "../support/database.ts";
import { runningJob } from "../support/running.ts";
import { type TestServer, testServer } from "../support/server.ts";

let db: Database;
let server: TestServer;
let store: ArtifactStore;
let folder: string;
let job: string;

const summary = (type: string, shape: number[] | null = null) => ({
  type,
  shape,
  length: null,
  bytes: 1000,
  columns: null,
  preview: null,
});
const parquet = Buffer.from("PAR1 and more\x00");

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fpq-cli-artifacts-"));
  db = await testDatabase();
  store = openStore(pathToFileURL(join(folder, "store")).href, null);
  server = await testServer(db, { artifacts: store });
  const run = await runningJob(db);
  job = idText("job", run.jobId);
  const at = (name: string) => `e/2026-11-23/${run.runToken}/${name}`;
  await put(store, at("result-1-report.parquet"), parquet);
  await put(store, at("result-2-huge.json"), '{"n":[1,2]}');
  await put(store, at("file-1.png"), "png");
  await put(store, at("log.gz"), "gz");
  const frame = {
    ...told(at("result-1-report.parquet"), parquet, "application/vnd.apache.parquet"),
    schema: [
      { name: "station", type: "string" },
      { name: "rides", type: "double" },
    ],
    preview: [
      ["Alexander\u001bplatz", 4102],
      ["Zoo", "NaN"],
    ],
  };
  const results = {
    report: { summary: summary("pandas.DataFrame", [24, 2]), artifact: frame, omitted: null },
    huge: {
      summary: summary("dict"),
      artifact: told(at("result-2-huge.json"), '{"n":[1,2]}', "application/json"),
      omitted: null,
    },
    small: { summary: summary("int"), value: 7, omitted: null },
    lost: { summary: summary("sklearn.Model"), artifact: null, omitted: "not kept: not JSON: sklearn.Model" },
  };
  const left = {
    files: [
      { name: "plots/rides.png", artifact: told(at("file-1.png"), "png", "image/png"), omitted: null },
      { name: "raw.csv", artifact: null, omitted: "not kept: 4.1 GB, limit 100 MB" },
    ],
    log: { name: "log", artifact: told(at("log.gz"), "gz", "application/gzip"), omitted: null },
    storedMs: 1,
  };
  await endWith(db, run, { results, left }, { store: await store.claim(), resultTtlMs: 6e8, logTtlMs: 6e8 });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await db[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

async function run(...argv: string[]) {
  const written = { out: "", err: "" };
  const into = (stream: keyof typeof written) => ({
    write(text: string) {
      written[stream] += text;
    },
  });
  const code = await runCli(argv, {
    env: { FLOWERPOWER_QUEUE_URL: server.url, LANG: "C.UTF-8" },
    cwd: folder,
    stdout: into("out"),
    stderr: into("err"),
    signals: new EventEmitter(),
  });
  return { code, ...written };
}

it("`result` shows the first rows of a frame, a small value, and why another was not kept", async () => {
  const { code, out } = await run("result", job);
  expect(code).toBe(0);
  expect(out).toContain("DataFrame 24 × 2");
  expect(out).toMatch(/station +rides\n +Alexander platz +4102\n +Zoo +NaN\n +… 22 more rows/);
  expect(out).toContain("application/vnd.apache.parquet, 14 B");
  expect(out).toMatch(/small {2}int\n7/);
  expect(out).toContain("only this is kept: not kept: not JSON: sklearn.Model");
});

it("`result JOB NAME -o` saves a frame, a file and the log, byte for byte and whole", async () => {
  for (const [name, bytes] of [
    ["report", parquet],
    ["plots/rides.png", Buffer.from("png")],
    ["log", Buffer.from("gz")],
    ["huge", Buffer.from('{"n":[1,2]}')],
  ] as const) {
    const file = join(folder, "saved");
    const { code, err } = await run("result", job, name, "-o", file);
    expect([code, err]).toEqual([0, expect.stringContaining(file)]);
    expect((await readFile(file)).equals(bytes)).toBe(true);
  }
  expect(await readdir(folder)).toEqual(["saved", "store"]);
});

it("`result JOB NAME` prints JSON that is a file, and what there is of others", async () => {
  expect(JSON.parse((await run("result", job, "huge")).out)).toEqual({ n: [1, 2] });
  expect((await run("result", job, "report")).out).toContain("Zoo");
  expect(JSON.parse((await run("result", job, "report", "--json")).out)).toMatchObject({
    mediaType: "application/vnd.apache.parquet",
    preview: [expect.anything(), ["Zoo", "NaN"]],
  });
  const all = JSON.parse((await run("result", job, "--json")).out);
  expect(all).toMatchObject({ small: 7, report: { artifact: { bytes: 14 } } });
  expect(all).not.toHaveProperty("lost");
});

it("`result` says why there is nothing to save, and leaves no file", async () => {
  const file = join(folder, "nothing");
  expect(await run("result", job, "lost", "-o", file)).toMatchObject({
    code: 2,
    err: expect.stringContaining("not JSON: sklearn.Model"),
  });
  expect(await run("result", job, "raw.csv", "-o", file)).toMatchObject({
    code: 2,
    err: expect.stringContaining("limit 100 MB"),
  });
  expect((await run("result", job, "none", "-o", file)).code).toBe(2);
  expect(await readdir(folder)).not.toContain("nothing");
});

it("`result -o` keeps nothing that is not what the run has made", async () => {
  const [row] = await db.sql<{ uri: string }[]>`select uri from artifacts where name = 'plots/rides.png'`;
  await put(store, row!.uri, "jpg");
  const { code, err } = await run("result", job, "plots/rides.png", "-o", join(folder, "broken"));
  expect([code, err]).toEqual([1, expect.stringContaining("not what the run has made")]);
  expect(await readdir(folder)).not.toContain("broken");
});

it("`job` lists what was left, kept or not", async () => {
  const { out } = await run("job", job);
  expect(out).toMatch(/report +result +14 B +application\/vnd.apache.parquet, until \d{4}-/);
  expect(out).toMatch(/raw.csv +file +not kept: 4.1 GB, limit 100 MB/);
  expect(out).toMatch(/log +log +2 B/);
  const { artifacts } = JSON.parse((await run("job", job, "--json")).out);
  expect(artifacts).toHaveLength(7);
});

it("a preview shows as many columns as fit", () => {
  const terminal = openTerminal(
    { write: () => {}, columns: 40 },
    { write: () => {} },
    { colour: false, unicode: true, dumb: false },
  );
  const schema = Array.from({ length: 10 }, (_, n) => ({ name: `column ${n}`, type: "int64" }));
  const lines = frameLines({ schema, preview: [schema.map(() => 1)] }, 1, terminal);
  expect(lines[0]).toBe("column 0  column 1  column 2");
  expect(lines.at(-1)).toBe("… 7 more columns");
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(40);
});
