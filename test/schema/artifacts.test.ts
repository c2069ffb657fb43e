import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Database } from "../../src/db/client.ts";
import { idText } from "../../src/domain/ids.ts";
import { type Scope, scopes } from "../../src/schema/context.ts";
import { removeExpired } from "../../src/worker/sweep.ts";
import { endWith, told } from "../support/artifacts.ts";
import { testDatabase } from "../support/database.ts";
import { runningJob } from "../support/running.ts";
import { type TestServer, testServer } from "../support/server.ts";

let db: Database;
let server: TestServer;
const allowed: Set<Scope> = new Set(scopes);

beforeAll(async () => {
  db = await testDatabase();
  server = await testServer(db, { identify: () => ({ name: "ada", scopes: allowed }) });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await db[Symbol.asyncDispose]();
});

const summary = { type: "pandas.DataFrame", shape: [2, 1], length: null, bytes: 16, columns: null, preview: "p" };
const frame = {
  ...told("e/d/a/result-1-report.parquet", "PAR1", "application/vnd.apache.parquet"),
  schema: [{ name: "rides", type: "int64" }],
  preview: [[3], ["NaN"]],
};

/** A job that has left a frame, a small value, a lost one, as many files as asked for, and a log. Returns its id. */
async function jobThatLeft(files: number): Promise<string> {
  const run = await runningJob(db);
  const results = {
    report: { summary, artifact: frame, omitted: null },
    small: { summary, value: 1, omitted: null },
    lost: { summary, artifact: null, omitted: "not kept: 4.1 GB, limit 100 MB" },
  };
  const left = {
    files: Array.from({ length: files }, (_, n) => ({
      name: `${n}.txt`,
      artifact: told(`e/d/a/file-${n}.txt`, "x"),
      omitted: null,
    })),
    log: { name: "log", artifact: told("e/d/a/log.gz", "x", "application/gzip"), omitted: null },
    storedMs: 12.5,
  };
  await endWith(db, run, { results, left }, { store: randomUUID(), resultTtlMs: 600_000, logTtlMs: 1 });
  return idText("job", run.jobId);
}

describe("Job.artifacts", () => {
  it("has results, files and the log, in this order, page by page in both directions", async () => {
    const id = await jobThatLeft(40);
    const read = async (args: string) =>
      (
        await server.post(
          `query ($id: ID!) { job(id: $id) { artifacts(${args}) { nodes { name kind } pageInfo { hasNextPage endCursor startCursor } } } }`,
          { id },
        )
      ).data.job.artifacts;
    const first = await read("first: 30");
    const rest = await read(`first: 30, after: "${first.pageInfo.endCursor}"`);
    const names = [...first.nodes, ...rest.nodes].map(({ name, kind }) => `${kind} ${name}`);
    expect(names).toHaveLength(44);
    expect(names.slice(0, 4)).toEqual(["RESULT report", "RESULT small", "RESULT lost", "FILE 0.txt"]);
    expect(names.at(-1)).toBe("LOG log");
    expect([first.pageInfo.hasNextPage, rest.pageInfo.hasNextPage]).toEqual([true, false]);
    const last = await read("last: 2");
    expect(last.nodes.map(({ name }: { name: string }) => name)).toEqual(["39.txt", "log"]);
  });

  it("tells what each is, where it is had, and when it goes", async () => {
    const id = await jobThatLeft(0);
    const { data } = await server.post(
      `query ($id: ID!) { job(id: $id) { lastAttempt { storedMs artifacts(first: 5) { nodes {
        id name mediaType bytes sha256 schema { name type } preview downloadUrl omitted expiresAt removedAt } } } } }`,
      { id },
    );
    const { storedMs, artifacts } = data.job.lastAttempt;
    const [report, small, lost] = artifacts.nodes;
    expect(storedMs).toBe(12.5);
    expect(report).toMatchObject({
      mediaType: "application/vnd.apache.parquet",
      bytes: 4,
      sha256: frame.sha256,
      schema: [{ name: "rides", type: "int64" }],
      preview: [[3], ["NaN"]],
      downloadUrl: `/artifacts/${report.id}`,
      omitted: null,
      removedAt: null,
    });
    expect(Date.parse(report.expiresAt)).toBeGreaterThan(Date.now());
    expect(small).toMatchObject({ mediaType: "application/json", bytes: 1, downloadUrl: `/artifacts/${small.id}` });
    expect(lost).toMatchObject({ downloadUrl: null, omitted: "not kept: 4.1 GB, limit 100 MB", expiresAt: null });
  });
});

