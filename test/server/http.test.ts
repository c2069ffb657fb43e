import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Database } from "../../src/db/client.ts";
import { PortInUseError, UnprotectedServerError } from "../../src/server/start.ts";
import { publishBakery } from "../schema/bakery.ts";
import { testDatabase } from "../support/database.ts";
import { openSocket, rawHttp } from "../support/raw-http.ts";
import { type TestServer, testServer } from "../support/server.ts";

let db: Database;
let server: TestServer;
beforeAll(async () => {
  db = await testDatabase();
  await publishBakery(db);
  server = await testServer(db, {
    allowOrigins: ["https://app.example.org"],
    limits: { headersTimeoutMs: 300, bodyTimeoutMs: 300 },
  });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await db[Symbol.asyncDispose]();
});

const enqueue = 'mutation { enqueueJob(input: { pipeline: "bread" }) { __typename } }';
const jobCount = async () => (await db.sql<{ count: number }[]>`select count(*)::int from jobs`)[0]!.count;

async function send(body: string, headers: Record<string, string> = {}, path = "/graphql") {
  const response = await fetch(`${server.url}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body,
  });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

describe("a request", () => {
  it("by GET may not mutate: 405, the method that may, and nothing was done", async () => {
    const before = await jobCount();
    const response = await fetch(`${server.url}/graphql?query=${encodeURIComponent(enqueue)}`);
    expect(response.status).toBe(405);
    expect(response.headers.get("allow")).toBe("POST");
    expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: "METHOD_NOT_ALLOWED" } }] });
    expect(await jobCount()).toBe(before);
  });

  it.each(["PUT", "DELETE", "PATCH"])("by %s is refused", async (method) => {
    const response = await fetch(`${server.url}/graphql`, { method });
    expect(response.status).toBe(405);
    expect(response.headers.get("allow")).toBe("GET, POST");
    expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: "METHOD_NOT_ALLOWED" } }] });
  });

  it("for the health of the server is one that changes nothing", async () => {
    for (const path of ["/health", "/ready"]) {
      const response = await fetch(`${server.url}${path}`, { method: "DELETE" });
      expect(response.status).toBe(405);
      expect(response.headers.get("allow")).toBe("GET, HEAD");
    }
    expect((await fetch(`${server.url}/health`, { method: "HEAD" })).status).toBe(200);
  });

  it.each([
    ["application/x-www-form-urlencoded", `query=${encodeURIComponent(enqueue)}`],
    ["multipart/form-data; boundary=x", '--x\r\ncontent-disposition: form-data; name="operations"\r\n\r\n{}\r\n--x--'],
    ["text/plain", JSON.stringify({ query: enqueue })],
    ["application/graphql", enqueue],
    ["application/json; charset=latin1", JSON.stringify({ query: enqueue })],
    ["", JSON.stringify({ query: enqueue })],
  ])("with the content type %j is refused with 415, and nothing was done", async (type, body) => {
    const before = await jobCount();
    const answer = await send(body, { "content-type": type });
    expect(answer.status).toBe(415);
    expect(JSON.parse(answer.text)).toMatchObject({ errors: [{ extensions: { code: "UNSUPPORTED_MEDIA_TYPE" } }] });
    expect(await jobCount()).toBe(before);
  });

  it.each(["gzip", "deflate", "br"])("with the content encoding %s is refused", async (encoding) => {
    expect(await send("{}", { "content-encoding": encoding })).toMatchObject({ status: 415 });
  });

  it.each(["text/html", "application/xml", "image/png", "application/json;q=0"])(
    "that accepts only %s gets 406, and nothing was done",
    async (accept) => {
      const before = await jobCount();
      const answer = await send(JSON.stringify({ query: enqueue }), { accept });
      expect(answer.status).toBe(406);
      expect(JSON.parse(answer.text)).toMatchObject({ errors: [{ extensions: { code: "NOT_ACCEPTABLE" } }] });
      expect(await jobCount()).toBe(before);
    },
  );

  it("is answered in the type that the client prefers", async () => {
    for (const [accept, type] of [
      ["application/graphql-response+json;q=0, application/json", "application/json"],
      ["application/json;q=0.1, application/graphql-response+json;q=0.9", "application/graphql-response+json"],
      ["text/event-stream;q=0.1, application/json", "application/json"],
    ] as const) {
      const { headers } = await send('{"query":"{__typename}"}', { accept });
      expect(headers.get("content-type"), accept).toBe(`${type}; charset=utf-8`);
    }
  });

  it("for an invalid document is told so by 400, and by 200 only where JSON is asked for by name", async () => {
    for (const [accept, status] of [
      ["application/graphql-response+json", 400],
      ["*/*", 400],
      ["application/json", 200],
    ] as const) {
      expect((await send('{"query":"{ nothing }"}', { accept })).status, accept).toBe(status);
    }
  });

  it("that gets some data is a success, and one that gets none is not", async () => {
    const nothing = await server.post('{ node(id: "x") { id } }');
    expect(nothing).toMatchObject({ status: 400, data: null, errors: [{ extensions: { code: "BAD_USER_INPUT" } }] });
    const some = await server.post('{ __typename node(id: "x") { id } }');
    expect(some).toMatchObject({ status: 200, data: { __typename: "Query", node: null } });
    expect(some.errors).toHaveLength(1);
  });

  it("may hold more than is known", async () => {
    expect((await send('{"query":"{__typename}","id":"1","documentId":null}')).status).toBe(200);
  });

  it("by GET may leave out its parameters by leaving them empty", async () => {
    const search = "query=%7B__typename%7D&operationName=&variables=&extensions=";
    expect((await fetch(`${server.url}/graphql?${search}`)).status).toBe(200);
  });

  it("by GET says which parameter is wrong", async () => {
    const response = await fetch(`${server.url}/graphql?query=%7B__typename%7D&variables=%7B`);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ errors: [{ extensions: { path: "variables" } }] });
  });

  it("for a subscription without an event stream gets 406, and leaves nothing open", async () => {
    const query = "subscription { feed { cursor } }";
    const answer = await send(JSON.stringify({ query }), { accept: "application/json" });
    expect(answer.status).toBe(406);
    expect(JSON.parse(answer.text)).toMatchObject({ errors: [{ extensions: { code: "NOT_ACCEPTABLE" } }] });
    await expect.poll(() => server.open().streams).toBe(0);
  });

  it("over 1 MiB is refused with 413, with its length or in chunks", async () => {
    const head = "POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";
    const announced = await rawHttp(server.url, `${head}content-length: 1048577\r\n\r\n{"query":"`);
    expect(announced.status).toBe(413);
    const chunk = `10000\r\n${"x".repeat(0x10000)}\r\n`;
    const chunked = await rawHttp(
      server.url,
      `${head}transfer-encoding: chunked\r\n\r\n`,
      ...Array.from({ length: 17 }, () => chunk),
    );
    expect(chunked.status).toBe(413);
    expect(chunked.text).toContain("LIMIT_EXCEEDED");
  });

  it("over 1 MiB is told so by a server that hears it out", async () => {
    const socket = await openSocket(server.url);
    const head = "POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";
    // As clients do that send all they have before they read: a connection that is closed by then has lost its answer.
    socket.pause();
    const written = Promise.withResolvers<void>();
    const body = "x".repeat(8 * 1024 * 1024);
    socket.on("error", written.reject);
    socket.write(`${head}content-length: ${body.length}\r\n\r\n${body}`, () => written.resolve());
    await written.promise;
    const [answer] = await once(socket.resume(), "data");
    expect(String(answer)).toContain("413 Payload Too Large");
    expect(String(answer)).toContain("LIMIT_EXCEEDED");
    socket.destroy();
  });

  it("that breaks off is no trouble of ours", async () => {
    server.logged.length = 0;
    const socket = await openSocket(server.url);
    socket.write(
      "POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{",
    );
    socket.end();
    await once(socket.resume(), "close");
    expect((await send('{"query":"{__typename}"}')).status).toBe(200);
    expect(server.logged).toEqual([]);
  });

  it("with too large headers is refused with 431", async () => {
    expect(
      (await rawHttp(server.url, `GET /graphql HTTP/1.1\r\nhost: localhost\r\nx: ${"x".repeat(20_000)}\r\n\r\n`))
        .status,
    ).toBe(431);
  });

  it("whose headers do not come is dropped", async () => {
    const started = performance.now();
    expect((await rawHttp(server.url, "POST /graphql HTTP/1.1\r\nhost: localhost\r\n")).status).toBe(408);
    expect(performance.now() - started).toBeLessThan(3000);
  });

  it("whose body does not come is dropped", async () => {
    const started = performance.now();
    const head =
      "POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{";
    const { status } = await rawHttp(server.url, head);
    expect(status).toBe(408);
    expect(performance.now() - started).toBeLessThan(4000);
  });

  it("for anything else gets 404", async () => {
    for (const path of ["/", "/graphql/", "/graphqlx", "/../etc/passwd", "/%00"])
      expect((await send("{}", {}, path)).status).toBe(404);
  });

  it("carries its id through, and gets one when it has none", async () => {
    expect((await send('{"query":"{__typename}"}', { "x-request-id": "abc-1" })).headers.get("x-request-id")).toBe(
      "abc-1",
    );
    expect((await send('{"query":"{__typename}"}', { "x-request-id": "a b" })).headers.get("x-request-id")).toMatch(
      /^[0-9a-f-]{36}$/,
    );
    await send(JSON.stringify({ query: enqueue }), { "x-request-id": "audited" });
    expect(await db.sql`select request_id from audit order by id desc limit 1`).toMatchObject([
      { request_id: "audited" },
    ]);
  });
});

