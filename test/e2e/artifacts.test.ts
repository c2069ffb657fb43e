/** What runs of real FlowerPower leave, from the node to the download: in a folder, and in S3. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openStore } from "../../src/artifacts/open.ts";
import type { ArtifactStore } from "../../src/artifacts/store.ts";
import { createClient } from "../../src/client/client.ts";
import { idText } from "../../src/domain/ids.ts";
import type { JsonObject } from "../../src/domain/json.ts";
import { cancelJob } from "../../src/jobs/cancel.ts";
import { eventually } from "../support/eventually.ts";
import { type FollowedJob, type Ground, openGround } from "../support/ground.ts";
import type { TestProcess } from "../support/processes.ts";
import { testPython } from "../support/python.ts";
import { testEnvironment } from "../support/runtimes.ts";
import { type S3Server, startS3 } from "../support/s3-server.ts";
import { type TestServer, testServer } from "../support/server.ts";
import type { WorkerSetup } from "../support/worker-process.ts";

const code = `
import os
import time
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa


def trips(rows: int) -> pd.DataFrame:
    folder = Path(os.environ["FLOWERPOWER_RUN_DIR"])
    (folder / "plots").mkdir()
    (folder / "plots" / "rides.svg").write_text("<svg/>")
    os.symlink("/etc/passwd", folder / "secrets.txt")
    return pd.DataFrame({"station": [f"s{i}" for i in range(rows)], "rides": np.arange(rows) / 2})


def lazy(trips: pd.DataFrame) -> pl.DataFrame:
    return pl.from_pandas(trips).with_columns(at=pl.datetime(2026, 11, 23, time_zone="UTC"))


def arrow(trips: pd.DataFrame) -> pa.Table:
    return pa.table({"fee": pa.array([Decimal("9.90"), None], pa.decimal128(5, 2)), "x": [1.5, float("nan")]})


def text(rows: int) -> str:
    return "line\\n" * 50_000


def raw(rows: int) -> bytes:
    return bytes(range(256))


def huge(rows: int) -> dict:
    return {"numbers": list(range(100_000))}


def small(rows: int) -> dict:
    return {"rows": rows}


def enormous(rows: int) -> pd.DataFrame:
    return pd.DataFrame({"x": np.zeros(200_000)})


def nan(rows: int) -> dict:
    return {"scores": [1.0, float("nan")]}


def model(rows: int) -> object:
    return threading_lock()


def threading_lock() -> object:
    import threading

    return threading.Lock()


def slow_figure(rows: int) -> object:
    class Figure:
        def savefig(self, file, format):
            Path(os.environ["FLOWERPOWER_RUN_DIR"], "begun").touch()
            time.sleep(60)

    Figure.__module__ = "matplotlib.figure"
    return Figure()


def talkative(rows: int) -> int:
    for line in range(rows):
        print(f"line {line}")
    return rows
`;
const finalVars = "[trips, lazy, arrow, text, raw, huge, small, enormous, nan, model]";

let ground: Ground;
let project: { name: string; dir: string };
let python: string;

beforeAll(async () => {
  [ground, python] = await Promise.all([openGround(), testPython()]);
  project = { name: "leaves", dir: join(ground.folder, "leaves") };
  await mkdir(join(project.dir, "conf/pipelines"), { recursive: true });
  await mkdir(join(project.dir, "pipelines"));
  await writeFile(join(project.dir, "conf/project.yml"), "name: leaves\n");
  await writeFile(join(project.dir, "pipelines/all.py"), code);
  const run = (vars: string) => `run:\n  final_vars: ${vars}\n  inputs: {rows: 3}\n  executor: {type: synchronous}\n`;
  await writeFile(join(project.dir, "conf/pipelines/all.yml"), run(finalVars));
  await writeFile(join(project.dir, "pipelines/short.py"), code);
  await writeFile(
    join(project.dir, "conf/pipelines/short.yml"),
    `${run("[trips, small]")}job_queue:\n  job_defaults:\n    result_ttl: 1s\n`,
  );
}, 60_000);
afterAll(() => ground[Symbol.asyncDispose]());

const workers: TestProcess[] = [];

async function start(setup: Partial<WorkerSetup>): Promise<TestProcess> {
  const worker = ground.worker({ projects: [project], ...setup });
  workers.push(worker);
  await worker.said("ready");
  return worker;
}

const enqueue = (pipeline: string, request: JsonObject = {}) =>
  ground.enqueue(pipeline, {}, { project: "leaves", ...request });

interface Left {
  [name: string]: {
    id: string;
    mediaType: string | null;
    bytes: number | null;
    omitted: string | null;
    preview: unknown;
  };
}

/** What a job has left, by name, as the API tells it. */
async function leftBy(server: TestServer, { id }: FollowedJob): Promise<Left> {
  const { data } = await server.post(
    "query ($id: ID!) { job(id: $id) { artifacts(first: 100) { nodes { id name kind mediaType bytes omitted preview } } } }",
    { id: idText("job", id) },
  );
  return Object.fromEntries(data.job.artifacts.nodes.map((one: { name: string }) => [one.name, one]));
}

