import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ClientOptions, WebSocket } from "ws";
import type { Database } from "../../src/db/client.ts";
import { idText } from "../../src/domain/ids.ts";
import { testDatabase } from "../support/database.ts";
import { finishJob, insertEvents, insertJob } from "../support/factories.ts";
import { type TestServer, testServer } from "../support/server.ts";

let db: Database;
let server: TestServer;
beforeAll(async () => {
  db = await testDatabase();
  server = await testServer(db, {
    allowOrigins: ["https://app.example.org"],
    identify: (token) =>
      token === "wrong" ? null : { name: token ?? "local", scopes: new Set(["read", "payloads"] as const) },
    limits: { initTimeoutMs: 400, pingMs: 200, subscriptionsPerSocket: 5, socketsPerActor: 3 },
  });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await db[Symbol.asyncDispose]();
});

interface Message {
  type: string;
  id?: string;
  // biome-ignore lint/suspicious/noExplicitAny: a test knows what it has asked for
  payload?: any;
}

/** A bare socket, so that a test can say and see everything. */
class Peer implements AsyncDisposable {
  readonly socket: WebSocket;
  readonly #received: Message[] = [];
  readonly #waiting: ((message: Message | null) => void)[] = [];
  readonly closed: Promise<{ code: number; reason: string }>;

  constructor(options: ClientOptions = {}) {
    const url = `${server.url.replace("http", "ws")}/graphql`;
    this.socket = new WebSocket(url, "graphql-transport-ws", options);
    this.socket.on("error", () => {});
    this.socket.on("message", (data) => {
      const message = JSON.parse(String(data)) as Message;
      const waiting = this.#waiting.shift();
      if (waiting === undefined) this.#received.push(message);
      else waiting(message);
    });
    this.closed = once(this.socket, "close").then(([code, reason]) => ({
      code: code as number,
      reason: String(reason),
    }));
  }

  static async open(): Promise<Peer> {
    const peer = new Peer();
    await once(peer.socket, "open");
    return peer;
  }

  /** Acknowledged. */
  static async ready(payload?: object): Promise<Peer> {
    const peer = await Peer.open();
    peer.send({ type: "connection_init", ...(payload && { payload }) });
    expect(await peer.next()).toEqual({ type: "connection_ack" });
    return peer;
  }

  send(message: unknown): void {
    this.socket.send(typeof message === "string" ? message : JSON.stringify(message));
  }

  subscribe(id: string, query: string, variables?: object): void {
    this.send({ type: "subscribe", id, payload: { query, ...(variables && { variables }) } });
  }

  next(): Promise<Message | null> {
    const received = this.#received.shift();
    if (received !== undefined) return Promise.resolve(received);
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      void this.closed.then(() => resolve(null));
    });
  }

  /** All that has come so far and was not taken. Whatever was on its way before a pong has come. */
  async rest(): Promise<Message[]> {
    this.send({ type: "ping" });
    const messages: Message[] = [];
    for (let message = await this.next(); message !== null && message.type !== "pong"; message = await this.next())
      messages.push(message);
    return messages;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.terminate();
    await this.closed;
  }
}

const nowhere = idText("job", "01920001-0000-7000-8000-000000000001");
const events = "subscription ($id: ID!, $after: String) { jobEvents(jobId: $id, after: $after) { seq } }";