describe("a body", () => {
  const deep = (n: number) => `${"[".repeat(n)}${"]".repeat(n)}`;
  const config = (json: string) =>
    `{"query":"mutation ($i: EnqueueJobInput!) { enqueueJob(input: $i) { __typename } }","variables":{"i":{"pipeline":"bread","config":{"a":${json}}}}}`;

  it.each([
    ["nothing", ""],
    ["half a value", '{"query":"{__typename}"'],
    ["a list", '[{"query":"{__typename}"}]'],
    ["an empty list", "[]"],
    ["a text", '"{__typename}"'],
    ["null", "null"],
    ["a number", "1"],
    ["no query", "{}"],
    ["a query that is no text", '{"query":{"a":1}}'],
    ["an empty query", '{"query":""}'],
    ["only a fragment", '{"query":"fragment F on Query { __typename }"}'],
    ["variables that are a list", '{"query":"{__typename}","variables":[]}'],
    ["an operation name that is no text", '{"query":"{__typename}","operationName":1}'],
    ["an operation that is not there", '{"query":"query A{__typename}","operationName":"B"}'],
    ["two operations and no name", '{"query":"query A{__typename} query B{__typename}"}'],
    ["a key __proto__", '{"query":"{__typename}","variables":{"__proto__":{"a":1}}}'],
    ["deep lists", `{"query":"{__typename}","variables":{"a":${deep(5000)}}}`],
    ["very deep lists", `{"query":"{__typename}","variables":{"a":${deep(400_000)}}}`],
    ["very deep objects", `${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}`],
    ["a number beyond all doubles", config("1e400")],
    ["an integer that would be rounded", config("9007199254740993")],
    ["a NUL", config('"\\u0000"')],
    ["half a surrogate pair", config('"\\ud800"')],
    ["half a surrogate pair as a key", config('{"\\udfff":1}')],
    ["a NUL in a query", JSON.stringify({ query: '{ project(name: "\u0000") { name } }' })],
    ["an escaped NUL in a query", JSON.stringify({ query: '{ project(name: "\\u0000") { name } }' })],
    ["half a surrogate pair in a query", JSON.stringify({ query: '{ project(name: "\\ud800") { name } }' })],
    [
      "an inexact number in a query",
      JSON.stringify({
        query: 'mutation { enqueueJob(input: { pipeline: "bread", inputs: { a: 9007199254740993 } }) { __typename } }',
      }),
    ],
    [
      "1e400 in a query",
      JSON.stringify({
        query: 'mutation { enqueueJob(input: { pipeline: "bread", inputs: { a: 1e400 } }) { __typename } }',
      }),
    ],
    [
      "__proto__ in a query",
      JSON.stringify({
        query: 'mutation { enqueueJob(input: { pipeline: "bread", inputs: { __proto__: 1 } }) { __typename } }',
      }),
    ],
    ["an Int beyond 32 bits", JSON.stringify({ query: "{ jobs(first: 3000000000) { nodes { id } } }" })],
    [
      "a variable of the wrong type",
      '{"query":"query ($f: Int) { jobs(first: $f) { nodes { id } } }","variables":{"f":"x"}}',
    ],
    ["an unknown field", '{"query":"{ nothing }"}'],
    ["a syntax error", '{"query":"{ jobs( }"}'],
  ])("of %s is a typed 400, and no bug", async (_what, body) => {
    const before = await jobCount();
    server.logged.length = 0;
    const answer = await send(body, { accept: "application/graphql-response+json" });
    expect(answer.status, answer.text).toBe(400);
    const { data, errors } = JSON.parse(answer.text) as { data?: unknown; errors: { extensions: { code: string } }[] };
    expect(data ?? null).toBeNull();
    expect(errors.map(({ extensions }) => extensions.code)).not.toContain("INTERNAL_SERVER_ERROR");
    expect(["BAD_USER_INPUT", "GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED", "LIMIT_EXCEEDED"]).toContain(
      errors[0]!.extensions.code,
    );
    expect(answer.text).not.toMatch(/node_modules|\.ts\b|at Object|originalError/);
    expect(server.logged).toEqual([]);
    expect(await jobCount()).toBe(before);
  });

  it("that is not UTF-8 is refused", async () => {
    const response = await fetch(`${server.url}/graphql`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: Buffer.from([0x7b, 0xff, 0x7d]),
    });
    expect(response.status).toBe(400);
  });

  it.each(['"\\u0000"', "1e400", "9007199254740993"])("tells where %s stands, which cannot be stored", async (json) => {
    const answer = await send(config(`{"b":[1,${json}]}`));
    expect(JSON.parse(answer.text).errors[0]).toMatchObject({
      extensions: { code: "BAD_USER_INPUT", path: "i.config.a.b.1" },
    });
  });

  it("tells where a key stands that is not taken", async () => {
    const answer = await send(config('{"__proto__":1}'));
    expect(JSON.parse(answer.text).errors[0]).toMatchObject({
      extensions: { code: "BAD_USER_INPUT", path: "i.config.a.__proto__" },
    });
  });

  it.each([
    ["a variable of the wrong type", { priority: 1.5 }, "i.priority"],
    ["an item of the wrong type", { tags: ["a", 1] }, "i.tags.1"],
    ["a day that does not exist", { runAt: "2030-02-30T00:00:00Z" }, "i.runAt"],
    ["a field that does not exist", { when: 1 }, "i"],
    ["a field that is missing", { retry: {} }, "i.retry"],
    ["a value that does not exist", { logLevel: "LOUD" }, "i.logLevel"],
  ])("tells where %s is", async (_what, input, path) => {
    const query = "mutation ($i: EnqueueJobInput!) { enqueueJob(input: $i) { __typename } }";
    const { status, errors } = await server.post(query, { i: { pipeline: "bread", ...input } });
    expect(status).toBe(400);
    expect(errors).toMatchObject([{ extensions: { code: "BAD_USER_INPUT", path } }]);
  });

  it("tells which variable is missing", async () => {
    const query = "query ($first: Int!) { jobs(first: $first) { nodes { id } } }";
    for (const variables of [{}, { first: null }]) {
      const { errors } = await server.post(query, variables);
      expect(errors).toMatchObject([{ extensions: { code: "BAD_USER_INPUT", path: "first" } }]);
    }
  });

  it("quotes no more than the beginning of what is wrong", async () => {
    const query = "query ($first: Int!) { jobs(first: $first) { nodes { id } } }";
    const { errors } = await server.post(query, { first: "x".repeat(100_000) });
    expect(errors![0]!.message.length).toBeLessThan(400);
  });

  it.each([
    ['{ project(name: "\\u0000") { name } }', "name"],
    [
      'mutation { enqueueJob(input: { inputs: { a: [1, 1e400] }, pipeline: "bread" }) { __typename } }',
      "input.inputs.a.1",
    ],
    ["{ jobs(first: 3000000000) { nodes { id } } }", "first"],
    ['mutation { enqueueJob(input: { pipeline: "bread", priority: "high" }) { __typename } }', "input.priority"],
    ['mutation { enqueueJob(input: { pipeline: "bread", when: 1 }) { __typename } }', "input.when"],
    ['mutation { enqueueJob(input: { pipeline: "bread", runAt: 5 }) { __typename } }', "input.runAt"],
    [
      'mutation { enqueueJob(input: { pipeline: "bread", runAt: "2030-02-30T00:00:00Z" }) { __typename } }',
      "input.runAt",
    ],
    ['mutation { enqueueJob(input: { pipeline: "bread", config: [1] }) { __typename } }', "input.config"],
    ['mutation { enqueueJob(input: { pipeline: "bread", config: { a: 1, a: 2 } }) { __typename } }', "input.config.a"],
  ])("tells where in %s a literal is wrong", async (query, path) => {
    expect((await server.post(query)).errors).toMatchObject([{ extensions: { path } }]);
  });
});