describe("Result.artifact", () => {
  const document = `query ($id: ID!) { job(id: $id) { results { name hasValue value omitted artifact { id preview } } } }`;

  it("is the value as a file, and null when it was never kept", async () => {
    const { data } = await server.post(document, { id: await jobThatLeft(0) });
    const byName = Object.fromEntries(data.job.results.map((one: { name: string }) => [one.name, one]));
    expect(byName.report).toMatchObject({
      hasValue: false,
      value: null,
      omitted: null,
      artifact: { preview: [[3], ["NaN"]] },
    });
    expect(byName.small).toMatchObject({ hasValue: true, value: 1, artifact: { preview: null } });
    expect(byName.lost).toMatchObject({ hasValue: false, omitted: "not kept: 4.1 GB, limit 100 MB", artifact: null });
  });

  it("hides rows from who may not see payloads", async () => {
    const id = await jobThatLeft(0);
    allowed.delete("payloads");
    try {
      const { data } = await server.post(document, { id });
      expect(data.job.results.map((one: { artifact: unknown; value: unknown }) => [one.value, one.artifact])).toEqual([
        [null, null],
        [null, { id: expect.stringMatching(/^art_/), preview: null }],
        [null, { id: expect.stringMatching(/^art_/), preview: null }],
      ]);
    } finally {
      allowed.add("payloads");
    }
  });

  it("says that it was removed when its time is over", async () => {
    const id = await jobThatLeft(0);
    await db.sql`update artifacts set expires_at = queue_now() - interval '1 s' where expires_at is not null`;
    await db.sql`update artifacts set store = null, uri = null`;
    await removeExpired(db, null);
    const { data } = await server.post(
      `query ($id: ID!) { job(id: $id) { results { name hasValue omitted artifact { downloadUrl removedAt } } } }`,
      { id },
    );
    expect(data.job.results).toContainEqual({
      name: "small",
      hasValue: false,
      omitted: "removed when its time to live was over",
      artifact: { downloadUrl: null, removedAt: expect.any(String) },
    });
  });
});

it("events tell what was stored and what was not, with ids by which all of it is read", async () => {
  const id = await jobThatLeft(1);
  const { data } = await server.post(
    `query ($id: ID!) { job(id: $id) {
      events(first: 20) { nodes { __typename type node ... on ArtifactStored { artifactId name kind mediaType bytes omitted } } }
      artifacts(first: 10) { nodes { id name } } } }`,
    { id },
  );
  const stored = data.job.events.nodes.filter(
    ({ __typename: name }: { __typename: string }) => name === "ArtifactStored",
  );
  const idOf = (name: string) => data.job.artifacts.nodes.find((one: { name: string }) => one.name === name).id;
  const common = { __typename: "ArtifactStored", type: "artifact.stored", node: null, omitted: null };
  const parquet = { kind: "RESULT", mediaType: frame.mediaType, bytes: 4 };
  const nothing = { kind: "RESULT", mediaType: null, bytes: null, omitted: "not kept: 4.1 GB, limit 100 MB" };
  expect(stored).toEqual([
    { ...common, node: "report", artifactId: idOf("report"), name: "report", ...parquet },
    { ...common, node: "lost", artifactId: idOf("lost"), name: "lost", ...nothing },
    { ...common, artifactId: idOf("0.txt"), name: "0.txt", kind: "FILE", mediaType: "text/plain", bytes: 1 },
    { ...common, artifactId: idOf("log"), name: "log", kind: "LOG", mediaType: "application/gzip", bytes: 1 },
  ]);
  expect(data.job.events.nodes.at(-1).__typename).toBe("JobSucceeded");
});

it("node(id) finds an artifact", async () => {
  const { data } = await server.post(`query ($id: ID!) { job(id: $id) { artifacts(first: 1) { nodes { id } } } }`, {
    id: await jobThatLeft(0),
  });
  const [{ id }] = data.job.artifacts.nodes;
  const found = await server.post("query ($id: ID!) { node(id: $id) { __typename id ... on Artifact { name } } }", {
    id,
  });
  expect(found.data.node).toEqual({ __typename: "Artifact", id, name: "report" });
});

it("a worker tells where it keeps artifacts, and why it does not", async () => {
  const run = await runningJob(db);
  const store = randomUUID();
  await db.sql`insert into artifact_stores (id, url) values (${store}, 's3://results/a')`;
  await db.sql`update workers set store = ${store}, store_problem = 'the disk is full' where id =
    (select worker_id from attempts where job_id = ${run.jobId})`;
  const { data } = await server.post("{ workers { nodes { artifactStore artifactProblem } } }");
  expect(data.workers.nodes).toContainEqual({ artifactStore: "s3://results/a", artifactProblem: "the disk is full" });
  const ready = await (await fetch(`${server.url}/ready`)).json();
  expect(ready).toMatchObject({ ready: true, artifacts: ["localhost: the disk is full"] });
});
