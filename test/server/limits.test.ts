import { getIntrospectionQuery } from "graphql";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Database } from "../../src/db/client.ts";
import { idText } from "../../src/domain/ids.ts";
import { testDatabase } from "../support/database.ts";
import { insertJob } from "../support/factories.ts";
import { type Answer, type TestServer, testServer } from "../support/server.ts";

let db: Database;
let server: TestServer;
const jobId = idText("job", "01920001-0000-7000-8000-000000000001");
beforeAll(async () => {
  db = await testDatabase();
  server = await testServer(db);
  for (let n = 0; n < 3; n += 1) await insertJob(db);
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await db[Symbol.asyncDispose]();
});

/** Posts, and checks that it took no time worth speaking of. */
async function quickly(query: string, variables?: object): Promise<Answer> {
  const started = performance.now();
  const answer = await server.post(query, variables);
  expect(performance.now() - started).toBeLessThan(1500);
  return answer;
}

function exceeded(limit: string) {
  return { status: 400, errors: [{ extensions: { code: "LIMIT_EXCEEDED", limit } }] };
}

const repeat = (n: number, text: (index: number) => string) =>
  Array.from({ length: n }, (_, index) => text(index)).join(" ");
describe("an operation", () => {
  it("may nest 12 fields, and not 13", async () => {
    const nested = (levels: number) => {
      // job → pipelineInfo → project → pipelines → project → pipelines …
      let selection = "id";
      for (let level = levels - 1; level > 2; level -= 1)
        selection = `${level % 2 === 1 ? "project" : "pipelines"} { ${selection} }`;
      return `{ job(id: "${jobId}") { pipelineInfo { ${selection} } } }`;
    };
    expect((await quickly(nested(7))).errors).toBeUndefined();
    const { errors } = await quickly(nested(13));
    expect(errors).toMatchObject([{ extensions: { code: "LIMIT_EXCEEDED", limit: "depth", found: 13, allowed: 12 } }]);
  });

  it("cannot hide its depth in fragments", async () => {
    const fragments = repeat(13, (n) => `fragment F${n} on Project { pipelines { project { ...F${n + 1} } } }`);
    expect(await quickly(`{ project(name: "x") { ...F0 } } ${fragments} fragment F13 on Project { id }`)).toMatchObject(
      exceeded("depth"),
    );
  });

  it("may have 30 aliases, and not 31", async () => {
    expect((await quickly(`{ ${repeat(30, (n) => `a${n}: __typename`)} }`)).errors).toBeUndefined();
    expect(await quickly(`{ ${repeat(31, (n) => `a${n}: __typename`)} }`)).toMatchObject(exceeded("aliases"));
  });

  it("may have 50 directives, and not 51", async () => {
    const many = (n: number) => `{ ${repeat(n, () => "__typename @include(if: true)")} }`;
    expect((await quickly(many(50))).errors).toBeUndefined();
    expect(await quickly(many(51))).toMatchObject(exceeded("directives"));
    expect(await quickly(`{ __typename ${"@skip(if: false)".repeat(100)} }`)).toMatchObject(exceeded("directives"));
  });

  it("may have 1000 tokens, and not more", async () => {
    const many = (n: number) => `query ($a: [Int] = [${"1 ".repeat(n)}]) { __typename @include(if: true) }`;
    expect((await quickly(many(950))).errors).toMatchObject([{ message: expect.stringContaining("never used") }]);
    expect(await quickly(`{ ${"__typename ".repeat(1000)} }`)).toMatchObject({
      status: 400,
      errors: [{ extensions: { code: "LIMIT_EXCEEDED", limit: "tokens", allowed: 1000 } }],
    });
  });

  it.each([
    ["nested list brackets", `{ jobs(first: ${"[".repeat(100_000)}`],
    ["nested selection brackets", "{a".repeat(50_000)],
    ["nested types", `query ($a: ${"[".repeat(50_000)}Int${"]".repeat(50_000)}) { __typename }`],
    ["a field again and again", `{ ${"__typename ".repeat(80_000)} }`],
    ["fields that could conflict", `{ ${repeat(20_000, (n) => `jobs(first: ${n}) { nodes { id } }`)} }`],
    [
      "fragments that spread each other",
      repeat(10_000, (n) => `fragment F${n} on Query { ...F${n + 1} ...F${n + 1} }`),
    ],
  ])("of %s is refused at once", async (_what, query) => {
    expect(await quickly(query)).toMatchObject({
      status: 400,
      errors: [{ extensions: { code: "LIMIT_EXCEEDED", limit: "tokens" } }],
    });
  });

  it("of fragments that double at each step is refused at once", async () => {
    const doubling = repeat(60, (n) => `fragment F${n} on Query { ...F${n + 1} ...F${n + 1} }`);
    expect(await quickly(`{ ...F0 } ${doubling} fragment F60 on Query { jobs { nodes { id } } }`)).toMatchObject(
      exceeded("cost"),
    );
  });

  it("of fragments that spread themselves is refused", async () => {
    expect(await quickly("{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }")).toMatchObject({
      status: 400,
      errors: [{ extensions: { code: "GRAPHQL_VALIDATION_FAILED" } }],
    });
  });

  it("shows its cost, with page sizes counted", async () => {
    const cost = async (query: string, variables?: object) =>
      (await quickly(query, variables)).extensions?.cost as number;
    expect(await cost("{ __typename }")).toBe(1);
    const one = await cost("{ jobs(first: 1) { nodes { id state } } }");
    const hundred = await cost("{ jobs(first: 100) { nodes { id state } } }");
    expect(hundred).toBeGreaterThan(one * 50);
    expect(await cost("query ($n: Int) { jobs(first: $n) { nodes { id state } } }", { n: 100 })).toBe(hundred);
    expect(await cost("{ jobs { edges { node { id state } } } }")).toBeGreaterThan(20);
  });

  it("over 5000 in cost is refused before it reads anything", async () => {
    const answer = await quickly(
      "{ jobs(first: 100) { nodes { attempts(first: 100) { nodes { nodeRuns { nodes { id } } } } } } }",
    );
    expect(answer).toMatchObject(exceeded("cost"));
    expect(answer.errors![0]!.extensions.found).toBeGreaterThan(5000);
    expect(answer.extensions?.cost).toBeGreaterThan(5000);
    expect(answer.data ?? null).toBeNull();
  });

  it("is measured by the operation that is run, not by the others beside it", async () => {
    const query =
      "query Small { __typename } query Large { jobs(first: 100) { nodes { attempts(first: 100) { nodes { nodeRuns { nodes { id } } } } } } }";
    const run = async (operationName: string) => {
      const response = await fetch(`${server.url}/graphql`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ query, operationName }),
      });
      return (await response.json()) as Answer;
    };
    expect(await run("Small")).toMatchObject({ data: { __typename: "Query" } });
    expect(await run("Large")).toMatchObject({ errors: [{ extensions: { code: "LIMIT_EXCEEDED" } }] });
  });

  it("may ask for the whole schema", async () => {
    const { errors, data } = await server.post(getIntrospectionQuery());
    expect(errors).toBeUndefined();
    expect(data.__schema.types.length).toBeGreaterThan(50);
  });

  it("may ask what the dashboard of a job needs", async () => {
    const { errors, extensions } = await server.post(
      `query ($id: ID!) { job(id: $id) {
      id state progress { done total } attempts { nodes { number outcome error { message } } } nodeRuns { nodes { node state summary { type preview } } }
      results { name value } events(first: 100) { nodes { type recordedAt } } pipelineInfo { graph { nodes { name dependsOn } } } } }`,
      { id: jobId },
    );
    expect(errors).toBeUndefined();
    expect(extensions?.cost).toBeLessThan(5000);
  });
});

describe("variables", () => {
  it.each([
    ["a hundred and fifty thousand items of the wrong type", { tags: Array.from({ length: 150_000 }, () => 1) }],
    ["a hundred thousand unknown fields", Object.fromEntries(Array.from({ length: 60_000 }, (_, n) => [`k${n}`, 1]))],
  ])("with %s are refused at once", async (_what, input) => {
    const query = "mutation ($i: EnqueueJobInput!) { enqueueJob(input: $i) { __typename } }";
    const { errors } = await quickly(query, { i: { pipeline: "a", ...input } });
    expect(errors).toHaveLength(20);
  });
});

describe("many operations", () => {
  it("in one request are refused", async () => {
    const response = await fetch(`${server.url}/graphql`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: '[{"query":"{__typename}"}]',
    });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ errors: [{ message: expect.stringContaining("Batches") }] });
  });
});