describe("pages of other origins", () => {
  it("are refused, and are not told that they may read", async () => {
    for (const origin of [
      "https://evil.example",
      "null",
      "http://localhost:1",
      "https://app.example.org.evil.example",
    ]) {
      const answer = await send('{"query":"{__typename}"}', { origin });
      expect(answer.status).toBe(403);
      expect(answer.headers.get("access-control-allow-origin")).toBeNull();
    }
  });

  it("are served when they are allowed", async () => {
    const origin = "https://app.example.org";
    const preflight = await fetch(`${server.url}/graphql`, {
      method: "OPTIONS",
      headers: { origin, "access-control-request-method": "POST", "access-control-request-headers": "content-type" },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get("allow")).toBe("GET, POST");
    expect(preflight.headers.get("access-control-allow-headers")).toContain("content-type");
    const answer = await send('{"query":"{__typename}"}', { origin });
    expect(answer.status).toBe(200);
    expect(answer.headers.get("access-control-allow-origin")).toBe(origin);
    expect(answer.headers.get("access-control-allow-credentials")).toBeNull();
    expect(answer.headers.get("vary")).toContain("origin");
  });

  it("and its own pages need no permission", async () => {
    expect((await send('{"query":"{__typename}"}', { origin: server.url })).status).toBe(200);
  });

  it("cannot come in by a name of their own that points here", async () => {
    const { status } = await rawHttp(
      server.url,
      "GET /graphql?query={__typename} HTTP/1.1\r\nhost: evil.example\r\norigin: http://evil.example\r\nconnection: close\r\n\r\n",
    );
    expect(status).toBe(403);
    const own = await rawHttp(
      server.url,
      "GET /graphql?query={__typename} HTTP/1.1\r\nhost: localhost:9\r\nconnection: close\r\n\r\n",
    );
    expect(own.status).toBe(200);
  });
});

describe("the server", () => {
  it("shows GraphiQL to a browser", async () => {
    const response = await fetch(`${server.url}/graphql`, { headers: { accept: "text/html,application/xhtml+xml" } });
    expect(response.status).toBe(200);
    expect(await response.text()).toContain("FlowerPower Job Queue");
  });

  it("is healthy, and ready when a worker lives", async () => {
    expect((await fetch(`${server.url}/health`)).status).toBe(200);
    const idle = await fetch(`${server.url}/ready`);
    expect(idle.status).toBe(503);
    expect(await idle.json()).toMatchObject({ ready: false, database: true, workers: 0 });
    await db.sql`
      insert into workers (id, process, host, pid, version, slots, projects, state, started_at, heartbeat_at)
      values (gen_random_uuid(), gen_random_uuid(), 'localhost', 1, '0.0.0', 1, '[]', 'running', queue_now(), queue_now())`;
    const ready = await fetch(`${server.url}/ready`);
    expect(ready.status).toBe(200);
    expect(await ready.json()).toMatchObject({ ready: true, workers: 1 });
  });

  it("serves no more than this machine without keys", async () => {
    for (const host of ["0.0.0.0", "::", "192.168.1.1", "example.org"]) {
      await expect(testServer(db, { host })).rejects.toThrow(UnprotectedServerError);
    }
  });

  it("says which port is in use", async () => {
    const port = Number(new URL(server.url).port);
    await expect(testServer(db, { port })).rejects.toThrow(PortInUseError);
  });

  it("knows who calls by their key, never by a URL", async () => {
    await using guarded = await testServer(db, {
      identify: (token) => (token === "secret" ? { name: "key:1", scopes: new Set(["read"] as const) } : null),
    });
    expect(await guarded.post("{ server { actor } }")).toMatchObject({
      status: 401,
      errors: [{ extensions: { code: "UNAUTHENTICATED" } }],
    });
    expect(await guarded.post("{ server { actor } }", {}, { authorization: "Bearer secret" })).toMatchObject({
      data: { server: { actor: "key:1" } },
    });
    const byUrl = await fetch(`${guarded.url}/graphql?query={__typename}&token=secret&access_token=secret`);
    expect(byUrl.status).toBe(401);
  });

  it("hides a bug behind an id, and logs it", async () => {
    const broken = {
      ...db,
      reads: new Proxy(
        {},
        {
          get: () => {
            throw new Error("select secret from /etc/passwd");
          },
        },
      ),
    };
    await using server = await testServer(broken as never);
    const { status, errors, data } = await server.post("{ queues { name } }");
    expect(status).toBe(500);
    expect(data ?? null).toBeNull();
    expect(JSON.stringify(errors)).not.toContain("passwd");
    expect(errors![0]!.extensions).toMatchObject({ code: "INTERNAL_SERVER_ERROR", id: expect.any(String) });
    expect(server.logged).toMatchObject([
      { level: "error", fields: { id: errors![0]!.extensions.id, error: expect.stringContaining("passwd") } },
    ]);
  });
});