/** What pandas reads in a downloaded Parquet file. */
async function readParquet(server: TestServer, id: string): Promise<unknown> {
  await using client = createClient({ url: `${server.url}/graphql` });
  const { body } = await client.download(id);
  const file = join(ground.folder, `${id}.parquet`);
  await writeFile(file, Buffer.from(await new Response(body).arrayBuffer()));
  const script =
    "import sys, pandas as pd; print(pd.read_parquet(sys.argv[1]).to_json(orient='records', date_format='iso'))";
  const { stdout } = await promisify(execFile)(python, ["-c", script, file]);
  return JSON.parse(stdout);
}

describe("a folder", () => {
  let store: ArtifactStore;
  let server: TestServer;
  beforeAll(async () => {
    const url = pathToFileURL(join(ground.folder, "store")).href;
    store = openStore(url, null);
    server = await testServer(ground.db, { artifacts: store });
    await start({ artifacts: url, artifactLimits: { bytes: 1_000_000, freeBytes: 0 } });
  }, 60_000);
  afterAll(() => server[Symbol.asyncDispose]());

  it("keeps frames of three libraries, text, bytes, large JSON and files, and says why the rest is not kept", async () => {
    const job = await enqueue("all");
    expect(await job.ended()).toMatchObject({ state: "succeeded" });
    const left = await leftBy(server, job);
    expect(Object.fromEntries(Object.entries(left).map(([name, one]) => [name, one.omitted ?? one.mediaType]))).toEqual(
      {
        trips: "application/vnd.apache.parquet",
        lazy: "application/vnd.apache.parquet",
        arrow: "application/vnd.apache.parquet",
        text: "text/plain; charset=utf-8",
        raw: "application/octet-stream",
        huge: "application/json",
        small: "application/json",
        enormous: "not kept: 1.6 MB, limit 1 MB",
        nan: "not kept: not JSON: nan at scores[1]",
        model: "not kept: not JSON: _thread.lock",
        "plots/rides.svg": "image/svg+xml",
      },
    );
    expect(await readParquet(server, left.trips!.id)).toEqual([
      { station: "s0", rides: 0 },
      { station: "s1", rides: 0.5 },
      { station: "s2", rides: 1 },
    ]);
    expect(await readParquet(server, left.lazy!.id)).toContainEqual({
      station: "s2",
      rides: 1,
      at: expect.stringMatching(/^2026-11-23T00:00:00/),
    });
    expect(left.arrow!.preview).toEqual([
      ["9.90", 1.5],
      [null, "NaN"],
    ]);
    const events = await ground.db.sql<{ type: string; name: string | null }[]>`
      select type, data ->> 'name' as name from events where job_id = ${job.id} order by seq`;
    const told = events.filter(({ type }) => type === "artifact.stored").map(({ name }) => name);
    expect(told).toEqual(Object.keys(left).filter((name) => name !== "small"));
    expect(events.slice(-told.length - 1).map(({ type }) => type)).toEqual([
      ...told.map(() => "artifact.stored"),
      "job.succeeded",
    ]);
    const raw = await fetch(`${server.url}/artifacts/${left.raw!.id}`, { headers: { range: "bytes=250-" } });
    expect([raw.status, Buffer.from(await raw.arrayBuffer()).toString("hex")]).toEqual([206, "fafbfcfdfeff"]);
    const [attempt] = await ground.db.sql<{ ms: number }[]>`
      select stored_ms as ms from attempts where job_id = ${job.id}`;
    expect(attempt?.ms).toBeGreaterThan(0);
  }, 60_000);

  it("keeps the whole log of which lines were dropped", async () => {
    const job = await ground.enqueue("all", { rows: 12_000 }, { project: "leaves", finalVars: ["talkative"] });
    expect(await job.ended()).toMatchObject({ state: "succeeded" });
    const { log } = await leftBy(server, job);
    expect(log).toMatchObject({ mediaType: "application/gzip", omitted: null });
    const packed = await (await fetch(`${server.url}/artifacts/${log!.id}`)).arrayBuffer();
    const text = await new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
    const lines = text.split("\n").filter((line) => / talkative line \d+$/.test(line));
    expect(lines).toHaveLength(12_000);
  }, 60_000);

  it("lets a cancel through while a result is being written, and keeps nothing of it", async () => {
    const job = await enqueue("all", { finalVars: ["slow_figure"] });
    await job.event("node.succeeded", { node: "slow_figure" });
    await eventually(async () => {
      const runs = await readdir(join(ground.folder, "worker-1"));
      const begun = runs.some((name) => existsSync(join(ground.folder, "worker-1", name, "begun")));
      expect(begun).toBe(true);
    });
    const askedAt = performance.now();
    await cancelJob(ground.jobs, { name: "ada", requestId: null }, { jobId: job.id, reason: null });
    // The run had ended well before it was asked to stop.
    expect(await job.ended()).toMatchObject({ state: "succeeded" });
    expect(performance.now() - askedAt).toBeLessThan(5000);
    const { slow_figure: left } = await leftBy(server, job);
    expect(left?.omitted).toBe("not kept: the job was stopped before it was stored");
  }, 60_000);

  it("does not count the time of keeping results as the run's", async () => {
    const job = await enqueue("all", { finalVars: ["slow_figure"], timeoutMs: 3000 });
    expect(await job.ended()).toMatchObject({ state: "succeeded", errorKind: null });
    const { slow_figure: left } = await leftBy(server, job);
    expect(left?.omitted).toBe("not kept: the job was stopped before it was stored");
  }, 60_000);

  it("removes what has expired, file and row, and what belongs to nothing", async () => {
    const job = await enqueue("short");
    expect(await job.ended()).toMatchObject({ state: "succeeded" });
    const { trips } = await leftBy(server, job);
    const [row] = await ground.db.sql<{ uri: string }[]>`
      select uri from artifacts where job_id = ${job.id} and name = 'trips'`;
    const file = join(fileURLToPath(store.url), row!.uri);
    expect(existsSync(file)).toBe(true);
    // Another worker sweeps as it starts: once the second is over.
    await eventually(async () => expect((await fetch(`${server.url}/artifacts/${trips!.id}`)).status).toBe(410));
    await start({ artifacts: store.url });
    await eventually(() => expect(existsSync(file)).toBe(false));
    await eventually(async () => {
      const rows = await ground.db.sql`
        select name, removed_at is not null as removed from artifacts
        where job_id = ${job.id} and kind = 'result' order by name`;
      expect(rows).toEqual([
        { name: "small", removed: true },
        { name: "trips", removed: true },
      ]);
    });
  }, 60_000);
});