describe("a socket", () => {
  it("without our protocol is closed with 4406", async () => {
    const socket = new WebSocket(`${server.url.replace("http", "ws")}/graphql`);
    const [code] = await once(socket, "close");
    expect(code).toBe(4406);
  });

  it("with only another protocol is closed with 4406, and not with a failure that says nothing", async () => {
    const socket = new WebSocket(`${server.url.replace("http", "ws")}/graphql`, ["graphql-ws", "unknown"]);
    const [code] = await once(socket, "close");
    expect(code).toBe(4406);
  });

  it("with an unknown protocol among ours is served", async () => {
    const socket = new WebSocket(`${server.url.replace("http", "ws")}/graphql`, ["unknown", "graphql-transport-ws"]);
    await once(socket, "open");
    expect(socket.protocol).toBe("graphql-transport-ws");
    socket.close();
    await once(socket, "close");
  });

  it("that subscribes before it is acknowledged is closed with 4401", async () => {
    const peer = await Peer.open();
    peer.subscribe("1", "{ __typename }");
    expect(await peer.closed).toMatchObject({ code: 4401 });
  });

  it("whose key is not known is closed with 4403", async () => {
    const peer = await Peer.open();
    peer.send({ type: "connection_init", payload: { token: "wrong" } });
    expect(await peer.closed).toMatchObject({ code: 4403 });
  });

  it("that does not begin is closed with 4408", async () => {
    expect(await (await Peer.open()).closed).toMatchObject({ code: 4408 });
  });

  it("that begins twice is closed with 4429", async () => {
    const peer = await Peer.ready();
    peer.send({ type: "connection_init" });
    expect(await peer.closed).toMatchObject({ code: 4429 });
  });

  it.each([
    ["no JSON", "{"],
    ["a text", '"x"'],
    ["null", "null"],
    ["a list", "[]"],
    ["an unknown type", '{"type":"start","id":"1"}'],
    ["no type", "{}"],
    ["an acknowledgement", '{"type":"connection_ack"}'],
    ["a result", '{"type":"next","id":"1","payload":{}}'],
    ["an error", '{"type":"error","id":"1","payload":[{"message":"x"}]}'],
    ["a subscribe without a payload", '{"type":"subscribe","id":"1"}'],
    ["a subscribe whose payload is a list", '{"type":"subscribe","id":"1","payload":[]}'],
    ["a subscribe without a query", '{"type":"subscribe","id":"1","payload":{}}'],
    ["a subscribe whose query is no text", '{"type":"subscribe","id":"1","payload":{"query":1}}'],
    ["variables that are a list", '{"type":"subscribe","id":"1","payload":{"query":"{__typename}","variables":[]}}'],
    [
      "an operation name that is no text",
      '{"type":"subscribe","id":"1","payload":{"query":"{__typename}","operationName":1}}',
    ],
    ["extensions that are a text", '{"type":"subscribe","id":"1","payload":{"query":"{__typename}","extensions":"x"}}'],
    ["__proto__", '{"type":"ping","payload":{"__proto__":{}}}'],
    ["deep lists", `{"type":"ping","payload":${"[".repeat(5000)}${"]".repeat(5000)}}`],
    ["a subscribe without an id", '{"type":"subscribe","payload":{"query":"{__typename}"}}'],
    ["a subscribe with an empty id", '{"type":"subscribe","id":"","payload":{"query":"{__typename}"}}'],
    ["a subscribe with a numeric id", '{"type":"subscribe","id":1,"payload":{"query":"{__typename}"}}'],
    [
      "an id of 65 characters",
      JSON.stringify({ type: "subscribe", id: "x".repeat(65), payload: { query: "{__typename}" } }),
    ],
    ["a complete without an id", '{"type":"complete"}'],
  ])("that sends %s is closed with 4400", async (_what, text) => {
    const peer = await Peer.ready();
    server.logged.length = 0;
    peer.send(text);
    expect(await peer.closed).toMatchObject({ code: 4400 });
    expect(server.logged.filter(({ level }) => level === "error")).toEqual([]);
  });

  it("that sends bytes is closed with 4400", async () => {
    const peer = await Peer.ready();
    peer.socket.send(Buffer.from([1, 2, 3]), { binary: true });
    expect(await peer.closed).toMatchObject({ code: 4400 });
  });

  it("that sends a message over 1 MiB is closed", async () => {
    const peer = await Peer.ready();
    peer.send(JSON.stringify({ type: "ping", payload: { a: "x".repeat(1024 * 1024) } }));
    expect(await peer.closed).toMatchObject({ code: 1009 });
  });

  it("is answered its pings before and after it has begun", async () => {
    await using peer = await Peer.open();
    peer.send({ type: "ping" });
    expect(await peer.next()).toEqual({ type: "pong" });
    peer.send({ type: "connection_init" });
    expect(await peer.next()).toEqual({ type: "connection_ack" });
    peer.send({ type: "ping", payload: { a: 1 } });
    expect(await peer.next()).toEqual({ type: "pong", payload: { a: 1 } });
    peer.send({ type: "pong" });
    expect(await peer.rest()).toEqual([]);
  });

  it.each(["9007199254740993", "1e400"])("may carry the number %s in a ping", async (number) => {
    await using peer = await Peer.ready();
    peer.send(`{"type":"ping","payload":{"sentAt":${number}}}`);
    expect(await peer.next()).toMatchObject({ type: "pong" });
  });

  it("that asks without reading is not listened to until it reads", async () => {
    await using own = await testServer(db, { limits: { unreadBytes: 100_000 } });
    const socket = new WebSocket(`${own.url.replace("http", "ws")}/graphql`, "graphql-transport-ws");
    await once(socket, "open");
    socket.pause();
    const ping = JSON.stringify({ type: "ping", payload: { text: "x".repeat(100_000) } });
    for (let n = 0; n < 200; n += 1) socket.send(ping);
    // Longer than it takes to read all of it.
    for (let n = 0; n < 50; n += 1) await own.post("{ server { now } }");
    expect(socket.bufferedAmount).toBeGreaterThan(0);
    let pongs = 0;
    socket.on("message", () => {
      pongs += 1;
    });
    socket.resume();
    await expect.poll(() => pongs, { timeout: 10_000 }).toBe(200);
    socket.terminate();
  });

  it("that no longer answers is dropped", async () => {
    await using peer = new Peer({ autoPong: false });
    await once(peer.socket, "open");
    peer.send({ type: "connection_init" });
    expect(await peer.closed).toMatchObject({ code: 1006 });
  });

  it("that answers the pings of the transport stays", async () => {
    await using peer = await Peer.ready();
    for (let n = 0; n < 3; n += 1) await once(peer.socket, "ping");
    expect(await peer.rest()).toEqual([]);
  });

  it.each(["https://evil.example", "null"])("of a page of %s is refused", async (origin) => {
    const socket = new WebSocket(`${server.url.replace("http", "ws")}/graphql`, "graphql-transport-ws", { origin });
    const [error] = await once(socket, "error");
    expect(String(error)).toContain("403");
  });

  it("of a page that is allowed is opened", async () => {
    const socket = new WebSocket(`${server.url.replace("http", "ws")}/graphql`, "graphql-transport-ws", {
      origin: "https://app.example.org",
    });
    await once(socket, "open");
    socket.close();
    await once(socket, "close");
  });

  it("by another name than this machine's is refused", async () => {
    const socket = new WebSocket(`${server.url.replace("http", "ws")}/graphql`, "graphql-transport-ws", {
      headers: { host: "evil.example" },
    });
    const [error] = await once(socket, "error");
    expect(String(error)).toContain("403");
  });

  it("is one of at most so many of an actor, and makes room when it goes", async () => {
    const peers = await Promise.all([1, 2, 3].map(() => Peer.ready({ token: "busy" })));
    const fourth = await Peer.open();
    fourth.send({ type: "connection_init", payload: { token: "busy" } });
    expect(await fourth.closed).toMatchObject({ code: 4429 });
    await using other = await Peer.ready({ token: "idle" });
    await peers[0]![Symbol.asyncDispose]();
    await expect
      .poll(async () => {
        const peer = await Peer.open();
        peer.send({ type: "connection_init", payload: { token: "busy" } });
        const answer = await peer.next();
        await peer[Symbol.asyncDispose]();
        return answer;
      })
      .toEqual({ type: "connection_ack" });
    for (const peer of [...peers.slice(1), other]) await peer[Symbol.asyncDispose]();
  });
});

