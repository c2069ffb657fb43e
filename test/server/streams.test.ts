import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Database } from "../../src/db/client.ts";
import { connect } from "../../src/db/client.ts";
import { idText } from "../../src/domain/ids.ts";
import { collect } from "../support/collect.ts";
import { testDatabase } from "../support/database.ts";
import { finishJob, insertEvents, insertJob, requeueJob } from "../support/factories.ts";
import { openSocket } from "../support/raw-http.ts";
import { type TestServer, testServer } from "../support/server.ts";
import { sse } from "../support/sse.ts";

let db: Database;
let server: TestServer;
/** Another process on the same database: a server with its own connections, wake-ups and tail. */
let otherDb: Database;
let other: TestServer;

beforeAll(async () => {
  db = await testDatabase();
  server = await testServer(db, { limits: { keepAliveMs: 50 } });
  otherDb = await connect(db.url);
  other = await testServer(otherDb);
});
afterAll(async () => {
  await Promise.all([server[Symbol.asyncDispose](), other[Symbol.asyncDispose]()]);
  await otherDb[Symbol.asyncDispose]();
  await db[Symbol.asyncDispose]();
});

const events = "subscription ($id: ID!, $after: String) { jobEvents(jobId: $id, after: $after) { seq type cursor } }";
const lines = (n: number) =>
  Array.from({ length: n }, (_, index) => ({
    type: "log.line",
    data: { level: "INFO", stream: "stdout", logger: null, text: `line ${index}` },
  }));

async function append(id: string, n: number): Promise<void> {
  await db.sql.begin((sql) => insertEvents(sql, id, lines(n)));
  server.jobs.wakeups.ring("events", [id]);
}

async function finish(id: string): Promise<void> {
  await db.sql.begin((sql) => finishJob(sql, id));
  server.jobs.wakeups.ring("events", [id]);
}

