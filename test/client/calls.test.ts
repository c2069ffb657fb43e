import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  BadInputError,
  type Client,
  createClient,
  IdempotencyConflictError,
  InvalidRunError,
  JobStateError,
  NotFoundError,
  RequestError,
  UnavailableError,
} from "../../src/client/client.ts";
import * as generated from "../../src/client/generated/graphql.ts";
import type { Database } from "../../src/db/client.ts";
import { idText } from "../../src/domain/ids.ts";
import { insertRun, publishBakery } from "../schema/bakery.ts";
import { testDatabase } from "../support/database.ts";
import { finishJob } from "../support/factories.ts";
import { queuedJob } from "../support/running.ts";
import { type TestServer, testServer } from "../support/server.ts";

let db: Database;
let server: TestServer;
let client: Client;

beforeAll(async () => {
  db = await testDatabase();
  await publishBakery(db);
  server = await testServer(db);
  client = createClient({ url: `${server.url}/graphql` });
});
afterAll(async () => {
  await client.close();
  await server[Symbol.asyncDispose]();
  await db[Symbol.asyncDispose]();
});

const bread = { pipeline: "bakery/bread", inputs: { flour: 3 } };

/** Sends each request, and loses the answers to the first ones on their way back. */
function losingAnswers(count: number): { fetch: typeof fetch; sent: string[] } {
  const sent: string[] = [];
  return {
    sent,
    fetch: async (url, init) => {
      sent.push(String(init?.body));
      const response = await fetch(url, init);
      if (sent.length <= count) {
        await response.text();
        throw new TypeError("fetch failed");
      }
      return response;
    },
  };
}

async function error(call: Promise<unknown>): Promise<unknown> {
  return await call.then(
    () => expect.unreachable("it succeeded"),
    (reason: unknown) => reason,
  );
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const taken: T[] = [];
  for await (const item of items) taken.push(item);
  return taken;
}

describe("enqueue", () => {
  it("resolves with the job and what will run", async () => {
    const { job, plan, replayed } = await client.enqueue(bread);
    expect(job).toMatchObject({ project: "bakery", pipeline: "bread", state: "QUEUED" });
    expect(plan?.count).toBeGreaterThan(0);
    expect(replayed).toBe(false);
  });

  it("makes one job however often it has to send", async () => {
    const { fetch, sent } = losingAnswers(2);
    const own = createClient({ url: `${server.url}/graphql`, fetch });
    const { job, replayed } = await own.enqueue({ ...bread, tags: ["once"] });
    expect(sent).toHaveLength(3);
    expect(new Set(sent).size).toBe(1);
    expect(replayed).toBe(true);
    const jobs = await all(client.jobs({ tag: "once" }));
    expect(jobs.map(({ id }) => id)).toEqual([job.id]);
  });

  it("makes two jobs of two calls", async () => {
    const [one, other] = await Promise.all([client.enqueue(bread), client.enqueue(bread)]);
    expect(one.job.id).not.toBe(other.job.id);
  });

  it("throws what is wrong, by class", async () => {
    const invalid = await error(client.enqueue({ pipeline: "bakery/bread", inputs: { flour: "much" } }));
    expect(invalid).toBeInstanceOf(InvalidRunError);
    expect((invalid as InvalidRunError).problems[0]?.path).toBe("input.inputs.flour");
    const missing = await error(client.enqueue({ pipeline: "bakery/braed" }));
    expect(missing).toBeInstanceOf(NotFoundError);
    expect((missing as NotFoundError).suggestion).toBe("bread");
    const { job } = await client.enqueue({ ...bread, idempotencyKey: "mine" });
    const conflict = await error(client.enqueue({ pipeline: "bakery/bread", idempotencyKey: "mine" }));
    expect(conflict).toBeInstanceOf(IdempotencyConflictError);
    expect((conflict as IdempotencyConflictError).jobId).toBe(job.id);
    expect(await error(client.enqueue({ ...bread, priority: 101 }))).toBeInstanceOf(BadInputError);
  });

  it("gives up after its time when nothing answers", async () => {
    const nowhere = createClient({ url: "http://127.0.0.1:1/graphql", retryForMs: 300 });
    const startedAt = performance.now();
    expect(await error(nowhere.enqueue(bread))).toBeInstanceOf(UnavailableError);
    expect(performance.now() - startedAt).toBeGreaterThan(290);
  });

  it("says when what answers is something else", async () => {
    const other = createClient({ url: `${server.url}/health` });
    expect(await error(other.enqueue(bread))).toBeInstanceOf(RequestError);
  });
});

