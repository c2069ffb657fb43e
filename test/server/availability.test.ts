import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connect, type Database } from "../../src/db/client.ts";
import { idText } from "../../src/domain/ids.ts";
import { publishBakery } from "../schema/bakery.ts";
import { testDatabase } from "../support/database.ts";
import { insertJob } from "../support/factories.ts";
import { type Proxy as DatabaseProxy, openProxy } from "../support/proxy.ts";
import { type TestServer, testServer } from "../support/server.ts";

let db: Database;
let proxy: DatabaseProxy;
let through: Database;
let server: TestServer;
let freezing: NodeJS.Timeout | undefined;
beforeAll(async () => {
  db = await testDatabase();
  await publishBakery(db);
  proxy = await openProxy(db.url);
  through = await connect(proxy.url, { max: 2, maxReads: 2 });
  server = await testServer(through);
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await through[Symbol.asyncDispose]();
  await proxy[Symbol.asyncDispose]();
  await db[Symbol.asyncDispose]();
});

const read = "{ queues { name } }";
const readNullable = '{ project(name: "bakery") { name } }';
const enqueue = 'mutation { enqueueJob(input: { pipeline: "bakery/bread" }) { __typename } }';

function freezeAll(): void {
  freezing = setInterval(() => proxy.freeze(), 1);
}

async function timed<T>(work: () => Promise<T>): Promise<{ answer: T; ms: number }> {
  const started = performance.now();
  const answer = await work();
  return { answer, ms: performance.now() - started };
}

describe.each([
  ["refuses connections", () => proxy.cut()],
  // New connections too carry nothing: as when a host has vanished.
  ["no longer answers", freezeAll],
])("while Postgres %s", (_what, breakIt) => {
  it("every operation is a typed 503 within two seconds, and works again soon after", async () => {
    expect((await server.post(read)).status).toBe(200);
    breakIt();
    for (const query of [read, readNullable, enqueue, read]) {
      const { answer, ms } = await timed(() => server.post(query));
      expect(answer, query).toMatchObject({ status: 503, errors: [{ extensions: { code: "UNAVAILABLE" } }] });
      expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
      expect(ms, query).toBeLessThan(2000);
    }
    const { answer: ready, ms } = await timed(() => fetch(`${server.url}/ready`));
    expect(ready.status).toBe(503);
    expect(ms).toBeLessThan(2000);
    expect((await fetch(`${server.url}/health`)).status).toBe(200);

    // What is frozen stays so: only new connections carry something.
    clearInterval(freezing);
    proxy.cut();
    proxy.restore();
    await expect.poll(async () => (await server.post(read)).status, { timeout: 10_000, interval: 100 }).toBe(200);
    await expect
      .poll(async () => (await server.post(enqueue)).data?.enqueueJob?.__typename, { timeout: 10_000, interval: 100 })
      .toBe("EnqueueJobSuccess");
    expect(server.logged.filter(({ level }) => level === "error")).toEqual([]);
  });
});

describe("a stream", () => {
  it("outlives an outage, and misses nothing", async () => {
    const id = await insertJob(db);
    const stream = server.subscribe("subscription ($id: ID!) { jobEvents(jobId: $id) { seq } }", {
      id: idText("job", id),
    });
    expect((await stream.next()).value).toMatchObject({ data: { jobEvents: { seq: 1 } } });
    proxy.cut();
    await db.sql`
      with locked as (update jobs set last_seq = 2 where id = ${id})
      insert into events (job_id, seq, life, type, version, recorded_at, occurred_at, data)
      values (${id}, 2, 1, 'job.queued', 1, queue_now(), queue_now(), '{}')`;
    proxy.restore();
    expect((await stream.next()).value).toMatchObject({ data: { jobEvents: { seq: 2 } } });
    await stream.return(undefined);
  });
});

describe("when all connections are busy", () => {
  it("who waits too long gets a typed error, and nobody is held up for ever", async () => {
    const busy = await connect(db.url, { max: 2, maxReads: 2 });
    await using server = await testServer(busy, { limits: { answerMs: 800 } });
    const release = Promise.withResolvers<void>();
    const locked = Promise.withResolvers<void>();
    const lock = db.sql.begin(async (sql) => {
      await sql`lock table flowerpower_queue.queues in access exclusive mode`;
      locked.resolve();
      await release.promise;
    });
    await locked.promise;
    const answers = await Promise.all(Array.from({ length: 6 }, () => server.post(read)));
    expect(answers.map(({ status }) => status)).toEqual([503, 503, 503, 503, 503, 503]);
    expect(answers[0]!.errors).toMatchObject([{ extensions: { code: "UNAVAILABLE" } }]);
    release.resolve();
    await lock;
    await expect.poll(async () => (await server.post(read)).status).toBe(200);
    await server[Symbol.asyncDispose]();
    await busy[Symbol.asyncDispose]();
  });

  it("a lock of a second only delays", async () => {
    const locked = Promise.withResolvers<void>();
    const lock = db.sql.begin(async (sql) => {
      await sql`lock table flowerpower_queue.queues in access exclusive mode`;
      locked.resolve();
      await sql`select pg_sleep(1.2)`;
    });
    await locked.promise;
    const { answer, ms } = await timed(() => server.post(read));
    expect(answer.status).toBe(200);
    expect(ms).toBeGreaterThan(500);
    await lock;
  });
});