describe("server-sent events", () => {
  it("begin at once, carry the cursor as their id, and complete", async () => {
    const id = await insertJob(db);
    const stream = await sse(server.url, events, { variables: { id: idText("job", id) } });
    expect(stream.status).toBe(200);
    expect(stream.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
    const first = (await stream.next()).value;
    expect(first).toMatchObject({ event: "next", data: { data: { jobEvents: { seq: 1, type: "job.enqueued" } } } });
    expect(first.id).toBe(first.data.data.jobEvents.cursor);
    await finish(id);
    expect((await stream.next()).value).toMatchObject({ data: { data: { jobEvents: { type: "job.succeeded" } } } });
    expect((await stream.next()).value).toMatchObject({ event: "complete" });
    expect((await stream.next()).done).toBe(true);
  });

  it("carry the cursor although the client does not select it, and under an alias, in a fragment", async () => {
    const id = await insertJob(db);
    const query =
      "subscription ($id: ID!) { ...F } fragment F on Subscription { renamed: jobEvents(jobId: $id) { seq } }";
    const stream = await sse(server.url, query, { variables: { id: idText("job", id) } });
    const { id: cursor } = (await stream.next()).value;
    stream.leave();
    const resumed = await sse(server.url, events, { variables: { id: idText("job", id) }, lastEventId: cursor });
    await finish(id);
    expect((await resumed.next()).value.data.data.jobEvents.seq).toBe(2);
    resumed.leave();
  });

  it("resume after Last-Event-ID, which is newer than the argument, by GET as a browser does", async () => {
    const id = await insertJob(db);
    await append(id, 5);
    const variables = { id: idText("job", id) };
    const whole = await sse(server.url, events, { variables, get: true });
    const seen = await collect(whole, 4);
    whole.leave();
    const after = seen[0]!.id;
    const resumed = await sse(server.url, events, {
      variables: { ...variables, after },
      lastEventId: seen[3]!.id!,
      get: true,
    });
    expect((await resumed.next()).value.data.data.jobEvents.seq).toBe(5);
    resumed.leave();
    const byArgument = await sse(server.url, events, { variables: { ...variables, after } });
    expect((await byArgument.next()).value.data.data.jobEvents.seq).toBe(2);
    byArgument.leave();
  });

  it("keep a quiet connection", async () => {
    const id = await insertJob(db);
    const stream = await sse(server.url, events, { variables: { id: idText("job", id) } });
    await stream.next();
    const waiting = stream.next();
    await expect.poll(() => stream.comments()).toBeGreaterThan(3);
    await finish(id);
    expect((await waiting).value.data.data.jobEvents.type).toBe("job.succeeded");
    stream.leave();
  });

  it("are let go when the client leaves while they wait", async () => {
    const id = await insertJob(db);
    const streams = await Promise.all(
      [1, 2, 3].map(() => sse(server.url, events, { variables: { id: idText("job", id) } })),
    );
    for (const stream of streams) await stream.next();
    await expect.poll(() => server.open().streams).toBe(3);
    for (const stream of streams) stream.leave();
    await expect.poll(() => server.open().streams).toBe(0);
  });

  it("are let go when the client leaves before they begin", async () => {
    const open = async () => (await server.post("{ server { health { changeSubscribers } } }")).data.server.health;
    const ids = [idText("job", await insertJob(db))];
    const query = "subscription ($ids: [ID!]) { jobChanged(filter: { ids: $ids }) { id } }";
    const search = new URLSearchParams({ query, variables: JSON.stringify({ ids }) });
    await db.sql.begin(async (sql) => {
      // So long they cannot begin: the first thing that they do is to read their jobs.
      await sql`lock table jobs in access exclusive mode`;
      const sockets = await Promise.all([1, 2, 3].map(() => openSocket(server.url)));
      for (const socket of sockets) {
        socket.write(`GET /graphql?${search} HTTP/1.1\r\nhost: localhost\r\naccept: text/event-stream\r\n\r\n`);
      }
      await expect.poll(open, { timeout: 4000 }).toEqual({ changeSubscribers: 3 });
      for (const socket of sockets) socket.destroy();
      await open();
    });
    await expect.poll(open, { timeout: 10_000 }).toEqual({ changeSubscribers: 0 });
    expect(server.open().streams).toBe(0);
  });

  it("refuse a mutation by GET as any other answer does", async () => {
    const stream = await sse(server.url, 'mutation { cancelJob(input: { id: "x" }) { __typename } }', { get: true });
    expect(stream.status).toBe(405);
    expect(stream.headers.get("allow")).toBe("POST");
    stream.leave();
  });

  it("are let go when the client leaves in the middle of a flood that it does not read", async () => {
    const id = await insertJob(db);
    for (let n = 0; n < 10; n += 1) {
      await db.sql.begin((sql) =>
        insertEvents(
          sql,
          id,
          Array.from({ length: 200 }, () => ({ data: { text: "x".repeat(2000) } })),
        ),
      );
    }
    const socket = await openSocket(server.url);
    const query = "subscription ($id: ID!) { jobEvents(jobId: $id) { seq ... on LogLine { text } } }";
    const body = JSON.stringify({ query, variables: { id: idText("job", id) } });
    socket.pause();
    socket.write(
      `POST /graphql HTTP/1.1\r\nhost: localhost\r\naccept: text/event-stream\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    );
    await expect.poll(() => server.open().streams).toBe(1);
    socket.destroy();
    await expect.poll(() => server.open().streams).toBe(0);
  });

  it("tell what is wrong with an operation as a stream of one", async () => {
    const wrong = await sse(server.url, "subscription { nothing }");
    // A browser would show nothing of a stream that begins with another status.
    expect(wrong.status).toBe(200);
    expect(await collect(wrong)).toMatchObject([
      { event: "next", data: { errors: [{ extensions: { code: "GRAPHQL_VALIDATION_FAILED" } }] } },
      { event: "complete" },
    ]);
    const query = await sse(server.url, "{ __typename }");
    expect(await collect(query)).toMatchObject([
      { event: "next", data: { data: { __typename: "Query" } } },
      { event: "complete" },
    ]);
  });

  it.each(["nonsense", "🦊", "' or 1=1", "a".repeat(500)])("refuse to resume after %j", async (lastEventId) => {
    const id = idText("job", await insertJob(db));
    const stream = await sse(server.url, events, { variables: { id, after: lastEventId } });
    expect(stream.status).toBe(200);
    const [only] = await collect(stream);
    expect(["BAD_CURSOR", "BAD_USER_INPUT"]).toContain(only!.data.errors[0].extensions.code);
  });
});

describe("a stream", () => {
  it("resumes on another server, without gap or repeat, however often it breaks", async () => {
    const id = await insertJob(db);
    const variables = { id: idText("job", id) };
    const writing = (async () => {
      for (let n = 0; n < 40; n += 1) await append(id, 5);
      await finish(id);
    })();
    const seqs: number[] = [];
    let after: string | undefined;
    for (let turn = 0; ; turn += 1) {
      const { url } = turn % 2 === 0 ? server : other;
      const stream = await sse(url, events, { variables, ...(after !== undefined && { lastEventId: after }) });
      let completed = false;
      for (const { event, id: cursor, data } of await collect(stream, 1 + (turn % 9))) {
        if (event === "complete") completed = true;
        else seqs.push(data.data.jobEvents.seq);
        after = cursor ?? after;
      }
      stream.leave();
      if (completed) break;
    }
    await writing;
    expect(seqs).toEqual(Array.from({ length: 202 }, (_, n) => n + 1));
  });

  it("over a WebSocket resumes over server-sent events, and the other way round", async () => {
    const id = await insertJob(db);
    await append(id, 3);
    const variables = { id: idText("job", id) };
    const socket = server.subscribe(events, variables);
    const [, second] = await collect(socket, 2);
    await socket.return(undefined);
    const stream = await sse(other.url, events, { variables: { ...variables, after: second!.extensions!.cursor } });
    const [third] = await collect(stream, 1);
    stream.leave();
    const again = server.subscribe(events, { ...variables, after: third!.id });
    expect((await again.next()).value).toMatchObject({ data: { jobEvents: { seq: 4 } } });
    await again.return(undefined);
  });

  it("of a job that is requeued goes on through its next life", async () => {
    const id = await insertJob(db);
    await finish(id);
    await db.sql.begin((sql) => requeueJob(sql, id));
    const stream = server.subscribe(events, { id: idText("job", id) });
    const seen = await collect(stream, 3);
    expect(seen.map(({ data }) => data.jobEvents.type)).toEqual(["job.enqueued", "job.succeeded", "job.requeued"]);
    await finish(id);
    expect(await collect(stream)).toHaveLength(1);
  });

  it("of the feed shows what fits, and resumes on another server after a mark", async () => {
    const query =
      "subscription ($filter: FeedFilter, $after: String) { feed(filter: $filter, after: $after) { cursor event { type jobId job { state pipeline } } } }";
    const variables = { filter: { pipeline: "bikes/wanted", types: ["JOB_ENQUEUED", "JOB_SUCCEEDED"] } };
    const stream = server.subscribe(query, variables);
    const mark = (await stream.next()).value;
    expect(mark.data.feed).toEqual({ cursor: expect.any(String), event: null });
    expect(mark.extensions.cursor).toBe(mark.data.feed.cursor);
    const wanted = await insertJob(db, { pipeline: "wanted" });
    await insertJob(db, { pipeline: "unwanted" });
    await append(wanted, 2);
    await finish(wanted);
    const seen = [];
    while (seen.length < 2) {
      const { event } = (await stream.next()).value.data.feed;
      if (event !== null) seen.push(event);
    }
    expect(seen).toEqual(
      ["job.enqueued", "job.succeeded"].map((type) => ({
        type,
        jobId: idText("job", wanted),
        job: { state: "SUCCEEDED", pipeline: "wanted" },
      })),
    );
    await stream.return(undefined);

    const resumed = await sse(other.url, query, { variables, lastEventId: mark.extensions.cursor });
    const [first] = await collect(resumed, 1);
    expect(first!.data.data.feed.event).toMatchObject({ type: "job.enqueued", jobId: idText("job", wanted) });
    resumed.leave();
  });

  it("of changes shows a named job at once and the last state always", async () => {
    const id = await insertJob(db);
    const stream = server.subscribe("subscription ($ids: [ID!]) { jobChanged(filter: { ids: $ids }) { id state } }", {
      ids: [idText("job", id), idText("job", db.ids.next())],
    });
    expect((await stream.next()).value.data.jobChanged).toEqual({ id: idText("job", id), state: "QUEUED" });
    await append(id, 20);
    await finish(id);
    let state = "";
    while (state !== "SUCCEEDED") state = (await stream.next()).value.data.jobChanged.state;
    await stream.return(undefined);
  });

  it("has no cursor where there is none to resume from", async () => {
    const id = await insertJob(db);
    const stream = await sse(server.url, "subscription ($ids: [ID!]) { jobChanged(filter: { ids: $ids }) { state } }", {
      variables: { ids: [idText("job", id)] },
    });
    expect((await stream.next()).value).toMatchObject({
      id: null,
      data: { data: { jobChanged: { state: "QUEUED" } } },
    });
    stream.leave();
  });

  it("that nobody reads holds up nobody, and keeps little in memory", async () => {
    const id = await insertJob(db);
    const slow = await Promise.all(
      Array.from({ length: 3 }, () => sse(server.url, events, { variables: { id: idText("job", id) } })),
    );
    const quick = server.subscribe(events, { id: idText("job", id) });
    await quick.next();
    for (let n = 0; n < 5; n += 1) await append(id, 400);
    const seen = await collect(quick, 2000);
    expect(seen.at(-1)).toMatchObject({ data: { jobEvents: { seq: 2001 } } });
    await quick.return(undefined);
    // The slow ones have missed nothing either.
    const late = await collect(slow[0]!, 2001);
    expect(late.map(({ data }) => data.data.jobEvents.seq)).toEqual(Array.from({ length: 2001 }, (_, n) => n + 1));
    for (const stream of slow) stream.leave();
  });
});

describe("a server that stops", () => {
  it("ends its streams with an error that carries the cursor, and is gone at once", async () => {
    const stopping = await testServer(db);
    const id = await insertJob(db);
    const variables = { id: idText("job", id) };
    const stream = await sse(stopping.url, events, { variables });
    const socket = stopping.subscribe(events, variables);
    const first = (await stream.next()).value;
    await socket.next();
    const started = performance.now();
    const closing = stopping.close();
    const [last, complete] = await collect(stream);
    expect(last).toMatchObject({
      event: "next",
      id: first.id,
      data: { errors: [{ extensions: { code: "UNAVAILABLE" } }], extensions: { cursor: first.id } },
    });
    expect(complete).toMatchObject({ event: "complete" });
    expect((await socket.next()).value).toMatchObject({
      errors: [{ extensions: { code: "UNAVAILABLE" } }],
      extensions: { cursor: first.id },
    });
    await closing;
    expect(performance.now() - started).toBeLessThan(3000);
    await expect(fetch(`${stopping.url}/health`)).rejects.toThrow();
    await stopping[Symbol.asyncDispose]();

    const resumed = await sse(other.url, events, { variables, lastEventId: first.id });
    await finish(id);
    expect((await resumed.next()).value.data.data.jobEvents.seq).toBe(2);
    resumed.leave();
  });
});