describe("jobs", () => {
  it("reads page by page, newest first", async () => {
    const made: string[] = [];
    for (let count = 0; count < 5; count += 1) made.push((await client.enqueue({ ...bread, tags: ["paged"] })).job.id);
    const found = await all(client.jobs({ tag: "paged" }, { pageSize: 2 }));
    expect(found.map(({ id }) => id)).toEqual(made.toReversed());
  });

  it("finds one by what people call it, and tells its history", async () => {
    const { job } = await client.enqueue(bread);
    expect((await client.find("bakery/bread@last")).id).toBe(job.id);
    expect((await client.find(job.id.slice(-8))).id).toBe(job.id);
    expect(await error(client.find("nosuch@last"))).toBeInstanceOf(NotFoundError);
    expect((await all(client.history(job.id))).map(({ type }) => type)).toEqual(["job.enqueued"]);
    expect(await client.job(idText("job", db.ids.next()))).toBeNull();
  });
});

describe("cancel", () => {
  it("stops a job that waits, and says why that is too late", async () => {
    const { job } = await client.enqueue(bread);
    expect((await client.cancel(job.id, "not today")).state).toBe("CANCELLED");
    const done = await queuedJob(db);
    await db.sql.begin((sql) => finishJob(sql, done));
    const late = await error(client.cancel(idText("job", done)));
    expect(late).toBeInstanceOf(JobStateError);
    expect((late as JobStateError).state).toBe("SUCCEEDED");
  });

  it("succeeds once, although its answer was lost", async () => {
    const { job } = await client.enqueue(bread);
    const { fetch, sent } = losingAnswers(1);
    const own = createClient({ url: `${server.url}/graphql`, fetch });
    expect((await own.cancel(job.id)).state).toBe("CANCELLED");
    expect(sent.length).toBeGreaterThan(1);
  });
});

describe("nodeRuns", () => {
  it("are read page by page, all of them, in order", async () => {
    const id = idText("job", await insertRun(db, { attempts: 1, nodes: 130 }));
    const runs = await all(client.nodeRuns(id));
    expect(runs.map(({ node }) => node)).toEqual(Array.from({ length: 130 }, (_, n) => `node_${n + 1}`));
    expect(await all(client.nodeRuns(id, { node: "node_7" }))).toMatchObject([{ node: "node_7", state: "SUCCEEDED" }]);
  });
});

describe("what the client asks for", () => {
  it("costs no more than a server allows, with the largest pages that it reads", async () => {
    const documents = Object.entries(generated).filter(([name]) => name.endsWith("Document"));
    expect(documents.length).toBeGreaterThan(10);
    for (const [name, document] of documents) {
      const query = String(document);
      if (query.startsWith("subscription")) continue;
      const { errors } = await server.post(query, { id: "x", ref: "x", name: "x", input: {}, ...largest[name] });
      const codes = (errors ?? []).map(({ extensions }) => extensions.code);
      expect(codes, name).not.toContain("LIMIT_EXCEEDED");
    }
  });
});

/** The page sizes of `client.ts` and the CLI, where they are not 50. */
const largest: Record<string, object> = {
  JobsDocument: { first: 100, orderBy: "ID_DESC" },
  JobHistoryDocument: { first: 30 },
  NodeRunsDocument: { first: 50 },
  ProjectsDocument: { first: 10 },
};
