import { randomBytes, randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openStore } from "../../src/artifacts/open.ts";
import { type ArtifactStore, StoreAwayError } from "../../src/artifacts/store.ts";
import type { Database } from "../../src/db/client.ts";
import { idText } from "../../src/domain/ids.ts";
import { rangeOf } from "../../src/server/byte-range.ts";
import { endWith, jobWithFile } from "../support/artifacts.ts";
import { testDatabase } from "../support/database.ts";
import { runningJob } from "../support/running.ts";
import { type TestServer, testServer } from "../support/server.ts";

let db: Database;
let server: TestServer;
let store: ArtifactStore;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fpq-download-"));
  db = await testDatabase();
  store = openStore(pathToFileURL(join(folder, "store")).href, null);
  server = await testServer(db, { artifacts: store, allowOrigins: ["https://app.example.org"] });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await db[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

async function get(id: string, headers: Record<string, string> = {}, method = "GET", url = server.url) {
  const response = await fetch(`${url}/artifacts/${id}`, { method, headers });
  const body = Buffer.from(await response.arrayBuffer());
  return { status: response.status, headers: response.headers, body };
}

const codeOf = (body: Buffer) => JSON.parse(body.toString()).errors[0].extensions.code;

describe("GET /artifacts/<id>", () => {
  it("gives the bytes, as something to save and never to show", async () => {
    const { id, sha256 } = await jobWithFile(db, store, {
      name: "plots/page.html",
      bytes: "<b>hi",
      mediaType: "text/html",
    });
    const { status, headers, body } = await get(id);
    expect([status, body.toString()]).toEqual([200, "<b>hi"]);
    expect(Object.fromEntries(headers)).toMatchObject({
      "content-type": "text/html",
      "content-length": "5",
      "content-disposition": `attachment; filename="page.html"; filename*=UTF-8''page.html`,
      etag: `"${sha256}"`,
      "accept-ranges": "bytes",
      "cache-control": "private, no-cache",
      "x-content-type-options": "nosniff",
      "content-security-policy": "default-src 'none'; sandbox",
      "cross-origin-resource-policy": "same-origin",
    });
  });

  it("tells by HEAD what it would give", async () => {
    const { id } = await jobWithFile(db, store);
    const { status, headers, body } = await get(id, {}, "HEAD");
    expect([status, headers.get("content-length"), body.length]).toEqual([200, "5", 0]);
  });

  it.each([
    ["bytes=1-3", 206, "ell", "bytes 1-3/5"],
    ["bytes=3-", 206, "lo", "bytes 3-4/5"],
    ["bytes=-2", 206, "lo", "bytes 3-4/5"],
    ["bytes=0-100", 206, "hello", "bytes 0-4/5"],
    ["bytes=0-1,3-4", 200, "hello", null],
    ["lines=1-2", 200, "hello", null],
    ["bytes=3-1", 200, "hello", null],
  ])("gives the range %s", async (range, status, text, told) => {
    const { id } = await jobWithFile(db, store);
    const answer = await get(id, { range });
    expect([answer.status, answer.body.toString()]).toEqual([status, text]);
    expect(answer.headers.get("content-range")).toBe(told);
  });

  it("refuses a range behind the end, and says where that is", async () => {
    const { id } = await jobWithFile(db, store);
    const { status, headers, body } = await get(id, { range: "bytes=5-" });
    expect([status, headers.get("content-range"), codeOf(body)]).toEqual([416, "bytes */5", "RANGE_NOT_SATISFIABLE"]);
  });

  it("lets a broken-off download go on only when it is still the same", async () => {
    const { id, sha256 } = await jobWithFile(db, store);
    expect((await get(id, { range: "bytes=3-", "if-range": `"${sha256}"` })).status).toBe(206);
    expect((await get(id, { range: "bytes=3-", "if-range": '"another"' })).body.toString()).toBe("hello");
    const known = await get(id, { "if-none-match": `"x", W/"${sha256}"` });
    expect([known.status, known.body.length]).toEqual([304, 0]);
  });

  it("gives a large file whole and in parts", async () => {
    const bytes = randomBytes(20_000_000);
    const { id } = await jobWithFile(db, store, { bytes });
    expect((await get(id)).body.equals(bytes)).toBe(true);
    expect((await get(id, { range: "bytes=9999999-10000000" })).body).toEqual(bytes.subarray(9_999_999, 10_000_001));
  });

  it("gives a small result, kept as a value, as JSON", async () => {
    const run = await runningJob(db);
    const summary = { type: "dict", shape: null, length: null, bytes: null, columns: null, preview: null };
    const results = {
      report: { summary, value: { a: [1, "ü"] }, omitted: null },
      nothing: { summary, value: null, omitted: null },
    };
    await endWith(db, run, { results }, { store: null, resultTtlMs: 60_000, logTtlMs: 60_000 });
    const rows = await db.sql<{ id: string; name: string; bytes: string; sha256: string }[]>`
      select id, name, bytes, sha256 from artifacts where job_id = ${run.jobId} order by position`;
    const [report, nothing] = rows;
    const { headers, body } = await get(idText("artifact", report!.id));
    expect(JSON.parse(body.toString())).toEqual({ a: [1, "ü"] });
    expect(headers.get("content-type")).toBe("application/json");
    expect(headers.get("content-disposition")).toContain('filename="report.json"');
    expect([String(body.length), headers.get("etag")]).toEqual([report!.bytes, `"${report!.sha256}"`]);
    expect((await get(idText("artifact", nothing!.id))).body.toString()).toBe("null");
  });

  it.each([
    ["Grüße/../%0d%0aset-cookie: x.txt", 'filename="_0d_0aset-cookie__x.txt"', "%250d%250aset-cookie%3A%20x.txt"],
    ['a"b\\c.csv', 'filename="a_b_c.csv"', "a%22b%5Cc.csv"],
    ["日本.csv", 'filename="__.csv"', "%E6%97%A5%E6%9C%AC.csv"],
    [".bashrc", 'filename="_bashrc"', ".bashrc"],
  ])("names the file %j so that it does no harm", async (name, plain, exact) => {
    const { id } = await jobWithFile(db, store, { name });
    const { headers } = await get(id);
    expect(headers.get("content-disposition")).toBe(`attachment; ${plain}; filename*=UTF-8''${exact}`);
  });
});

describe("what cannot be given", () => {
  it.each(["art_01kav3n0c5fz8txyx6kpv7fq2m", "job_01kav3n0c5fz8txyx6kpv7fq2m", "..", "%2e%2e%2fetc", "x".repeat(3000)])(
    "is not found: %s",
    async (id) => {
      const { status, headers, body } = await get(id);
      expect(status).toBe(404);
      expect(headers.get("content-type")).toMatch(/json/);
      if (id !== "..") expect(codeOf(body)).toBe("NOT_FOUND");
    },
  );

  it("is gone when its time is over, and when somebody has removed its file", async () => {
    const expired = await jobWithFile(db, store);
    await db.sql`update artifacts set expires_at = queue_now() - interval '1 s' where job_id = ${expired.jobId}`;
    expect(codeOf((await get(expired.id)).body)).toBe("GONE");
    const removed = await jobWithFile(db, store);
    await store.remove([removed.path]);
    const { status, body } = await get(removed.id);
    expect([status, codeOf(body)]).toEqual([410, "GONE"]);
    expect(body.toString()).not.toContain(removed.path);
  });

  it("is gone when nothing was kept, with the reason", async () => {
    const run = await runningJob(db);
    const files = [{ name: "raw.csv", artifact: null, omitted: "not kept: 4.1 GB, limit 100 MB" }];
    const left = { files, log: null, storedMs: null };
    await endWith(db, run, { results: {}, left }, { store: randomUUID(), resultTtlMs: 1000, logTtlMs: 1000 });
    const [row] = await db.sql<{ id: string }[]>`select id from artifacts where job_id = ${run.jobId}`;
    const { status, body } = await get(idText("artifact", row!.id));
    expect(status).toBe(410);
    expect(body.toString()).toContain("limit 100 MB");
  });

  it.each(["../../../../etc/hostname", "/etc/hostname", "e/../../x"])(
    "never leads out of the store: %s",
    async (path) => {
      const { id } = await jobWithFile(db, store, { path });
      const { status, body } = await get(id);
      expect([status, codeOf(body)]).toEqual([410, "GONE"]);
    },
  );

  it("is said to be elsewhere when this server reads another store, or none", async () => {
    const { id } = await jobWithFile(db, store);
    const elsewhere = openStore(pathToFileURL(join(folder, "elsewhere")).href, null);
    await elsewhere.claim();
    for (const artifacts of [elsewhere, null]) {
      await using other = await testServer(db, { artifacts });
      const { status, body } = await get(id, {}, "GET", other.url);
      expect([status, codeOf(body)]).toEqual([503, "STORE_UNREACHABLE"]);
    }
  });

  it("may be asked for again when the store does not answer", async () => {
    const { id } = await jobWithFile(db, store);
    const away = () => Promise.reject(new StoreAwayError("s3://x", "it is away."));
    await using other = await testServer(db, { artifacts: { ...store, read: away } });
    const { status, headers, body } = await get(id, {}, "GET", other.url);
    expect([status, headers.get("retry-after"), codeOf(body)]).toEqual([503, "5", "UNAVAILABLE"]);
  });

  it("is broken off, short of its length, when the store fails in the middle", async () => {
    const { id } = await jobWithFile(db, store, { bytes: randomBytes(100_000) });
    async function* half() {
      yield randomBytes(50_000);
      throw new StoreAwayError("s3://x", "it is away.");
    }
    await using other = await testServer(db, { artifacts: { ...store, read: async () => half() } });
    await expect(get(id, {}, "GET", other.url)).rejects.toThrow();
  });

  it("is refused without the right `payloads`, and to who is not known", async () => {
    const { id } = await jobWithFile(db, store);
    const scopes = new Set(["read"] as const);
    await using other = await testServer(db, {
      artifacts: store,
      identify: (token) => (token === "key" ? { name: "ada", scopes } : null),
    });
    const forbidden = await get(id, { authorization: "Bearer key" }, "GET", other.url);
    expect([forbidden.status, codeOf(forbidden.body)]).toEqual([403, "FORBIDDEN"]);
    const unknown = await get(id, {}, "GET", other.url);
    expect([unknown.status, codeOf(unknown.body)]).toEqual([401, "UNAUTHENTICATED"]);
  });

  it.each(["POST", "PUT", "DELETE"])("is not done by %s", async (method) => {
    const { id } = await jobWithFile(db, store);
    const { status, headers } = await get(id, {}, method);
    expect([status, headers.get("allow")]).toEqual([405, "GET, HEAD"]);
  });

  it("is refused to pages of other origins, and given to allowed ones", async () => {
    const { id } = await jobWithFile(db, store);
    expect((await get(id, { origin: "https://evil.example.org" })).status).toBe(403);
    const { status, headers } = await get(id, { origin: "https://app.example.org" });
    expect([status, headers.get("access-control-allow-origin")]).toEqual([200, "https://app.example.org"]);
    expect(headers.get("access-control-expose-headers")).toContain("content-disposition");
  });
});

it.each([
  ["bytes=0-0", 10, { start: 0, end: 1 }],
  ["bytes=0-", 0, "unsatisfiable"],
  ["bytes=-0", 10, "unsatisfiable"],
  ["bytes=-20", 10, { start: 0, end: 10 }],
  ["bytes=9-", 10, { start: 9, end: 10 }],
  ["bytes=-", 10, null],
  [undefined, 10, null],
] as const)("rangeOf(%j, %d)", (header, bytes, range) => {
  expect(rangeOf(header, bytes)).toEqual(range);
});
