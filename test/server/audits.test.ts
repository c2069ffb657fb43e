import { auditServer } from "graphql-http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Database } from "../../src/db/client.ts";
import { testDatabase } from "../support/database.ts";
import { type TestServer, testServer } from "../support/server.ts";

let db: Database;
let server: TestServer;
beforeAll(async () => {
  db = await testDatabase();
  server = await testServer(db);
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await db[Symbol.asyncDispose]();
});

describe("the official audits of GraphQL over HTTP", () => {
  it("pass, all of them", async () => {
    const results = await auditServer({ url: `${server.url}/graphql`, fetchFn: fetch });
    const failed = results
      .filter(({ status }) => status !== "ok")
      .map(({ id, name, status }) => `${status} ${id} ${name}`);
    expect(failed).toEqual([]);
    expect(results.length).toBeGreaterThanOrEqual(61);
  });
});