describe("an operation", () => {
  it("answers a query, and completes", async () => {
    await using peer = await Peer.ready();
    peer.subscribe("q", "{ __typename }");
    expect(await peer.next()).toEqual({
      type: "next",
      id: "q",
      payload: { data: { __typename: "Query" }, extensions: { cost: 1 } },
    });
    expect(await peer.next()).toEqual({ type: "complete", id: "q" });
  });

  it("whose id is in use closes the socket with 4409, with an id of 64 characters too", async () => {
    const id = "é".repeat(32) + "x".repeat(32);
    const peer = await Peer.ready();
    peer.subscribe(id, "subscription { feed { cursor } }");
    peer.subscribe(id, "{ __typename }");
    const { code, reason } = await peer.closed;
    expect(code).toBe(4409);
    expect(reason).toContain("already exists");
  });

  it.each(["__proto__", "constructor", "toString", "1"])("may be called %s", async (id) => {
    await using peer = await Peer.ready();
    peer.subscribe(id, "{ __typename }");
    expect(await peer.next()).toMatchObject({ type: "next", id });
    expect(await peer.next()).toEqual({ type: "complete", id });
  });

  it("tells nothing more after the client's complete, and its id may be used at once", async () => {
    const jobId = await insertJob(db);
    await db.sql.begin((sql) =>
      insertEvents(
        sql,
        jobId,
        Array.from({ length: 50 }, () => ({})),
      ),
    );
    await using peer = await Peer.ready();
    for (let round = 0; round < 20; round += 1) {
      peer.subscribe("a", events, { id: idText("job", jobId) });
      expect(await peer.next()).toMatchObject({ type: "next", id: "a", payload: { data: { jobEvents: { seq: 1 } } } });
      peer.send({ type: "complete", id: "a" });
      peer.subscribe("a", "{ __typename }");
      const messages = [];
      for (let message = await peer.next(); message !== null; message = await peer.next()) {
        messages.push(message);
        if (message.type === "complete") break;
      }
      const answers = messages.filter(({ payload }) => payload?.data?.__typename === "Query");
      expect(answers).toHaveLength(1);
      // What came between was sent before the server had read the complete; nothing of it comes after the new answer.
      expect(messages.slice(messages.indexOf(answers[0]!))).toEqual([answers[0], { type: "complete", id: "a" }]);
    }
    await expect.poll(() => server.open().streams).toBe(0);
  });

  it("that was completed before it began is not run", async () => {
    await using peer = await Peer.ready();
    peer.send({ type: "complete", id: "never" });
    peer.subscribe("a", "subscription { feed { cursor } }");
    peer.send({ type: "complete", id: "a" });
    expect((await peer.rest()).filter(({ type }) => type !== "next")).toEqual([]);
    await expect.poll(() => server.open().streams).toBe(0);
  });

  it.each([
    ["{", "GRAPHQL_PARSE_FAILED"],
    ["{ nothing }", "GRAPHQL_VALIDATION_FAILED"],
    ["subscription { feed { cursor } jobChanged { id } }", "GRAPHQL_VALIDATION_FAILED"],
    [`{ ${"__typename ".repeat(1001)} }`, "LIMIT_EXCEEDED"],
    [
      "{ jobs(first: 100) { nodes { attempts(first: 100) { nodes { nodeRuns { nodes { id } } } } } } }",
      "LIMIT_EXCEEDED",
    ],
    ["query A { __typename } query B { __typename }", "BAD_USER_INPUT"],
    ['{ project(name: "\\u0000") { name } }', "BAD_USER_INPUT"],
  ])("%.60s ends with an error %s, and the socket goes on", async (query, code) => {
    await using peer = await Peer.ready();
    peer.subscribe("e", query);
    expect(await peer.next()).toMatchObject({
      type: "error",
      id: "e",
      payload: [{ message: expect.any(String), extensions: { code } }],
    });
    peer.subscribe("e", "{ __typename }");
    expect(await peer.next()).toMatchObject({ type: "next", id: "e" });
  });

  it.each([
    ["an inexact number", '{"a":9007199254740993}'],
    ["1e400", '{"a":1e400}'],
    ["a NUL", '{"a":"\\u0000"}'],
    ["half a surrogate pair", '{"a":"\\udc00"}'],
    ["__proto__", '{"__proto__":1}'],
  ])("with %s in its variables ends with an error", async (_what, variables) => {
    await using peer = await Peer.ready();
    peer.send(`{"type":"subscribe","id":"v","payload":{"query":"{ __typename }","variables":${variables}}}`);
    expect(await peer.next()).toMatchObject({
      type: "error",
      id: "v",
      payload: [{ extensions: { code: "BAD_USER_INPUT" } }],
    });
    peer.subscribe("v", "{ __typename }");
    expect(await peer.next()).toMatchObject({ type: "next" });
  });

  it("says where in its variables a number is that cannot be held", async () => {
    await using peer = await Peer.ready();
    const variables = '{"input":{"a":[1e400]}}';
    peer.send(`{"type":"subscribe","id":"v","payload":{"query":"{ __typename }","variables":${variables}}}`);
    expect(await peer.next()).toMatchObject({ payload: [{ extensions: { path: "input.a.0" } }] });
  });

  it("may hold more than is known", async () => {
    await using peer = await Peer.ready();
    peer.send({ type: "subscribe", id: "m", payload: { query: "{ __typename }", documentId: null } });
    expect(await peer.next()).toMatchObject({ type: "next", id: "m" });
  });

  it.each([
    "subscription { feed @skip(if: true) { cursor } }",
    "subscription ($if: Boolean!) { feed @include(if: $if) { cursor } }",
    "subscription { ... @skip(if: true) { feed { cursor } } }",
    "subscription { ...F } fragment F on Subscription { ...G feed @skip(if: true) { cursor } } fragment G on Subscription { ...F }",
  ])("%s is refused, for it may have no field", async (query) => {
    await using peer = await Peer.ready();
    server.logged.length = 0;
    peer.subscribe("c", query, { if: true });
    expect(await peer.next()).toMatchObject({
      type: "error",
      payload: [{ extensions: { code: "GRAPHQL_VALIDATION_FAILED" } }],
    });
    expect(server.logged).toEqual([]);
  });

  it("is one of at most so many on a socket, and makes room when it ends", async () => {
    await using peer = await Peer.ready();
    for (let n = 0; n < 5; n += 1) peer.subscribe(`s${n}`, "subscription { jobChanged { id } }");
    peer.subscribe("more", "{ __typename }");
    expect(await peer.next()).toMatchObject({
      type: "error",
      id: "more",
      payload: [{ extensions: { code: "LIMIT_EXCEEDED" } }],
    });
    peer.send({ type: "complete", id: "s0" });
    peer.subscribe("more", "{ __typename }");
    expect(await peer.next()).toMatchObject({ type: "next", id: "more" });
  });

  it("of a job ends with its last event", async () => {
    const jobId = await insertJob(db);
    await using peer = await Peer.ready();
    peer.subscribe("j", events, { id: idText("job", jobId) });
    expect(await peer.next()).toMatchObject({
      payload: { data: { jobEvents: { seq: 1 } }, extensions: { cursor: expect.any(String) } },
    });
    await db.sql.begin((sql) => finishJob(sql, jobId));
    expect(await peer.next()).toMatchObject({ payload: { data: { jobEvents: { seq: 2 } } } });
    expect(await peer.next()).toEqual({ type: "complete", id: "j" });
  });

  it.each([
    [{ id: "nonsense" }, "BAD_USER_INPUT", "jobId"],
    [{ id: nowhere }, "NOT_FOUND", "jobId"],
    [{ id: nowhere, after: "x" }, "BAD_CURSOR", "after"],
  ])("on %j ends with a typed error", async (variables, code, path) => {
    await using peer = await Peer.ready();
    peer.subscribe("j", events, variables);
    const message = await peer.next();
    const errors = message?.type === "error" ? message.payload : message?.payload.errors;
    expect(errors).toMatchObject([{ extensions: { code, path } }]);
    peer.subscribe("k", "{ __typename }");
    let answer = await peer.next();
    while (answer?.id === "j") answer = await peer.next();
    expect(answer).toMatchObject({ type: "next", id: "k" });
  });

  it("is let go while it waits when its socket goes", async () => {
    const jobId = await insertJob(db);
    const peer = await Peer.ready();
    for (const id of ["1", "2", "3"]) peer.subscribe(id, events, { id: idText("job", jobId) });
    for (let n = 0; n < 3; n += 1) await peer.next();
    expect(server.open().streams).toBe(3);
    peer.socket.terminate();
    await expect.poll(() => server.open()).toMatchObject({ streams: 0 });
  });
});