describe("S3", () => {
  let s3: S3Server;
  let store: ArtifactStore;
  let server: TestServer;
  const url = "s3://results/queue";
  beforeAll(async () => {
    s3 = await startS3();
    const environment = () => ({ ...testEnvironment, ...s3.env });
    store = openStore(url, { path: python, environment });
    server = await testServer(ground.db, { artifacts: store });
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    await store[Symbol.asyncDispose]();
    await s3[Symbol.asyncDispose]();
  });

  it("keeps what runs leave, hands it out in parts, and a run succeeds although it does not answer", async () => {
    for (const worker of workers) worker.signal("SIGTERM");
    for (const worker of workers) await worker.ended();
    await start({ artifacts: url, env: s3.env, artifactLimits: { freeBytes: 0 } });
    const job = await enqueue("all", { finalVars: ["trips", "raw", "small"] });
    expect(await job.ended()).toMatchObject({ state: "succeeded" });
    const left = await leftBy(server, job);
    const keys = [...s3.objects.keys()].map((key) => key.split("/").at(-1));
    expect(keys.toSorted()).toEqual(["file-1.svg", "result-1-trips.parquet", "result-2-raw.bin", "store-id"]);
    expect(await readParquet(server, left.trips!.id)).toHaveLength(3);
    const part = await fetch(`${server.url}/artifacts/${left.raw!.id}`, { headers: { range: "bytes=-2" } });
    expect(Buffer.from(await part.arrayBuffer()).toString("hex")).toBe("feff");

    s3.fail();
    const later = await enqueue("all", { finalVars: ["trips", "small"] });
    expect(await later.ended()).toMatchObject({ state: "succeeded" });
    const { trips, small } = await leftBy(server, later);
    expect(trips?.omitted).toMatch(/^not kept: the artifact store did not take it: /);
    expect(small?.omitted).toBeNull();
    expect((await fetch(`${server.url}/artifacts/${left.raw!.id}`)).status).toBe(503);
  }, 90_000);
});
